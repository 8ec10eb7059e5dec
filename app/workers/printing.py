"""The print queue's sender: its own process, which takes jobs in order for each printer and sends each of them once.

    python -m app.workers.printing

Environment: STEMMA_DATABASE_URL (role stemma_app), STEMMA_PURPOSE. One sender works at a time; a second waits to take
over. Whatever was being sent when a sender ended is left for a person to settle: it is never sent again by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

import asyncpg
import structlog

from app.db.door import Door
from app.db.facility import facility
from app.domain.errors import Busy, Conflict, Refusal, Unavailable
from app.services import labels, printing
from app.services.printing import JobState, Trouble
from devices.printer import Confirmation, NetworkPrinter, PrinterReason, PrinterRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from app.services.printing import Waiting

LOOK_EVERY_S = 0.25
RETRY_S = 1.0
KEEP_TRIES = 20
LOCK = 0x5354_454D_4D41_0003
NOBODY_KNOWS = frozenset({PrinterReason.INTERRUPTED, PrinterReason.STOPPED})

log = structlog.get_logger("stemma.printing")


async def print_one(door: Door, job: Waiting) -> None:
    """Draw the label, commit that it is being sent, send it, keep how it went."""
    try:
        content = await labels.bytes_for_printer(door, label=job.label, dots_per_mm=job.dots_per_mm)
    except Unavailable:
        raise
    except Refusal:
        await printing.give_up(door, job, trouble=Trouble.LABEL_CHANGED)
        return
    except Exception as error:  # noqa: BLE001  a label that cannot be drawn must not stop every other
        log.warning("not_drawn", job=job.number, error=f"{type(error).__name__}: {error}")
        await printing.give_up(door, job, trouble=Trouble.NOT_DRAWN)
        return
    if not await printing.begin(door, job):
        return
    try:
        said = await NetworkPrinter(host=job.host, port=job.port).print_job(content)
    except PrinterRefused as refused:
        state = JobState.UNKNOWN if refused.reason in NOBODY_KNOWS else JobState.FAILED
        log.warning("not_printed", job=job.number, printer=refused.details["address"], why=refused.reason.value)
        await _end(door, job, state=state, trouble=Trouble(refused.reason.value))
        return
    if said is Confirmation.PRINTED:
        await _end(door, job, state=JobState.PRINTED)
    else:
        await _end(door, job, state=JobState.UNKNOWN, trouble=Trouble.SILENT)


async def _end(door: Door, job: Waiting, *, state: JobState, trouble: Trouble | None = None) -> None:
    """Keep how it went, patiently: somebody else may hold the lot for a moment."""
    for _ in range(KEEP_TRIES):
        try:
            await printing.end(door, job, state=state, trouble=trouble)
        except (Busy, Unavailable):
            await asyncio.sleep(LOOK_EVERY_S)
        else:
            return
    await printing.end(door, job, state=state, trouble=trouble)


class Sender:
    """Sends for every printer at the same time, for each of them one job after the other."""

    def __init__(self, door: Door) -> None:
        """Nothing is sent before `look`."""
        self._door = door
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._done = asyncio.Event()

    async def look(self) -> None:
        """Begin what can begin now. Raises what broke a job that ended meanwhile."""
        for printer, task in list(self._busy.items()):
            if task.done():
                del self._busy[printer]
                with contextlib.suppress(Conflict):  # a person settled it meanwhile
                    task.result()
        self._done.clear()
        for job in await printing.waiting(self._door):
            if job.printer_id not in self._busy:
                task = asyncio.create_task(print_one(self._door, job))
                task.add_done_callback(lambda _: self._done.set())
                self._busy[job.printer_id] = task

    async def rest(self) -> None:
        """Until a job is done, or for a moment."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._done.wait(), LOOK_EVERY_S)

    async def finish(self) -> None:
        """Let what is being sent come to its end."""
        await asyncio.gather(*self._busy.values(), return_exceptions=True)


@contextlib.asynccontextmanager
async def _alone(door: Door, stop: asyncio.Event) -> AsyncIterator[asyncpg.Connection | None]:
    """The connection that holds the right to send; None where we are told to stop before it is ours."""
    async with door.driver() as connection:
        while not stop.is_set():
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                try:
                    yield connection
                finally:
                    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                        await connection.fetchval("SELECT pg_advisory_unlock($1)", LOCK)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
        yield None


async def send(door: Door, stop: asyncio.Event) -> None:
    """Send until told to stop. Raises when the database goes away."""
    async with _alone(door, stop) as connection:
        if connection is None:
            return
        left = await printing.take_over(door)
        log.info("sending", waits_for_a_person=left)
        sender = Sender(door)
        try:
            while not stop.is_set():
                await connection.fetchval("SELECT 1")  # raises when the right to send is lost
                await sender.look()
                await sender.rest()
        finally:
            await sender.finish()


async def run(url: str, *, purpose: str) -> int:
    """Send until SIGTERM or SIGINT, coming back whenever the database does; 1 for another purpose's database."""
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    door = Door(database_url=url, auth_database_url=url)
    try:
        while not stop.is_set():
            try:
                if (marked := (await facility(door)).purpose) != purpose:
                    print(f"printing: this database is marked {marked}, not {purpose}", file=sys.stderr)
                    return 1
                await send(door, stop)
            except (Refusal, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                log.warning("database_away", error=f"{type(error).__name__}: {error}")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RETRY_S)
    finally:
        await door.close()
    return 0


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Send labels as the environment says; 1 when it says too little."""
    url = environment.get("STEMMA_DATABASE_URL")
    if not url:
        print("printing: not set: STEMMA_DATABASE_URL", file=sys.stderr)
        return 1
    return asyncio.run(run(url, purpose=environment.get("STEMMA_PURPOSE", "production")))


if __name__ == "__main__":
    sys.exit(main())
