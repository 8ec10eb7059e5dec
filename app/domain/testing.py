"""Results against a specification: whether a value lies within its line's limits."""

import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from app.domain.dossier import Dossier
from app.domain.facts import Decision, Line, LineKind, Result
from app.domain.text import Text


class Fit(StrEnum):
    WITHIN = "within"
    OUTSIDE = "outside"
    UNREADABLE = "unreadable"


def fit(line: Line, result: Result) -> Fit:
    """Whether the result lies within the line. Another unit or the wrong sort of value is unreadable, never within."""
    if line.kind is LineKind.QUALITATIVE:
        if line.expected is None or result.value_text is None:
            return Fit.UNREADABLE
        return Fit.WITHIN if spoken(result.value_text) == spoken(line.expected) else Fit.OUTSIDE
    if result.value_number is None or not result.value_number.is_finite() or not _same_unit(line.unit, result.unit):
        return Fit.UNREADABLE
    if line.low is None and line.high is None:
        return Fit.UNREADABLE
    low_enough = line.high is None or result.value_number <= line.high
    high_enough = line.low is None or result.value_number >= line.low
    return Fit.WITHIN if low_enough and high_enough else Fit.OUTSIDE


def limits(line: Line) -> Text:
    """The line's limits in words, with their unit."""
    unit = line.unit or ""
    match (line.low, line.high):
        case (None, None):
            return Text("{expected}", expected=line.expected or "")
        case (low, None):
            return Text("at least {low} {unit}", low=low or 0, unit=unit)
        case (None, high):
            return Text("at most {high} {unit}", high=high or 0, unit=unit)
        case (low, high):
            return Text("{low} to {high} {unit}", low=low or 0, high=high or 0, unit=unit)


def value(result: Result) -> Text:
    """The measured value in words, with its unit."""
    if result.value_number is not None:
        return Text("{value} {unit}", value=result.value_number, unit=result.unit or "")
    return Text("{value}", value=result.value_text or "")


def is_accepted(result: Result) -> bool:
    """Whether somebody other than the analyst accepted it in review."""
    return (
        result.review is not None
        and result.review.decision is Decision.ACCEPTED
        and result.review.by != result.analyst
        and result.review.at >= result.measured_at
    )


def binding_lines(dossier: Dossier, names: Iterable[str]) -> tuple[Line, ...]:
    """The specification's required lines of a test, by any of its names."""
    wanted = {spoken(name) for name in names}
    lines = dossier.specification.lines if dossier.specification is not None else ()
    return tuple(line for line in lines if line.required and spoken(line.test) in wanted)


def standing_results(dossier: Dossier, line: Line) -> tuple[Result, ...]:
    """The results of a line that no investigation which has ended set aside."""
    return tuple(each for each in dossier.results or () if each.line_id == line.id and not is_set_aside(dossier, each))


def is_set_aside(dossier: Dossier, result: Result) -> bool:
    """Whether an investigation that has ended set the result aside. The mark alone sets nothing aside."""
    return result.invalidated and any(
        each.number == result.invalidated_by and each.state == "closed" for each in dossier.deviations or ()
    )


def spoken(words: str) -> str:
    """Words as they compare: compatibility forms, case and spaces do not count."""
    return " ".join(unicodedata.normalize("NFKC", words).casefold().split())


def _same_unit(one: str | None, other: str | None) -> bool:
    # Units keep their case (mU is not MU); only compatibility forms such as the two micro signs are one.
    return unicodedata.normalize("NFKC", one or "").strip() == unicodedata.normalize("NFKC", other or "").strip()
