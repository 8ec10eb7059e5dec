"""Specification versions over HTTP."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Moment, Name
from app.domain.facts import LineKind
from app.services import specifications
from app.services.specifications import SpecificationLine, SpecificationVersion

router = APIRouter(prefix=f"{API}/specifications", tags=["specifications"])

Limit = Annotated[Decimal, Field(ge=Decimal("-1e18"), le=Decimal("1e18"), max_digits=24, allow_inf_nan=False)]


class NewLine(Body):
    """One test of a specification."""

    test: Name
    method: Name
    kind: LineKind
    low: Limit | None = None
    high: Limit | None = None
    unit: Name | None = None
    expected: Name | None = None
    safety: bool
    required: bool


class NewSpecification(Body):
    """A specification version."""

    name: Name
    version: Annotated[int, Field(ge=1, le=9999)]
    effective_from: Moment
    lines: Annotated[list[NewLine], Field(min_length=1, max_length=100)]


@router.post("", status_code=201)
async def define_specification(body: NewSpecification, house: HouseDep, call: CallDep) -> SpecificationVersion:
    """Define a specification version."""
    return await specifications.define_specification(
        house,
        call,
        specification=SpecificationVersion(
            name=body.name,
            version=body.version,
            effective_from=body.effective_from,
            lines=tuple(SpecificationLine(**line.model_dump()) for line in body.lines),
        ),
    )


@router.get("")
async def list_specifications(
    house: HouseDep,
    actor: ActorDep,
    after: Name | None = None,
    after_version: Annotated[int, Query(ge=0, le=9999)] = 9999,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[SpecificationVersion]:
    """Specification versions by name and version, after the name and version given."""
    return await specifications.list_specifications(
        house, actor, after=None if after is None else (after, after_version), limit=limit
    )
