"""Two arrangements that most labels share: a sheet with its symbol at the left, and the 25 × 13 mm of a tube."""

from dataclasses import dataclass
from typing import Final

from labels.drawing import Bar, Drawing, Hazard, Line, Symbol

PITCH: Final = 1.18  # from one line to the next, in ems
ASCENT: Final = 0.92  # of the tallest character, in ems, with a little air

TUBE_WIDTH_MM: Final = 25.0
TUBE_HEIGHT_MM: Final = 13.0
_TUBE_SYMBOL: Final = Symbol(left_mm=0.9, top_mm=0.75, module_mm=0.5)
_TUBE_COLUMN_MM: Final = 9.9
_TUBE_RIGHT_MM: Final = 24.5
_TUBE_BASELINES_MM: Final = (2.45, 4.65, 6.75, 8.85)
_TUBE_CODE_MM: Final = 10.95
_TUBE_FOOT_MM: Final = 12.65

_MARGIN_MM: Final = 1.5
_COPY_SIZE_MM: Final = 1.7
_BAR_MM: Final = 0.25


@dataclass(frozen=True, slots=True)
class Row:
    """One text of an arrangement and its em in mm. ``describes``: it may be cut short, for it identifies nothing."""

    text: str
    size_mm: float
    raised: str = ""
    after: str = ""
    describes: bool = False

    def placed(self, *, left_mm: float, baseline_mm: float, width_mm: float) -> Line:
        """Return the row in its place.

        Raises:
            MissingGlyph, DoesNotFit: it cannot be shown there.

        """
        line = Line(self.text, left_mm, baseline_mm, width_mm, self.size_mm, self.raised, self.after)
        return line.shortened() if self.describes else line.fitted()


def tube(*, code: str, groups: str, rows: tuple[Row, ...], corner: str, foot: str, copy: str) -> Drawing:
    """Arrange 25 × 13 mm: four rows beside the symbol, the code with a corner, and across the foot who it is for."""
    column_mm = _TUBE_RIGHT_MM - _TUBE_COLUMN_MM
    lines = [
        row.placed(left_mm=_TUBE_COLUMN_MM, baseline_mm=baseline_mm, width_mm=column_mm)
        for row, baseline_mm in zip(rows, _TUBE_BASELINES_MM, strict=False)
    ]
    code_right_mm = _TUBE_RIGHT_MM
    if corner:
        line = Line(corner, 0, _TUBE_CODE_MM, 7.6, 1.65).fitted()
        left_mm = _TUBE_RIGHT_MM - line.ems * line.size_mm
        lines.append(Line(corner, left_mm, _TUBE_CODE_MM, _TUBE_RIGHT_MM - left_mm, line.size_mm))
        code_right_mm = left_mm - 0.6
    left_mm = _TUBE_SYMBOL.left_mm
    lines.append(Row(groups, 1.9).placed(left_mm=left_mm, baseline_mm=_TUBE_CODE_MM, width_mm=code_right_mm - left_mm))
    foot_right_mm = _TUBE_RIGHT_MM
    if copy:
        said = _at_right(copy, right_mm=_TUBE_RIGHT_MM, baseline_mm=_TUBE_FOOT_MM, size_mm=1.4)
        lines.append(said)
        foot_right_mm = said.left_mm - 0.6
    lines.append(Row(foot, 1.6).placed(left_mm=left_mm, baseline_mm=_TUBE_FOOT_MM, width_mm=foot_right_mm - left_mm))
    return Drawing(
        code=code,
        title=f"{rows[0].text} {groups}",
        width_mm=TUBE_WIDTH_MM,
        height_mm=TUBE_HEIGHT_MM,
        symbol=_TUBE_SYMBOL,
        lines=tuple(lines),
    )


def sheet(
    *,
    code: str,
    title: str,
    width_mm: float,
    height_mm: float,
    module_mm: float,
    rows: tuple[Row, ...],
    foot: tuple[Row, ...] = (),
    copy: str = "",
    hazard: str = "",
) -> Drawing:
    """Arrange a sheet: symbol at the left, rows beside it, the foot under a rule; ``hazard`` adds the sign to the foot.

    ``hazard`` is the text of the warning, or "" where there is nothing to warn of; the text itself stands in ``foot``.
    """
    symbol = Symbol(left_mm=_MARGIN_MM, top_mm=_MARGIN_MM, module_mm=module_mm)
    column_mm = symbol.right_mm + 0.5
    right_mm = width_mm - _MARGIN_MM
    lines: list[Line] = []
    top_mm = _MARGIN_MM - 0.2
    for row in rows:
        baseline_mm = top_mm + ASCENT * row.size_mm
        lines.append(row.placed(left_mm=column_mm, baseline_mm=baseline_mm, width_mm=right_mm - column_mm))
        top_mm += PITCH * row.size_mm
    foot_top_mm = height_mm - _MARGIN_MM + 0.5 - sum(PITCH * row.size_mm for row in foot)
    assert max(top_mm, symbol.bottom_mm) <= foot_top_mm + 0.1, "the design leaves room for its foot"
    bars = (Bar(_MARGIN_MM, foot_top_mm - 0.2, width_mm - 2 * _MARGIN_MM, _BAR_MM),) if foot else ()
    hazards: tuple[Hazard, ...] = ()
    if hazard:
        side_mm = height_mm - foot_top_mm - 1.1
        hazards = (Hazard(right_mm - side_mm, foot_top_mm + 0.5, side_mm),)
        right_mm -= side_mm + 0.8
    last_mm = height_mm - _MARGIN_MM + 0.5 - (PITCH - ASCENT) * (foot[-1].size_mm if foot else _COPY_SIZE_MM)
    copied = _at_right(copy, right_mm=right_mm, baseline_mm=last_mm, size_mm=_COPY_SIZE_MM) if copy else None
    for number, row in enumerate(foot):
        is_last = number == len(foot) - 1
        ends_mm = copied.left_mm - 0.8 if copied is not None and is_last else right_mm
        baseline_mm = foot_top_mm + sum(PITCH * each.size_mm for each in foot[:number]) + ASCENT * row.size_mm
        lines.append(row.placed(left_mm=_MARGIN_MM, baseline_mm=baseline_mm, width_mm=ends_mm - _MARGIN_MM))
    return Drawing(
        code=code,
        title=title,
        width_mm=width_mm,
        height_mm=height_mm,
        symbol=symbol,
        lines=(*lines, *([copied] if copied else [])),
        bars=bars,
        hazards=hazards,
    )


def _at_right(text: str, *, right_mm: float, baseline_mm: float, size_mm: float) -> Line:
    measured = Line(text, 0, baseline_mm, right_mm, size_mm).fitted()
    width_mm = measured.ems * measured.size_mm + 0.1
    return Line(text, right_mm - width_mm, baseline_mm, width_mm, measured.size_mm)
