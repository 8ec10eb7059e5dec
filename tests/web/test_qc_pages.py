"""QC and QA by pages: results beside their limits, one signature for all of them, the batch record and its review."""

import re

import pytest

from tests import life
from tests.web.browsing import hidden_fields, words
from tests.world import ok

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def proof(lab, name):
    await lab.forget_failures(name)
    return {"password": lab.password(name), "totp": await lab.totp(name)}


def lines_of(page):
    return dict(
        zip(re.findall(r'<th scope="row"><b>([^<]+)</b>', page), re.findall(r'name="version-(\d+)"', page), strict=True)
    )


async def enters(browser, sample, values):
    """Ana enters values by test."""
    page = (await browser.get(f"/samples/{sample}")).text
    lines = lines_of(page)
    fields = {f"value-{lines[test]}": value for test, value in values.items()}
    fields |= {f"version-{lines[test]}": "2" for test in values}
    moment = re.search(r'name="measured_at"[^>]*value="([^"]+)"', page) or re.search(
        r'value="([^"]+)"[^>]*name="measured_at"', page
    )
    return await browser.post(f"/samples/{sample}", fields | {"measured_at": moment[1]}, page=f"/samples/{sample}")


GOOD = {test: value for test, (value, _) in life.FINDINGS.items()}


async def test_from_the_sample_to_the_submitted_lot(lab, browser_of):
    lived = await life.preparation(lab, upto="sampled")
    sample = lived.samples[0]
    ana, rolf, quinn = await browser_of("ana"), await browser_of("rolf"), await browser_of("quinn")
    assert f"/samples/{sample}" in (await ana.get("/samples")).text
    led = await ana.post("/samples/scan", {"code": sample}, page="/samples")
    assert led.headers["location"] == f"/samples/{sample}"
    led = await ana.post("/samples/scan", {"code": lived.vials[0]}, page="/samples")
    assert led.headers["location"] == f"/lots/{lived.lot}/sample?from={lived.vials[0]}"
    odd = await ana.post("/samples/scan", {"code": lived.workstation}, page="/samples")
    assert odd.status_code == 422

    some = await enters(ana, sample, {"sterility": "no growth", "viability": "93.4"})
    assert some.status_code == 303, words(some.text)
    page = (await ana.get(f"/samples/{sample}")).text
    assert set(lines_of(page)) == set(GOOD) - {"sterility", "viability"}, "only what is missing is asked for"
    rest = await enters(
        ana, sample, {test: value for test, value in GOOD.items() if test not in {"sterility", "viability"}}
    )
    assert rest.status_code == 303, words(rest.text)
    page = (await ana.get(f"/samples/{sample}")).text
    assert "all there" in page
    assert page.count("within limits") == 7

    assert "Review" in (await rolf.get("/samples")).text
    page = (await rolf.get(f"/results/{lived.lot}?sign=sign-results_reviewed")).text
    hidden = hidden_fields(page)
    signing = {"statement": "accepted", "remarks": "raw data looked through", **await proof(lab, "rolf")}
    wrong = await rolf.http.post(
        f"/results/{lived.lot}/review", data=hidden | signing | {"password": "certainly not this"}
    )
    assert wrong.status_code in {401, 403, 409}
    assert "raw data looked through" in wrong.text
    hidden = hidden_fields((await rolf.get(f"/results/{lived.lot}?sign=sign-results_reviewed")).text)
    done = await rolf.http.post(f"/results/{lived.lot}/review", data=hidden | signing | await proof(lab, "rolf"))
    assert done.status_code == 303, words(done.text)
    assert (await rolf.get(f"/results/{lived.lot}")).text.count("accepted") >= 7
    await life.labels_counted(lived)
    await life.nothing_grew(lived)

    page = (await quinn.get(f"/lots/{lived.lot}/batch")).text
    assert "no rule blocks" in page
    assert page.index("What blocks") < page.index("Process steps")
    hidden = hidden_fields((await quinn.get(f"/lots/{lived.lot}/batch?sign=sign-batch_reviewed")).text)
    signing = {"statement": "accepted", "remarks": "complete", **await proof(lab, "quinn")}
    done = await quinn.http.post(f"/lots/{lived.lot}/batch/review", data=hidden | signing)
    assert done.status_code == 303, words(done.text)
    page = (await quinn.get(f"/lots/{lived.lot}/batch")).text
    assert f"/lots/{lived.lot}/moves/submit" in page
    submitted = await quinn.post(f"/lots/{lived.lot}/moves/submit", {}, page=f"/lots/{lived.lot}/moves/submit")
    assert submitted.status_code == 303, words(submitted.text)
    assert await lived.state() == "awaiting_release"


