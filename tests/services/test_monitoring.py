"""Clean areas: a lot waits for its plates, and what grew above its action limit keeps it from release."""

from __future__ import annotations

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
