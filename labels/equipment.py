"""The label of a workstation or another piece of equipment, 100 × 25 mm, to be scanned in passing."""

from labels import phrases
from labels.codes import CodeKind
from labels.drawing import Drawing, require_kind
from labels.facts import EquipmentFacts, LabelLanguage
from labels.layout import Row, sheet


def draw(facts: EquipmentFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on equipment. Raises as ``labels.vial.draw``."""
    groups = require_kind(facts.code, CodeKind.EQUIPMENT)
    return sheet(
        code=facts.code,
        title=f"{facts.name} {groups}",
        width_mm=100,
        height_mm=25,
        module_mm=1.25,
        rows=(
            Row(facts.name, 6.4),
            Row(f"{phrases.kind_word(facts.kind, language)}   {facts.room}", 3.6, describes=True),
            Row(groups, 6.0),
        ),
        copy=phrases.copy_words(copy, language),
    )
