"""Clean areas: a lot waits for its plates, and what grew above its action limit keeps it from release."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.conftest import Database
    from tests.world import Lab

TAKEN = (("settle", "A"), ("glove", "A"), ("settle", "B"))
KEPT = "SELECT count(*) FROM lab.monitoring_samples WHERE session_id = $1"
READ = "SELECT count(*) FROM lab.monitoring_readings"


async def session_of(lab: Lab, lived: life.Life) -> int:
    """The session at the workstation where the lot's cells were handled."""
    listed = ok(await lab.as_("ana").get("/monitoring/sessions", limit=200))
    return int(next(each["session"] for each in listed if each["lot"] == lived.lot))


def sample(kind: str = "settle", grade: str = "A", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "grade": grade, "place": "work surface", "taken_at": life.now(), **more}


async def taken(lab: Lab, session: int, *what: tuple[str, str]) -> dict[tuple[str, str], int]:
    """What Tess took; the numbers by kind and grade."""
    body = {"samples": [sample(*each) for each in what]}
    kept = ok(await lab.as_("tess").post(f"/monitoring/sessions/{session}/samples", body))
    return dict(zip(what, kept["samples"], strict=True))


def reading(number: int, value: str = "0", **more: Any) -> dict[str, Any]:
    return {"sample": number, "value": value, "read_at": life.now(), **more}


async def read(lab: Lab, *readings: dict[str, Any]) -> Any:
    return await lab.as_("ana").post("/monitoring/readings", {"readings": list(readings)})


async def says(lab: Lab, lived: life.Life) -> dict[str, Any]:
    """What GMP-02 says at the release check."""
    checked = ok(await lab.as_("lin").post(f"/lots/{lived.lot}/release-check"))
    return next(each for each in checked["verdicts"] if each["rule"] == "GMP-02")


async def test_a_lot_waits_for_its_plates_and_the_worst_reading_counts(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="isolated")
    session = await session_of(lab, lived)
    assert (await says(lab, lived))["outcome"] == "indeterminate", "nothing was taken"
    plates = await taken(lab, session, *TAKEN)
    assert (await says(lab, lived))["outcome"] == "indeterminate", "nothing is read yet"
    ok(await read(lab, *(reading(each) for each in plates.values())))
    assert (await says(lab, lived))["outcome"] == "pass"

    ok(await read(lab, reading(plates["settle", "B"], "6")))
    assert (await says(lab, lived))["outcome"] == "needs_waiver", "the background grew later"
    ok(await read(lab, reading(plates["settle", "B"], "0")))
    assert (await says(lab, lived))["outcome"] == "needs_waiver", "a later reading takes nothing back"
    shown = ok(await lab.as_("tess").get(f"/monitoring/sessions/{session}"))
    assert [(each["kind"], each["state"]) for each in shown["samples"]] == [
        ("settle", "within"),
        ("glove", "within"),
        ("settle", "above"),
    ]
    assert shown["samples"][2]["limit"] in {"5", 5}


async def test_growth_in_grade_a_speaks_against_the_lot_until_it_is_investigated(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="isolated")
    plates = await taken(lab, await session_of(lab, lived), *TAKEN)
    grown = reading(plates["glove", "A"], "1", organism="Micrococcus luteus")
    ok(await read(lab, grown, reading(plates["settle", "A"]), reading(plates["settle", "B"])))
    said = await says(lab, lived)
    assert said["outcome"] == "fail"
    assert "above the action limit" in said["findings"][0]["problem"]

    body = {"item": lived.lot, "what": "a glove print grew", "class": "major", "rules": ["GMP-02"]}
    number = str(ok(await lab.as_("tess").post("/deviations", body))["number"])
    assert (await says(lab, lived))["outcome"] == "fail", "it is not investigated yet"
    await life.close_deviation(lab, number)
    assert (await says(lab, lived))["outcome"] == "needs_waiver"


