"""What people state: moments that have come and follow each other, units that are known, rows that stand once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.errors import BadInput
from app.domain.moments import CLOCKS_DIFFER_BY, require_end, require_order, require_past, require_past_day
from app.domain.rows import require_once_each
from app.domain.units import AMOUNTS, TITRES, known_unit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)


def test_what_has_happened_has_come_as_far_as_clocks_agree():
    require_past(None, now=NOW, field="taken_at")
    require_past(NOW + CLOCKS_DIFFER_BY, now=NOW, field="taken_at")
    with pytest.raises(BadInput) as caught:
        require_past(NOW + CLOCKS_DIFFER_BY + A_MINUTE, now=NOW, field="taken_at")
    assert caught.value.field == "taken_at"
    require_past_day(NOW.date(), today=NOW.date(), field="done_on")
    with pytest.raises(BadInput, match="2026-03-02 is yet to come"):
        require_past_day(date(2026, 3, 2), today=NOW.date(), field="done_on")


def test_what_comes_after_says_both_moments():
    require_order(earlier=NOW, later=NOW, field="reported_at")
    require_order(earlier=NOW, later=None, field="reported_at")
    with pytest.raises(BadInput, match="2026-03-01 11:59 UTC lies before 2026-03-01 12:00 UTC") as caught:
        require_order(earlier=NOW, later=NOW - A_MINUTE, field="reported_at")
    assert caught.value.field == "reported_at"


def test_an_end_may_fall_on_its_beginning_and_not_before():
    require_end(begins=date(2026, 3, 1), ends=date(2026, 3, 1), field="valid_to")
    require_end(begins=date(2026, 3, 1), ends=None, field="valid_to")
    with pytest.raises(BadInput) as caught:
        require_end(begins=date(2026, 3, 1), ends=date(2026, 2, 28), field="valid_to")
    assert caught.value.field == "valid_to"


@pytest.mark.parametrize(
    ("written", "kept"),
    [("mL", "mL"), ("ml", "mL"), ("ul", "µL"), ("uL", "µL"), ("μL", "µL"), (" µL ", "µL"), ("g", "g"), ("IU", "IU")],
)
def test_one_unit_is_written_in_many_ways_and_kept_in_one(written, kept):
    assert known_unit(written, among=AMOUNTS, field="unit") == kept


@pytest.mark.parametrize("written", ["furlong", "", "M", "Ml", "G", "mol", "TU/mL", "mL/h"])
def test_a_unit_that_does_not_belong_here_is_refused_with_those_that_do(written):
    with pytest.raises(BadInput) as caught:
        known_unit(written, among=AMOUNTS, field="parts.2.unit")
    assert caught.value.field == "parts.2.unit"
    assert "mL" in str(caught.value.remedy)


def test_no_two_units_are_one_however_they_are_written():
    for units in (AMOUNTS, TITRES):
        assert [known_unit(each, among=units, field="unit") for each in units] == list(units)


def test_a_row_that_stands_again_is_named_by_its_number():
    require_once_each([("a", "A"), ("b", "B")], field="parts")
    with pytest.raises(BadInput, match="A stands here twice") as caught:
        require_once_each([("a", "A"), ("b", "B"), ("a", "A")], field="parts")
    assert caught.value.field == "parts.2"
