"""The label of a retained sample, 25 × 13 mm: of which lot, which kind, taken when."""

from labels import phrases
from labels.codes import CodeKind
from labels.drawing import Drawing, require_kind
from labels.facts import LabelLanguage, ReagentRetainFacts, RetainFacts
from labels.layout import Row, tube


def draw(facts: RetainFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on a retain. Raises as ``labels.vial.draw``."""
    return tube(
        code=facts.code,
        groups=require_kind(facts.code, CodeKind.RETAIN),
        rows=(
            Row(facts.name, 2.1),
            Row(phrases.word(facts.kind, language), 1.9),
            Row(phrases.labelled("taken", facts.taken_at.date().isoformat(), language), 1.9),
            Row(phrases.clock(facts.taken_at), 1.9),
        ),
        corner="",
        foot=phrases.short_warning(facts.use, facts.infection, language),
        copy=phrases.short_copy(copy, language),
    )


def draw_reagent(facts: ReagentRetainFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on a retain of a material lot. Raises as ``labels.vial.draw``."""
    return tube(
        code=facts.code,
        groups=require_kind(facts.code, CodeKind.RETAIN),
        rows=(
            Row(facts.lot, 2.1),
            Row(facts.material, 1.9, describes=True),
            Row(phrases.labelled("taken", facts.taken_at.date().isoformat(), language), 1.9),
            Row(phrases.clock(facts.taken_at), 1.9),
        ),
        corner="",
        foot=phrases.word("reagent", language),
        copy=phrases.short_copy(copy, language),
    )
