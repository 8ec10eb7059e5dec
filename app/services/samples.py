"""Retains kept for investigation, and samples taken for QC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from app.db import containers, lots, samples
from app.domain.acts import Act
from app.domain.moments import require_past
from app.domain.units import AMOUNTS, known_unit

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House

RetainKind = Literal["starting_material", "final_product"]


@dataclass(frozen=True, slots=True)
class TakenView:
    """A sample or retain that was taken. `source` is the code of what it was taken from."""

    code: str
    lot: str
    source: str
    kind: str
    taken_at: datetime


async def take_retain(
    house: House,
    call: Call,
    *,
    lot: str,
    source: str,
    kind: RetainKind,
    quantity: Decimal,
    unit: str,
    place: str,
    taken_at: datetime | None,
) -> TakenView:
    """Keep a retain of starting material or final product. A vial that becomes one stays, as a retain, not for use."""
    async with house.door.change(call, Act.TAKE_RETAIN, subject=lot) as change:
        at = taken_at or change.at
        require_past(at, now=change.at, field="taken_at")
        unit = known_unit(unit, among=AMOUNTS, field="unit")
        found = await lots.find(change, code=lot)
        await samples.lock_lot(change, lot_id=found.id)
        taken_from = await samples.source_of(change, lot=found, code=source)
        item = await samples.keep_retain(
            change,
            lot_id=found.id,
            source=taken_from,
            kind=kind,
            quantity=quantity,
            unit=unit,
            place=place,
            taken_at=at,
        )
        await containers.descend(change, parents=[taken_from.id], children=[item.id], step_id=None)
        if taken_from.is_vial:
            await containers.set_aside(change, id_=taken_from.id, state="retained")
        return change.answers(TakenView(code=item.code, lot=found.code, source=taken_from.code, kind=kind, taken_at=at))


async def take_sample(
    house: House, call: Call, *, lot: str, source: str, purpose: str, taken_at: datetime | None
) -> TakenView:
    """Take a QC sample. A vial that is sampled goes to the tests with it, and is not for use."""
    async with house.door.change(call, Act.TAKE_SAMPLE, subject=lot) as change:
        at = taken_at or change.at
        require_past(at, now=change.at, field="taken_at")
        found = await lots.find(change, code=lot)
        await samples.lock_lot(change, lot_id=found.id)
        taken_from = await samples.source_of(change, lot=found, code=source)
        item = await samples.keep_sample(change, lot_id=found.id, source=taken_from, purpose=purpose, taken_at=at)
        await containers.descend(change, parents=[taken_from.id], children=[item.id], step_id=None)
        if taken_from.is_vial:
            await containers.set_aside(change, id_=taken_from.id, state="sampled")
        return change.answers(
            TakenView(code=item.code, lot=found.code, source=taken_from.code, kind=purpose, taken_at=at)
        )
