"""What came to light later, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.api.plumbing import API, ActorDep, HouseDep
from app.api.schemas import Code, Number
from app.domain.impacts import ImpactKind
from app.services import impacts
from app.services.impacts import ImpactLine, ImpactView

router = APIRouter(prefix=f"{API}/impacts", tags=["impacts"])
ImpactNumber = Annotated[str, Path(pattern=r"^IM-\d{2}-\d{4,12}$")]


@router.get("")
async def list_impacts(
    house: HouseDep,
    actor: ActorDep,
    kind: ImpactKind | None = None,
    item: Code | None = None,
    after: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[ImpactLine]:
    """What came to light, newest first; about an item, or touching it."""
    found, _ = await impacts.list_impacts(house, actor, kind=kind, item=item, after=after, limit=limit)
    return found


@router.get("/{number}")
async def show_impact(
    number: ImpactNumber,
    house: HouseDep,
    actor: ActorDep,
    after: Number | None = None,
    limit: Annotated[int, Query(ge=1, le=2000)] = 200,
) -> ImpactView:
    """One of them: every lot, container and recipient that it touches."""
    return await impacts.show_impact(house, actor, number=number, after=after, limit=limit)
