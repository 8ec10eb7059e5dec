"""Release weather over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from app.api.plumbing import API, ActorDep, HouseDep
from app.api.saying import said
from app.api.schemas import Code
from app.services import weather

router = APIRouter(prefix=f"{API}/lots", tags=["lots"])
Day = Annotated[date | None, Query(description="the planned harvest or release day; without it, as the process tells")]


@router.get("/{code}/weather")
async def read_weather(code: Code, request: Request, house: HouseDep, actor: ActorDep, on: Day = None) -> JSONResponse:
    """What would keep the lot from going on, on its planned day: what ends by then, and which rules turn."""
    found = await weather.read_weather(house, actor, code=code, on=on)
    return JSONResponse(said(request, found), headers={"Cache-Control": "no-store"})
