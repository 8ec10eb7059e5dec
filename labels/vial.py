"""The label of a cryogenic vial, 25 × 13 mm: one DataMatrix and seven short texts, as PDF and as printer's dots.

One layout in millimetres serves both. The symbol is drawn from modules that were read back, and the dots of a whole
label are read back once more before they leave: nothing that reads differently can be printed.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from labels.codes import CodeKind, format_code, parse
from labels.printer_dots import DOTS_PER_MM, PrinterDots, dots_of
from labels.symbols import Matrix, require_datamatrix, verified_datamatrix
from labels.typeface import FONT_PATH, RAISED_BY, RAISED_SIZE, draw_text, require_glyphs, width_dots
from labels.words import N_, SpokenError, Words

WIDTH_MM: Final = 25.0
HEIGHT_MM: Final = 13.0

_MODULE_MM: Final = 0.5
_SYMBOL_LEFT_MM: Final = 0.9
_SYMBOL_TOP_MM: Final = 0.75
_SYMBOL_MODULES_MAX: Final = 16
_COLUMN_MM: Final = 9.9
_RIGHT_MM: Final = 24.5
_SIZE_MM_MIN: Final = 1.37  # 11 dots at 8 dots/mm: below, Chinese clots
_POINTS_PER_MM: Final = 72 / 25.4
_MEASURE_DOTS: Final = 256  # an em fine enough to measure widths for every size

_FONT_NAME: Final = "StemmaLabel"
_font_lock: Final = threading.Lock()


class VialUse(StrEnum):
    """Whom the cells are for."""

    AUTOLOGOUS = "autologous"
    ALLOGENEIC = "allogeneic"


class LabelLanguage(StrEnum):
    """The language of the few words on a label."""

    ENGLISH = "en"
    CHINESE = "zh"


_CELLS: Final = {LabelLanguage.ENGLISH: " cells", LabelLanguage.CHINESE: " 细胞"}
_FROZEN: Final = {LabelLanguage.ENGLISH: "Frozen", LabelLanguage.CHINESE: "冻存"}
_USE: Final = {
    (LabelLanguage.ENGLISH, VialUse.AUTOLOGOUS): "FOR AUTOLOGOUS USE ONLY",
    (LabelLanguage.CHINESE, VialUse.AUTOLOGOUS): "仅限自体使用 AUTOLOGOUS",
    (LabelLanguage.ENGLISH, VialUse.ALLOGENEIC): "ALLOGENEIC",
    (LabelLanguage.CHINESE, VialUse.ALLOGENEIC): "异体 ALLOGENEIC",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class VialFacts:
    """What stands on a vial. ``code`` is our own code of kind vial; ``product`` its short name, in either script.

    ``cells`` are counted per vial and shown to three significant digits; ``vial_number`` counts within the lot;
    ``storage_celsius_max`` is the warmest temperature that the vial may be stored at.
    """

    code: str
    name: str
    product: str
    passage_number: int
    cells: int
    frozen_on: date
    use: VialUse
    storage_celsius_max: int
    vial_number: int | None = None


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
class _Line:
    """One text in its place: origin and largest width in mm from the top left corner, em in mm."""

    text: str
    left_mm: float
    baseline_mm: float
    width_mm: float
    size_mm: float
    raised: str = ""
    after: str = ""

    @property
    def ems(self) -> float:
        """The line's advance in ems."""
        plain = width_dots(self.text + self.after, size_dots=_MEASURE_DOTS)
        return (plain + width_dots(self.raised, size_dots=_MEASURE_DOTS) * RAISED_SIZE) / _MEASURE_DOTS


def vial_pdf(facts: VialFacts, *, language: LabelLanguage = LabelLanguage.ENGLISH) -> bytes:
    """Return the label as a PDF of one page, 25 × 13 mm, all vectors, its typeface embedded; same facts, same bytes.

    Raises:
        CodeError: ``facts.code`` is not the code of a vial.
        MissingGlyph: the typeface lacks a character.
        DoesNotFit: a text is too long.
        ReadBackError: the symbol does not read as the code.

    """
    matrix = _matrix(facts)
    lines = _layout(facts, language=language)
    file = io.BytesIO()
    with _pdf_typeface():
        canvas = Canvas(file, pagesize=(WIDTH_MM * _POINTS_PER_MM, HEIGHT_MM * _POINTS_PER_MM), invariant=1)
        canvas.setTitle(f"{facts.name} {format_code(facts.code)}")
        canvas.setCreator("Stemma")
        canvas.scale(_POINTS_PER_MM, _POINTS_PER_MM)
        _draw_modules(canvas, matrix)
        for line in lines:
            _draw_line(canvas, line)
        canvas.save()
    return file.getvalue()


def vial_dots(facts: VialFacts, *, dots_per_mm: float, language: LabelLanguage = LabelLanguage.ENGLISH) -> PrinterDots:
    """Return the label in the dots of a print head of 8, 11.8 or 12 dots/mm, whole dots to a module, read back.

    Raises:
        ValueError: no such print head.
        CodeError, MissingGlyph, DoesNotFit, ReadBackError: as ``vial_pdf``.

    """
    if dots_per_mm not in DOTS_PER_MM:
        message = f"{dots_per_mm} dots/mm: known print heads have {DOTS_PER_MM}"
        raise ValueError(message)
    matrix = _matrix(facts)
    size = (round(WIDTH_MM * dots_per_mm), round(HEIGHT_MM * dots_per_mm))
    picture = Image.new("1", size, color=1)
    _burn_modules(picture, matrix, dots_per_mm=dots_per_mm)
    for line in _layout(facts, language=language):
        _burn_line(picture, line, dots_per_mm=dots_per_mm)
    dots = dots_of(picture, text=facts.code, dots_per_mm=dots_per_mm)
    require_datamatrix(dots.picture(), text=facts.code)
    return dots


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


