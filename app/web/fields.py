"""Forms of many fields: read as the lab means them, refused field by field, shown again with what was typed.

How a page uses it (`app/web/pages/donors.py` is the example; the macros are in `templates/_forms.html`):

    @router.get("/new")
    async def new(request, who):
        require(who.actor, Act.REGISTER_DONOR)
        form = await blank(request, received_at=datetime.now(UTC))
        return await render(request, "area/new.html", who=who, form=form)

    @router.post("/new")
    async def keep(request, house, who):
        entry = await read_entry(request)
        tissue, volume = entry.text("tissue"), entry.optional_amount("volume_ml")   # read everything first ...
        try:
            answer = await once(service.act(house, entry.call(who), tissue=tissue, volume_ml=volume))
        except Refusal as refusal:
            return await render(request, "area/new.html", status=refusal.status, who=who, form=entry.again(refusal))
        return see(f"/area/{answer['code']}")

A field that cannot be taken yields a stand-in value and is noted; `entry.call()`, without which nothing can be
written, raises everything noted at once. So no stand-in ever reaches a service.

A moment or a day has come, here and in the macro, unless both say `ahead`; what comes first in every form (COMES_FIRST)
comes first in each. Services refuse the same by themselves: a page only says it sooner, beside all else that is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi.responses import RedirectResponse
from pydantic_core import to_jsonable_python

from app.db.door import Replay
from app.db.secrets import keyed_digest
from app.domain.errors import BadInput, Conflict, NotFound, Refusal
from app.domain.moments import CLOCKS_DIFFER_BY
from app.domain.text import Text
from app.requests import house
from app.web.forms import (
    FIRST_YEAR,
    LAST_YEAR,
    LINE,
    PROSE,
    SCAN,
    FieldProblem,
    Form,
    code_in,
    fields_of,
    form_call,
    fresh_key,
)
from app.web.shell import the_facility

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from zoneinfo import ZoneInfo

    from fastapi import Request
    from starlette.responses import Response

    from app.db.door import Call
    from app.db.sessions import SignedIn

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")
Stated = TypeVar("Stated", bound=Decimal | date)

LOCAL = "%Y-%m-%dT%H:%M"
AMOUNT_MOST = Decimal("1e18")
AMOUNT_DIGITS = 24
NUMBER_LENGTH = 60
LINES_AT_MOST = 200
COMES_FIRST = (
    ("valid_from", "valid_to"),
    ("from_at", "until_at"),
    ("from_on", "to_on"),
    ("began_at", "ended_at"),
    ("started_at", "ended_at"),
    ("collected_at", "received_at"),
    ("sampled_at", "reported_at"),
    ("taken_at", "received_at"),
    ("received_at", "reported_on"),
    ("dispatched_at", "arrived_at"),
    ("classified_on", "due_on"),
    ("done_on", "due_on"),
    ("qualified_on", "valid_to"),
    ("audited_on", "valid_to"),
    ("signed_on", "valid_to"),
    ("decided_on", "valid_to"),
    ("effective_from", "review_due"),
    ("low_c", "high_c"),
    ("min_c", "max_c"),
    ("low", "high"),
)
"""Which of two fields comes first, wherever one form holds both. Services say the same in their own words."""
ENDS = frozenset({"valid_to", "until_at", "to_on", "ended_at", "due_on", "review_due"})
"""Fields that end what another begins."""
NEVER_SHOWN_AGAIN = frozenset({"password", "totp", "pin"})

_IS_ROW = re.compile(r"(-?\d+)?", re.ASCII)
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_TIMES_TEN = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*[×*x]\s*10(?:\^([+-]?\d{1,3})|([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}))", re.ASCII)
_FROM_SUPERSCRIPT = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "-+0123456789")
_AS_TYPED = str.maketrans("−－＋．０１２３４５６７８９", "--+.0123456789")
"""A real minus, and the wide digits of a Chinese keyboard."""


class Unreadable(BadInput):
    """Some fields of a form cannot be taken; `problems` holds each by the field's name."""

    def __init__(self, problems: Mapping[str, FieldProblem]) -> None:
        first = next(iter(problems.values()))
        super().__init__(field=first.field, what=first.what, why=first.why, remedy=first.remedy)
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What stands at a field that was refused."""

    why: Text
    remedy: Text


@dataclass(slots=True)
class FormView:
    """A form as a page shows it: what stands in its fields, what is wrong with which, and the key of one sending.

    `named` is filled by the macros while they draw, so that the summary on top can name and link the fields.
    """

    key: str
    values: dict[str, list[str]] = field(default_factory=dict)
    wrong: dict[str, Wrong] = field(default_factory=dict)
    refusal: Refusal | None = None
    prefix: str = ""
    named: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """What stands in a field; "" for nothing."""
        return (self.values.get(name) or [""])[-1]

    def several(self, name: str) -> list[str]:
        """What stands in a field that may be sent more than once."""
        return self.values.get(name, [])

    def id(self, name: str) -> str:
        """The field's id on the page."""
        return f"{self.prefix}{name}"

    def name(self, name: str, label: str) -> str:
        """Note that the form has this field. Says nothing."""
        self.named[name] = label
        return ""

    def starts_at(self, name: str) -> bool:
        """Whether the cursor belongs here: the first field that is wrong."""
        return next(iter(self.wrong), None) == name

    @property
    def elsewhere(self) -> list[Wrong]:
        """What is wrong with fields that the form does not show."""
        return [each for name, each in self.wrong.items() if name not in self.named]

    @property
    def status(self) -> int:
        """The HTTP status that the page is answered with."""
        return self.refusal.status if self.refusal else 200


