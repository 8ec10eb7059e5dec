"""What the counts of one step say: how alive the cells were, how far they doubled, how old they are now."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain import growth
from app.domain.errors import BadInput
from app.domain.facts import StepKind
from app.domain.growth import CannotCompute
from app.domain.moments import require_past
from app.domain.text import Text


@dataclass(frozen=True, slots=True)
class Counts:
    """Viable and dead cells as they were counted. None is not counted."""

    viable_seeded: Decimal | None = None
    viable_harvested: Decimal | None = None
    dead_harvested: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Growth:
    """`pd` are population doublings in this step, `cpdl` all since isolation. None is not known."""

    viability_percent: Decimal | None
    pd: Decimal | None
    cpdl: Decimal | None


def grown(kind: StepKind, counts: Counts, *, cpdl_start: Decimal | None) -> Growth:
    """What follows from the counts. Raises CannotCompute where something was counted from which nothing follows."""
    doublings = _doublings(counts) if kind is StepKind.PASSAGE else None
    return Growth(
        viability_percent=_viability_percent(counts),
        pd=None if doublings is None else _kept(doublings),
        cpdl=_cpdl(kind, doublings, cpdl_start),
    )


def grown_as_far_as_known(kind: StepKind, counts: Counts, *, cpdl_start: Decimal | None) -> Growth:
    """What follows from counts that are taken as they are, for what has happened already."""
    known = Growth(None, None, cpdl_start if kind is not StepKind.PASSAGE else None)
    try:
        known = Growth(_viability_percent(counts), None, known.cpdl)
        return grown(kind, counts, cpdl_start=cpdl_start)
    except CannotCompute:
        return known


def doubling_time_hours(started_at: datetime, ended_at: datetime | None, counts: Counts) -> Decimal | None:
    """Hours for one doubling, or None where the cells did not grow or the time is not known."""
    if ended_at is None or counts.viable_seeded is None or counts.viable_harvested is None:
        return None
    try:
        hours = growth.doubling_time_hours(
            hours=(ended_at - started_at).total_seconds() / 3600,
            viable_seeded=float(counts.viable_seeded),
            viable_harvested=float(counts.viable_harvested),
        )
    except CannotCompute:
        return None
    return _kept(hours)


def refuse_impossible_times(*, started_at: datetime, ended_at: datetime | None, now: datetime) -> None:
    """Raise BadInput where a step ends before it begins, or has not happened yet."""
    require_past(started_at, now=now, field="started_at")
    if ended_at is not None and ended_at < started_at:
        raise BadInput(
            field="ended_at",
            what=Text("Nothing was recorded."),
            why=Text("It would have ended at {ended}, before it began at {began}.", ended=ended_at, began=started_at),
            remedy=Text("Correct the times."),
        )
    require_past(ended_at, now=now, field="ended_at")


def _viability_percent(counts: Counts) -> Decimal | None:
    if counts.viable_harvested is None or counts.dead_harvested is None:
        return None
    return _kept(growth.viability_percent(viable=float(counts.viable_harvested), dead=float(counts.dead_harvested)))


def _doublings(counts: Counts) -> float | None:
    if counts.viable_seeded is None or counts.viable_harvested is None:
        return None
    return growth.population_doublings(
        viable_seeded=float(counts.viable_seeded), viable_harvested=float(counts.viable_harvested)
    )


def _cpdl(kind: StepKind, doublings: float | None, cpdl_start: Decimal | None) -> Decimal | None:
    if kind is not StepKind.PASSAGE:
        return cpdl_start
    if doublings is None or cpdl_start is None:
        return None
    return _kept(growth.cumulative_pdl(cpdl_start=float(cpdl_start), pd=doublings))


def _kept(value: float) -> Decimal:
    # Six decimals: far finer than any count, and the same number in every place that shows it.
    return Decimal(str(round(value, 6)))
