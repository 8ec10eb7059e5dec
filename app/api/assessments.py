"""Assessments over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Line, Moment, Name, Number, Prose
from app.services import assessments
from app.services.assessments import (
    AssessmentApprovedView,
    AssessmentProposedView,
    AssessmentView,
    Content,
    MitigationView,
    Scope,
)

router = APIRouter(prefix=f"{API}/assessments", tags=["assessments"])

AssessmentNumber = Annotated[str, StringConstraints(pattern=r"^AS-\d{2}-\d{4,12}$")]


class Mitigation(Body):
    """A preventive measure, and the control that carries it out."""

    measure: Line
    control: Name


class ScopeNamed(Body):
    """What it is about: the facility without a name, a process by name and version, a donor or lot by code or name."""

    kind: Literal["facility", "process", "donor", "lot", "material"]
    name: Name | None = None
    version: Annotated[int, Field(ge=1, le=100_000)] | None = None


class NewVersion(Body):
    """What the assessment says, and until when it may stand."""

    title: Line
    hazard: Prose
    mitigations: Annotated[tuple[Mitigation, ...], Field(min_length=1, max_length=50)]
    conclusion: Prose
    valid_from: Moment | None = None
    valid_to: Moment

    def content(self) -> Content:
        """As the service takes it."""
        return Content(
            title=self.title,
            hazard=self.hazard,
            mitigations=tuple(MitigationView(each.measure, each.control) for each in self.mitigations),
            conclusion=self.conclusion,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )


class NewAssessment(NewVersion):
    """A first version: of which rule, and about what."""

    rule: Name
    scope: ScopeNamed


class AssessmentApproval(Body):
    """The proof of identity of whoever approves."""

    ceremony: UUID


@router.get("")
async def list_assessments(
    house: HouseDep,
    actor: ActorDep,
    rule: Annotated[str | None, Query(max_length=16)] = None,
    after: Annotated[int | None, Query(ge=1, le=9_223_372_036_854_775_807)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[AssessmentView]:
    """Versions, the last proposed first."""
    return await assessments.list_assessments(house, actor, rule=rule, after=after, limit=limit)


@router.post("", status_code=201)
async def propose_assessment(body: NewAssessment, house: HouseDep, call: CallDep) -> AssessmentProposedView:
    """Propose an assessment."""
    scope = Scope(body.scope.kind, body.scope.name, body.scope.version)
    return await assessments.propose_assessment(house, call, rule=body.rule, scope=scope, content=body.content())


@router.get("/{number}")
async def read_assessment(number: AssessmentNumber, house: HouseDep, actor: ActorDep) -> tuple[AssessmentView, ...]:
    """Every version of a number, the newest first."""
    return await assessments.read_assessment(house, actor, number=number)


@router.post("/{number}/versions", status_code=201)
async def new_version(
    number: AssessmentNumber, body: NewVersion, house: HouseDep, call: CallDep
) -> AssessmentProposedView:
    """Propose the next version of a number."""
    return await assessments.new_version(house, call, number=number, content=body.content())


@router.post("/{assessment}/approve")
async def approve_assessment(
    assessment: Number, body: AssessmentApproval, house: HouseDep, call: CallDep
) -> AssessmentApprovedView:
    """Approve a version by signature."""
    return await assessments.approve_assessment(house, call, assessment=assessment, ceremony=body.ceremony)