class Entry(Form):
    """One form as it was sent. Read every field, then `call`; see the module's example."""

    def __init__(self, request: Request, fields: list[tuple[str, str]], *, zone: ZoneInfo) -> None:
        """Keep the fields as they came."""
        super().__init__(fields)
        self.request = request
        self.zone = zone
        self.problems: dict[str, FieldProblem] = {}
        self._values: dict[str, Decimal | date] = {}
        self._is_read = False

    # -- readers -------------------------------------------------------------------------------------------------------

    def text(self, name: str, *, most: int = LINE) -> str:
        """A field that must be filled."""
        return self._noted(lambda: Form.text(self, name, most=most), stand_in="")

    def prose(self, name: str) -> str:
        """Free text that must be given."""
        return self.text(name, most=PROSE)

    def optional(self, name: str, *, most: int = LINE) -> str | None:
        """A field that may be left empty."""
        return self._noted(lambda: Form.optional(self, name, most=most), stand_in=None)

    def code(self, name: str) -> str | None:
        """The code of a label, normalised; None where nothing was scanned."""
        return self._noted(lambda: Form.code(self, name), stand_in=None)

    def scanned(self, name: str) -> str:
        """The code of a label that must be scanned, normalised."""
        return self._noted(lambda: self._scanned(name), stand_in="")

    def codes(self, name: str) -> list[str]:
        """Codes scanned into one field, a line each, or into repeated fields; none twice."""
        lines = [line for sent in self._all(name) for line in sent.splitlines() if line.strip()]
        read: list[str] = self._noted(lambda: [code_in(name, line[:SCAN]) for line in _few(name, lines)], stand_in=[])
        return list(dict.fromkeys(read))

    def choice(self, name: str, among: type[Choice]) -> Choice:
        """One of the choices that the form offers."""
        return self._noted(lambda: Form.choice(self, name, among), stand_in=next(iter(among)))

    def one_of(self, name: str, among: Mapping[str, object] | tuple[str, ...]) -> str:
        """One of the choices that the form offers, where they are no enumeration."""
        return self._noted(lambda: _offered(name, Form.text(self, name), among), stand_in="")

    def several(self, name: str, *, among: Mapping[str, object] | tuple[str, ...] | None = None) -> list[str]:
        """What was ticked or typed more than once under one name: at least one."""
        return self._noted(lambda: self._several(name, among), stand_in=[])

    def lines(self, name: str) -> list[str]:
        """A line each of a longer field; empty lines are left out."""
        text = self.optional(name, most=PROSE) or ""
        return [line.strip() for line in text.splitlines() if line.strip()]

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self._fields.get(name, "") not in {"", "0", "false"}

    def whole(self, name: str, *, least: int = 0, most: int = 10**18) -> int:
        """A whole number, from `least` to `most`; 1.2e6 is one."""
        return self._noted(lambda: _whole(name, Form.text(self, name), least=least, most=most), stand_in=0)

    def optional_whole(self, name: str, *, least: int = 0, most: int = 10**18) -> int | None:
        """A whole number where one was given."""
        return self.whole(name, least=least, most=most) if self._is_filled(name) else None

    def amount(self, name: str, *, least: Decimal | int = 0, most: Decimal | int = AMOUNT_MOST) -> Decimal:
        """A number: 12.5, 1.2e6, 7.5 × 10⁶. A comma is refused, for it may mean two things."""
        return self._noted(
            lambda: self._known(name, _within(name, _number(name, Form.text(self, name)), least=least, most=most)),
            stand_in=Decimal(0),
        )

    def optional_amount(
        self, name: str, *, least: Decimal | int = 0, most: Decimal | int = AMOUNT_MOST
    ) -> Decimal | None:
        """A number where one was given."""
        return self.amount(name, least=least, most=most) if self._is_filled(name) else None

    def moment(self, name: str, *, zone: ZoneInfo | None = None, ahead: bool = False) -> datetime:
        """A moment on the facility's clock, with its zone; one that has come, unless it may lie `ahead`."""
        return self._noted(
            lambda: self._known(name, self._come(name, Form.moment(self, name, zone=zone or self.zone), ahead=ahead)),
            stand_in=datetime(2000, 1, 1, tzinfo=UTC),
        )

    def optional_moment(self, name: str, *, ahead: bool = False) -> datetime | None:
        """A moment where one was given."""
        return self.moment(name, ahead=ahead) if self._is_filled(name) else None

    def day(self, name: str, *, ahead: bool = False) -> date:
        """A date; one that has come, unless it may lie `ahead`."""
        return self._noted(
            lambda: self._known(name, self._come_on(name, _day(name, Form.text(self, name)), ahead=ahead)),
            stand_in=date(2000, 1, 1),
        )

    def optional_day(self, name: str, *, ahead: bool = False) -> date | None:
        """A date where one was given."""
        return self.day(name, ahead=ahead) if self._is_filled(name) else None

    def problem(self, name: str, problem: Text, remedy: Text) -> None:
        """Note what the page itself finds wrong with a field; the first thing said of a field stands."""
        self.problems.setdefault(name, FieldProblem(name, problem, remedy))

    def every(self, name: str) -> list[str]:
        """All that was sent under one name, as it came."""
        return self._all(name)

    def names(self) -> set[str]:
        """The names of every field that was sent."""
        return {name for name, _ in self._sent}

    # -- what becomes of it --------------------------------------------------------------------------------------------

    def call(self, who: SignedIn, *, part: str = "", holds_secrets: bool = False) -> Call:
        """The call that writes. Raises Unreadable with every problem noted; read all fields before.

        `holds_secrets`: the digest of what was asked is keyed, so that an identity cannot be guessed back from it.
        """
        self._is_read = True
        self._note_order()
        if self.problems:
            raise Unreadable(self.problems)
        made = form_call(self.request, who, self, part=part)
        if not holds_secrets:
            return made
        key = house(self.request).totp_key
        return replace(made, body_sha256=keyed_digest(key, purpose="request", data=made.body_sha256))

    def again(
        self,
        refusal: Refusal,
        *,
        at: Mapping[str, str] | None = None,
        of: str = "",
        prefix: str = "",
        forget: tuple[str, ...] = (),
    ) -> FormView:
        """The form as it was typed, with the refusal in it, under a fresh key.

        `at` maps a service's name of a field to the form's. `of` is the field that names what is then not there, or not
        so. Passwords, codes and what is in `forget` are not shown again.
        """
        form = self.as_typed(prefix=prefix, forget=forget)
        form.wrong, form.refusal = _wrong(refusal, at or {}), refusal
        if of and type(refusal) in {NotFound, Conflict}:
            form.wrong = {of: Wrong(refusal.why, refusal.remedy)}
        return form

    def as_typed(self, *, prefix: str = "", forget: tuple[str, ...] = ()) -> FormView:
        """The form as it was typed, under a fresh key; nothing is refused in it."""
        values: dict[str, list[str]] = {}
        for name, value in self._sent:
            if name not in NEVER_SHOWN_AGAIN and name not in forget and name not in {"csrf", "key"}:
                values.setdefault(name, []).append(value[:PROSE])
        return FormView(key=fresh_key(), values=values, prefix=prefix)

    # -- within --------------------------------------------------------------------------------------------------------

    def _noted(self, read: Callable[[], Value], *, stand_in: Value) -> Value:
        if self._is_read:
            raise RuntimeError("every field is read before the call is made")
        try:
            return read()
        except FieldProblem as problem:
            self.problems.setdefault(problem.field, problem)
            return stand_in

    def _known(self, name: str, value: Stated) -> Stated:
        self._values[name] = value
        return value

    def _come(self, name: str, moment: datetime, *, ahead: bool) -> datetime:
        now = datetime.now(UTC)
        if not ahead and moment > now + CLOCKS_DIFFER_BY:
            raise FieldProblem(
                name,
                Text(
                    "{moment} is yet to come; it is {now}.",
                    moment=_local(moment, self.zone),
                    now=_local(now, self.zone),
                ),
                Text("Record it when it has happened, and check the clock of this device."),
            )
        return moment

    def _come_on(self, name: str, day: date, *, ahead: bool) -> date:
        if not ahead and day > (datetime.now(UTC) + CLOCKS_DIFFER_BY).astimezone(self.zone).date():
            raise FieldProblem(name, Text("{day} is yet to come.", day=day), Text("Record it when it has been done."))
        return day

    def _note_order(self) -> None:
        """What comes first in every form comes first in this one."""
        for name, first in self._values.items():
            for earlier, later in COMES_FIRST:
                row = name.removeprefix(earlier)
                second = self._values.get(later + row) if name.startswith(earlier) and _IS_ROW.fullmatch(row) else None
                if second is not None and _comes_before(second, first, zone=self.zone):
                    self.problem(later + row, *_said_of(later, first, second, zone=self.zone))

    def _all(self, name: str) -> list[str]:
        return [value for sent, value in self._sent if sent == name]

    def _is_filled(self, name: str) -> bool:
        return bool(self._fields.get(name, "").strip())

    def _scanned(self, name: str) -> str:
        code = Form.code(self, name)
        if code is None:
            raise FieldProblem(name, Text("Nothing was scanned here."), Text("Scan the label, or type its code."))
        return code

    def _several(self, name: str, among: Mapping[str, object] | tuple[str, ...] | None) -> list[str]:
        given = [value for value in dict.fromkeys(each.strip() for each in self._all(name)) if value]
        if not given:
            raise FieldProblem(name, Text("Nothing was chosen."), Text("Choose at least one."))
        clean = [Form([(name, value)]).text(name) for value in _few(name, given)]
        return clean if among is None else [_offered(name, value, among) for value in clean]


