"""Cell banks: what makes one mandatory, what counts as long, and what only an authority's letter opens."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.domain.counterexamples import (
    add,
    all_of,
    allogeneic,
    as_bank,
    as_master_bank,
    bank_tested,
    empty,
    every,
    inside,
    of_bank,
    part,
    setting,
    thawed,
    where,
    within,
)
from app.domain.facts import Bank, Excursion, PassageConvention, SubjectKind, Waiver
from app.domain.lots import LotKind, LotState
from app.domain.rulebook import Gate, Outcome, judge
from app.rules import RULES
from app.rules.cb_01a_authority_answered import _OWN_AND_MODIFIED, _PERMITTED
from tests.rules.clean import AT, GATE_OF, SIGNER, clean
from tests.rules.test_book import verdict

BEGAN = clean().steps[0].started_at
BANKED = within("banks", lambda _: (Bank("L0000000009", "BANK-26-0001", LotState.RELEASED),))


def letters(*changes):
    replies = tuple(replace(_PERMITTED, id=number, **each) for number, each in enumerate(changes, 1))
    return all_of(_OWN_AND_MODIFIED, within("authority_replies", lambda _: replies))


# -- CB-01 and CB-02 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("process", "outcome"),
    [
        ({"max_passage": 5}, Outcome.NOT_APPLICABLE),
        ({"max_passage": 6}, Outcome.FAIL),
        ({"max_passage": 6, "passage_convention": PassageConvention.PRIMARY_IS_P1}, Outcome.NOT_APPLICABLE),
        ({"max_passage": 7, "passage_convention": PassageConvention.PRIMARY_IS_P1}, Outcome.FAIL),
        ({"max_pdl": Decimal(20)}, Outcome.NOT_APPLICABLE),
        ({"max_pdl": Decimal("20.01")}, Outcome.FAIL),
    ],
)
def test_a_process_beyond_a_figure_is_long_whatever_its_flag_says(process, outcome):
    assert not clean().process.long_term_expansion
    assert verdict("CB-01", part("process", **process)).outcome is outcome


@pytest.mark.parametrize(("days", "outcome"), [(20, Outcome.FAIL), (21, Outcome.NOT_APPLICABLE)])
def test_days_are_counted_from_the_first_growing_step_to_the_fill(days, outcome):
    assert verdict("CB-01", setting("cb02.days_over", days)).outcome is outcome


def test_days_in_the_freezer_are_no_culture():
    later = within("plan", lambda plan: plan and replace(plan, at=plan.at + timedelta(days=200)))
    assert verdict("CB-01", later, kind=SubjectKind.STEP).outcome is Outcome.FAIL
    frozen = within("steps", lambda _: clean().steps)
    assert verdict("CB-01", all_of(frozen, later), kind=SubjectKind.STEP).outcome is Outcome.NOT_APPLICABLE


def test_a_released_bank_satisfies_what_makes_one_mandatory():
    assert verdict("CB-01", all_of(part("process", long_term_expansion=True), BANKED)).outcome is Outcome.PASS
    bank = all_of(part("lot", kind=LotKind.BANK), part("process", clone_selected=True))
    assert verdict("CB-01", bank).outcome is Outcome.NOT_APPLICABLE


def test_each_of_the_two_rules_refuses_what_the_other_does_not():
    flagged = part("process", long_term_expansion=True)
    assert verdict("CB-01", flagged).outcome is Outcome.FAIL
    assert verdict("CB-03", flagged).outcome is Outcome.NOT_APPLICABLE
    slow = part("process", short_cycle=False)
    assert verdict("CB-01", slow).outcome is Outcome.NOT_APPLICABLE
    assert verdict("CB-03", slow).outcome is Outcome.FAIL


# -- CB-01A --------------------------------------------------------------------------------------------------------------


def test_the_written_reply_opens_the_gate_of_own_gene_modified_cells():
    found = verdict("CB-01A", letters({}))
    assert found.outcome is Outcome.PASS
    assert "ab" * 32 in str(found.evidence[0].says)
    judgement = judge(RULES, letters({})(clean()), gate=GATE_OF[SubjectKind.LOT], at=AT, signer=SIGNER)
    assert {"CB-01", "CB-01A", "CB-03"} & {each.rule for each in judgement.blocks} == set()


def test_it_does_not_open_what_is_long_or_cloned_besides():
    for more in ({"long_term_expansion": True}, {"clone_selected": True}, {"max_passage": 6}):
        edit = all_of(letters({}), part("process", **more))
        assert verdict("CB-01A", edit).outcome is Outcome.PASS
        assert verdict("CB-01", edit).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        (({"recorded_at": BEGAN},), Outcome.PASS),
        (({"recorded_at": BEGAN + timedelta(seconds=1)},), Outcome.FAIL),
        (({}, {"ruling": "refuses", "dated": date(2026, 9, 30)}), Outcome.FAIL),
        (({"ruling": "refuses"}, {"dated": date(2026, 9, 30)}), Outcome.PASS),
        (({}, {"ruling": "undecided", "dated": date(2026, 9, 30)}), Outcome.INDETERMINATE),
        (({}, {"dated": date(2026, 9, 30), "recorded_at": AT}), Outcome.PASS),
        (({"ruling": "undecided"}, {"dated": date(2026, 9, 30), "recorded_at": AT}), Outcome.FAIL),
        (({"process": "BM-MSC 5"},), Outcome.INDETERMINATE),
    ],
)
def test_the_letters_are_read_by_their_day_and_by_when_they_were_filed(changes, outcome):
    assert verdict("CB-01A", letters(*changes)).outcome is outcome


def test_a_letter_is_asked_of_nobody_else():
    for edit in (lambda dossier: dossier, all_of(_OWN_AND_MODIFIED, BANKED), empty("authority_replies")):
        assert verdict("CB-01A", edit).outcome is Outcome.NOT_APPLICABLE
    others = all_of(_OWN_AND_MODIFIED, inside("donors", "identity_matches"), part("lot", kind=LotKind.BANK))
    assert verdict("CB-01A", others).outcome is Outcome.NOT_APPLICABLE


def test_before_the_first_step_the_moment_that_is_planned_counts():
    unbegun = within("steps", lambda _: ())
    planned = clean(SubjectKind.STEP).plan.at
    in_time = all_of(letters({"recorded_at": planned}), unbegun)
    late = all_of(letters({"recorded_at": planned + timedelta(seconds=1)}), unbegun)
    assert verdict("CB-01A", in_time, kind=SubjectKind.STEP).outcome is Outcome.PASS
    assert verdict("CB-01A", late, kind=SubjectKind.STEP).outcome is Outcome.FAIL
    assert GATE_OF[SubjectKind.STEP] is Gate.G4


# -- banks as they are built ---------------------------------------------------------------------------------------------


def test_the_clean_banked_preparation_and_the_clean_bank_open_their_gate():
    for made in (allogeneic, as_master_bank):
        judgement = judge(RULES, made(clean()), gate=Gate.G6, at=AT, signer=SIGNER)
        assert [(each.rule, [str(found.problem) for found in each.findings]) for each in judgement.blocks] == []
        assert judgement.is_open
    rules = {each.rule: each.outcome for each in judge(RULES, allogeneic(clean()), gate=Gate.G6, at=AT).verdicts}
    assert {rules[each] for each in ("CB-03", "CB-08", "CB-09")} == {Outcome.PASS}
    assert {rules[each] for each in ("CB-07", "CB-10", "CB-11", "CB-06")} == {Outcome.NOT_APPLICABLE}


def test_the_bank_of_the_counterexamples_is_the_one_that_the_database_writes():
    written = clean(SubjectKind.BANK_VIAL)
    made = as_master_bank(clean())
    assert written.bank == made.bank
    assert [line.test for line in written.specification.lines] == [line.test for line in made.specification.lines]


def test_a_decision_against_a_bank_opens_nothing_that_the_guideline_closes():
    for more in ({"short_cycle": False}, {"low_manipulation": False}):
        assert verdict("CB-03", part("process", **more)).outcome is Outcome.FAIL
    assert verdict("CB-01", part("process", long_term_expansion=True)).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"approved_at": BEGAN}, Outcome.NOT_APPLICABLE),
        ({"approved_at": BEGAN + timedelta(seconds=1)}, Outcome.FAIL),
        ({"approved_by": "quinn"}, Outcome.INDETERMINATE),
        ({"approved_by": None, "approved_at": None}, Outcome.INDETERMINATE),
        ({"needed": True}, Outcome.FAIL),
    ],
)
def test_only_a_decision_that_stood_before_processing_counts(changes, outcome):
    assert verdict("CB-03", every("bank_policies", **changes)).outcome is outcome


def test_what_began_under_an_earlier_decision_goes_on():
    first = clean().bank_policies[0]
    later = add("bank_policies", replace(first, id=2, version=2, needed=True, approved_at=BEGAN + timedelta(days=1)))
    earlier = add("bank_policies", replace(first, id=2, version=2, needed=True, approved_at=BEGAN - timedelta(days=1)))
    assert verdict("CB-03", later).outcome is Outcome.NOT_APPLICABLE
    assert verdict("CB-03", earlier).outcome is Outcome.FAIL


def test_a_working_bank_of_a_master_bank_passes_and_goes_on_from_its_vial():
    working = all_of(allogeneic, part("lot", kind=LotKind.BANK), as_its_own_bank)
    assert verdict("CB-08", working).outcome is Outcome.PASS
    assert verdict("CB-08", all_of(working, within("banks", tiers_of(None)))).outcome is Outcome.FAIL


def as_its_own_bank(dossier):
    return replace(dossier, bank=replace(as_master_bank(clean()).bank, tier="working"))


def tiers_of(tier):
    return lambda banks: tuple(replace(each, tier=tier) for each in banks)


def test_doublings_are_counted_within_the_tolerance():
    close = thawed(cpdl=Decimal("0.009"))
    far = thawed(cpdl=Decimal("0.011"))
    assert verdict("CB-08", close).outcome is Outcome.PASS
    assert verdict("CB-08", far).outcome is Outcome.FAIL


def test_an_excursion_counts_for_the_vials_that_lay_there_then():
    def warm(began, ended, celsius=-120):
        found = Excursion(1, began, ended, Decimal(celsius), "DV-1", AT)
        return verdict("CB-10", as_bank(of_bank("places", excursions=(found,)))).outcome

    before, frozen = BEGAN - timedelta(days=30), as_master_bank(clean()).bank.vials[0].stays[0].stored_at
    assert warm(before, before + timedelta(days=1)) is Outcome.PASS
    assert warm(before, frozen) is Outcome.NEEDS_WAIVER
    assert warm(before, None) is Outcome.NEEDS_WAIVER
    assert warm(frozen, None, celsius=-150) is Outcome.PASS


def test_a_waiver_opens_an_excursion_and_never_a_test_of_safety():
    waiver = Waiver(
        9, "CB-10", "viable after a test thaw", "viability 92 %", "quinn", "rhea", BEGAN, AT + timedelta(1), 1, 0
    )
    warm = as_bank(of_bank("places", excursions=(Excursion(1, BEGAN, None, Decimal(-120), "DV-1", AT),)))
    assert verdict("CB-10", all_of(warm, within("waivers", lambda _: (waiver,)))).outcome is Outcome.PASS_WITH_WAIVER
    for_tests = replace(waiver, rule="CB-07")
    for test, outcome in (("karyotype", Outcome.PASS_WITH_WAIVER), ("STR", Outcome.FAIL)):
        failing = as_bank(where("results", "test", test, value_text="not as expected"))
        assert verdict("CB-07", all_of(failing, within("waivers", lambda _: (for_tests,)))).outcome is outcome


# -- REL-03 by bank ------------------------------------------------------------------------------------------------------


def test_viruses_are_tested_by_the_bank_where_the_setting_says_so():
    without_a_line = within(
        "specification",
        lambda known: replace(known, lines=tuple(each for each in known.lines if each.test != "adventitious virus")),
    )
    assert verdict("REL-03", all_of(bank_tested(), without_a_line)).outcome is Outcome.PASS
    by_lot = setting("rel03.adventitious_virus_by", "lot")
    assert verdict("REL-03", all_of(bank_tested(), without_a_line, by_lot)).outcome is Outcome.FAIL
    of_a_bank = all_of(as_bank(), setting("rel03.adventitious_virus_by", "bank"))
    assert verdict("REL-03", of_a_bank).outcome is Outcome.PASS
    assert verdict("REL-03", all_of(of_a_bank, without_a_line)).outcome is Outcome.FAIL
