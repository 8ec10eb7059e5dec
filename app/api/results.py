"""QC results over HTTP."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.api.plumbing import API, CallDep, HouseDep
from app.api.schemas import Body, Code, Line, Moment, Name, Number, Prose
from app.domain.facts import Decision
from app.services import results
from app.services.results import InvalidationView, ResultView, ReviewsView, ReviewView

router = APIRouter(prefix=API, tags=["results"])

Measured = Annotated[Decimal, Field(max_digits=30, allow_inf_nan=False)]


class NewResult(Body):
    """A measured value: a number for a quantitative test, words such as "no growth" for a qualitative one.

    `paper` is the reference of the partner's paper from which it was read, where it was not measured here.
    """

    test: Name
    value: Measured | Line
    unit: Name | None = None
    method_version: Name
    instrument: Name | None = None
    measured_at: Moment
    paper: Name | None = None


class Review(Body):
    """What the reviewer decided, with the proof of identity."""

    decision: Decision
    remarks: Prose = "-"
    ceremony: UUID


class Invalidation(Body):
    """Which investigation set the result aside, and why."""

    deviation: Name
    reason: Prose


@router.post("/samples/{code}/results", status_code=201)
async def record_result(code: Code, body: NewResult, house: HouseDep, call: CallDep) -> ResultView:
    """Record a result."""
    return await results.record_result(
        house,
        call,
        sample=code,
        test=body.test,
        value=body.value,
        unit=body.unit,
        method_version=body.method_version,
        instrument=body.instrument,
        measured_at=body.measured_at,
        paper=body.paper,
    )


@router.post("/results/{result}/review", status_code=201)
async def review_result(result: Number, body: Review, house: HouseDep, call: CallDep) -> ReviewView:
    """Accept or return a result, signed."""
    return await results.review_result(
        house, call, result=result, decision=body.decision, remarks=body.remarks, ceremony=body.ceremony
    )


@router.post("/lots/{code}/results/review", status_code=201)
async def review_results(code: Code, body: Review, house: HouseDep, call: CallDep) -> ReviewsView:
    """Accept or return every result of the lot that waits for review, under one signature."""
    return await results.review_results(
        house, call, lot=code, decision=body.decision, remarks=body.remarks, ceremony=body.ceremony
    )


@router.post("/results/{result}/invalidate", status_code=201)
async def invalidate_result(result: Number, body: Invalidation, house: HouseDep, call: CallDep) -> InvalidationView:
    """Set a result aside under a closed investigation."""
    return await results.invalidate_result(house, call, result=result, deviation=body.deviation, reason=body.reason)