async def read_entry(request: Request) -> Entry:
    """The form that was sent."""
    return Entry(request, await fields_of(request), zone=(await the_facility(request)).zone)


async def blank(request: Request, *, prefix: str = "", **values: object) -> FormView:
    """An empty form, or one with what is known already; moments are put on the facility's clock.

    `prefix` keeps the ids of two forms on one page apart.
    """
    zone = (await the_facility(request)).zone
    shown = {name: _shown(value, zone) for name, value in values.items() if value is not None}
    return FormView(key=fresh_key(), values=shown, prefix=prefix)


async def once(act: Awaitable[object]) -> dict[str, Any]:
    """What an act answered, as JSON: now, or when the same form came the first time. Refusals pass through."""
    try:
        answer: dict[str, Any] = to_jsonable_python(await act)
    except Replay as replay:
        answer = replay.answer
    return answer


def see(path: str) -> Response:
    """On to the page that shows what was done."""
    return RedirectResponse(path, status_code=303)


def _wrong(refusal: Refusal, at: Mapping[str, str]) -> dict[str, Wrong]:
    if isinstance(refusal, Unreadable):
        return {name: Wrong(each.problem, each.remedy) for name, each in refusal.problems.items()}
    if isinstance(refusal, BadInput):
        why = refusal.problem if isinstance(refusal, FieldProblem) else refusal.why
        return {_in_the_form(refusal.field, at): Wrong(why, refusal.remedy)}
    return {}


