"""Tissues over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Name, Number, Prose
from app.services import tissues
from app.services.tissues import TissueDecidedView, TissueProposedView, TissueView

router = APIRouter(prefix=f"{API}/tissues", tags=["donors"])


class NewTissue(Body):
    """What a tissue is, and why; by its names in both languages."""

    name: Name
    name_zh: Name
    leukocyte_rich: bool
    birth_tissue: bool
    reason: Prose


class TissueDecision(Body):
    """The proof of identity of whoever decides."""

    ceremony: UUID


@router.get("")
async def list_tissues(house: HouseDep, actor: ActorDep) -> list[TissueView]:
    """Every version by name, the newest of each first."""
    return await tissues.list_tissues(house, actor)


@router.post("", status_code=201)
async def propose_tissue(body: NewTissue, house: HouseDep, call: CallDep) -> TissueProposedView:
    """Propose what a tissue is."""
    return await tissues.propose_tissue(house, call, **body.model_dump())


@router.get("/{tissue}")
async def read_tissue(tissue: Number, house: HouseDep, actor: ActorDep) -> TissueView:
    """One version."""
    return await tissues.read_tissue(house, actor, tissue=tissue)


@router.post("/{tissue}/decide")
async def decide_tissue(tissue: Number, body: TissueDecision, house: HouseDep, call: CallDep) -> TissueDecidedView:
    """Decide a version by signature."""
    return await tissues.decide_tissue(house, call, tissue=tissue, ceremony=body.ceremony)
