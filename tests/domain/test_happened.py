import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BadInput
from app.domain.happened import Unresolved, hold_reason, in_words, refuse_impossible_moments

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@given(st.text(min_size=1), st.text(), st.lists(st.text()))
def test_words_and_facts_are_told_apart_whatever_they_are(said, fact, strange):
    unresolved = [Unresolved("parents", each) for each in strange]
    kept = in_words(said, facts={"lot": fact, "item": None, "parents": []}, unresolved=unresolved)

    words, _, facts = kept.rpartition("\n---\n")

    assert words == said
    found = {name: json.loads(value) for name, _, value in (line.partition(": ") for line in facts.split("\n"))}
    assert found == {"lot": fact} | ({"unresolved": {"parents": strange}} if strange else {})


def test_a_reason_is_short_and_on_one_line():
    assert hold_reason(deviation="DV-26-0001", said="a\n b") == "DV-26-0001: a b"
    assert hold_reason(deviation="DV-26-0001", said="长" * 500) == f"DV-26-0001: {'长' * 120}…"


@pytest.mark.parametrize(
    ("occurred_at", "ended_at", "field"),
    [
        (NOW + timedelta(minutes=3), None, "occurred_at"),
        (NOW, NOW + timedelta(minutes=3), "ended_at"),
        (NOW, NOW - timedelta(microseconds=1), "ended_at"),
        (datetime(1999, 12, 31, 23, 59, tzinfo=UTC), None, "occurred_at"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), None, "occurred_at"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))), None, "occurred_at"),
    ],
)
def test_a_moment_that_cannot_be_is_refused_by_its_field(occurred_at, ended_at, field):
    with pytest.raises(BadInput) as caught:
        refuse_impossible_moments(occurred_at=occurred_at, ended_at=ended_at, now=NOW)
    assert caught.value.field == field


def test_clocks_may_differ_a_little_and_the_past_is_long():
    refuse_impossible_moments(occurred_at=NOW + timedelta(minutes=2), ended_at=None, now=NOW)
    refuse_impossible_moments(occurred_at=datetime(2000, 1, 1, tzinfo=UTC), ended_at=NOW, now=NOW)
