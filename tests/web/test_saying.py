"""Numbers, codes, moments and sentences as people read them."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from app.domain.text import Text
from app.web.saying import Voice, digest_in_groups, grouped, number
from labels.codes import CodeKind, new_code

VOICE = Voice(gettext=str, zone=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (Decimal("-171.4"), None, "\u2212171.4"),
        (12345, None, "12\u202f345"),
        (Decimal(7500000), None, "7.5\u2009×\u200910⁶"),
        (Decimal("5.20E+6"), None, "5.2\u2009×\u200910⁶"),
        (Decimal("6.140778"), 2, "6.14"),
        (0.0, 1, "0.0"),
        ("0.12", None, "0.12"),
        (-1.5, 1, "\u22121.5"),
    ],
)
def test_numbers_have_real_minus_signs_and_readable_powers(value, digits, shown):
    assert str(number(value, digits)) == shown


def test_an_unknown_number_is_a_dash_and_not_a_zero():
    assert "–" in number(None)


def test_our_codes_stand_in_groups_and_others_as_they_are():
    code = new_code(CodeKind.FLASK)
    assert grouped(code) == f"{code[0]}-{code[1:4]}-{code[4:7]}-{code[7:10]}-{code[10]}"
    assert grouped("(01)06901234000016") == "(01)06901234000016"
    assert grouped(None) == ""


def test_a_moment_is_local_with_the_exact_one_beneath():
    shown = VOICE.moment(datetime(2026, 11, 22, 20, 30, tzinfo=UTC))
    assert "2026-11-23 04:30" in shown
    assert 'datetime="2026-11-22T20:30:00Z"' in shown
    assert "2026-11-23 04:30" in VOICE.moment("2026-11-22T20:30:00.000000+00:00")


def test_a_sentence_escapes_what_is_not_markup():
    said = VOICE.sentence("{name} & {mark}", name="<script>", mark=Markup("<b>5</b>"))
    assert said == "&lt;script&gt; &amp; <b>5</b>"


def test_texts_and_plain_words_are_said_alike():
    assert VOICE.say(Text("P{passage}", passage=2)) == "P2"
    assert VOICE.say("as it is") == "as it is"
    assert VOICE.say(None) == ""


def test_a_digest_begins_in_groups_of_four():
    assert digest_in_groups("9f31c2a704be11d8" + "0" * 48) == "9f31 c2a7 04be 11d8"
