"""A look-back over many lots asks only the rules that read the changed fact, over only what these read: no less is said."""

from dataclasses import fields, replace

import pytest

from app.domain.dossier import Dossier
from app.domain.facts import SubjectKind
from app.domain.impacts import ON_DONORS, ImpactKind, reads_the_fact
from app.domain.rulebook import Gate, judge
from app.rules import RULES
from tests.rules.clean import AT, clean

KEPT = {*ON_DONORS, "schema", "kind", "subject", "name", "rulebook", "jurisdiction", "settings"}
ON_DONOR_FACTS = [each for each in RULES if reads_the_fact(each.id, ImpactKind.DONOR_MARKER) and Gate.G6 in each.gates]
BREAKS = [
    (rule, example)
    for rule in ON_DONOR_FACTS
    for example in rule.breaks
    if example.gate is Gate.G6 and example.kind is SubjectKind.LOT
]


def thinned(dossier):
    """What `dossier.on_donors` writes of it."""
    return replace(dossier, **{each.name: None for each in fields(Dossier) if each.name not in KEPT})


def test_there_are_such_rules():
    assert {"DON-01", "DON-04", "DON-05", "DON-10", "DON-12"} <= {each.id for each in ON_DONOR_FACTS}


@pytest.mark.parametrize(("rule", "example"), BREAKS, ids=[f"{rule.id}: {each.name}" for rule, each in BREAKS])
def test_a_counterexample_is_judged_alike_on_what_a_look_back_reads(rule, example):
    broken = example.edit(clean())
    whole, part = (
        judge([rule], dossier, gate=Gate.G6, at=example.at(AT)).verdicts[0] for dossier in (broken, thinned(broken))
    )
    assert part.outcome is whole.outcome


@pytest.mark.parametrize("rule", ON_DONOR_FACTS, ids=lambda rule: rule.id)
def test_the_clean_lot_is_judged_alike_too(rule):
    whole, part = (judge([rule], dossier, gate=Gate.G6, at=AT).verdicts[0] for dossier in (clean(), thinned(clean())))
    assert part.outcome is whole.outcome
