"""How pages say things: sentences with marked-up values, numbers with real minus signs, codes in groups, local times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from app.domain.text import LIST_SEPARATOR
from labels.codes import CodeError, format_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app.domain.text import Text

MINUS = "\u2212"
TIMES_TEN_TO_THE = "\u2009×\u200910"
_SUPERSCRIPTS = str.maketrans("-0123456789", "\u207b⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN_UP_TO = 99_999


@dataclass(frozen=True, slots=True)
class Voice:
    """One reader's language and clock."""

    gettext: Callable[[str], str]
    zone: ZoneInfo

    def sentence(self, message: str, /, **values: object) -> Markup:
        """A catalogue sentence with its `{name}` placeholders filled; what is not markup is escaped."""
        said = Markup(escape(self.gettext(message)))  # noqa: S704  escaped in the same breath
        return said.format(**values) if values else said

    def say(self, text: Text | str | None) -> str:
        """A text in the reader's language; None is said as nothing."""
        if text is None:
            return ""
        return text if isinstance(text, str) else text.translated(self.gettext)

    def listed(self, texts: Iterable[Text | str]) -> str:
        """Several texts as a list in the reader's language."""
        return self.gettext(LIST_SEPARATOR.template).join(self.say(each) for each in texts)

    def moment(self, at: datetime | str | None, form: str = "%Y-%m-%d %H:%M") -> Markup:
        """A moment on the facility's clock, with the exact UTC moment beneath."""
        if at is None:
            return NOTHING
        exact = datetime.fromisoformat(at) if isinstance(at, str) else at
        utc = f"{exact.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return Markup('<time datetime="{utc}" title="{utc}">{local}</time>').format(
            utc=utc, local=f"{exact.astimezone(self.zone):{form}}"
        )


NOTHING = Markup('<span class="text-secondary">–</span>')


def number(value: Decimal | float | str | None, digits: int | None = None) -> Markup:
    """A number as people read it: real minus, thin-spaced thousands, large counts as 7.5 × 10⁶."""
    if value is None:
        return NOTHING
    exact = Decimal(str(value))
    if digits is None and abs(exact) > _PLAIN_UP_TO:
        return Markup(escape(_scientific(exact)))  # noqa: S704  digits of our own making
    shown = f"{exact:,.{digits}f}" if digits is not None else f"{exact.normalize():,f}"
    return Markup(escape(shown.replace(",", "\u202f").replace("-", MINUS)))  # noqa: S704  as above


def _scientific(exact: Decimal) -> str:
    exponent = exact.adjusted()
    mantissa = exact.scaleb(-exponent)
    shown = f"{mantissa:.2f}".rstrip("0").rstrip(".").replace("-", MINUS)
    return f"{shown}{TIMES_TEN_TO_THE}{str(exponent).translate(_SUPERSCRIPTS)}"


def grouped(code: str | None) -> str:
    """One of our codes in groups, as the label prints it; any other text as it is."""
    if not code:
        return ""
    try:
        return format_code(code)
    except CodeError:
        return code


def digest_in_groups(digest: str, groups: int = 4) -> str:
    """The beginning of a digest in groups of four, for eyes that compare."""
    return " ".join(digest[start : start + 4] for start in range(0, groups * 4, 4))


def day(value: date | str | None) -> Markup:
    """A date, or a dash."""
    return NOTHING if value is None else Markup(escape(str(value)))  # noqa: S704  escaped here
