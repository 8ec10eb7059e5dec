"""A label as a drawing in millimetres, and what makes a PDF or a printer's dots of it: shared by every design.

One drawing serves both. The symbol is drawn from modules that were read back, and the dots of a whole label are read
back once more before they leave: nothing that reads differently can be printed.
"""

import io
import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from labels.codes import CodeKind, format_code, parse
from labels.facts import DOTS_PER_MM
from labels.hazard import burn_biohazard, draw_biohazard
from labels.printer_dots import PrinterDots, dots_of
from labels.symbols import Matrix, require_datamatrix, verified_datamatrix
from labels.typeface import FONT_PATH, RAISED_BY, RAISED_SIZE, draw_text, require_glyphs, width_dots
from labels.words import N_, SpokenError, Words

SIZE_MM_MIN: Final = 1.37  # 11 dots at 8 dots/mm: below, Chinese clots
SYMBOL_MODULES: Final = 16  # eleven characters of our alphabet fill no more
CUT: Final = "…"

_POINTS_PER_MM: Final = 72 / 25.4
_MEASURE_DOTS: Final = 256  # an em fine enough to measure widths for every size
_FONT_NAME: Final = "StemmaLabel"
_font_lock: Final = threading.Lock()


class DoesNotFit(SpokenError):
    """A text is too long to be legible in its place on a label."""

    def __init__(self, *, text: str) -> None:
        super().__init__(code="does_not_fit", words=_TOO_LONG, details={"text": text})


