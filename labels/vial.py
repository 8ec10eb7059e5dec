"""The label of a cryogenic vial, 25 × 13 mm: one DataMatrix and seven short texts."""

from labels import phrases
from labels.codes import CodeKind
from labels.drawing import Drawing, celsius_at_most, require_kind, scientific
from labels.facts import LabelLanguage, VialFacts
from labels.layout import Row, tube


def draw(facts: VialFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on a vial.

    Raises:
        CodeError, ValueError: ``facts.code`` is not the bare code of a vial.
        MissingGlyph: the typeface lacks a character.
        DoesNotFit: a text is too long.

    """
    mantissa, exponent = scientific(facts.cells)
    number = "" if facts.vial_number is None else f" /{facts.vial_number}"
    return tube(
        code=facts.code,
        groups=require_kind(facts.code, CodeKind.VIAL),
        rows=(
            Row(f"{facts.name}{number}", 2.1),
            Row(facts.product, 2.0, describes=True),
            Row(f"P{facts.passage_number}  {mantissa}", 1.9, raised=exponent, after=phrases.word("cells", language)),
            Row(f"{phrases.word('frozen', language)} {facts.frozen_on.isoformat()}", 1.9),
        ),
        corner=celsius_at_most(facts.storage_celsius_max),
        foot=phrases.short_warning(facts.use, facts.infection, language),
        copy=phrases.short_copy(copy, language),
    )
