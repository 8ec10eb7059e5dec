"""The print queue: printers defined, jobs watched, and what only a person at the printer can say.

A label is sent once. If the sender ends while bytes leave, nobody knows whether it printed: the job waits for a person
who looks, and is never sent again by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from app.db import printing
from app.db.door import Call
from app.domain.acts import Act, Actor, Role
from app.domain.errors import BadInput
from app.domain.text import Text
from labels.facts import DOTS_PER_MM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Door
    from app.services.house import House

SENDER = Actor(
    account_id=0,
    username="print queue",
    printed_name="Print queue",
    roles=frozenset({Role.DEVICE}),
    session_id=None,
    device="print queue",
)
"""Who sends labels to printers: a process, nobody's account."""

OPEN_JOBS_MAX = 200
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?):(?P<port>[0-9]{1,5})", re.ASCII)
_PORT_MAX = 65_535


class Media(StrEnum):
    """The sizes of labels, in mm."""

    TUBE = "25x13"
    CONTAINER = "50x25"
    BAG = "100x50"
    SIGN = "100x25"
    CARD = "54x86"


class JobState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class Trouble(StrEnum):
    """Why a job failed, or why nobody knows."""

    UNREACHABLE = "unreachable"
    PAPER_OUT = "paper_out"
    RIBBON_OUT = "ribbon_out"
    HEAD_OPEN = "head_open"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    SILENT = "silent"
    SENDER_ENDED = "sender_ended"
    DID_NOT_PRINT = "did_not_print"
    LABEL_CHANGED = "label_changed"
    NOT_DRAWN = "not_drawn"


TROUBLES: Mapping[Trouble, Text] = {
    Trouble.UNREACHABLE: Text("The printer does not answer. See that it is switched on and connected."),
    Trouble.PAPER_OUT: Text("The printer is out of labels. Load labels."),
    Trouble.RIBBON_OUT: Text("The printer is out of ribbon. Load a ribbon."),
    Trouble.HEAD_OPEN: Text("The print head is open. Close it."),
    Trouble.PAUSED: Text("The printer is paused. Press Pause at the printer."),
    Trouble.INTERRUPTED: Text("The connection broke while the label was being sent. Look whether it came out."),
    Trouble.STOPPED: Text("The printer took the label and then stopped. Look whether it came out."),
    Trouble.SILENT: Text("The printer took the label but does not say whether it printed. Look whether it came out."),
    Trouble.SENDER_ENDED: Text("Sending was cut short. Look whether the label came out."),
    Trouble.DID_NOT_PRINT: Text("Somebody looked: the label did not come out."),
    Trouble.LABEL_CHANGED: Text("What the label says has changed since it was made. Cancel it and make a new one."),
    Trouble.NOT_DRAWN: Text("The label could not be drawn. Cancel it and make a new one."),
}


@dataclass(frozen=True, slots=True)
class PrinterView:
    """A printer and how its queue stands. `stands`: it sends nothing until a person has looked at its trouble."""

    code: str
    name: str
    room: str
    address: str
    dots_per_mm: float
    media: Media
    queued: int = 0
    sending: int = 0
    failed: int = 0
    unknown: int = 0
    stands: bool = False


@dataclass(frozen=True, slots=True)
class JobView:
    """One label on its way through a printer."""

    number: int
    printer: str
    printer_name: str
    state: JobState
    attempts: int
    trouble: Trouble | None
    label: int
    design: str
    reason: str | None
    item: str
    lot: str | None
    lot_code: str | None
    queued_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class SettledView:
    """What a person said of a job."""

    number: int
    state: JobState


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that may be sent now. The address is host and port."""

    number: int
    label: int
    printer_id: int
    host: str
    port: int
    dots_per_mm: float


async def define_printer(
    house: House, call: Call, *, name: str, room: str, address: str, dots_per_mm: float, media: Media
) -> PrinterView:
    """Define a printer by its address (host:port), print head and the labels that it holds.

    Raises BadInput for an address or a print head that cannot be used, Conflict when the name is taken.
    """
    async with house.door.change(call, Act.DEFINE_PRINTER, subject=name) as change:
        if dots_per_mm not in DOTS_PER_MM:
            raise BadInput(
                field="dots_per_mm",
                what=Text("The printer was not defined."),
                why=Text("No print head with {dots} dots/mm is known.", dots=dots_per_mm),
                remedy=Text("Choose one of: {known}.", known=tuple(str(each) for each in DOTS_PER_MM)),
            )
        found = _ADDRESS.fullmatch(address)
        if found is None or not 0 < int(found["port"]) <= _PORT_MAX:
            raise BadInput(
                field="address",
                what=Text("The printer was not defined."),
                why=Text("{address} is no address of a printer.", address=address),
                remedy=Text("Write host and port, such as labels-1.lab.example:9100."),
            )
        item = await printing.define(
            change, name=name, room=room, address=address, dots_per_mm=dots_per_mm, media=media.value
        )
        return change.answers(
            PrinterView(code=item.code, name=name, room=room, address=address, dots_per_mm=dots_per_mm, media=media)
        )


async def list_printers(house: House, actor: Actor) -> list[PrinterView]:
    """Every printer and how its queue stands."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        rows = await printing.printers(reading)
    return [
        PrinterView(**{**row._asdict(), "dots_per_mm": float(row.dots_per_mm), "media": Media(row.media)})
        for row in rows
    ]


