"""Waivers over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Moment, Name, Number, Prose
from app.services import waivers
from app.services.waivers import ApprovedView, ProposedView, WaiverView

router = APIRouter(prefix=API, tags=["waivers"])


class NewWaiver(Body):
    """Which rule, why it may be waived here, what makes up for it, and for how long."""

    rule: Name
    justification: Prose
    mitigations: Prose
    valid_from: Moment
    valid_to: Moment
    max_uses: Annotated[int, Field(ge=1, le=100)] = 1


class WaiverApproval(Body):
    """The proof of identity of whoever approves."""

    ceremony: UUID


@router.post("/lots/{code}/waivers", status_code=201)
@router.post("/material-lots/{code}/waivers", status_code=201)
@router.post("/donations/{code}/waivers", status_code=201)
async def propose_waiver(code: Code, body: NewWaiver, house: HouseDep, call: CallDep) -> ProposedView:
    """Propose a waiver for a lot, a material lot or a donation."""
    return await waivers.propose_waiver(
        house,
        call,
        lot=code,
        rule=body.rule,
        justification=body.justification,
        mitigations=body.mitigations,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
        max_uses=body.max_uses,
    )


@router.get("/lots/{code}/waivers")
@router.get("/material-lots/{code}/waivers")
@router.get("/donations/{code}/waivers")
async def list_waivers(code: Code, house: HouseDep, actor: ActorDep) -> list[WaiverView]:
    """The waivers of a lot, a material lot or a donation."""
    return await waivers.list_waivers(house, actor, lot=code)


@router.post("/waivers/{waiver}/approve")
async def approve_waiver(waiver: Number, body: WaiverApproval, house: HouseDep, call: CallDep) -> ApprovedView:
    """Approve a waiver by signature."""
    return await waivers.approve_waiver(house, call, waiver=waiver, ceremony=body.ceremony)
