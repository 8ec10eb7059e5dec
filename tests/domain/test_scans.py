from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.lots import LotState
from app.domain.scans import (
    KIND_NAMES,
    Colour,
    Malformation,
    Purpose,
    ScanFacts,
    ScannedCode,
    ScanOutcome,
    ScanReason,
    Scheme,
    judge_scan,
)

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
CODE = ScannedCode("V-3K7-PX2-M9A-T", Scheme.OWN, "V3K7PX2M9AT")
VIAL = ScanFacts(
    permitted=True,
    item_id=7,
    item_kind="vial",
    item_name="PREP-26-0108",
    item_state="stored",
    lot_kind="preparation",
    lot_state=LotState.RELEASED,
    expires_at=AT + timedelta(days=300),
    donor="P-1",
    donors=1,
)
MEDIUM = ScanFacts(
    permitted=True,
    purpose=Purpose.USE,
    item_id=8,
    item_kind="material_container",
    item_name="DMEM",
    item_state="in_use",
    lot_kind="material",
    lot_state=LotState.APPROVED,
    expires_at=AT + timedelta(days=30),
    workstation="E1",
    workstation_donor="P-1",
)


def test_a_released_vial_is_known_and_green():
    verdict = judge_scan(CODE, VIAL, AT)
    assert (verdict.outcome, verdict.reason, verdict.colour) == (ScanOutcome.ACCEPTED, ScanReason.IDENTIFIED, Colour.GO)
    assert str(verdict.headline) == "Vial: PREP-26-0108"


@pytest.mark.parametrize("state", ["retained", "sampled"])
def test_what_is_kept_apart_is_known_where_it_is_and_never_green(state):
    verdict = judge_scan(CODE, replace(VIAL, item_state=state), AT)
    assert (verdict.outcome, verdict.reason, verdict.colour) == (
        ScanOutcome.ACCEPTED,
        ScanReason.SET_ASIDE,
        Colour.WAIT,
    )


def test_an_approved_material_may_be_used():
    assert judge_scan(CODE, MEDIUM, AT).reason is ScanReason.FIT_FOR_USE


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(VIAL, permitted=False), ScanReason.NOT_PERMITTED),
        (replace(VIAL, item_state="consumed"), ScanReason.GONE),
        (replace(VIAL, item_state="destroyed"), ScanReason.GONE),
        (replace(VIAL, item_state="issued"), ScanReason.GONE),
        (replace(VIAL, lot_state=LotState.RECALLED), ScanReason.WITHDRAWN),
        (replace(VIAL, lot_state=LotState.REJECTED), ScanReason.WITHDRAWN),
        (replace(VIAL, lot_state=LotState.FAILED_AFTER_RELEASE), ScanReason.WITHDRAWN),
        (replace(VIAL, holds=("suspected mix-up",)), ScanReason.HELD),
        (replace(VIAL, expires_at=AT), ScanReason.EXPIRED),
        (replace(VIAL, workstation="E1", workstation_donor="P-2"), ScanReason.OTHER_DONOR),
        (replace(VIAL, donors=2), ScanReason.SEVERAL_DONORS),
        (replace(VIAL, expected_kinds=("workstation",)), ScanReason.NOT_EXPECTED),
        (replace(VIAL, purpose=Purpose.USE, lot_state=LotState.QUARANTINE), ScanReason.IN_QUARANTINE),
        (replace(VIAL, purpose=Purpose.USE, lot_state=LotState.AWAITING_RELEASE), ScanReason.NOT_RELEASED),
        (replace(VIAL, purpose=Purpose.USE, lot_state=LotState.CONDITIONALLY_RELEASED), ScanReason.NOT_RELEASED),
        (
            replace(VIAL, purpose=Purpose.USE, lot_state=None, item_kind="donation", awaits_determination=True),
            ScanReason.IN_QUARANTINE,
        ),
        (replace(VIAL, purpose=Purpose.USE, item_state="retained"), ScanReason.SET_ASIDE),
        (replace(VIAL, purpose=Purpose.USE, item_state="sampled"), ScanReason.SET_ASIDE),
        (replace(MEDIUM, lot_state=LotState.QUARANTINE), ScanReason.IN_QUARANTINE),
        (replace(MEDIUM, lot_state=LotState.RELEASED), ScanReason.NOT_RELEASED),
        (replace(MEDIUM, expires_at=AT - timedelta(seconds=1)), ScanReason.EXPIRED),
    ],
)
def test_what_must_not_be_used_is_red_and_says_what_to_do(facts, reason):
    verdict = judge_scan(CODE, facts, AT)
    assert (verdict.outcome, verdict.reason, verdict.colour) == (ScanOutcome.REFUSED, reason, Colour.STOP)
    assert str(verdict.headline)
    assert str(verdict.why)
    assert str(verdict.next)


def test_the_gravest_objection_is_the_answer():
    facts = replace(VIAL, lot_state=LotState.RECALLED, holds=("x",), expires_at=AT, workstation_donor="P-2")
    assert judge_scan(CODE, facts, AT).reason is ScanReason.WITHDRAWN


def test_looking_at_quarantine_is_amber_and_using_it_red():
    quarantined = replace(VIAL, lot_state=LotState.QUARANTINE)
    assert judge_scan(CODE, quarantined, AT).colour is Colour.WAIT
    assert judge_scan(CODE, replace(quarantined, purpose=Purpose.USE), AT).colour is Colour.STOP


def test_cells_in_process_may_be_worked_on_at_their_own_workstation():
    flask = replace(
        VIAL, item_kind="flask", lot_state=LotState.IN_PROCESS, purpose=Purpose.USE, workstation_donor="P-1"
    )
    assert judge_scan(CODE, flask, AT).reason is ScanReason.FIT_FOR_USE


def test_a_sample_of_a_lot_in_quarantine_is_there_to_be_tested():
    sample = replace(VIAL, item_kind="sample", lot_state=LotState.QUARANTINE, purpose=Purpose.USE)
    assert judge_scan(CODE, sample, AT).outcome is ScanOutcome.ACCEPTED


def test_an_unknown_code_is_unknown_and_red():
    verdict = judge_scan(CODE, ScanFacts(permitted=True), AT)
    assert (verdict.outcome, verdict.colour) == (ScanOutcome.UNKNOWN, Colour.STOP)
    assert CODE.value in str(verdict.why)


@pytest.mark.parametrize("malformation", Malformation)
def test_a_misread_is_refused_before_anything_is_looked_up(malformation):
    code = ScannedCode("?", Scheme.MALFORMED, "", malformation)
    verdict = judge_scan(code, VIAL, AT)
    assert verdict.outcome is ScanOutcome.REFUSED
    expected = {Malformation.WRONG_CHECK_CHARACTER, Malformation.MISSING_CHECK_CHARACTER}
    assert (verdict.reason is ScanReason.WRONG_CHECK_CHARACTER) == (malformation in expected)


def test_every_malformation_is_one_of_the_grammar_that_reads_codes():
    from labels.codes import CodeReason

    assert {each.value for each in Malformation} == {each.value for each in CodeReason}


def test_every_kind_of_code_has_a_name():
    from labels.codes import CodeKind

    named = {kind.name.lower() for kind in CodeKind} - {"sample_tube"}
    assert named <= set(KIND_NAMES)
