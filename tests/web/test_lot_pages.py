"""The list of lots, a lot's story, and its release page."""

import re

import pytest

from tests import life
from tests.web.browsing import hidden_fields, words


@pytest.fixture(scope="module")
async def ready(lab):
    """A lot that awaits release and that these tests only look at."""
    return await life.preparation(lab)


@pytest.fixture(scope="module")
async def failing(lab):
    """A lot with a failing sterility result."""
    return await life.preparation(lab, upto="tested", findings={"sterility": ("growth", None)})


async def releases(lab, lot):
    return await lab.value(
        "SELECT count(*) FROM lab.releases r JOIN lab.item_codes k ON k.item_id = r.lot_id WHERE k.code = $1", lot
    )


async def sign(browser, lab, lot, **changed):
    """Open the dialog as the page does, and send it."""
    page = f"/lots/{lot}/release"
    checked = await browser.post(f"{page}/check", {"then": "sign"}, page=page, headers={"hx-request": "true"})
    form = checked.text.split('id="sign-form"')[1]
    fields = hidden_fields(form) | {"password": lab.password("lin"), "totp": await lab.totp("lin")} | changed
    return fields, await browser.http.post(page, data=fields, headers={"hx-request": "true"})


async def test_the_list_shows_lots_by_state(lab, browser_of, ready):
    browser = await browser_of("vera")
    everything = await browser.get("/lots")
    assert ready.name in everything.text
    waiting = await browser.get("/lots?state=awaiting_release")
    assert ready.name in waiting.text
    assert ready.name not in (await browser.get("/lots?state=recalled")).text
    assert (await browser.get("/lots?state=nonsense")).status_code == 200


async def test_a_lot_tells_its_story_its_growth_and_that_nothing_blocks(lab, browser_of, ready):
    browser = await browser_of("vera")
    page = await browser.get(f"/lots/{ready.lot}")
    said = words(page.text)
    for each in ("Isolation P0", "Passage P1", "Passage P2", "Fill P2", "Cryopreservation", "Batch record reviewed"):
        assert each in said, each
    assert "<polyline" in page.text
    assert "no rule blocks" in said
    assert len(re.findall(r"<td>Vial</td>", page.text)) == 4
    grouped = await browser.get(
        f"/lots/{ready.lot[0]}-{ready.lot[1:4]}-{ready.lot[4:7]}-{ready.lot[7:10]}-{ready.lot[10]}"
    )
    assert grouped.status_code == 200


async def test_a_failing_lot_says_what_blocks_it_and_what_to_do(lab, browser_of, failing):
    browser = await browser_of("lin", language="zh-CN")
    page = await browser.get(f"/lots/{failing.lot}/release")
    rows = re.findall(r'data-rule="([A-Z0-9-]+)" data-outcome="([a-z_]+)"', page.text)
    outcomes = [outcome for _, outcome in rows]
    closing = {"fail", "indeterminate", "needs_waiver"}
    assert dict(rows)["REL-02"] == "fail"
    first_open = next(place for place, outcome in enumerate(outcomes) if outcome not in closing)
    assert not closing & set(outcomes[first_open:]), "what closes stands first"
    assert "条规则阻止放行" in words(page.text)
    assert re.search(r'id="release" disabled', page.text)


async def test_a_reviewed_result_outside_its_limits_looks_like_one(lab, browser_of, failing, ready):
    browser = await browser_of("vera")
    for lot, is_outside in ((failing, True), (ready, False)):
        page = await text_of(browser, lot.lot)
        row = page.split("<tr><td>sterility</td>")[1].split("</tr>")[0]
        assert ("outside its limits" in row) is is_outside
        assert ('class="v stop"' in row) is is_outside
        assert ('class="v go"' in row) is not is_outside
        assert page.count("outside its limits") == int(is_outside)
        assert "does not fit" not in page


async def text_of(browser, lot):
    return (await browser.get(f"/lots/{lot}")).text


async def test_a_technician_sees_every_rule_and_who_releases_but_no_button(lab, browser_of, ready):
    browser = await browser_of("tess")
    page = await browser.get(f"/lots/{ready.lot}/release")
    assert page.status_code == 200
    assert "Only the quality authority releases." in words(page.text)
    assert 'id="release"' not in page.text
    assert "/release/check" not in page.text
    answer = await browser.post(f"/lots/{ready.lot}/release/check", {}, page="/lots")
    assert answer.status_code == 403
    assert await releases(lab, ready.lot) == 0


