"""Holds: anybody places one, the QA manager lifts it by signature.

What came to light later holds too: such a hold is lifted for a stated reason, and on a lot that was released, or for virus
that was found, by the quality authority alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import colleagues, deviations, holds, items, reasons
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.text import Text

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
    """A hold as it stands. `lot` is the name of the lot that its item belongs to.

    `looked_back`: what came to light later placed it. `authoritys`: it is the quality authority's alone to lift.
    """

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
    looked_back: bool
    authoritys: bool


async def place_hold(
    house: House, call: Call, *, item: str, reason: str | None, deviation: str | None, picked: str | None = None
) -> PlacedView:
    """Place a hold on anything that carries a label, under a deviation where there is one.

    `picked`: the code of a reason picked at the bench, in place of words, which are owed then.
    """
    async with house.door.change(call, Act.PLACE_HOLD, subject=item, reason=reason or picked or "") as change:
        if bool(reason) == bool(picked):
            raise BadInput(
                field="reason",
                what=Text("Nothing was put on hold."),
                why=Text("A hold has one reason: in words, or one that was picked."),
                remedy=Text("Pick one of the list, or say the reason in words."),
            )
        found = await items.find(change, code=item)
        if picked:
            reason = await reasons.said(change, picked)
            await reasons.owe(change, item_id=found.id, act=Act.PLACE_HOLD, reason=picked)
        under = None if deviation is None else (await deviations.find(change, number=deviation)).id
        hold = await holds.place(change, item_id=found.id, reason=reason or "", deviation_id=under)
        return change.answers(PlacedView(hold=hold, item=found.code, reason=reason or "", deviation=deviation))


async def lift_hold(house: House, call: Call, *, hold: int, ceremony: UUID) -> LiftedView:
    """Lift a hold. Raises CeremonyRefused, Conflict while the deviation behind it is open, BadInput without a reason owed."""
    async with house.door.look() as reading:  # who may is asked below, of the act that this hold needs
        found = await holds.find(reading, hold_id=hold)
    act = Act.LIFT_LOOK_BACK_HOLD if found is not None and found.authoritys else Act.LIFT_HOLD
    async with house.door.change(call, act, subject=f"hold {hold}") as change:
        change.ceremony = ceremony
        await holds.refuse_unknown(change, hold_id=hold)
        if (
            found is not None
            and found.looked_back
            and not (await holds.statement_of(change, ceremony=ceremony)).strip()
        ):
            raise BadInput(
                field="ceremony",
                what=Text("The hold was not lifted."),
                why=Text("What came to light later placed it, and the signature states no reason."),
                remedy=Text("Sign again, and write what was found and why the hold may go."),
            )
        return change.answers(
            LiftedView(hold=hold, signature=await holds.lift(change, hold_id=hold, ceremony=ceremony))
        )


async def list_holds(
    house: House,
    actor: Actor,
    *,
    state: str | None,
    lot: str | None,
    after: int | None,
    limit: int,
    item: str | None = None,
) -> list[HoldView]:
    """Holds, newest first."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot_id = None if lot is None else (await items.find(reading, code=lot, kind="lot")).id
        item_id = None if item is None else (await items.find(reading, code=item)).id
        rows = await holds.page(reading, state=state, lot_id=lot_id, item_id=item_id, after=after, limit=limit)
    return [HoldView(**row._asdict()) for row in rows]


@dataclass(frozen=True, slots=True)
class HoldPage:
    """A hold, and what stands behind it. `placed_by` is a printed name; `deviation_state` None where there is none."""

    hold: HoldView
    placed_by: str
    deviation_state: str | None


async def show_hold(house: House, actor: Actor, *, hold: int) -> HoldPage:
    """A hold as it stands. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        row = await holds.one(reading, hold_id=hold)
        names = await colleagues.printed_names(reading, usernames=[row.placed_by])
        behind = None if row.deviation is None else (await deviations.find(reading, number=row.deviation)).state
    return HoldPage(HoldView(**row._asdict()), names.get(row.placed_by, row.placed_by), behind)
