"""Icons from the vendored sheet, and growth drawn as plain numbers for the template's SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from app.web.assets import asset

if TYPE_CHECKING:
    from collections.abc import Sequence

SHEET = "vendor/tabler-icons.svg"


def icon(name: str, css_class: str = "") -> Markup:
    """One icon of the sheet. It only repeats what a word beside it says, so readers skip it."""
    return Markup('<svg class="i {css_class}" aria-hidden="true"><use href="{sheet}#{name}"/></svg>').format(
        css_class=css_class, sheet=asset(SHEET), name=name
    )


@dataclass(frozen=True, slots=True)
class Point:
    """A passage on the curve, in the drawing's units."""

    x: float
    y: float
    passage: str
    cpdl: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid and its number."""

    y: float
    value: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Cumulative PDL by passage, ready to draw; `limit_y` is where the process's limit lies, if it is near."""

    width: int
    height: int
    points: tuple[Point, ...]
    ticks: tuple[Tick, ...]
    limit_y: float | None
    limit: float | None
    line: str
    left: int
    right: int
    bottom: int


WIDTH, HEIGHT = 340, 150
LEFT, RIGHT, TOP, BOTTOM = 34, 328, 14, 122
STEPS = (0.5, 1, 2, 5, 10, 20, 50)
TICKS_AT_MOST = 5


def growth_curve(passages: Sequence[tuple[str, float]], *, limit: float | None) -> Curve | None:
    """The curve of (passage name, cumulative PDL) pairs; None when there is nothing to draw."""
    if not passages:
        return None
    highest = max(cpdl for _, cpdl in passages)
    top = max(highest, limit or 0.0, 1.0) * 1.04
    step = next((each for each in STEPS if top / each <= TICKS_AT_MOST), 100)
    spread = (RIGHT - LEFT - 24) / max(1, len(passages) - 1)

    def y(value: float) -> float:
        return round(BOTTOM - value / top * (BOTTOM - TOP), 1)

    points = tuple(
        Point(x=round(LEFT + 12 + spread * index, 1), y=y(cpdl), passage=name, cpdl=cpdl)
        for index, (name, cpdl) in enumerate(passages)
    )
    return Curve(
        width=WIDTH,
        height=HEIGHT,
        points=points,
        ticks=tuple(Tick(y=y(step * n), value=step * n) for n in range(1, int(top / step) + 1)),
        limit_y=y(limit) if limit else None,
        limit=limit,
        line=" ".join(f"{point.x},{point.y}" for point in points),
        left=LEFT,
        right=RIGHT,
        bottom=BOTTOM,
    )
