"""Lots over HTTP."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.saying import said
from app.api.schemas import Body, Code, Line, Name
from app.domain.errors import BadInput
from app.domain.lots import LotState
from app.domain.text import Text
from app.services import lots
from app.services.lots import LotLine, MovedView, PlannedView, Version

router = APIRouter(prefix=f"{API}/lots", tags=["lots"])

VersionTag = Annotated[str | None, Header(alias="If-Match", max_length=40)]


class Named(Body):
    """A process or specification version."""

    name: Name
    version: Annotated[int, Field(ge=1, le=100_000)]


class NewLot(Body):
    """What is made, of which donation or bank, for whom: a person's code, or "self" for the donor.

    With a tier it is a bank lot: a master bank of a donation, or a working bank of a master bank.
    """

    process: Named
    specification: Named
    donation: Code | None = None
    bank: Code | None = None
    tier: Literal["master", "working"] | None = None
    recipient: Code | None = None


class Reason(Body):
    """Why."""

    reason: Line


class Rejection(Body):
    """The proof of identity of whoever rejects."""

    ceremony: UUID


@router.post("", status_code=201)
async def plan_lot(body: NewLot, house: HouseDep, call: CallDep) -> PlannedView:
    """Plan a preparation or a bank."""
    return await lots.plan_lot(
        house,
        call,
        process=Version(body.process.name, body.process.version),
        specification=Version(body.specification.name, body.specification.version),
        donation=body.donation,
        bank=body.bank,
        tier=body.tier,
        recipient=body.recipient,
    )


@router.get("")
async def list_lots(
    house: HouseDep,
    actor: ActorDep,
    state: LotState | None = None,
    after: Code | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[LotLine]:
    """Lots of cells, newest first."""
    return await lots.list_lots(house, actor, state=state, after=after, limit=limit)


@router.get("/{code}")
async def show_lot(code: Code, request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """A lot with its whole story; the ETag is its version."""
    view = await lots.show_lot(house, actor, code=code)
    answer: dict[str, Any] = said(request, view)
    return JSONResponse(answer, headers={"ETag": f'"{view.version}"', "Cache-Control": "no-store"})


@router.post("/{code}/submit")
async def submit(code: Code, house: HouseDep, call: CallDep, if_match: VersionTag = None) -> MovedView:
    """Put a finished lot before the quality authority."""
    return await lots.submit(house, call, lot=code, shown=_shown(if_match))


@router.post("/{code}/send-back")
async def send_back(code: Code, body: Reason, house: HouseDep, call: CallDep, if_match: VersionTag = None) -> MovedView:
    """Send a lot back to quarantine."""
    return await lots.send_back(house, call, lot=code, shown=_shown(if_match), reason=body.reason)


@router.post("/{code}/reject")
async def reject(code: Code, body: Rejection, house: HouseDep, call: CallDep) -> MovedView:
    """Reject a lot by signature."""
    return await lots.reject(house, call, lot=code, ceremony=body.ceremony)


@router.post("/{code}/recall")
async def recall(code: Code, body: Reason, house: HouseDep, call: CallDep, if_match: VersionTag = None) -> MovedView:
    """Recall a released lot."""
    return await lots.recall(house, call, lot=code, shown=_shown(if_match), reason=body.reason)


@router.post("/{code}/fail-after-release")
async def fail_after_release(
    code: Code, body: Reason, house: HouseDep, call: CallDep, if_match: VersionTag = None
) -> MovedView:
    """Declare that a conditionally released lot failed a result that came later."""
    return await lots.fail_after_release(house, call, lot=code, shown=_shown(if_match), reason=body.reason)


@router.post("/{code}/destroy")
async def destroy(code: Code, body: Reason, house: HouseDep, call: CallDep, if_match: VersionTag = None) -> MovedView:
    """Record that a lot was destroyed."""
    return await lots.destroy(house, call, lot=code, shown=_shown(if_match), reason=body.reason)


def _shown(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    tag = if_match.strip().removeprefix("W/").strip('"')
    if not (tag.isascii() and tag.isdigit()):
        raise BadInput(
            field="If-Match",
            what=Text("Nothing was done."),
            why=Text("The version that you saw cannot be read."),
            remedy=Text("Send the ETag as the lot's page gave it, or none."),
        )
    return int(tag)
