"""The sheet that papers are laid out on: A4, from the top down, breaking where a page ends.

Texts are drawn as they are, character by character: there is no markup, so nothing in a text can act as markup.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from reportlab.pdfgen.canvas import Canvas

from app.domain.text import Text
from app.papers import archive, typeface
from app.papers.facts import Language
from app.papers.typeface import RAISED, THIN_SPACE, visible, width
from app.papers.wrap import wrapped

if TYPE_CHECKING:
    from app.papers.facts import Made
    from app.papers.voice import Voice

MM: Final = 72 / 25.4
PAGE: Final = (210 * MM, 297 * MM)
LEFT: Final = 18 * MM
WIDTH: Final = 174 * MM
TOP: Final = 21 * MM
BOTTOM: Final = 276 * MM
INK, QUIET, LINE, BAR = "#14212b", "#55646f", "#c4ced4", "#0f2a3a"
_GAP_PAIRS: Final = 4 * MM
_CELL_PAD: Final = 3.0
_ROW_MIN_LINES: Final = 3


class Tone(StrEnum):
    """How a word stands out: by its colour and by a sign before it."""

    PLAIN = "plain"
    GO = "go"
    STOP = "stop"
    WAIT = "wait"
    NONE = "none"


INKS: Final = {Tone.PLAIN: INK, Tone.GO: "#076b43", Tone.STOP: "#a3221b", Tone.WAIT: "#7c5100", Tone.NONE: QUIET}


@dataclass(frozen=True, slots=True)
class Cell:
    """A text in a table, with its tone. `below` stands under it, small and quiet."""

    text: str
    tone: Tone = Tone.PLAIN
    below: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its part of the width, and whether it holds numbers."""

    heading: Text
    part: float
    is_number: bool = False


Row: TypeAlias = Sequence[Cell | str]
_Lines: TypeAlias = list[tuple[str, float, str, Tone]]


