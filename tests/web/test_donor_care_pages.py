"""Tissues, questionnaires, permits, places and tests of birth tissue on their pages."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.services import things
from tests.web.browsing import words
from tests.world import ok

HERE = ZoneInfo("Asia/Shanghai")
HOSTILE = "<script>alert(1)</script>'; DROP TABLE lab.donors; --"


def ago(**parts):
    return f"{datetime.now(HERE) - timedelta(**parts):%Y-%m-%dT%H:%M}"


def tissue(**more):
    name = f"tissue {uuid.uuid4().hex[:8]}"
    return {"name": name, "name_zh": f"{name}组织", "rich": "no", "origin": "birth", "reason": HOSTILE, **more}


async def test_a_tissue_is_proposed_and_decided_on_its_pages(lab, browser_of):
    quinn, lin, tess = await browser_of("quinn"), await browser_of("lin"), await browser_of("tess")
    assert (await tess.get("/tissues/new")).status_code == 403
    bare = await quinn.post("/tissues/new", {"name": "", "name_zh": "", "reason": ""}, page="/tissues/new")
    assert bare.status_code == 422
    answer = await quinn.post("/tissues/new", tissue(), page="/tissues/new")
    assert answer.status_code == 303, words(answer.text)
    there = answer.headers["location"]
    shown = (await quinn.get(there)).text
    assert "waits for the decision" in words(shown)
    assert "<script>alert" not in shown
    assert "Decide…" not in words(shown)

    opened = f"{there}?sign=sign-tissue_decided"
    page = words((await lin.get(opened)).text)
    assert "Not rich in leukocytes" in page
    assert "I decide that this tissue is as described here." in page or "我" in page
    wrong = await lin.post(f"{there}/decision", {"password": "not this one at all", "totp": "000000"}, page=opened)
    assert wrong.status_code == 403
    await lab.forget_failures("lin")
    factors = {"password": lab.password("lin"), "totp": await lab.totp("lin")}
    assert (await lin.post(f"{there}/decision", factors, page=opened)).status_code == 303
    assert "decided" in words((await tess.get(there)).text)
    assert (await tess.get("/tissues/999999999")).status_code == 404
    assert (await tess.get("/tissues/nonsense")).status_code == 404


async def test_a_questionnaire_is_written_line_by_line(browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    assert (await tess.get("/questionnaires/new")).status_code == 403
    name = f"History {uuid.uuid4().hex[:8]}"
    good = "fever | infection | yes | Fever lately? | 近期是否发热？\nnotes | other | - | Anything else? | 还有其他吗？"
    for bad in ("fever infection yes", "Fever! | infection | yes | a | b", "fever | infection | maybe | a | b", ""):
        body = {"name": name, "source": "SOP-1", "questions": bad}
        answer = await quinn.post("/questionnaires/new", body, page="/questionnaires/new")
        assert answer.status_code == 422, bad
    strange = {"name": name, "source": "SOP-1", "questions": "fever | weather | yes | a | b"}
    answer = await quinn.post("/questionnaires/new", strange, page="/questionnaires/new")
    assert answer.status_code == 422
    assert "no group of questions called weather" in words(answer.text)
    body = {"name": name, "source": "SOP-1", "questions": good}
    assert (await quinn.post("/questionnaires/new", body, page="/questionnaires/new")).status_code == 303
    shown = words((await tess.get("/questionnaires")).text)
    assert name in shown
    assert "Fever lately?" in shown
    again = (await quinn.get(f"/questionnaires/new?name={name}")).text
    assert "fever | infection | yes | Fever lately?" in again


async def test_a_permit_is_recorded_and_withdrawn_on_its_pages(browser_of):
    quinn, tess = await browser_of("quinn"), await browser_of("tess")
    assert (await tess.get("/permits/new")).status_code == 403
    number = f"HGR-{uuid.uuid4().hex[:8]}"
    body = {
        "number": number,
        "authority": "National Health Commission",
        "purposes": ["banking"],
        "scope": "marrow",
        "valid_from": "2026-05-01",
        "valid_to": "2025-05-01",
        "evidence": "folder 4",
    }
    backwards = await quinn.post("/permits/new", body, page="/permits/new")
    assert backwards.status_code == 422
    assert "It would end before it begins." in words(backwards.text)
    assert (await quinn.post("/permits/new", body | {"valid_to": ""}, page="/permits/new")).status_code == 303
    assert number in words((await tess.get("/permits")).text)
    gone = {"number": number, "withdrawn_at": ago(minutes=2)}
    page = f"/permits/withdrawal?number={number}"
    assert (await quinn.post("/permits/withdrawal", gone, page=page)).status_code == 303
    assert (await quinn.post("/permits/withdrawal", gone, page="/permits/new")).status_code == 409


@pytest.fixture
async def cord(lab):
    """A donation of umbilical cord."""
    donor = (await things.donor(lab, "allogeneic"))["code"]
    return (await things.donation(lab, donor, tissue="umbilical cord"))["code"]


async def test_a_donations_place_and_tests_are_recorded_on_its_pages(lab, browser_of, cord):
    tess, ana = await browser_of("tess"), await browser_of("ana")
    place = ok(
        await lab.as_("hedda").post(
            "/equipment", {"name": f"set apart {uuid.uuid4().hex[:6]}", "kind": "segregated_storage", "room": "S-1"}
        )
    )["code"]
    there, form = f"/donations/{cord}", f"/donations/{cord}/storage/new"
    assert "No place is recorded." in words((await tess.get(there)).text)
    future = {"place": place, "sign": "on", "stored_at": ago(days=-2)}
    assert (await tess.post(form, future, page=form)).status_code == 422
    answer = await tess.post(form, future | {"stored_at": ago(minutes=3)}, page=form)
    assert answer.status_code == 303, words(answer.text)
    shown = words((await tess.get(there)).text)
    assert "biohazard" in shown
    assert "Storage set apart" in shown

    page = f"/donations/{cord}/birth-tests/new?what=infant_genotype"
    report = {"laboratory": "Genetics", "method": "STR", "sampled_at": ago(hours=2), "reported_at": ago(hours=1)}
    for bad in ("", "TH01", "TH01 6\nTH01 7"):
        assert (await ana.post(page, report | {"profile": bad}, page=page)).status_code == 422, bad
    answer = await ana.post(page, report | {"profile": "TH01 6 9.3\nD3S1358 15 17"}, page=page)
    assert answer.status_code == 303, words(answer.text)
    page = f"/donations/{cord}/birth-tests/new?what=maternal_contamination"
    assert (await ana.post(page, report | {"maternal_percent": "140"}, page=page)).status_code == 422
    assert (await ana.post(page, report | {"maternal_percent": "0.4"}, page=page)).status_code == 303
    shown = words((await ana.get(there)).text)
    assert "2 loci" in shown
    assert "0.4 %" in shown


async def test_a_marker_beside_the_panel_is_chosen_among_those_known(lab, browser_of):
    ana = await browser_of("ana")
    donor = (await things.donor(lab))["code"]
    form = f"/donors/{donor}/markers/new"
    report = {
        "laboratory": "City",
        "method": "PCR",
        "kit_lot": "K-1",
        "sampled_at": ago(days=2),
        "reported_at": ago(days=1),
    }
    beside = {"other_marker": "anti-HEV IgG", "outcome-other": "negative"}
    strange = await ana.post(form, report | beside | {"other_analyte": "dragon pox"}, page=form)
    assert strange.status_code == 422
    assert "dragon pox is no infection that is known here" in words(strange.text)
    half = await ana.post(form, report | beside | {"other_analyte": "HEV", "blood_ml": "200"}, page=form)
    assert half.status_code == 422
    assert "Write 0 where nothing was given." in words(half.text)
    assert (await ana.post(form, report | beside | {"other_analyte": "HEV"}, page=form)).status_code == 303
    again = await ana.post(form, report | beside | {"other_analyte": "HEV"}, page=form)
    assert again.status_code == 422
    assert "recorded already" in words(again.text)
