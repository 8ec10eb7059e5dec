"""The form kit: every field read as the lab means it, all that is wrong said at once and at its place, nothing lost."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from app.domain.acts import Act, Actor, Role
from app.domain.errors import BadInput, Conflict
from app.domain.text import Text
from app.web.fields import Entry, FormView, Unreadable
from app.web.forms import FieldProblem
from app.web.places import PLACES, Group, places_of
from app.web.saying import Voice
from app.web.shell import environment
from labels.codes import CodeKind, new_code

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def entry(*fields, zone=SHANGHAI, **named):
    return Entry(SimpleNamespace(), [*fields, *named.items()], zone=zone)


def who():
    return SimpleNamespace(csrf="token", actor=SimpleNamespace(username="tess", printed_name="Tess Tan"))


def drawn(form, source, **more):
    voice = Voice(gettext=lambda text: text, zone=SHANGHAI)
    page = '{% import "_forms.html" as forms with context %}' + source
    return (
        environment()
        .from_string(page)
        .render(
            _=voice.sentence,
            say=voice.say,
            moment=voice.moment,
            who=who(),
            facility=SimpleNamespace(zone=SHANGHAI),
            form=form,
            **more,
        )
    )


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("12.5", "12.5"),
        ("1.2e6", "1200000"),
        ("7.5 × 10⁶", "7500000"),
        ("7.5*10^6", "7500000"),
        ("3 x 10^-2", "0.03"),
        ("１２．５", "12.5"),
        ("0", "0"),
    ],
)
def test_a_number_is_read_as_people_write_it(typed, read):
    given = entry(n=typed)
    assert given.amount("n") == Decimal(read)
    assert given.problems == {}


@pytest.mark.parametrize(
    "typed",
    ["1,5", "1,200", "1.200,5", "1，5", "1 200", "1.", ".5", "12 mL", "NaN", "inf", "1e99999", "0x10", "1_000", "٣", "106⁶",
     "-1", "1e19", "1" * 30, "1e-30", "--1", "", "<b>"],
)  # fmt: skip
def test_a_number_that_may_mean_two_things_or_none_is_refused(typed):
    given = entry(n=typed)
    given.amount("n")
    assert list(given.problems) == ["n"]
    with pytest.raises(Unreadable):
        given.call(who())


def test_a_real_minus_counts_where_less_than_nothing_may_be():
    assert entry(n="\u2212196").amount("n", least=-273) == -196


def test_a_whole_number_has_its_bounds():
    assert entry(n="1.2e2").whole("n", most=200) == 120
    for typed in ("1.5", "0", "201"):
        given = entry(n=typed)
        given.whole("n", least=1, most=200)
        assert "n" in given.problems, typed


def test_days_and_moments_are_the_facilitys():
    given = entry(d="2026-11-22", t="2026-11-22T14:05", z="2026-11-22T14:05+00:00")
    assert given.day("d", ahead=True) == date(2026, 11, 22)
    assert given.moment("t", ahead=True) == datetime(2026, 11, 22, 6, 5, tzinfo=UTC)
    assert given.moment("z", ahead=True) == datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    assert given.optional_moment("none") is None
    assert given.problems == {}
    for field, typed in (("d", "22.11.2026"), ("d", "0001-01-01"), ("t", "yesterday"), ("t", "9999-12-31T23:59")):
        wrong = entry(**{field: typed})
        (wrong.day if field == "d" else wrong.moment)(field)
        assert field in wrong.problems, typed


def test_a_time_that_the_clock_skipped_is_refused_and_one_shown_twice_is_its_first():
    skipped = entry(t="2026-03-29T02:30", zone=BERLIN)
    skipped.moment("t", ahead=True)
    assert "t" in skipped.problems
    assert entry(t="2026-10-25T02:30", zone=BERLIN).moment("t", ahead=True).astimezone(UTC) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_codes_are_scanned_one_after_the_other_and_none_counts_twice():
    one, two = new_code(CodeKind.VIAL), new_code(CodeKind.VIAL)
    given = entry(scans=f"{one}\r\n]d1{two}\n\n{one.lower()}\n")
    assert given.codes("scans") == [one, two]
    misread = entry(scans=f"{one}\n{two[:-1]}{'A' if two[-1] != 'A' else 'B'}")
    assert misread.codes("scans") == []
    assert "scans" in misread.problems
    missing = entry(code="")
    assert missing.scanned("code") == ""
    assert "code" in missing.problems


def test_several_are_ticked_each_once_and_only_from_the_list():
    given = entry(("use", "a"), ("use", "b"), ("use", "a"))
    assert given.several("use", among=("a", "b", "c")) == ["a", "b"]
    for fields in ([], [("use", "z")], [("use", "\u202ea")]):
        wrong = entry(*fields)
        wrong.several("use", among=("a", "b"))
        assert "use" in wrong.problems, fields


@pytest.mark.parametrize("typed", ["\x00", "a\x1bb", "\u202eevil", "\u200b", "\ud800", "x" * 401])
def test_text_that_does_not_show_or_never_ends_is_refused(typed):
    given = entry(t=typed)
    given.text("t")
    given.optional("t")
    assert "t" in given.problems


def test_everything_wrong_is_said_at_once_and_nothing_is_called():
    given = entry(colour="green", n="1,5", d="soon")
    given.text("name")
    given.choice("colour", Colour)
    given.amount("n")
    given.day("d", ahead=True)
    with pytest.raises(Unreadable) as caught:
        given.call(who())
    assert list(caught.value.problems) == ["name", "colour", "n", "d"]
    with pytest.raises(RuntimeError, match="before the call"):
        given.text("late")


def test_a_refused_form_comes_back_as_typed_but_for_its_secrets():
    given = entry(("use", "a"), ("use", "b"), reason="<b>x</b>", password="hush", totp="123456", pin="1234", key="old")
    refusal = BadInput(
        field="volume_ml", what=Text("No."), why=Text("Too much."), remedy=Text("Take less."), rule="R-1"
    )
    form = given.again(refusal, at={"volume_ml": "volume"})
    assert form.value("reason") == "<b>x</b>"
    assert form.several("use") == ["a", "b"]
    assert form.key != "old"
    assert form.status == 422
    page = drawn(
        form,
        '{% call forms.form(form, "/x", submit="Go") %}{{ forms.number(form, "volume", "Volume", unit="mL") }}{{ forms.area(form, "reason", "Reason") }}{% endcall %}',
    )
    for secret in ("hush", "123456", "1234"):
        assert f'"{secret}"' not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert '<a href="#volume">Volume</a>: Too much.' in page
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby=" volume-wrong"' in page
    assert page.index('id="volume-wrong"') > page.index('name="volume"')
    assert page.count("autofocus") == 1
    assert "R-1" in page


def test_what_no_field_holds_is_said_in_full_on_top():
    refusal = Conflict(what=Text("No."), why=Text("It is there already."), remedy=Text("Look there."), rule="R-2")
    page = drawn(
        entry(a="1").again(refusal),
        '{% call forms.form(form, "/x", submit="Go") %}{{ forms.text(form, "a", "A") }}{% endcall %}',
    )
    for words in ("No.", "It is there already.", "Look there.", "R-2"):
        assert words in page
    assert "aria-invalid" not in page
    elsewhere = BadInput(field="unseen", what=Text("No."), why=Text("Hidden trouble."), remedy=Text("Mend it."))
    page = drawn(
        entry(a="1").again(elsewhere),
        '{% call forms.form(form, "/x", submit="Go") %}{{ forms.text(form, "a", "A") }}{% endcall %}',
    )
    assert "Hidden trouble." in page


EVERY_FIELD = """{% call forms.form(form, "/x", submit="Go") %}
{{ forms.text(form, "a", "A") }}{{ forms.area(form, "b", "B") }}{{ forms.number(form, "c", "C", unit="mL") }}
{{ forms.select(form, "d", "D", choices) }}{{ forms.choice(form, "e", "E", choices) }}
{{ forms.several(form, "f", "F", choices) }}{{ forms.flag(form, "g", "G") }}{{ forms.moment(form, "h", "H") }}
{{ forms.day(form, "i", "I") }}{{ forms.scan(form, "j", "J") }}{{ forms.scans(form, "k", "K") }}{% endcall %}"""


@pytest.mark.parametrize("name", "abcdefghijk")
def test_each_kind_of_field_shows_what_is_wrong_beside_it_and_escapes_what_it_holds(name):
    hostile = '"><script>alert(1)</script>'
    form = entry(**{name: hostile}).again(FieldProblem(name, Text("Not so."), Text("But so.")))
    page = drawn(form, EVERY_FIELD, choices={"x": Text("X"), "y": Text("Y")})
    assert "<script" not in page
    assert f'id="{name}-wrong"' in page
    assert re.search(rf'aria-describedby="[^"]*\b{name}-wrong"', page)
    assert page.count('aria-invalid="true"') == 1
    assert f'href="#{name}"' in page


def test_two_forms_on_a_page_keep_their_ids_apart():
    page = drawn(FormView(key="k", prefix="sign-"), '{{ forms.text(form, "reason", "Reason", hint="why") }}')
    assert 'id="sign-reason" name="reason" aria-describedby="sign-reason-hint"' in page
    assert 'for="sign-reason"' in page


def actor(*roles):
    return Actor(1, "x", "X", frozenset(roles), 1, "")


def test_the_bar_shows_what_ones_roles_may_and_nothing_else():
    bench = {place.path for group in places_of(actor(Role.TECHNICIAN)).values() for place in group}
    assert {"/bench", "/lots", "/donors", "/materials"} <= bench
    assert "/audit" not in bench
    assert "/administration" not in bench
    admin = {place.path for group in places_of(actor(Role.ADMINISTRATOR)).values() for place in group}
    assert admin == {"/rules", "/people", "/administration"}
    assert places_of(None) == {}
    quality = places_of(actor(Role.QA_MANAGER))
    assert {place.act for place in quality[Group.QUALITY]} >= {Act.READ_AUDIT}


def test_a_place_is_where_its_pages_are_and_no_neighbour_is():
    donors = next(place for place in PLACES if place.path == "/donors")
    assert donors.leads_to("/donors/new")
    assert donors.leads_to("/donations/X")
    assert not donors.leads_to("/donorsx")


def test_what_has_happened_has_come_and_what_is_planned_may_lie_ahead():
    then = f"{datetime.now(SHANGHAI) + timedelta(days=2):%Y-%m-%dT%H:%M}"
    given = entry(t=then, d=then[:10])
    assert given.moment("t", ahead=True) > datetime.now(UTC)
    assert given.day("d", ahead=True) == date.fromisoformat(then[:10])
    assert given.problems == {}
    given.moment("t")
    given.day("d")
    assert [str(each.remedy) for each in given.problems.values()] == [
        "Record it when it has happened, and check the clock of this device.",
        "Record it when it has been done.",
    ]
    now = entry(t=f"{datetime.now(SHANGHAI):%Y-%m-%dT%H:%M}", d=f"{datetime.now(SHANGHAI):%Y-%m-%d}")
    now.moment("t")
    now.day("d")
    assert now.problems == {}, "where the facility lies, today has come"


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"valid_from": "2026-02-02", "valid_to": "2026-02-01"}, "valid_to"),
        ({"valid_from": "2026-02-02", "valid_to": "2026-02-02"}, None),
        ({"from_on-3": "2020-02-02", "to_on-3": "2019-02-02"}, "to_on-3"),
        ({"from_on-3": "2020-02-02", "to_on-2": "2019-02-02"}, None),
        ({"received_at": "2026-02-02T00:05", "reported_on": "2026-02-01"}, "reported_on"),
        ({"received_at": "2026-02-02T00:05", "reported_on": "2026-02-02"}, None),
    ],
)
def test_what_comes_first_in_every_form_comes_first_in_this_one(fields, refused):
    given = entry(**fields)
    for name, typed in fields.items():
        (given.moment if "T" in typed else given.day)(name, ahead=True)
    assert given.problems == {}
    if refused is None:
        given._note_order()
        assert given.problems == {}
        return
    with pytest.raises(Unreadable) as caught:
        given.call(who())
    assert list(caught.value.problems) == [refused]


def test_the_lower_of_two_numbers_is_the_lower():
    given = entry(low_c="-80", high_c="-120")
    given.amount("low_c", least=-300), given.amount("high_c", least=-300)
    with pytest.raises(Unreadable) as caught:
        given.call(who())
    assert list(caught.value.problems) == ["high_c"]
