"""Samples and retains over HTTP."""

from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from app.api.plumbing import API, CallDep, HouseDep
from app.api.schemas import Amount, Body, Code, Line, Moment, Name
from app.services import samples
from app.services.samples import TakenView

router = APIRouter(prefix=f"{API}/lots", tags=["samples"])


class NewRetain(Body):
    """A retain: of what kind, from what, how much, and where it is kept."""

    kind: Literal["starting_material", "final_product"]
    source: Code = Field(alias="from")
    quantity: Amount
    unit: Name
    place: Name
    taken_at: Moment | None = None


class NewSample(Body):
    """A QC sample: from what, and for what."""

    source: Code = Field(alias="from")
    purpose: Line
    taken_at: Moment | None = None


@router.post("/{code}/retains", status_code=201)
async def take_retain(code: Code, body: NewRetain, house: HouseDep, call: CallDep) -> TakenView:
    """Keep a retain of the lot or of its donation."""
    return await samples.take_retain(
        house,
        call,
        lot=code,
        source=body.source,
        kind=body.kind,
        quantity=body.quantity,
        unit=body.unit,
        place=body.place,
        taken_at=body.taken_at,
    )


@router.post("/{code}/samples", status_code=201)
async def take_sample(code: Code, body: NewSample, house: HouseDep, call: CallDep) -> TakenView:
    """Take a QC sample of the lot."""
    return await samples.take_sample(
        house, call, lot=code, source=body.source, purpose=body.purpose, taken_at=body.taken_at
    )
