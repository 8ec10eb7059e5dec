"""Studies over HTTP."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.saying import said
from app.api.schemas import Body, Code, Day, Line, Name, Prose
from app.services import studies
from app.services.studies import (
    Agreement,
    Content,
    Decision,
    FilingMade,
    FollowUp,
    Leader,
    Named,
    RecordKeptView,
    SiteView,
    StudyKeptView,
    StudyRow,
)

router = APIRouter(prefix=f"{API}/studies", tags=["studies"])

StudyNumber = Annotated[str, Path(pattern=r"^ST-\d{2}-\d{4,12}$", max_length=24)]


class SiteNamed(Body):
    """Where the study takes place."""

    name: Name
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class VersionNamed(Body):
    """A process or a specification by name and version."""

    name: Name
    version: Annotated[int, Field(ge=1, le=100_000)]


class NewStudy(Body):
    """What the study is; institution and sponsor by name. `why` says what changed, or why it is registered."""

    title: Line
    regulatory_path: Literal["technical_filing", "drug_registration"]
    ind_number: Name | None = None
    stage: Literal["exploratory", "confirmatory"]
    risk_level: Literal["ordinary", "high"]
    cell_class: Literal["tissue_stem_cell", "pluripotent_derived", "somatic_cell", "cell_free"]
    cell_source: Literal["autologous", "allogeneic"]
    manipulation: Literal["ex_vivo_cell", "ex_vivo_gene", "none"]
    administration: Literal["infused", "implanted", "other"]
    sites: Annotated[tuple[SiteNamed, ...], Field(max_length=100)] = ()
    institution: Name
    sponsor: Name
    process: VersionNamed
    specification: VersionNamed
    protocol_version: Name
    substantial: bool = True
    why: Prose

    def content(self) -> Content:
        """As the service takes it."""
        return Content(
            **{
                **self.model_dump(),
                "sites": tuple(SiteView(each.name, each.country) for each in self.sites),
                "process": Named(self.process.name, self.process.version),
                "specification": Named(self.specification.name, self.specification.version),
            }
        )


class NewLeader(Body):
    """Who leads from a day on."""

    name: Name
    licence_number: Name
    licence_valid_to: Day | None = None
    title_level: Literal["senior", "associate_senior", "other"]
    title_certificate: Name
    title_valid_to: Day | None = None
    from_on: Day
    to_on: Day | None = None
    evidence: Line


class NewDecision(Body):
    """What a committee decided."""

    committee: Literal["academic", "ethics"]
    decision: Literal["approved", "refused", "withdrawn"]
    protocol_version: Name
    decided_on: Day
    valid_to: Day | None = None
    reference: Line


class NewFiling(Body):
    """A filing with the authority."""

    filing_number: Name
    authority: Line
    protocol_version: Name
    filed_on: Day
    reference: Line


class NewAgreement(Body):
    """What sponsor and institution signed."""

    sponsor: Name
    protocol_jointly_set: bool
    signed_on: Day
    valid_to: Day | None = None
    reference: Line


class NewFollowUp(Body):
    """For how many years a version of the protocol says that each subject is followed."""

    protocol_version: Name
    years: Annotated[Decimal, Field(gt=0, le=100, max_digits=6, allow_inf_nan=False)]
    reference: Line


class BankNamed(Body):
    """A bank lot by its code."""

    lot: Code


@router.get("")
async def list_studies(
    house: HouseDep,
    actor: ActorDep,
    after: Annotated[int | None, Query(ge=1, le=9_223_372_036_854_775_807)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[StudyRow]:
    """Studies, the last registered first."""
    return await studies.list_studies(house, actor, after=after, limit=limit)


@router.post("", status_code=201)
async def register_study(body: NewStudy, house: HouseDep, call: CallDep) -> StudyKeptView:
    """Register a study."""
    return await studies.register_study(house, call, content=body.content())


@router.get("/{number}")
async def read_study(number: StudyNumber, request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """A study with everything recorded about it, judged this moment before filing and before its start."""
    return JSONResponse(said(request, await studies.read_study(house, actor, number=number)))


@router.post("/{number}/versions", status_code=201)
async def new_version(number: StudyNumber, body: NewStudy, house: HouseDep, call: CallDep) -> StudyKeptView:
    """Record that a study is another now."""
    return await studies.new_version(house, call, number=number, content=body.content())


@router.post("/{number}/leaders", status_code=201)
async def name_leader(number: StudyNumber, body: NewLeader, house: HouseDep, call: CallDep) -> RecordKeptView:
    """Record who leads the study."""
    return await studies.name_leader(house, call, number=number, leader=Leader(**body.model_dump()))


@router.post("/{number}/decisions", status_code=201)
async def record_decision(number: StudyNumber, body: NewDecision, house: HouseDep, call: CallDep) -> RecordKeptView:
    """Record what a committee decided."""
    return await studies.record_decision(house, call, number=number, decision=Decision(**body.model_dump()))


@router.post("/{number}/filings", status_code=201)
async def record_filing(number: StudyNumber, body: NewFiling, house: HouseDep, call: CallDep) -> RecordKeptView:
    """Record a filing."""
    return await studies.record_filing(house, call, number=number, filing=FilingMade(**body.model_dump()))


@router.post("/{number}/agreements", status_code=201)
async def record_agreement(number: StudyNumber, body: NewAgreement, house: HouseDep, call: CallDep) -> RecordKeptView:
    """Record an agreement with the sponsor."""
    return await studies.record_agreement(house, call, number=number, agreement=Agreement(**body.model_dump()))


@router.post("/{number}/follow-ups", status_code=201)
async def record_follow_up(number: StudyNumber, body: NewFollowUp, house: HouseDep, call: CallDep) -> RecordKeptView:
    """Record for how long subjects are followed."""
    return await studies.record_follow_up(house, call, number=number, plan=FollowUp(**body.model_dump()))


@router.post("/{number}/banks", status_code=201)
async def name_bank(number: StudyNumber, body: BankNamed, house: HouseDep, call: CallDep) -> RecordKeptView:
    """Say from which bank lot the study's preparations come."""
    return await studies.name_bank(house, call, number=number, lot=body.lot)
