"""Release weather over HTTP and on the lot's page, from the day on which the lot starts."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import life
from tests.web.browsing import Browser, words
from tests.world import ok, refused


@pytest.fixture(scope="module")
async def begun(lab):
    """A lot in process, with materials of its own."""
    return await life.preparation(lab, upto="passaged", use=await life.new_shared(lab))


@pytest.fixture
async def quinn(lab):
    browser = Browser(lab)
    await browser.sign_in("quinn")
    yield browser
    await browser.http.aclose()


def day(**ahead):
    return (datetime.now(UTC) + timedelta(days=1, **ahead)).date().isoformat()


async def ask(lab, made, who="tess", **params):
    return ok(await lab.as_(who).get(f"/lots/{made.lot}/weather", **params))


async def test_a_lot_in_process_has_its_weather(lab, begun):
    found = await ask(lab, begun, on=day())
    assert found["weather"] in {"clear", "rain", "fog"}
    assert found["step"] == "fill"
    assert found["on"] == day()
    assert found["day_from"] == "asked"
    assert "REL-03" not in {each["rule"] for each in found["turns"]}, "that its tests lack today is no weather"
    assert "GMP-03" not in {each["rule"] for each in found["turns"]}


async def test_far_ahead_it_rains_for_named_reasons_with_their_days(lab, begun):
    found = await ask(lab, begun, on=day(weeks=520))
    assert found["weather"] == "rain"
    kinds = {each["kind"] for each in found["endings"]}
    assert {"material", "training", "assessment"} <= kinds
    moments = [datetime.fromisoformat(each["at"]) for each in found["endings"]]
    assert moments == sorted(moments)
    assert found["first"] == found["endings"][0]["at"]
    assert {"MAT-06", "QA-07"} <= {each["rule"] for each in found["turns"]}
    assert all(each["findings"][0]["remedy"] for each in found["turns"])


async def test_a_container_that_was_opened_ends_when_its_hours_are_over(lab, begun):
    opened = await lab.value(
        "SELECT count(*) FROM lab.consumptions u JOIN lab.containers c ON c.id = u.container_id"
        " WHERE u.lot_id = $1 AND c.opened_until IS NOT NULL",
        await begun.lot_id(),
    )
    found = await ask(lab, begun, on=day(weeks=520))
    assert ("opened" in {each["kind"] for each in found["endings"]}) == bool(opened)


async def test_without_a_day_the_process_tells_it_or_it_is_a_guess(lab, begun):
    found = await ask(lab, begun)
    assert found["day_from"] == "unknown"
    assert found["lots_before"] == 0
    await life.preparation(lab, upto="frozen", use=begun.shared)
    found = await ask(lab, begun)
    assert found["day_from"] == "course"
    assert found["lots_before"] == 1


async def test_a_planned_lot_expects_its_isolation_and_a_finished_one_its_release(lab):
    planned = await ask(lab, await life.preparation(lab, upto="planned"), on=day())
    assert planned["step"] == "isolation"
    assert "QA-07" in {each["rule"] for each in planned["untold"]}, "nobody is known yet who makes it"
    assert planned["weather"] != "clear"
    ready = await ask(lab, await life.preparation(lab), on=day())
    assert ready["step"] is None
    assert all(each["gate"] == "G6" for each in ready["turns"])


async def test_a_lot_whose_fate_is_decided_has_none(lab):
    made = await life.preparation(lab, upto="released")
    assert (await ask(lab, made))["weather"] == "settled"


@pytest.mark.parametrize("on", ["2020-01-01", "2199-01-01", "tomorrow", "9999-12-31"])
async def test_a_day_that_does_not_lie_ahead_is_refused(lab, quinn, begun, on):
    refused(await lab.as_("tess").get(f"/lots/{begun.lot}/weather", on=on), 422)
    assert (await quinn.get(f"/lots/{begun.lot}/weather", params={"on": on})).status_code == 422


async def test_looking_ahead_keeps_nothing(lab, begun):
    await ask(lab, begun)
    before = await lab.sql("SELECT (SELECT count(*) FROM lab.judgements) j, (SELECT count(*) FROM audit.entries) e")
    await ask(lab, begun, on=day(weeks=520))
    assert (
        await lab.sql("SELECT (SELECT count(*) FROM lab.judgements) j, (SELECT count(*) FROM audit.entries) e")
        == before
    )


async def test_who_may_not_read_lots_is_told_no_weather(lab, begun):
    refused(await lab.as_("adam").get(f"/lots/{begun.lot}/weather"), 403)


async def test_the_lot_page_asks_for_it_and_leads_to_it_without_scripts(quinn, begun):
    page = (await quinn.get(f"/lots/{begun.lot}")).text
    assert f'hx-get="/lots/{begun.lot}/weather"' in page
    assert f'href="/lots/{begun.lot}/weather"' in page
    strip = await quinn.get(f"/lots/{begun.lot}/weather", headers={"hx-request": "true"})
    assert 'data-weather="' in strip.text
    assert "<!doctype" not in strip.text
    whole = await quinn.get(f"/lots/{begun.lot}/weather", params={"on": day(weeks=520)})
    assert 'data-weather="rain"' in whole.text
    assert "Tess" in words(whole.text), "people are called by their names"
    assert 'href="/rules/MAT-06"' in whole.text
