"""Permits for human genetic resources over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Day, Line, Moment, Name, Prose
from app.services import permits
from app.services.permits import PermitRecordedView, PermitView

router = APIRouter(prefix=f"{API}/permits", tags=["donors"])


class NewPermit(Body):
    """A permit as the authority gave it; `evidence` says where its original is kept."""

    number: Name
    authority: Line
    purposes: Annotated[frozenset[Literal["banking", "third_party"]], Field(min_length=1)]
    scope: Prose
    valid_from: Day
    valid_to: Day | None = None
    evidence: Line


class PermitWithdrawal(Body):
    """Which permit the authority took back, and when."""

    number: Name
    withdrawn_at: Moment


@router.get("")
async def list_permits(house: HouseDep, actor: ActorDep) -> list[PermitView]:
    """Permits, the last recorded first."""
    return await permits.list_permits(house, actor)


@router.post("", status_code=201)
async def record_permit(body: NewPermit, house: HouseDep, call: CallDep) -> PermitRecordedView:
    """Record a permit."""
    return await permits.record_permit(house, call, **{**body.model_dump(), "purposes": sorted(body.purposes)})


@router.post("/withdrawal")
async def withdraw_permit(body: PermitWithdrawal, house: HouseDep, call: CallDep) -> PermitRecordedView:
    """Record that an authority took a permit back."""
    return await permits.withdraw_permit(house, call, number=body.number, withdrawn_at=body.withdrawn_at)
