"""Institutions over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Day, Line, Name, Number
from app.services import institutions
from app.services.institutions import InstitutionView, RegisteredView, Stated, StatedView

router = APIRouter(prefix=f"{API}/institutions", tags=["studies"])

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class NewInstitution(Body):
    """An institution; `registration` is its number as a legal person."""

    name: Name
    country: Country
    registration: Name | None = None


class NewStatement(Body):
    """What it holds, or with `held` false holds no longer. For `grade`, `says` is the grade's word; else a name."""

    kind: Literal["grade", "academic_committee", "ethics_committee"]
    held: bool = True
    says: Name
    evidence: Line
    valid_from: Day
    valid_to: Day | None = None


@router.get("")
async def list_institutions(house: HouseDep, actor: ActorDep) -> tuple[InstitutionView, ...]:
    """Every institution by name."""
    return await institutions.list_institutions(house, actor)


@router.post("", status_code=201)
async def register_institution(body: NewInstitution, house: HouseDep, call: CallDep) -> RegisteredView:
    """Register an institution."""
    return await institutions.register_institution(house, call, **body.model_dump())


@router.get("/{institution}")
async def read_institution(institution: Number, house: HouseDep, actor: ActorDep) -> InstitutionView:
    """One institution with everything that was stated of it."""
    return await institutions.read_institution(house, actor, institution=institution)


@router.post("/{institution}/statements", status_code=201)
async def state_institution(institution: Number, body: NewStatement, house: HouseDep, call: CallDep) -> StatedView:
    """State what an institution holds or holds no longer."""
    stated = Stated(**body.model_dump())
    return await institutions.state_institution(house, call, institution=institution, stated=stated)
