"""What a browser's form sends: cleaned text, the token that proves our own page sent it, and the call it makes.

`Form` stops at the first field that cannot be taken. Pages of many fields read with `app/web/fields.py`, which shows
every wrong field at its place.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from app.db.door import Call
from app.domain.errors import BadInput, NotPermitted
from app.domain.text import Text
from app.requests import same_origin
from labels.codes import CodeError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

    from fastapi import Request

    from app.db.sessions import SignedIn

Choice = TypeVar("Choice", bound=StrEnum)

NEVER_DIGESTED = frozenset({"csrf", "key", "password", "totp", "pin"})
"""Fields that must leave no trace, not even in a digest that could be tried offline."""
KEY_LENGTH_MAX = 100
LINE = 400
PROSE = 8000
SCAN = 600
FIELDS_AT_MOST = 400
FIRST_YEAR, LAST_YEAR = 1900, 2200
TURNS_TEXT_AROUND = frozenset(
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""Characters that show nothing and make what is read another text than what is kept."""
HIDDEN = frozenset({"Cc", "Cs", "Co"})


class FieldProblem(BadInput):
    """What was typed into one field cannot be taken; `problem` says why without naming the field."""

    def __init__(self, field: str, problem: Text, remedy: Text) -> None:
        super().__init__(
            field=field,
            what=Text("Nothing was done."),
            why=Text("{field}: {problem}", field=FIELD_NAMES.get(field, field), problem=problem),
            remedy=remedy,
        )
        self.problem = problem


class Form:
    """The text fields of one form. Readers name each other by class: a form that notes its problems overrides them."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        """Keep the fields as they came; of a name sent more than once, all."""
        self._sent: list[tuple[str, str]] = list(fields)
        self._fields = dict(self._sent)

    def text(self, name: str, *, most: int = LINE) -> str:
        """A field that must be filled. Raises FieldProblem."""
        value = Form.optional(self, name, most=most)
        if value is None:
            raise FieldProblem(name, Text("This field is empty."), Text("Fill it in and send it again."))
        return value

    def optional(self, name: str, *, most: int = LINE) -> str | None:
        """A field that may be left empty. Raises FieldProblem for what no field may hold."""
        value = unicodedata.normalize("NFC", self._fields.get(name, "")).replace("\r\n", "\n").strip()
        if len(value) > most:
            raise FieldProblem(name, Text("It is longer than {most} characters.", most=most), Text("Shorten it."))
        if any(_is_hidden(each) for each in value):
            raise FieldProblem(name, Text("It holds a character that does not show."), Text("Remove it."))
        return value or None

    def secret(self, name: str, *, most: int = LINE) -> str:
        """What must stay untouched: a password, a scanned text."""
        return self._fields.get(name, "")[:most]

    def code(self, name: str) -> str | None:
        """The code of a label, as scanned or typed. Raises FieldProblem for a misread one."""
        raw = self.secret(name, most=SCAN)
        if not raw.strip():
            return None
        return code_in(name, raw)

    def choice(self, name: str, among: type[Choice]) -> Choice:
        """One of the choices that the form offers. Raises FieldProblem."""
        value = Form.text(self, name)
        try:
            return among(value)
        except ValueError as error:
            raise FieldProblem(name, Text("It is none of the choices."), Text("Choose one of the list.")) from error

    def moment(self, name: str, *, zone: ZoneInfo) -> datetime:
        """A moment on the facility's clock; of an hour that the clock showed twice, the first. Raises FieldProblem."""
        value = Form.text(self, name)
        try:
            read = datetime.fromisoformat(value)
        except ValueError as error:
            raise FieldProblem(
                name, Text("It is not a date and a time."), Text("Write it as 2026-11-22T14:05.")
            ) from error
        moment = read if read.tzinfo is not None else read.replace(tzinfo=zone)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise FieldProblem(
                name,
                Text("It lies outside the years {first} to {last}.", first=FIRST_YEAR, last=LAST_YEAR),
                Text("Correct the year."),
            )
        if moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None) != moment.replace(tzinfo=None):
            raise FieldProblem(
                name,
                Text("The clock was put forward then: this time never was."),
                Text("Write the time that the clock showed."),
            )
        return moment

    def digest(self, request: Request) -> bytes:
        """What was asked, without what must leave no trace."""
        asked = sorted((name, value) for name, value in self._sent if name not in NEVER_DIGESTED)
        return hashlib.sha256(f"{request.method} {request.url.path}\n{asked!r}".encode()).digest()


def code_in(name: str, raw: str) -> str:
    """The code that was scanned or typed into a field, normalised. Raises FieldProblem."""
    try:
        return parse(raw).value
    except CodeError as error:
        problem = Text(error.words.why, **error.details)
        raise FieldProblem(name, problem, Text(error.words.remedy, **error.details)) from error


async def read_form(request: Request) -> Form:
    """The fields of a form; files are left aside."""
    return Form(await fields_of(request))


async def fields_of(request: Request) -> list[tuple[str, str]]:
    """Every text field that was sent, in its order."""
    sent = await request.form(max_files=0, max_fields=FIELDS_AT_MOST)
    return [(name, value) for name, value in sent.multi_items() if isinstance(value, str)]


def form_call(request: Request, who: SignedIn, form: Form, *, part: str = "") -> Call:
    """The call that this form makes. Raises NotPermitted when another site's page sent it.

    `part` tells apart the calls of one form, so that each is done once when the form is sent twice.
    """
    same_origin(request)
    if not hmac.compare_digest(form.secret("csrf").encode(errors="replace"), who.csrf.encode()):
        raise NotPermitted(
            what=Text("Nothing was done."),
            why=Text("The form does not belong to this session."),
            remedy=Text("Open the page again and repeat it there."),
        )
    key = Form.optional(form, "key", most=KEY_LENGTH_MAX)
    return Call(
        actor=who.actor,
        key=f"{key}/{part}" if key and part else key,
        body_sha256=form.digest(request),
    )


def fresh_key() -> str:
    """A key for one form: sent twice, it is done once."""
    return secrets.token_urlsafe(18)


FIELD_NAMES: Mapping[str, Text] = {
    "account": Text("What happened"),
    "occurred_at": Text("When"),
    "performed_by": Text("Who did it"),
    "lot": Text("Lot"),
    "item": Text("What it happened to"),
    "digest": Text("Digest"),
}


def _is_hidden(character: str) -> bool:
    if character in TURNS_TEXT_AROUND:
        return True
    return character not in "\n\t" and unicodedata.category(character) in HIDDEN
