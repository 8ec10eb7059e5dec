"""Printers and their queues: one job for each label, taken in order, never sent twice by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.db.equipment import insert as new_equipment
from app.domain.errors import Conflict, NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading
    from app.db.items import Item

DEFINE = """
INSERT INTO lab.printers (id, address, dots_per_mm, media, recorded_by) VALUES (:id, :address, :dots, :media, :by)
"""
PRINTER = """
SELECT p.id, k.code, e.name, e.room, p.address, p.dots_per_mm, p.media FROM lab.item_codes k
JOIN lab.printers p ON p.id = k.item_id JOIN lab.equipment e ON e.id = p.id WHERE k.code = :code
"""
# A printer whose last job failed, or of whose last job nobody knows, stands still until a person has looked. A label
# that could not be drawn says nothing of its printer.
PRINTERS = """
SELECT k.code, e.name, e.room, p.address, p.dots_per_mm, p.media, count(j.id) FILTER (WHERE j.state = 'queued') AS queued,
    count(j.id) FILTER (WHERE j.state = 'sending') AS sending, count(j.id) FILTER (WHERE j.state = 'failed') AS failed,
    count(j.id) FILTER (WHERE j.state = 'unknown') AS unknown,
    coalesce(bool_or(j.state = 'unknown' OR (j.state = 'failed' AND j.trouble <> ALL (CAST(:label_troubles AS text[])))), false)
        AS stands
FROM lab.printers p JOIN lab.equipment e ON e.id = p.id
JOIN lab.item_codes k ON k.item_id = p.id AND k.scheme = 'own'
LEFT JOIN lab.print_jobs j ON j.printer_id = p.id AND j.state IN ('queued', 'sending', 'unknown', 'failed')
GROUP BY k.code, e.name, e.room, p.address, p.dots_per_mm, p.media ORDER BY e.name LIMIT 200
"""
QUEUE = "INSERT INTO lab.print_jobs (label_id, printer_id, recorded_by) VALUES (:label, :printer, :by) RETURNING id"
JOBS = """
SELECT j.id AS number, pk.code AS printer, e.name AS printer_name, j.state, j.attempts, j.trouble, j.label_id AS label,
    b.design, b.reason, k.code AS item, lot.name AS lot, lk.code AS lot_code, j.recorded_at AS queued_at, j.sent_at,
    j.ended_at, a.printed_name AS by
FROM lab.print_jobs j JOIN lab.labels b ON b.id = j.label_id JOIN lab.equipment e ON e.id = j.printer_id
JOIN lab.item_codes pk ON pk.item_id = j.printer_id AND pk.scheme = 'own'
JOIN lab.item_codes k ON k.item_id = b.item_id AND k.scheme = 'own' JOIN people.accounts a ON a.id = j.recorded_by
LEFT JOIN lab.containers c ON c.id = b.item_id LEFT JOIN lab.samples s ON s.id = b.item_id
LEFT JOIN lab.retains r ON r.id = b.item_id LEFT JOIN lab.lots lot ON lot.id = coalesce(c.lot_id, s.lot_id, r.lot_id)
LEFT JOIN lab.item_codes lk ON lk.item_id = lot.id AND lk.scheme = 'own'
"""
OPEN_JOBS = f"""{JOBS}
WHERE j.state IN ('queued', 'sending', 'unknown', 'failed') AND (CAST(:printer AS text) IS NULL OR pk.code = :printer)
ORDER BY j.state NOT IN ('unknown', 'failed'), j.id LIMIT :limit
"""
ALL_JOBS = f"""{JOBS}
WHERE (CAST(:printer AS text) IS NULL OR pk.code = :printer) AND (CAST(:after AS bigint) IS NULL OR j.id < :after)
    AND (CAST(:state AS text) IS NULL OR j.state = :state)
ORDER BY j.id DESC LIMIT :limit
"""
NEXT = """
SELECT DISTINCT ON (j.printer_id) j.id, j.label_id, j.printer_id, p.address, p.dots_per_mm
FROM lab.print_jobs j JOIN lab.printers p ON p.id = j.printer_id
WHERE j.state = 'queued' AND NOT EXISTS (
    SELECT FROM lab.print_jobs b WHERE b.printer_id = j.printer_id AND b.state IN ('sending', 'unknown', 'failed')
        AND (b.state <> 'failed' OR b.trouble <> ALL (CAST(:label_troubles AS text[]))))
ORDER BY j.printer_id, j.id
"""
CLAIM = """
UPDATE lab.print_jobs SET state = 'sending', attempts = attempts + 1, trouble = NULL, sent_at = :at, ended_at = NULL,
    version = version + 1
