"""Rules about proof that comes later than a study's first papers, where it opens and where it does not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from app.domain.counterexamples import (
    all_of,
    empty,
    gene_modified,
    part,
    retested,
    setting,
    study_records,
    within,
    without,
)
from app.domain.facts import SubjectKind
from app.domain.rulebook import Gate, Outcome, judge
from app.rules import RULES
from app.rules.gm_09_followed_for_years import planned
from app.rules.tpr_05_of_what_will_be_given import compared
from tests.rules.clean import AT, clean

if TYPE_CHECKING:
    from app.domain.dossier import Dossier


def outcome_of(rule: str, dossier: Dossier, gate: Gate = Gate.G8) -> Outcome:
    judged = judge([each for each in RULES if each.id == rule], dossier, gate=gate, at=AT)
    (verdict,) = judged.verdicts
    return verdict.outcome


def test_a_signed_document_of_comparability_stands_for_the_version_that_it_names() -> None:
    before = clean(SubjectKind.STUDY)
    assert outcome_of("TPR-05", compared()(before)) is Outcome.PASS
    changed_again = all_of(compared(), part("process", version=5))
    assert outcome_of("TPR-05", changed_again(before)) is Outcome.FAIL, "of the next version it says nothing"


def test_a_failed_test_counts_against_what_is_called_comparable() -> None:
    failed = all_of(compared(), retested(sample="final_formulation", only=("test", "sterility"), outcome="failed"))
    assert outcome_of("TPR-01", failed(clean(SubjectKind.STUDY))) is Outcome.FAIL


def test_the_final_formulation_of_a_banked_process_comes_of_the_named_bank() -> None:
    assert outcome_of("TPR-05", gene_modified(clean(SubjectKind.STUDY))) is Outcome.PASS


def test_in_vivo_is_due_by_the_confirmatory_stage_and_not_before() -> None:
    study = clean(SubjectKind.STUDY)
    without = study_records(
        "production_ends",
        tests=tuple(each for each in study.study.production_ends[0].tests if "in_vivo" not in each.test),
    )
    assert outcome_of("CB-12", without(study)) is Outcome.PASS
    assert outcome_of("CB-12", without(study), Gate.G9) is Outcome.FAIL
    assert outcome_of("CB-12", study, Gate.G9) is Outcome.PASS


def test_whoever_changes_no_genes_owes_no_years_of_follow_up() -> None:
    assert outcome_of("GM-09", clean(SubjectKind.STUDY), Gate.G12) is Outcome.NOT_APPLICABLE


def test_the_duty_stays_though_a_later_version_changes_no_genes() -> None:
    once = study_records("versions", gene_modified=True)(clean(SubjectKind.STUDY))
    assert outcome_of("GM-09", once, Gate.G12) is Outcome.INDETERMINATE


def test_a_plan_long_enough_alone_shows_nobody_was_followed() -> None:
    assert outcome_of("GM-09", planned()(clean(SubjectKind.STUDY)), Gate.G12) is Outcome.INDETERMINATE
    short = planned(years=Decimal("4.9"))(clean(SubjectKind.STUDY))
    assert outcome_of("GM-09", short, Gate.G12) is Outcome.FAIL


def test_a_permit_for_samples_that_leave_is_asked_of_what_left_and_where_the_setting_says_so() -> None:
    unpermitted = empty("permits")(clean(SubjectKind.STUDY))
    assert outcome_of("HGR-01", clean(SubjectKind.STUDY)) is Outcome.PASS
    assert outcome_of("HGR-01", unpermitted) is Outcome.INDETERMINATE
    banking_alone = setting("hgr01.required_for", ["banking"])
    assert outcome_of("HGR-01", banking_alone(unpermitted)) is Outcome.NOT_APPLICABLE
    nothing_left = within("study", lambda study: replace(study, reinspections=()))
    assert outcome_of("HGR-01", nothing_left(unpermitted)) is Outcome.NOT_APPLICABLE


def test_what_left_is_asked_about_also_where_it_fills_no_cell_of_the_matrix() -> None:
    unpermitted = all_of(empty("permits"), without("process"))
    assert outcome_of("HGR-01", unpermitted(clean(SubjectKind.STUDY))) is Outcome.INDETERMINATE
