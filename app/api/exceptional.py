"""Lots out of specification that a treating physician asks for, over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Day, Line, Name, Number, Prose
from app.services import exceptional
from app.services.exceptional import Asking, RequestKeptView, RequestsView

router = APIRouter(prefix=API, tags=["lots"])


class NewRequest(Body):
    """Why the lot is asked for, the risks as they were weighed, and the ethics committee's decision."""

    reasons: Prose
    risk_evaluation: Prose
    risk_file_name: Line
    risk_file_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    committee: Name
    committee_decision: Literal["approved", "refused"]
    committee_decided_on: Day
    committee_reference: Name


class Decision(Body):
    """The proof of identity of whoever decides."""

    ceremony: UUID


@router.get("/lots/{code}/exceptional-requests")
async def read_requests(code: Code, house: HouseDep, actor: ActorDep) -> RequestsView:
    """Every request about the lot, the last first."""
    return await exceptional.read_requests(house, actor, lot=code)


@router.post("/lots/{code}/exceptional-requests", status_code=201)
async def ask_for(code: Code, body: NewRequest, house: HouseDep, call: CallDep) -> RequestKeptView:
    """Record a treating physician's request for a lot that is out of specification."""
    return await exceptional.ask_for(house, call, lot=code, asking=Asking(**body.model_dump()))


@router.post("/exceptional-requests/{request}/decision")
async def decide(request: Number, body: Decision, house: HouseDep, call: CallDep) -> RequestKeptView:
    """Sign what becomes of a request; no release."""
    return await exceptional.decide(house, call, request=request, ceremony=body.ceremony)
