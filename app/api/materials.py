"""Materials and their lots over HTTP."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.saying import said
from app.api.schemas import Amount, Body, Code, Day, Line, Moment, Name, Prose
from app.db.catalogue import MaterialView
from app.domain.facts import Component
from app.domain.lots import LotState
from app.services import animal_diseases, catalogue, material_containers, materials
from app.services.animal_diseases import DiseaseStatusView
from app.services.material_containers import KeptView
from app.services.materials import MaterialLotLine

router = APIRouter(prefix=API, tags=["materials"])


Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""A country by its two letters, ISO 3166-1."""


class NewComponent(Body):
    """A component by its name, and its CAS registry number where it has one."""

    name: Name
    cas: Annotated[str, StringConstraints(pattern=r"^[0-9]{2,7}-[0-9]{2}-[0-9]$")] | None = None


class NewMaterial(Body):
    """A material of the catalogue. `description` holds its other names, Chinese too.

    `animal_serum` is null while nobody knows, which keeps its lots from approval; `species` belongs to serum alone.
    `opened_life_hours` is how long a container may be used once it stands open, in hours.
    """

    name: Name
    description: Prose | Literal[""] = ""
    grade: Literal["approved_drug", "pharmacopoeial_excipient", "gmp_ancillary", "clinical_device", "research"]
    composition: Annotated[list[NewComponent], Field(max_length=200)] | None = None
    composition_complete: bool
    animal_serum: bool | None = None
    species: Name | None = None
    opened_life_hours: Annotated[Decimal, Field(gt=0, le=87600, max_digits=9, decimal_places=2)] | None = None
    kind: Literal["reagent", "single_use", "vector"] = "reagent"
    animal_derived: bool | None = None
    human_derived: bool | None = None
    selected_with: Name | None = None


class Origin(Body):
    """Of what origin a material is; null while nobody knows. `selected_with` is a vector's alone."""

    material: Name
    animal_derived: bool | None
    human_derived: bool | None
    selected_with: Name | None = None


class NewCertificate(Body):
    """A paper of a lot that was reviewed. `pool_size` belongs to the certificate of a donor pool."""

    kind: Literal[
        "analysis", "marketing_licence", "donor_pool", "virus_inactivation", "sterility", "endotoxin", "compatibility"
    ]
    reference: Line
    pool_size: Annotated[int, Field(ge=1, le=100_000)] | None = None


class NewMaterialLot(Body):
    """A lot as it arrived. `origin_countries` are those of animal serum, every one of a pooled lot."""

    material: Name
    supplier: Name
    supplier_lot: Name
    supplier_code: Line | None = None
    expires_on: Day | None = None
    received_at: Moment
    certificate_reference: Line | None = None
    certificate_reviewed_at: Moment | None = None
    storage_ok: bool | None = None
    origin_countries: Annotated[list[Country], Field(min_length=1, max_length=40)] | None = None
    processed_in: Country | None = None
    collected_on: Day | None = None
    containers: Annotated[int, Field(ge=1, le=500)]


class MaterialApproval(Body):
    """The proof of identity given for the approval."""

    ceremony: UUID


class MaterialRejection(Body):
    """The proof of identity given for the rejection; its statement is the reason."""

    ceremony: UUID


class Opening(Body):
    """When the container was opened; now, where nothing is said."""

    opened_at: Moment | None = None


class NewReagentRetain(Body):
    """A retain of a material lot: from which container, how much, and where it is kept."""

    source: Code = Field(alias="from")
    quantity: Amount
    unit: Name
    place: Name
    taken_at: Moment | None = None


class NewDiseaseStatus(Body):
    """How a country stands for an animal disease, from a day on, by which source."""

    country: Country
    disease: Name
    category: Literal["negligible", "controlled", "undetermined", "prohibited"]
    valid_from: Day
    valid_to: Day | None = None
    source: Line


class Recall(Body):
    """Why the lot is recalled."""

    reason: Prose


@router.post("/materials", status_code=201)
async def define_material(body: NewMaterial, house: HouseDep, call: CallDep) -> MaterialView:
    """Define a material."""
    return await catalogue.define_material(
        house,
        call,
        name=body.name,
        description=body.description,
        grade=body.grade,
        composition=None
        if body.composition is None
        else [Component(name=each.name, cas=each.cas) for each in body.composition],
        composition_complete=body.composition_complete,
        animal_serum=body.animal_serum,
        species=body.species,
        opened_life_hours=body.opened_life_hours,
        kind=body.kind,
        animal_derived=body.animal_derived,
        human_derived=body.human_derived,
        selected_with=body.selected_with,
    )


