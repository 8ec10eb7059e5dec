"""Growth as plain numbers for the template's SVG: age over time, and one small bar chart for each other measure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = (0.5, 1, 2, 5, 10, 20, 50)
TICKS_AT_MOST = 5
SPAN_LEAST = timedelta(hours=12)
"""Counts that lie nearer together than this are spaced evenly: no culture doubles between two breaths."""
APART_PX = 34.0
"""Between the middles of two labels that can both be read."""


class Axis(StrEnum):
    """What the horizontal axis counts."""

    DAYS = "days"
    PASSAGES = "passages"


@dataclass(frozen=True, slots=True)
class Counted:
    """One count of a lot's cells. `cpdl` are population doublings since isolation."""

    name: str
    at: datetime
    cpdl: float | None
    viability_percent: float | None
    doubling_time_hours: float | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid: where it lies, and its number."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Point:
    """A count on the curve, in the drawing's units. `is_named`: there is room for its name and value."""

    x: float
    y: float
    name: str
    cpdl: float
    is_named: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """Cumulative PDL over time, ready to draw. `limit_y` is where the process's limit lies."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    axis: Axis
    points: tuple[Point, ...]
    lines: tuple[str, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    limit_y: float | None
    limit: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One measured value; `height` zero and no `value` where nothing was measured."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    name: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Bars:
    """One measure by passage, ready to draw."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def growth_curve(counts: Sequence[Counted], *, limit: float | None) -> Curve | None:
    """The curve of these counts in their order; None when no age is known. A gap in what is known parts the line."""
    known = [each for each in counts if each.cpdl is not None]
    if not known:
        return None
    width, height, left, right, top, bottom = 680, 264, 52, 664, 18, 216
    highest = max(*(each.cpdl or 0.0 for each in known), limit or 0.0, 1.0) * 1.08
    began, ended = counts[0].at, max(each.at for each in counts)
    is_timed = ended - began >= SPAN_LEAST
    days = max((ended - began) / timedelta(days=1), 1e-9)
    within = (left + 36, right - 36)  # names stand over the first and the last point

    def x(index: int, at: datetime) -> float:
        part = ((at - began) / timedelta(days=1) / days) if is_timed else index / max(1, len(counts) - 1)
        return round(within[0] + min(max(part, 0.0), 1.0) * (within[1] - within[0]), 1)

    def y(value: float) -> float:
        return round(bottom - value / highest * (bottom - top), 1)

    points: list[Point] = []
    lines: list[list[str]] = [[]]
    last_named = -APART_PX
    for index, each in enumerate(counts):
        if each.cpdl is None:
            lines.append([])
            continue
        at = x(index, each.at)
        is_named = at - last_named >= APART_PX
        last_named = at if is_named else last_named
        points.append(Point(x=at, y=y(each.cpdl), name=each.name, cpdl=each.cpdl, is_named=is_named))
        lines[-1].append(f"{at},{y(each.cpdl)}")
    day_step = _step(days, at_most=8, steps=(0.5, 1, 2, 5, 7, 10, 14, 28, 50, 100, 200, 365))
    return Curve(
        width=width,
        height=height,
        left=left,
        right=right,
        top=top,
        bottom=bottom,
        axis=Axis.DAYS if is_timed else Axis.PASSAGES,
        points=tuple(points),
        lines=tuple(" ".join(each) for each in lines if each),
        x_ticks=tuple(
            Tick(at=round(within[0] + value / days * (within[1] - within[0]), 1), value=value)
            for value in _multiples(day_step, upto=days)
        )
        if is_timed
        else (),
        y_ticks=tuple(Tick(at=y(value), value=value) for value in _multiples(_step(highest), upto=highest)),
        limit_y=y(limit) if limit else None,
        limit=limit,
    )


def bars(values: Sequence[tuple[str, float | None]], *, top_value: float | None = None) -> Bars | None:
    """(passage, value) pairs as bars from zero; None when nothing was measured. `top_value` fixes the scale."""
    measured = [value for _, value in values if value is not None]
    if not measured:
        return None
    width, height, left, right, top, bottom = 330, 150, 40, 322, 20, 122
    highest = top_value or max(*measured, 1e-9) * 1.12
    slot = (right - left) / len(values)
    wide = round(min(36.0, slot * 0.62), 1)

    def one(index: int, name: str, value: float | None) -> Bar:
        tall = 0.0 if value is None else round(min(value, highest) / highest * (bottom - top), 1)
        middle = left + slot * (index + 0.5)
        return Bar(
            x=round(middle - wide / 2, 1),
            y=round(bottom - tall, 1),
            width=wide,
            height=tall,
            middle=round(middle, 1),
            name=name,
            value=value,
        )

    step = _step(highest, at_most=4)
    return Bars(
        width=width,
        height=height,
        left=left,
        right=right,
        top=top,
        bottom=bottom,
        bars=tuple(one(index, name, value) for index, (name, value) in enumerate(values)),
        ticks=tuple(
            Tick(at=round(bottom - value / highest * (bottom - top), 1), value=value)
            for value in _multiples(step, upto=highest)
        ),
    )


def _step(highest: float, *, at_most: int = TICKS_AT_MOST, steps: Sequence[float] = STEPS) -> float:
    """The smallest round distance at which no more than so many lines fit below `highest`."""
    factor = 1.0
    while True:
        for each in steps:
            if highest / (each * factor) <= at_most:
                return each * factor
        factor *= 100


def _multiples(step: float, *, upto: float) -> tuple[float, ...]:
    return tuple(step * n for n in range(int(upto / step + 1e-9) + 1))
