from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.facts import Decision, Line, LineKind, Result, Review
from app.domain.testing import Fit, fit, is_accepted, limits, value

AT = datetime(2026, 11, 10, tzinfo=UTC)
VIABILITY = Line(
    1, "viability", "SOP", LineKind.QUANTITATIVE, Decimal(70), Decimal(100), "%", None, safety=True, required=True
)
STERILITY = Line(2, "sterility", "SOP", LineKind.QUALITATIVE, None, None, None, "no growth", safety=True, required=True)
RESULT = Result(1, 1, "viability", "T1", Decimal(91), None, "%", "1", None, "quill", AT, invalidated=False, review=None)
SAID = replace(RESULT, value_number=None, value_text="No  Growth", unit=None)


@pytest.mark.parametrize(
    ("number", "expected"),
    [("70", Fit.WITHIN), ("100", Fit.WITHIN), ("69.999", Fit.OUTSIDE), ("100.1", Fit.OUTSIDE), ("NaN", Fit.UNREADABLE)],
)
def test_limits_are_inclusive_and_exact(number, expected):
    assert fit(VIABILITY, replace(RESULT, value_number=Decimal(number))) is expected


def test_one_sided_limits():
    assert fit(replace(VIABILITY, high=None), replace(RESULT, value_number=Decimal(1000))) is Fit.WITHIN
    assert fit(replace(VIABILITY, low=None), replace(RESULT, value_number=Decimal(-1))) is Fit.WITHIN
    assert fit(replace(VIABILITY, low=None, high=None), RESULT) is Fit.UNREADABLE


@pytest.mark.parametrize("unit", [None, "", "percent", "EU/mL"])
def test_another_unit_is_never_within(unit):
    assert fit(VIABILITY, replace(RESULT, unit=unit)) is Fit.UNREADABLE


def test_the_two_micro_signs_are_one_unit_and_case_counts():
    micro = replace(VIABILITY, unit="\u00b5g/mL")
    assert fit(micro, replace(RESULT, unit="\u03bcg/mL")) is Fit.WITHIN
    assert fit(replace(VIABILITY, unit="MU"), replace(RESULT, unit="mU")) is Fit.UNREADABLE


def test_words_compare_without_case_and_spaces():
    assert fit(STERILITY, SAID) is Fit.WITHIN
    assert fit(STERILITY, replace(SAID, value_text="growth")) is Fit.OUTSIDE
    assert fit(STERILITY, RESULT) is Fit.UNREADABLE
    assert fit(VIABILITY, SAID) is Fit.UNREADABLE


def test_acceptance_is_by_another_person_after_the_measurement():
    accepted = Review(Decision.ACCEPTED, "reva", AT + timedelta(hours=1))
    assert is_accepted(replace(RESULT, review=accepted))
    assert not is_accepted(RESULT)
    assert not is_accepted(replace(RESULT, review=replace(accepted, by="quill")))
    assert not is_accepted(replace(RESULT, review=replace(accepted, decision=Decision.RETURNED)))
    assert not is_accepted(replace(RESULT, review=replace(accepted, at=AT - timedelta(hours=1))))


def test_limits_and_values_are_said():
    assert str(limits(VIABILITY)) == "70 to 100 %"
    assert str(limits(replace(VIABILITY, high=None))) == "at least 70 %"
    assert str(limits(replace(VIABILITY, low=None))) == "at most 100 %"
    assert str(limits(STERILITY)) == "no growth"
    assert str(value(RESULT)) == "91 %"
    assert str(value(SAID)) == "No  Growth"