async def test_an_area_is_classified_before_it_is_worked_in(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="planned")
    made = ok(
        await lab.as_("hedda").post(
            "/equipment", {"name": f"BSC of {lived.lot}", "kind": "workstation", "room": lived.lot}
        )
    )
    await lab.arrange(life.FIT, made["code"])
    lived.workstation = made["code"]
    cleared = ok(await life.clear(lived, "before"))
    ok(await life.verify_clearance(lived, cleared["clearance"]))
    lived.stage = "cleared"
    await life.go_on(lived, upto="isolated")
    plates = await taken(lab, await session_of(lab, lived), *TAKEN)
    ok(await read(lab, *(reading(each) for each in plates.values())))
    assert (await says(lab, lived))["outcome"] == "indeterminate", "nobody knows of what grade it is"

    days = {"classified_on": str(date.today()), "due_on": str(date.today() + timedelta(days=365)), "evidence": "CL-7"}
    for area in ({"room": lived.lot, "grade": "B"}, {"workstation": made["code"], "grade": "A"}):
        ok(await lab.as_("quinn").post("/monitoring/areas", {**area, **days}))
    assert (await says(lab, lived))["outcome"] == "fail", "classified after the work"
    listed = ok(await lab.as_("tess").get("/monitoring/areas"))
    assert {each["grade"] for each in listed if each["room"] == lived.lot or each["workstation"] == made["code"]} == {
        "A",
        "B",
    }


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"room": "B-01", "grade": "isolator"}, "grade"),
        ({"grade": "A"}, "area"),
        ({"room": "B-01", "grade": "B", "classified_on": str(date.today() + timedelta(days=2))}, "classified_on"),
        ({"room": "B-01", "grade": "B", "due_on": "2020-01-01"}, "due_on"),
        ({"room": "B-01", "grade": "E"}, None),
    ],
)
async def test_what_cannot_be_classified(lab: Lab, more: dict[str, Any], field: str | None) -> None:
    before = await lab.value("SELECT count(*) FROM lab.area_classifications")
    body = {
        "classified_on": str(date.today()),
        "due_on": str(date.today() + timedelta(days=9)),
        "evidence": "CL",
        **more,
    }
    problem = refused(await lab.as_("quinn").post("/monitoring/areas", body), 422)
    if field:
        assert problem["field"] == field
    assert await lab.value("SELECT count(*) FROM lab.area_classifications") == before


async def test_what_cannot_be_taken_or_read(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="cleared")
    session = await session_of(lab, lived)
    path = f"/monitoring/sessions/{session}/samples"
    for at in (life.ago(days=2), life.ago(hours=-3)):
        problem = refused(await lab.as_("tess").post(path, {"samples": [sample(taken_at=at)]}), 422)
        assert problem["field"] == "taken_at"
    refused(await lab.as_("tess").post(path, {"samples": [sample(kind="swab")]}), 422)
    refused(await lab.as_("tess").post(path, {"samples": []}), 422)
    refused(await lab.as_("tess").post("/monitoring/sessions/999999999/samples", {"samples": [sample()]}), 404)
    assert await lab.value(KEPT, session) == 0

    (number,) = (await taken(lab, session, ("settle", "A"))).values()
    before = await lab.value(READ)
    assert refused(await read(lab, reading(number, read_at=life.ago(days=1))), 422)["field"] == "read_at"
    assert refused(await read(lab, reading(number, read_at=life.ago(days=-1))), 422)["field"] == "read_at"
    refused(await read(lab, reading(number, "-1")), 422)
    refused(await read(lab, reading(number), reading(999_999_999)), 404, "not-found")
    assert await lab.value(READ) == before


async def test_who_may_not(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="cleared")
    session = await session_of(lab, lived)
    for who in ("quinn", "lin", "adam"):
        body = {"samples": [sample()]}
        refused(await lab.as_(who).post(f"/monitoring/sessions/{session}/samples", body), 403, "not-permitted")
    (number,) = (await taken(lab, session, ("settle", "A"))).values()
    for who in ("tess", "quinn", "adam"):
        body = {"readings": [reading(number)]}
        refused(await lab.as_(who).post("/monitoring/readings", body), 403, "not-permitted")
    area = {"room": "B-01", "grade": "B", "classified_on": "2026-01-01", "due_on": "2027-01-01", "evidence": "CL"}
    refused(await lab.as_("hedda").post("/monitoring/areas", area), 403, "not-permitted")


