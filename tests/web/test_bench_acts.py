"""A second person at the bench, timers, a screen that locks and still shows the cells, and reasons whose words are owed."""

import hashlib
import re

from app.db.badges import new_pin
from tests import life
from tests.web.browsing import hidden_fields, words
from tests.world import ok, refused

FRAGMENT = {"hx-request": "true"}


async def unverified(lab):
    """A life whose isolation nobody has verified; what others got wrong in these names locks nobody."""
    for name in ("tess", "vera"):
        await lab.forget_failures(name)
    lived = await life.preparation(lab, upto="cleared")
    body = lived.step(viable="1.8e7", dead="1.1e6", flasks=2)
    made = ok(await lab.as_("tess").post(f"/lots/{lived.lot}/isolation", body))
    return lived, made["step"], made["containers"][0]


async def at(browser, lived):
    """The browser's session works where this life's cells are."""
    await scan(browser, lived.workstation)


async def scan(browser, raw):
    page = await browser.get("/bench")
    csrf = page.text.split('data-csrf="')[1].split('"')[0]
    return await browser.http.post(
        "/bench/scan", data={"raw": raw, "csrf": csrf, "intent": "identify"}, headers=FRAGMENT
    )


async def send(browser, path, page, **fields):
    """A form of the page, as htmx sends it."""
    await browser.lab.forgive_places()
    return await browser.http.post(path, data=hidden_fields(page) | fields, headers=FRAGMENT)


async def asleep(lab, token):
    """Nobody has touched this session for an hour."""
    digest = hashlib.sha256(token.encode()).digest()
    await lab.sql("UPDATE people.sessions SET seen_at = now() - interval '1 hour' WHERE token_sha256 = $1", digest)
    return digest


# -- a second person ---------------------------------------------------------------------------------------------------


async def test_a_badge_scanned_at_the_bench_offers_what_waits_and_the_dialog_verifies(lab, browser_of):
    lived, step, flask = await unverified(lab)
    browser = await browser_of("tess")
    await at(browser, lived)
    side = (await browser.get("/bench/workplace")).text
    assert "not verified yet" in words(side)
    assert f"/bench/verify/step/{step}" in side
    answer = (await scan(browser, lab.badge("vera"))).text
    assert f'data-verify="/bench/verify/step/{step}"' in answer
    path = f"/bench/verify/step/{step}"
    dialog = (await browser.get(path, headers=FRAGMENT)).text
    assert "Flask" in words(dialog)

    refusal = await send(browser, path, dialog, badge=lab.badge("vera"), pin="000000", scanned=flask)
    assert refusal.status_code == 403
    assert "does not match" in words(refusal.text)
    assert "000000" not in refusal.text
    strange = await send(browser, path, dialog, badge=lab.badge("vera"), pin=lab.pin("vera"), scanned=lived.lot)
    assert strange.status_code == 409
    assert "was no part of it" in words(strange.text)
    empty = await send(browser, path, dialog, badge="", pin="", scanned="")
    assert empty.status_code == 422

    kept = await send(browser, path, refusal.text, badge=lab.badge("vera"), pin=lab.pin("vera"), scanned=flask)

    assert kept.status_code == 200
    assert "data-done" in kept.text
    assert "Vera Wei verified it" in words(kept.text)
    side = words((await browser.get("/bench/workplace")).text)
    assert "verified by Vera Wei" in side
    assert "Nothing here waits" in words((await scan(browser, lab.badge("vera"))).text)
    assert "verified" in words((await browser.get(path, headers=FRAGMENT)).text)


async def test_the_bench_opens_the_dialog_that_a_step_asks_for_and_nothing_else(lab, browser_of):
    browser = await browser_of("tess")
    assert 'hx-get="/bench/verify/step/12"' in (await browser.get("/bench?verify=step-12")).text
    for asked in ("step-0", "lot-1", 'step-1"onload=x', "step-٣", "step-" + "9" * 30):
        assert (
            'hx-get="/bench/verify'
            not in (await browser.get("/bench", params={"verify": asked})).text.split("dialogs")[1]
        )
    assert (await browser.get("/bench/verify/step/999999999999")).status_code == 404
    assert (await browser.get("/bench/verify/lot/1")).status_code in {303, 404, 422}


# -- timers ------------------------------------------------------------------------------------------------------------


