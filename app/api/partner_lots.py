"""Lots that partners make, over HTTP."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Amount, Body, Code, Line, Moment, Name
from app.db.steps import MaterialUse
from app.domain.facts import StepKind
from app.domain.passages import Counts
from app.services import partner_lots
from app.services.partner_lots import MakerKeptView, MakingView, Paper, PartnerStepView, StepTold, Told

router = APIRouter(prefix=API, tags=["lots"])

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class MakerNamed(Body):
    """Which partner makes a lot, under which number there, by which process version as its papers call it."""

    partner: Name
    lot_number: Name
    process: Name


class NewPaper(Body):
    """A partner's signed paper. What a release states of the partner's own house stands in `covers`."""

    kind: Literal["batch_record", "analysis", "release"]
    reference: Name
    conforms: bool
    covers: Annotated[
        tuple[Literal["equipment", "clean_area", "training", "deviations"], ...], Field(max_length=4)
    ] = ()
    signed_by: Name
    signed_at: Moment
    file_name: Line
    file_sha256: Sha256


class MaterialTold(Body):
    """What the partner took from one material container, as it is registered here."""

    container: Code
    quantity: Amount
    unit: Name


class PartnerStep(Body):
    """A step out of the partner's batch record: who made it, who verified it, and on which page it stands."""

    kind: Literal["isolation", "passage", "fill", "cryopreservation"]
    started_at: Moment
    ended_at: Moment
    performed_by: Name
    verified_by: Name | None = None
    verified_at: Moment | None = None
    workstation: Name | None = None
    one_donor: bool | None = None
    cleared_by: Name | None = None
    cleared_at: Moment | None = None
    clearance_verified_by: Name | None = None
    clearance_verified_at: Moment | None = None
    page: Name
    viable_seeded: Amount | None = None
    viable_harvested: Amount | None = None
    dead_harvested: Amount | None = None
    materials: Annotated[tuple[MaterialTold, ...], Field(max_length=200)] = ()
    vials: Annotated[int, Field(ge=0, le=1000)] = 0
    volume_ml: Annotated[Decimal, Field(gt=0, lt=Decimal("1e6"), max_digits=12, allow_inf_nan=False)] | None = None
    viable_cells_per_vial: Amount | None = None
    place: Code | None = None


@router.get("/lots/{code}/maker")
async def read_making(code: Code, house: HouseDep, actor: ActorDep) -> MakingView:
    """Which partner made the lot, with its papers and its steps."""
    return await partner_lots.read_making(house, actor, lot=code)


@router.post("/lots/{code}/maker", status_code=201)
async def name_maker(code: Code, body: MakerNamed, house: HouseDep, call: CallDep) -> MakerKeptView:
    """Say that a partner makes the lot, before its work begins."""
    return await partner_lots.name_maker(house, call, lot=code, **body.model_dump())


@router.post("/lots/{code}/maker/papers", status_code=201)
async def record_paper(code: Code, body: NewPaper, house: HouseDep, call: CallDep) -> MakerKeptView:
    """Record a partner's paper about the lot."""
    return await partner_lots.record_paper(house, call, lot=code, paper=Paper(**body.model_dump()))


@router.post("/lots/{code}/maker/steps", status_code=201)
async def record_step(code: Code, body: PartnerStep, house: HouseDep, call: CallDep) -> PartnerStepView:
    """Enter a step out of the partner's batch record."""
    told = Told(**body.model_dump(include=set(Told.__dataclass_fields__)))
    step = StepTold(
        kind=StepKind(body.kind),
        started_at=body.started_at,
        ended_at=body.ended_at,
        counts=Counts(body.viable_seeded, body.viable_harvested, body.dead_harvested),
        materials=tuple(MaterialUse(each.container, each.quantity, each.unit) for each in body.materials),
        vials=body.vials,
        volume_ml=body.volume_ml,
        viable_cells_per_vial=body.viable_cells_per_vial,
        place=body.place,
        told=told,
    )
    return await partner_lots.record_step(house, call, lot=code, step=step)