_TOO_LONG: Final = Words(
    N_("The label was not printed."),
    N_("The text {text} is empty, or too long to stay legible in its place."),
    N_("Choose a shorter short name, then print again."),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One text in its place: origin and largest width in mm from the top left corner, em in mm."""

    text: str
    left_mm: float
    baseline_mm: float
    width_mm: float
    size_mm: float
    raised: str = ""
    after: str = ""

    @property
    def whole(self) -> str:
        """Everything that the line says."""
        return self.text + self.raised + self.after

    @property
    def ems(self) -> float:
        """The line's advance in ems."""
        plain = width_dots(self.text + self.after, size_dots=_MEASURE_DOTS)
        return (plain + width_dots(self.raised, size_dots=_MEASURE_DOTS) * RAISED_SIZE) / _MEASURE_DOTS

    def fitted(self) -> "Line":
        """Return the line small enough for its width.

        Raises:
            MissingGlyph: the typeface lacks a character.
            DoesNotFit: it would not be legible.

        """
        require_glyphs(self.whole)
        size_mm = min(self.size_mm, self.width_mm / max(self.ems, 0.1))
        if size_mm < SIZE_MM_MIN or not self.whole.strip():
            raise DoesNotFit(text=self.whole)
        return replace(self, size_mm=size_mm)

    def shortened(self) -> "Line":
        """Return the line fitted, its text cut where it describes more than there is room for; never an identity."""
        least_mm = max(SIZE_MM_MIN, self.size_mm * 0.75)
        if self.ems * least_mm <= self.width_mm:
            return self.fitted()
        require_glyphs(self.whole)
        cut = [replace(self, text=self.text[:end].rstrip() + CUT) for end in range(len(self.text))]
        fits = bisect_left(cut, x=True, key=lambda line: line.ems * least_mm > self.width_mm)
        return cut[max(fits - 1, 0)].fitted()


@dataclass(frozen=True, slots=True)
class Symbol:
    """The DataMatrix in its place: its top left corner and one module, in mm; a module is whole dots on every head."""

    left_mm: float
    top_mm: float
    module_mm: float

    @property
    def right_mm(self) -> float:
        """Where its quiet zone ends, on the head that rounds modules up most."""
        return self.left_mm + (SYMBOL_MODULES + 1) * self.module_mm * 1.02

    @property
    def bottom_mm(self) -> float:
        """Likewise, downwards."""
        return self.top_mm + (SYMBOL_MODULES + 1) * self.module_mm * 1.02


@dataclass(frozen=True, slots=True)
class Bar:
    """A black rule, in mm."""

    left_mm: float
    top_mm: float
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True)
class Hazard:
    """The biohazard sign in a square, in mm."""

    left_mm: float
    top_mm: float
    side_mm: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """A whole label. ``code`` is what its symbol says; ``title`` names the PDF."""

    code: str
    title: str
    width_mm: float
    height_mm: float
    symbol: Symbol
    lines: tuple[Line, ...]
    bars: tuple[Bar, ...] = ()
    hazards: tuple[Hazard, ...] = ()

    def pdf(self) -> bytes:
        """Return a PDF of one page of the label's size, all vectors, its typeface embedded; same label, same bytes.

        Raises:
            ReadBackError: the symbol does not read as the code.

        """
        matrix = verified_datamatrix(self.code)
        file = io.BytesIO()
        with _pdf_typeface():
            canvas = Canvas(
                file, pagesize=(self.width_mm * _POINTS_PER_MM, self.height_mm * _POINTS_PER_MM), invariant=1
            )
            canvas.setTitle(self.title)
            canvas.setCreator("Stemma")
            canvas.scale(_POINTS_PER_MM, _POINTS_PER_MM)
            canvas.setFillGray(0)
            self._draw_modules(canvas, matrix)
            for bar in self.bars:
                bottom_mm = self.height_mm - bar.top_mm - bar.height_mm
                canvas.rect(bar.left_mm, bottom_mm, bar.width_mm, bar.height_mm, stroke=0, fill=1)
            for hazard in self.hazards:
                draw_biohazard(canvas, hazard.left_mm, self.height_mm - hazard.top_mm - hazard.side_mm, hazard.side_mm)
            for line in self.lines:
                self._draw_line(canvas, line)
            canvas.save()
        return file.getvalue()

    def dots(self, *, dots_per_mm: float) -> PrinterDots:
        """Return the label in the dots of a print head of 8, 11.8 or 12 dots/mm, whole dots to a module, read back.

        Raises:
            ValueError: no such print head.
            ReadBackError: what is drawn does not read as the code.

        """
        if dots_per_mm not in DOTS_PER_MM:
            message = f"{dots_per_mm} dots/mm: known print heads have {DOTS_PER_MM}"
            raise ValueError(message)
        matrix = verified_datamatrix(self.code)
        size = (round(self.width_mm * dots_per_mm), round(self.height_mm * dots_per_mm))
        picture = Image.new("1", size, color=1)
        _burn_modules(picture, matrix, self.symbol, dots_per_mm=dots_per_mm)
        for bar in self.bars:
            left, top = round(bar.left_mm * dots_per_mm), round(bar.top_mm * dots_per_mm)
            right = left + max(1, round(bar.width_mm * dots_per_mm))
            picture.paste(0, (left, top, right, top + max(1, round(bar.height_mm * dots_per_mm))))
        for hazard in self.hazards:
            corner = (round(hazard.left_mm * dots_per_mm), round(hazard.top_mm * dots_per_mm))
            burn_biohazard(picture, corner, round(hazard.side_mm * dots_per_mm))
        for line in self.lines:
            burn_line(picture, line, dots_per_mm=dots_per_mm)
        dots = dots_of(picture, text=self.code, dots_per_mm=dots_per_mm)
        require_datamatrix(dots.picture(), text=self.code)
        return dots

    def _draw_modules(self, canvas: Canvas, matrix: Matrix) -> None:
        """Fill all dark modules as one path, runs of a row joined, so that no viewer shows seams."""
        path = canvas.beginPath()
        module_mm = self.symbol.module_mm
        for row, modules in enumerate(matrix.rows):
            bottom_mm = self.height_mm - self.symbol.top_mm - (row + 1) * module_mm
            for start, end in _runs(modules):
                left_mm = self.symbol.left_mm + start * module_mm
                path.rect(left_mm, bottom_mm, (end - start) * module_mm, module_mm)
        canvas.drawPath(path, stroke=0, fill=1)

    def _draw_line(self, canvas: Canvas, line: Line) -> None:
        text = canvas.beginText(line.left_mm, self.height_mm - line.baseline_mm)
        text.setFont(_FONT_NAME, line.size_mm)
        text.textOut(line.text)
        if line.raised:
            text.setRise(line.size_mm * RAISED_BY)
            text.setFont(_FONT_NAME, line.size_mm * RAISED_SIZE)
            text.textOut(line.raised)
            text.setRise(0)
            text.setFont(_FONT_NAME, line.size_mm)
            text.textOut(line.after)
        canvas.drawText(text)


