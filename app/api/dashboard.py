"""What laboratory dashboards read over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from app.api.plumbing import API, ActorDep, HouseDep
from app.api.saying import said
from app.api.schemas import Code
from app.requests import WatchingDep
from app.services import dashboard

router = APIRouter(prefix=f"{API}/dashboard", tags=["dashboard"])


@router.get("")
async def read_dashboard(request: Request, house: HouseDep, who: WatchingDep) -> JSONResponse:
    """What waits for whom, what blocks, what expires within 30 days, and what was refused, all at one moment."""
    return JSONResponse(said(request, await dashboard.show(house, who.actor)))


@router.get("/lots")
async def read_lots_by_state(house: HouseDep, actor: ActorDep) -> list[dashboard.StateCount]:
    """Lots by kind and state."""
    return list(await dashboard.lots_by_state(house, actor))


@router.get("/blocked")
async def read_blocked(
    request: Request,
    house: HouseDep,
    actor: ActorDep,
    after: Code | None = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> JSONResponse:
    """Lots before the release gate, each with every rule that keeps it there, the problem and the remedy."""
    return JSONResponse(said(request, await dashboard.blocked_releases(house, actor, after=after, limit=limit)))
