"""What a browser's form sends: cleaned text, the token that proves our own page sent it, and the call it makes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from app.db.door import Call
from app.domain.errors import BadInput, NotPermitted
from app.domain.text import Text
from app.requests import same_origin
from labels.codes import CodeError, parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from fastapi import Request

    from app.db.sessions import SignedIn

Choice = TypeVar("Choice", bound=StrEnum)

NEVER_DIGESTED = frozenset({"csrf", "key", "password", "totp"})
"""Fields that must leave no trace, not even in a digest that could be tried offline."""
KEY_LENGTH_MAX = 100
LINE = 400
PROSE = 8000


class Form:
    """The text fields of one form."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        """Keep the fields as they came."""
        self._fields = dict(fields)

    def text(self, name: str, *, most: int = LINE) -> str:
        """A field that must be filled. Raises BadInput."""
        value = self.optional(name, most=most)
        if value is None:
            raise _bad(name, Text("This field is empty."), Text("Fill it in and send it again."))
        return value

    def optional(self, name: str, *, most: int = LINE) -> str | None:
        """A field that may be left empty. Raises BadInput for what no field may hold."""
        value = unicodedata.normalize("NFC", self._fields.get(name, "")).replace("\r\n", "\n").strip()
        if len(value) > most:
            raise _bad(name, Text("It is longer than {most} characters.", most=most), Text("Shorten it."))
        if any(unicodedata.category(each) in {"Cc", "Cs"} and each not in "\n\t" for each in value):
            raise _bad(name, Text("It holds a character that does not show."), Text("Remove it."))
        return value or None

    def secret(self, name: str, *, most: int = LINE) -> str:
        """What must stay untouched: a password, a scanned text."""
        return self._fields.get(name, "")[:most]

    def code(self, name: str) -> str | None:
        """The code of a label, as scanned or typed. Raises BadInput for a misread one."""
        raw = self.optional(name)
        if raw is None:
            return None
        try:
            return parse(raw).value
        except CodeError as error:
            problem = Text(error.words.why, **error.details)
            raise _bad(name, problem, Text(error.words.remedy, **error.details)) from error

    def choice(self, name: str, among: type[Choice]) -> Choice:
        """One of the choices that the form offers. Raises BadInput."""
        value = self.text(name)
        try:
            return among(value)
        except ValueError as error:
            raise _bad(name, Text("It is none of the choices."), Text("Choose one of the list.")) from error

    def moment(self, name: str, *, zone: ZoneInfo) -> datetime:
        """A moment on the facility's clock. Raises BadInput."""
        value = self.text(name)
        try:
            return datetime.fromisoformat(value).replace(tzinfo=zone)
        except ValueError as error:
            raise _bad(name, Text("It is not a date and a time."), Text("Write it as 2026-11-22T14:05.")) from error

    def digest(self, request: Request) -> bytes:
        """What was asked, without what must leave no trace."""
        asked = sorted((name, value) for name, value in self._fields.items() if name not in NEVER_DIGESTED)
        return hashlib.sha256(f"{request.method} {request.url.path}\n{asked!r}".encode()).digest()


async def read_form(request: Request) -> Form:
    """The fields of a form; files are left aside."""
    sent = await request.form(max_files=0, max_fields=200)
    return Form({name: value for name, value in sent.items() if isinstance(value, str)})


def form_call(request: Request, who: SignedIn, form: Form, *, part: str = "") -> Call:
    """The call that this form makes. Raises NotPermitted when another site's page sent it.

    `part` tells apart the calls of one form, so that each is done once when the form is sent twice.
    """
    same_origin(request)
    if not hmac.compare_digest(form.secret("csrf").encode(), who.csrf.encode()):
        raise NotPermitted(
            what=Text("Nothing was done."),
            why=Text("The form does not belong to this session."),
            remedy=Text("Open the page again and repeat it there."),
        )
    key = form.optional("key", most=KEY_LENGTH_MAX)
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


def _bad(field: str, why: Text, remedy: Text) -> BadInput:
    return BadInput(
        field=field,
        what=Text("Nothing was done."),
        why=Text("{field}: {problem}", field=FIELD_NAMES.get(field, field), problem=why),
        remedy=remedy,
    )
