"""The rule book as reviewed text, and the edges of single rules that counterexamples do not reach."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.counterexamples import add, all_of, allogeneic, every, inside, inside_plan_session, nth, part, where
from app.domain.facts import (
    Deviation,
    Impact,
    MarkerOutcome,
    PassageConvention,
    Severity,
    StepKind,
    SubjectKind,
    Waiver,
)
from app.domain.rulebook import Gate, Outcome, judge
from app.rules import BY_ID, RULES
from tests.golden_files import agrees
from tests.rules.clean import AT, GATE_OF, SIGNER, clean

ASSESSED = Deviation(
    number="DV-26-0042",
    severity=Severity.MAJOR,
    what="processed before the paper was signed",
    impact=Impact.ACCEPTABLE,
    state="closed",
    rules=("DON-12", "MAT-06", "GMP-03", "DON-01"),
    closed_by="quinn",
    closed_at=datetime(2026, 11, 1, tzinfo=UTC),
)


def verdict(rule, edit=lambda dossier: dossier, kind=SubjectKind.LOT, signer=SIGNER, at=AT):
    judgement = judge([BY_ID[rule]], edit(clean(kind)), gate=GATE_OF[kind], at=at, signer=signer)
    return judgement.verdicts[0]


def test_the_rule_book_is_as_reviewed():
    lines = []
    for rule in RULES:
        lines += [
            f"{rule.id}  {rule.title}",
            f"  gates  {' '.join(gate for gate in Gate if gate in rule.gates)}",
            f"  waiver {' '.join(rule.waiver) or 'never'}",
            f"  legacy {' '.join(rule.legacy) or 'never'}",
            *(f"  cites  {cite.source}, {cite.section} ({cite.status}): {cite.paraphrase}" for cite in rule.cites),
            *(
                f"  breaks {each.kind} {each.gate} {each.outcome}: {each.name}"
                + (f" (also {' '.join(each.also)})" if each.also else "")
                for each in rule.breaks
            ),
            "",
        ]
    agrees("rulebook.txt", "\n".join(lines))


@pytest.mark.parametrize(
    ("rule", "late"),
    [
        ("DON-12", inside("donations", "determination", signed_at=datetime(2026, 10, 9, tzinfo=UTC))),
        ("MAT-06", nth("consumptions", 0, approved_at=datetime(2026, 10, 20, tzinfo=UTC))),
        ("GMP-03", nth("steps", 0, clearance_before_at=datetime(2026, 10, 5, 12, tzinfo=UTC))),
        ("DON-01", all_of(allogeneic, inside("donors", "markers", reported_at=datetime(2026, 10, 10, tzinfo=UTC)))),
    ],
)
def test_late_paper_fails_and_names_the_deviation_that_assessed_it(rule, late):
    found = verdict(rule, all_of(late, add("deviations", ASSESSED)))
    assert found.outcome is Outcome.FAIL
    assert any("DV-26-0042" in str(finding.problem) for finding in found.findings)
    assert "DV-26-0042" not in str([finding.problem for finding in verdict(rule, late).findings])


def test_a_clean_allogeneic_donor_passes_with_evidence_for_every_marker():
    found = verdict("DON-01", allogeneic)
    assert found.outcome is Outcome.PASS
    assert len(found.evidence) == 9


def test_an_autologous_donor_is_not_judged_by_don_01_but_a_positive_stays_visible():
    found = verdict("DON-01", inside("donors", "markers", only=("marker", "HIV NAT"), outcome=MarkerOutcome.POSITIVE))
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert "HIV NAT: positive" in [str(each.says) for each in found.evidence]
    missing = verdict("DON-01", every("donors", markers=()))
    assert "HIV NAT: not tested" in [str(each.says) for each in missing.evidence]


@pytest.mark.parametrize("others", [{"outcome": MarkerOutcome.POSITIVE}, {"outcome": MarkerOutcome.PENDING}])
def test_an_isolated_antibody_is_waivable_only_while_the_others_are_negative(others):
    edit = all_of(
        allogeneic,
        inside("donors", "markers", only=("marker", "anti-HBc"), outcome=MarkerOutcome.POSITIVE),
        inside("donors", "markers", only=("marker", "HBV NAT"), **others),
    )
    assert verdict("DON-01", edit).outcome in {Outcome.FAIL, Outcome.INDETERMINATE}


def test_a_waiver_opens_an_isolated_antibody():
    waiver = Waiver(
        3, "DON-01", "sole donor", "vaccinated recipient", "phil", "rhea", AT - timedelta(1), AT + timedelta(1), 1, 0
    )
    edit = all_of(
        allogeneic,
        inside("donors", "markers", only=("marker", "anti-HBc"), outcome=MarkerOutcome.POSITIVE),
        add_waiver(waiver),
    )
    assert verdict("DON-01", edit).outcome is Outcome.PASS_WITH_WAIVER


def add_waiver(waiver):
    return lambda dossier: replace(dossier, waivers=(waiver,))


def test_a_later_negative_does_not_bury_a_positive():
    def retested(dossier):
        donor = dossier.donors[0]
        first = donor.markers[0]
        markers = (
            replace(first, outcome=MarkerOutcome.POSITIVE),
            *donor.markers[1:],
            replace(first, id=99, sampled_at=first.sampled_at + timedelta(days=1)),
        )
        return replace(dossier, donors=(replace(donor, markers=markers),))

    assert verdict("DON-01", all_of(allogeneic, retested)).outcome is Outcome.FAIL


def test_a_result_set_aside_by_a_closed_investigation_gives_way_to_its_repeat():
    failing = where(
        "results", "test", "sterility", id=50, value_text="growth", invalidated=True, invalidated_by="DV-26-0042"
    )
    repeat = add("results", clean().results[0])
    assert verdict("REL-02", all_of(failing, repeat, add("deviations", ASSESSED))).outcome is Outcome.PASS
    still_open = replace(ASSESSED, state="open", closed_by=None, closed_at=None)
    assert verdict("REL-02", all_of(failing, repeat, add("deviations", still_open))).outcome is Outcome.FAIL
    assert verdict("REL-02", all_of(failing, repeat)).outcome is Outcome.FAIL


def test_a_waiver_opens_a_failing_line_only_when_it_is_not_about_safety():
    waiver = Waiver(
        4, "REL-02", "only dose", "closer watch", "phil", "rhea", AT - timedelta(1), AT + timedelta(1), 1, 0
    )
    safety = all_of(where("results", "test", "endotoxin", value_number=Decimal(9)), add_waiver(waiver))
    assert verdict("REL-02", safety).outcome is Outcome.FAIL

    def relaxed(dossier):
        lines = tuple(
            replace(line, safety=False) if line.test == "endotoxin" else line for line in dossier.specification.lines
        )
        return replace(dossier, specification=replace(dossier.specification, lines=lines))

    assert verdict("REL-02", all_of(relaxed, safety)).outcome is Outcome.PASS_WITH_WAIVER
    assert verdict("REL-03", relaxed).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("convention", "first", "outcome"),
    [
        (PassageConvention.PRIMARY_IS_P0, 0, Outcome.PASS),
        (PassageConvention.PRIMARY_IS_P1, 1, Outcome.PASS),
        (PassageConvention.PRIMARY_IS_P1, 0, Outcome.INDETERMINATE),
    ],
)
def test_an_isolation_is_planned_with_the_conventions_first_number(convention, first, outcome):
    isolation = all_of(
        part("process", passage_convention=convention),
        part("plan", kind=StepKind.ISOLATION, passage=first, parent_passage=None, cpdl_start=None),
    )
    assert verdict("CB-05", isolation, kind=SubjectKind.STEP).outcome is outcome


def test_no_rule_that_is_asked_of_a_study_may_be_waived():
    # Waivers are for lots, material lots and donations. A rule that shall be waived of a study needs one for studies first.
    of_studies = {Gate.G7, Gate.G8, Gate.G9, Gate.G11, Gate.G12}
    assert [each.id for each in RULES if each.waiver and each.gates & of_studies] == []


def test_a_step_in_closed_containers_needs_no_workstation():
    freezing = part("plan", kind=StepKind.CRYOPRESERVATION, workstation=None, workstation_open_session=None)
    assert verdict("GMP-03", freezing, kind=SubjectKind.STEP).outcome is Outcome.NOT_APPLICABLE


def test_doublings_that_end_at_the_limit_are_within_it():
    assert verdict("CB-05", part("process", max_pdl=Decimal("9.21"))).outcome is Outcome.PASS
    assert verdict("CB-05", part("process", max_pdl=Decimal("9.2"))).outcome is Outcome.FAIL


def test_a_clearance_at_the_moment_of_the_step_is_before_it():
    at_once = inside_plan_session(clearance_at=datetime(2026, 10, 26, 9, tzinfo=UTC))
    assert verdict("GMP-03", at_once, kind=SubjectKind.STEP).outcome is Outcome.PASS


@pytest.mark.parametrize("rule", ["QA-02", "QA-03", "QA-04", "QA-05"])
def test_rules_about_the_signer_wait_for_one(rule):
    assert verdict(rule, signer=None).outcome is Outcome.WAITS_FOR_SIGNER


def test_a_page_without_a_signer_shows_no_block_but_does_not_open():
    judgement = judge(RULES, clean(), gate=Gate.G6, at=AT)
    assert not judgement.blocks
    assert {each.rule for each in judgement.waiting} == {"QA-02", "QA-03", "QA-04", "QA-05"}
    assert not judgement.is_open


def test_mat_03_says_which_words_matched_and_where():
    found = verdict("MAT-03", nth("materials", 0, text="DMEM 含双抗"))
    assert any("双抗" in str(finding.problem) and "name" in str(finding.problem) for finding in found.findings)


def test_three_calendar_years_need_the_quarter_days_too():
    from datetime import date

    short = inside("appointments", "experience", from_on=date(2021, 1, 1), to_on=date(2023, 12, 31))
    enough = inside("appointments", "experience", from_on=date(2021, 1, 1), to_on=date(2024, 1, 1))
    assert verdict("QA-03", short).outcome is Outcome.FAIL
    assert verdict("QA-03", enough).outcome is Outcome.PASS


def test_judging_is_quick():
    from time import perf_counter

    dossier = clean()
    begun = perf_counter()
    for _ in range(20):
        judge(RULES, dossier, gate=Gate.G6, at=AT, signer=SIGNER)
    assert (perf_counter() - begun) / 20 < 0.1


def test_a_pending_marker_is_settled_by_the_answer_for_that_sample_and_by_no_other():
    def pending_then(**answer):
        def edit(dossier):
            donor = dossier.donors[0]
            first = donor.markers[0]
            markers = (
                replace(first, outcome=MarkerOutcome.PENDING),
                *donor.markers[1:],
                replace(first, id=99, **answer),
            )
            return replace(dossier, donors=(replace(donor, markers=markers),))

        return all_of(allogeneic, edit)

    assert verdict("DON-01", pending_then()).outcome is Outcome.PASS
    other_sample = pending_then(sampled_at=AT - timedelta(days=3))
    assert verdict("DON-01", other_sample).outcome is Outcome.INDETERMINATE
