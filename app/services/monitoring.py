"""Clean areas: what rooms and workstations were classified as, what was monitored in a session, and what was read.

A reading is added, never changed: where a plate that had been read grows later, the worst of its readings counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db import equipment, impacts, monitoring, settings
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, NotFound
from app.domain.moments import CLOCKS_DIFFER_BY, require_order, require_past
from app.domain.monitoring import limit_of
from app.domain.rows import require_once_each
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Call
    from app.services.house import House

LIMITS = "gmp02.limits"
NOT_RECORDED = Text("Nothing was recorded.")


@dataclass(frozen=True, slots=True)
class Area:
    """A room by its name, or a workstation by its code."""

    room: str | None = None
    workstation: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A plate, a print or a count of particles that was taken."""

    kind: str
    grade: str
    place: str
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a sample: colonies, or particles in a cubic metre."""

    sample: int
    value: Decimal
    organism: str | None
    read_at: datetime


@dataclass(frozen=True, slots=True)
class ClassifiedView:
    """A classification that was kept."""

    classification: int
    grade: str


@dataclass(frozen=True, slots=True)
class AreaView:
    """An area with its last classification; `is_past` says that it has run out."""

    classification: int
    room: str | None
    workstation: str | None
    workstation_name: str | None
    grade: str
    classified_on: date
    due_on: date
    evidence: str
    recorded_by: str
    recorded_at: datetime
    is_past: bool


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session in a list: how much was taken in it, and how much is not read yet."""

    session: int
    lot: str
    lot_name: str
    workstation: str
    workstation_name: str
    room: str
    since: datetime
    until: datetime | None
    samples: int
    pending: int


@dataclass(frozen=True, slots=True)
class ReadingView:
    """What was read of a sample."""

    value: Decimal
    organism: str | None
    read_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class SampleView:
    """What was taken, its readings, and how it stands: pending, within, above (its action limit), or no_limit."""

    sample: int
    kind: str
    grade: str
    place: str
    taken_at: datetime
    recorded_by: str
    readings: tuple[ReadingView, ...]
    limit: Decimal | None
    state: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session, and everything that was monitored in it."""

    session: int
    lot: str
    lot_name: str
    workstation: str
    workstation_name: str
    room: str
    since: datetime
    until: datetime | None
    samples: tuple[SampleView, ...]


@dataclass(frozen=True, slots=True)
class TakenView:
    """Numbers of the samples that were kept, in the order in which they were sent."""

    session: int
    samples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReadView:
    """How many readings were kept."""

    readings: int


async def classify_area(
    house: House, call: Call, *, area: Area, grade: str, classified_on: date, due_on: date, evidence: str
) -> ClassifiedView:
    """Record what a room or a workstation was found to be. Raises BadInput, NotFound."""
    named = area.room or area.workstation or ""
    async with house.door.change(call, Act.CLASSIFY_AREA, subject=named, reason=grade) as change:
        if (area.room is None) == (area.workstation is None):
            raise BadInput(
                field="area",
                what=NOT_RECORDED,
                why=Text("It is not clear which area this is about."),
                remedy=Text("Name a room, or scan a workstation."),
            )
        if area.room is not None and grade in {"isolator", "closed"}:
            raise BadInput(
                field="grade",
                what=NOT_RECORDED,
                why=Text("A room is of grade A, B, C or D."),
                remedy=Text("Choose the grade of the room; isolators and closed systems are workstations."),
            )
        if classified_on > await equipment.today(change):
            raise BadInput(
                field="classified_on",
                what=NOT_RECORDED,
                why=Text("{day} is yet to come.", day=classified_on),
                remedy=Text("Record it when it has been done."),
            )
        if due_on <= classified_on:
            raise BadInput(
                field="due_on",
                what=NOT_RECORDED,
                why=Text("It would be due before it was done."),
                remedy=Text("Give a day after the one on which it was done."),
            )
        station = None if area.workstation is None else await equipment.workstation(change, code=area.workstation)
        number = await monitoring.classify(
            change,
            room=area.room,
            workstation_id=station.id if station else None,
            grade=grade,
            classified_on=classified_on,
            due_on=due_on,
            evidence=evidence,
        )
        return change.answers(ClassifiedView(number, grade))


async def record_samples(house: House, call: Call, *, session: int, samples: Sequence[Taken]) -> TakenView:
    """Record what was taken in a session; it was taken while the session was open. Raises BadInput, NotFound."""
    async with house.door.change(call, Act.MONITOR_SESSION, subject=f"session {session}") as change:
        found = await monitoring.session(change, session_id=session)
        numbers = []
        for each in samples:
            require_past(each.taken_at, now=change.at, field="taken_at")
            _refuse_outside(each.taken_at, found)
            numbers.append(
                await monitoring.keep_sample(
                    change,
                    lot_id=found.lot_id,
                    session_id=session,
                    kind=each.kind,
                    grade=each.grade,
                    place=each.place,
                    taken_at=each.taken_at,
                )
            )
        return change.answers(TakenView(session, tuple(numbers)))


async def record_readings(house: House, call: Call, *, readings: Sequence[Read]) -> ReadView:
    """Record what was read. A sample may be read again; the worst reading counts, and above its limit it comes to light.

    Raises BadInput, NotFound.
    """
    async with house.door.change(call, Act.READ_MONITORING, subject="environmental monitoring") as change:
        require_once_each([((each.sample, each.read_at), str(each.sample)) for each in readings], field="readings")
        taken = await monitoring.taken(change, ids=[each.sample for each in readings])
        rows = []
        for each in readings:
            sample = taken.get(each.sample)
            if sample is None:
                raise NotFound(
                    what=NOT_RECORDED,
                    why=Text("There is no sample {number} of environmental monitoring.", number=each.sample),
                    remedy=Text("Choose it from the session in which it was taken."),
                )
            require_past(each.read_at, now=change.at, field="read_at")
            require_order(earlier=sample.taken_at, later=each.read_at, field="read_at")
            rows.append(
                {
                    "lot_id": sample.lot_id,
                    "sample_id": each.sample,
                    "value": each.value,
                    "organism": each.organism,
                    "read_at": each.read_at,
                }
            )
        await monitoring.keep_readings(change, rows)
        await impacts.judge_what_came_to_light(change)
        return change.answers(ReadView(len(rows)))


async def list_sessions(
    house: House, actor: Actor, *, pending: bool, after: int | None, limit: int
) -> list[SessionLine]:
    """Sessions, the last opened first; `pending`: only those in which something is not read yet."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        rows = await monitoring.sessions(reading, pending=pending, after=after, limit=limit)
    return [SessionLine(**{n: v for n, v in row._asdict().items() if n != "lot_id"}) for row in rows]


