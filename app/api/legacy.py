"""Legacy dossiers over HTTP: original papers from before the guideline, and for which rules they are accepted."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Day, Line, Moment, Name, Number, Prose
from app.services import legacy
from app.services.legacy import (
    Content,
    LegacyAcceptedView,
    LegacyProposedView,
    LegacyView,
    LegacyWithdrawnView,
    Paper,
)

router = APIRouter(prefix=f"{API}/legacy-dossiers", tags=["legacy dossiers"])

DossierNumber = Annotated[str, StringConstraints(pattern=r"^LD-\d{2}-\d{4,12}$")]


class NewPaper(Body):
    """An original paper, its day, and its scan by name and SHA-256."""

    title: Line
    dated: Day
    file_name: Line
    file_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    pages: Annotated[int, Field(ge=1, le=10_000)]


class NewLegacy(Body):
    """About which donor or lot, which papers, for which rules and why, and for how long."""

    item: Code
    papers: Annotated[tuple[NewPaper, ...], Field(min_length=1, max_length=50)]
    rules: Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)]
    reasons: Prose
    valid_from: Moment | None = None
    valid_to: Moment


class LegacyAcceptance(Body):
    """The proof of identity of whoever accepts."""

    ceremony: UUID


class LegacyWithdrawal(Body):
    """Why the papers show nothing any more."""

    reasons: Prose


@router.get("")
async def list_legacy(
    house: HouseDep,
    actor: ActorDep,
    item: Annotated[str | None, Query(max_length=64)] = None,
    after: Annotated[int | None, Query(ge=1, le=9_223_372_036_854_775_807)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[LegacyView]:
    """Legacy dossiers, the last proposed first; about one donor or lot, or about all."""
    return await legacy.list_legacy(house, actor, item=item, after=after, limit=limit)


@router.post("", status_code=201)
async def propose_legacy(body: NewLegacy, house: HouseDep, call: CallDep) -> LegacyProposedView:
    """File papers and propose for which rules they are accepted."""
    content = Content(
        papers=tuple(Paper(**each.model_dump()) for each in body.papers),
        rules=body.rules,
        reasons=body.reasons,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
    )
    return await legacy.propose_legacy(house, call, item=body.item, content=content)


@router.get("/{number}")
async def read_legacy(number: DossierNumber, house: HouseDep, actor: ActorDep) -> LegacyView:
    """One legacy dossier."""
    return await legacy.read_legacy(house, actor, number=number)


@router.post("/{dossier}/accept")
async def accept_legacy(dossier: Number, body: LegacyAcceptance, house: HouseDep, call: CallDep) -> LegacyAcceptedView:
    """Accept papers by signature; they count from then on."""
    return await legacy.accept_legacy(house, call, dossier=dossier, ceremony=body.ceremony)


@router.post("/{dossier}/withdrawal", status_code=201)
async def withdraw_legacy(
    dossier: Number, body: LegacyWithdrawal, house: HouseDep, call: CallDep
) -> LegacyWithdrawnView:
    """Withdraw papers; from then on no gate takes them."""
    return await legacy.withdraw_legacy(house, call, dossier=dossier, reasons=body.reasons)