async def test_a_release_check_keeps_the_judgement_and_a_qa_manager_may_make_it(lab, browser_of, ready):
    browser = await browser_of("quinn")
    before = await lab.value("SELECT count(*) FROM lab.judgements")
    page = f"/lots/{ready.lot}/release"
    answer = await browser.post(f"{page}/check", {}, page=page)
    assert answer.status_code == 200
    assert "kept as judgement" in words(answer.text)
    assert "<dialog" not in answer.text
    assert await lab.value("SELECT count(*) FROM lab.judgements") == before + 1


async def test_looking_keeps_nothing(lab, browser_of, ready):
    browser = await browser_of("lin")
    before = await lab.value("SELECT count(*) FROM lab.judgements")
    assert (await browser.get(f"/lots/{ready.lot}/release")).status_code == 200
    assert (await browser.get(f"/lots/{ready.lot}")).status_code == 200
    assert await lab.value("SELECT count(*) FROM lab.judgements") == before


async def test_the_quality_authority_releases_through_the_page_once(lab, browser_of):
    lot = await life.preparation(lab)
    browser = await browser_of("lin")
    fields, answer = await sign(browser, lab, lot.lot)
    assert answer.headers["hx-redirect"] == f"/lots/{lot.lot}/release"
    again = await browser.http.post(f"/lots/{lot.lot}/release", data=fields, headers={"hx-request": "true"})
    assert again.headers["hx-redirect"] == f"/lots/{lot.lot}/release"
    assert await releases(lab, lot.lot) == 1
    done = await browser.get(f"/lots/{lot.lot}/release")
    assert "Signed by Dr Lin Qing" in words(done.text)
    assert "seal pending" in words(done.text)
    seal = await browser.get(f"/lots/{lot.lot}/release/seal")
    assert 'hx-trigger="load delay:2s"' in seal.text
    late = await browser.get(f"/lots/{lot.lot}/release/seal?tries=19")
    assert "hx-get" not in late.text
    assert "see that the sealer runs" in words(late.text)


async def test_the_dialog_reads_what_is_released_in_plain_words(lab, browser_of, ready):
    browser = await browser_of("lin")
    page = f"/lots/{ready.lot}/release"
    checked = await browser.post(f"{page}/check", {"then": "sign"}, page=page, headers={"hx-request": "true"})
    said = words(checked.text.split("<dialog")[1])
    donor = await lab.value(
        "SELECT p.pseudonym FROM lab.persons p JOIN lab.item_codes k ON k.item_id = p.id WHERE k.code = $1", ready.donor
    )
    assert ready.name in said
    assert f"made from donor {donor} and meant for the same person" in said
    assert "I release this lot." in said
    assert "Dr Lin Qing" in said


@pytest.mark.parametrize("changed", [{"password": "certainly not this"}, {"totp": "000000"}, {"csrf": "guessed"}])
async def test_wrong_factors_or_another_sites_form_release_nothing(lab, browser_of, ready, changed):
    browser = await browser_of("lin")
    fields, answer = await sign(browser, lab, ready.lot, **changed)
    assert answer.status_code == 403
    assert "said-no" in answer.text
    assert hidden_fields(answer.text).get("key") != fields["key"]
    assert await releases(lab, ready.lot) == 0


async def test_a_page_that_went_stale_says_so_and_offers_the_page_anew(lab, browser_of):
    lot = await life.preparation(lab)
    browser = await browser_of("lin")
    page = f"/lots/{lot.lot}/release"
    checked = await browser.post(f"{page}/check", {"then": "sign"}, page=page, headers={"hx-request": "true"})
    fields = hidden_fields(checked.text.split('id="sign-form"')[1])
    await lab.as_("tess").post("/deviations", {"item": lot.lot, "what": "a vial was dropped", "class": "major"})
    fields |= {"password": lab.password("lin"), "totp": await lab.totp("lin")}
    answer = await browser.http.post(page, data=fields, headers={"hx-request": "true"})
    assert answer.status_code == 409
    assert "Read the page as it stands now" in words(answer.text)
    assert "sign-password" not in answer.text
    assert await releases(lab, lot.lot) == 0


async def test_no_lot_no_page(lab, browser_of, ready):
    browser = await browser_of("lin")
    for nothing in ("LXXXXXXXXXX", ready.vials[0], "%00"):
        assert (await browser.get(f"/lots/{nothing}")).status_code == 404, nothing
        assert (await browser.get(f"/lots/{nothing}/release")).status_code == 404, nothing
