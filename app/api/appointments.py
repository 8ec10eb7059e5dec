"""Appointing the quality authority over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Day, Line, Moment, Name
from app.db.appointments import Stint
from app.services import appointments
from app.services.appointments import AppointmentsView, AppointmentView, ProposalView, TitleLevel

router = APIRouter(prefix=f"{API}/appointments", tags=["appointments"])

Number = Annotated[int, Path(ge=1, lt=2**63)]


class Experience(Body):
    """A time spent in a post. Time without evidence does not count."""

    employer: Name
    position: Name
    domain: Name
    from_on: Day
    to_on: Day | None = None
    evidence: Line | None = None


class Proposal(Body):
    """Whom to appoint, on what title and experience, from when."""

    account: Name
    title_level: TitleLevel
    title_certificate: Line
    certificate_valid_until: Day | None = None
    from_at: Moment | None = None
    until_at: Moment | None = None
    experience: tuple[Experience, ...]


class Signed(Body):
    """The proof of identity given for this signature."""

    ceremony: UUID


@router.get("")
async def list_appointments(house: HouseDep, actor: ActorDep) -> AppointmentsView:
    """Who is and was appointed, and what is proposed."""
    return await appointments.list_appointments(house, actor)


@router.post("/proposals", status_code=201)
async def propose_appointment(body: Proposal, house: HouseDep, call: CallDep) -> ProposalView:
    """Propose somebody as quality authority."""
    return await appointments.propose_appointment(
        house,
        call,
        account=body.account,
        title_level=body.title_level,
        title_certificate=body.title_certificate,
        certificate_valid_until=body.certificate_valid_until,
        from_at=body.from_at,
        until_at=body.until_at,
        experience=[Stint(**each.model_dump()) for each in body.experience],
    )


@router.post("/proposals/{proposal}/support")
async def support_appointment(proposal: Number, body: Signed, house: HouseDep, call: CallDep) -> ProposalView:
    """Sign for a proposal; the second signature appoints."""
    return await appointments.support_appointment(house, call, proposal=proposal, ceremony=body.ceremony)


@router.post("/{appointment}/revoke")
async def revoke_appointment(appointment: Number, body: Signed, house: HouseDep, call: CallDep) -> AppointmentView:
    """End an appointment now."""
    return await appointments.revoke_appointment(house, call, appointment=appointment, ceremony=body.ceremony)