async def test_a_timer_runs_on_the_server_and_alarms_until_somebody_heard_it(lab, browser_of):
    lived, _, _ = await unverified(lab)
    browser = await browser_of("tess")
    await at(browser, lived)
    side = (await browser.get("/bench/workplace")).text
    assert "Enzyme" in words(side)
    form = {"workstation": lived.workstation, "name": "<b>Enzyme</b>", "minutes": "5"}
    started = await send(browser, "/bench/timers", side, **form)
    assert started.status_code == 200
    assert "<b>Enzyme</b>" not in started.text
    assert "&lt;b&gt;Enzyme" in started.text
    row = (await lab.sql("SELECT * FROM lab.timers ORDER BY id DESC LIMIT 1"))[0]
    assert (row["due_at"] - row["started_at"]).total_seconds() == 300
    assert row["lot_id"] == await lived.lot_id()
    assert "alarm" not in re.findall(r'class="clock[^"]*"', started.text)[0]
    await lab.arrange("UPDATE lab.timers SET due_at = started_at + interval '1 millisecond' WHERE id = $1", row["id"])
    side = (await browser.get("/bench/workplace")).text
    assert 'class="clock alarm"' in side
    path = f"/bench/timers/{row['id']}/end"
    heard = await send(browser, path, side)
    assert "clock alarm" not in heard.text
    again = await send(browser, path, heard.text)
    assert again.status_code == 409
    ended = (await lab.sql("SELECT * FROM lab.timers WHERE id = $1", row["id"]))[0]
    assert ended["ended_by"] == lab.id_of("tess")
    for minutes in ("0", "-1", "1e9", "x", ""):
        answer = await send(browser, "/bench/timers", side, **form | {"minutes": minutes})
        assert answer.status_code == 422, minutes


async def test_timers_over_the_api(lab):
    station = (await life.equipment(lab))["code"]
    body = {"workstation": station, "name": "Wash", "minutes": "0.5"}
    made = ok(await lab.as_("tess").post("/timers", body))
    assert [each["timer"] for each in ok(await lab.as_("vera").get("/timers", workstation=station))] == [made["timer"]]
    refused(await lab.as_("ana").post("/timers", body), 403, "not-permitted")
    refused(await lab.as_("tess").post("/timers", body | {"workstation": made["name"]}), 404)
    ok(await lab.as_("vera").post(f"/timers/{made['timer']}/end"))
    refused(await lab.as_("tess").post(f"/timers/{made['timer']}/end"), 409, "conflict")
    refused(await lab.as_("tess").post("/timers/999999999/end"), 404, "not-found")
    assert ok(await lab.as_("tess").get("/timers", workstation=station)) == []


# -- the lock ----------------------------------------------------------------------------------------------------------


async def test_a_locked_bench_shows_step_and_timers_and_nothing_else_until_badge_and_pin(lab, browser_of):
    lived, _, flask = await unverified(lab)
    browser = await browser_of("tess")
    await at(browser, lived)
    side = (await browser.get("/bench/workplace")).text
    await send(browser, "/bench/timers", side, workstation=lived.workstation, name="Enzyme", minutes="5")
    session = await asleep(lab, browser.http.cookies["stemma_session"])

    donor = await lab.value("SELECT pseudonym FROM lab.persons WHERE id = $1", await lived.id(lived.donor))
    for path in ("/bench", "/lots", f"/lots/{lived.lot}"):
        answer = await browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/unlock")
    page = (await browser.get("/unlock?next=/bench")).text
    still = (await browser.get("/unlock/bench", headers=FRAGMENT)).text
    for shown in (page, still):
        assert lived.name in words(shown)
        assert "Isolation P0" in words(shown)
        assert "Enzyme" in words(shown)
        assert "data-due" in shown
        for hidden in (flask, lived.donation, donor, "/bench/timers", f'href="/lots/{lived.lot}'):
            assert hidden not in shown, hidden
    state = "SELECT seen_at < now() - interval '50 minutes' FROM people.sessions WHERE token_sha256 = $1"
    assert await lab.value(state, session), "looking on keeps nothing awake"

    fields = {"badge": lab.badge("vera"), "pin": lab.pin("vera"), "next": "/bench"}
    other = await browser.post("/unlock", fields | {"csrf": hidden_fields(page)["csrf"]})
    assert other.status_code == 403
    assert "This is the badge of Vera Wei" in words(other.text)
    wrong = await browser.post("/unlock", fields | hidden_fields(page) | {"badge": lab.badge("tess"), "pin": "000000"})
    assert wrong.status_code == 403
    assert (await browser.get("/bench")).status_code == 303
    right = {"badge": lab.badge("tess"), "pin": lab.pin("tess")}
    unlocked = await browser.post("/unlock", fields | hidden_fields(page) | right)
    assert unlocked.status_code == 303
    assert unlocked.headers["location"] == "/bench"
    assert (await browser.get("/bench")).status_code == 200
    gone = await browser.get("/unlock/bench", headers=FRAGMENT)
    assert gone.headers["hx-refresh"] == "true"


