"""Line clearance: a workstation is opened for one donor's cells, and cleared again after them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from app.db import clearances, equipment, items, lots
from app.domain.acts import Act
from app.domain.errors import BadInput, Conflict, Finding
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Call, Change
    from app.services.house import House

Phase = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class ClearanceView:
    """A line clearance as it was kept. `clearance` is its number, by which a second person verifies it."""

    clearance: int
    workstation: str
    lot: str
    phase: Phase
    cleared_at: datetime
    performed_by: str


async def clear_line(
    house: House,
    call: Call,
    *,
    workstation: str,
    lot: str,
    phase: Phase,
    checks: Mapping[str, bool],
) -> ClearanceView:
    """Clear a line before a lot's cells come to it, or after they left.

    Before: opens the workstation for the lot's donor; no step begins there until a second person has verified the
    clearance (GMP-03). After: closes it; what comes next is cleared and verified anew. Raises Conflict when another lot
    is there.
    """
    async with house.door.change(call, Act.CLEAR_LINE, subject=workstation) as change:
        station = await equipment.workstation(change, code=workstation)
        cells = await lots.find(change, code=lot)
        _refuse_unclear(checks)
        there = await clearances.occupant(change, workstation_id=station.id)
        clearance_id = await clearances.keep(
            change,
            workstation_id=station.id,
            phase=phase,
            checks=checks,
            cleared_at=change.at,
        )
        match phase:
            case "before":
                await _open(change, station, cells, there, clearance_id=clearance_id)
            case "after":
                await _close(change, station, cells, there, clearance_id=clearance_id)
        return change.answers(
            ClearanceView(
                clearance=clearance_id,
                workstation=station.code,
                lot=cells.code,
                phase=phase,
                cleared_at=change.at,
                performed_by=change.actor.username,
            )
        )


async def _open(
    change: Change, station: items.Item, lot: lots.Lot, there: clearances.Occupant | None, *, clearance_id: int
) -> None:
    if there is not None:
        raise _occupied(station, there)
    if lot.donor_id is None:
        raise Conflict(
            what=Text("The workstation was not opened."),
            why=Text("{lot} names no donor.", lot=lot.name),
            remedy=Text("Trace the lot back to its donor first."),
            rule="GMP-03",
        )
    await clearances.open_session(
        change,
        workstation_id=station.id,
        lot_id=lot.id,
        donor_id=lot.donor_id,
        since=change.at,
        clearance_id=clearance_id,
    )


async def _close(
    change: Change, station: items.Item, lot: lots.Lot, there: clearances.Occupant | None, *, clearance_id: int
) -> None:
    if there is None:
        raise Conflict(
            what=Text("The workstation was not cleared."),
            why=Text("Nobody is at {workstation}.", workstation=station.code),
            remedy=Text("Clear it before the next work, and open it for that lot."),
        )
    if there.lot_id != lot.id:
        raise _occupied(station, there)
    await clearances.close_session(change, session_id=there.id, until=change.at, clearance_id=clearance_id)


def _occupied(station: items.Item, there: clearances.Occupant) -> Conflict:
    problem = Text(
        "{lot} of donor {donor} is there since {since}.", lot=there.lot, donor=there.donor, since=there.since
    )
    remedy = Text("Finish there and clear the line, or take another workstation.")
    return Conflict(
        what=Text("The workstation is occupied."),
        why=problem,
        remedy=remedy,
        rule="GMP-03",
        findings=(Finding(station.code, problem, remedy, "GMP-03"),),
        detail={"workstation": station.code, "occupied_by": there.lot},
    )


def _refuse_unclear(checks: Mapping[str, bool]) -> None:
    failing = tuple(name for name, found in checks.items() if not found)
    if failing or not checks:
        raise BadInput(
            field="checks",
            what=Text("The line is not clear."),
            why=Text("Not found in order: {checks}.", checks=failing) if failing else Text("Nothing was checked."),
            remedy=Text("Clear the line until every check is found in order, then record it."),
            rule="GMP-03",
        )
