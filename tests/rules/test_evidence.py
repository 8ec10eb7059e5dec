"""Assessments, consents, banks, retains and training: the edges, and that less evidence never opens more."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.counterexamples import (
    add,
    all_of,
    allogeneic,
    drop,
    drop_inside,
    empty,
    every,
    gene_modified,
    inside,
    nth,
    part,
    partner_made,
    setting,
    where,
    within,
)
from app.domain.facts import (
    Bank,
    Consent,
    MarkerOutcome,
    Mitigation,
    Retain,
    SubjectKind,
    Waiver,
)
from app.domain.lots import LotKind, LotState
from app.domain.rulebook import Outcome, judge
from app.rules import BY_ID, RULES
from tests.rules.clean import AT, GATE_OF, SIGNER, clean
from tests.rules.test_book import verdict

BEFORE = datetime(2026, 9, 1, tzinfo=UTC)
BEGAN = datetime(2026, 10, 5, 9, tzinfo=UTC)
POSITIVE = inside("donors", "markers", only=("marker", "HBsAg"), outcome=MarkerOutcome.POSITIVE)
BANKED = within("banks", lambda _: (Bank("L0000000009", "BANK-26-0001", LotState.RELEASED),))
WITH_STORAGE = inside("donors", "consents", scopes=("donation", "processing", "storage"))


def of_the_donor(rule, *, approved_at=BEFORE, **more):
    """The clean assessment once more, about the donor and for a rule."""
    found = replace(
        clean().assessments[0],
        number=f"AS-26-{rule}",
        rule=rule,
        scope_kind="donor",
        scope="P-DONOR-1",
        approved_at=approved_at,
    )
    return add("assessments", replace(found, **more))


# -- DON-04 and DON-05 ---------------------------------------------------------------------------------------------------


def test_a_positive_patient_passes_where_the_risk_was_assessed_for_this_donor_beforehand():
    found = verdict("DON-04", all_of(POSITIVE, of_the_donor("DON-04")))
    assert found.outcome is Outcome.PASS
    assert any("AS-26-DON-04" in str(each.says) for each in found.evidence)


@pytest.mark.parametrize(
    "more",
    [
        {"scope": "P-DONOR-2"},
        {"approved_by": None},
        {"approved_by": "quinn"},
        {"superseded": True},
        {"valid_from": BEGAN + timedelta(seconds=1)},
        {"valid_to": AT},
    ],
)
def test_an_assessment_that_does_not_stand_for_this_donor_asks_for_a_waiver(more):
    assert verdict("DON-04", all_of(POSITIVE, of_the_donor("DON-04", **more))).outcome is Outcome.NEEDS_WAIVER


def test_a_waiver_of_the_authority_opens_it_as_well():
    waiver = Waiver(7, "DON-04", "no other donor", "told", "phil", "rhea", AT - timedelta(1), AT + timedelta(1), 1, 0)
    edit = all_of(POSITIVE, within("waivers", lambda _: (waiver,)))
    assert verdict("DON-04", edit).outcome is Outcome.PASS_WITH_WAIVER


def test_a_positive_patient_needs_cross_contamination_assessed_for_the_donor_too():
    assert verdict("DON-05", POSITIVE).outcome is Outcome.FAIL
    assert verdict("DON-05", all_of(POSITIVE, of_the_donor("DON-05"))).outcome is Outcome.PASS


def test_a_positive_found_after_processing_began_is_assessed_for_the_donor_from_then_on():
    found_late = inside(
        "donors",
        "markers",
        only=("marker", "HBsAg"),
        outcome=MarkerOutcome.POSITIVE,
        sampled_at=BEGAN + timedelta(days=3),
        reported_at=BEGAN + timedelta(days=4),
    )
    # The panel was complete and negative before; this is one more result.
    later = within("donors", lambda donors: _with_one_more(donors, found_late(clean()).donors[0].markers))
    assert verdict("DON-05", later).outcome is Outcome.FAIL
    assert verdict("DON-05", all_of(later, of_the_donor("DON-05", approved_at=AT))).outcome is Outcome.PASS
    # But where it was positive from the beginning, an assessment of today comes too late.
    assert verdict("DON-05", all_of(POSITIVE, of_the_donor("DON-05", approved_at=AT))).outcome is Outcome.FAIL


def _with_one_more(donors, edited):
    (more,) = (each for each in edited if each.outcome is MarkerOutcome.POSITIVE)
    return tuple(replace(donor, markers=(*donor.markers, replace(more, id=99))) for donor in donors)


def test_a_new_version_that_came_later_carries_on_what_the_first_began():
    def renewed(dossier):
        first = dossier.assessments[0]
        second = replace(first, version=2, approved_at=BEGAN + timedelta(days=5), valid_from=BEGAN)
        return replace(dossier, assessments=(replace(first, superseded=True), second))

    assert verdict("DON-05", renewed).outcome is Outcome.PASS
    assert verdict("DON-05", all_of(renewed, nth("assessments", 1, mitigations=()))).outcome is Outcome.FAIL


def test_an_assessment_that_ran_out_after_the_last_step_does_not_undo_the_work():
    ended = every("assessments", valid_to=datetime(2026, 10, 27, tzinfo=UTC))
    assert verdict("DON-05", ended).outcome is Outcome.PASS
    assert verdict("DON-05", every("assessments", valid_to=BEGAN + timedelta(days=1))).outcome is Outcome.FAIL


def test_the_facility_s_assessment_is_enough_while_every_marker_is_negative():
    of_the_facility = every("assessments", scope_kind="facility", scope=None)
    for kind in (SubjectKind.DONATION, SubjectKind.STEP, SubjectKind.LOT):
        assert verdict("DON-05", of_the_facility, kind=kind).outcome is Outcome.PASS
    of_a_process = every("assessments", scope_kind="process", scope="BM-MSC 4")
    assert verdict("DON-05", of_a_process, kind=SubjectKind.DONATION).outcome is Outcome.FAIL


def test_allogeneic_material_is_not_asked_about_by_the_rules_for_patients():
    for rule in ("DON-04", "DON-05"):
        assert verdict(rule, allogeneic).outcome is Outcome.NOT_APPLICABLE


def test_a_blank_measure_is_carried_out_by_nothing():
    blank = add_measure(Mitigation("  ", "waste"))
    assert verdict("DON-05", blank).outcome is Outcome.FAIL


def add_measure(measure):
    return within(
        "assessments",
        lambda found: tuple(replace(each, mitigations=(*each.mitigations, measure)) for each in found),
    )


# -- DON-10 --------------------------------------------------------------------------------------------------------------


def consents(*given):
    return every("donors", consents=given)


def consent(*scopes, signed_at=BEFORE, withdrawn_at=None, recorded_at=BEFORE):
    return Consent("IC-3", scopes, signed_at, withdrawn_at, recorded_at)


def test_two_consents_may_cover_a_use_together():
    assert verdict("DON-10", consents(consent("donation"), consent("processing"))).outcome is Outcome.PASS
    assert verdict("DON-10", consents(consent("donation"))).outcome is Outcome.FAIL


def test_a_withdrawn_consent_carries_nothing_and_another_that_stands_does():
    gone = consent("donation", "processing", withdrawn_at=AT + timedelta(days=1))
    assert verdict("DON-10", consents(gone)).outcome is Outcome.FAIL
    assert verdict("DON-10", consents(gone, consent("donation", "processing"))).outcome is Outcome.PASS


def test_a_consent_signed_at_the_moment_of_collection_is_in_time_and_one_after_it_is_not():
    collected = clean().donations[0].collected_at
    at_once = consents(consent("donation", "processing", signed_at=collected))
    late = consents(consent("donation", "processing", signed_at=collected + timedelta(seconds=1)))
    assert verdict("DON-10", at_once).outcome is Outcome.PASS
    assert verdict("DON-10", late).outcome is Outcome.FAIL


def test_a_consent_on_record_when_processing_began_is_in_time_and_one_after_it_is_assessed_by_deviation():
    assert verdict("DON-10", consents(consent("donation", "processing", recorded_at=BEGAN))).outcome is Outcome.PASS
    late = consents(consent("donation", "processing", recorded_at=BEGAN + timedelta(seconds=1)))
    assert verdict("DON-10", late).outcome is Outcome.FAIL
    assert "recorded" in str(verdict("DON-10", late).findings[0].problem)
    both = consents(consent("donation"), consent("processing", recorded_at=BEGAN + timedelta(days=1)))
    assert verdict("DON-10", both).outcome is Outcome.FAIL


def test_what_a_use_needs_follows_the_setting():
    asks_more = setting("don10.scopes", {"always": ["donation", "processing", "research"]})
    assert verdict("DON-10", asks_more).outcome is Outcome.FAIL
    assert "research" in str(verdict("DON-10", asks_more).findings[0].problem)


# -- cell banks ----------------------------------------------------------------------------------------------------------


def test_cells_from_a_released_bank_pass_and_need_no_retain_of_the_start():
    banked = all_of(
        part("process", long_term_expansion=True), WITH_STORAGE, BANKED, drop("retains", "kind", "starting_material")
    )
    assert verdict("CB-03", banked).outcome is Outcome.PASS
    assert verdict("CB-04", banked).outcome is Outcome.NOT_APPLICABLE
    assert verdict("CB-06", banked).outcome is Outcome.NOT_APPLICABLE


def test_a_bank_itself_needs_no_bank_but_keeps_its_start():
    bank = all_of(part("lot", kind=LotKind.BANK), part("process", clone_selected=True))
    assert verdict("CB-03", bank).outcome is Outcome.NOT_APPLICABLE
    assert verdict("CB-04", all_of(bank, drop("retains", "kind", "starting_material"))).outcome is Outcome.FAIL


def test_the_short_autologous_process_says_why_it_needs_no_bank():
    found = verdict("CB-03")
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert found.evidence


def test_one_good_retain_is_enough_whatever_the_others_are():
    poor = Retain(
        "R9", "starting_material", quantity=Decimal("0.01"), unit="mL", place="F1", taken_at=BEGAN, recorded_at=BEGAN
    )
    assert verdict("CB-04", add("retains", poor)).outcome is Outcome.PASS
    only_poor = all_of(drop("retains", "kind", "starting_material"), add("retains", poor))
    assert verdict("CB-04", only_poor).outcome is Outcome.NEEDS_WAIVER


def test_the_first_harvest_ends_the_starting_material_s_time():
    at_harvest = where("retains", "kind", "starting_material", taken_at=datetime(2026, 10, 12, 11, tzinfo=UTC))
    after_it = where("retains", "kind", "starting_material", taken_at=datetime(2026, 10, 12, 11, 1, tzinfo=UTC))
    assert verdict("CB-04", at_harvest).outcome is Outcome.PASS
    assert verdict("CB-04", after_it).outcome is Outcome.FAIL


def test_a_retain_is_on_record_by_the_first_harvest_whatever_it_says_of_itself():
    at_harvest = where("retains", "kind", "starting_material", recorded_at=datetime(2026, 10, 12, 11, tzinfo=UTC))
    after_it = where("retains", "kind", "starting_material", recorded_at=datetime(2026, 10, 12, 11, 1, tzinfo=UTC))
    assert verdict("CB-04", at_harvest).outcome is Outcome.PASS
    assert verdict("CB-04", after_it).outcome is Outcome.FAIL


# -- training ------------------------------------------------------------------------------------------------------------


def test_a_qualification_holds_from_its_first_moment_to_before_its_last():
    ends = where("qualifications", "topic", "isolation", valid_to=BEGAN)
    begins = where("qualifications", "topic", "isolation", valid_from=BEGAN, recorded_at=BEGAN)
    assert verdict("QA-07", ends).outcome is Outcome.NEEDS_WAIVER
    assert verdict("QA-07", begins).outcome is Outcome.PASS


def test_before_a_step_only_who_is_about_to_make_it_is_asked():
    made_by_another = every("steps", performed_by="tom")
    assert verdict("QA-07", made_by_another, kind=SubjectKind.STEP).outcome is Outcome.PASS
    assert verdict("QA-07", made_by_another).outcome is Outcome.NEEDS_WAIVER


# -- less evidence never opens more --------------------------------------------------------------------------------------

EVIDENCE = (
    "makers",
    "partners",
    "transports",
    "virus_tests",
    "assessments",
    "qualifications",
    "retains",
    "consumptions",
    "steps",
    "containers",
    "results",
    "donations",
)
INSIDE = (("donors", "consents"), ("donors", "markers"), ("donors", "identity_matches"), ("assessments", "mitigations"))
STARTS = {
    "clean": lambda dossier: dossier,
    "positive, assessed": all_of(POSITIVE, of_the_donor("DON-04"), of_the_donor("DON-05")),
    "allogeneic": allogeneic,
    "gene modified": gene_modified,
    "made by a partner": partner_made,
    "two consents": consents(consent("donation"), consent("processing")),
    "no start kept": drop("retains", "kind", "starting_material"),
    "untrained": drop("qualifications", "topic", "gowning"),
    "unassessed": empty("assessments"),
    "untested": drop_inside("donors", "markers", ("analyte", "HIV")),
}


def thinner(dossier, data):
    """The dossier with some of its evidence left out: whole records, records within records, whole sections."""
    for section in EVIDENCE:
        records = getattr(dossier, section)
        if records:
            kept = data.draw(st.lists(st.booleans(), min_size=len(records), max_size=len(records)), label=section)
            left = tuple(each for each, stays in zip(records, kept, strict=True) if stays)
            known = data.draw(st.integers(0, 9), label=f"{section} known")
            dossier = replace(dossier, **{section: left if known else None})
    for section, field in INSIDE:
        records = getattr(dossier, section)
        if records:
            dossier = replace(dossier, **{section: tuple(_thinner(each, field, data) for each in records)})
    return dossier


def _thinner(record, field, data):
    inner = getattr(record, field)
    kept = data.draw(st.lists(st.booleans(), min_size=len(inner), max_size=len(inner)), label=field)
    return replace(record, **{field: tuple(each for each, stays in zip(inner, kept, strict=True) if stays)})


ABOUT_EVIDENCE = ("CB-04", "CB-06", "DON-05", "DON-10", "QA-07", "REL-08")
"""Of these every record of the dossier speaks for the lot. Of the others some speak against it: a positive marker, a bad step."""


@pytest.mark.parametrize("start", STARTS)
@given(data=st.data())
@settings(max_examples=40)
def test_leaving_evidence_out_never_opens_a_closed_gate(start, data):
    dossier = STARTS[start](clean())
    before = judge(RULES, dossier, gate=GATE_OF[SubjectKind.LOT], at=AT, signer=SIGNER)
    after = judge(RULES, thinner(dossier, data), gate=GATE_OF[SubjectKind.LOT], at=AT, signer=SIGNER)
    if not before.is_open:
        assert not after.is_open
    closed = {each.rule for each in before.verdicts if each.closes}
    assert closed & {"CB-04", "DON-05", "DON-10"} <= {each.rule for each in after.verdicts if each.closes}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("rule", ABOUT_EVIDENCE)
@given(data=st.data())
@settings(max_examples=15)
def test_of_one_rule_too(start, rule, data):
    dossier = STARTS[start](clean())
    steps = dossier.steps
    # Work that was done stays done: leaving out a step is another lie, of which CB-05 and CB-06 speak.
    less = replace(thinner(dossier, data), steps=steps)
    gate = GATE_OF[SubjectKind.LOT]
    before = judge([BY_ID[rule]], dossier, gate=gate, at=AT, signer=SIGNER).verdicts[0]
    after = judge([BY_ID[rule]], less, gate=gate, at=AT, signer=SIGNER).verdicts[0]
    if before.closes:
        assert after.closes


def test_the_property_names_sections_that_there_are():
    known = {each.name for each in fields(clean())}
    assert {*EVIDENCE, *(section for section, _ in INSIDE)} <= known
