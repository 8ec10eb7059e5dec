"""The label of a donation, 50 × 25 mm: whose it is as a pseudonym, and that it waits for the donor's determination."""

from labels import phrases
from labels.codes import CodeKind, check_character
from labels.drawing import Drawing, require_kind
from labels.facts import DonationFacts, LabelLanguage
from labels.layout import Row, sheet


def draw(facts: DonationFacts, *, language: LabelLanguage, copy: int = 1) -> Drawing:
    """Place what stands on a donation; its DIN is grouped as printed, its check character in brackets. Raises as above."""
    groups = require_kind(facts.code, CodeKind.DONATION)
    warning = phrases.infection_words(facts.infection, language)
    return sheet(
        code=facts.code,
        title=f"{facts.donor} {groups}",
        width_mm=50,
        height_mm=25,
        module_mm=0.75,
        rows=(
            Row(phrases.labelled("donor", facts.donor, language), 3.0),
            Row(facts.tissue, 2.3, describes=True),
            Row(phrases.labelled("collected", phrases.minute(facts.collected_at), language), 2.1),
            *([Row(_din(facts.din), 2.1)] if facts.din else []),
            Row(groups, 2.6),
        ),
        foot=(
            Row(phrases.word("quarantine", language), 2.0),
            Row(phrases.use_words(facts.use, language), 1.9),
            *([Row(warning, 1.9)] if warning else []),
        ),
        copy=phrases.copy_words(copy, language),
        hazard=phrases.hazard(facts.infection, language),
    )


def _din(din: str) -> str:
    return f"DIN {din[:5]} {din[5:7]} {din[7:]} [{check_character(din)}]"
