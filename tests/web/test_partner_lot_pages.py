"""A lot that a partner makes, on its pages: named, its papers and steps entered by form."""

import re
from datetime import UTC, datetime

import pytest

from tests import life
from tests.services.test_partner_lots import away, filed, maker, named, stepped
from tests.web.browsing import words
from tests.web.test_laboratory_pages import DIGEST, local
from tests.world import ok


async def test_a_partner_is_named_and_its_paper_and_step_are_entered(lab, browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    by, lived = await maker(lab), await life.preparation(lab, upto="planned", use=await away(lab))
    page = f"/lots/{lived.lot}/maker"
    assert page in (await quinn.get(f"/lots/{lived.lot}")).text
    given = {"partner": by, "lot_number": "CW <b>7</b>", "process": "MSC-P 2"}
    assert (await tess.post(page, given, page=page)).status_code == 403
    assert (await quinn.post(page, given, page=page)).headers["location"] == page
    shown = (await quinn.get(page)).text
    assert "CW <b>7" not in shown
    assert by in words(shown)
    at = await local(lab, datetime.now(UTC))
    paper = {"kind": "release", "reference": "CW-7", "conforms": "yes", "covers": ["equipment", "training"]}
    paper |= {"signed_by": "Dr Hua", "signed_at": at, "file_name": "r.pdf", "file_sha256": DIGEST}
    wrong = await quinn.post(f"{page}/paper", paper | {"file_sha256": "x"}, page=f"{page}/paper")
    assert wrong.status_code == 422
    assert "This is no SHA-256" in words(wrong.text)
    assert (await quinn.post(f"{page}/paper", paper, page=f"{page}/paper")).headers["location"] == page
    step = {"kind": "isolation", "started_at": at, "ended_at": at, "performed_by": "Liu", "page": "p. 3"}
    step |= {"verified_by": "Wu", "verified_at": at, "one_donor": "yes", "viable_harvested": "1.8e7"}
    step |= {"dead_harvested": "1e6", "container0": lived.shared.bottles[0], "quantity0": "10", "unit0": "mL"}
    half = await quinn.post(f"{page}/step", step | {"verified_at": ""}, page=f"{page}/step")
    assert half.status_code == 422
    assert "Who and when belong together." in words(half.text)
    for nothing in ("", "thaw"):
        strange = await quinn.post(f"{page}/step", step | {"kind": nothing}, page=f"{page}/step")
        assert strange.status_code == 422
    kept = await quinn.post(f"{page}/step", step, page=f"{page}/step")
    assert kept.headers["location"] == page, words(kept.text)
    said = words((await quinn.get(page)).text)
    assert "everybody was qualified for what they did" in said
    assert "isolation" in said
    assert await lived.state() == "in_process"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_the_forms_are_there_for_whoever_may(lab, browser_of, language):
    lived = await named(lab, await maker(lab))
    await stepped(lived, "isolation")
    quinn, ana = await browser_of("quinn", language=language), await browser_of("ana", language=language)
    page = f"/lots/{lived.lot}/maker"
    for form in ("paper", "step"):
        assert f'href="{page}/{form}"' in (await quinn.get(page)).text
        assert f'action="{page}/{form}"' in (await quinn.get(f"{page}/{form}")).text
        assert f'href="{page}/{form}"' not in (await ana.get(page)).text
        assert (await ana.get(f"{page}/{form}")).status_code == 403
    assert (await quinn.get("/lots/L0000000000/maker")).status_code == 404


async def test_its_record_names_the_partner_s_people_and_waits_for_nobody_here(lab, browser_of):
    lived = await named(lab, await maker(lab))
    entered = await stepped(lived, "isolation")
    quinn = await browser_of("quinn")
    record = words((await quinn.get(f"/lots/{lived.lot}/batch")).text)
    assert "Liu (Cell Works" in record
    assert "Wu (Cell Works" in record
    assert "made by Cell Works" in words((await quinn.get(f"/lots/{lived.lot}")).text)
    answer = await life.verify(lived, entered["step"], scanned=lived.shared.bottles[0])
    assert answer.status_code == 404, answer.text
    assert await lab.value("SELECT count(*) FROM lab.verifications WHERE step_id = $1", entered["step"]) == 0


async def test_results_are_read_from_a_paper_that_is_on_record(lab, browser_of):
    lived = await named(lab, await maker(lab))
    for kind in ("isolation", "passage"):
        await stepped(lived, kind)
    lived.vials = (await stepped(lived, "fill"))["containers"]
    reference = await filed(lived, "analysis")
    sample = ok(await lab.as_("tess").post(f"/lots/{lived.lot}/samples", {"from": lived.vials[0], "purpose": "again"}))
    ana, page = await browser_of("ana"), f"/samples/{sample['code']}"
    assert 'name="paper"' in (await ana.get(page)).text
    line = re.search(r'name="version-(\d+)"', (await ana.get(page)).text)[1]
    at = await local(lab, datetime.now(UTC))
    given = {f"value-{line}": "no growth", f"words-{line}": "", f"version-{line}": "1", "measured_at": at}
    wrong = await ana.post(page, given | {"paper": "CW-nothing"}, page=page)
    assert wrong.status_code == 422
    assert "No paper CW-nothing of a partner is on record" in words(wrong.text)
    kept = await ana.post(page, given | {"paper": reference}, page=page)
    assert kept.status_code == 303, words(kept.text)
    assert (
        await lab.value(
            "SELECT count(*) FROM lab.results WHERE sample_id = $1 AND paper_id IS NOT NULL",
            await life.id_of(lab, sample["code"]),
        )
        == 1
    )