async def test_the_database_keeps_what_was_read(lab: Lab, database: Database) -> None:
    lived = await life.preparation(lab, upto="cleared")
    (number,) = (await taken(lab, await session_of(lab, lived), ("settle", "A"))).values()
    ok(await read(lab, reading(number, "3")))
    connection = await asyncpg.connect(database.url("stemma_app"))
    try:
        for statement in (
            "UPDATE lab.monitoring_readings SET value = 0",
            "DELETE FROM lab.monitoring_readings",
            "UPDATE lab.monitoring_samples SET grade = 'D'",
            "UPDATE lab.area_classifications SET due_on = '2099-01-01'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def come_to_light(lab: Lab, lived: life.Life) -> list[dict[str, Any]]:
    """What monitoring brought to light about a lot, the newest first."""
    found: list[dict[str, Any]] = ok(await lab.as_("quinn").get("/impacts", item=lived.lot, kind="growth_found"))
    return found


async def held(lab: Lab, lived: life.Life) -> int:
    """How many holds stand on a lot."""
    return int(
        await lab.value("SELECT count(*) FROM lab.holds WHERE item_id = $1 AND lifted_at IS NULL", await lived.lot_id())
    )


async def room_of_its_own(lab: Lab, name: str) -> life.Shared:
    """A room that no other lot was ever worked in."""
    return replace(await life.shared(lab), room=f"{name} {uuid.uuid4().hex[:8]}")


async def test_what_grows_after_the_release_holds_the_lot_and_changes_nothing_that_was_judged(lab: Lab) -> None:
    lived = await life.preparation(lab, upto="released", use=await room_of_its_own(lab, "late growth"))
    judged = "SELECT id, digest, verdicts FROM lab.judgements WHERE subject_id = $1 ORDER BY id"
    before = await lab.sql(judged, await lived.lot_id())
    glove = await lab.value(
        "SELECT id FROM lab.monitoring_samples WHERE lot_id = $1 AND kind = 'glove'", await lived.lot_id()
    )
    ok(await read(lab, reading(glove, "2", organism="Micrococcus luteus")))

    (line,) = await come_to_light(lab, lived)
    said = dict(line["facts"][0]["values"])
    assert (said["value"], said["limit"], said["organism"]) == ("2", "0", "Micrococcus luteus")
    found = ok(await lab.as_("quinn").get(f"/impacts/{line['number']}"))
    (touched,) = found["touched"]
    assert (touched["code"], touched["state_then"], touched["held"]) == (lived.lot, "released", True)
    assert touched["next"] == "decide_recall"
    assert touched["recipient"] is not None
    assert set(lived.vials) <= {each["code"] for each in touched["containers"]}
    assert "GMP-02" in {each["rule"] for each in touched["verdict"]["closing"]}
    assert (await lab.sql(judged, await lived.lot_id()))[: len(before)] == before
    scanned = ok(await lab.as_("tess").post("/scans", {"raw": lived.vials[0]}))
    assert (scanned["verdict"], scanned["reason"]) == ("refused", "held")

    ok(await read(lab, reading(glove, "2")))
    assert len(await come_to_light(lab, lived)) == 1, "no more is said than what holds it already"
    ok(await read(lab, reading(glove, "3")))
    assert (len(await come_to_light(lab, lived)), await held(lab, lived)) == (2, 2)


async def test_what_grows_in_a_room_names_every_lot_that_was_worked_there_meanwhile(lab: Lab) -> None:
    room = await room_of_its_own(lab, "shared air")
    earlier = await life.preparation(lab, upto="filled", use=room)
    lived = await life.preparation(lab, upto="isolated", use=room)
    beside = await life.preparation(lab, upto="isolated", use=room)
    elsewhere = await life.preparation(lab, upto="isolated", use=await room_of_its_own(lab, "other air"))
    plates = await taken(lab, await session_of(lab, lived), *TAKEN)

    ok(await read(lab, reading(plates["settle", "A"], "1")))
    assert [await held(lab, each) for each in (earlier, lived, beside, elsewhere)] == [0, 1, 0, 0], (
        "grade A is the workstation's own air"
    )
    ok(await read(lab, reading(plates["settle", "B"], "5")))
    assert await held(lab, beside) == 0, "the limit itself is within it"
    ok(await read(lab, reading(plates["settle", "B"], "6")))
    assert [await held(lab, each) for each in (earlier, lived, beside, elsewhere)] == [0, 2, 1, 0]
    (line,) = await come_to_light(lab, beside)
    assert dict(line["facts"][0]["values"])["lot"] == lived.name, "whose session it was"
    after = await life.preparation(lab, upto="isolated", use=room)
    assert await held(lab, after) == 0


async def test_raw_sql_of_the_application_holds_what_grew_too(lab: Lab, database: Database) -> None:
    lived = await life.preparation(lab, upto="isolated", use=await room_of_its_own(lab, "raw"))
    (number,) = (await taken(lab, await session_of(lab, lived), ("settle", "A"))).values()
    connection = await asyncpg.connect(database.url("stemma_app"))
    insert = (
        "INSERT INTO lab.monitoring_readings (lot_id, sample_id, value, read_at, recorded_by) "
        f"SELECT lot_id, id, 1, {{at}}, {lab.id_of('ana')} FROM lab.monitoring_samples WHERE id = {number}"
    )
    try:
        for count, at in enumerate(("now()", "taken_at - interval '1 year'"), start=1):
            async with connection.transaction():
                await connection.execute(
                    "SELECT audit.open($1, 'ana', '', 'read_monitoring', '', '', '', NULL, NULL, NULL)",
                    lab.id_of("ana"),
                )
                await connection.execute(insert.format(at=at))
            assert await held(lab, lived) == 1, count
            hold = await lab.value("SELECT max(id) FROM lab.holds WHERE item_id = $1", await lived.lot_id())
            signed = await life.ceremony(lab, "quinn", "hold_lifted", "hold", hold, "the plate was broken")
            ok(await lab.as_("quinn").post(f"/holds/{hold}/lift", {"ceremony": signed}))
    finally:
        await connection.close()
