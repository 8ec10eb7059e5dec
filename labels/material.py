"""The label of a container of a material, 50 × 25 mm.

Whether its lot is in quarantine, approved or recalled is not printed: that changes, and paper would go on saying the old
state. It says instead that a scan tells.
"""

from labels import phrases
from labels.codes import CodeKind
from labels.drawing import Drawing, require_kind
from labels.facts import LabelLanguage, MaterialFacts
from labels.layout import Row, sheet


def draw(facts: MaterialFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on a container of a material. Raises as ``labels.vial.draw``."""
    groups = require_kind(facts.code, CodeKind.MATERIAL_CONTAINER)
    expiry = phrases.word("no_expiry", language)
    if facts.expires_on is not None:
        expiry = phrases.labelled("expires", facts.expires_on.isoformat(), language)
    return sheet(
        code=facts.code,
        title=f"{facts.lot} {groups}",
        width_mm=50,
        height_mm=25,
        module_mm=0.75,
        rows=(
            Row(facts.material, 2.9, describes=True),
            Row(f"{facts.lot} /{facts.container_number}", 2.6),
            Row(phrases.labelled("supplier_lot", facts.supplier_lot, language), 2.3),
            Row(expiry, 2.5),
            Row(groups, 2.7),
        ),
        foot=(Row(phrases.word("status", language), 2.1),),
        copy=phrases.copy_words(copy, language),
    )
