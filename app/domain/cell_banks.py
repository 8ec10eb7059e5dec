"""Cell banks as people plan and keep them: tiers, conditions of the guideline, phases of storage."""

from collections.abc import Mapping
from types import MappingProxyType

from app.domain.errors import BadInput
from app.domain.text import Text

MASTER, WORKING = "master", "working"
TIER_NAMES: Mapping[str, Text] = MappingProxyType(
    {MASTER: Text("master cell bank"), WORKING: Text("working cell bank")}
)
LOT_PREFIX: Mapping[str, str] = MappingProxyType({MASTER: "MCB", WORKING: "WCB"})
PHASE_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "vapour": Text("nitrogen vapour"),
        "liquid": Text("liquid nitrogen"),
        "mechanical": Text("mechanical freezer"),
    }
)
CONDITION_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "long_term_expansion": Text("the cells are expanded for long"),
        "gene_modified": Text("the cells are gene modified"),
        "clone_selected": Text("clones are selected"),
        "autologous": Text("the cells go back to their donor alone"),
        "short_cycle": Text("the process is short"),
        "low_manipulation": Text("the manipulation is low"),
    }
)
"""What the guideline makes a bank depend on: the first three ask for one, all of the last three together do without."""
ASK_FOR_A_BANK = frozenset({"long_term_expansion", "gene_modified", "clone_selected"})
DO_WITHOUT = frozenset({"autologous", "short_cycle", "low_manipulation"})


def refuse_another_tier(tier: str | None, *, of_a_bank: bool, bank_tier: str | None) -> None:
    """Raise BadInput where a master bank would come of a bank, or a working bank of anything but a master bank."""
    if tier == MASTER and of_a_bank:
        raise _another(Text("A master cell bank is made of a donation."))
    if tier == WORKING and (not of_a_bank or bank_tier != MASTER):
        raise _another(Text("A working cell bank is made of a vial of a master cell bank."))


def refuse_other_words(*, needed: bool, conditions: tuple[str, ...], tiers: tuple[str, ...]) -> None:
    """Raise BadInput where a decision about banks contradicts itself or the guideline."""
    unknown = [each for each in (*conditions, *tiers) if each not in CONDITION_NAMES and each not in TIER_NAMES]
    if unknown:
        raise _policy("conditions", Text("This is no condition or tier: {words}.", words=tuple(unknown)))
    if needed and MASTER not in tiers:
        raise _policy("tiers", Text("Where a bank is needed, it begins with a master cell bank."))
    if not needed and tiers:
        raise _policy("tiers", Text("Where no bank is needed, no tier is named."))
    if not needed and (ASK_FOR_A_BANK & set(conditions) or not set(conditions) >= DO_WITHOUT):
        raise _policy(
            "conditions",
            Text(
                "Only own cells of a short process with low manipulation, of which nothing asks for a bank, do without."
            ),
        )


def _another(why: Text) -> BadInput:
    return BadInput(
        field="tier",
        what=Text("The lot was not planned."),
        why=why,
        remedy=Text("Choose the tier that goes with what the lot is made of."),
        rule="CB-08",
    )


def _policy(field: str, why: Text) -> BadInput:
    return BadInput(
        field=field,
        what=Text("Nothing was proposed."),
        why=why,
        remedy=Text("Correct the decision, or decide that a bank is needed."),
        rule="CB-03",
    )
