"""Laboratories outside over HTTP, and what they tested again for a study."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.saying import said
from app.api.schemas import Amount, Body, Code, Day, Line, Moment, Name, Number, Prose
from app.services import laboratories, reinspections
from app.services.laboratories import (
    Accredited,
    Covered,
    Declared,
    Ended,
    LaboratoryKeptView,
    LaboratoryRow,
    LaboratoryView,
)
from app.services.reinspections import Report, ReportKeptView, Retested

router = APIRouter(prefix=API, tags=["studies"])

StudyNumber = Annotated[str, Path(pattern=r"^ST-\d{2}-\d{4,12}$", max_length=24)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Test = Literal["sterility", "mycoplasma", "endotoxin", "exogenous_viruses"]
Celsius = Annotated[Decimal, Field(ge=-273, le=100, max_digits=8, allow_inf_nan=False)]


class NewLaboratory(Body):
    """A laboratory outside."""

    name: Name
    address: Line


class CoveredTest(Body):
    """A test of the scope, by its method."""

    test: Test
    method: Line


class NewAccreditation(Body):
    """A paper that accredits the laboratory; only the national institute stands without an end."""

    kind: Literal["cma", "cnas", "nifdc", "other"]
    number: Name
    scope: Annotated[tuple[CoveredTest, ...], Field(min_length=1, max_length=200)]
    valid_from: Day
    valid_to: Day | None = None
    file_name: Line
    file_sha256: Sha256


class NewEnd(Body):
    """An accreditation that ended before its day."""

    accreditation: Number
    how: Literal["lapsed", "suspended", "withdrawn"]
    ended_on: Day
    why: Prose
    evidence: Line


class NewDeclaration(Body):
    """What somebody declares of the laboratory's independence of an institution and this facility."""

    institution: Name
    not_the_institution: bool
    not_the_facility: bool
    no_common_control: bool
    declared_by: Name
    declared_on: Day
    evidence: Line


class TestReported(Body):
    """What the report says of one test. Not applicable only by a statement of the report."""

    test: Test
    method: Line
    limit_text: Line
    outcome: Literal["passed", "failed", "inconclusive", "not_applicable"]
    tested_on: Day
    found: Line | None = None
    statement: Prose | None = None
    value: Amount | None = None
    limit_value: Amount | None = None
    unit: Name | None = None


class NewReport(Body):
    """A report about a sample of one lot. `replaces` is the record in whose place it is put."""

    laboratory: Name
    sample_kind: Literal["bank", "starting_harvest", "final_formulation"]
    lot: Code
    process: Name
    process_version: Annotated[int, Field(ge=1, le=100_000)]
    report_number: Name
    signatory: Name | None = None
    file_name: Line | None = None
    file_sha256: Sha256 | None = None
    taken_at: Moment
    handed_over_by: Name | None = None
    received_at: Moment
    received_by: Name | None = None
    low_c: Celsius | None = None
    high_c: Celsius | None = None
    min_c: Celsius | None = None
    max_c: Celsius | None = None
    excursion: Prose | None = None
    reported_on: Day
    tests: Annotated[tuple[TestReported, ...], Field(min_length=1, max_length=4)]
    replaces: Number | None = None
    why: Prose | None = None


@router.get("/laboratories")
async def list_laboratories(house: HouseDep, actor: ActorDep) -> tuple[LaboratoryRow, ...]:
    """Every laboratory by name."""
    return await laboratories.list_laboratories(house, actor)


@router.post("/laboratories", status_code=201)
async def register_laboratory(body: NewLaboratory, house: HouseDep, call: CallDep) -> LaboratoryKeptView:
    """Register a laboratory."""
    return await laboratories.register_laboratory(house, call, **body.model_dump())


@router.get("/laboratories/{laboratory}")
async def read_laboratory(laboratory: Number, house: HouseDep, actor: ActorDep) -> LaboratoryView:
    """One laboratory with all that was recorded of it."""
    return await laboratories.read_laboratory(house, actor, laboratory=laboratory)


@router.post("/laboratories/{laboratory}/accreditations", status_code=201)
async def accredit(laboratory: Number, body: NewAccreditation, house: HouseDep, call: CallDep) -> LaboratoryKeptView:
    """Record a paper that accredits the laboratory."""
    scope = tuple(Covered(each.test, each.method) for each in body.scope)
    accredited = Accredited(**{**body.model_dump(), "scope": scope})
    return await laboratories.accredit(house, call, laboratory=laboratory, accredited=accredited)


@router.post("/laboratories/{laboratory}/ends", status_code=201)
async def end_accreditation(laboratory: Number, body: NewEnd, house: HouseDep, call: CallDep) -> LaboratoryKeptView:
    """Record that an accreditation ended; lots that were tested without it are held."""
    ended = Ended(**body.model_dump())
    return await laboratories.end_accreditation(house, call, laboratory=laboratory, ended=ended)


@router.post("/laboratories/{laboratory}/declarations", status_code=201)
async def declare_independence(
    laboratory: Number, body: NewDeclaration, house: HouseDep, call: CallDep
) -> LaboratoryKeptView:
    """Record what somebody declares of its independence."""
    declared = Declared(**body.model_dump())
    return await laboratories.declare_independence(house, call, laboratory=laboratory, declared=declared)


@router.get("/studies/{number}/reinspections")
async def read_matrix(number: StudyNumber, request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """The matrix of samples and tests as it stands this moment, and every report."""
    return JSONResponse(said(request, await reinspections.read_matrix(house, actor, number=number)))


@router.post("/studies/{number}/reinspections", status_code=201)
async def record_reinspection(number: StudyNumber, body: NewReport, house: HouseDep, call: CallDep) -> ReportKeptView:
    """Record a report of a laboratory outside."""
    tests = tuple(Retested(**each.model_dump()) for each in body.tests)
    report = Report(**{**body.model_dump(), "tests": tests})
    return await reinspections.record_reinspection(house, call, number=number, report=report)
