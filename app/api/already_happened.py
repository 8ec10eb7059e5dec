"""The second door over HTTP."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, Field, StringConstraints

from app.api.plumbing import API, CallDep, HouseDep, SignedInDep
from app.api.schemas import Amount, Body, Line, Name, Prose
from app.db.happened import Account
from app.db.steps import MaterialUse
from app.domain.facts import Severity
from app.domain.happened import What
from app.domain.passages import Counts
from app.services import already_happened
from app.services.already_happened import HappenedView

router = APIRouter(prefix=f"{API}/already-happened", tags=["deviations"])

Made = Annotated[int, Field(ge=0, le=1000)]
AsSaid = Annotated[str, StringConstraints(max_length=512)]
"""A code or a name as it was read or typed, readable or not: what it names is found out, never demanded."""


class UsedAnyway(Body):
    """What was taken from a material container, as far as anybody knows."""

    container: AsSaid
    quantity: Amount | None = None
    unit: Name | None = None


class Happening(Body):
    """What has happened, in words and in facts as far as they are known. `account` is the prose.

    A code or a name that names nothing here is kept in words; the answer lists it as `unresolved`.
    """

    what: What
    account: Prose
    severity: Severity = Field(default=Severity.MAJOR, alias="class")
    occurred_at: AwareDatetime
    lot: AsSaid | None = None
    item: AsSaid | None = None
    ended_at: AwareDatetime | None = None
    performed_by: AsSaid | None = None
    verified_by: AsSaid | None = None
    workstation: AsSaid | None = None
    parents: Annotated[tuple[AsSaid, ...], Field(max_length=1000)] = ()
    materials: Annotated[tuple[UsedAnyway, ...], Field(max_length=100)] = ()
    viable_seeded: Amount | None = None
    viable_harvested: Amount | None = None
    dead_harvested: Amount | None = None
    flasks: Made = 0
    vials: Made = 0
    volume_ml: Amount | None = None
    viable_cells_per_vial: Amount | None = None
    place: AsSaid | None = None
    programme: Line | None = None


@router.post("", status_code=201)
async def record_already_happened(body: Happening, house: HouseDep, who: SignedInDep, call: CallDep) -> HappenedView:
    """Keep what has happened, hold what it touches, open a deviation. No rule and no code refuses it."""
    return await already_happened.record_already_happened(
        house,
        call,
        workstation_id=who.workstation_id,
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
            flasks=body.flasks,
            vials=body.vials,
            volume_ml=body.volume_ml,
            viable_cells_per_vial=body.viable_cells_per_vial,
            place=body.place,
            programme=body.programme,
        ),
    )
