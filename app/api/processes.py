"""Process versions over HTTP."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Name
from app.domain.facts import PassageConvention, VectorType
from app.services import processes
from app.services.processes import ProcessVersion

router = APIRouter(prefix=f"{API}/processes", tags=["processes"])


class NewProcess(Body):
    """A process version. One that changes genes says with what, and whether it edits the genome."""

    name: Name
    version: Annotated[int, Field(ge=1, le=9999)]
    product: Name
    product_zh: Name
    cell_source: Name
    passage_convention: PassageConvention
    max_passage: Annotated[int, Field(ge=0, le=100)]
    max_pdl: Annotated[Decimal, Field(gt=0, le=1000, max_digits=8, decimal_places=3)]
    shelf_life_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    gene_modified: bool
    long_term_expansion: bool
    clone_selected: bool
    short_cycle: bool
    low_manipulation: bool
    vector_type: VectorType | None = None
    gene_editing: bool | None = None


@router.post("", status_code=201)
async def define_process(body: NewProcess, house: HouseDep, call: CallDep) -> ProcessVersion:
    """Define a process version."""
    return await processes.define_process(house, call, process=ProcessVersion(**body.model_dump()))


@router.get("")
async def list_processes(
    house: HouseDep,
    actor: ActorDep,
    after: Name | None = None,
    after_version: Annotated[int, Query(ge=0, le=9999)] = 9999,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[ProcessVersion]:
    """Process versions by name and version, after the name and version given."""
    return await processes.list_processes(
        house, actor, after=None if after is None else (after, after_version), limit=limit
    )
