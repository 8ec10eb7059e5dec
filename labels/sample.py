"""The label of a sample tube, 25 × 13 mm: of which lot, for what, taken when."""

from labels import phrases
from labels.codes import CodeKind
from labels.drawing import Drawing, require_kind
from labels.facts import LabelLanguage, SampleFacts
from labels.layout import Row, tube


def draw(facts: SampleFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on a sample. Raises as ``labels.vial.draw``."""
    return tube(
        code=facts.code,
        groups=require_kind(facts.code, CodeKind.SAMPLE_TUBE),
        rows=(
            Row(facts.name, 2.1),
            Row(facts.purpose, 2.0, describes=True),
            Row(phrases.labelled("taken", facts.taken_at.date().isoformat(), language), 1.9),
            Row(phrases.clock(facts.taken_at), 1.9),
        ),
        corner="",
        foot=phrases.short_warning(facts.use, facts.infection, language),
        copy=phrases.short_copy(copy, language),
    )
