"""Scanning: what is known, what is not, what must not be used; every scan kept, whatever comes."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import random
import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from labels.codes import CodeKind, format_code, new_code
from tests.services import things
from tests.services.round_trips import counted
from tests.world import ok, open_lab, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

SAMPLES = Path(__file__).resolve().parents[1] / "samples"


async def scan(lab: Lab, raw: str, *, by: str = "tess", **more: Any) -> dict[str, Any]:
    return ok(await lab.as_(by).post("/scans", {"raw": raw, **more}, headers={"Idempotency-Key": str(uuid.uuid4())}))


async def kept(lab: Lab, number: int) -> Any:
    rows = await lab.sql("SELECT * FROM lab.scans WHERE number = $1", number)
    assert len(rows) == 1, f"scan {number} is not kept"
    return rows[0]


async def a_vial(lab: Lab, **more: Any) -> dict[str, Any]:
    return await things.preparation(lab, (await things.eligible_donation(lab))["code"], **more)


async def workstation(lab: Lab) -> dict[str, Any]:
    body = {"name": f"BSC {uuid.uuid4().hex[:8]}", "kind": "workstation", "room": "Clean room 2"}
    return ok(await lab.as_("quinn").post("/equipment", body))


# -- what is known -----------------------------------------------------------------------------------------------------


async def test_a_known_vial_is_accepted_and_the_scan_is_a_hashed_leaf(lab: Lab) -> None:
    vial = await a_vial(lab)
    answer = await scan(lab, vial["vial_code"])
    assert (answer["verdict"], answer["reason"], answer["colour"]) == ("accepted", "identified", "go")
    assert answer["headline"] == f"Vial: {vial['name']}"
    assert answer["item"] == {"code": vial["vial_code"], "kind": "vial", "name": vial["name"], "state": "in_use"}
    assert answer["lot"]["code"] == vial["lot_code"]
    assert answer["donor"].startswith("D-")
    row = await kept(lab, answer["scan"])
    assert (row["raw"], row["code"], row["item_id"]) == (vial["vial_code"], vial["vial_code"], vial["vial"])
    assert row["hash"] == hashlib.sha256(row["payload"].encode()).digest()
    assert vial["vial_code"] in row["payload"]


async def test_a_code_is_read_in_every_form(lab: Lab) -> None:
    code = (await a_vial(lab))["vial_code"]
    full_width = "".join(chr(ord(c) + 0xFEE0) for c in code)
    for raw in (format_code(code), code.lower(), f"{code}\r\n", f"]d1{code}", full_width):
        assert (await scan(lab, raw))["item"]["code"] == code, raw
    assert (await scan(lab, code, symbology="]d1"))["item"]["code"] == code


async def test_a_donation_is_found_by_its_number(lab: Lab) -> None:
    number = things.din()
    donation = await things.donation(lab, (await things.donor(lab))["code"], din=number)
    for raw in (number, f"={number[:13]}00"):
        answer = await scan(lab, raw)
        assert answer["item"]["code"] == donation["code"]
        assert (answer["reason"], answer["colour"]) == ("in_quarantine", "wait")


async def test_answers_come_in_the_readers_language(lab: Lab) -> None:
    from app.locale import gettext_for

    code = (await a_vial(lab))["vial_code"]
    answer = ok(await lab.as_("tess").post("/scans", {"raw": code}, headers={"Accept-Language": "zh-CN"}))
    expected = gettext_for("zh_CN")("It is known and nothing stands against it.")
    assert answer["why"] == expected


# -- what must not be used ---------------------------------------------------------------------------------------------


async def test_an_unknown_code_is_kept_as_unknown(lab: Lab) -> None:
    for raw in (new_code(CodeKind.VIAL), "ACME 4711", "<script>alert(1)</script>", "瓶 7"):
        answer = await scan(lab, raw)
        assert (answer["verdict"], answer["colour"]) == ("unknown", "stop")
        assert answer["next"]
        assert (await kept(lab, answer["scan"]))["verdict"] == "unknown"


async def test_a_wrong_check_character_is_a_misread_and_never_looked_up(lab: Lab) -> None:
    code = (await a_vial(lab))["vial_code"]
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    answer = await scan(lab, wrong)
    assert (answer["verdict"], answer["reason"]) == ("refused", "wrong_check_character")
    assert answer["item"] is None
    row = await kept(lab, answer["scan"])
    assert (row["code"], row["item_id"]) == (None, None)


async def test_a_held_item_is_refused_wherever_the_hold_stands(lab: Lab) -> None:
    vial = await a_vial(lab)
    await things.hold(lab, vial["lot"], "temperature excursion")
    answer = await scan(lab, vial["vial_code"])
    assert (answer["verdict"], answer["reason"]) == ("refused", "held")
    assert "temperature excursion" in answer["why"]
    other = await a_vial(lab)
    await things.hold(lab, other["donation"], "look-back")
    assert (await scan(lab, other["vial_code"]))["reason"] == "held"


async def test_quarantine_is_amber_to_look_at_and_red_to_use(lab: Lab) -> None:
    vial = await a_vial(lab, state="quarantine")
    look = await scan(lab, vial["vial_code"])
    assert (look["verdict"], look["colour"]) == ("accepted", "wait")
    use = await scan(lab, vial["vial_code"], intent="use")
    assert (use["verdict"], use["reason"], use["colour"]) == ("refused", "in_quarantine", "stop")


async def test_a_donation_before_and_after_its_determination(lab: Lab) -> None:
    donation = await things.donation(lab, (await things.donor(lab))["code"])
    assert (await scan(lab, donation["code"], intent="use"))["reason"] == "in_quarantine"
    ceremony = await lab.sign("quinn", "eligibility_determined", "donation", donation["code"], "ineligible")
    body = {"decision": "ineligible", "reason": "withdrawn", "ceremony": ceremony}
    ok(await lab.as_("quinn").post(f"/donations/{donation['code']}/determination", body))
    answer = await scan(lab, donation["code"])
    assert (answer["verdict"], answer["reason"]) == ("refused", "withdrawn")
    eligible = await things.eligible_donation(lab)
    assert (await scan(lab, eligible["code"], intent="use"))["verdict"] == "accepted"


async def test_an_expired_material_is_refused_from_the_end_of_its_last_day_in_the_facility(lab: Lab) -> None:
    today = (things.now() + timedelta(hours=8)).date()
    last_day = await things.material_lot(lab, expires_on=str(today))
    gone = await things.material_lot(lab, expires_on=str(today - timedelta(days=1)))
    assert (await scan(lab, last_day["containers"][0]["code"]))["verdict"] == "accepted"
    for code in (gone["code"], gone["containers"][0]["code"]):
        answer = await scan(lab, code)
        assert (answer["verdict"], answer["reason"]) == ("refused", "expired")


async def test_an_opened_container_expires_on_its_own(lab: Lab) -> None:
    lot = await things.approved_material_lot(lab)
    code = lot["containers"][0]["code"]
    assert (await scan(lab, code, intent="use"))["reason"] == "fit_for_use"
    await lab.arrange(
        "UPDATE lab.containers SET opened_until = now() - interval '1 hour'"
        " WHERE id = (SELECT item_id FROM lab.item_codes WHERE code = $1)",
        code,
    )
    assert (await scan(lab, code, intent="use"))["reason"] == "expired"
    assert (await scan(lab, lot["containers"][1]["code"], intent="use"))["reason"] == "fit_for_use"


async def test_what_is_used_up_should_not_be_there(lab: Lab) -> None:
    vial = await a_vial(lab)
    await lab.arrange("UPDATE lab.containers SET state = 'consumed' WHERE id = $1", vial["vial"])
    assert (await scan(lab, vial["vial_code"]))["reason"] == "gone"


async def test_cells_of_two_donors_are_refused(lab: Lab) -> None:
    """A container of no lot: a lot names its donor, and its chain of identity is judged before release."""
    one, other = await a_vial(lab), await a_vial(lab)
    pooled, code = await things.cells(lab, None, "bag", parent=one["flask"])
    assert (await scan(lab, code))["reason"] == "identified"
    await lab.arrange("INSERT INTO lab.lineage (parent_id, child_id) VALUES ($1, $2)", other["flask"], pooled)
    answer = await scan(lab, code)
    assert (answer["verdict"], answer["reason"]) == ("refused", "several_donors")


async def test_another_donors_item_at_an_occupied_workstation_is_refused(lab: Lab) -> None:
    mine, other = await a_vial(lab), await a_vial(lab)
    place = await workstation(lab)
    at = await lab.value("SELECT item_id FROM lab.item_codes WHERE code = $1", place["code"])
    await lab.arrange(
        "INSERT INTO lab.workstation_sessions (workstation_id, lot_id, donor_id, during, planned, recorded_by)"
        " SELECT $1, id, donor_id, tstzrange(now() - interval '1 hour', NULL), true, $3 FROM lab.lots WHERE id = $2",
        at,
        mine["lot"],
        lab.id_of("tess"),
    )
    ok(await lab.as_("tom").post("/session/workstation", {"code": place["code"]}))
    try:
        answer = await scan(lab, other["vial_code"], by="tom")
        assert (answer["verdict"], answer["reason"]) == ("refused", "other_donor")
        assert place["name"] in answer["why"]
        assert answer["workstation"]["code"] == place["code"]
        assert (await scan(lab, mine["vial_code"], by="tom"))["verdict"] == "accepted"
        assert (await scan(lab, other["vial_code"], by="tess"))["verdict"] == "accepted"
        assert (await kept(lab, answer["scan"]))["workstation_id"] == at
    finally:
        await lab.sql("UPDATE people.sessions SET workstation_id = NULL WHERE account_id = $1", lab.id_of("tom"))


async def test_who_may_not_scan_is_told_and_kept_and_sees_nothing(lab: Lab) -> None:
    answer = await scan(lab, (await a_vial(lab))["vial_code"], by="adam")
    assert (answer["verdict"], answer["reason"]) == ("refused", "not_permitted")
    assert (answer["item"], answer["lot"], answer["donor"]) == (None, None, None)
    assert (await kept(lab, answer["scan"]))["reason"] == "not_permitted"


# -- who scans ---------------------------------------------------------------------------------------------------------


async def test_without_a_session_nothing_is_kept(lab: Lab) -> None:
    before = await lab.value("SELECT count(*) FROM lab.scans")
    for headers in (
        {},
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Bearer \u00e9\u00e8"},
        {"Cookie": "stemma_session=x"},
    ):
        sent = {name: value.encode("latin-1") for name, value in headers.items()}
        refused(await lab.http.post("/api/v1/scans", json={"raw": "x"}, headers=sent), 401, "not-signed-in")
    assert await lab.value("SELECT count(*) FROM lab.scans") == before


async def test_an_idle_session_is_locked(lab: Lab) -> None:
    token = await lab.sign_in("tom")
    digest = hashlib.sha256(token.encode()).digest()
    await lab.sql("UPDATE people.sessions SET seen_at = now() - interval '20 minutes' WHERE token_sha256 = $1", digest)
    answer = await lab.http.post("/api/v1/scans", json={"raw": "x"}, headers={"Authorization": f"Bearer {token}"})
    assert refused(answer, 401, "not-signed-in")["locked"] is True


async def test_another_site_cannot_scan_through_a_browser(lab: Lab) -> None:
    token = await lab.sign_in("tom")
    sent = {"Cookie": f"stemma_session={token}", "Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    refused(await lab.http.post("/api/v1/scans", json={"raw": "x"}, headers=sent), 403, "not-permitted")


# -- bad input ---------------------------------------------------------------------------------------------------------

HOSTILE = [
    "",
    "   ",
    "\x00",
    "V\x00ABC",
    "\ud800",
    "V\udfff123",
    "\u202eV12",
    "x" * 256,
    "x" * 257,
    "x" * 512,
    "x" * 5000,
    "\x1d",
    "]C1",
    "]C1hello",
    "=",
    "=A9999",
    "'; DROP TABLE lab.scans; --",
    "{raw}",
    "%s %n {0.__class__}",
    "\U0001f9eb" * 200,
]


@pytest.mark.parametrize("raw", HOSTILE, ids=range(len(HOSTILE)))
async def test_whatever_is_scanned_is_answered_and_kept(lab: Lab, raw: str) -> None:
    body = json.dumps({"raw": raw, "intent": "use"})
    answer = await lab.as_("tess").request(
        "POST", "/scans", content=body.encode(), headers={"Content-Type": "application/json"}
    )
    said = ok(answer)
    assert said["verdict"] in {"refused", "unknown"}
    assert said["headline"]
    assert said["next"]
    row = await kept(lab, said["scan"])
    assert len(row["raw"]) <= 512 * 6
    assert row["hash"] == hashlib.sha256(row["payload"].encode()).digest()


async def test_random_bytes_never_break_it(lab: Lab) -> None:
    chance = random.Random(20261122)
    for _ in range(60):
        raw = "".join(
            chr(chance.choice((chance.randrange(128), chance.randrange(0x11000)))) for _ in range(chance.randrange(40))
        )
        answer = await lab.as_("tess").request(
            "POST", "/scans", content=json.dumps({"raw": raw}).encode(), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 200, (raw, answer.text)


BODIES = [
    b"",
    b"not json",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"{}",
    b'{"raw": 7}',
    b'{"raw": "x", "extra": 1}',
    b'{"raw": "x", "intent": "steal"}',
    b'{"raw": "x", "key": ""}',
    b'{"raw": "x", "key": "a b"}',
    b'{"raw": "x", "key": "' + b"k" * 201 + b'"}',
    b'{"raw": "x", "symbology": "d1"}',
    b'{"raw": "x", "symbology": 4}',
    b"[" * 30_000,
    b'{"raw": "' + b"x" * 70_000 + b'"}',
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_body_that_is_no_scan_is_refused(lab: Lab, body: bytes) -> None:
    answer = await lab.as_("tess").request("POST", "/scans", content=body, headers={"Content-Type": "application/json"})
    refused(answer, 422, "bad-input")


# -- again, and at once ------------------------------------------------------------------------------------------------


async def test_a_repeated_scan_is_the_same_scan(lab: Lab) -> None:
    vial = await a_vial(lab)
    key = str(uuid.uuid4())
    first = await scan(lab, vial["vial_code"], key=key)
    await things.hold(lab, vial["lot"])
    again = await scan(lab, vial["vial_code"], key=key)
    assert again == first | {"replayed": True}
    assert (await scan(lab, vial["vial_code"], key=str(uuid.uuid4())))["reason"] == "held"
    assert await lab.value("SELECT count(*) FROM lab.scans WHERE key = $1", key) == 1


async def test_a_key_of_another_scan_is_refused_and_both_are_kept(lab: Lab) -> None:
    vial = await a_vial(lab)
    key = str(uuid.uuid4())
    first = await scan(lab, vial["vial_code"], key=key)
    for other in ({"raw": vial["flask_code"]}, {"raw": vial["vial_code"], "intent": "use"}):
        problem = refused(await lab.as_("tess").post("/scans", other | {"key": key}), 422, "bad-input")
        assert problem["scan"] == first["scan"]
        row = (await lab.sql("SELECT * FROM lab.scans ORDER BY number DESC LIMIT 1"))[0]
        assert (row["verdict"], row["reason"], row["key"], row["raw"]) == ("refused", "key_reused", None, other["raw"])
    theirs = await scan(lab, vial["flask_code"], by="vera", key=key)
    assert theirs["verdict"] == "accepted"


async def test_the_same_scan_sent_at_once_is_kept_once(lab: Lab) -> None:
    code = (await a_vial(lab))["vial_code"]
    key = str(uuid.uuid4())
    answers = await asyncio.gather(*(scan(lab, code, key=key) for _ in range(12)))
    assert len({each["scan"] for each in answers}) == 1
    assert sum(not each["replayed"] for each in answers) == 1
    assert await lab.value("SELECT count(*) FROM lab.scans WHERE key = $1", key) == 1


async def test_many_scans_at_once_are_all_kept(lab: Lab) -> None:
    code = (await a_vial(lab))["vial_code"]
    answers = await asyncio.gather(*(scan(lab, code) for _ in range(40)))
    assert len({each["scan"] for each in answers}) == 40


async def test_a_scan_takes_two_round_trips(database: Database) -> None:
    async with counted(database.url("stemma_app")) as wire, open_lab(database, database_url=wire.url) as lab:
        vial = await a_vial(lab)
        sent = {"Authorization": f"Bearer {await lab.as_('tess').signed_in()}"}
        wrong = vial["vial_code"][:-1] + "?"
        for raw in (vial["vial_code"], vial["lot_code"], new_code(CodeKind.VIAL), wrong, "x" * 600):
            ok(await lab.http.post("/api/v1/scans", json={"raw": raw}, headers=sent))  # the statements are prepared
            before = wire.count
            for _ in range(5):
                ok(await lab.http.post("/api/v1/scans", json={"raw": raw, "intent": "use"}, headers=sent))
            assert wire.count - before == 10, raw
        before = wire.count
        ok(await lab.as_("tess").get(f"/items/{vial['vial_code']}"))
        assert wire.count - before > 2, "the counter counts"


async def test_the_last_scans_are_listed_newest_first(lab: Lab) -> None:
    made = [(await scan(lab, f"mine {n}", by="tom"))["scan"] for n in range(3)]
    await scan(lab, "somebody else's", by="vera")
    mine = ok(await lab.as_("tom").get("/scans", mine=True, limit=2))
    assert [each["scan"] for each in mine["scans"]] == made[:0:-1]
    assert mine["scans"][0]["headline"] == "Unknown code"
    rest = ok(await lab.as_("tom").get("/scans", mine=True, limit=1, after=mine["next"]))
    assert rest["scans"][0]["scan"] == made[0]
    everybody = ok(await lab.as_("tom").get("/scans", limit=1))
    assert everybody["scans"][0]["by"] == "vera"
    refused(await lab.as_("adam").get("/scans"), 403)


# -- pictures ----------------------------------------------------------------------------------------------------------


async def picture(lab: Lab, data: bytes, *, by: str = "tess", **headers: str) -> httpx.Response:
    return await lab.as_(by).request(
        "POST", "/scans/picture", content=data, headers={"Content-Type": "image/png", **headers}
    )


async def test_the_picture_of_a_printed_label_is_scanned(lab: Lab) -> None:
    vial = await a_vial(lab)
    label = ok(await lab.as_("tess").post(f"/items/{vial['vial_code']}/labels", {}))
    png = (await lab.as_("tess").get(label["png"])).content
    (found,) = ok(await picture(lab, png))["scans"]
    assert found["item"]["code"] == vial["vial_code"]
    assert (await kept(lab, found["scan"]))["raw"] == vial["vial_code"]
    form = await lab.as_("tess").request("POST", "/scans/picture", files={"picture": ("label.png", png, "image/png")})
    assert ok(form)["scans"][0]["item"]["code"] == vial["vial_code"]


async def test_every_code_in_a_picture_is_scanned(lab: Lab) -> None:
    wanted = (SAMPLES / "vials_in_a_rack.txt").read_text().split()
    found = ok(await picture(lab, (SAMPLES / "vials_in_a_rack.jpg").read_bytes()))["scans"]
    assert len(found) > 1
    assert {each["verdict"] for each in found} == {"unknown"}
    assert {each["raw"] for each in found} <= set(wanted)
    for each in found:
        await kept(lab, each["scan"])


async def test_a_picture_sent_again_under_its_key_is_the_same_scans(lab: Lab) -> None:
    data = (SAMPLES / "vials_in_a_rack.jpg").read_bytes()
    key = str(uuid.uuid4())
    first = ok(await picture(lab, data, **{"Idempotency-Key": key}))["scans"]
    again = ok(await picture(lab, data, **{"Idempotency-Key": key}))["scans"]
    assert [each["scan"] for each in again] == [each["scan"] for each in first]


async def test_a_picture_without_a_code_is_kept_as_nothing_read(lab: Lab) -> None:
    (found,) = ok(await picture(lab, (SAMPLES / "no_code.jpg").read_bytes()))["scans"]
    assert (found["verdict"], found["reason"], found["raw"]) == ("refused", "malformed", "")
    await kept(lab, found["scan"])


def _png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("1", (width, height), color=1).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"not a picture", 422),
        ((SAMPLES / "vials_in_a_rack.jpg").read_bytes()[:4000], 422),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, 422),
        (_png(6000, 6000), 413),
    ],
    ids=["empty", "no picture", "cut off", "broken header", "too many pixels"],
)
async def test_a_picture_that_cannot_be_looked_at_is_refused_and_kept(lab: Lab, data: bytes, status: int) -> None:
    before = await lab.value("SELECT count(*) FROM lab.refusals WHERE act = 'decode_picture'")
    refused(await picture(lab, data), status)
    assert await lab.value("SELECT count(*) FROM lab.refusals WHERE act = 'decode_picture'") == before + 1


async def test_too_many_bytes_are_refused_and_kept(lab: Lab) -> None:
    limit = lab.app.state.house.settings.upload_limit_bytes
    before = await lab.value("SELECT count(*) FROM lab.refusals WHERE kind = 'payload-too-large'")
    problem = refused(await picture(lab, b"x" * (limit + 1)), 413, "payload-too-large")
    assert problem["limit_bytes"] == limit

    async def endless() -> Any:
        for _ in range(limit // 65536 + 10):
            yield b"x" * 65536

    token = await lab.as_("tess").signed_in()
    sent = {"Authorization": f"Bearer {token}"}
    refused(await lab.http.post("/api/v1/scans/picture", content=endless(), headers=sent), 413, "payload-too-large")
    assert await lab.value("SELECT count(*) FROM lab.refusals WHERE kind = 'payload-too-large'") == before + 2


async def test_a_form_without_a_picture_is_refused(lab: Lab) -> None:
    for sent in (
        {"data": {"intent": "use"}, "files": None},
        {"content": b"--x--", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"garbage", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    ):
        refused(await lab.as_("tess").request("POST", "/scans/picture", **sent), 422, "bad-input")


async def test_pictures_are_for_those_who_are_signed_in_and_may(lab: Lab) -> None:
    refused(await lab.http.post("/api/v1/scans/picture", content=_png(9, 9)), 401)
    refused(await picture(lab, _png(9, 9), by="adam"), 403, "not-permitted")


async def test_more_pictures_at_once_than_wait_are_told_to_come_again(lab: Lab) -> None:
    answers = await asyncio.gather(*(picture(lab, _png(64, 64)) for _ in range(24)))
    assert {each.status_code for each in answers} == {200, 409}
    busy = refused(next(each for each in answers if each.status_code == 409), 409, "busy")
    assert busy["picture"] == "busy"