class Sheet:
    """One paper being drawn. `pages` is how many there will be, or 0 while that is still being counted.

    `places` gathers on which page each section begins; `known` is what an earlier drawing gathered.
    """

    def __init__(self, *, voice: Voice, made: Made, title: Text, name: str, number: str, pages: int) -> None:
        self.voice = voice
        self.made = made
        self.title = title
        self.name = name
        self.number = number
        self.pages = pages
        self.page = 0
        self.y = 0.0
        self.places: dict[str, int] = {}
        self.known: dict[str, int] = {}
        self._file = io.BytesIO()
        self._canvas = Canvas(
            self._file,
            pagesize=PAGE,
            invariant=1,
            pageCompression=1,
            pdfVersion=(1, 7),
            lang="zh-CN" if voice.language is Language.CHINESE else "en",
            initialFontName=typeface.NAME,
        )
        self._turn()

    # -- pages -----------------------------------------------------------------------------------------------------

    def finish(self) -> bytes:
        """Close the file and answer its bytes."""
        self._foot()
        self._canvas.showPage()
        about = archive.About(
            title=f"{self.voice.say(self.title)} {self.name}",
            author=self.made.facility,
            subject=self.number,
            keywords="Stemma",
            language="zh-CN" if self.voice.language is Language.CHINESE else "en",
            at=self.made.at,
        )
        archive.describe(self._canvas, about)
        with archive.kept_streams():
            self._canvas.save()
        return self._file.getvalue()

    def room(self, height: float) -> None:
        """Turn the page unless so much of it is left."""
        if self.y + height > BOTTOM:
            self._turn()

    def _turn(self) -> None:
        if self.page:
            self._foot()
            self._canvas.showPage()
        self.page += 1
        self._head()
        self.y = TOP

    def _head(self) -> None:
        self.text(LEFT, 13.2 * MM, self.made.facility or "Stemma", 7.5, QUIET)
        beside = self.number if self.page == 1 else f"{self.voice.say(self.title)} / {self.name} / {self.number}"
        self.text(LEFT + WIDTH, 13.2 * MM, beside, 7.5, QUIET, align="right")
        self.rule(15.2 * MM, colour=BAR, thick=0.9)
        if self.made.purpose != "production":
            warning = self.voice.say(Text("Not from production: for demonstration and tests only"))
            self.text(LEFT + WIDTH / 2, 10 * MM, warning, 7.5, INKS[Tone.STOP], align="centre", bold=True)

    def _foot(self) -> None:
        say, made = self.voice.say, self.made
        self.rule(280.5 * MM)
        said = Text("Made {at} by {by} ({username})", at=self.voice.second(made.at), by=made.by, username=made.username)
        self.text(LEFT, 284.6 * MM, say(said), 7, QUIET)
        self.text(LEFT, 288.4 * MM, say(Text("A copy of the record. The record is the database.")), 7, QUIET)
        of = say(Text("Page {page} of {pages}", page=self.page, pages=self.pages or 1))
        self.text(LEFT + WIDTH, 284.6 * MM, of, 8, INK, align="right")
        zone = Text("Clock: {zone}", zone=made.zone)
        self.text(LEFT + WIDTH, 288.4 * MM, say(zone), 7, QUIET, align="right")

    # -- drawing ---------------------------------------------------------------------------------------------------

    def text(
        self, x: float, y: float, text: str, size: float, colour: str = INK, *, align: str = "left", bold: bool = False
    ) -> None:
        """Draw one line, its baseline at `y` from the top of the page; alignment is left, right or centre of `x`."""
        shown = visible(text)
        typeface.require_glyphs([shown])
        x -= {"left": 0.0, "right": 1.0, "centre": 0.5}[align] * width(shown, size)
        canvas = self._canvas
        line = canvas.beginText(x, PAGE[1] - y)
        line.setFillColor(colour)
        line.setStrokeColor(colour)
        if bold:
            canvas.setLineWidth(size * 0.028)
            line.setTextRenderMode(2)
        for run, is_raised in _runs(shown):
            line.setFont(typeface.NAME, size * 0.64 if is_raised else size)
            line.setRise(size * 0.36 if is_raised else 0)
            line.textOut(run)
        line.setRise(0)
        if bold:
            line.setTextRenderMode(0)
        canvas.drawText(line)

    def rule(
        self, y: float, *, left: float = LEFT, right: float = LEFT + WIDTH, colour: str = LINE, thick: float = 0.5
    ) -> None:
        """A horizontal line."""
        self._canvas.setStrokeColor(colour)
        self._canvas.setLineWidth(thick)
        self._canvas.line(left, PAGE[1] - y, right, PAGE[1] - y)

    def box(
        self, y: float, height: float, *, colour: str, fill: str | None = None, left: float = LEFT, wide: float = WIDTH
    ) -> None:
        """A frame with its top at `y`."""
        self._canvas.setStrokeColor(colour)
        self._canvas.setLineWidth(0.8)
        if fill is not None:
            self._canvas.setFillColor(fill)
        self._canvas.rect(left, PAGE[1] - y - height, wide, height, stroke=1, fill=int(fill is not None))

    def squares(self, rows: Sequence[Sequence[bool]], *, left: float, top: float, module: float) -> None:
        """Dark modules as one path, runs of a row joined, so that no viewer shows seams."""
        path = self._canvas.beginPath()
        for y, modules in enumerate(rows):
            x = 0
            while x < len(modules):
                start = x
                while x < len(modules) and modules[x]:
                    x += 1
                if x > start:
                    path.rect(left + start * module, PAGE[1] - top - (y + 1) * module, (x - start) * module, module)
                x += 1
        self._canvas.setFillGray(0)
        self._canvas.drawPath(path, stroke=0, fill=1)

    def line(
        self, points: Sequence[tuple[float, float]], *, colour: str, thick: float = 1.2, dash: bool = False
    ) -> None:
        """A line through points given from the top left."""
        canvas = self._canvas
        canvas.setStrokeColor(colour)
        canvas.setLineWidth(thick)
        canvas.setDash([3, 2] if dash else [])
        path = canvas.beginPath()
        path.moveTo(points[0][0], PAGE[1] - points[0][1])
        for x, y in points[1:]:
            path.lineTo(x, PAGE[1] - y)
        canvas.drawPath(path)
        canvas.setDash([])

    def dot(self, x: float, y: float, *, colour: str, radius: float = 2.2) -> None:
        """A filled point."""
        self._canvas.setFillColor(colour)
        self._canvas.circle(x, PAGE[1] - y, radius, stroke=0, fill=1)

    def sign(self, tone: Tone, x: float, y: float, size: float) -> float:
        """The sign of a tone, on the baseline `y`; how far the text moves to the right for it."""
        if tone is Tone.PLAIN:
            return 0.0
        canvas, side, base = self._canvas, size * 0.72, PAGE[1] - y
        canvas.setFillColor(INKS[tone])
        canvas.setStrokeColor(INKS[tone])
        canvas.setLineWidth(size * 0.14)
        path = canvas.beginPath()
        match tone:
            case Tone.GO:
                path.moveTo(x, base + side * 0.45)
                path.lineTo(x + side * 0.36, base + side * 0.05)
                path.lineTo(x + side, base + side * 0.95)
            case Tone.STOP:
                for start, end in ((0.05, 0.95), (0.95, 0.05)):
                    path.moveTo(x + side * 0.05, base + side * start)
                    path.lineTo(x + side * 0.95, base + side * end)
            case Tone.WAIT:
                path.moveTo(x, base)
                path.lineTo(x + side, base)
                path.lineTo(x + side / 2, base + side * 0.95)
                path.close()
            case _:
                path.moveTo(x + side * 0.1, base + side * 0.45)
                path.lineTo(x + side * 0.9, base + side * 0.45)
        canvas.drawPath(path)
        return side + size * 0.34

    # -- parts of a paper ------------------------------------------------------------------------------------------

    def opening(self, subtitle: str, *, state: str, tone: Tone) -> None:
        """The title in both languages, what the paper is about, and where that stands."""
        self._bookmark(self.voice.say(self.title), level=0)
        self.y += 5.5 * MM
        self.text(LEFT, self.y, self.voice.say(self.title), 19, BAR, bold=True)
        at = LEFT + width(visible(self.voice.say(self.title)), 19) + 4 * MM
        self.text(at, self.y, self.voice.other(self.title), 12, QUIET)
        self.y += 7.6 * MM
        self.text(LEFT, self.y, self.name, 12.5, INK, bold=True)
        shown = visible(state)
        x = LEFT + WIDTH - width(shown, 11) - 11 * 1.06 * (tone is not Tone.PLAIN)
        x += self.sign(tone, x, self.y, 11)
        self.text(x, self.y, shown, 11, INKS[tone], bold=True)
        self.y += 1.2 * MM
        for each in wrapped(visible(subtitle), size=9, within=WIDTH):
            self.y += 4.3 * MM
            self.text(LEFT, self.y, each, 9, QUIET)
        self.y += 2.6 * MM

    def heading(self, text: Text, *, keep: float = 33 * MM) -> None:
        """A section's heading in both languages, kept with what follows."""
        self.room(keep)
        self.y += 7.4 * MM if self.y > TOP else 4 * MM
        self._bookmark(self.voice.say(text), level=1)
        said = visible(self.voice.say(text))
        self.text(LEFT, self.y, said, 10.5, BAR, bold=True)
        self.text(LEFT + width(said, 10.5) + 2.4 * MM, self.y, self.voice.other(text), 8, QUIET)
        self.y += 1.7 * MM
        self.rule(self.y, colour=BAR, thick=0.6)

    def section(self, key: str, said: str, other: str, *, keep: float = 33 * MM) -> None:
        """A section whose heading may need more than a line, kept with what follows, its page noted under the key."""
        lines = wrapped(visible(said), size=10.5, within=WIDTH)
        below = wrapped(visible(other), size=8, within=WIDTH) if other else []
        self.room(keep + len(lines) * 5.2 * MM + len(below) * 4 * MM)
        self.y += 3.4 * MM if self.y > TOP else 0
        self.places[key] = self.page
        self._bookmark(said, level=1)
        for line in lines:
            self.y += 5.2 * MM
            self.text(LEFT, self.y, line, 10.5, BAR, bold=True)
        for line in below:
            self.y += 4 * MM
            self.text(LEFT, self.y, line, 8, QUIET)
        self.y += 1.7 * MM
        self.rule(self.y, colour=BAR, thick=0.6)

    def pairs(
        self, pairs: Sequence[tuple[Text, str]], *, columns: int = 3, left: float = LEFT, within: float = WIDTH
    ) -> None:
        """Names over their values, side by side."""
        wide = (within - _GAP_PAIRS * (columns - 1)) / columns
        for start in range(0, len(pairs), columns):
            row = [
                (self.voice.say(name), wrapped(visible(value), size=9, within=wide))
                for name, value in pairs[start : start + columns]
            ]
            height = 3.9 * MM + max(len(lines) for _, lines in row) * 4.0 * MM
            if height < BOTTOM - TOP:
                self.room(height)
            self._pairs_row(row, left=left, wide=wide)

    def _pairs_row(self, row: Sequence[tuple[str, list[str]]], *, left: float, wide: float) -> None:
        rest = [list(lines) for _, lines in row]
        names = [name for name, _ in row]
        while any(rest):
            fits = max(1, int((BOTTOM - self.y - 4.6 * MM) / (4.0 * MM)))
            most = min(fits, max(len(lines) for lines in rest))
            for index, name in enumerate(names):
                x = left + index * (wide + _GAP_PAIRS)
                self.text(x, self.y + 3.9 * MM, name, 6.6, QUIET)
                for number, line in enumerate(rest[index][:most]):
                    self.text(x, self.y + 7.9 * MM + number * 4.0 * MM, line, 9)
                rest[index] = rest[index][most:]
            self.y += 3.9 * MM + most * 4.0 * MM + 0.7 * MM
            if any(rest):
                self._turn()

    def prose(self, text: str, *, size: float = 8, colour: str = INK) -> None:
        """A paragraph."""
        self.y += 0.8 * MM
        for line in wrapped(visible(text), size=size, within=WIDTH):
            self.room(size * 1.45)
            self.y += size * 1.42
            self.text(LEFT, self.y, line, size, colour)
        self.y += 1.2 * MM

    def table(self, columns: Sequence[Column], rows: Sequence[Row], *, empty: Text, size: float = 7.8) -> None:
        """A table that goes on over pages with its headings said again; a row taller than a page goes on too."""
        if not rows:
            self.prose(self.voice.say(empty), colour=QUIET)
            return
        gap = 2.2 * MM
        whole = sum(column.part for column in columns)
        wides = [column.part / whole * (WIDTH - gap * (len(columns) - 1)) for column in columns]
        lefts = [LEFT + sum(wides[:index]) + gap * index for index in range(len(columns))]
        places = list(zip(columns, lefts, wides, strict=True))
        headings = [wrapped(visible(self.voice.say(c.heading)), size=6.6, within=w) for c, _, w in places]
        tall = max(len(lines) for lines in headings) * 8.4 + 5

        def head() -> None:
            for (column, left, wide), lines in zip(places, headings, strict=True):
                for number, line in enumerate(lines):
                    x = left + wide if column.is_number else left
                    self.text(x, self.y + 9 + number * 8.4, line, 6.6, QUIET, align=_side(column))
            self.y += tall
            self.rule(self.y, colour=QUIET, thick=0.5)

        leading = size * 1.36
        self.room(tall + leading * 2 + _CELL_PAD * 2)
        head()
        for row in rows:
            cells = [_cell_lines(cell, size=size, within=wide) for cell, wide in zip(row, wides, strict=True)]
            self._row(places, cells, leading=leading, head=head, head_tall=tall)

    def _row(
        self,
        places: Sequence[tuple[Column, float, float]],
        cells: list[_Lines],
        *,
        leading: float,
        head: Callable[[], None],
        head_tall: float,
    ) -> None:
        count = max(len(lines) for lines in cells)
        whole_page = int((BOTTOM - TOP - head_tall - 2 * _CELL_PAD) / leading)
        while count:
            fits = int((BOTTOM - self.y - 2 * _CELL_PAD) / leading)
            if fits < count and (count <= whole_page or fits < _ROW_MIN_LINES):
                self._turn()
                head()
                fits = whole_page
            most = min(fits, count)
            for (column, left, wide), lines in zip(places, cells, strict=True):
                for number, (line, size, colour, tone) in enumerate(lines[:most]):
                    y = self.y + _CELL_PAD + leading * number + size
                    x = left + wide if column.is_number else left + self.sign(tone, left, y, size)
                    self.text(x, y, line, size, colour, align=_side(column))
            self.y += most * leading + 2 * _CELL_PAD
            self.rule(self.y)
            cells = [lines[most:] for lines in cells]
            count -= most

    def _bookmark(self, title: str, *, level: int) -> None:
        key = f"{self.page}-{self.y:.1f}"
        self._canvas.bookmarkHorizontalAbsolute(key, PAGE[1] - self.y + 8 * MM)
        self._canvas.addOutlineEntry(title, key, level=level)


def _side(column: Column) -> str:
    return "right" if column.is_number else "left"


def _cell_lines(cell: Cell | str, *, size: float, within: float) -> _Lines:
    cell = Cell(cell) if isinstance(cell, str) else cell
    moved = 0.0 if cell.tone is Tone.PLAIN else size * 1.06
    lines: _Lines = []
    for number, line in enumerate(wrapped(visible(cell.text), size=size, within=within - moved)):
        lines.append((line, size, INKS[cell.tone], Tone.PLAIN if number else cell.tone))
    if cell.below:
        lines += [
            (line, size * 0.86, QUIET, Tone.PLAIN)
            for line in wrapped(visible(cell.below), size=size * 0.86, within=within)
        ]
    return lines


def _runs(text: str) -> list[tuple[str, bool]]:
    """The text in runs of flat and raised characters, as the typeface can draw them."""
    runs: list[tuple[str, bool]] = []
    for character in text.replace(THIN_SPACE, " "):
        drawn, is_raised = RAISED.get(character, character), character in RAISED
        if runs and runs[-1][1] is is_raised:
            runs[-1] = (runs[-1][0] + drawn, is_raised)
        else:
            runs.append((drawn, is_raised))
    return runs
