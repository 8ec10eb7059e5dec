"""The second door over HTTP."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from app.api.plumbing import CallDep, HouseDep
from app.api.schemas import Amount, Body, Code, Line, Moment, Name, Prose
from app.db.steps import MaterialUse
from app.domain.facts import Severity
from app.domain.passages import Counts
from app.services import already_happened
from app.services.already_happened import Account, HappenedView, What

router = APIRouter(prefix="/already-happened", tags=["deviations"])

Made = Annotated[int, Field(ge=0, le=1000)]


class UsedAnyway(Body):
    """What was taken from a material container, as far as anybody knows."""

    container: Code
    quantity: Amount | None = None
    unit: Name | None = None


class Happening(Body):
    """What has happened, in words and in facts as far as they are known. `account` is the prose."""

    what: What
    account: Prose
    severity: Severity = Field(default=Severity.MAJOR, alias="class")
    occurred_at: Moment
    lot: Code | None = None
    item: Code | None = None
    ended_at: Moment | None = None
    performed_by: Name | None = None
    verified_by: Name | None = None
    workstation: Code | None = None
    parents: Annotated[tuple[Code, ...], Field(max_length=1000)] = ()
    materials: Annotated[tuple[UsedAnyway, ...], Field(max_length=100)] = ()
    viable_seeded: Amount | None = None
    viable_harvested: Amount | None = None
    dead_harvested: Amount | None = None
    flasks: Made = 0
    vials: Made = 0
    volume_ml: Amount | None = None
    viable_cells_per_vial: Amount | None = None
    place: Code | None = None
    programme: Line | None = None


@router.post("", status_code=201)
async def record_already_happened(body: Happening, house: HouseDep, call: CallDep) -> HappenedView:
    """Keep what has happened, hold what it touches, open a deviation. No rule refuses it."""
    return await already_happened.record_already_happened(
        house,
        call,
        account=Account(
            what=body.what,
            said=body.account,
            severity=body.severity,
            occurred_at=body.occurred_at,
            lot=body.lot,
            item=body.item,
            ended_at=body.ended_at,
            performed_by=body.performed_by,
            verified_by=body.verified_by,
            workstation=body.workstation,
            parents=body.parents,
            materials=tuple(MaterialUse(each.container, each.quantity, each.unit) for each in body.materials),
            counts=Counts(body.viable_seeded, body.viable_harvested, body.dead_harvested),
            containers_made=body.vials if body.what is What.FILL else body.flasks,
            volume_ml=body.volume_ml,
            viable_cells_per_vial=body.viable_cells_per_vial,
            place=body.place,
            programme=body.programme,
        ),
    )
