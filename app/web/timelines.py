"""What happened to a lot as a picture: lanes over time, in which marks that would lie on each other become one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from app.web.pictures import text_width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

WIDTH, LEFT, RIGHT = 1120, 168, 1104
TOP, ROW, BAR = 40, 30, 18
APART_PX = 24.0
ROWS_MOST = 6
LETTERS_PX = 12.0
UNITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(1, 5, 15, 30, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600),
        *(86400 * days for days in (1, 2, 7, 14, 28, 91, 182, 365, 730, 1825, 3650)),
    )
)


class Lane(StrEnum):
    """Who or what was busy with the lot."""

    STATE = "state"
    CULTURE = "culture"
    TESTS = "tests"
    REVIEWS = "reviews"
    HOLDS = "holds"


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted. `until` None: it still does."""

    lane: Lane
    tone: str
    name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened at once."""

    lane: Lane
    tone: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Block:
    """A span where it is drawn. `label` is empty where there is no room for it; `names` says it in any case."""

    lane: Lane
    tone: str
    x: float
    y: float
    width: float
    height: float
    label: str
    name: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment, or several that lie so near together that only their number fits."""

    lane: Lane
    tone: str
    x: float
    y: float
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A lane where it is drawn."""

    lane: Lane
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the clock."""

    x: float
    says: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Ready to draw. `hidden` counts spans for which no row was left; they stand in the list."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    rows: tuple[Row, ...]
    blocks: tuple[Block, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    hidden: int


def timeline(spans: Sequence[Span], moments: Sequence[Moment], *, now: datetime, zone: ZoneInfo) -> Timeline | None:
    """Lay them out; None when nothing happened. What still lasts is drawn to `now`, or to the last event if later."""
    times = (
        [each.since for each in spans] + [each.at for each in moments] + [each.until for each in spans if each.until]
    )
    if not times:
        return None
    began = min(times)
    # An open span of an old lot would squeeze its whole life into a corner: it goes on a little, and says so.
    last = max(times)
    lasts = any(each.until is None for each in spans)
    ended = min(max(now, last), last + (last - began) * 0.12 + timedelta(seconds=1)) if lasts else last
    span = max(ended - began, timedelta(seconds=1))

    def x(at: datetime) -> float:
        return round(LEFT + 10 + min(max((at - began) / span, 0.0), 1.0) * (RIGHT - LEFT - 24), 1)

    rows: list[Row] = []
    blocks: list[Block] = []
    marks: list[Mark] = []
    hidden = 0
    y = float(TOP)
    for lane in Lane:
        ours = sorted(
            (each for each in spans if each.lane is lane),
            key=lambda each: (each.since, each.until or ended, each.until is None, each.name, each.tone),
        )
        points = sorted(
            (each for each in moments if each.lane is lane), key=lambda each: (each.at, each.name, each.tone)
        )
        if not ours and not points:
            continue
        packed, left_out = _packed([(each, x(each.since), x(each.until or ended)) for each in ours])
        hidden += left_out
        below = max((row + 1 for _, row, _, _ in packed), default=0)
        for each, row, since, width in packed:
            blocks.append(
                Block(
                    lane=lane,
                    tone=each.tone,
                    x=since,
                    y=y + 6 + row * ROW,
                    width=width,
                    height=BAR,
                    label=each.name if text_width(each.name, LETTERS_PX) + 10 <= width else "",
                    name=each.name,
                    is_open=each.until is None,
                )
            )
        marks += [
            Mark(lane=lane, tone=tone, x=at, y=y + 6 + below * ROW + BAR / 2, names=names)
            for tone, at, names in _gathered([(each, x(each.at)) for each in points])
        ]
        height = float(ROW * (below + bool(points)))
        rows.append(Row(lane=lane, y=y, height=height))
        y += height + 6
    return Timeline(
        width=WIDTH,
        height=int(y + 26),
        left=LEFT,
        right=RIGHT,
        top=TOP,
        bottom=int(y),
        rows=tuple(rows),
        blocks=tuple(blocks),
        marks=tuple(marks),
        ticks=_ticks(began, span, zone=zone, x=x),
        hidden=hidden,
    )


BLOCK_LEAST_PX = 7.0


def _packed(
    spans: Sequence[tuple[Span, float, float]],
) -> tuple[list[tuple[Span, int, float, float]], int]:
    """Each span in the first row where it lies on no other; how many found no row."""
    free_from: list[float] = []
    placed: list[tuple[Span, int, float, float]] = []
    left_out = 0
    for each, since, until in spans:
        width = max(round(until - since, 1), BLOCK_LEAST_PX)
        row = next((index for index, free in enumerate(free_from) if free <= since), len(free_from))
        if row >= ROWS_MOST:
            left_out += 1
            continue
        free_from[row : row + 1] = [round(since + width, 1)]
        placed.append((each, row, since, width))
    return placed, left_out


WEIGHT: Mapping[str, int] = {"stop": 4, "wait": 3, "go": 2, "info": 1}
"""Of several marks that become one, the gravest gives its colour."""


def _gathered(points: Sequence[tuple[Moment, float]]) -> list[tuple[str, float, tuple[str, ...]]]:
    """Marks from left to right; those nearer than a mark is wide stand together at the first one's place."""
    found: list[tuple[str, float, tuple[str, ...]]] = []
    for each, at in points:
        if found and at - found[-1][1] < APART_PX:
            tone, first, names = found[-1]
            gravest = max(tone, each.tone, key=lambda one: WEIGHT.get(one, 0))
            found[-1] = (gravest, first, (*names, each.name))
        else:
            found.append((each.tone, at, (each.name,)))
    return found


def _ticks(began: datetime, span: timedelta, *, zone: ZoneInfo, x: Callable[[datetime], float]) -> tuple[Tick, ...]:
    unit = next((each for each in UNITS if span / each <= 8), UNITS[-1])
    form = "%H:%M:%S" if unit < timedelta(minutes=1) else "%m-%d %H:%M" if unit < timedelta(days=1) else "%Y-%m-%d"
    local = began.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    skipped = max(0, -(-(local - midnight) // unit))
    at = midnight + unit * skipped
    ticks: list[Tick] = []
    while at <= local + span and len(ticks) < 12:
        ticks.append(Tick(x=x(at), says=f"{at:{form}}"))
        at += unit
    return tuple(ticks)
