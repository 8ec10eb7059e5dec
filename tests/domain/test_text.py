from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from app.domain.lots import STATE_NAMES, LotState
from app.domain.text import Text

CHINESE = {"The lot is {state}.": "该批次{state}。", "on hold": "已暂扣", ", ": "、"}


def zh(message):
    return CHINESE.get(message, message)


def test_a_text_says_its_values_in_english():
    assert str(Text("{count} of {total} vials", count=2, total=Decimal("10.0"))) == "2 of 10.0 vials"


def test_a_text_within_a_text_is_translated_with_it():
    text = Text("The lot is {state}.", state=Text("on hold"))
    assert text.translated(zh) == "该批次已暂扣。"
    assert str(text) == "The lot is on hold."


def test_several_are_listed_as_the_language_lists():
    assert Text("{all}", all=("a", Text("on hold"))).translated(zh) == "a、已暂扣"


def test_a_translation_with_a_wrong_placeholder_falls_back_to_english():
    broken = {"{count} vials": "{number} 支"}
    assert Text("{count} vials", count=3).translated(lambda message: broken.get(message, message)) == "3 vials"


def test_braces_in_a_value_are_only_a_value():
    assert str(Text("{name}", name="{0.__class__}")) == "{0.__class__}"


def test_moments_are_said_in_utc_and_naive_ones_are_refused():
    shanghai = timezone(timedelta(hours=8))
    assert str(Text("{at}", at=datetime(2026, 11, 22, 18, tzinfo=shanghai))) == "2026-11-22 10:00 UTC"
    assert str(Text("{on}", on=date(2026, 11, 22))) == "2026-11-22"
    with pytest.raises(ValueError, match="time zone"):
        Text("{at}", at=datetime(2026, 11, 22, 18))


def test_texts_are_equal_and_hashable_by_what_they_say():
    assert {Text("{a} {b}", a=1, b=2), Text("{a} {b}", b=2, a=1)} == {Text("{a} {b}", a=1, b=2)}


def test_what_is_kept_can_be_said_again_in_any_language():
    text = Text(
        "{list} {at}: {state}",
        list=("x", Text("on hold")),
        at=datetime(2026, 1, 1, tzinfo=UTC),
        state=STATE_NAMES[LotState.RELEASED],
    )
    assert Text.from_json(text.to_json()) == text


@pytest.mark.parametrize("kept", [{}, {"text": 1, "values": {}}, {"text": "x"}, {"text": "x", "values": {"a": None}}])
def test_a_malformed_record_is_no_text(kept):
    with pytest.raises(ValueError, match="not a kept text"):
        Text.from_json(kept)