async def read_session(house: House, actor: Actor, *, session: int) -> SessionView:
    """A session with everything that was monitored in it. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await monitoring.session(reading, session_id=session)
        rows = await monitoring.samples(reading, session_id=session)
        limits = (await settings.current(reading, LIMITS)).get(LIMITS, {})
    told = {name: value for name, value in found._asdict().items() if name != "lot_id"}
    return SessionView(**told, samples=tuple(_sample(row, limits) for row in rows))


async def list_areas(house: House, actor: Actor) -> tuple[AreaView, ...]:
    """Every area that was ever classified, with its last classification."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return tuple(AreaView(**row._asdict()) for row in await monitoring.areas(reading))


def _refuse_outside(at: datetime, session: Row[Any]) -> None:
    ended = session.until is not None and at > session.until + CLOCKS_DIFFER_BY
    if ended or at < session.since - CLOCKS_DIFFER_BY:
        raise BadInput(
            field="taken_at",
            what=NOT_RECORDED,
            why=Text("{at} lies outside the session.", at=at),
            remedy=Text("Choose the session in which it was taken, or correct the time."),
        )


def _sample(row: Row[Any], limits: Mapping[str, Any]) -> SampleView:
    readings = tuple(
        ReadingView(Decimal(each["value"]), each["organism"], datetime.fromisoformat(each["read_at"]), each["by"])
        for each in row.readings
    )
    limit = limit_of({name: Decimal(str(value)) for name, value in limits.items()}, row.kind, row.grade)
    worst = max((each.value for each in readings), default=None)
    state = "pending" if worst is None else "no_limit" if limit is None else "above" if worst > limit else "within"
    return SampleView(**{**row._asdict(), "readings": readings, "limit": limit, "state": state})
