"""The bench: which workstation one works at, whose cells are there, what waits there, what runs there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import bench, reasons, settings, timers, verifications
from app.db.reasons import Owed
from app.db.timers import Timer
from app.db.verifications import Waiting
from app.domain.acts import Act, may
from app.domain.bench import REASONS, TIMERS, Offer, offers
from app.domain.lots import LotState

if TYPE_CHECKING:
    from app.db.door import Reading
    from app.db.sessions import SignedIn
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class StepView:
    """A step that was done. `happened_anyway`: through the second door. `verified_by`: the second person, by name."""

    step: int
    kind: str
    passage: int | None
    started_at: datetime
    ended_at: datetime | None
    happened_anyway: bool
    viability_percent: Decimal | None
    viable_harvested: Decimal | None
    cpdl: Decimal | None
    verified_by: str | None


@dataclass(frozen=True, slots=True)
class OccupantView:
    """The lot at a workstation, its donor by pseudonym, the clearance before it, and how far it has come."""

    donor: str
    since: datetime
    lot: str
    name: str
    state: LotState
    held: bool
    process: str | None
    process_version: int | None
    max_passage: int | None
    max_pdl: Decimal | None
    clearance: int | None
    cleared_at: datetime | None
    cleared_by: str | None
    clearance_verified_by: str | None
    steps: tuple[StepView, ...]
    waiting: tuple[Waiting, ...]

    @property
    def measured(self) -> StepView | None:
        """The last step that measured cells."""
        return next((step for step in reversed(self.steps) if step.cpdl is not None), None)


@dataclass(frozen=True, slots=True)
class WorkplaceView:
    """A workstation. `occupant` is None while its line is clear. `offered` are the timers to start with a touch."""

    code: str
    name: str
    room: str
    occupant: OccupantView | None
    timers: tuple[Timer, ...]
    offered: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class SideView:
    """Beside the scan box: the workplace, once one is chosen, and what one still owes words for."""

    workplace: WorkplaceView | None
    owed: tuple[Owed, ...]
    reasons: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class LockedView:
    """What stays visible on a locked screen, and nothing else: the step that was made last, timers, alarms."""

    workstation: str
    lot: str | None
    kind: str | None
    passage: int | None
    started_at: datetime | None
    timers: tuple[Timer, ...]


async def side(house: House, who: SignedIn) -> SideView:
    """Everything beside the scan box; nothing for a device, which scans and looks at no item."""
    if not may(who.actor, Act.READ_ITEM):
        return SideView(workplace=None, owed=(), reasons=())
    async with house.door.read(who.actor, Act.READ_ITEM) as reading:
        offered = await settings.current(reading, REASONS, TIMERS)
        owed = await reasons.owed(reading, account_id=who.actor.account_id)
        place = await _workplace(reading, who.workstation_id, offers(offered.get(TIMERS)))
    return SideView(workplace=place, owed=owed, reasons=offers(offered.get(REASONS)))


async def first_waiting(house: House, who: SignedIn) -> Waiting | None:
    """What has waited longest for a second person at this workstation, if anything."""
    if who.workstation_id is None:
        return None
    async with house.door.read(who.actor, Act.READ_ITEM) as reading:
        there = await bench.last_step(reading, workstation_id=who.workstation_id)
        waiting = await verifications.waiting(reading, lot_id=there.lot_id) if there is not None else ()
    return waiting[0] if waiting else None


async def locked(house: House, who: SignedIn) -> LockedView | None:
    """What a locked screen goes on showing of its workstation; None where none was chosen."""
    if who.workstation_id is None:
        return None
    async with house.door.read(who.actor, Act.READ_ITEM) as reading:
        found = await bench.workstation(reading, workstation_id=who.workstation_id)
        last = await bench.last_step(reading, workstation_id=who.workstation_id)
        running = await timers.running(reading, workstation_id=who.workstation_id)
    if found is None:
        return None
    return LockedView(
        workstation=found.name,
        lot=last.lot if last else None,
        kind=last.kind if last else None,
        passage=last.passage if last else None,
        started_at=last.started_at if last else None,
        timers=running,
    )


async def _workplace(reading: Reading, workstation_id: int | None, offered: tuple[Offer, ...]) -> WorkplaceView | None:
    if workstation_id is None:
        return None
    found = await bench.workstation(reading, workstation_id=workstation_id)
    if found is None:
        return None
    return WorkplaceView(
        code=found.code,
        name=found.name,
        room=found.room,
        occupant=await _occupant(reading, workstation_id),
        timers=await timers.running(reading, workstation_id=workstation_id),
        offered=offered,
    )


async def _occupant(reading: Reading, workstation_id: int) -> OccupantView | None:
    there = await bench.occupant(reading, workstation_id=workstation_id)
    if there is None:
        return None
    facts = {name: value for name, value in there._asdict().items() if name not in {"lot_id", "state"}}
    return OccupantView(
        state=LotState(there.state),
        steps=tuple(StepView(**step._asdict()) for step in await bench.steps(reading, lot_id=there.lot_id)),
        waiting=await verifications.waiting(reading, lot_id=there.lot_id),
        **facts,
    )
