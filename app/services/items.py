"""Items: what carries a label, where it came from, what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db import items, trace
from app.db.trace import Direction
from app.domain.acts import Act, Actor, may
from app.domain.errors import BadInput, NotFound, in_words_of
from app.domain.lots import STATE_NAMES, LotState
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from labels.codes import CodeError, CodeScheme, format_code, parse

if TYPE_CHECKING:
    from app.services.house import House

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
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


@dataclass(frozen=True, slots=True)
class DetailView:
    """What only some kinds of items have; None where this kind has none, or it is not known."""

    volume_ml: Decimal | None
    viable_cells: Decimal | None
    tissue: str | None
    collected_at: datetime | None
    received_at: datetime | None
    din: str | None
    purpose: str | None
    retain_kind: str | None
    quantity: Decimal | None
    unit: str | None
    kept_at: str | None
    taken_at: datetime | None
    room: str | None
    material: str | None
    supplier_lot: str | None
    expires_on: date | None
    relation: str | None


@dataclass(frozen=True, slots=True)
class NearView:
    """An item that is reached from another, and in how many steps."""

    code: str
    kind: str
    name: str | None
    state: str | None
    passage: int | None
    lot: str | None
    lot_name: str | None
    distance: int


@dataclass(frozen=True, slots=True)
class ToldView:
    """One thing that was done with the item."""

    at: datetime
    what: str
    by: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EntryView:
    """One audit entry that wrote a row of the item."""

    number: int
    at: datetime
    act: str
    reason: str
    by: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemPage:
    """An item with what it came from, what became of it, and who did what with it.

    `entries` is None for whoever may not read the audit; `told` is empty for whoever may.
    """

    item: ItemView
    detail: DetailView
    came_from: tuple[NearView, ...]
    became: tuple[NearView, ...]
    more_before: bool
    more_after: bool
    told: tuple[ToldView, ...]
    entries: tuple[EntryView, ...] | None


@dataclass(frozen=True, slots=True)
class EquipmentLine:
    """Equipment, a shelf or a position in a list."""

    code: str
    item_kind: str
    kind: str
    name: str
    room: str
    held: bool


NEAR_MOST = 60
TOLD_MOST = 60


async def find_item(house: House, actor: Actor, *, raw: str) -> str:
    """The code of what somebody scanned or typed: any code, else a lot's name, a pseudonym, equipment's name.

    Raises NotFound, or BadInput for a text that is neither a name nor a code.
    """
    misread: CodeError | None = None
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        try:
            code = parse(raw)
        except CodeError as error:
            misread = error
        else:
            try:
                found = await items.find_scanned(reading, code=code.value, scheme=_SCHEMES[code.scheme])
                return await items.own_code(reading, item_id=found)
            except NotFound:
                named = await items.named(reading, name=raw.strip())
                if named is None:
                    raise
                return named
        named = None if _UNPRINTABLE.search(raw) else await items.named(reading, name=raw.strip())
    if named is None:
        raise BadInput(field="q", **in_words_of(misread)) from misread
    return named


async def read_page(house: House, actor: Actor, *, code: str, before: int | None = None) -> ItemPage:
    """Everything that is shown of one item; `before` is the audit entry after which the history goes on.

    Raises NotFound.
    """
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        item_id = await items.find_scanned(reading, code=code, scheme="own")
        found = await items.describe(reading, item_id=item_id)
        traces = [await trace.near(reading, item_id=item_id, direction=each, limit=NEAR_MOST) for each in Direction]
        reads_audit = may(actor, Act.READ_AUDIT)
        entries = await items.history(reading, item_id=item_id, before=before, limit=TOLD_MOST) if reads_audit else None
        told = () if reads_audit else await items.story(reading, item_id=item_id, limit=TOLD_MOST)
    back, forward = traces
    row = found.item
    return ItemPage(
        item=_view(found),
        detail=DetailView(**{each.name: getattr(row, each.name) for each in fields(DetailView)}),
        came_from=tuple(_near(each) for each in back[:NEAR_MOST]),
        became=tuple(_near(each) for each in forward[:NEAR_MOST]),
        more_before=len(back) > NEAR_MOST,
        more_after=len(forward) > NEAR_MOST,
        told=tuple(ToldView(each.at, each.what, each.by_name, each.detail) for each in told),
        entries=None
        if entries is None
        else tuple(
            EntryView(each.number, each.at, each.act, each.reason, each.by_name, tuple(each.tables)) for each in entries
        ),
    )


async def list_equipment(
    house: House, actor: Actor, *, kind: str | None, after: str | None, limit: int
) -> list[EquipmentLine]:
    """Equipment, shelves and positions by name."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        rows = await items.equipment(reading, kind=kind, after=after, limit=limit)
    return [EquipmentLine(**row._asdict()) for row in rows]


def _near(row: Any) -> NearView:
    return NearView(row.code, row.kind, row.name, row.state, row.passage, row.lot, row.lot_name, row.distance)


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
