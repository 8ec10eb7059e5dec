"""The bench: which workstation one works at, and whose cells are there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import bench
from app.domain.acts import Act
from app.domain.lots import LotState

if TYPE_CHECKING:
    from app.db.sessions import SignedIn
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class StepView:
    """A step that was done. `happened_anyway`: through the second door."""

    kind: str
    passage: int | None
    started_at: datetime
    ended_at: datetime | None
    happened_anyway: bool
    viability_percent: Decimal | None
    viable_harvested: Decimal | None
    cpdl: Decimal | None


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
    cleared_at: datetime | None
    cleared_by: str | None
    clearance_verified_by: str | None
    steps: tuple[StepView, ...]

    @property
    def measured(self) -> StepView | None:
        """The last step that measured cells."""
        return next((step for step in reversed(self.steps) if step.cpdl is not None), None)


@dataclass(frozen=True, slots=True)
class WorkplaceView:
    """A workstation. `occupant` is None while its line is clear."""

    code: str
    name: str
    room: str
    occupant: OccupantView | None


async def workplace(house: House, who: SignedIn) -> WorkplaceView | None:
    """The workstation of this session with what is there; None while none is chosen. Raises NotPermitted."""
    if who.workstation_id is None:
        return None
    async with house.door.read(who.actor, Act.READ_ITEM) as reading:
        found = await bench.workstation(reading, workstation_id=who.workstation_id)
        if found is None:
            return None
        there = await bench.occupant(reading, workstation_id=who.workstation_id)
        steps = await bench.steps(reading, lot_id=there.lot_id) if there is not None else ()
    if there is None:
        return WorkplaceView(code=found.code, name=found.name, room=found.room, occupant=None)
    facts = {name: value for name, value in there._asdict().items() if name not in {"lot_id", "state"}}
    return WorkplaceView(
        code=found.code,
        name=found.name,
        room=found.room,
        occupant=OccupantView(
            state=LotState(there.state), steps=tuple(StepView(**step._asdict()) for step in steps), **facts
        ),
    )
