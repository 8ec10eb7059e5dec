"""Partners on their pages: registered, assessed, decided by signature, bound by an agreement, named in a study."""

import uuid

import pytest

from tests import life, study
from tests.study import day
from tests.web.browsing import words

PARTS = ("qualification", "facilities", "quality_system")
DUTIES = 6


def assessment(**more):
    scores = {f"score_{each}": "91" for each in PARTS} | {f"accepted_{each}": "yes" for each in PARTS}
    finding = {"what0": "loggers <b>not</b> calibrated", "severity0": "major", "capa_due_on0": day(40)}
    return {"assessed_on": day(-12), "evidence": "PA-26-7", **scores, **finding, **more}


async def registered(browser):
    given = {"name": f"Courier {uuid.uuid4().hex[:8]}", "kind": "transport", "address": "Cold Road 1"}
    answer = await browser.post("/partners", given, page="/partners")
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"], given["name"]


async def test_a_partner_is_assessed_signed_bound_and_named_on_its_pages(lab, browser_of):
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    there, name = await registered(quinn)
    page = f"{there}/assessment"
    wrong = await quinn.post(page, assessment(score_facilities="101"), page=page)
    assert wrong.status_code == 422
    half = await quinn.post(page, assessment(severity0=""), page=page)
    assert "The finding is not complete." in words(half.text)
    assert (await quinn.post(page, assessment(), page=page)).status_code == 303
    shown = (await quinn.get(there)).text
    assert "waits for the quality authority" in words(shown)
    assert "<b>not</b>" not in shown
    assert "Decide…" not in words(shown), "it is not the QA manager's to decide"

    opened = f"{there}?sign=sign-partner_decided"
    refused = await lin.post(f"{there}/decision", {"password": "not this at all", "totp": "000000"}, page=opened)
    assert refused.status_code == 403
    await lab.succeeded_here("lin")
    proof = {"password": lab.password("lin"), "totp": await lab.totp("lin")}
    hidden = (await lin.get(opened)).text
    digest = hidden.split('name="digest" value="')[1].split('"')[0]
    answer = await lin.post(f"{there}/decision", proof | {"digest": digest}, page=opened)
    assert answer.status_code == 303, words(answer.text)
    assert "waits for the quality authority" not in words((await lin.get(there)).text)

    page, process = f"{there}/agreement", (await life.shared(lab)).process
    given = {f"duty{i}": "house" for i in range(DUTIES)} | {"signed_on": day(-5), "reference": "QA-9"}
    given["process"] = f"{process['name']} {process['version']}"
    assert (await quinn.post(page, given, page=page)).status_code == 303
    number = await study.ready(lab)
    record = f"/studies/{number}/record/partner"
    assert (await quinn.post(record, {"partner": name}, page=record)).status_code == 303
    judged = (await quinn.get(f"/studies/{number}")).text
    for rule in ("EXT-01", "EXT-02"):
        assert f'data-rule="{rule}" data-outcome="pass"' in judged
    assert name in words(judged)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_every_page_of_partners_is_there_in_both_languages(browser_of, language):
    quinn = await browser_of("quinn", language=language)
    there, _ = await registered(quinn)
    for path in ("/partners", there, f"{there}/assessment", f"{there}/agreement"):
        assert (await quinn.get(path)).status_code == 200, path


async def test_whoever_may_not_finds_no_form(browser_of):
    tess = await browser_of("tess")
    there, _ = await registered(await browser_of("quinn"))
    assert "Register a partner" not in words((await tess.get("/partners")).text)
    assert "/assessment" not in (await tess.get(there)).text.replace("/assessments", "")
    assert (await tess.get(f"{there}/assessment")).status_code == 403
    assert (await tess.get(f"{there}/agreement")).status_code == 403
    assert (await tess.get("/partners/999999")).status_code == 404