WHERE id = (SELECT id FROM lab.print_jobs WHERE id = :id AND state = 'queued' FOR UPDATE SKIP LOCKED) RETURNING id
"""
MOVE = """
UPDATE lab.print_jobs SET state = :state, trouble = :trouble, ended_at = :ended_at, version = version + 1
WHERE id = :id AND state = ANY (CAST(:from_states AS text[])) RETURNING id
"""
LEFT_SENDING = """
UPDATE lab.print_jobs SET state = 'unknown', trouble = :trouble, ended_at = :at, version = version + 1
WHERE state = 'sending' RETURNING id
"""
STATE = "SELECT state FROM lab.print_jobs WHERE id = :id"

LABEL_TROUBLES = ("label_changed", "not_drawn")
"""Why a label could not be drawn: troubles of the label, for which its printer does not stand still."""


@dataclass(frozen=True, slots=True)
class Printer:
    """A label printer. `media` is the size that it holds, such as 25x13, in mm."""

    id: int
    code: str
    name: str
    room: str
    address: str
    dots_per_mm: float
    media: str


async def define(change: Change, *, name: str, room: str, address: str, dots_per_mm: float, media: str) -> Item:
    """A new printer, which is a piece of equipment with an address. Raises Conflict when the name is taken."""
    item = await new_equipment(change, name=name, kind="printer", room=room)
    await change.run(DEFINE, id=item.id, address=address, dots=dots_per_mm, media=media, by=change.actor.account_id)
    return item


async def printer(reading: Reading, *, code: str) -> Printer:
    """The printer of this code. Raises NotFound."""
    row = await reading.one(PRINTER, code=code)
    if row is None:
        raise NotFound(
            what=Text("{code} is no label printer.", code=code),
            why=Text("No printer with this code is defined."),
            remedy=Text("Choose one of the printers, or have it defined by quality or production."),
        )
    return Printer(**{**row._asdict(), "dots_per_mm": float(row.dots_per_mm)})


async def printers(reading: Reading) -> Sequence[Row[Any]]:
    """Every printer, by name, and how its queue stands."""
    return await reading.all(PRINTERS, label_troubles=list(LABEL_TROUBLES))


async def queue(change: Change, *, label: int, printer_id: int) -> int:
    """A label waits at a printer. The job's number."""
    number: int = await change.value(QUEUE, label=label, printer=printer_id, by=change.actor.account_id)
    return number


async def open_jobs(reading: Reading, *, printer: str | None, limit: int) -> Sequence[Row[Any]]:
    """Jobs that wait for the printer or for a person: troubles first, then in the order of printing."""
    return await reading.all(OPEN_JOBS, printer=printer, limit=limit)


async def page(
    reading: Reading, *, printer: str | None, state: str | None, after: int | None, limit: int
) -> Sequence[Row[Any]]:
    """All jobs, newest first."""
    return await reading.all(ALL_JOBS, printer=printer, state=state, after=after, limit=limit)


async def next_jobs(reading: Reading) -> Sequence[Row[Any]]:
    """The first job that waits at each printer that does not stand still."""
    return await reading.all(NEXT, label_troubles=list(LABEL_TROUBLES))


async def claim(change: Change, *, job: int) -> bool:
    """Say, before any byte leaves, that this job is being sent. False where it is not waiting any more."""
    return await change.value(CLAIM, id=job, at=change.at) is not None


async def move(change: Change, *, job: int, from_states: Sequence[str], state: str, trouble: str | None = None) -> None:
    """Another state for a job. Raises NotFound, or Conflict where it stands otherwise by now."""
    ended_at = None if state == "queued" else change.at
    moved = await change.value(
        MOVE, id=job, from_states=list(from_states), state=state, trouble=trouble, ended_at=ended_at
    )
    if moved is not None:
        return
    if await change.value(STATE, id=job) is None:
        raise NotFound(
            what=Text("There is no print job {number}.", number=job),
            why=Text("This number was never given."),
            remedy=Text("Choose the job in the print queue."),
        )
    raise Conflict(
        what=Text("Nothing was done with print job {number}.", number=job),
        why=Text("It stands otherwise by now."),
        remedy=Text("Look at the print queue again."),
    )


async def leave_open(change: Change, *, trouble: str) -> int:
    """Say of every job that was being sent when its sender ended that nobody knows. How many there were."""
    return len(await change.all(LEFT_SENDING, trouble=trouble, at=change.at))
