from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.facts import Appointment, Experience
from app.domain.people import counted_days, hands_in, is_live
from tests.rules.clean import clean

FIELD = "stem_cell_quality_management"
UNTIL = date(2026, 1, 31)
days = st.dates(min_value=date(2015, 1, 1), max_value=date(2027, 12, 31))


def post(from_on, to_on, domain=FIELD, evidence="letter"):
    return Experience("Hospital", "QA", domain, from_on, to_on, evidence)


def test_a_year_counts_its_days_with_both_ends():
    assert counted_days([post(date(2020, 1, 1), date(2020, 12, 31))], domains=[FIELD], until=UNTIL) == 366


def test_two_posts_at_once_count_once():
    posts = [post(date(2020, 1, 1), date(2021, 12, 31)), post(date(2021, 1, 1), date(2022, 12, 31))]
    assert counted_days(posts, domains=[FIELD], until=UNTIL) == 366 + 365 + 365


def test_other_fields_and_unproved_posts_do_not_count():
    posts = [
        post(date(2020, 1, 1), None, domain="pharmaceutical_quality_assurance"),
        post(date(2020, 1, 1), None, evidence=None),
        post(date(2020, 1, 1), None, evidence="  "),
    ]
    assert counted_days(posts, domains=[FIELD], until=UNTIL) == 0


def test_nothing_after_the_last_day_counts():
    assert counted_days([post(date(2026, 1, 1), None)], domains=[FIELD], until=UNTIL) == 31
    assert counted_days([post(date(2026, 2, 1), None)], domains=[FIELD], until=UNTIL) == 0


@given(st.lists(st.tuples(days, days), max_size=6))
def test_the_count_is_that_of_a_set_of_days(intervals):
    posts = [post(begins, ends) for begins, ends in intervals]
    single = {
        begins + timedelta(days=each)
        for begins, ends in intervals
        for each in range((min(ends, UNTIL) - begins).days + 1)
    }
    assert counted_days(posts, domains=[FIELD], until=UNTIL) == len(single)


def test_an_appointment_lives_from_its_start_to_its_end_or_revocation():
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    later = begins + timedelta(days=10)
    unlimited = Appointment(1, "rhea", begins, None, None, "senior", "C", None, ())
    assert is_live(unlimited, begins)
    assert not is_live(unlimited, begins - timedelta(microseconds=1))
    for ended in (
        Appointment(1, "rhea", begins, later, None, "senior", "C", None, ()),
        Appointment(1, "rhea", begins, None, later, "senior", "C", None, ()),
    ):
        assert is_live(ended, later - timedelta(microseconds=1))
        assert not is_live(ended, later)


def test_hands_in_a_lot_are_all_named():
    assert [str(did) for did in hands_in(clean(), "tess")] == [
        "performed a step",
        "cleared the line",
        "recorded a step or a result, or took a sample",
    ]
    assert [str(did) for did in hands_in(clean(), "quinn")] == ["reviewed the batch record"]
    assert hands_in(clean(), "rhea") == ()
