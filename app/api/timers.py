"""Timers at the bench over HTTP."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Name, Number
from app.services import timers
from app.services.timers import TimerView

router = APIRouter(prefix=f"{API}/timers", tags=["bench"])


class NewTimer(Body):
    """At which workstation, what for, and how long."""

    workstation: Code
    name: Name
    minutes: Annotated[Decimal, Field(gt=0, max_digits=8, allow_inf_nan=False)]


@router.post("", status_code=201)
async def start_timer(body: NewTimer, house: HouseDep, call: CallDep) -> TimerView:
    """Start a timer."""
    return await timers.start_timer(house, call, workstation=body.workstation, name=body.name, minutes=body.minutes)


@router.get("")
async def list_timers(house: HouseDep, actor: ActorDep, workstation: Annotated[Code, Query()]) -> list[TimerView]:
    """The timers of a workstation that nobody ended."""
    return list(await timers.list_timers(house, actor, workstation=workstation))


@router.post("/{timer}/end")
async def end_timer(timer: Number, house: HouseDep, call: CallDep) -> TimerView:
    """Stop a timer, or say that its alarm was heard."""
    return await timers.end_timer(house, call, timer=timer)
