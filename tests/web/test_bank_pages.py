"""Cell banks on their pages: planned, seen vial by vial, put away, withdrawn by scan, thawed, and decided about."""

import pytest

from tests import life
from tests.web.browsing import words
from tests.world import ok


@pytest.fixture(scope="module")
async def released(lab):
    return await life.bank(lab, vials=6)


async def test_a_bank_is_planned_on_the_page_of_lots(lab, browser_of, released):
    tess, page = await browser_of("tess"), "/lots/new"
    shared = released.shared
    given = {
        "process": f"{shared.process['version']}:{shared.process['name']}",
        "specification": f"{shared.specification['version']}:{shared.specification['name']}",
    }
    wrong = await tess.post(page, given | {"bank": released.lot, "makes": "master"}, page=page)
    assert wrong.status_code == 422
    assert "A master cell bank is made of a donation." in words(wrong.text)
    neither = await tess.post(page, given | {"makes": "preparation"}, page=page)
    assert "one donation or of one cell bank" in words(neither.text)
    answer = await tess.post(page, given | {"bank": released.lot, "makes": "working"}, page=page)
    assert answer.status_code == 303, words(answer.text)
    made = answer.headers["location"].rsplit("/", 1)[1]
    shown = words((await tess.get(f"/banks/{made}")).text)
    assert "working cell bank" in shown
    assert "WCB-" in shown


async def test_a_vial_is_withdrawn_thawed_and_seen_on_the_map(lab, browser_of, released):
    tess = await browser_of("tess")
    lot = await life.banked(lab, released, upto="cleared")
    page = f"/banks/withdrawal?lot={lot.lot}"
    given = {"lot": lot.lot, "vial": released.vials[0], "withdrawn_at": ""}
    missing = await tess.post("/banks/withdrawal", given | {"vial": ""}, page=page)
    assert missing.status_code == 422
    answer = await tess.post("/banks/withdrawal", given, page=page)
    assert answer.status_code == 303, words(answer.text)
    assert answer.headers["location"] == f"/bench/steps/thaw/{lot.lot}"
    again = await tess.post("/banks/withdrawal", given, page=page)
    assert again.status_code == 409
    assert "A vial leaves its bank once." in words(again.text)
    shown = words((await tess.get(f"/banks/{released.lot}")).text)
    assert lot.name in shown
    assert "Tess Tan" in shown
    form = words((await tess.get(f"/bench/steps/thaw/{lot.lot}")).text)
    assert "Record the thaw" in form
    assert await lab.value("SELECT count(*) FROM lab.withdrawals WHERE lot_id = $1", await lot.lot_id()) == 1


async def test_vials_are_put_away_and_a_warm_tank_holds_them_on_its_pages(lab, browser_of):
    bank = await life.bank(lab, upto="frozen")
    tess, hedda = await browser_of("tess"), await browser_of("hedda")
    place = (await life.equipment(lab, "tank"))["code"]
    page = "/banks/storage/class"
    said = {"place": place, "phase": "vapour", "warmest_celsius": "-160", "site": "house <b>C</b>", "evidence": "map"}
    hot = await hedda.post(page, said | {"warmest_celsius": "80"}, page=page)
    assert hot.status_code == 422
    assert (await hedda.post(page, said, page=page)).status_code == 303
    shown = (await hedda.get("/banks/storage")).text
    assert "160 °C" in words(shown)
    assert "<b>C</b>" not in shown
    assert (await tess.get(page)).status_code == 403

    page = f"/banks/{bank.lot}/putting-away"
    put = {"vials": bank.vials[3], "place": place, "stored_at": ""}
    assert (await tess.post(page, put | {"vials": ""}, page=page)).status_code == 422
    assert (await tess.post(page, put, page=page)).status_code == 303

    page = "/banks/storage/excursion"
    warm = {"place": place, "began_at": "2026-01-02T03:04", "warmest_celsius": "-110", "what": "no nitrogen"}
    wrong = await tess.post(page, warm | {"ended_at": "2026-01-01T03:04"}, page=page)
    assert "It would end before it begins." in words(wrong.text)
    answer = await tess.post(page, warm, page=page)
    assert answer.status_code == 303, words(answer.text)
    held = await lab.sql(
        "SELECT h.item_id FROM lab.holds h JOIN lab.storage_excursions x ON x.deviation_id = h.deviation_id"
        " JOIN lab.item_codes k ON k.item_id = x.place_id WHERE k.code = $1",
        place,
    )
    assert [row["item_id"] for row in held] == [await life.id_of(lab, bank.vials[3])]
    assert "on hold" in words((await tess.get(f"/banks/{bank.lot}")).text)


async def test_whether_a_process_needs_a_bank_is_decided_on_its_pages(lab, browser_of):
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    process, page = await life.process(lab), "/banks/policies/new"
    given = {"process": f"{process['version']}:{process['name']}", "needed": "no", "reasons": "own <i>cells</i>"}
    wrong = await quinn.post(page, given, page=page)
    assert wrong.status_code == 422
    assert "Only own cells of a short process" in words(wrong.text)
    full = given | {"conditions": ["autologous", "short_cycle", "low_manipulation"]}
    answer = await quinn.post(page, full, page=page)
    assert answer.status_code == 303, words(answer.text)
    there = answer.headers["location"]
    shown = (await quinn.get(there)).text
    assert "The quality authority decides it" in words(shown)
    assert "<i>cells</i>" not in shown

    opened = f"{there}?sign=sign-bank_policy_decided"
    refused = await lin.post(f"{there}/signature", {"password": "not this at all", "totp": "000000"}, page=opened)
    assert refused.status_code == 403
    await lab.succeeded_here("lin")
    proof = {"password": lab.password("lin"), "totp": await lab.totp("lin")}
    digest = (await lin.get(opened)).text.split('name="digest" value="')[1].split('"')[0]
    answer = await lin.post(f"{there}/signature", proof | {"digest": digest}, page=opened)
    assert answer.status_code == 303, words(answer.text)
    found = ok(await lab.as_("tess").get(f"/bank-policies/{there.rsplit('/', 1)[1]}"))
    assert (found["state"], found["needed"]) == ("decided", False)


@pytest.mark.parametrize("path", ["/banks/L0000000000", "/banks/policies/99999999999999999999999"])
async def test_what_is_no_bank_is_not_found(browser_of, path):
    assert (await (await browser_of("tess")).get(path)).status_code in {404, 422}
