"""The steps of a preparation's life over HTTP."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from app.api.plumbing import API, CallDep, HouseDep
from app.api.schemas import Amount, Body, Code, Line, Moment, Name
from app.db.steps import MaterialUse
from app.domain.passages import Counts
from app.services import steps
from app.services.steps import Bench, StepView

router = APIRouter(prefix=f"{API}/lots", tags=["steps"])

Flasks = Annotated[int, Field(ge=1, le=200)]
Vials = Annotated[int, Field(ge=1, le=1000)]
Codes = Annotated[tuple[Code, ...], Field(max_length=1000)]


class Used(Body):
    """What was taken from one material container, with its unit."""

    container: Code
    quantity: Amount
    unit: Name


class Step(Body):
    """What every step states. Times are those of the bench, first touch to last; `counter` is what counted the cells."""

    workstation: Code
    materials: Annotated[tuple[Used, ...], Field(max_length=100)] = ()
    started_at: Moment
    ended_at: Moment
    counter: Code | None = None

    def bench(self, *, parents: tuple[str, ...] = ()) -> Bench:
        """The same for the service."""
        return Bench(
            workstation=self.workstation,
            parents=parents,
            materials=tuple(MaterialUse(each.container, each.quantity, each.unit) for each in self.materials),
            started_at=self.started_at,
            ended_at=self.ended_at,
            counter=self.counter,
        )


class Isolation(Step):
    """The primary culture: cells counted after isolation, and how many flasks they were seeded into."""

    viable: Amount
    dead: Amount
    flasks: Flasks
    p0_pd_estimated: Amount | None = None


class Passage(Step):
    """A passage from seeding to harvest. Vessels that were pooled are summed."""

    parents: Codes
    viable_seeded: Amount
    viable_harvested: Amount
    dead_harvested: Amount
    flasks: Flasks


class Thaw(Step):
    """Vials of a bank thawed: what was counted after it, and how many flasks the cells were seeded into."""

    parents: Codes
    viable: Amount
    dead: Amount
    flasks: Flasks


class Fill(Step):
    """The final harvest, filled."""

    parents: Codes
    viable_harvested: Amount
    dead_harvested: Amount
    vials: Vials
    volume_ml: Amount
    viable_cells_per_vial: Amount


class Cryopreservation(Body):
    """Freezing: `frozen_at` is when the programme ended. Without `vials`, every filled vial of the lot."""

    vials: Codes = ()
    place: Code
    programme: Line
    started_at: Moment
    frozen_at: Moment


@router.post("/{code}/isolation", status_code=201)
async def isolate(code: Code, body: Isolation, house: HouseDep, call: CallDep) -> StepView:
    """Record the isolation, from donation to primary culture."""
    return await steps.isolate(
        house,
        call,
        lot=code,
        bench=body.bench(),
        counts=Counts(viable_harvested=body.viable, dead_harvested=body.dead),
        flasks=body.flasks,
        p0_pd_estimated=body.p0_pd_estimated,
    )


@router.post("/{code}/thaw", status_code=201)
async def thaw(code: Code, body: Thaw, house: HouseDep, call: CallDep) -> StepView:
    """Record the thaw of vials that were withdrawn for this lot."""
    return await steps.thaw(
        house,
        call,
        lot=code,
        bench=body.bench(parents=body.parents),
        counts=Counts(viable_harvested=body.viable, dead_harvested=body.dead),
        flasks=body.flasks,
    )


@router.post("/{code}/passages", status_code=201)
async def passage(code: Code, body: Passage, house: HouseDep, call: CallDep) -> StepView:
    """Record a passage."""
    return await steps.passage(
        house,
        call,
        lot=code,
        bench=body.bench(parents=body.parents),
        counts=Counts(body.viable_seeded, body.viable_harvested, body.dead_harvested),
        flasks=body.flasks,
    )


@router.post("/{code}/fill", status_code=201)
async def fill(code: Code, body: Fill, house: HouseDep, call: CallDep) -> StepView:
    """Record the fill into labelled vials."""
    return await steps.fill(
        house,
        call,
        lot=code,
        bench=body.bench(parents=body.parents),
        counts=Counts(viable_harvested=body.viable_harvested, dead_harvested=body.dead_harvested),
        vials=body.vials,
        volume_ml=body.volume_ml,
        viable_cells_per_vial=body.viable_cells_per_vial,
    )


@router.post("/{code}/cryopreservation", status_code=201)
async def cryopreserve(code: Code, body: Cryopreservation, house: HouseDep, call: CallDep) -> StepView:
    """Record the freezing of the vials; from here the lot is in quarantine."""
    return await steps.cryopreserve(
        house,
        call,
        lot=code,
        bench=Bench(
            workstation=None,
            parents=body.vials,
            materials=(),
            started_at=body.started_at,
            ended_at=body.frozen_at,
        ),
        place=body.place,
        programme=body.programme,
        ended="frozen_at",
    )