def _in_the_form(field: str, at: Mapping[str, str]) -> str:
    """The form's name of a service's field: of `parts.2.unit` it may know the row, or the list alone."""
    known = field
    while known not in at and "." in known:
        known = known.rpartition(".")[0]
    return at.get(known, known)


def _said_of(later: str, first: Decimal | date, second: Decimal | date, *, zone: ZoneInfo) -> tuple[Text, Text]:
    if isinstance(first, Decimal):
        return Text("It is below the lower one."), Text("Give the lower one first.")
    if later in ENDS:
        return Text("It would end before it begins."), Text("Give an end that is after its beginning.")
    shown = {"earlier": _local(first, zone), "later": _local(second, zone)}
    return Text("{later} lies before {earlier}: it can only have come after.", **shown), Text("Correct the times.")


def _local(when: Decimal | date, zone: ZoneInfo) -> str:
    """As the facility's clock shows it, and as it was typed."""
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M}" if isinstance(when, datetime) else str(when)


def _comes_before(one: Decimal | date, other: Decimal | date, *, zone: ZoneInfo) -> bool:
    match one, other:
        case Decimal(), Decimal():
            return one < other
        case datetime(), datetime():
            return one < other
        case date(), date():  # a day is compared with the day of a moment
            days = [each.astimezone(zone).date() if isinstance(each, datetime) else each for each in (one, other)]
            return days[0] < days[1]
        case _:
            return False


