"""Deviations over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Name, Prose
from app.domain.facts import Severity
from app.services import deviations
from app.services.deviations import AssessedView, ClosedView, DeviationPage, DeviationView, OpenedView

router = APIRouter(prefix=f"{API}/deviations", tags=["deviations"])


class NewDeviation(Body):
    """What departed from the approved way, on which item, and how grave it looks."""

    item: Code
    what: Prose
    severity: Severity = Field(alias="class")
    rules: Annotated[tuple[Name, ...], Field(max_length=50)] = ()


class Assessment(Body):
    """What happened to the cells, and why. It stands in the record before anybody signs."""

    assessment: Prose


class Closing(Body):
    """The proof of identity whose statement is the impact."""

    ceremony: UUID


@router.post("", status_code=201)
async def open_deviation(body: NewDeviation, house: HouseDep, call: CallDep) -> OpenedView:
    """Open a deviation."""
    return await deviations.open_deviation(
        house, call, item=body.item, what=body.what, severity=body.severity, rules=body.rules
    )


@router.post("/{number}/assessment")
async def assess_deviation(number: Name, body: Assessment, house: HouseDep, call: CallDep) -> AssessedView:
    """State the assessment, which the closing signature then covers."""
    return await deviations.assess_deviation(house, call, number=number, assessment=body.assessment)


@router.post("/{number}/close")
async def close_deviation(number: Name, body: Closing, house: HouseDep, call: CallDep) -> ClosedView:
    """Close a deviation with the impact that was signed."""
    return await deviations.close_deviation(house, call, number=number, ceremony=body.ceremony)


@router.get("")
async def list_deviations(
    house: HouseDep,
    actor: ActorDep,
    state: Literal["open", "closed"] | None = None,
    severity: Annotated[Severity | None, Query(alias="class")] = None,
    lot: Code | None = None,
    item: Code | None = None,
    q: Name | None = None,
    after: Name | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[DeviationView]:
    """Deviations, newest first."""
    return await deviations.list_deviations(
        house, actor, state=state, lot=lot, after=after, limit=limit, severity=severity, item=item, sought=q
    )


@router.get("/{number}")
async def show_deviation(number: Name, house: HouseDep, actor: ActorDep) -> DeviationPage:
    """A deviation with what hangs on it."""
    return await deviations.show_deviation(house, actor, number=number)
