"""Label printers that speak ZPL over a TCP socket (port 9100): ask how the printer is, send the job, ask until it is done.

The status comes from ``~HS`` (ZPL II, host status return): three lines between STX and ETX, of which the flags for
paper, pause, head and ribbon are read, and how many formats and labels still wait in the printer. A printer that does
not answer it is sent the job all the same; whether it printed, it does not say.
"""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from labels.words import N_, SpokenError, Words

ZPL_PORT: Final = 9100
_STATUS_LINES: Final = 3
_ASK_EVERY_S: Final = 0.02


class PrinterReason(StrEnum):
    """Why a label was not printed, or may not have been."""

    UNREACHABLE = "unreachable"
    PAPER_OUT = "paper_out"
    RIBBON_OUT = "ribbon_out"
    HEAD_OPEN = "head_open"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"


_NOT_PRINTED: Final = N_("The label was not printed.")
_WORDS: Final = {
    PrinterReason.UNREACHABLE: Words(
        _NOT_PRINTED,
        N_("The printer at {address} does not answer."),
        N_("See that it is switched on and connected, then print again."),
    ),
    PrinterReason.PAPER_OUT: Words(
        _NOT_PRINTED, N_("The printer is out of labels."), N_("Load labels, then print again.")
    ),
    PrinterReason.RIBBON_OUT: Words(
        _NOT_PRINTED, N_("The printer is out of ribbon."), N_("Load a ribbon, then print again.")
    ),
    PrinterReason.HEAD_OPEN: Words(
        _NOT_PRINTED, N_("The print head is open."), N_("Close the print head, then print again.")
    ),
    PrinterReason.PAUSED: Words(
        _NOT_PRINTED, N_("The printer is paused."), N_("Press Pause at the printer, then print again.")
    ),
    PrinterReason.INTERRUPTED: Words(
        N_("The label may or may not have been printed."),
        N_("The connection to the printer at {address} broke while the label was being sent."),
        N_("Look at the printer: destroy a label that came out, then print again with the reason."),
    ),
    PrinterReason.STOPPED: Words(
        N_("The label may or may not have been printed."),
        N_("The printer at {address} took the label and then stopped."),
        N_("Look at the printer and say whether the label came out."),
    ),
}


class Confirmation(StrEnum):
    """What a printer says of a job that it was sent."""

    PRINTED = "printed"
    SILENT = "silent"


class PrinterRefused(SpokenError):
    """The printer did not take a job."""

    def __init__(self, *, code: PrinterReason, address: str) -> None:
        self.reason = code
        super().__init__(code=code, words=_WORDS[code], details={"address": address})


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What keeps a printer from printing now; an empty ``troubles`` means nothing does.

    ``formats_waiting`` and ``labels_left`` count what it has received and not yet printed.
    """

    troubles: tuple[PrinterReason, ...]
    formats_waiting: int = 0
    labels_left: int = 0

    @property
    def is_done(self) -> bool:
        """Whether everything that it was sent is printed."""
        return not self.troubles and self.formats_waiting == 0 and self.labels_left == 0


class LabelPrinter(Protocol):
    """Anything that prints a job of printer's bytes."""

    async def print_job(self, job: bytes) -> Confirmation:
        """Print ``job`` and say whether the printer confirmed it, or raise ``PrinterRefused``."""


