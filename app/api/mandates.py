"""Who answers for what, and what the facility may run, over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.api.accounts import Username
from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Line, Moment, Name, Number, Prose
from app.services import mandates
from app.services.mandates import AuthorisationContent, MandateKept, MandatesView

router = APIRouter(prefix=f"{API}/mandates", tags=["mandates"])


class NewAuthorisation(Body):
    """Which process version, whose facility, where, classified as what, and for how long."""

    process: Name
    version: Annotated[int, Field(ge=1, le=100_000)]
    owner: Line
    address: Line
    classification: Line
    valid_from: Moment | None = None
    valid_to: Moment


class NewResponsibility(Body):
    """Who answers for which level, for what, from when to when."""

    level: Literal["institution", "study", "facility"]
    username: Username
    duties: Prose
    from_at: Moment | None = None
    until_at: Moment | None = None


class MandateSigned(Body):
    """The proof of identity of whoever signs."""

    ceremony: UUID


@router.get("")
async def read_mandates(house: HouseDep, actor: ActorDep) -> MandatesView:
    """The levels with who answers now, every responsibility, and every authorisation."""
    return await mandates.read_mandates(house, actor)


@router.post("/authorisations", status_code=201)
async def propose_authorisation(body: NewAuthorisation, house: HouseDep, call: CallDep) -> MandateKept:
    """Propose that the facility may run a process version."""
    content = AuthorisationContent(
        process=body.process,
        version=body.version,
        owner=body.owner,
        address=body.address,
        classification=body.classification,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
    )
    return await mandates.propose_authorisation(house, call, content=content)


@router.post("/authorisations/{number}/sign")
async def authorise_process(number: Number, body: MandateSigned, house: HouseDep, call: CallDep) -> MandateKept:
    """Authorise it by signature."""
    return await mandates.authorise_process(house, call, number=number, ceremony=body.ceremony)


@router.post("/responsibilities", status_code=201)
async def propose_responsibility(body: NewResponsibility, house: HouseDep, call: CallDep) -> MandateKept:
    """Propose who answers for a level."""
    return await mandates.propose_responsibility(
        house,
        call,
        level=body.level,
        username=body.username,
        duties=body.duties,
        from_at=body.from_at,
        until_at=body.until_at,
    )


@router.post("/responsibilities/{number}/accept")
async def accept_responsibility(number: Number, body: MandateSigned, house: HouseDep, call: CallDep) -> MandateKept:
    """Accept one's own responsibility by signature."""
    return await mandates.accept_responsibility(house, call, number=number, ceremony=body.ceremony)


@router.post("/responsibilities/{number}/end")
async def end_responsibility(number: Number, house: HouseDep, call: CallDep) -> MandateKept:
    """Record that it has ended."""
    return await mandates.end_responsibility(house, call, number=number)
