"""Holds: anybody places one, the QA manager lifts it by signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import deviations, holds, items, lots
from app.domain.acts import Act, Actor

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class PlacedView:
    """A hold that was just placed."""

    hold: int
    item: str
    reason: str
    deviation: str | None


@dataclass(frozen=True, slots=True)
class LiftedView:
    """A hold lifted by signature."""

    hold: int
    signature: int


@dataclass(frozen=True, slots=True)
class HoldView:
    """A hold as it stands. `lot` is the name of the lot that its item belongs to."""

    hold: int
    item: str | None
    item_kind: str
    lot: str | None
    reason: str
    deviation: str | None
    placed_at: datetime
    placed_by: str
    lifted_at: datetime | None
    lifted_by: str | None


async def place_hold(house: House, call: Call, *, item: str, reason: str, deviation: str | None) -> PlacedView:
    """Place a hold on anything that carries a label, under a deviation where there is one."""
    async with house.door.change(call, Act.PLACE_HOLD, subject=item, reason=reason) as change:
        found = await items.find(change, code=item)
        under = None if deviation is None else (await deviations.find(change, number=deviation)).id
        hold = await holds.place(change, item_id=found.id, reason=reason, deviation_id=under)
        return change.answers(PlacedView(hold=hold, item=found.code, reason=reason, deviation=deviation))


async def lift_hold(house: House, call: Call, *, hold: int, ceremony: UUID) -> LiftedView:
    """Lift a hold. Raises CeremonyRefused, Conflict while the deviation behind it is open."""
    async with house.door.change(call, Act.LIFT_HOLD, subject=f"hold {hold}") as change:
        change.ceremony = ceremony
        await holds.refuse_unknown(change, hold_id=hold)
        return change.answers(
            LiftedView(hold=hold, signature=await holds.lift(change, hold_id=hold, ceremony=ceremony))
        )


async def list_holds(
    house: House, actor: Actor, *, state: str | None, lot: str | None, after: int | None, limit: int
) -> list[HoldView]:
    """Holds, newest first."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot_id = None if lot is None else (await lots.find(reading, code=lot)).id
        rows = await holds.page(reading, state=state, lot_id=lot_id, after=after, limit=limit)
    return [HoldView(**row._asdict()) for row in rows]
