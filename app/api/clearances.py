"""Line clearances over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from app.api.plumbing import API, CallDep, HouseDep
from app.api.schemas import Body, Code, Name
from app.services import clearances
from app.services.clearances import ClearanceView

router = APIRouter(prefix=f"{API}/workstations", tags=["steps"])


class Clearance(Body):
    """What was checked, each found in order or not."""

    lot: Code
    phase: Literal["before", "after"]
    checks: Annotated[dict[Name, bool], Field(max_length=40)]


@router.post("/{code}/clearances", status_code=201)
async def clear_line(code: Code, body: Clearance, house: HouseDep, call: CallDep) -> ClearanceView:
    """Clear a line before or after a lot's cells are handled there."""
    return await clearances.clear_line(
        house,
        call,
        workstation=code,
        lot=body.lot,
        phase=body.phase,
        checks=body.checks,
    )
