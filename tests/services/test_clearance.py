"""Line clearance: a workstation belongs to one donor's cells at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests import life
from tests.world import ok, refused

if TYPE_CHECKING:
    from tests.world import Lab

OPEN = "SELECT count(*) FROM lab.workstation_sessions WHERE workstation_id = $1 AND upper_inf(during)"


async def test_a_cleared_line_is_the_lots_until_it_is_cleared_again(lab: Lab):
    lived = await life.preparation(lab, upto="cleared")
    station = await lived.id(lived.workstation)
    assert await lab.value(OPEN, station) == 1

    after = ok(await life.clear(lived, "after"))

    assert (after["performed_by"], after["phase"]) == ("tess", "after")
    assert await lab.value(OPEN, station) == 0


async def test_another_donors_lot_is_refused_at_an_occupied_workstation(lab: Lab):
    there = await life.preparation(lab, upto="cleared")
    other = await life.preparation(lab, upto="planned")
    other.workstation = there.workstation

    problem = refused(await life.clear(other, "before"), 409, "conflict")

    assert problem["rule"] == "GMP-03"
    assert there.name in problem["why"]
    assert await lab.value(OPEN, await there.id(there.workstation)) == 1
    refused(await life.clear(other, "after"), 409, "conflict")


async def test_of_many_at_once_one_gets_the_workstation(lab: Lab):
    there = await life.preparation(lab, upto="planned")
    there.workstation = (await life.equipment(lab))["code"]
    others = [await life.preparation(lab, upto="planned") for _ in range(5)]
    for other in others:
        other.workstation = there.workstation

    answers = await asyncio.gather(*(life.clear(each, "before") for each in (there, *others)))

    assert sorted(each.status_code for each in answers) == [201] + [409] * 5
    assert await lab.value(OPEN, await there.id(there.workstation)) == 1


async def test_nobody_verifies_by_being_named(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    lived.workstation = (await life.equipment(lab))["code"]

    refused(await life.clear(lived, "before", verified_by="vera"), 422, "bad-input")

    assert await lab.value(OPEN, await lived.id(lived.workstation)) == 0


async def test_a_line_is_not_clear_while_a_check_fails(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    lived.workstation = (await life.equipment(lab))["code"]

    refused(await life.clear(lived, "before", checks={"surfaces disinfected": False}), 422, "bad-input")
    refused(await life.clear(lived, "before", checks={}), 422, "bad-input")

    kept = await lab.value(
        "SELECT count(*) FROM lab.line_clearances WHERE workstation_id = $1", await lived.id(lived.workstation)
    )
    assert kept == 0


async def test_only_a_workstation_is_cleared_and_only_when_somebody_is_there(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    lived.workstation = lived.shared.freezer
    refused(await life.clear(lived, "before"), 404, "not-found")

    lived.workstation = (await life.equipment(lab))["code"]
    refused(await life.clear(lived, "after"), 409, "conflict")


async def test_a_repeated_request_clears_once(lab: Lab):
    lived = await life.preparation(lab, upto="planned")
    station = (await life.equipment(lab))["code"]
    body = {"lot": lived.lot, "phase": "before", "checks": life.CHECKS}
    path = f"/workstations/{station}/clearances"

    first = ok(await lab.as_("tess").post(path, body, key=f"same-{station}"))
    again = ok(await lab.as_("tess").post(path, body, key=f"same-{station}"))

    assert first == again
    assert await lab.value(OPEN, await lived.id(station)) == 1
