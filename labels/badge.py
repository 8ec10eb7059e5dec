"""A person's badge, 54 × 86 mm upright: name, symbol and code. It identifies; by itself it opens nothing."""

from typing import Final

from labels import phrases
from labels.codes import CodeKind
from labels.drawing import Bar, Drawing, Line, Symbol, require_kind
from labels.facts import BadgeFacts, LabelLanguage
from labels.layout import Row

_WIDTH_MM: Final = 54.0
_HEIGHT_MM: Final = 86.0
_MARGIN_MM: Final = 4.0
_SYMBOL: Final = Symbol(left_mm=11.0, top_mm=36.0, module_mm=2.0)


def draw(facts: BadgeFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on a badge. Raises as ``labels.vial.draw``."""
    groups = require_kind(facts.code, CodeKind.BADGE)
    issued = phrases.labelled("issued", facts.issued_on.isoformat(), language)
    again = phrases.copy_words(copy, language)
    return Drawing(
        code=facts.code,
        title=f"{facts.printed_name} {groups}",
        width_mm=_WIDTH_MM,
        height_mm=_HEIGHT_MM,
        symbol=_SYMBOL,
        lines=(
            _centred(Row(facts.facility, 3.2, describes=True), 8.0),
            _centred(Row(facts.printed_name, 7.0), 20.0),
            _centred(Row(f"{phrases.word('badge', language)}  {facts.username}", 3.4), 28.5),
            _centred(Row(groups, 4.2), 76.0),
            _centred(Row(f"{issued}  {again}".strip(), 2.6), 82.0),
        ),
        bars=(Bar(_MARGIN_MM, 11.0, _WIDTH_MM - 2 * _MARGIN_MM, 0.4),),
    )


def _centred(row: Row, baseline_mm: float) -> Line:
    width_mm = _WIDTH_MM - 2 * _MARGIN_MM
    line = row.placed(left_mm=_MARGIN_MM, baseline_mm=baseline_mm, width_mm=width_mm)
    taken_mm = line.ems * line.size_mm
    return Line(line.text, _MARGIN_MM + (width_mm - taken_mm) / 2, baseline_mm, taken_mm + 0.2, line.size_mm)
