"""Cells at the end of production over HTTP: a lot's reports."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Day, Line, Name, Number, Prose
from app.services import production_ends
from app.services.production_ends import EndKept, EndReport, EndsView, EndTested

router = APIRouter(prefix=f"{API}/lots", tags=["studies"])
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Doublings = Annotated[Decimal, Field(gt=0, lt=1000, max_digits=8, allow_inf_nan=False)]


class EndTestReported(Body):
    """What the report says of one test."""

    test: Literal["tumorigenicity_in_vitro", "tumorigenicity_in_vivo", "karyotype", "adventitious_virus"]
    method: Line
    outcome: Literal["passed", "failed", "inconclusive"]
    found: Line


class NewProductionEnd(Body):
    """A report about cells of the lot that were grown on to so many doublings."""

    pdl_reached: Doublings
    laboratory: Name
    report_number: Name
    reported_on: Day
    file_name: Line
    file_sha256: Sha256
    tests: Annotated[tuple[EndTestReported, ...], Field(min_length=1, max_length=4)]
    replaces: Number | None = None
    why: Prose | None = None


@router.get("/{code}/production-ends")
async def read_production_ends(code: Code, house: HouseDep, actor: ActorDep) -> EndsView:
    """Reports about cells of the lot at the end of production."""
    return await production_ends.read_production_ends(house, actor, lot=code)


@router.post("/{code}/production-ends", status_code=201)
async def record_production_end(code: Code, body: NewProductionEnd, house: HouseDep, call: CallDep) -> EndKept:
    """Record a report."""
    tests = tuple(EndTested(**each.model_dump()) for each in body.tests)
    report = EndReport(**{**body.model_dump(), "tests": tests})
    return await production_ends.record_production_end(house, call, lot=code, report=report)
