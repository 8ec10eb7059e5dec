"""Why something is blocked, over HTTP."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.api.plumbing import API, ActorDep, HouseDep
from app.api.saying import said
from app.api.schemas import Code
from app.services import why

router = APIRouter(prefix=API, tags=["items"])


@router.get("/items/{code}/why")
async def read_why(code: Code, request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """Everything that stands against an item: holds, and each rule of the gate that it or its lot stands before."""
    found = await why.read_why(house, actor, code=code)
    return JSONResponse(said(request, found), headers={"Cache-Control": "no-store"})
