"""Equipment: what shows that a piece is fit, and what speaks against it at a moment."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from app.domain.facts import EquipmentQualification
from app.domain.text import Text

KIND_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "installation": Text("installation qualification"),
        "operational": Text("operational qualification"),
        "performance": Text("performance qualification"),
        "calibration": Text("calibration"),
        "maintenance": Text("maintenance"),
    }
)
ENDING = frozenset({"performance", "calibration"})
"""What counts until a day; installation and operational qualification count until something is changed."""


class Trouble(StrEnum):
    """Why a piece of equipment is not fit."""

    NEVER = "never"
    OVERDUE = "overdue"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Unfit:
    """One thing against a piece of equipment. `kind` is what is missing, overdue or failed; `due_on` when it ended."""

    trouble: Trouble
    kind: str
    due_on: date | None = None


def day_of(at: datetime, *, utc_offset_hours: Decimal) -> date:
    """The facility's day of a moment."""
    return (at + timedelta(hours=float(utc_offset_hours))).date()


def unfit(
    qualifications: Iterable[EquipmentQualification], wanted: Iterable[str], *, at: datetime, day: date
) -> Iterator[Unfit]:
    """What spoke against the piece at a moment by the records that stood then, in the order of what is wanted.

    The last record of all must not have failed; of each kind wanted the last must have passed and count on that day.
    """
    known = sorted(_known(qualifications, at, day), key=_order)
    if known and known[-1].outcome == "failed":
        yield Unfit(Trouble.FAILED, known[-1].kind)
    for kind in wanted:
        last = next((each for each in reversed(known) if each.kind == kind), None)
        if last is None:
            yield Unfit(Trouble.NEVER, kind)
        elif last.outcome == "failed":
            yield Unfit(Trouble.FAILED, kind)
        elif last.due_on is not None and last.due_on < day:
            yield Unfit(Trouble.OVERDUE, kind, last.due_on)


def next_record(
    qualifications: Iterable[EquipmentQualification], kind: str, *, at: datetime, day: date
) -> EquipmentQualification | None:
    """The first record of a kind that was not known, or not yet made, at a moment."""
    seen = {each.id for each in _known(qualifications, at, day)}
    return min((each for each in qualifications if each.kind == kind and each.id not in seen), key=_order, default=None)


def due_next(qualifications: Iterable[EquipmentQualification], wanted: Iterable[str]) -> date | None:
    """The day on which the first of the kinds wanted stops to count. None where none of them ends."""
    ends = []
    for kind in wanted:
        of_kind = [each for each in qualifications if each.kind == kind]
        last = max(of_kind, key=_order, default=None)
        if last is not None and last.due_on is not None:
            ends.append(last.due_on)
    return min(ends, default=None)


def _known(
    qualifications: Iterable[EquipmentQualification], at: datetime, day: date
) -> Iterator[EquipmentQualification]:
    return (each for each in qualifications if each.recorded_at <= at and each.done_on <= day)


def _order(each: EquipmentQualification) -> tuple[date, int]:
    return each.done_on, each.id
