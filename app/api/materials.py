"""Materials and their lots over HTTP."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from app.api.plumbing import ActorDep, CallDep, HouseDep
from app.api.saying import said
from app.api.schemas import Body, Code, Line, Moment, Name, Prose
from app.domain.facts import Component
from app.domain.lots import LotState
from app.services import materials
from app.services.materials import MaterialLotLine, MaterialView

router = APIRouter(tags=["materials"])


class NewComponent(Body):
    """A component by its name, and its CAS registry number where it has one."""

    name: Name
    cas: Annotated[str, StringConstraints(pattern=r"^[0-9]{2,7}-[0-9]{2}-[0-9]$")] | None = None


class NewMaterial(Body):
    """A material of the catalogue. `description` holds its other names, Chinese too."""

    name: Name
    description: Prose | Literal[""] = ""
    grade: Literal["approved_drug", "pharmacopoeial_excipient", "gmp_ancillary", "clinical_device", "research"]
    composition: Annotated[list[NewComponent], Field(max_length=200)] | None = None
    composition_complete: bool


class NewMaterialLot(Body):
    """A lot as it arrived."""

    material: Name
    supplier: Name
    supplier_lot: Name
    supplier_code: Line | None = None
    expires_on: date | None = None
    received_at: Moment
    certificate_reference: Line | None = None
    certificate_reviewed_at: Moment | None = None
    storage_ok: bool | None = None
    containers: Annotated[int, Field(ge=1, le=500)]


class MaterialApproval(Body):
    """The proof of identity given for the approval."""

    ceremony: UUID


class Recall(Body):
    """Why the lot is recalled."""

    reason: Prose


@router.post("/materials", status_code=201)
async def define_material(body: NewMaterial, house: HouseDep, call: CallDep) -> MaterialView:
    """Define a material."""
    return await materials.define_material(
        house,
        call,
        name=body.name,
        description=body.description,
        grade=body.grade,
        composition=None
        if body.composition is None
        else [Component(name=each.name, cas=each.cas) for each in body.composition],
        composition_complete=body.composition_complete,
    )


@router.get("/materials")
async def list_materials(
    house: HouseDep, actor: ActorDep, after: Name | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[MaterialView]:
    """Materials by name, after this one."""
    return await materials.list_materials(house, actor, after=after, limit=limit)


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


@router.post("/material-lots/{code}/recall")
async def recall_material(request: Request, code: Code, body: Recall, house: HouseDep, call: CallDep) -> JSONResponse:
    """Recall a material lot."""
    return JSONResponse(said(request, await materials.recall_material(house, call, code=code, reason=body.reason)))
