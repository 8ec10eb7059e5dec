"""What if: both sides over HTTP, what cannot be supposed, and that nothing whatever is kept."""

import pytest

from app.domain.rulebook import Gate, judge
from app.domain.what_if import Supposed, supposing
from app.rules import RULES
from tests import life
from tests.rules.clean import AT, clean
from tests.world import ok, refused


@pytest.fixture(scope="module")
async def ready(lab):
    """A lot that awaits release."""
    return await life.preparation(lab)


@pytest.fixture(scope="module")
async def failing(lab):
    """A lot with a failing sterility result."""
    return await life.preparation(lab, upto="tested", findings={"sterility": ("growth", None)})


async def ask(lab, made, who="quinn", **body):
    return ok(await lab.as_(who).post(f"/lots/{made.lot}/what-if", body))


def line(found, test):
    return next(each["line"] for each in found["lines"] if each["test"] == test)


def rule(found, name):
    return next(each for each in found["compared"] if each["rule"] == name)


async def test_nothing_supposed_is_what_may_be_supposed(lab, ready):
    found = await ask(lab, ready)
    assert found["decides"] is False
    assert found["compared"] == []
    assert {each["test"]: each["value"] for each in found["lines"]}["sterility"] == "no growth"
    assert {"HIV NAT", "HBsAg"} <= {each["marker"] for each in found["markers"]}
    assert "CN-818" in {each["pack"] for each in found["packs"]}


async def test_another_result_turns_its_rule_and_only_that_side(lab, ready):
    sterility = line(await ask(lab, ready), "sterility")
    found = await ask(lab, ready, results=[{"line": sterility, "text": "growth"}])
    told = rule(found, "REL-02")
    assert told["changes"]
    assert (told["now"]["outcome"], told["then"]["outcome"]) == ("pass", "fail")
    assert told["then"]["findings"][0]["remedy"]
    assert rule(found, "QA-06")["then"]["outcome"] == "fail", "what was reviewed was another package"
    assert "REL-02" in found["closed_then"]
    assert "REL-02" not in found["closed_now"]
    assert [each["changes"] for each in found["compared"]] == sorted(
        (each["changes"] for each in found["compared"]), reverse=True
    )


async def test_a_failing_lot_would_pass_with_another_result(lab, failing):
    sterility = line(await ask(lab, failing), "sterility")
    found = await ask(lab, failing, results=[{"line": sterility, "text": "no growth"}])
    told = rule(found, "REL-02")
    assert (told["now"]["outcome"], told["then"]["outcome"]) == ("fail", "pass")


async def test_a_number_is_held_against_its_limits(lab, ready):
    viability = line(await ask(lab, ready), "viability")
    found = await ask(lab, ready, results=[{"line": viability, "number": "79.9"}])
    assert rule(found, "REL-02")["then"]["outcome"] == "fail"
    found = await ask(lab, ready, results=[{"line": viability, "number": "80"}])
    assert rule(found, "REL-02")["then"]["outcome"] == "pass"


async def test_a_marker_may_be_supposed_positive(lab, ready):
    found = await ask(lab, ready, markers=[{"analyte": "HIV", "marker": "HIV NAT", "outcome": "positive"}])
    assert any(each["changes"] and each["rule"].startswith("DON-") for each in found["compared"])
    assert set(found["closed_then"]) > set(found["closed_now"])


async def test_a_later_day_is_judged_as_of_then(lab, ready):
    found = await ask(lab, ready, at=life.ago(days=-3650))
    assert rule(found, "REL-07")["then"]["outcome"] == "fail"
    assert found["then_at"] > found["now_at"]


async def test_an_incomplete_pack_opens_nothing(lab, ready):
    other = next(each["pack"] for each in (await ask(lab, ready))["packs"] if not each["complete"])
    found = await ask(lab, ready, pack=other)
    assert found["pack_then"] == other
    assert found["pack_now"] == "CN-818"
    assert "SCO-04" in found["closed_then"]


async def test_a_waiver_opens_only_what_wants_one(lab, ready):
    found = await ask(lab, ready, waivers=["GMP-06"])
    assert found["closed_then"] == found["closed_now"]
    opened = supposing(clean(), Supposed(waivers=("GMP-06",)), at=AT)
    assert opened.waivers[-1].rule == "GMP-06"
    assert judge(RULES, opened, gate=Gate.G6, at=AT).blocks == ()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"results": [{"line": 999999999, "number": "1"}]}, "results"),
        ({"waivers": ["QA-05"]}, "waivers"),
        ({"waivers": ["XX-99"]}, "waivers"),
        ({"pack": "ATLANTIS"}, "pack"),
        ({"markers": [{"analyte": "HIV", "marker": "spirits", "outcome": "negative"}]}, "markers"),
    ],
)
async def test_what_cannot_be_supposed_is_refused_at_its_field(lab, ready, body, field):
    answer = await lab.as_("quinn").post(f"/lots/{ready.lot}/what-if", body)
    assert refused(answer, 422)["field"] == field


async def test_a_measured_line_takes_no_words(lab, ready):
    viability = line(await ask(lab, ready), "viability")
    body = {"results": [{"line": viability, "text": "many"}]}
    assert refused(await lab.as_("quinn").post(f"/lots/{ready.lot}/what-if", body), 422)["field"] == "results"


async def test_it_keeps_nothing_at_all(lab, ready):
    async def everything():
        return await lab.sql(
            "SELECT (SELECT count(*) FROM lab.judgements) j, (SELECT count(*) FROM audit.entries) e,"
            " (SELECT count(*) FROM lab.refusals) r, (SELECT count(*) FROM lab.results) x, (SELECT max(version) FROM lab.lots) v"
        )

    await ask(lab, ready, "lin")  # whoever asks is signed in by now
    before = await everything()
    sterility = line(await ask(lab, ready), "sterility")
    await ask(lab, ready, "lin", results=[{"line": sterility, "text": "growth"}], pack="EU", at=life.ago(days=-9))
    await lab.as_("quinn").post(f"/lots/{ready.lot}/what-if", {"waivers": ["QA-05"]})
    assert await everything() == before
    assert await ready.state() == "awaiting_release"
    checked = ok(await lab.as_("lin").post(f"/lots/{ready.lot}/release-check"))
    assert checked["blocks"] is False, "what was supposed left no trace"


async def test_who_may_not_read_lots_may_not_ask(lab, ready):
    refused(await lab.as_("adam").post(f"/lots/{ready.lot}/what-if", {}), 403)
    refused(await lab.as_("quinn").post(f"/lots/{ready.donation}/what-if", {}), 404)


def test_nothing_supposed_changes_nothing():
    assert supposing(clean(), Supposed(), at=AT) == clean()


def test_a_result_set_aside_stays_set_aside():
    dossier = clean()
    first = dossier.results[0]
    supposed = supposing(dossier, Supposed(results={first.line_id: "growth"}), at=AT)
    assert [each.value_text for each in supposed.results if each.line_id == first.line_id] == ["growth"]
    assert dossier.results[0] == first, "the dossier itself stays as it was"