def require_kind(code: str, *kinds: CodeKind) -> str:
    """Insist that ``code`` is one of our own, bare, and of one of these kinds; return it in groups.

    Raises:
        CodeError: it is one of ours gone wrong.
        ValueError: it is another kind's, or none of ours.

    """
    read = parse(code)
    if read.kind not in kinds or read.value != code:
        named = " or ".join(kind.name.lower().replace("_", " ") for kind in kinds)
        message = f"this label carries the bare code of a {named}, not {code!r}"
        raise ValueError(message)
    return format_code(code)


def scientific(number: int) -> tuple[str, str]:
    """Return ``5_230_000`` as ``5.23×10`` and ``6``: three significant digits, rounded."""
    mantissa, exponent = f"{number:.2e}".split("e")
    return f"{mantissa}×10", str(int(exponent))


def celsius_at_most(celsius: int) -> str:
    """Return a storage temperature with a real minus sign: ``≤−150 °C``."""
    return f"≤{celsius} °C".replace("-", "−")


@contextmanager
def _pdf_typeface() -> Iterator[None]:
    """Lend reportlab the typeface for one page: kept, its tables would hold 30 MB of every process that prints."""
    with _font_lock:
        font = TTFont(_FONT_NAME, str(FONT_PATH))
        pdfmetrics.registerFont(font)
        try:
            yield
        finally:
            pdfmetrics._fonts.pop(_FONT_NAME, None)  # noqa: SLF001
            pdfmetrics._dynFaceNames.pop(font.face.name, None)  # noqa: SLF001
            # The page and its font refer to each other, which only the collector undoes.
            font.state.clear()


def _runs(modules: tuple[bool, ...]) -> list[tuple[int, int]]:
    """Return the half-open spans of dark modules in a row."""
    edges = [index for index in range(len(modules) + 1) if _dark(modules, index) != _dark(modules, index - 1)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _dark(modules: tuple[bool, ...], index: int) -> bool:
    return 0 <= index < len(modules) and modules[index]


def _burn_modules(picture: Image.Image, matrix: Matrix, symbol: Symbol, *, dots_per_mm: float) -> None:
    module_dots = round(symbol.module_mm * dots_per_mm)
    left, top = round(symbol.left_mm * dots_per_mm), round(symbol.top_mm * dots_per_mm)
    for row, modules in enumerate(matrix.rows):
        for start, end in _runs(modules):
            x, y = left + start * module_dots, top + row * module_dots
            picture.paste(0, (x, y, left + end * module_dots, y + module_dots))


def burn_line(picture: Image.Image, line: Line, *, dots_per_mm: float) -> None:
    """Blacken the dots of one line."""
    baseline = round(line.baseline_mm * dots_per_mm)
    left = round(line.left_mm * dots_per_mm)
    # Hinted widths at whole dots differ a little from the outline's: step down until the line keeps its width.
    size = round(line.size_mm * dots_per_mm)
    while _burnt_width(line, size_dots=size) > line.width_mm * dots_per_mm:
        size -= 1
    draw_text(picture, line.text, left_dots=left, baseline_dots=baseline, size_dots=size)
    if line.raised:
        left += round(width_dots(line.text, size_dots=size))
        small, rise = round(size * RAISED_SIZE), round(size * RAISED_BY)
        draw_text(picture, line.raised, left_dots=left, baseline_dots=baseline - rise, size_dots=small)
        left += round(width_dots(line.raised, size_dots=small))
        draw_text(picture, line.after, left_dots=left, baseline_dots=baseline, size_dots=size)


def _burnt_width(line: Line, *, size_dots: int) -> float:
    raised = width_dots(line.raised, size_dots=round(size_dots * RAISED_SIZE))
    return width_dots(line.text, size_dots=size_dots) + raised + width_dots(line.after, size_dots=size_dots)
