"""The machinery: what statements become an outcome, how waivers count, how a broken rule closes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.acts import Role
from app.domain.errors import Blocked
from app.domain.facts import Waiver
from app.domain.rulebook import (
    NEVER,
    Gate,
    Outcome,
    Rule,
    does_not_apply,
    fails,
    judge,
    lacks,
    shows,
    waits,
    wants_waiver,
)
from app.domain.text import Text
from tests.rules.clean import AT, SIGNER, clean

SAYS, HELPS = Text("so it is"), Text("do this")
SHOWS, FAILS, LACKS = shows("x", SAYS), fails("x", SAYS, HELPS), lacks("x", SAYS, HELPS)
WANTS, WAITS, IRRELEVANT = wants_waiver("x", SAYS, HELPS), waits("x", SAYS), does_not_apply("x", SAYS)
WAIVER = Waiver(
    id=5,
    rule="X-01",
    justification="no other donor",
    mitigations="weekly tests",
    proposed_by="quinn",
    approved_by="rhea",
    valid_from=AT - timedelta(days=1),
    valid_to=AT + timedelta(days=1),
    max_uses=1,
    used=0,
)


def made(*said, waiver=NEVER):
    return Rule("X-01", Text("a rule"), (), frozenset({Gate.G6}), waiver, (), lambda _dossier, _asked: said)


def judged(rule, dossier=None, signer=SIGNER):
    return judge([rule], dossier or clean(), gate=Gate.G6, at=AT, signer=signer)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ((SHOWS,), Outcome.PASS),
        ((IRRELEVANT,), Outcome.NOT_APPLICABLE),
        ((SHOWS, WANTS), Outcome.NEEDS_WAIVER),
        ((SHOWS, WANTS, LACKS), Outcome.INDETERMINATE),
        ((SHOWS, WANTS, LACKS, FAILS), Outcome.FAIL),
        ((IRRELEVANT, FAILS), Outcome.FAIL),
        ((), Outcome.INDETERMINATE),
    ],
)
def test_the_gravest_statement_is_the_outcome(said, outcome):
    assert judged(made(*said)).verdicts[0].outcome is outcome


def test_a_rule_that_says_nothing_has_judged_nothing():
    judgement = judged(made())
    assert not judgement.is_open
    assert judgement.verdicts[0].missing


def test_without_a_signer_the_question_stays_open_and_the_gate_shut():
    judgement = judged(made(WAITS), signer=None)
    assert judgement.verdicts[0].outcome is Outcome.WAITS_FOR_SIGNER
    assert not judgement.blocks
    assert judgement.waiting
    assert not judgement.is_open


def test_with_a_signer_nothing_may_still_wait():
    assert judged(made(WAITS)).verdicts[0].outcome is Outcome.INDETERMINATE


def test_a_rule_that_raises_closes_the_gate_and_is_named():
    def broken(dossier, asked):
        raise ZeroDivisionError("no cells")

    judgement = judged(replace(made(), check=broken))
    assert judgement.verdicts[0].outcome is Outcome.INDETERMINATE
    assert "ZeroDivisionError: no cells" in str(judgement.verdicts[0].findings[0].problem)


def test_a_rule_that_raises_halfway_does_not_keep_what_it_had_shown():
    def broken(dossier, asked):
        yield SHOWS
        raise KeyError("gone")

    assert judged(replace(made(), check=broken)).verdicts[0].outcome is Outcome.INDETERMINATE


def test_a_book_without_a_rule_for_the_gate_is_closed():
    judgement = judge([made(SHOWS)], clean(), gate=Gate.G4, at=AT, signer=SIGNER)
    assert judgement.blocks[0].rule == "BOOK"
    assert not judge([], clean(), gate=Gate.G6, at=AT, signer=SIGNER).is_open


def test_a_granted_waiver_opens_and_is_cited():
    judgement = judged(made(WANTS, waiver=(Role.QUALITY_AUTHORITY,)), replace(clean(), waivers=(WAIVER,)))
    verdict = judgement.verdicts[0]
    assert (verdict.outcome, verdict.waiver) == (Outcome.PASS_WITH_WAIVER, 5)
    assert "no other donor" in str(verdict.evidence[-1].says)
    assert verdict.findings, "the violation stays visible"
    assert judgement.is_open
    assert judgement.waivers_cited == (5,)


@pytest.mark.parametrize(
    "waiver",
    [
        replace(WAIVER, rule="X-02"),
        replace(WAIVER, approved_by=None),
        replace(WAIVER, approved_by="quinn"),
        replace(WAIVER, valid_from=AT + timedelta(seconds=1)),
        replace(WAIVER, valid_to=AT),
        replace(WAIVER, used=1),
    ],
)
def test_a_waiver_that_does_not_hold_opens_nothing(waiver):
    judgement = judged(made(WANTS, waiver=(Role.QUALITY_AUTHORITY,)), replace(clean(), waivers=(waiver,)))
    assert judgement.verdicts[0].outcome is Outcome.NEEDS_WAIVER


def test_what_is_never_waived_stays_closed_whatever_was_granted():
    assert not judged(made(WANTS), replace(clean(), waivers=(WAIVER,))).is_open


@pytest.mark.parametrize("said", [FAILS, LACKS])
def test_no_waiver_heals_a_failure_or_a_missing_fact(said):
    rule = made(WANTS, said, waiver=(Role.QUALITY_AUTHORITY,))
    assert not judged(rule, replace(clean(), waivers=(WAIVER,))).is_open


def test_the_refusal_carries_every_finding_and_names_the_rules():
    refusal = judged(made(FAILS)).refusal()
    assert isinstance(refusal, Blocked)
    assert refusal.rule == "X-01"
    assert refusal.findings[0].rule == "X-01"
    assert refusal.detail["rules"] == [{"rule": "X-01", "outcome": "fail"}]


def test_a_judgement_can_be_kept():
    import json

    kept = json.loads(json.dumps(judged(made(FAILS)).to_json()))
    assert kept["verdicts"][0]["outcome"] == "fail"
    assert Text.from_json(kept["verdicts"][0]["findings"][0]["problem"]) == SAYS
