"""Laboratories outside and the matrix of a study on their pages: recorded by form, refused at the field, shown with why."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests import life, study
from tests.study import METHODS, day
from tests.web.browsing import words

DIGEST = "f" * 64


async def registered(browser):
    given = {"name": f"Institute {uuid.uuid4().hex[:8]}", "address": "Second <b>Road</b>"}
    answer = await browser.post("/laboratories", given, page="/laboratories")
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"], given["name"]


def scope(**more):
    rows = {f"test{i}": test for i, test in enumerate(METHODS)} | {
        f"method{i}": m for i, m in enumerate(METHODS.values())
    }
    given = {"kind": "cnas", "number": "CNAS L7", "valid_from": day(-300), "valid_to": day(300)}
    return {**rows, **given, "file_name": "l7.pdf", "file_sha256": DIGEST, **more}


async def local(lab, moment):
    return await lab.value(
        "SELECT to_char($1::timestamptz AT TIME ZONE time_zone, 'YYYY-MM-DD\"T\"HH24:MI') FROM lab.deployment", moment
    )


async def report(lab, name, lot, kind, **more):
    process = (await life.shared(lab)).process
    given = {"laboratory": name, "sample_kind": kind, "lot": lot, "process": f"{process['name']} {process['version']}"}
    given |= {"report_number": f"R-{uuid.uuid4().hex[:6]}", "signatory": "Dr Wen", "file_name": "r.pdf"}
    given |= {"file_sha256": DIGEST, "reported_on": day(-3), "handed_over_by": "Tess", "received_by": "Liu"}
    given |= {"taken_at": await local(lab, datetime.now(UTC) - timedelta(days=9))}
    given |= {"received_at": await local(lab, datetime.now(UTC) - timedelta(days=8))}
    given |= {"low_c": "2", "high_c": "8", "min_c": "3", "max_c": "6.5", "excursion": ""}
    for test, method in METHODS.items():
        given |= {f"outcome_{test}": "passed", f"tested_on_{test}": day(-5), f"method_{test}": method}
        given |= {f"limit_text_{test}": "none", f"found_{test}": "none <i>found</i>", f"statement_{test}": ""}
    return {**given, "value_endotoxin": "0.05", "limit_value_endotoxin": "0.5", "unit_endotoxin": "EU/mL", **more}


async def test_a_matrix_becomes_whole_on_its_pages(lab, browser_of):
    quinn = await browser_of("quinn")
    there, name = await registered(quinn)
    page = f"{there}/record/accreditation"
    wrong = await quinn.post(page, scope(valid_to=""), page=page)
    assert wrong.status_code == 422
    assert "This kind of accreditation has an end" in words(wrong.text)
    half = await quinn.post(page, scope(method1=""), page=page)
    assert "A test of the scope has a name and a method." in words(half.text)
    assert (await quinn.post(page, scope(), page=page)).status_code == 303
    number, (_, lot) = await study.untested(lab), await study.tested(lab)
    institution = (await lab.as_("quinn").get(f"/studies/{number}")).json()["study"]["institution"]["name"]
    apart = dict.fromkeys(("not_the_institution", "not_the_facility", "no_common_control"), "on")
    given = {"institution": institution, **apart, "declared_by": "Director", "declared_on": day(-5), "evidence": "DI-1"}
    page = f"{there}/record/declaration"
    assert (await quinn.post(page, given, page=page)).status_code == 303
    shown = (await quinn.get(there)).text
    assert institution in shown
    assert "<b>Road</b>" not in shown

    matrix = f"/studies/{number}/reinspection"
    assert f'href="{matrix}"' in (await quinn.get(f"/studies/{number}")).text
    assert (await quinn.get(matrix)).text.count('data-state="indeterminate"') == 8
    page = f"{matrix}/new"
    early = await report(lab, name, lot, "starting_harvest", tested_on_sterility=day(-30))
    refused = await quinn.post(page, early, page=page)
    assert refused.status_code == 422
    assert "It was tested before the laboratory had the sample." in words(refused.text)
    assert 'value="Dr Wen"' in refused.text, "what was typed stays"
    unit = await quinn.post(page, await report(lab, name, lot, "starting_harvest", unit_endotoxin=""), page=page)
    assert "A number stands in a unit that is known." in words(unit.text)
    for kind in ("starting_harvest", "final_formulation"):
        answer = await quinn.post(page, await report(lab, name, lot, kind), page=page)
        assert answer.status_code == 303, words(answer.text)
        assert answer.headers["location"] == matrix
    whole = (await quinn.get(matrix)).text
    assert whole.count('data-state="pass"') == 8
    assert "<i>found</i>" not in whole
    judged = (await quinn.get(f"/studies/{number}")).text
    for rule in ("TPR-01", "TPR-02", "TPR-04", "TPR-05", "TPR-06"):
        assert f'data-rule="{rule}" data-outcome="pass"' in judged


async def test_an_ended_accreditation_and_a_corrected_record_show_on_their_pages(lab, browser_of):
    quinn, rolf = await browser_of("quinn"), await browser_of("rolf")
    number = await study.untested(lab)
    found = await study.laboratory(lab)
    lived = await life.preparation(lab, upto="planned")
    matrix = f"/studies/{number}/reinspection"
    given = await report(lab, found["name"], lived.lot, "final_formulation", outcome_sterility="failed")
    assert (await quinn.post(f"{matrix}/new", given, page=f"{matrix}/new")).status_code == 303
    shown = (await rolf.get(matrix)).text
    assert 'data-cell="final_formulation sterility" data-state="fail"' in shown
    page = matrix + "/new?replaces=" + shown.split("?replaces=")[1].split('"')[0]
    form = (await rolf.get(page)).text
    assert f'value="{given["report_number"]}"' in form
    replaces = page.split("=")[1]
    right = given | {"outcome_sterility": "passed", "replaces": replaces}
    lacks = await rolf.post(f"{matrix}/new", right, page=page)
    assert "It is not said why." in words(lacks.text)
    own = await quinn.post(f"{matrix}/new", right | {"why": "a slip"}, page=page)
    assert own.status_code == 403
    assert (await rolf.post(f"{matrix}/new", right | {"why": "a slip"}, page=page)).status_code == 303
    assert "replaced" in words((await rolf.get(matrix)).text)

    page = f"/laboratories/{found['number']}/record/end"
    given = {"accreditation": str(found["accreditation"]), "how": "suspended", "why": "audit", "evidence": "letter"}
    late = await quinn.post(page, given | {"ended_on": day(3)}, page=page)
    assert late.status_code == 422
    assert (await quinn.post(page, given | {"ended_on": day(-6)}, page=page)).status_code == 303
    assert "suspended" in words((await quinn.get(f"/laboratories/{found['number']}")).text)
    listed = (await quinn.get(f"/impacts?q={lived.lot}")).text
    assert "Laboratory without accreditation when it tested" in words(listed)
    assert found["name"] in listed


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_every_page_is_there_in_both_languages(lab, browser_of, language):
    quinn = await browser_of("quinn", language=language)
    there, _ = await registered(quinn)
    number = await study.ready(lab)
    record = tuple(f"{there}/record/{what}" for what in ("accreditation", "end", "declaration"))
    for path in (
        "/laboratories",
        there,
        *record,
        f"/studies/{number}/reinspection",
        f"/studies/{number}/reinspection/new",
    ):
        assert (await quinn.get(path)).status_code == 200, path
    assert (await quinn.get("/assessments/new?rule=TPR-06")).status_code == 200


async def test_whoever_may_not_finds_no_form(lab, browser_of):
    tess = await browser_of("tess")
    there, _ = await registered(await browser_of("quinn"))
    number = await study.registered(lab)
    assert "Register a laboratory" not in words((await tess.get("/laboratories")).text)
    assert "/record/" not in (await tess.get(there)).text
    assert "/reinspection/new" not in (await tess.get(f"/studies/{number}/reinspection")).text
    assert (await tess.get(f"{there}/record/end")).status_code == 403
    assert (await tess.get(f"/studies/{number}/reinspection/new")).status_code == 403
    assert (await tess.get("/laboratories/999999")).status_code == 404
    assert (await tess.get("/studies/ST-26-99999/reinspection")).status_code == 404
    assert (await (await browser_of("quinn")).get(f"{there}/record/nothing")).status_code == 404