async def test_outside_the_limits_is_kept_and_said(lab, browser_of):
    lived = await life.preparation(lab, upto="sampled")
    ana, quinn = await browser_of("ana"), await browser_of("quinn")
    await enters(ana, lived.samples[0], {"viability": "61.5", "sterility": "growth"})
    page = (await ana.get(f"/samples/{lived.samples[0]}")).text
    assert "2 results do not lie within their limits" in words(page)
    number = await lab.value("SELECT max(id) FROM lab.results")
    path = f"/results/{lived.lot}/{number}/set-aside"
    assert "No investigation of this lot is closed" in (await quinn.get(path)).text
    deviation = await life.deviation_closed(lab, lived.lot, what="the plate reader was out of calibration")
    aside = await quinn.post(path, {"deviation": deviation, "reason": "the reader, not the cells"}, page=path)
    assert aside.status_code == 303, words(aside.text)
    assert "set aside" in (await quinn.get(f"/results/{lived.lot}")).text
    assert (await ana.get(path)).status_code == 403
    assert (await quinn.get(f"/results/{lived.lot}/999999/set-aside")).status_code == 404


async def test_a_value_that_cannot_be_read_is_said_at_its_line(lab, browser_of):
    lived = await life.preparation(lab, upto="sampled")
    ana = await browser_of("ana")
    refused = await enters(ana, lived.samples[0], {"viability": "93,4", "endotoxin": "0.1"})
    assert refused.status_code == 422
    assert "A comma may stand" in refused.text
    assert await lab.value("SELECT count(*) FROM lab.results WHERE lot_id = $1", await lived.lot_id()) == 0
    for test, value in (("viability", "130"), ("endotoxin", "-1")):
        impossible = await enters(ana, lived.samples[0], {test: value})
        assert impossible.status_code == 422
        assert re.search(rf'name="value-[0-9]+" value="{value}"[^>]* aria-invalid="true"', impossible.text), test
    empty = await enters(ana, lived.samples[0], {})
    assert empty.status_code == 422
    tess = await browser_of("tess")
    page = (await tess.get(f"/samples/{lived.samples[0]}")).text
    assert 'id="results"' not in page, "only an analyst records"


@pytest.mark.parametrize(
    "said", ["<script>alert(1)</script>", "'; DROP TABLE lab.lots; --", "=1+1", "\u202egnp", "x" * 9000, "\x00"]
)
async def test_hostile_words_stay_words(lab, browser_of, said):
    lived = await life.preparation(lab, upto="sampled")
    ana, quinn = await browser_of("ana"), await browser_of("quinn")
    for answer in (
        await enters(ana, lived.samples[0], {"viability": said, "sterility": said}),
        await ana.post("/samples/scan", {"code": said}, page="/samples"),
        await ana.get(f"/samples/{lived.samples[0]}"),
        await quinn.post(
            f"/lots/{lived.lot}/batch/review",
            {"remarks": said, "statement": said, "digest": said},
            page=f"/lots/{lived.lot}/batch?sign=sign-batch_reviewed",
        ),
        await quinn.get("/samples", params={"which": said}),
    ):
        assert answer.status_code < 500
        assert "<script>alert" not in answer.text


async def test_words_that_are_owed_stand_first(lab, browser_of):
    lived = await life.preparation(lab, upto="sampled")
    ok(await lab.as_("tess").post("/holds", {"item": lived.vials[0], "picked": "DROPPED"}))
    quinn = await browser_of("quinn")
    page = words((await quinn.get(f"/lots/{lived.lot}/batch")).text)
    assert "Words are still owed for 1 reasons" in page
    assert "Tess Tan" in page
