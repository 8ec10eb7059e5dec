"""The label of a bag of frozen product, 100 × 50 mm: everything that must travel with the cells.

The person's name is not on it: identity is revealed only on purpose, and a label is read by everybody. Donor and
recipient stand as pseudonyms.
"""

from labels import phrases
from labels.codes import CodeKind
from labels.drawing import Drawing, celsius_at_most, require_kind, scientific
from labels.facts import BagFacts, LabelLanguage
from labels.layout import Row, sheet


def draw(facts: BagFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on a bag. Raises as ``labels.vial.draw``."""
    groups = require_kind(facts.code, CodeKind.BAG)
    warning = phrases.infection_words(facts.infection, language)
    mantissa, exponent = scientific(facts.cells)
    whose = phrases.labelled("donor", facts.donor, language)
    if facts.recipient:
        whose += f"   {phrases.labelled('recipient', facts.recipient, language)}"
    expiry = phrases.word("no_expiry", language)
    if facts.expires_on is not None:
        expiry = phrases.labelled("expires", facts.expires_on.isoformat(), language)
    return sheet(
        code=facts.code,
        title=f"{facts.name} {groups}",
        width_mm=100,
        height_mm=50,
        module_mm=1.0,
        rows=(
            Row(facts.name, 4.8),
            Row(facts.product, 3.8),
            Row(
                f"P{facts.passage_number}   {facts.volume_ml} mL   {mantissa}",
                3.3,
                raised=exponent,
                after=phrases.word("cells", language),
            ),
            Row(whose, 3.0),
            Row(f"{phrases.labelled('frozen', facts.frozen_on.isoformat(), language)}   {expiry}", 3.0),
            Row(phrases.labelled("storage", celsius_at_most(facts.storage_celsius_max), language), 3.0),
            Row(groups, 3.6),
        ),
        foot=(
            Row(phrases.use_words(facts.use, language), 3.2),
            *([Row(warning, 2.9)] if warning else []),
            Row(f"{phrases.word('research', language)}   {phrases.word('irradiate', language)}", 2.4),
            Row(facts.facility, 2.2, describes=True),
        ),
        copy=phrases.copy_words(copy, language),
        hazard=phrases.hazard(facts.infection, language),
    )
