"""Shippers and the ways of lots between partner, house and hospital. A way is kept as it was, whatever the logger says."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import equipment, items, partners, transports
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.moments import require_order, require_past
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House

SHOWN_AT_MOST = 500
NOT_RECORDED = Text("Nothing was recorded.")
COLDEST_C, WARMEST_C = Decimal(-273), Decimal(100)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Qualified:
    """Between which temperatures (degrees Celsius) a shipper keeps, and for how many hours at most."""

    shipper: str
    low_c: Decimal
    high_c: Decimal
    hours_max: Decimal
    qualified_on: date
    valid_to: date
    file_name: str
    file_sha256: str


@dataclass(frozen=True, slots=True)
class Way:
    """How a lot was carried. Shipper and partner by name; temperatures as the logger measured them."""

    partner: str
    shipper: str
    from_place: str
    to_place: str
    dispatched_at: datetime
    handed_over_by: str
    arrived_at: datetime
    received_by: str
    min_c: Decimal | None
    max_c: Decimal | None
    file_name: str | None
    file_sha256: str | None
    excursion: str | None


@dataclass(frozen=True, slots=True)
class ShipperView:
    """A shipper as it was qualified."""

    qualification: int
    shipper: str
    low_c: Decimal
    high_c: Decimal
    hours_max: Decimal
    qualified_on: date
    valid_to: date
    file_name: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class TransportView:
    """A way of a lot as it was recorded, beside what its shipper keeps."""

    transport: int
    partner: str
    shipper: str
    low_c: Decimal
    high_c: Decimal
    hours_max: Decimal
    from_place: str
    to_place: str
    dispatched_at: datetime
    handed_over_by: str
    arrived_at: datetime
    received_by: str
    min_c: Decimal | None
    max_c: Decimal | None
    file_name: str | None
    excursion: str | None
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class TransportKeptView:
    """What was recorded, by its number."""

    record: int


async def qualify_shipper(house: House, call: Call, *, qualified: Qualified) -> TransportKeptView:
    """Record how a shipper was qualified. Raises BadInput, Conflict when that day is on record."""
    async with house.door.change(call, Act.QUALIFY_SHIPPER, subject=qualified.shipper) as change:
        if qualified.high_c < qualified.low_c:
            raise _bad("high_c", Text("It is below the lower one."), Text("Give the lower temperature first."))
        if qualified.hours_max <= 0:
            raise _bad("hours_max", Text("No journey is as short as this."), Text("Write it in hours."))
        if qualified.valid_to < qualified.qualified_on:
            raise _bad(
                "valid_to",
                Text("It would end before it begins."),
                Text("Give an end that is after its beginning."),
            )
        if qualified.qualified_on > await equipment.today(change):
            raise _bad(
                "qualified_on",
                Text("{day} is yet to come.", day=qualified.qualified_on),
                Text("Record it when it has been done."),
            )
        _require_digest(qualified.file_sha256)
        key = await transports.qualify(change, values=asdict(qualified))
        return change.answers(TransportKeptView(key))


async def record_transport(house: House, call: Call, *, lot: str, way: Way) -> TransportKeptView:
    """Record how a lot was carried. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.RECORD_TRANSPORT, subject=lot) as change:
        item = await items.find(change, code=lot, kind="lot")
        require_past(way.dispatched_at, now=change.at, field="dispatched_at")
        require_past(way.arrived_at, now=change.at, field="arrived_at")
        require_order(earlier=way.dispatched_at, later=way.arrived_at, field="arrived_at")
        if way.min_c is not None and way.max_c is not None and way.max_c < way.min_c:
            raise _bad("max_c", Text("It is below the lower one."), Text("Give the lower temperature first."))
        if (way.file_name is None) != (way.file_sha256 is None):
            field = "file_name" if way.file_name is None else "file_sha256"
            raise _bad(
                field,
                Text("A file has a name and a digest."),
                Text("Give both; or neither, while the file is not there."),
            )
        if way.file_sha256 is not None:
            _require_digest(way.file_sha256)
        values = asdict(way)
        partner, shipper = values.pop("partner"), values.pop("shipper")
        partner_id = await partners.id_of(change, name=partner)
        if partner_id is None:
            raise _bad(
                "partner",
                Text("No partner called {name} is registered.", name=partner),
                Text("Register the partner first, or choose one of the list."),
            )
        qualification = await transports.qualification_of(change, shipper=shipper, dispatched_at=way.dispatched_at)
        if qualification is None:
            raise _bad(
                "shipper",
                Text("No qualification of a shipper called {name} is on record.", name=shipper),
                Text("Record first how the shipper was qualified, or choose one of the list."),
            )
        of = {"lot_id": item.id, "partner_id": partner_id, "qualification_id": qualification}
        key = await transports.keep(change, values=values | of)
        return change.answers(TransportKeptView(key))


async def list_shippers(house: House, actor: Actor) -> tuple[ShipperView, ...]:
    """Every qualification of a shipper, by name, the last first."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        rows = await transports.shippers(reading, limit=SHOWN_AT_MOST)
    return tuple(ShipperView(**row._asdict()) for row in rows)


async def read_transports(house: House, actor: Actor, *, lot: str) -> tuple[TransportView, ...]:
    """The ways of a lot, the last first. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        item = await items.find(reading, code=lot, kind="lot")
        rows = await transports.of_lot(reading, lot=item.id)
    return tuple(TransportView(**row._asdict()) for row in rows)


def _bad(field: str, why: Text, remedy: Text) -> BadInput:
    return BadInput(field=field, what=NOT_RECORDED, why=why, remedy=remedy)


def _require_digest(value: str) -> None:
    if not _SHA256.fullmatch(value):
        raise _bad(
            "file_sha256",
            Text("This is no SHA-256: 64 digits of 0 to 9 and a to f."),
            Text("Compute it from the very file."),
        )
