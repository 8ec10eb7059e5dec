"""Rule packs: which opens, what differs under another, and that what is only a skeleton opens nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.counterexamples import all_of, allogeneic, drop_inside
from app.domain.facts import SubjectKind
from app.domain.packs import CN_818, COMPLETE, EU, PACKS, US, holds, under
from app.domain.rulebook import Outcome, judge
from app.domain.settings_registry import REGISTRY, SHIPPED
from app.domain.shapes import wrong_in
from app.rules import BY_ID, JURISDICTION, RULES
from tests.rules.clean import AT, GATE_OF, SIGNER, clean
from tests.rules.test_book import verdict


def judged(dossier, kind=SubjectKind.LOT, at=AT):
    return judge(RULES, dossier, gate=GATE_OF[kind], at=at, signer=SIGNER)


def test_the_book_is_complete_for_china_alone():
    assert COMPLETE == (JURISDICTION,)
    assert not CN_818.without
    assert not CN_818.settings


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.id)
def test_a_pack_names_rules_that_there_are_and_settings_of_their_shape(pack):
    assert pack.without <= BY_ID.keys()
    assert not pack.without & {"SCO-04", "BOOK", "HOLD"}
    for name, value in pack.settings.items():
        assert list(wrong_in(REGISTRY[name].shape, value)) == []
        assert value != SHIPPED[name].value, "what does not differ is not named"


@pytest.mark.parametrize("pack", [EU, US], ids=lambda pack: pack.id)
@pytest.mark.parametrize("kind", SubjectKind)
def test_a_skeleton_opens_nothing_and_says_why(pack, kind):
    found = judged(under(clean(kind), pack), kind)
    assert not found.is_open
    (sco,) = [each for each in found.verdicts if each.rule == "SCO-04"]
    assert sco.outcome is Outcome.INDETERMINATE
    assert "skeleton" in str(sco.findings[0].problem)
    assert not {each.rule for each in found.verdicts} & pack.without


def test_under_another_pack_the_rest_of_the_book_says_what_it_would():
    no_nat = all_of(allogeneic, drop_inside("donors", "markers", ("marker", "HCV NAT")))(clean())
    here, there = judged(no_nat), judged(under(no_nat, EU))
    assert "DON-01" in {each.rule for each in here.blocks}
    assert "DON-01" not in {each.rule for each in there.blocks}
    assert "DON-01" in {each.rule for each in judged(under(no_nat, US)).blocks}
    # What was asked changed nothing in the dossier itself.
    assert no_nat.jurisdiction == "CN-818"
    assert no_nat.settings["don01.panel"].version == 1


def test_without_a_known_pack_every_rule_is_asked():
    for pack in (None, "XX-1"):
        assert all(holds(pack, each) for each in BY_ID)
        asked = {each.rule for each in judged(replace(clean(), jurisdiction=pack)).verdicts}
        assert asked == {each.rule for each in judged(clean()).verdicts}


def test_a_pack_judges_from_its_own_first_moment_on():
    first = CN_818.effective_from
    assert verdict("SCO-04", at=first).outcome is Outcome.PASS
    before = verdict("SCO-04", at=first - timedelta(microseconds=1))
    assert before.outcome is Outcome.INDETERMINATE
    assert "2026-05-01" in str(before.findings[0].problem)


def test_no_remedy_sends_anybody_to_the_administrator():
    found = verdict("SCO-04", lambda dossier: replace(dossier, jurisdiction=None))
    assert "quality authority" in str(found.findings[0].remedy)
    assert "administrator" not in str(found.findings[0].remedy)
