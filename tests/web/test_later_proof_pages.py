"""Proof that comes later, on pages: comparability proposed and signed, last cells and years recorded, old papers withdrawn."""

from tests import study
from tests.services.test_comparabilities import changed
from tests.services.test_legacy import accepted, old_donor
from tests.study import day
from tests.web.browsing import words

DIGEST = "f" * 64


def document(about, **more):
    given = {
        "report": str(about),
        "differences": "another <b>centrifuge</b>",
        "reasons": "three runs beside each other",
    }
    given |= {"committee_reference": "AC-26-7", "committee_decided_on": day(-2), "file_name": "c.pdf"}
    return {**given, "file_sha256": DIGEST, "valid_to": day(300), **more}


async def test_a_document_of_comparability_is_proposed_refused_at_the_field_and_signed(lab, browser_of):
    number, report = await changed(lab)
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    assert f'href="/studies/{number}/comparability"' in (await quinn.get(f"/studies/{number}/reinspection")).text
    page = f"/studies/{number}/comparability/new"
    assert f'href="{page}"' in (await quinn.get(f"/studies/{number}/comparability")).text
    for wrong, said in (
        ({"committee_decided_on": day(3)}, "is yet to come"),
        ({"valid_to": day(-9)}, "It would end before it begins."),
        ({"file_sha256": "abc"}, "This is no SHA-256"),
        ({"report": "999999"}, "The study has no such report"),
        ({"reasons": " "}, "This field is empty."),
    ):
        answer = await quinn.post(page, document(report, **wrong), page=page)
        assert answer.status_code == 422, wrong
        assert said in words(answer.text), wrong
        assert "aria-invalid" in answer.text
    answer = await quinn.post(page, document(report), page=page)
    assert answer.status_code == 303, words(answer.text)
    there = answer.headers["location"]
    shown = (await quinn.get(there)).text
    assert "waits for its signature" in words(shown)
    assert "<b>centrifuge</b>" not in shown
    assert "Accept…" not in words(shown), "it is not the QA manager's to accept"

    opened = f"{there}?sign=sign-comparability_accepted"
    await lab.succeeded_here("lin")
    digest = (await lin.get(opened)).text.split('name="digest" value="')[1].split('"')[0]
    proof = {"password": lab.password("lin"), "totp": await lab.totp("lin"), "digest": digest}
    answer = await lin.post(f"{there}/signature", proof, page=opened)
    assert answer.status_code == 303, words(answer.text)
    assert "accepted" in words((await quinn.get(there)).text)
    assert (await (await browser_of("tess")).get(page)).status_code == 403


async def test_last_cells_and_years_of_follow_up_are_recorded_on_the_study(lab, browser_of):
    number = await study.registered(lab)
    _, lot = await study.tested(lab)
    quinn = await browser_of("quinn")
    there = f"/studies/{number}"
    assert 'data-duty="GM-09"' in (await quinn.get(there)).text
    page = f"{there}/record/production_end"
    given = {"lot": lot, "pdl_reached": "21", "laboratory": "Institute", "report_number": f"EP-{number}"}
    given |= {"reported_on": day(-3), "file_name": "e.pdf", "file_sha256": DIGEST}
    given |= {"outcome_karyotype": "passed", "method_karyotype": "G-banding", "found_karyotype": "46,<i>XY</i>"}
    for wrong, said in (
        ({"pdl_reached": "0"}, "It is less than"),
        ({"reported_on": day(2)}, "is yet to come"),
        ({"outcome_karyotype": ""}, "What the report concludes is not said."),
        ({"outcome_karyotype": "", "method_karyotype": "", "found_karyotype": ""}, "The report names no test."),
        ({"file_sha256": "abc"}, "This is no SHA-256"),
    ):
        answer = await quinn.post(page, {**given, **wrong}, page=page)
        assert answer.status_code == 422, wrong
        assert said in words(answer.text), wrong
    answer = await quinn.post(page, given, page=page)
    assert answer.status_code == 303, words(answer.text)
    shown = (await quinn.get(there)).text
    assert f"EP-{number}" in words(shown)

    page = f"{there}/record/follow_up"
    plan = {"protocol_version": "P-1.0", "years": "15", "reference": "section 9"}
    answer = await quinn.post(page, {**plan, "years": "101"}, page=page)
    assert answer.status_code == 422
    assert (await quinn.post(page, plan, page=page)).headers["location"] == there
    assert "15 years" in words((await quinn.get(there)).text)


async def test_old_papers_are_withdrawn_with_reasons_on_their_page(lab, browser_of):
    donor, _ = await old_donor(lab)
    made = await accepted(lab, donor)
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    there = f"/legacy/{made['number']}"
    page = f"{there}/withdrawal"
    assert f'href="{page}"' in (await quinn.get(there)).text
    assert page not in (await tess.get(there)).text
    assert (await tess.get(page)).status_code == 403
    answer = await quinn.post(page, {"reasons": " "}, page=page)
    assert answer.status_code == 422
    assert (await quinn.post(page, {"reasons": "another <b>donor's</b>"}, page=page)).headers["location"] == there
    shown = (await quinn.get(there)).text
    assert "withdrawn" in words(shown)
    assert "another <b>donor's</b>" in words(shown)
    assert "<b>donor's</b>" not in shown
    assert page not in shown
