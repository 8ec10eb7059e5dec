"""How papers say things: in one language with the other at hand, real minus signs, thin spaces, moments with their zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.domain.text import LIST_SEPARATOR, Text
from app.locale import gettext_for
from app.papers.facts import Language
from app.papers.typeface import THIN_SPACE
from labels.codes import CodeError, format_code

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUS = "\u2212"
NOTHING = "–"
_OTHER = {Language.ENGLISH: Language.CHINESE, Language.CHINESE: Language.ENGLISH}


@dataclass(frozen=True)
class Voice:
    """One paper's language and the clock on the laboratory's wall."""

    language: Language
    zone_name: str

    @cached_property
    def zone(self) -> ZoneInfo:
        """The laboratory's clock."""
        return ZoneInfo(self.zone_name)

    def say(self, text: Text | str | None) -> str:
        """A text in the paper's language; nothing is a dash."""
        if text is None:
            return NOTHING
        return text if isinstance(text, str) else text.translated(gettext_for(self.language.value))

    def named(self, words: str) -> str:
        """Words that the catalogue knows from elsewhere, as a rule's source and section; else as they are."""
        return gettext_for(self.language.value)(words)

    def other(self, text: Text) -> str:
        """The same in the other language, for headings; empty where it says no other word."""
        said = text.translated(gettext_for(_OTHER[self.language].value))
        return "" if said == self.say(text) else said

    def listed(self, texts: Iterable[Text | str]) -> str:
        """Several texts in one line."""
        return self.say(LIST_SEPARATOR).join(self.say(each) for each in texts) or NOTHING

    def moment(self, at: datetime | None) -> str:
        """A moment on the laboratory's clock, to the minute, with its offset from UTC."""
        return NOTHING if at is None else self._clock(at, "%H:%M")

    def second(self, at: datetime) -> str:
        """A moment to the second, for signatures."""
        return self._clock(at, "%H:%M:%S")

    def _clock(self, at: datetime, form: str) -> str:
        local = at.astimezone(self.zone)
        offset = f"{local:%z}".replace("-", MINUS)
        return f"{local:%Y-%m-%d} {local:{form}}{THIN_SPACE}{offset[:3]}:{offset[3:5]}"


def day(value: date | None) -> str:
    """A date."""
    return NOTHING if value is None else value.isoformat()


def number(value: Decimal | int | None, digits: int | None = None) -> str:
    """A number with thin spaces between thousands and a real minus sign; every digit, none invented."""
    if value is None:
        return NOTHING
    exact = Decimal(value)
    shown = f"{exact:,.{digits}f}" if digits is not None else f"{_shortest(exact):,f}"
    return shown.replace(",", THIN_SPACE).replace("-", MINUS)


def _shortest(exact: Decimal) -> Decimal:
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize()


def quantity(value: Decimal | None, unit: str | None, digits: int | None = None) -> str:
    """A number and its unit."""
    return NOTHING if value is None else f"{number(value, digits)} {unit or ''}".strip()


def code(value: str | None) -> str:
    """One of our codes in groups, as the label prints it; any other text as it is."""
    if not value:
        return NOTHING
    try:
        return format_code(value)
    except CodeError:
        return value


def passage(value: int | None) -> str:
    """A passage number."""
    return NOTHING if value is None else f"P{value}"
