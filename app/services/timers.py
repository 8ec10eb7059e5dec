"""Timers at the bench: started with a touch, running on the server, alarming until somebody says that they heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import equipment, timers
from app.domain.acts import Act
from app.domain.bench import MINUTES_MOST
from app.domain.errors import BadInput
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call
    from app.db.timers import Timer
    from app.domain.acts import Actor
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class TimerView:
    """A timer. `is_due`: its time is up, and nobody has ended it yet."""

    timer: int
    name: str
    lot: str | None
    started_by: str
    started_at: datetime
    due_at: datetime
    ended_at: datetime | None
    is_due: bool


async def start_timer(house: House, call: Call, *, workstation: str, name: str, minutes: Decimal) -> TimerView:
    """Start a timer at a workstation, for the lot that is there. Raises BadInput, NotFound for other equipment."""
    if not 0 < minutes <= MINUTES_MOST:
        raise BadInput(
            field="minutes",
            what=Text("No timer was started."),
            why=Text("A timer runs for more than nothing and at most {most} minutes.", most=MINUTES_MOST),
            remedy=Text("Write the minutes."),
        )
    async with house.door.change(call, Act.SET_TIMER, subject=workstation, reason=name) as change:
        station = await equipment.workstation(change, code=workstation)
        lasting = timedelta(seconds=max(1, round(minutes * 60)))
        return change.answers(_view(await timers.start(change, workstation_id=station.id, name=name, lasting=lasting)))


async def end_timer(house: House, call: Call, *, timer: int) -> TimerView:
    """Stop a timer, or say that its alarm was heard. Raises NotFound, Conflict when it was ended already."""
    async with house.door.change(call, Act.SET_TIMER, subject=f"timer {timer}", reason="ended") as change:
        return change.answers(_view(await timers.end(change, number=timer)))


async def list_timers(house: House, actor: Actor, *, workstation: str) -> tuple[TimerView, ...]:
    """The timers of a workstation that nobody ended, the next due first."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        station = await equipment.workstation(reading, code=workstation)
        return tuple(_view(each) for each in await timers.running(reading, workstation_id=station.id))


def _view(timer: Timer) -> TimerView:
    return TimerView(
        timer=timer.id,
        name=timer.name,
        lot=timer.lot,
        started_by=timer.started_by,
        started_at=timer.started_at,
        due_at=timer.due_at,
        ended_at=timer.ended_at,
        is_due=timer.is_due and timer.ended_at is None,
    )
