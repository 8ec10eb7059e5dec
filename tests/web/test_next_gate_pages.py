"""A released lot's pages: which rules of the infusion stand, the recall by form, and a request out of specification."""

import pytest

from tests import life
from tests.study import day
from tests.web.browsing import words
from tests.web.test_laboratory_pages import DIGEST


@pytest.fixture(scope="module")
async def released(lab):
    return await life.preparation(lab, upto="released")


async def test_the_lot_page_says_which_rules_of_the_infusion_stand(browser_of, released):
    page = (await (await browser_of("quinn")).get(f"/lots/{released.lot}")).text
    assert "What keeps it from being given" in words(page)
    assert 'data-rule="BOOK"' in page
    assert 'data-standing="REL-10"' in page
    assert f'href="/why/{released.lot}"' in page
    why = (await (await browser_of("tess")).get(f"/why/{released.vials[0]}")).text
    assert "G10" in words(why)
    assert 'data-rule="REL-10" data-outcome="pass"' in why
    supposed = words((await (await browser_of("quinn")).get(f"/lots/{released.lot}/what-if")).text)
    assert "G10" in supposed


async def test_a_recall_by_form_closes_it_on_every_page(browser_of, lab):
    lived = await life.preparation(lab, upto="released")
    quinn = await browser_of("quinn")
    page = f"/lots/{lived.lot}/moves/recall"
    assert page in (await quinn.get(f"/lots/{lived.lot}")).text
    shown = await quinn.get(page)
    assert shown.status_code == 200
    version = str((await lived.show())["version"])
    done = await quinn.post(page, {"reason": "a complaint from a ward", "shown": version}, page=page)
    assert done.status_code == 303, words(done.text)
    assert await lived.state() == "recalled"
    after = (await quinn.get(f"/lots/{lived.lot}")).text
    assert 'data-rule="REL-10"' in after
    assert 'data-standing="REL-10"' not in after


async def test_a_physician_asks_by_form_and_the_authority_refuses_by_signature(browser_of, lab):
    made = await life.preparation(lab, upto="tested", findings={"viability": ("55", "%")})
    phil, lin, tess = await browser_of("phil"), await browser_of("lin"), await browser_of("tess")
    page = f"/lots/{made.lot}/exception"
    assert page in (await phil.get(f"/lots/{made.lot}")).text
    given = {"reasons": "<b>nothing else</b>", "risk_evaluation": "fewer cells", "risk_file_name": "r.pdf"}
    given |= {"risk_file_sha256": DIGEST, "committee": "Ethics committee", "committee_decision": "approved"}
    given |= {"committee_decided_on": day(-1), "committee_reference": "EC-9"}
    wrong = await phil.post(page, given | {"committee_decided_on": day(9)}, page=page)
    assert wrong.status_code == 422
    assert "is yet to come" in words(wrong.text)
    assert (await phil.post(page, given, page=page)).headers["location"] == page
    shown = (await tess.get(page)).text
    assert "<b>nothing else" not in shown
    assert f'action="{page}"' not in shown
    opened = f"{page}?sign=sign-exceptional_supply_decided"
    dialog = (await lin.get(opened)).text
    assert "oos_exceptional_supply" not in dialog, "nothing allows it here"
    given = {"statement": "refused", "password": lab.password("lin"), "totp": await lab.totp("lin")}
    await lab.forgive_places()
    done = await lin.post(f"{page}/decision", given, page=opened)
    assert done.headers.get("location") == page, words(done.text)
    assert "refused" in words((await tess.get(page)).text)
    assert await made.state() == "quarantine"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_the_pages_are_there_in_both_languages(browser_of, released, language):
    browser = await browser_of("phil", language=language)
    for path in (f"/lots/{released.lot}", f"/lots/{released.lot}/exception", f"/lots/{released.lot}/maker"):
        assert (await browser.get(path)).status_code == 200
    assert (await browser.get("/lots/L0000000000/exception")).status_code == 404
