"""Holds over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Line, Name, Number
from app.services import holds
from app.services.holds import HoldPage, HoldView, LiftedView, PlacedView

router = APIRouter(prefix=f"{API}/holds", tags=["holds"])


class NewHold(Body):
    """What is held, and why: in words, or by the code of a reason picked at the bench."""

    item: Code
    reason: Line | None = None
    picked: Name | None = None
    deviation: Name | None = None


class Lifting(Body):
    """The proof of identity of whoever lifts it."""

    ceremony: UUID


@router.post("", status_code=201)
async def place_hold(body: NewHold, house: HouseDep, call: CallDep) -> PlacedView:
    """Place a hold."""
    return await holds.place_hold(
        house, call, item=body.item, reason=body.reason, deviation=body.deviation, picked=body.picked
    )


@router.post("/{hold}/lift")
async def lift_hold(hold: Number, body: Lifting, house: HouseDep, call: CallDep) -> LiftedView:
    """Lift a hold by signature."""
    return await holds.lift_hold(house, call, hold=hold, ceremony=body.ceremony)


@router.get("")
async def list_holds(
    house: HouseDep,
    actor: ActorDep,
    state: Literal["open", "lifted"] | None = None,
    lot: Code | None = None,
    after: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[HoldView]:
    """Holds, newest first."""
    return await holds.list_holds(house, actor, state=state, lot=lot, after=after, limit=limit)


@router.get("/{hold}")
async def show_hold(hold: Number, house: HouseDep, actor: ActorDep) -> HoldPage:
    """A hold as it stands."""
    return await holds.show_hold(house, actor, hold=hold)