def _shown(value: object, zone: ZoneInfo) -> list[str]:
    match value:
        case datetime():
            return [f"{value.astimezone(zone):{LOCAL}}"]
        case list() | tuple() | set() | frozenset():
            return [str(each) for each in value]
        case bool():
            return ["on"] if value else []
        case _:
            return [str(value)]


def _few(name: str, given: list[str]) -> list[str]:
    if len(given) > LINES_AT_MOST:
        raise FieldProblem(
            name, Text("It holds more than {most} entries.", most=LINES_AT_MOST), Text("Send them in several forms.")
        )
    return given


def _offered(name: str, value: str, among: Mapping[str, object] | tuple[str, ...]) -> str:
    if value not in among:
        raise FieldProblem(name, Text("It is none of the choices."), Text("Choose one of the list."))
    return value


def _number(name: str, typed: str) -> Decimal:
    text = typed.translate(_AS_TYPED)
    if any(each in text for each in ",，、'"):
        raise FieldProblem(
            name,
            Text("A comma may stand for a decimal or for thousands."),
            Text("Write 1.5 for one and a half, and 1200 or 1.2e3 for twelve hundred."),
        )
    if len(text) <= NUMBER_LENGTH:
        if _PLAIN.fullmatch(text):
            return Decimal(text)
        if found := _TIMES_TEN.fullmatch(text):
            exponent = found[2] or found[3].translate(_FROM_SUPERSCRIPT)
            return Decimal(f"{found[1]}e{exponent}")
    raise FieldProblem(name, Text("It is not a number."), Text("Write it as 12.5 or as 1.2e6, without its unit."))


def _within(name: str, number: Decimal, *, least: Decimal | int, most: Decimal | int) -> Decimal:
    if number < least:
        raise FieldProblem(name, Text("It is less than {least}.", least=Decimal(least)), Text("Correct the number."))
    if number > most:
        raise FieldProblem(name, Text("It is more than {most}.", most=Decimal(most)), Text("Correct the number."))
    if len(number.as_tuple().digits) > AMOUNT_DIGITS or number.adjusted() < -AMOUNT_DIGITS:
        raise FieldProblem(name, Text("It has more digits than anybody measures."), Text("Round it."))
    return number


def _whole(name: str, typed: str, *, least: int, most: int) -> int:
    number = _within(name, _number(name, typed), least=least, most=most)
    if number != number.to_integral_value():
        raise FieldProblem(name, Text("It is not a whole number."), Text("Write a whole number, such as 12."))
    return int(number)


def _day(name: str, typed: str) -> date:
    try:
        read = date.fromisoformat(typed)
    except ValueError as error:
        raise FieldProblem(name, Text("It is not a date."), Text("Write it as 2026-11-22.")) from error
    if not FIRST_YEAR <= read.year <= LAST_YEAR:
        raise FieldProblem(
            name,
            Text("It lies outside the years {first} to {last}.", first=FIRST_YEAR, last=LAST_YEAR),
            Text("Correct the year."),
        )
    return read