def _matrix(facts: VialFacts) -> Matrix:
    code = parse(facts.code)
    if code.kind is not CodeKind.VIAL or code.value != facts.code:
        message = f"a vial's label carries the bare code of a vial, not {facts.code!r}"
        raise ValueError(message)
    matrix = verified_datamatrix(facts.code)
    assert matrix.side <= _SYMBOL_MODULES_MAX, "eleven characters of our alphabet fill at most 16 × 16 modules"
    return matrix


def _layout(facts: VialFacts, *, language: LabelLanguage) -> tuple[_Line, ...]:
    """Place the texts: four beside the symbol, and across the foot the code with its storage, then the use."""
    column_mm = _RIGHT_MM - _COLUMN_MM
    mantissa, exponent = _scientific(facts.cells)
    number = "" if facts.vial_number is None else f" /{facts.vial_number}"
    storage = f"≤{facts.storage_celsius_max} °C".replace("-", "−")
    storage_line = _fitted(_Line(storage, 0, 10.95, 7.6, 1.65))
    storage_left_mm = _RIGHT_MM - storage_line.ems * storage_line.size_mm
    wide_mm = _RIGHT_MM - _SYMBOL_LEFT_MM
    return (
        _fitted(_Line(f"{facts.name}{number}", _COLUMN_MM, 2.45, column_mm, 2.1)),
        _fitted(_Line(facts.product, _COLUMN_MM, 4.65, column_mm, 2.0)),
        _fitted(
            _Line(
                f"P{facts.passage_number}  {mantissa}",
                _COLUMN_MM,
                6.75,
                column_mm,
                1.9,
                raised=exponent,
                after=_CELLS[language],
            )
        ),
        _fitted(_Line(f"{_FROZEN[language]} {facts.frozen_on.isoformat()}", _COLUMN_MM, 8.85, column_mm, 1.9)),
        _fitted(_Line(format_code(facts.code), _SYMBOL_LEFT_MM, 10.95, storage_left_mm - _SYMBOL_LEFT_MM - 0.6, 1.9)),
        _Line(storage, storage_left_mm, 10.95, _RIGHT_MM - storage_left_mm, storage_line.size_mm),
        _fitted(_Line(_USE[language, facts.use], _SYMBOL_LEFT_MM, 12.65, wide_mm, 1.6)),
    )


def _fitted(line: _Line) -> _Line:
    """Return ``line`` small enough for its width, or refuse."""
    whole = line.text + line.raised + line.after
    require_glyphs(whole)
    size_mm = min(line.size_mm, line.width_mm / max(line.ems, 0.1))
    if size_mm < _SIZE_MM_MIN or not whole.strip():
        raise DoesNotFit(text=whole)
    return _Line(line.text, line.left_mm, line.baseline_mm, line.width_mm, size_mm, line.raised, line.after)


def _scientific(cells: int) -> tuple[str, str]:
    """Return ``5_230_000`` as ``5.23×10`` and ``6``: three significant digits, rounded."""
    mantissa, exponent = f"{cells:.2e}".split("e")
    return f"{mantissa}×10", str(int(exponent))


def _draw_modules(canvas: Canvas, matrix: Matrix) -> None:
    """Fill all dark modules as one path, runs of a row joined, so that no viewer shows seams."""
    path = canvas.beginPath()
    for row, modules in enumerate(matrix.rows):
        bottom_mm = HEIGHT_MM - _SYMBOL_TOP_MM - (row + 1) * _MODULE_MM
        for start, end in _runs(modules):
            path.rect(_SYMBOL_LEFT_MM + start * _MODULE_MM, bottom_mm, (end - start) * _MODULE_MM, _MODULE_MM)
    canvas.setFillGray(0)
    canvas.drawPath(path, stroke=0, fill=1)


def _runs(modules: tuple[bool, ...]) -> list[tuple[int, int]]:
    """Return the half-open spans of dark modules in a row."""
    edges = [index for index in range(len(modules) + 1) if _dark(modules, index) != _dark(modules, index - 1)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _dark(modules: tuple[bool, ...], index: int) -> bool:
    return 0 <= index < len(modules) and modules[index]


def _draw_line(canvas: Canvas, line: _Line) -> None:
    text = canvas.beginText(line.left_mm, HEIGHT_MM - line.baseline_mm)
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


def _burn_modules(picture: Image.Image, matrix: Matrix, *, dots_per_mm: float) -> None:
    module_dots = round(_MODULE_MM * dots_per_mm)
    left, top = round(_SYMBOL_LEFT_MM * dots_per_mm), round(_SYMBOL_TOP_MM * dots_per_mm)
    for row, modules in enumerate(matrix.rows):
        for start, end in _runs(modules):
            x, y = left + start * module_dots, top + row * module_dots
            picture.paste(0, (x, y, left + end * module_dots, y + module_dots))


def _burn_line(picture: Image.Image, line: _Line, *, dots_per_mm: float) -> None:
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


def _burnt_width(line: _Line, *, size_dots: int) -> float:
    raised = width_dots(line.raised, size_dots=round(size_dots * RAISED_SIZE))
    return width_dots(line.text, size_dots=size_dots) + raised + width_dots(line.after, size_dots=size_dots)
