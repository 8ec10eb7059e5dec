"""The rule book over HTTP."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.api.plumbing import ActorDep, HouseDep
from app.api.saying import said
from app.services import rules

router = APIRouter(prefix="/rules", tags=["rules"])


@router.get("")
async def read_rules(request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """Every rule: title, citations with their standing, gates, who may waive, counterexamples."""
    return JSONResponse(said(request, await rules.read_rules(house, actor)))
