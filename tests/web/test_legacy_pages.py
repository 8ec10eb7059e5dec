"""Legacy dossiers on their pages: filed from the donor, signed by the quality authority, printed on the donation's verdict."""

from datetime import date, timedelta

import pytest

from tests import life
from tests.services.test_legacy import PAPER, old_donor
from tests.web.browsing import words


def filled(**more):
    until = (date.today() + timedelta(days=300)).isoformat()
    paper = {f"{name}0": str(value) for name, value in PAPER.items()}
    return {**paper, "rules": "DON-08", "reasons": "the <b>original</b> was seen", "valid_to": f"{until}T12:00", **more}


async def test_papers_are_filed_signed_and_printed_on_the_verdict(lab, browser_of):
    donor, donation = await old_donor(lab)
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    assert f'href="/legacy?q={donor}"' in (await quinn.get(f"/donors/{donor}")).text
    listed = (await quinn.get(f"/legacy?q={donor}")).text
    page = f"/legacy/new/{donor}"
    assert f'href="{page}"' in listed

    for wrong, said in (
        ({"dated0": "2026-06-01"}, "is not from before the guideline"),
        ({"file_sha2560": "abc"}, "This is no SHA-256"),
        ({"pages0": "0"}, "It is less than 1."),
        ({"rules": "MAT-03"}, "It is none of the choices."),
        ({"title1": "a second paper"}, "This field is empty."),
        ({"valid_to": "2025-01-01T12:00"}, "It would never be in force."),
    ):
        answer = await quinn.post(page, filled(**wrong), page=page)
        assert answer.status_code == 422, wrong
        assert said in words(answer.text), wrong

    answer = await quinn.post(page, filled(), page=page)
    assert answer.status_code == 303, words(answer.text)
    there = answer.headers["location"]
    shown = (await quinn.get(there)).text
    assert "waits for the quality authority" in words(shown)
    assert "<b>original</b>" not in shown
    assert "Accept by signature…" not in words(shown), "it is not the QA manager's to accept"

    opened = f"{there}?sign=sign-legacy_accepted"
    await lab.succeeded_here("lin")
    digest = (await lin.get(opened)).text.split('name="digest" value="')[1].split('"')[0]
    proof = {"password": lab.password("lin"), "totp": await lab.totp("lin"), "digest": digest}
    answer = await lin.post(f"{there}/acceptance", proof, page=opened)
    assert answer.status_code == 303, words(answer.text)

    judged = (await quinn.get(f"/donations/{donation}")).text
    assert 'data-rule="DON-08" data-outcome="pass_with_legacy"' in judged
    assert "satisfied with legacy evidence" in words(judged)
    assert f"Legacy evidence {there.rsplit('/', 1)[1]}" in words(judged)
    assert "satisfied with legacy evidence" in words((await quinn.get(f"/why/{donation}")).text)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_every_page_of_legacy_dossiers_is_there_in_both_languages(lab, browser_of, language):
    donor, _ = await old_donor(lab)
    quinn = await browser_of("quinn", language=language)
    answer = await quinn.post(f"/legacy/new/{donor}", filled(), page=f"/legacy/new/{donor}")
    for path in (
        "/legacy",
        f"/legacy?q={donor}",
        "/legacy?q=nothing",
        f"/legacy/new/{donor}",
        answer.headers["location"],
    ):
        assert (await quinn.get(path)).status_code == 200, path


async def test_whoever_may_not_finds_no_form(lab, browser_of):
    lived = await life.preparation(lab, upto="planned")
    tess = await browser_of("tess")
    assert "File papers" not in words((await tess.get(f"/legacy?q={lived.donor}")).text)
    assert (await tess.get(f"/legacy/new/{lived.donor}")).status_code == 403
    assert (await tess.get("/legacy/LD-99-9999")).status_code == 404


async def test_waivers_of_a_material_lot_and_of_a_donation_have_their_pages(lab, browser_of):
    lived = await life.preparation(lab, upto="eligible")
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    until = (date.today() + timedelta(days=3)).isoformat()
    for there, rule in (
        (f"/materials/{lived.shared.material_lots[0]}", "MAT-07"),
        (f"/donations/{lived.donation}", "DON-06"),
    ):
        assert f'href="{there}/waivers"' in (await quinn.get(there)).text
        page = f"{there}/waivers/new"
        given = {
            "rule": rule,
            "justification": "nothing else is to be had",
            "mitigations": "watched more closely",
            "valid_from": f"{date.today().isoformat()}T00:00",
            "valid_to": f"{until}T12:00",
            "max_uses": "1",
        }
        assert (await quinn.post(page, given | {"rule": "REL-02"}, page=page)).status_code == 422
        answer = await quinn.post(page, given, page=page)
        assert answer.status_code == 303, words(answer.text)
        one = answer.headers["location"]
        opened = f"{one}?sign=sign-waiver_approved"
        await lab.succeeded_here("lin")
        digest = (await lin.get(opened)).text.split('name="digest" value="')[1].split('"')[0]
        proof = {"password": lab.password("lin"), "totp": await lab.totp("lin"), "digest": digest}
        answer = await lin.post(f"{one}/approval", proof, page=opened)
        assert answer.status_code == 303, words(answer.text)
        assert "approved" in words((await quinn.get(f"{there}/waivers")).text)
    assert (await quinn.get(f"/lots/{lived.donation}/waivers")).status_code == 404


async def test_the_hold_of_a_look_back_on_a_released_lot_asks_the_authority_for_a_reason(lab, browser_of):
    lived = await life.preparation(lab, upto="released")
    ok = await lab.as_("ana").post(
        f"/donors/{lived.donor}/markers", {"markers": [{**life.markers()[0], "outcome": "positive"}]}
    )
    assert ok.is_success, ok.text
    hold = await lab.value("SELECT id FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL", await lived.lot_id())
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    shown = words((await quinn.get(f"/holds/{hold}")).text)
    assert "the quality authority alone lifts it" in shown
    assert "Lift by signature…" not in shown
    opened = f"/holds/{hold}?sign=sign-look_back_hold_lifted"
    await lab.succeeded_here("lin")
    digest = (await lin.get(opened)).text.split('name="digest" value="')[1].split('"')[0]
    proof = {"password": lab.password("lin"), "totp": await lab.totp("lin"), "digest": digest}
    assert (await lin.post(f"/holds/{hold}/lifting", proof, page=opened)).status_code == 422
    proof |= {"totp": await lab.totp("lin"), "reason": "a false positive, confirmed elsewhere"}
    answer = await lin.post(f"/holds/{hold}/lifting", proof, page=opened)
    assert answer.status_code == 303, words(answer.text)
    assert "lifted" in words((await quinn.get(f"/holds/{hold}")).text)
