"""Out of a dossier's JSON, as it was kept whatever its shape was then, what stands on paper."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.domain.facts import Decision, Line, LineKind, Result, Review
from app.domain.testing import Fit, fit, is_accepted
from app.papers.facts import Conclusion, Tested, Waived

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def people_in(dossier: Mapping[str, Any]) -> list[str]:
    """The usernames of all who are named on paper."""
    results = dossier["results"] or ()
    found = {each["analyst"] for each in results} | {each["review"]["by"] for each in results if each["review"]}
    for each in dossier["waivers"] or ():
        found |= {each["proposed_by"], each["approved_by"] or each["proposed_by"]}
    return sorted(found)


def vials_in(dossier: Mapping[str, Any]) -> int:
    """How many vials were there for use."""
    return sum(each["kind"] == "vial" and each["state"] == "stored" for each in dossier["containers"] or ())


def tests_in(dossier: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Tested]:
    """Each line with every result that answers it, those set aside too; a line without one says so."""
    for raw in (dossier["specification"] or {"lines": ()})["lines"]:
        line = _line(raw)
        answers = [_result(each) for each in dossier["results"] or () if each["line_id"] == line.id]
        yield from (_tested(line, result, names) for result in answers or (None,))


def _tested(line: Line, result: Result | None, names: Mapping[str, str]) -> Tested:
    asked: dict[str, Any] = {
        "test": line.test,
        "method": line.method,
        "low": line.low,
        "high": line.high,
        "unit": line.unit,
        "expected": line.expected,
        "safety": line.safety,
    }
    found: dict[str, Any] = dict.fromkeys(_FOUND)
    if result is not None:
        found |= {
            "number": result.value_number,
            "value": result.value_text,
            "sample": result.sample,
            # What was read from a partner's paper, and not measured here, bears that paper's reference.
            "analyst": " · ".join(filter(None, (names.get(result.analyst, result.analyst), result.paper))),
            "measured_at": result.measured_at,
            "invalidated_by": (result.invalidated_by or "–") if result.invalidated else None,
        }
        if result.review is not None:
            found |= {
                "reviewed_by": names.get(result.review.by, result.review.by),
                "reviewed_at": result.review.at,
            }
    return Tested(**asked, **found, conclusion=_conclusion(line, result))


_FOUND = ("number", "value", "sample", "analyst", "measured_at", "reviewed_by", "reviewed_at", "invalidated_by")


def waivers_in(dossier: Mapping[str, Any], judged: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Waived]:
    """The waivers that the verdicts cite."""
    cited = {each["waiver"] for each in judged["verdicts"]}
    for each in dossier["waivers"] or ():
        if each["id"] in cited:
            yield Waived(
                number=each["id"],
                rule=each["rule"],
                justification=each["justification"],
                mitigations=each["mitigations"],
                proposed_by=names.get(each["proposed_by"], each["proposed_by"]),
                approved_by=names.get(each["approved_by"], each["approved_by"] or ""),
                valid_from=_moment(each["valid_from"]),
                valid_to=_moment(each["valid_to"]),
            )


def _conclusion(line: Line, result: Result | None) -> Conclusion:
    if result is None:
        return Conclusion.NOT_TESTED
    if not is_accepted(result):
        return Conclusion.NOT_REVIEWED
    return Conclusion.CONFORMS if fit(line, result) is Fit.WITHIN else Conclusion.FAILS


def _line(raw: Mapping[str, Any]) -> Line:
    return Line(
        id=raw["id"],
        test=raw["test"],
        method=raw["method"],
        kind=LineKind(raw["kind"]),
        low=_number(raw["low"]),
        high=_number(raw["high"]),
        unit=raw["unit"],
        expected=raw["expected"],
        safety=raw["safety"],
        required=raw["required"],
    )


def _result(raw: Mapping[str, Any]) -> Result:
    review = raw["review"]
    return Result(
        id=raw["id"],
        line_id=raw["line_id"],
        test=raw["test"],
        sample=raw["sample"],
        value_number=_number(raw["value_number"]),
        value_text=raw["value_text"],
        unit=raw["unit"],
        method_version=raw["method_version"],
        instrument=raw["instrument"],
        analyst=raw["analyst"],
        measured_at=_moment(raw["measured_at"]),
        invalidated=raw["invalidated"],
        review=None if review is None else Review(Decision(review["decision"]), review["by"], _moment(review["at"])),
        invalidated_by=raw["invalidated_by"],
    )


def _number(raw: Decimal | int | None) -> Decimal | None:
    return None if raw is None else Decimal(raw)


def _moment(raw: str) -> datetime:
    return datetime.fromisoformat(raw)
