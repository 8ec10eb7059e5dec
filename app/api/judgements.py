"""Judgements as they were kept, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from app.api.plumbing import API, ActorDep, HouseDep
from app.api.saying import said
from app.api.schemas import Code, Number
from app.services import judgements
from app.services.judgements import JudgementLine

router = APIRouter(prefix=f"{API}/judgements", tags=["rules"])


@router.get("")
async def list_judgements(
    item: Code,
    house: HouseDep,
    actor: ActorDep,
    after: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[JudgementLine]:
    """What was judged of a lot, a donation, a material lot or a vial and kept, newest first."""
    return await judgements.list_judgements(house, actor, item=item, after=after, limit=limit)


@router.get("/{number}")
async def read_judgement(number: Number, request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """A judgement as it was kept, with the words of the rule book of that day."""
    found = await judgements.read_judgement(house, actor, number=number)
    return JSONResponse(said(request, found), headers={"Cache-Control": "no-store"})


@router.get("/{number}/dossier")
async def read_judged(number: Number, house: HouseDep, actor: ActorDep) -> Response:
    """The very bytes that were judged: their SHA-256 is the digest."""
    found = await judgements.read_judged(house, actor, number=number)
    return Response(
        found,
        media_type="application/json",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="judgement-{number}.json"',
        },
    )
