"""Label printers that speak ZPL over a TCP socket (port 9100): ask how the printer is, then send the job.

The status comes from ``~HS`` (ZPL II, host status return): three lines between STX and ETX, of which the flags for
paper, pause, head and ribbon are read. A printer that does not answer it is sent the job all the same.
"""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from labels.words import N_, SpokenError, Words

ZPL_PORT: Final = 9100
_STATUS_LINES: Final = 3


class PrinterReason(StrEnum):
    """Why a label was not printed, or may not have been."""

    UNREACHABLE = "unreachable"
    PAPER_OUT = "paper_out"
    RIBBON_OUT = "ribbon_out"
    HEAD_OPEN = "head_open"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"


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
}


class PrinterRefused(SpokenError):
    """The printer did not take a job."""

    def __init__(self, *, code: PrinterReason, address: str) -> None:
        self.reason = code
        super().__init__(code=code, words=_WORDS[code], details={"address": address})


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What keeps a printer from printing now; an empty ``troubles`` means nothing does."""

    troubles: tuple[PrinterReason, ...]


class LabelPrinter(Protocol):
    """Anything that prints a job of printer's bytes."""

    async def print_job(self, job: bytes) -> None:
        """Print ``job``, or raise ``PrinterRefused``."""


class NetworkPrinter:
    """A ZPL printer at ``host`` and ``port``. ``timeout_s`` bounds connecting and sending, ``status_s`` the answer."""

    def __init__(self, *, host: str, port: int = ZPL_PORT, timeout_s: float = 5.0, status_s: float = 1.0) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s
        self._status_s = status_s

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

    async def print_job(self, job: bytes) -> None:
        """Send ``job`` once the printer says that nothing keeps it from printing.

        Raises:
            PrinterRefused: it cannot be reached or cannot print; or, as ``INTERRUPTED``, nobody knows.

        """
        reader, writer = await self._connect()
        try:
            status = await self._ask(reader, writer)
            if status is not None and status.troubles:
                raise PrinterRefused(code=status.troubles[0], address=self.address)
            await self._send(writer, job)
        finally:
            writer.close()

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
    return PrinterStatus(troubles=tuple(reason for reason, flag in flags if flag == b"1"))
