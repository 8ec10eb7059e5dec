"""Donations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.saying import said
from app.api.schemas import Amount, Body, Code, Line, Moment, Name, Prose
from app.domain.facts import Eligibility
from app.services import donations
from app.services.donations import DonationLine

router = APIRouter(prefix=f"{API}/donations", tags=["donations"])


class NewDonation(Body):
    """A donation as it arrived."""

    donor: Code
    tissue: Name
    collected_at: Moment
    received_at: Moment
    din: Line | None = None
    volume_ml: Amount | None = None


class Determination(Body):
    """A decision on eligibility, and the proof of identity given for it."""

    decision: Eligibility
    reason: Prose
    valid_until: Moment | None = None
    ceremony: UUID


@router.post("", status_code=201)
async def receive_donation(request: Request, body: NewDonation, house: HouseDep, call: CallDep) -> JSONResponse:
    """Receive a donation into quarantine."""
    view = await donations.receive_donation(
        house,
        call,
        donor=body.donor,
        tissue=body.tissue,
        collected_at=body.collected_at,
        received_at=body.received_at,
        din=body.din,
        volume_ml=body.volume_ml,
    )
    return JSONResponse(said(request, view), 201)


@router.get("")
async def list_donations(
    house: HouseDep, actor: ActorDep, after: Code | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[DonationLine]:
    """Donations, newest first, after the donation of this code."""
    return await donations.list_donations(house, actor, after=after, limit=limit)


@router.get("/{code}")
async def read_donation(request: Request, code: Code, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """A donation, and every rule of the gate into processing as it stands now."""
    return JSONResponse(said(request, await donations.read_donation(house, actor, code=code)))


@router.post("/{code}/determination")
async def determine_eligibility(
    request: Request, code: Code, body: Determination, house: HouseDep, call: CallDep
) -> JSONResponse:
    """Determine by signature whether the donation is eligible."""
    view = await donations.determine_eligibility(
        house,
        call,
        code=code,
        decision=body.decision,
        reason=body.reason,
        valid_until=body.valid_until,
        ceremony=body.ceremony,
    )
    return JSONResponse(said(request, view))
