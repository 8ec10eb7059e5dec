"""Gene modification over HTTP: vectors, tests for replication-competent virus, reports of off-target edits."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Day, Line, Moment, Name, Number
from app.domain.facts import VectorType
from app.services import genes
from app.services.genes import GenesView, OffTarget, Part, ReportsView, VirusTested

router = APIRouter(prefix=API, tags=["genes"])

Some = Annotated[Decimal, Field(gt=0, lt=Decimal("1e18"), max_digits=24, allow_inf_nan=False)]
Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=9, decimal_places=6, allow_inf_nan=False)]
Sites = Annotated[int, Field(ge=0, le=1_000_000)]


class NewPart(Body):
    """A plasmid or a bank of producer cells: a material lot of ours, or named with its maker's lot."""

    role: Literal["plasmid", "producer_bank"]
    name: Name | None = None
    part_lot: Name | None = None
    material_lot: Code | None = None
    selected_with: Name | None = None


class NewVector(Body):
    """What a lot of a vector is, its titre or concentration, and what it came of."""

    vector_type: VectorType
    titre: Some | None = None
    titre_unit: Name | None = None
    parts: Annotated[tuple[NewPart, ...], Field(max_length=20)] = ()


class NewVirusTest(Body):
    """A test for replication-competent virus. Of a supernatant the percent that was tested, of cells how many."""

    sample: Literal["vector_supernatant", "producer_cells", "transduced_cells", "final_product"]
    assay: Literal["coculture", "rapid_pcr"]
    method: Name
    laboratory: Name
    cells_tested: Some | None = None
    cells_in_pool: Some | None = None
    supernatant_percent: Annotated[Decimal, Field(gt=0, le=100, max_digits=9, decimal_places=6)] | None = None
    sampled_at: Moment


class NewOutcome(Body):
    """What the laboratory reported of a test."""

    outcome: Literal["negative", "positive", "inconclusive"]
    reported_at: Moment
    reference: Line


class NewReport(Body):
    """A report of off-target edits of a process version."""

    process: Name
    version: Annotated[int, Field(ge=1, le=9999)]
    reference: Line
    prediction: Line
    assay: Literal["guide_seq", "circle_seq", "digenome_seq", "rhamp_seq", "whole_genome", "none"]
    assay_method: Line
    sites_examined: Sites
    sites_above: Sites
    threshold_percent: Annotated[Decimal, Field(gt=0, le=100, max_digits=9, decimal_places=6)]
    highest_percent: Percent
    aberrations: Literal["none_found", "found", "not_examined"]
    aberrations_method: Line
    reported_on: Day
    file_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


@router.get("/lots/{code}/genes")
async def read_genes(code: Code, house: HouseDep, actor: ActorDep) -> GenesView:
    """What is stated of a vector's lot, and the tests of any lot for replication-competent virus."""
    return await genes.read_genes(house, actor, code=code)


@router.post("/material-lots/{code}/vector", status_code=201)
async def state_vector(code: Code, body: NewVector, house: HouseDep, call: CallDep) -> GenesView:
    """State what a vector's lot is and what it came of. It is never edited: what is stated later counts from then on."""
    return await genes.state_vector(
        house,
        call,
        code=code,
        vector_type=body.vector_type,
        titre=body.titre,
        titre_unit=body.titre_unit,
        parts=[Part(**each.model_dump()) for each in body.parts],
    )


@router.post("/lots/{code}/virus-tests", status_code=201)
async def record_virus_test(code: Code, body: NewVirusTest, house: HouseDep, call: CallDep) -> GenesView:
    """Record a test for replication-competent virus; its outcome follows."""
    return await genes.record_virus_test(house, call, code=code, test=VirusTested(**body.model_dump()))


@router.post("/virus-tests/{test}/outcomes", status_code=201)
async def report_virus_test(test: Number, body: NewOutcome, house: HouseDep, call: CallDep) -> GenesView:
    """Record what the laboratory reported; what is not negative holds the lot."""
    return await genes.report_virus_test(house, call, test=test, **body.model_dump())


@router.get("/off-target-reports")
async def read_reports(
    house: HouseDep, actor: ActorDep, process: Name, version: Annotated[int, Query(ge=1, le=9999)]
) -> ReportsView:
    """Reports of off-target edits of a process version, the last first."""
    return await genes.read_reports(house, actor, process=process, version=version)


@router.post("/off-target-reports", status_code=201)
async def record_off_target(body: NewReport, house: HouseDep, call: CallDep) -> ReportsView:
    """Record a report of off-target edits; an approved assessment of GM-02 accepts it."""
    report = OffTarget(**body.model_dump(exclude={"process", "version"}))
    return await genes.record_off_target(house, call, process=body.process, version=body.version, report=report)
