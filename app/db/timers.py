"""Timers at a workstation: kept by the database, so that no reload, lock or restart loses one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.domain.errors import Conflict, NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Change, Reading

START = """
INSERT INTO lab.timers (workstation_id, lot_id, name, started_at, due_at, recorded_by)
VALUES (:workstation_id, (SELECT w.lot_id FROM lab.workstation_sessions w WHERE w.workstation_id = :workstation_id
    AND upper_inf(w.during) ORDER BY w.id DESC LIMIT 1), :name, :started_at, :due_at, :by) RETURNING id
"""
_COLUMNS = """
SELECT t.id, t.name, t.started_at, t.due_at, t.ended_at, t.workstation_id, l.name AS lot, a.printed_name AS started_by,
    clock_timestamp() AS now
FROM lab.timers t JOIN people.accounts a ON a.id = t.recorded_by LEFT JOIN lab.lots l ON l.id = t.lot_id
"""
RUNNING = f"{_COLUMNS} WHERE t.workstation_id = :workstation_id AND t.ended_at IS NULL ORDER BY t.due_at, t.id LIMIT 40"
ONE = f"{_COLUMNS} WHERE t.id = :id"
END = "UPDATE lab.timers SET ended_at = :at, ended_by = :by WHERE id = :id AND ended_at IS NULL RETURNING id"


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer. `now` is the database's clock when it was read; it alarms from `due_at` until somebody ends it."""

    id: int
    name: str
    started_at: datetime
    due_at: datetime
    ended_at: datetime | None
    workstation_id: int
    lot: str | None
    started_by: str
    now: datetime

    @property
    def is_due(self) -> bool:
        """Whether its time is up."""
        return self.due_at <= self.now

    @property
    def due_ms(self) -> int:
        """When it is due, in milliseconds since 1970, for the page's own countdown."""
        return round(self.due_at.timestamp() * 1000)


async def start(change: Change, *, workstation_id: int, name: str, lasting: timedelta) -> Timer:
    """A timer that runs from now on."""
    number: int = await change.value(
        START,
        workstation_id=workstation_id,
        name=name,
        started_at=change.at,
        due_at=change.at + lasting,
        by=change.actor.account_id,
    )
    return await find(change, number=number)


async def running(reading: Reading, *, workstation_id: int) -> tuple[Timer, ...]:
    """The timers of a workstation that nobody ended, the next due first; at most 40."""
    return tuple(Timer(**row._asdict()) for row in await reading.all(RUNNING, workstation_id=workstation_id))


async def find(reading: Reading, *, number: int) -> Timer:
    """One timer. Raises NotFound."""
    row = await reading.one(ONE, id=number)
    if row is None:
        raise NotFound(
            what=Text("Nothing was done."),
            why=Text("There is no timer {number}.", number=number),
            remedy=Text("Look at the bench as it stands now."),
        )
    return Timer(**row._asdict())


async def end(change: Change, *, number: int) -> Timer:
    """Stop it, or acknowledge its alarm. Raises NotFound, Conflict when somebody ended it."""
    if await change.value(END, id=number, at=change.at, by=change.actor.account_id) is None:
        await find(change, number=number)
        raise Conflict(
            what=Text("Nothing was done."),
            why=Text("This timer was ended already."),
            remedy=Text("Look at the bench as it stands now."),
        )
    return await find(change, number=number)