async def test_the_password_still_unlocks_and_the_api_takes_either(lab, browser_of):
    browser = await browser_of("tom")
    await asleep(lab, browser.http.cookies["stemma_session"])
    page = (await browser.get("/unlock")).text
    answer = await browser.post("/unlock", hidden_fields(page) | {"password": lab.password("tom")})
    assert answer.status_code == 303
    begun = await lab.sign_in("tom")
    token = {"Authorization": f"Bearer {begun}"}
    await asleep(lab, begun)
    for body in ({}, {"badge": lab.badge("tom")}, {"password": "x", "badge": "x", "pin": "x"}):
        refused(await lab.http.post("/api/v1/session/unlock", json=body, headers=token), 422, "bad-input")
    body = {"badge": lab.badge("tom"), "pin": new_pin()}
    refused(await lab.http.post("/api/v1/session/unlock", json=body, headers=token), 403, "ceremony-refused")
    body = {"badge": lab.badge("tom"), "pin": lab.pin("tom")}
    ok(await lab.http.post("/api/v1/session/unlock", json=body, headers=token))


# -- reasons -----------------------------------------------------------------------------------------------------------


async def test_a_reason_is_picked_at_once_and_its_words_are_owed_before_the_batch_review(lab, browser_of):
    lived = await life.preparation(lab, upto="frozen")
    browser = await browser_of("tess")
    path = f"/bench/hold/{lived.vials[0]}"
    dialog = (await browser.get(path, headers=FRAGMENT)).text
    assert "label damaged or unreadable" in words(dialog)
    assert (await send(browser, path, dialog)).status_code == 422
    assert (await send(browser, path, dialog, scanned="NO-SUCH-REASON")).status_code == 422
    held = await send(browser, path, dialog, scanned="label-damaged")
    assert held.status_code == 200
    assert "You still owe words" in words(held.text)
    row = (await lab.sql("SELECT * FROM lab.bench_reasons ORDER BY id DESC LIMIT 1"))[0]
    assert (row["lot_id"], row["act"], row["note"]) == (await lived.lot_id(), "place_hold", None)

    problem = refused(await life.review_batch(lived), 409, "conflict")
    assert problem["owed"] == 1
    signed = await life.ceremony(lab, "quinn", "batch_reviewed", "batch", await lived.lot_id(), "accepted")
    raw = await _raw_review(lab, signed, await lived.lot_id())
    assert raw == "ST034"

    refused(await lab.as_("tom").post(f"/reasons/{row['id']}/note", {"note": "not mine"}), 403, "not-permitted")
    side = (await browser.get("/bench/workplace")).text
    assert "You still owe words" in words(side)
    kept = await send(browser, f"/bench/reasons/{row['id']}", side, note="The label tore when the rack was pulled.")
    assert kept.status_code == 200
    again = await send(browser, f"/bench/reasons/{row['id']}", side, note="Another story.", key="another")
    assert again.status_code == 409
    assert row["id"] not in [each["reason"] for each in ok(await lab.as_("tess").get("/reasons"))]
    assert refused(await lab.as_("tess").post(f"/reasons/{row['id']}/note", {"note": "x"}), 409)["kind"] == "conflict"
    ok(await life.review_batch(lived))


async def _raw_review(lab, ceremony, lot_id):
    """What the gate itself says, as the application's own role asks it."""
    import asyncpg

    statement = "SELECT audit.open($1, 'quinn', 'qa_manager', 'review_batch', '', '', 'raw', NULL, NULL, NULL)"
    async with lab._pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE stemma_app")
        await connection.execute(statement, lab.id_of("quinn"))
        try:
            async with connection.transaction():
                await connection.fetch("SELECT gate.sign($1, 'batch_reviewed', $2)", ceremony, lot_id)
        except asyncpg.PostgresError as error:
            return error.sqlstate
    return None


async def test_a_hold_in_words_owes_nothing_and_over_the_api_it_is_one_or_the_other(lab):
    lived = await life.preparation(lab, upto="isolated")
    tess = lab.as_("tess")
    before = await lab.value("SELECT count(*) FROM lab.bench_reasons")
    ok(await tess.post("/holds", {"item": lived.flasks[0], "reason": "looks cloudy"}))
    assert await lab.value("SELECT count(*) FROM lab.bench_reasons") == before
    refused(await tess.post("/holds", {"item": lived.flasks[0]}), 422, "bad-input")
    refused(await tess.post("/holds", {"item": lived.flasks[0], "reason": "x", "picked": "OTHER"}), 422, "bad-input")
    refused(await tess.post("/holds", {"item": lived.flasks[0], "picked": "nothing like it"}), 422, "bad-input")
    ok(await tess.post("/holds", {"item": lived.flasks[0], "picked": "OTHER"}))
    assert await lab.value("SELECT count(*) FROM lab.bench_reasons") == before + 1
    owed = ok(await tess.get("/reasons"))
    assert owed[-1]["picked"] == "OTHER"
    ok(await tess.post(f"/reasons/{owed[-1]['reason']}/note", {"note": "fungus in the neck of the flask"}))
