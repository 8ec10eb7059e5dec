"""Partners over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Day, Line, Name, Number
from app.services import partners
from app.services.partners import Agreed, Assessed, Finding, KeptView, PartnerRow, PartnerView, Section

router = APIRouter(prefix=API, tags=["studies"])


class NewPartner(Body):
    """A partner and what it does."""

    name: Name
    kind: Literal["preparation", "collection", "testing", "transport", "technical_support"]
    address: Line


class SectionScored(Body):
    """A part of the assessment."""

    section: Literal["qualification", "facilities", "quality_system"]
    score: Annotated[int, Field(ge=0, le=100)]
    accepted: bool


class FindingMade(Body):
    """What was found; open while it is not closed."""

    severity: Literal["minor", "major", "critical"]
    what: Line
    capa_due_on: Day | None = None
    closed_on: Day | None = None


class NewAssessment(Body):
    """An assessment in its three parts."""

    assessed_on: Day
    sections: Annotated[tuple[SectionScored, ...], Field(min_length=3, max_length=3)]
    findings: Annotated[tuple[FindingMade, ...], Field(max_length=100)] = ()
    evidence: Line


class NewAgreement(Body):
    """A quality agreement about one process version: each duty with who has it."""

    process: Name
    process_version: Annotated[int, Field(ge=1, le=100_000)]
    duties: Annotated[dict[Name, Literal["house", "partner", "both", "nobody"]], Field(min_length=1, max_length=50)]
    signed_on: Day
    valid_to: Day | None = None
    reference: Line


class PartnerNamed(Body):
    """A partner by name."""

    partner: Name


class Decision(Body):
    """The proof of identity of whoever decides."""

    ceremony: UUID


@router.get("/partners")
async def list_partners(house: HouseDep, actor: ActorDep) -> tuple[PartnerRow, ...]:
    """Every partner by name."""
    return await partners.list_partners(house, actor)


@router.post("/partners", status_code=201)
async def register_partner(body: NewPartner, house: HouseDep, call: CallDep) -> KeptView:
    """Register a partner."""
    return await partners.register_partner(house, call, **body.model_dump())


@router.get("/partners/{partner}")
async def read_partner(partner: Number, house: HouseDep, actor: ActorDep) -> PartnerView:
    """One partner with every assessment and agreement."""
    return await partners.read_partner(house, actor, partner=partner)


@router.post("/partners/{partner}/assessments", status_code=201)
async def assess_partner(partner: Number, body: NewAssessment, house: HouseDep, call: CallDep) -> KeptView:
    """Record an assessment of a partner."""
    assessed = Assessed(
        assessed_on=body.assessed_on,
        sections=tuple(Section(**each.model_dump()) for each in body.sections),
        findings=tuple(Finding(**each.model_dump()) for each in body.findings),
        evidence=body.evidence,
    )
    return await partners.assess_partner(house, call, partner=partner, assessed=assessed)


@router.post("/partners/assessments/{assessment}/decision")
async def decide_partner(assessment: Number, body: Decision, house: HouseDep, call: CallDep) -> KeptView:
    """Sign the assessment of a partner."""
    return await partners.decide_partner(house, call, assessment=assessment, ceremony=body.ceremony)


@router.post("/partners/{partner}/agreements", status_code=201)
async def record_agreement(partner: Number, body: NewAgreement, house: HouseDep, call: CallDep) -> KeptView:
    """Record a quality agreement with a partner."""
    return await partners.record_agreement(house, call, partner=partner, agreed=Agreed(**body.model_dump()))


@router.post("/studies/{number}/partners", status_code=201)
async def name_partner(
    number: Annotated[str, Path(pattern=r"^ST-\d{2}-\d{4,12}$", max_length=24)],
    body: PartnerNamed,
    house: HouseDep,
    call: CallDep,
) -> KeptView:
    """Say that a partner takes part in a study."""
    return await partners.name_partner(house, call, number=number, partner=body.partner)
