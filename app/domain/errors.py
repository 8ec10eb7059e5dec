"""Refusals: an expected "no" that names the thing, the reason, the rule and the remedy."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypedDict

from app.domain.text import JSON, Text, Translate


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or missing: what it concerns, what the trouble is, what helps."""

    subject: str
    problem: Text
    remedy: Text
    rule: str | None = None

    def said(self, gettext: Translate) -> dict[str, JSON]:
        """As the wire says it, in the language of `gettext`."""
        return {
            "rule": self.rule,
            "subject": self.subject,
            "problem": self.problem.translated(gettext),
            "remedy": self.remedy.translated(gettext),
        }

    def to_json(self) -> dict[str, JSON]:
        """As it is kept: the texts stay translatable."""
        return {
            "rule": self.rule,
            "subject": self.subject,
            "problem": self.problem.to_json(),
            "remedy": self.remedy.to_json(),
        }


class Words(Protocol):
    """Templates that say what is wrong, why, and what to do."""

    @property
    def what(self) -> str:
        """What is wrong."""

    @property
    def why(self) -> str:
        """Why it is refused."""

    @property
    def remedy(self) -> str:
        """What to do."""


class Spoken(Protocol):
    """An error from outside the house that brings its words, and the details that fill them."""

    @property
    def words(self) -> Words:
        """What it says."""

    @property
    def details(self) -> Mapping[str, str | int]:
        """What fills the templates."""


class InWords(TypedDict):
    """The three texts of every refusal."""

    what: Text
    why: Text
    remedy: Text


def in_words_of(error: Spoken) -> InWords:
    """What an error says of itself, as a refusal takes it."""
    return InWords(
        what=Text(error.words.what, **error.details),
        why=Text(error.words.why, **error.details),
        remedy=Text(error.words.remedy, **error.details),
    )


class Refusal(Exception):
    """What happened is nothing; why, and what to do instead. `status` is its HTTP status."""

    status: ClassVar[int] = 409

    def __init__(
        self,
        *,
        what: Text,
        why: Text,
        remedy: Text,
        rule: str | None = None,
        findings: tuple[Finding, ...] = (),
        detail: Mapping[str, JSON] | None = None,
    ) -> None:
        super().__init__(f"{what} {why} {remedy}")
        self.what = what
        self.why = why
        self.remedy = remedy
        self.rule = rule
        self.findings = findings
        self.detail: dict[str, JSON] = dict(detail or {})

    @property
    def kind(self) -> str:
        """The class's name in kebab case, as the problem's type is called outside."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()

    def to_json(self) -> dict[str, JSON]:
        """As it is kept: the texts stay translatable."""
        return {
            "kind": self.kind,
            "status": self.status,
            "what": self.what.to_json(),
            "why": self.why.to_json(),
            "remedy": self.remedy.to_json(),
            "rule": self.rule,
            "findings": [finding.to_json() for finding in self.findings],
            "detail": self.detail,
        }


class NotSignedIn(Refusal):
    """Nobody is signed in here, or the session has ended."""

    status = 401


class NotPermitted(Refusal):
    """The person holds no role that may do this."""

    status = 403


class CeremonyRefused(Refusal):
    """The proof of identity for this signature did not hold."""

    status = 403


class NotFound(Refusal):
    """There is no such thing."""

    status = 404


class Conflict(Refusal):
    """It contradicts what is already there."""


class Stale(Refusal):
    """What was shown has changed since: the version or the digest is another."""


class Busy(Refusal):
    """Somebody else is at it this moment; the same request may be sent again."""


class Blocked(Refusal):
    """The rule book said no; the findings say why."""


class Held(Refusal):
    """An open hold stands on it."""


class IllegalMove(Refusal):
    """A lot's state does not lead there."""


class Unavailable(Refusal):
    """The database does not answer; nothing was kept, and the same request may be sent again."""

    status = 503


class PayloadTooLarge(Refusal):
    """More was sent than is taken."""

    status = 413


class BadInput(Refusal):
    """A field's value cannot be taken. `field` names it."""

    status = 422

    def __init__(
        self,
        *,
        field: str,
        what: Text,
        why: Text,
        remedy: Text,
        rule: str | None = None,
        findings: tuple[Finding, ...] = (),
        detail: Mapping[str, JSON] | None = None,
    ) -> None:
        super().__init__(what=what, why=why, remedy=remedy, rule=rule, findings=findings, detail=detail)
        self.field = field
        self.detail.setdefault("field", field)


class Locked(Refusal):
    """The account is locked for a while."""

    status = 423
