"""Items: what carries a label, where it came from, what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.db import items, trace
from app.db.trace import Direction
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, in_words_of
from app.domain.lots import STATE_NAMES, LotState
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from labels.codes import CodeError, CodeScheme, format_code, parse

if TYPE_CHECKING:
    from app.services.house import House

_SCHEMES = {CodeScheme.OWN: "own", CodeScheme.DIN: "din", CodeScheme.UNKNOWN: "supplier"}


@dataclass(frozen=True, slots=True)
class CodeView:
    """A code that the item bears, and whose it is: own, din or supplier."""

    code: str
    scheme: str


@dataclass(frozen=True, slots=True)
class HoldView:
    """An open hold on the item or on its lot."""

    on: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class LotOfItem:
    """The lot to which the item belongs."""

    code: str
    name: str
    kind: str
    state: str
    state_name: Text
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Where the item is kept."""

    code: str
    name: str | None


@dataclass(frozen=True, slots=True)
class ItemView:
    """What carries a label. `shown` is its code in the groups that people read; `labels` how many were made."""

    code: str
    shown: str
    kind: str
    kind_name: Text
    name: str
    state: str | None
    passage: int | None
    opened_until: datetime | None
    donor: str | None
    lot: LotOfItem | None
    place: PlaceView | None
    codes: tuple[CodeView, ...]
    holds: tuple[HoldView, ...]
    labels: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class NodeView:
    """An item in a trace."""

    code: str
    kind: str
    name: str | None
    state: str | None
    lot: str | None
    lot_name: str | None
    lot_state: str | None


@dataclass(frozen=True, slots=True)
class EdgeView:
    """One item came from another, by a step where one is known."""

    parent: str
    child: str
    step: str | None
    passage: int | None


@dataclass(frozen=True, slots=True)
class TraceView:
    """Everything reached from an item. `truncated`: there is more than is shown."""

    item: str
    direction: Direction
    nodes: tuple[NodeView, ...]
    edges: tuple[EdgeView, ...]
    truncated: bool


async def read_item(house: House, actor: Actor, *, raw: str) -> ItemView:
    """The item behind a scanned or typed text. Raises BadInput where it is no code, NotFound where none bears it."""
    try:
        code = parse(raw)
    except CodeError as error:
        raise BadInput(field="raw", **in_words_of(error)) from error
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        item_id = await items.find_scanned(reading, code=code.value, scheme=_SCHEMES[code.scheme])
        return _view(await items.describe(reading, item_id=item_id))


async def trace_item(house: House, actor: Actor, *, code: str, direction: Direction) -> TraceView:
    """Where the item came from, or what became of it. Raises NotFound."""
    async with house.door.read(actor, Act.READ_TRACE) as reading:
        item = await items.find(reading, code=code)
        found = await trace.trace(reading, item_id=item.id, direction=direction)
    return TraceView(
        item=item.code,
        direction=direction,
        nodes=tuple(
            NodeView(each.code, each.kind, each.name, each.state, each.lot, each.lot_name, each.lot_state)
            for each in found.nodes
        ),
        edges=tuple(EdgeView(each.parent, each.child, each.step, each.passage) for each in found.edges),
        truncated=found.is_cut,
    )


def _view(found: items.Description) -> ItemView:
    item = found.item
    kind = item.subkind if item.subkind in KIND_NAMES else item.item_kind
    return ItemView(
        code=item.code,
        shown=format_code(item.code),
        kind=kind,
        kind_name=KIND_NAMES[kind],
        name=item.name or item.code,
        state=item.state,
        passage=item.passage,
        opened_until=item.opened_until,
        donor=item.donor,
        lot=None
        if item.lot is None
        else LotOfItem(
            code=item.lot,
            name=item.lot_name,
            kind=item.lot_kind,
            state=item.lot_state,
            state_name=STATE_NAMES[LotState(item.lot_state)],
            expires_at=item.lot_expires_at,
        ),
        place=None if item.place is None else PlaceView(item.place, item.place_name),
        codes=tuple(CodeView(each.code, each.scheme) for each in found.codes),
        holds=tuple(HoldView(each.on, each.reason, each.since) for each in found.holds),
        labels=item.labels,
        recorded_at=item.recorded_at,
    )
