"""Samples and retains: taken from a lot's containers or its donation, and traceable to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db.items import Item, new_item
from app.domain.errors import Conflict, NotFound
from app.domain.scans import GONE, SET_ASIDE
from app.domain.text import Text
from labels.codes import CodeKind

if TYPE_CHECKING:
    from sqlalchemy import Row

    from app.db.door import Change, Reading
    from app.db.lots import Lot

SOURCE = """
SELECT i.id, i.kind AS item_kind, own.code, c.kind, c.state, c.lot_id
FROM lab.item_codes k JOIN lab.items i ON i.id = k.item_id
JOIN lab.item_codes own ON own.item_id = i.id AND own.scheme = 'own'
LEFT JOIN lab.containers c ON c.id = i.id WHERE k.code = :code
"""
LOCK_LOT = "SELECT lab.lock_touched(ARRAY[CAST(:lot_id AS bigint)])"
KEEP_RETAIN = """
INSERT INTO lab.retains (id, lot_id, from_item_id, kind, quantity, unit, place, taken_at, recorded_by)
VALUES (:id, :lot_id, :from_item_id, :kind, :quantity, :unit, :place, :taken_at, :by)
"""
KEEP_SAMPLE = """
INSERT INTO lab.samples (id, lot_id, from_item_id, purpose, taken_at, taken_by, recorded_by)
VALUES (:id, :lot_id, :from_item_id, :purpose, :taken_at, :by, :by)
"""
SAMPLE = """
SELECT s.id, k.code, s.lot_id, s.purpose, s.taken_at, l.name AS lot_name, lk.code AS lot, l.specification_id
FROM lab.item_codes k JOIN lab.samples s ON s.id = k.item_id JOIN lab.lots l ON l.id = s.lot_id
JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own' WHERE k.code = :code
"""


@dataclass(frozen=True, slots=True)
class Source:
    """What a sample or retain is taken from."""

    id: int
    code: str
    is_vial: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A QC sample of a lot."""

    id: int
    code: str
    lot_id: int
    lot: str
    lot_name: str
    specification_id: int | None
    purpose: str
    taken_at: datetime


async def lock_lot(change: Change, *, lot_id: int) -> None:
    """Nobody else takes from this lot until this is done."""
    await change.run(LOCK_LOT, lot_id=lot_id)


async def source_of(reading: Reading, *, lot: Lot, code: str) -> Source:
    """A container of this lot that still holds something, or the lot's donation. Raises NotFound or Conflict.

    A hold does not hinder: what is held is sampled to find out why.
    """
    row = await reading.one(SOURCE, code=code)
    if row is None or (row.lot_id != lot.id and row.id != lot.donation_id):
        raise NotFound(
            what=Text("Nothing was taken."),
            why=Text("{code} is neither a container of {lot} nor its donation.", code=code, lot=lot.name),
            remedy=Text("Scan the container that it was taken from."),
        )
    away = {**GONE, **SET_ASIDE}
    if row.state in away:
        raise Conflict(
            what=Text("Nothing was taken."),
            why=Text("{code}: {problem}", code=row.code, problem=away[row.state]),
            remedy=Text("Scan the container that it was taken from."),
            detail={"code": row.code, "state": row.state},
        )
    return Source(id=row.id, code=row.code, is_vial=row.kind == "vial")


async def keep_reagent_retain(
    change: Change, *, bottle: Row[Any], quantity: Decimal, unit: str, place: str, taken_at: datetime
) -> Item:
    """A retain of a material lot, taken from one of its containers."""
    source = Source(id=bottle.id, code=bottle.code, is_vial=False)
    return await keep_retain(
        change,
        lot_id=bottle.lot_id,
        source=source,
        kind="reagent",
        quantity=quantity,
        unit=unit,
        place=place,
        taken_at=taken_at,
    )


async def keep_retain(
    change: Change,
    *,
    lot_id: int,
    source: Source,
    kind: str,
    quantity: Decimal,
    unit: str,
    place: str,
    taken_at: datetime,
) -> Item:
    """A retain with a code of its own."""
    item = await new_item(change, kind="retain", code_kind=CodeKind.RETAIN)
    await change.run(
        KEEP_RETAIN,
        id=item.id,
        lot_id=lot_id,
        from_item_id=source.id,
        kind=kind,
        quantity=quantity,
        unit=unit,
        place=place,
        taken_at=taken_at,
        by=change.actor.account_id,
    )
    return item


async def keep_sample(change: Change, *, lot_id: int, source: Source, purpose: str, taken_at: datetime) -> Item:
    """A QC sample with a code of its own; the actor took it."""
    item = await new_item(change, kind="sample", code_kind=CodeKind.SAMPLE_TUBE)
    await change.run(
        KEEP_SAMPLE,
        id=item.id,
        lot_id=lot_id,
        from_item_id=source.id,
        purpose=purpose,
        taken_at=taken_at,
        by=change.actor.account_id,
    )
    return item


async def find(reading: Reading, *, code: str) -> Sample:
    """The sample of this code. Raises NotFound."""
    row = await reading.one(SAMPLE, code=code)
    if row is None:
        raise NotFound(
            what=Text("There is no sample {code}.", code=code),
            why=Text("This code is not that of a QC sample."),
            remedy=Text("Scan the label of the sample tube."),
        )
    return Sample(**row._asdict())
