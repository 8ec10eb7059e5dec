"""The label of a culture flask, 50 × 25 mm: whose cells, of which passage, since when."""

from labels import phrases
from labels.codes import CodeKind
from labels.drawing import Drawing, require_kind
from labels.facts import FlaskFacts, LabelLanguage
from labels.layout import Row, sheet


def draw(facts: FlaskFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on a flask. Raises as ``labels.vial.draw``."""
    groups = require_kind(facts.code, CodeKind.FLASK)
    warning = phrases.infection_words(facts.infection, language)
    return sheet(
        code=facts.code,
        title=f"{facts.name} {groups}",
        width_mm=50,
        height_mm=25,
        module_mm=0.75,
        rows=(
            Row(f"{facts.name}  P{facts.passage_number}", 3.2),
            Row(facts.product, 2.5, describes=True),
            Row(phrases.labelled("donor", facts.donor, language), 2.4),
            Row(phrases.labelled("seeded", phrases.minute(facts.seeded_at), language), 2.2),
            Row(groups, 2.7),
        ),
        foot=(
            Row(phrases.use_words(facts.use, language), 2.3),
            *([Row(warning, 2.0)] if warning else []),
        ),
        copy=phrases.copy_words(copy, language),
        hazard=phrases.hazard(facts.infection, language),
    )
