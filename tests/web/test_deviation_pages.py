"""Deviations, holds and waivers as people work with them on pages: opened, assessed, signed, refused, searched."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests import life
from tests.web.browsing import hidden_fields, words
from tests.world import ok

HERE = ZoneInfo("Asia/Shanghai")
HOSTILE = (
    "<script>alert(1)</script>",
    "'; DROP TABLE lab.deviations; --",
    '=HYPERLINK("http://x")',
    "{{7*7}}",
    '" onfocus=alert(1) x="',
    "a" * 9000,
    "\x00\x1b[2J",
    "\u202eevil",
)


def at(**parts):
    return f"{datetime.now(HERE) + timedelta(**parts):%Y-%m-%dT%H:%M}"


async def factors(lab, name):
    return {"password": lab.password(name), "totp": await lab.totp(name)}


@pytest.fixture(scope="module")
async def lived(lab):
    return await life.preparation(lab, upto="isolated")


async def opened(browser, item, **more):
    fields = {"item": item, "what": "A flask was dropped.\nNobody was hurt.", "severity": "major"} | more
    answer = await browser.post("/deviations/new", fields, page="/deviations/new")
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"]


async def test_one_is_opened_assessed_and_closed_by_a_signature_over_its_assessment(lab, browser_of, lived):
    tess, quinn = await browser_of("tess"), await browser_of("quinn")
    there = await opened(tess, lived.flasks[0], rules=["GMP-03"])
    number = there.rsplit("/", 1)[1]
    shown = words((await tess.get(there)).text)
    assert "A flask was dropped. Nobody was hurt." in shown
    assert "Opened by Tess Tan" in shown
    assert "GMP-03" in shown
    assert "Close by signature" not in shown
    held = await tess.post(
        "/holds/new", {"item": lived.flasks[0], "reason": "dropped", "deviation": number}, page="/holds/new"
    )
    hold = held.headers["location"]
    assert "hold" in words((await tess.get(there)).text)

    early = words((await quinn.get(there)).text)
    assert "Close by signature" not in early, "nothing is signed before it is assessed"
    kept = await quinn.post(f"{there}/assessment", {"assessment": "It never touched the cells."}, page=there)
    assert kept.status_code == 303, words(kept.text)
    dialog = f"{there}?sign=sign-deviation_closed"
    page = (await quinn.get(dialog)).text
    assert "Assessment: It never touched the cells." in words(page.split("<dialog")[1])
    waits = words((await quinn.get(hold)).text)
    assert f"It stays until deviation {number} is closed" in waits

    wrong = {"statement": "none", "password": "not this one", "totp": "000000"}
    refused = await quinn.post(f"{there}/closing", wrong, page=dialog)
    assert refused.status_code == 403
    assert "not this one" not in refused.text
    await lab.forget_failures("quinn")
    answer = await quinn.post(f"{there}/closing", {"statement": "none"} | await factors(lab, "quinn"), page=dialog)
    assert answer.status_code == 303, words(answer.text)
    closed = words((await quinn.get(there)).text)
    assert "no impact" in closed
    assert "Closed by Quinn Qiu" in closed

    lifting = f"{hold}?sign=sign-hold_lifted"
    answer = await quinn.post(f"{hold}/lifting", await factors(lab, "quinn"), page=lifting)
    assert answer.status_code == 303, words(answer.text)
    assert "Lifted by Quinn Qiu" in words((await tess.get(hold)).text)


async def test_what_was_changed_meanwhile_is_not_signed(lab, browser_of, lived):
    tess, quinn = await browser_of("tess"), await browser_of("quinn")
    there = await opened(tess, lived.lot)
    await quinn.post(f"{there}/assessment", {"assessment": "First."}, page=there)
    shown = hidden_fields((await quinn.get(f"{there}?sign=sign-deviation_closed")).text)
    await quinn.post(f"{there}/assessment", {"assessment": "Second."}, page=there)
    answer = await quinn.http.post(f"{there}/closing", data=shown | {"statement": "none"} | await factors(lab, "quinn"))
    assert answer.status_code == 409
    assert "Read the page as it stands now" in words(answer.text)


async def test_a_form_sent_twice_opens_one(lab, browser_of, lived):
    tess = await browser_of("tess")
    fields = hidden_fields((await tess.get("/deviations/new")).text) | {
        "item": lived.lot,
        "what": "sent twice",
        "severity": "minor",
    }
    first = await tess.http.post("/deviations/new", data=fields)
    again = await tess.http.post("/deviations/new", data=fields)
    assert first.headers["location"] == again.headers["location"]
    assert await lab.value("SELECT count(*) FROM lab.deviations WHERE what = 'sent twice'") == 1


async def test_they_are_found_by_words_label_state_and_class(browser_of, lived):
    tess = await browser_of("tess")
    there = await opened(tess, lived.flasks[1], what="a lid 100% cracked_open", severity="critical")
    number = there.rsplit("/", 1)[1]
    for q in ("100% cracked_", number, lived.flasks[1], lived.lot):
        assert number in (await tess.get("/deviations", params={"q": q})).text, q
    assert number in (await tess.get("/deviations?severity=critical&state=open")).text
    for nothing in ("100%x", "/deviations?state=closed", "q=F-NOTHING-HERE"):
        page = nothing if nothing.startswith("/") else f"/deviations?{nothing if '=' in nothing else 'q=' + nothing}"
        assert number not in (await tess.get(page)).text, nothing
    for hostile in HOSTILE:
        answer = await tess.get("/deviations", params={"q": hostile})
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        answer = await tess.get("/holds", params={"q": hostile})
        assert answer.status_code == 200


async def test_an_account_of_what_has_already_happened_is_readable(lab, browser_of, lived):
    body = {
        "what": "other",
        "said": "Somebody opened the incubator at night.",
        "occurred_at": f"{at(hours=-3)}+08:00",
        "lot": lived.lot,
    }
    kept = await lab.as_("tess").post("/already-happened", body)
    if not kept.is_success:
        body["account"] = body.pop("said")
        kept = await lab.as_("tess").post("/already-happened", body)
    number = ok(kept)["deviation"]
    tess = await browser_of("tess")
    page = words((await tess.get(f"/deviations/{number}")).text)
    assert "Somebody opened the incubator at night." in page
    assert "As it was recorded afterwards" in page
    assert "---" not in page
    assert "occurred_at" not in page


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_text_stays_text(browser_of, lived, hostile):
    tess, quinn = await browser_of("tess"), await browser_of("quinn")
    for path, fields in (
        ("/deviations/new", {"item": lived.lot, "what": hostile, "severity": "minor"}),
        ("/deviations/new", {"item": hostile, "what": "x", "severity": hostile, "rules": hostile}),
        ("/holds/new", {"item": hostile, "reason": hostile, "deviation": hostile}),
        ("/holds/new", {"item": lived.lot, "reason": "x", "deviation": hostile}),
    ):
        answer = await tess.post(path, fields, page=path)
        assert answer.status_code < 500, words(answer.text)
        shown = answer.text if answer.status_code != 303 else (await tess.get(answer.headers["location"])).text
        assert "<script>alert" not in shown
        assert '" onfocus=alert' not in shown
    there = await opened(tess, lived.lot)
    for path, fields in (
        (f"{there}/assessment", {"assessment": hostile}),
        (f"{there}/closing", {"statement": hostile, "password": hostile, "totp": hostile, "digest": hostile}),
        (f"{there}/label-imbalance", {"search": hostile, "mix_up_risk": hostile, "independent_evidence": hostile}),
        (f"/lots/{lived.lot}/waivers/new", {"rule": hostile, "justification": hostile, "mitigations": hostile,
                                            "valid_from": hostile, "valid_to": hostile, "max_uses": hostile}),
    ):  # fmt: skip
        answer = await quinn.post(path, fields, page=there if path.startswith(there) else path)
        assert answer.status_code < 500, words(answer.text)
        assert "<script>alert" not in answer.text
    for path in (f"/deviations/{hostile[:60]}", f"/holds/{hostile[:60]}"):
        if hostile.isprintable():
            assert (await quinn.get(path)).status_code in {404, 422}


async def test_a_waiver_is_proposed_by_one_and_approved_by_another(lab, browser_of, lived):
    quinn, lin = await browser_of("quinn"), await browser_of("lin")
    new = f"/lots/{lived.lot}/waivers/new"
    page = (await quinn.get(new)).text
    offered = page.split('name="rule"')[1].split("</select>")[0]
    assert "REL-05:" not in offered, "what nobody can waive is not offered"
    rule = "REL-08"
    fields = {
        "rule": rule,
        "justification": "The recipient has no other donor.",
        "mitigations": "Tested again.",
        "valid_from": at(minutes=-1),
        "valid_to": at(days=3),
        "max_uses": "1",
    }
    wrong = await quinn.post(new, fields | {"valid_to": at(days=-3)}, page=new)
    assert wrong.status_code == 422
    assert 'id="valid_to"' in wrong.text.split('aria-invalid="true"')[0].rsplit("<input", 1)[1] + wrong.text
    answer = await quinn.post(new, fields, page=new)
    there = answer.headers["location"]
    assert "waits for approval" in words((await quinn.get(there)).text)
    assert "Approve by signature" not in words((await quinn.get(there)).text)
    opened = f"{there}?sign=sign-waiver_approved"
    answer = await lin.post(f"{there}/approval", await factors(lab, "lin"), page=opened)
    assert answer.status_code == 303, words(answer.text)
    assert "Dr Lin Qing" in words((await lin.get(f"{there}?lang=en")).text)
    assert (await lin.get(f"/lots/{lived.lot}/waivers?lang=en")).status_code == 200
    assert (await lin.get(f"/lots/{lived.lot}/waivers/999999")).status_code == 404


async def test_what_does_not_exist_is_said_so(browser_of, lived):
    quinn = await browser_of("quinn")
    for path in ("/deviations/DV-99-9999", "/holds/999999", f"/lots/{lived.lot}/waivers/999999"):
        assert (await quinn.get(path)).status_code == 404, path
        assert (await quinn.get(f"{path}?sign=sign-deviation_closed")).status_code == 404, path
    unknown = await quinn.post("/deviations/new", {"item": "F-0000-0000", "what": "x", "severity": "minor"},
                               page="/deviations/new")  # fmt: skip
    assert unknown.status_code in {404, 422}
    assert 'id="item-wrong"' in unknown.text


async def test_a_count_of_labels_that_does_not_come_out_is_explained_and_signed(lab, browser_of, lived):
    quinn = await browser_of("quinn")
    ok(await lab.as_("tess").post(f"/items/{lived.flasks[0]}/labels", {"reason": "torn"}))
    there = await opened(quinn, lived.lot, what="labels do not come out", rules=["REL-04"])
    stated = {"search": "Under the hood.", "mix_up_risk": "None in the room.", "independent_evidence": "STR profile."}
    page = (await quinn.get(there)).text
    assert 'name="independent_evidence"' in page
    early = await quinn.post(f"{there}/label-imbalance", stated, page=there)
    assert early.status_code == 409, words(early.text)
    assert "STR profile." in early.text, "what was typed is kept"
