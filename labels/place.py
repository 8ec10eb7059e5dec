"""The label of a shelf or a position, 100 × 25 mm, to be read and scanned at arm's length."""

from labels import phrases
from labels.codes import CodeKind
from labels.drawing import Drawing, require_kind
from labels.facts import LabelLanguage, PlaceFacts
from labels.layout import Row, sheet


def draw(facts: PlaceFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on a shelf. Raises as ``labels.vial.draw``."""
    groups = require_kind(facts.code, CodeKind.SHELF, CodeKind.POSITION)
    kind = phrases.word(facts.kind, language)
    return sheet(
        code=facts.code,
        title=f"{facts.name or kind} {groups}",
        width_mm=100,
        height_mm=25,
        module_mm=1.25,
        rows=(
            Row(facts.name or kind, 6.4),
            *([Row(kind, 3.6)] if facts.name else []),
            Row(groups, 6.0),
        ),
        copy=phrases.copy_words(copy, language),
    )
