"""Devices for a laboratory without devices: a label printer on a socket, and a scanner that types.

They speak what the real ones speak. The printer is a TCP server that takes ZPL, keeps what it would have burnt, and
tells its state; its reading of ZPL shares nothing with the writing in ``labels``.
"""

import asyncio
import contextlib
import io
import re
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from PIL import Image

from devices.decoder_child import DecodedCode
from devices.printer import PrinterReason
from devices.wedge import GROUP_SEPARATOR

_JOB_BYTES_MAX: Final = 4 * 2**20
_CANVAS_DOTS_MAX: Final = 4_000_000
_COMMAND: Final = re.compile(rb"([\^~])([A-Z]{2}|A.)([^\^~]*)", re.DOTALL)
_IGNORED: Final = frozenset({b"^XA", b"^FS", b"^CI", b"^LS", b"^PR", b"^MD", b"^PO"})


@dataclass(frozen=True, slots=True)
class PrintedLabel:
    """One label as it left the printer: mode 1, 0 is ink, one pixel to a dot."""

    picture: Image.Image

    def png_bytes(self) -> bytes:
        """Return the label as a PNG."""
        file = io.BytesIO()
        self.picture.save(file, format="PNG")
        return file.getvalue()


@dataclass
class SimulatedPrinter:
    """A ZPL label printer on 127.0.0.1; use as ``async with``. ``port`` 0 takes a free one.

    ``troubles`` can be set to make it run out of labels and the like: it then says so, and prints nothing; what it had
    taken waits until they are cleared. ``burning_s`` is how long one label takes. What it did not understand stands in
    ``complaints``.
    """

    port: int = 0
    burning_s: float = 0.0
    troubles: set[PrinterReason] = field(default_factory=set)
    printed: list[PrintedLabel] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _waiting: list[PrintedLabel] = field(default_factory=list)
    _burning: asyncio.Task[None] | None = None
    _server: asyncio.Server | None = None

    @property
    def host(self) -> str:
        """The address it listens on."""
        return "127.0.0.1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._burning is not None:
            self._burning.cancel()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = b""
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(65_536):
                received += part
                while b"~HS" in received:
                    before, _, after = received.partition(b"~HS")
                    received = self._print_whole_formats(before) + after
                    writer.write(self._host_status())
                    await writer.drain()
                received = self._print_whole_formats(received)
                if len(received) > _JOB_BYTES_MAX:
                    self.complaints.append("a format without an end")
                    break
        writer.close()

    def _print_whole_formats(self, received: bytes) -> bytes:
        """Print every format from ^XA to ^XZ; return the rest that waits for more."""
        while (end := received.find(b"^XZ")) >= 0:
            zpl, received = received[:end], received[end + 3 :]
            if self.burning_s:
                self._waiting.extend(self._burn(zpl))
                if self._burning is None or self._burning.done():
                    self._burning = asyncio.create_task(self._burn_slowly())
            elif not self.troubles:
                self.printed.extend(self._burn(zpl))
        return received

    async def _burn_slowly(self) -> None:
        while self._waiting:
            await asyncio.sleep(self.burning_s)
            if not self.troubles:
                self.printed.append(self._waiting.pop(0))

    def _host_status(self) -> bytes:
        def flag(reason: PrinterReason) -> int:
            return int(reason in self.troubles)

        paper, paused = flag(PrinterReason.PAPER_OUT), flag(PrinterReason.PAUSED)
        head, ribbon = flag(PrinterReason.HEAD_OPEN), flag(PrinterReason.RIBBON_OUT)
        lines = (
            f"030,{paper},{paused},0104,{len(self._waiting):03},0,0,0,000,0,0,0",
            f"000,0,{head},{ribbon},1,2,4,0,{len(self._waiting):08},1,000",
            "1234,0",
        )
        return "".join(f"\x02{line}\x03\r\n" for line in lines).encode("ascii")

    def _burn(self, zpl: bytes) -> list[PrintedLabel]:
        """Return the labels of one format."""
        label = _Format()
        for match in _COMMAND.finditer(zpl):
            command, values = match[1] + match[2], match[3].strip()
            try:
                if not label.obey(command, values) and command not in _IGNORED:
                    self.complaints.append(command.decode("latin-1"))
            except (ValueError, IndexError) as wrong:
                self.complaints.append(f"{command.decode('latin-1')}: {wrong}")
        if not 0 < label.width * label.length <= _CANVAS_DOTS_MAX:
            self.complaints.append(f"a label of {label.width} × {label.length} dots")
            return []
        return [PrintedLabel(label.picture())] * label.copies


@dataclass
class _Format:
    """The state of a printer between ^XA and ^XZ; positions and sizes in dots."""

    width: int = 0
    length: int = 0
    copies: int = 1
    home: tuple[int, int] = (0, 0)
    origin: tuple[int, int] = (0, 0)
    graphics: list[tuple[tuple[int, int], Image.Image]] = field(default_factory=list)

    def obey(self, command: bytes, values: bytes) -> bool:
        """Carry out one command; False where it is none that is known here."""
        match command:
            case b"^PW":
                self.width = int(values)
            case b"^LL":
                self.length = int(values)
            case b"^LH":
                self.home = _pair(values)
            case b"^FO":
                self.origin = _pair(values)
            case b"^PQ":
                self.copies = int(values.split(b",")[0])
            case b"^GF":
                place = (self.home[0] + self.origin[0], self.home[1] + self.origin[1])
                self.graphics.append((place, _graphic(values)))
            case _:
                return False
        return True

    def picture(self) -> Image.Image:
        """Return the label as it is burnt."""
        paper = Image.new("1", (self.width, self.length), color=1)
        for (x, y), graphic in self.graphics:
            paper.paste(0, (x, y, x + graphic.width, y + graphic.height), mask=graphic)
        return paper


def _pair(values: bytes) -> tuple[int, int]:
    x, y = values.split(b",")[:2]
    return int(x), int(y)


def _graphic(values: bytes) -> Image.Image:
    """Read a graphic field ``A,total,total,bytes a row,hexadecimal``: mode 1, 255 is ink."""
    kind, _, total, row_bytes, digits = values.split(b",", 4)
    if kind != b"A":
        message = "only hexadecimal graphics are simulated"
        raise ValueError(message)
    packed = bytes.fromhex(digits.decode("ascii"))
    if len(packed) != int(total) or len(packed) % int(row_bytes):
        message = f"{len(packed)} bytes of graphic where {int(total)} were announced"
        raise ValueError(message)
    return Image.frombytes("1", (int(row_bytes) * 8, len(packed) // int(row_bytes)), packed)


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedWedge:
    """A scanner that types what it reads: the AIM identifier in front if it is set so, GS as set, then a key."""

    separator: str = "\u241d"
    end: str = "\r"
    sends_aim_identifier: bool = False

    def typed(self, code: DecodedCode) -> str:
        """Return the characters that the scanner types for ``code``."""
        identifier = (code.aim_identifier or "") if self.sends_aim_identifier else ""
        return identifier + code.text.replace(GROUP_SEPARATOR, self.separator) + self.end
