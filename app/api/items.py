"""Items over HTTP: by our own code in the path, by any scanned text as `raw`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from app.api.plumbing import API, ActorDep, HouseDep
from app.api.saying import said
from app.api.schemas import Code
from app.db.trace import Direction
from app.services import items

router = APIRouter(prefix=f"{API}/items", tags=["items"])


@router.get("")
async def find_item(
    request: Request, house: HouseDep, actor: ActorDep, raw: Annotated[str, Query(max_length=512)]
) -> JSONResponse:
    """The item behind any scanned or typed text."""
    return JSONResponse(said(request, await items.read_item(house, actor, raw=raw)))


@router.get("/{code}")
async def read_item(request: Request, code: str, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """What an item is, where it is, what stands against it."""
    return JSONResponse(said(request, await items.read_item(house, actor, raw=code)))


@router.get("/{code}/trace")
async def trace_item(
    request: Request, code: Code, house: HouseDep, actor: ActorDep, direction: Direction
) -> JSONResponse:
    """Where an item came from, or what became of it."""
    return JSONResponse(said(request, await items.trace_item(house, actor, code=code, direction=direction)))
