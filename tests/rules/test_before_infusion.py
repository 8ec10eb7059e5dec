"""Before the infusion: what stands of a released lot, and what no decision and no partner's paper stands for."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.counterexamples import all_of, every, of_papers, part, partner_made, released, setting, where, within
from app.domain.facts import Waiver
from app.domain.lots import LotState
from app.domain.rulebook import Gate, Outcome, judge
from app.rules import BY_ID, RULES
from app.rules.rel_09_out_of_specification import _FAILED, _asked_for
from tests.rules.clean import AT, SIGNER, clean


def verdicts(*edits, gate=Gate.G10):
    found = judge(RULES, all_of(*edits)(clean()), gate=gate, at=AT, signer=SIGNER).verdicts
    return {each.rule: each for each in found}


@pytest.mark.parametrize("edit", [lambda dossier: dossier, partner_made])
def test_a_released_lot_waits_for_nothing_but_what_is_not_written_or_not_known_of_its_study(edit):
    closing = {rule for rule, each in verdicts(edit, released).items() if each.closes}
    assert closing == {"BOOK", "ORG-03", "ORG-04"}


def test_a_partner_s_release_stands_for_no_release_here():
    assert verdicts(partner_made)["EXT-03"].outcome is Outcome.FAIL
    assert verdicts(partner_made, released)["EXT-03"].outcome is Outcome.PASS
    assert verdicts(released)["EXT-03"].outcome is Outcome.NOT_APPLICABLE


def test_what_is_asked_for_and_decided_satisfies_its_rule_and_is_still_no_release():
    found = verdicts(_asked_for())
    assert found["REL-09"].outcome is Outcome.PASS
    assert found["REL-10"].outcome is Outcome.FAIL
    assert verdicts(_asked_for(), gate=Gate.G6)["REL-02"].closes


@pytest.mark.parametrize(("safety", "outcome"), [(False, Outcome.NOT_APPLICABLE), (True, Outcome.FAIL)])
@pytest.mark.parametrize("used", [0, 1])
def test_a_waiver_by_which_the_lot_was_released_covers_no_test_of_safety(safety, outcome, used):
    waiver = Waiver(7, "REL-02", "for this patient", "told", "phil", "rhea", AT - timedelta(9), AT, 1, used)
    lines = within(
        "specification",
        lambda found: replace(
            found,
            lines=tuple(replace(each, safety=safety) if each.test == "viability" else each for each in found.lines),
        ),
    )
    found = verdicts(_FAILED, lines, released, within("waivers", lambda _: (waiver,)))["REL-09"]
    assert found.outcome is (outcome if used else Outcome.FAIL)


def test_a_result_within_its_limits_asks_for_no_request_whatever_is_allowed():
    for allowed in ("no", "yes"):
        assert verdicts(released, setting("rel09.allowed", allowed))["REL-09"].outcome is Outcome.NOT_APPLICABLE
    low = where("results", "test", "viability", value_number=Decimal(12))
    assert verdicts(released, low)["REL-09"].outcome is Outcome.FAIL


def test_one_container_of_several_is_asked_for_itself():
    vial = within("vial", lambda _: "V0000000001")
    assert verdicts(released, vial)["REL-10"].outcome is Outcome.PASS
    gone = within(
        "containers",
        lambda found: tuple(replace(each, state="destroyed") if each.code == "V0000000001" else each for each in found),
    )
    assert verdicts(released, vial, gone)["REL-10"].outcome is Outcome.FAIL
    assert verdicts(released, gone)["REL-10"].outcome is Outcome.PASS


@pytest.mark.parametrize("state", [each for each in LotState if each is not LotState.RELEASED])
def test_no_other_state_counts_as_released(state):
    assert verdicts(part("lot", state=state))["REL-10"].outcome is Outcome.FAIL


def test_a_later_paper_of_the_partner_speaks_before_an_earlier_one():
    def reissued(papers):
        (bad,) = (each for each in papers if each.kind == "analysis")
        good = replace(bad, id=9, conforms=True, signed_at=bad.signed_at + timedelta(hours=1))
        return (*(replace(each, conforms=each.kind != "analysis") for each in papers), good)

    again = within("makers", lambda found: tuple(replace(each, papers=reissued(each.papers)) for each in found))
    assert verdicts(of_papers(only=("kind", "analysis"), conforms=False), gate=Gate.G6)["EXT-03"].closes
    assert not verdicts(partner_made, again, gate=Gate.G6)["EXT-03"].closes


def test_nobody_may_waive_any_of_them():
    for rule in ("EXT-03", "REL-09", "REL-10", "DON-13"):
        assert BY_ID[rule].waiver == ()
    assert verdicts(partner_made, every("steps", verified_by=None, verified_at=None), gate=Gate.G6)["GMP-05"].closes