@router.post("/materials/origins", status_code=201)
async def state_material(body: Origin, house: HouseDep, call: CallDep) -> MaterialView:
    """State of what origin a material is. It is never edited: what is stated later counts."""
    return await catalogue.state_material(
        house,
        call,
        name=body.material,
        animal_derived=body.animal_derived,
        human_derived=body.human_derived,
        selected_with=body.selected_with,
    )


@router.get("/materials")
async def list_materials(
    house: HouseDep, actor: ActorDep, after: Name | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[MaterialView]:
    """Materials by name, after this one."""
    return await catalogue.list_materials(house, actor, after=after, limit=limit)


@router.post("/material-lots", status_code=201)
async def receive_material(request: Request, body: NewMaterialLot, house: HouseDep, call: CallDep) -> JSONResponse:
    """Receive a material lot into quarantine."""
    view = await materials.receive_material(
        house,
        call,
        material=body.material,
        supplier=body.supplier,
        supplier_lot=body.supplier_lot,
        supplier_code=body.supplier_code,
        expires_on=body.expires_on,
        received_at=body.received_at,
        certificate_reference=body.certificate_reference,
        certificate_reviewed_at=body.certificate_reviewed_at,
        storage_ok=body.storage_ok,
        origin_countries=body.origin_countries,
        processed_in=body.processed_in,
        collected_on=body.collected_on,
        containers=body.containers,
    )
    return JSONResponse(said(request, view), 201)


@router.get("/material-lots")
async def list_material_lots(
    house: HouseDep,
    actor: ActorDep,
    state: LotState | None = None,
    after: Code | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[MaterialLotLine]:
    """Material lots, newest first, after the lot of this code."""
    return await materials.list_material_lots(
        house, actor, state=state.value if state else None, after=after, limit=limit
    )


@router.get("/material-lots/{code}")
async def read_material_lot(request: Request, code: Code, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """A material lot, and every rule of its approval as it stands now."""
    return JSONResponse(said(request, await materials.read_material_lot(house, actor, code=code)))


@router.post("/material-lots/{code}/approve")
async def approve_material(
    request: Request, code: Code, body: MaterialApproval, house: HouseDep, call: CallDep
) -> JSONResponse:
    """Approve a material lot for use, by signature."""
    return JSONResponse(said(request, await materials.approve_material(house, call, code=code, ceremony=body.ceremony)))


@router.post("/material-lots/{code}/certificates", status_code=201)
async def file_certificate(
    request: Request, code: Code, body: NewCertificate, house: HouseDep, call: CallDep
) -> JSONResponse:
    """File a paper of a material lot that was reviewed."""
    view = await materials.file_certificate(house, call, code=code, **body.model_dump())
    return JSONResponse(said(request, view), 201)


@router.post("/material-lots/{code}/retains", status_code=201)
async def keep_reagent_retain(code: Code, body: NewReagentRetain, house: HouseDep, call: CallDep) -> KeptView:
    """Keep a retain of a material lot."""
    return await material_containers.keep_retain(house, call, lot=code, **body.model_dump())


@router.post("/material-lots/{code}/recall")
async def recall_material(request: Request, code: Code, body: Recall, house: HouseDep, call: CallDep) -> JSONResponse:
    """Recall a material lot."""
    return JSONResponse(said(request, await materials.recall_material(house, call, code=code, reason=body.reason)))


@router.post("/material-lots/{code}/reject")
async def reject_material(
    request: Request, code: Code, body: MaterialRejection, house: HouseDep, call: CallDep
) -> JSONResponse:
    """Reject a material lot, by signature. The reason is the signature's statement."""
    return JSONResponse(said(request, await materials.reject_material(house, call, code=code, ceremony=body.ceremony)))


@router.post("/items/{code}/open")
async def open_material(request: Request, code: Code, body: Opening, house: HouseDep, call: CallDep) -> JSONResponse:
    """Note that a container of a material was opened."""
    view = await material_containers.open_material(house, call, code=code, opened_at=body.opened_at)
    return JSONResponse(said(request, view))


@router.post("/animal-disease-status", status_code=201)
async def state_disease_status(body: NewDiseaseStatus, house: HouseDep, call: CallDep) -> DiseaseStatusView:
    """State how a country stands for an animal disease. It is never edited: what is stated later supersedes."""
    return await animal_diseases.state_disease_status(house, call, **body.model_dump())


@router.get("/animal-disease-status")
async def list_disease_status(
    house: HouseDep,
    actor: ActorDep,
    country: Country | None = None,
    after: Annotated[int, Query(ge=1, le=9_223_372_036_854_775_807)] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[DiseaseStatusView]:
    """What was stated, newest first, after the statement of this number."""
    return await animal_diseases.list_disease_status(house, actor, country=country, after=after, limit=limit)
