"""What bodies share: unknown fields are refused, text is cleaned and bounded, moments carry their zone."""

import unicodedata
from datetime import date
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from labels.codes import CodeError, parse

Dated = TypeVar("Dated", bound=date)

_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_BIDI = frozenset("\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


def _clean(value: str) -> str:
    text = unicodedata.normalize("NFC", value).strip()
    if not text:
        raise ValueError("holds only spaces; say something")
    for character in text:
        if character in _BIDI or (unicodedata.category(character) in {"Cc", "Cs", "Co"} and character not in "\n\t"):
            raise ValueError(f"holds a character that does not show (U+{ord(character):04X}); remove it")
    return text


def _known(value: Dated) -> Dated:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return value


def _code(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse(value).value
    except CodeError as error:
        raise ValueError(str(error)) from error


class Body(BaseModel):
    """A request's body: nothing that was not asked for is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Line = Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(_clean)]
"""One line of text, 1 to 400 characters."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(_clean)]
"""A name, 1 to 120 characters."""
Prose = Annotated[str, StringConstraints(min_length=1, max_length=8000), AfterValidator(_clean)]
"""Free text, 1 to 8,000 characters."""
Code = Annotated[str, BeforeValidator(_code), StringConstraints(min_length=1, max_length=64)]
"""The code of an item, in any form that a scanner or a hand gives; normalised."""
Moment = Annotated[AwareDatetime, AfterValidator(_known)]
"""A point in time with its zone, in the years 1900 to 2200."""
Day = Annotated[date, AfterValidator(_known)]
"""A day in the years 1900 to 2200."""
Amount = Annotated[Decimal, Field(ge=0, lt=Decimal("1e18"), max_digits=24, allow_inf_nan=False)]
"""A quantity, 0 or more."""
Number = Annotated[int, Field(ge=1, le=9_223_372_036_854_775_807)]
"""The number of a record that has no label: a result, a hold, a waiver."""
