"""Where a lot came from as a picture: groups in layers from donor to samples, materials as lines that run beneath.

A group is what one step made at once, so that every member of it has the same parents. Layers are columns; within a
column groups stand one above the other in the order of their parents. The same groups give the same picture.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BOX_WIDTH, LAYER_GAP, BOX_GAP = 172, 44, 18
HEAD, CODE_LINE, PAD = 44, 19, 8
MARGIN = 12
INPUT_WIDTH, INPUT_HEIGHT, INPUT_GAP = 300, 30, 10
TAP_PX = 11.0


@dataclass(frozen=True, slots=True)
class Group:
    """Items that were made together. `codes` are those shown one by one, `count` how many there are."""

    key: str
    kind: str
    name: str
    says: str
    count: int
    codes: tuple[str, ...] = ()
    code: str | None = None
    is_input: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A group where it is drawn."""

    group: Group
    layer: int
    x: float
    y: float
    width: float
    height: float
    rows: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Arrow:
    """From the right side of one box to the left side of another, as an SVG path."""

    parent: str
    child: str
    path: str


@dataclass(frozen=True, slots=True)
class Tap:
    """Where an input's line feeds a box: up from `y1` to `y2`."""

    parent: str
    child: str
    x: float
    y1: float
    y2: float


@dataclass(frozen=True, slots=True)
class Bus:
    """The line along which an input runs beneath the boxes."""

    key: str
    x1: float
    x2: float
    y: float


@dataclass(frozen=True, slots=True)
class Lineage:
    """Ready to draw."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    inputs: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    buses: tuple[Bus, ...] = field(default=())
    taps: tuple[Tap, ...] = field(default=())


def lineage(groups: Sequence[Group], edges: Sequence[tuple[str, str]]) -> Lineage | None:
    """Lay out groups and the (parent, child) pairs between them; None when there is nothing."""
    main = {each.key: each for each in groups if not each.is_input}
    inputs = [each for each in groups if each.is_input]
    if not main:
        return None
    pairs = sorted({(parent, child) for parent, child in edges if parent in main and child in main and parent != child})
    layers = _layers(list(main), pairs)
    named = {each.key for each in inputs}
    fed = sorted({(parent, child) for parent, child in edges if child in main and parent in named})
    boxes = _boxes(main, layers, pairs, fed=frozenset(child for _, child in fed))
    by_key = {each.group.key: each for each in boxes}
    bottom = max(each.y + each.height for each in boxes)
    drawn, buses, taps = _inputs(inputs, fed, by_key, top=bottom + 34)
    right = max(each.x + each.width for each in (*boxes, *drawn))
    lowest = max(each.y + each.height for each in (*boxes, *drawn))
    return Lineage(
        width=int(right + MARGIN),
        height=int(lowest + MARGIN),
        boxes=tuple(boxes),
        inputs=tuple(drawn),
        arrows=tuple(Arrow(parent, child, _path(by_key[parent], by_key[child])) for parent, child in pairs),
        buses=tuple(buses),
        taps=tuple(taps),
    )


def _layers(keys: Sequence[str], pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The longest way from a beginning to each group. A circle, which cannot be, ends where it closes."""
    parents: Mapping[str, list[str]] = defaultdict(list)
    for parent, child in pairs:
        parents[child].append(parent)
    found: dict[str, int] = {}

    def depth(key: str, under_way: frozenset[str]) -> int:
        if key not in found:
            above = [depth(each, under_way | {key}) for each in parents[key] if each not in under_way]
            found[key] = 1 + max(above) if above else 0
        return found[key]

    for each in sorted(keys):
        depth(each, frozenset({each}))
    return found


def _boxes(
    groups: Mapping[str, Group],
    layers: Mapping[str, int],
    pairs: Sequence[tuple[str, str]],
    *,
    fed: frozenset[str],
) -> list[Box]:
    columns: dict[int, list[str]] = defaultdict(list)
    for key, layer in layers.items():
        columns[layer].append(key)
    middles: dict[str, float] = {}
    boxes: list[Box] = []
    tallest = max(sum(_height(groups[key]) + BOX_GAP for key in column) - BOX_GAP for column in columns.values())
    for layer in sorted(columns):
        above = {key: [middles[p] for p, child in pairs if child == key and p in middles] for key in columns[layer]}
        # What is fed from beneath stands lowest, so that its inputs need not pass behind another.
        order = sorted(columns[layer], key=lambda key: (key in fed, _mean(above[key]), key))
        tall = sum(_height(groups[key]) + BOX_GAP for key in order) - BOX_GAP
        y = MARGIN + (tallest - tall) / 2
        for key in order:
            height = _height(groups[key])
            boxes.append(_box(groups[key], layer=layer, x=MARGIN + layer * (BOX_WIDTH + LAYER_GAP), y=round(y, 1)))
            middles[key] = y + height / 2
            y += height + BOX_GAP
    return boxes


def _box(group: Group, *, layer: int, x: float, y: float) -> Box:
    return Box(
        group=group,
        layer=layer,
        x=x,
        y=y,
        width=BOX_WIDTH,
        height=_height(group),
        rows=tuple((code, y + HEAD + CODE_LINE * (index + 0.7)) for index, code in enumerate(group.codes)),
    )


def _height(group: Group) -> float:
    return HEAD + CODE_LINE * len(group.codes) + (PAD if group.codes else 0)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _path(parent: Box, child: Box) -> str:
    x1, y1 = parent.x + parent.width, parent.y + HEAD / 2
    x2, y2 = child.x, child.y + HEAD / 2
    bend = max(18.0, (x2 - x1) / 2)
    return f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"


def _inputs(
    inputs: Sequence[Group], fed: Sequence[tuple[str, str]], boxes: Mapping[str, Box], *, top: float
) -> tuple[list[Box], list[Bus], list[Tap]]:
    """Each input in a row of its own; from its line a tap goes up at a place that no other input uses."""
    drawn: list[Box] = []
    buses: list[Bus] = []
    taps: list[Tap] = []
    for index, each in enumerate(sorted(inputs, key=lambda one: one.key)):
        y = top + index * (INPUT_HEIGHT + INPUT_GAP)
        drawn.append(Box(group=each, layer=-1, x=MARGIN, y=y, width=INPUT_WIDTH, height=INPUT_HEIGHT))
        places = [
            (boxes[child].x + 10 + (index % 14) * TAP_PX, boxes[child].y + boxes[child].height, child)
            for parent, child in fed
            if parent == each.key
        ]
        if not places:
            continue
        middle = y + INPUT_HEIGHT / 2
        for x, upto, child in places:
            taps.append(Tap(each.key, child, round(x, 1), y if x < MARGIN + INPUT_WIDTH else middle, upto))
        furthest = max(x for x, _, _ in places)
        if furthest > MARGIN + INPUT_WIDTH:
            buses.append(Bus(each.key, MARGIN + INPUT_WIDTH, round(furthest, 1), middle))
    return drawn, buses, taps
