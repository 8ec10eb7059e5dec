"""Growth as a drawing: cumulative doublings and viability over the passages, on one grid."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from app.domain.processing import STEP_NAMES
from app.domain.text import Text
from app.papers.sheet import BAR, INKS, LEFT, LINE, MM, QUIET, WIDTH, Tone
from app.papers.typeface import visible, width
from app.papers.voice import number, passage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.papers.facts import Step
    from app.papers.sheet import Sheet

_HEIGHT: Final = 46 * MM
_INSET: Final = 11 * MM
_STEPS: Final = (Decimal("0.5"), Decimal(1), Decimal(2), Decimal(5), Decimal(10), Decimal(20), Decimal(50))
_VIABILITY: Final = "#0b5cad"


def draw_growth(sheet: Sheet, steps: Sequence[Step], *, max_pdl: Decimal | None) -> None:
    """The curve of the steps in which cells were counted, with the process's limit where it is near."""
    counted = [step for step in steps if step.cpdl is not None and step.kind != "cryopreservation"]
    highest = max(step.cpdl or Decimal(0) for step in counted)
    limit = max_pdl if max_pdl is not None and max_pdl <= highest * 3 else None
    ceiling = max(highest, limit or Decimal(0), Decimal(1)) * Decimal("1.08")
    bottom = sheet.y + 9 * MM + _HEIGHT
    left, right = LEFT + _INSET, LEFT + WIDTH - _INSET

    def level(value: Decimal) -> float:
        return bottom - float(value / ceiling) * _HEIGHT

    _legend(sheet, limit=limit)
    tick = next((each for each in _STEPS if ceiling / each <= 6), Decimal(100))
    for count in range(int(ceiling / tick) + 1):
        y = level(tick * count)
        sheet.rule(y, left=left, right=right, colour=LINE, thick=0.4)
        sheet.text(left - 2 * MM, y + 2.2, number(tick * count), 7, QUIET, align="right")
    for percent in (0, 50, 100):
        y = bottom - percent / 108 * _HEIGHT
        sheet.text(right + 2 * MM, y + 2.2, f"{percent} %", 7, _VIABILITY)
    if limit is not None:
        sheet.line([(left, level(limit)), (right, level(limit))], colour=INKS[Tone.STOP], thick=0.9, dash=True)
    spread = (right - left - 16 * MM) / max(1, len(counted) - 1)
    places = [(left + 8 * MM + spread * index, step) for index, step in enumerate(counted)]
    alive = [
        (x, bottom - float(step.viability_percent) / 108 * _HEIGHT)
        for x, step in places
        if step.viability_percent is not None
    ]
    for points, colour in ((alive, _VIABILITY), ([(x, level(step.cpdl or Decimal(0))) for x, step in places], BAR)):
        if len(points) > 1:
            sheet.line(points, colour=colour, thick=1.3, dash=colour == _VIABILITY)
        for x, y in points:
            sheet.dot(x, y, colour=colour)
    for x, step in places:
        name = sheet.voice.say(next((text for kind, text in STEP_NAMES.items() if kind == step.kind), step.kind))
        sheet.text(x, level(step.cpdl or Decimal(0)) - 4, number(step.cpdl, 2), 7, BAR, align="centre", bold=True)
        sheet.text(x, bottom + 4 * MM, f"{name} {passage(step.passage)}", 7, QUIET, align="centre")
    sheet.y = bottom + 6 * MM


def _legend(sheet: Sheet, *, limit: Decimal | None) -> None:
    x, y = LEFT + _INSET, sheet.y + 5 * MM
    keys = [(BAR, Text("cumulative doublings")), (_VIABILITY, Text("viability"))]
    if limit is not None:
        keys.append((INKS[Tone.STOP], Text("limit of the process, {limit}", limit=number(limit))))
    for colour, text in keys:
        sheet.line([(x, y - 2.4), (x + 6 * MM, y - 2.4)], colour=colour, thick=1.4, dash=colour != BAR)
        said = sheet.voice.say(text)
        sheet.text(x + 7.5 * MM, y, said, 7.4, QUIET)
        x += 13 * MM + width(visible(said), 7.4)