async def open_jobs(house: House, actor: Actor, *, printer: str | None = None) -> list[JobView]:
    """Jobs that wait for their printer or for a person, troubles first; at most two hundred."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        rows = await printing.open_jobs(reading, printer=printer, limit=OPEN_JOBS_MAX)
    return [_view(row._asdict()) for row in rows]


async def list_jobs(
    house: House, actor: Actor, *, printer: str | None, state: JobState | None, after: int | None, limit: int
) -> list[JobView]:
    """All jobs, newest first."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        rows = await printing.page(reading, printer=printer, state=state and state.value, after=after, limit=limit)
    return [_view(row._asdict()) for row in rows]


async def try_again(house: House, call: Call, *, number: int) -> SettledView:
    """Put a job that failed back into the queue. Raises Conflict where it did not fail."""
    return await _settle(house, call, number=number, said="try again", before=(JobState.FAILED,), now=JobState.QUEUED)


async def cancel(house: House, call: Call, *, number: int) -> SettledView:
    """Give up a job that has not printed: its label was never on paper, and is not counted. Raises Conflict."""
    before = (JobState.QUEUED, JobState.FAILED)
    return await _settle(house, call, number=number, said="cancel", before=before, now=JobState.CANCELLED)


async def say_printed(house: House, call: Call, *, number: int) -> SettledView:
    """Somebody looked: the label came out. Raises Conflict where that is not asked."""
    before = (JobState.UNKNOWN,)
    return await _settle(house, call, number=number, said="it did print", before=before, now=JobState.PRINTED)


async def say_not_printed(house: House, call: Call, *, number: int) -> SettledView:
    """Somebody looked: the label did not come out. It may then be tried again or cancelled. Raises Conflict."""
    before = (JobState.UNKNOWN,)
    return await _settle(
        house,
        call,
        number=number,
        said="it did not print",
        before=before,
        now=JobState.FAILED,
        trouble=Trouble.DID_NOT_PRINT,
    )


# -- the sender's own --------------------------------------------------------------------------------------------------


async def waiting(door: Door) -> list[Waiting]:
    """The next job of each printer that does not stand still."""
    async with door.look() as reading:
        rows = await printing.next_jobs(reading)
    return [
        Waiting(row.id, row.label_id, row.printer_id, *_host_and_port(row.address), float(row.dots_per_mm))
        for row in rows
    ]


async def begin(door: Door, job: Waiting) -> bool:
    """Commit that the job is being sent, before any byte leaves. False where it is not waiting any more."""
    async with door.change(Call(SENDER), Act.RUN_PRINTER, subject=str(job.number), reason="sending") as change:
        return await printing.claim(change, job=job.number)


async def end(door: Door, job: Waiting, *, state: JobState, trouble: Trouble | None = None) -> None:
    """How it went. A job that a person or another sender settled meanwhile stays as it is: Conflict."""
    before = (JobState.SENDING.value,)
    async with door.change(Call(SENDER), Act.RUN_PRINTER, subject=str(job.number), reason=state.value) as change:
        await printing.move(change, job=job.number, from_states=before, state=state.value, trouble=trouble)


async def give_up(door: Door, job: Waiting, *, trouble: Trouble) -> None:
    """The label cannot be drawn, so that nothing is sent."""
    before = (JobState.QUEUED.value,)
    async with door.change(Call(SENDER), Act.RUN_PRINTER, subject=str(job.number), reason=trouble.value) as change:
        await printing.move(change, job=job.number, from_states=before, state=JobState.FAILED.value, trouble=trouble)


async def take_over(door: Door) -> int:
    """Of whatever an earlier sender left in the middle nobody knows. How many jobs wait for a person therefore."""
    async with door.change(Call(SENDER), Act.RUN_PRINTER, reason="take over") as change:
        return await printing.leave_open(change, trouble=Trouble.SENDER_ENDED.value)


async def _settle(
    house: House,
    call: Call,
    *,
    number: int,
    said: str,
    before: tuple[JobState, ...],
    now: JobState,
    trouble: Trouble | None = None,
) -> SettledView:
    async with house.door.change(call, Act.ATTEND_PRINTER, subject=str(number), reason=said) as change:
        await printing.move(
            change, job=number, from_states=[each.value for each in before], state=now.value, trouble=trouble
        )
        return change.answers(SettledView(number=number, state=now))


def _view(row: dict[str, object]) -> JobView:
    trouble = row["trouble"]
    known = {**row, "state": JobState(str(row["state"])), "trouble": None if trouble is None else Trouble(str(trouble))}
    return JobView(**known)  # type: ignore[arg-type]  # columns as they are named in the view


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)