class NetworkPrinter:
    """A ZPL printer at ``host`` and ``port``.

    ``timeout_s`` bounds connecting and sending, ``status_s`` an answer, ``printing_s`` how long one job may take.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int = ZPL_PORT,
        timeout_s: float = 5.0,
        status_s: float = 1.0,
        printing_s: float = 15.0,
    ) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s
        self._status_s = status_s
        self._printing_s = printing_s

    @property
    def address(self) -> str:
        """Host and port, for people."""
        return f"{self._host}:{self._port}"

    async def status(self) -> PrinterStatus | None:
        """Return what the printer says of itself, or None where it does not answer the question.

        Raises:
            PrinterRefused: it cannot be reached.

        """
        reader, writer = await self._connect()
        try:
            return await self._ask(reader, writer)
        finally:
            writer.close()

    async def print_job(self, job: bytes) -> Confirmation:
        """Send ``job`` once the printer says that nothing keeps it from printing, and wait until it says it is done.

        Raises:
            PrinterRefused: it cannot be reached or cannot print; or, as ``INTERRUPTED`` or ``STOPPED``, the job was
                sent and nobody knows.

        """
        reader, writer = await self._connect()
        try:
            status = await self._ask(reader, writer)
            if status is not None and status.troubles:
                raise PrinterRefused(code=status.troubles[0], address=self.address)
            await self._send(writer, job)
            confirmation = Confirmation.SILENT if status is None else await self._until_done(reader, writer)
            await self._end(writer)
        finally:
            writer.close()
        return confirmation

    async def _until_done(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Confirmation:
        clock = asyncio.get_running_loop().time
        until = clock() + self._printing_s
        while clock() < until:
            try:
                status = await self._ask(reader, writer)
            except PrinterRefused as gone:
                raise PrinterRefused(code=PrinterReason.INTERRUPTED, address=self.address) from gone
            if status is None:
                break
            if status.troubles:
                raise PrinterRefused(code=PrinterReason.STOPPED, address=self.address)
            if status.is_done:
                return Confirmation.PRINTED
            await asyncio.sleep(_ASK_EVERY_S)
        raise PrinterRefused(code=PrinterReason.STOPPED, address=self.address)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.wait_for(asyncio.open_connection(self._host, self._port), self._timeout_s)
        except (OSError, TimeoutError) as unreachable:
            raise PrinterRefused(code=PrinterReason.UNREACHABLE, address=self.address) from unreachable

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> PrinterStatus | None:
        try:
            writer.write(b"~HS")
            await writer.drain()
            lines = [await asyncio.wait_for(reader.readuntil(b"\x03"), self._status_s) for _ in range(_STATUS_LINES)]
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return None
        except OSError as broken:
            raise PrinterRefused(code=PrinterReason.UNREACHABLE, address=self.address) from broken
        return parse_status(b"".join(lines))

    async def _send(self, writer: asyncio.StreamWriter, job: bytes) -> None:
        try:
            writer.write(job)
            await asyncio.wait_for(writer.drain(), self._timeout_s)
        except (OSError, TimeoutError) as broken:
            raise PrinterRefused(code=PrinterReason.INTERRUPTED, address=self.address) from broken

    async def _end(self, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write_eof()
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), self._timeout_s)
        except (OSError, TimeoutError) as broken:
            raise PrinterRefused(code=PrinterReason.INTERRUPTED, address=self.address) from broken


def parse_status(answer: bytes) -> PrinterStatus | None:
    """Read an answer to ``~HS``; None where it is not one."""
    lines = [line.strip(b"\r\n\x02 ").split(b",") for line in answer.split(b"\x03")]
    if len(lines) < _STATUS_LINES or len(lines[0]) < 3 or len(lines[1]) < 4:
        return None
    flags = (
        (PrinterReason.HEAD_OPEN, lines[1][2]),
        (PrinterReason.PAPER_OUT, lines[0][1]),
        (PrinterReason.RIBBON_OUT, lines[1][3]),
        (PrinterReason.PAUSED, lines[0][2]),
    )
    return PrinterStatus(
        troubles=tuple(reason for reason, flag in flags if flag == b"1"),
        formats_waiting=_count(lines[0], 4),
        labels_left=_count(lines[1], 8),
    )


def _count(fields: list[bytes], index: int) -> int:
    """Read a number of a status line; nothing where the printer leaves it out."""
    return int(fields[index]) if len(fields) > index and fields[index].isdigit() else 0
