"""Documents of comparability over HTTP: why what was tested again stands for what a study gives now."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Day, Line, Number, Prose
from app.services import comparabilities
from app.services.comparabilities import ComparabilityKept, ComparabilityView, Compared

router = APIRouter(prefix=API, tags=["studies"])
StudyNumber = Annotated[str, Path(pattern=r"^ST-\d{2}-\d{4,12}$", max_length=24)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class NewComparability(Body):
    """What is proposed of a report: what is another now, why it is comparable, and the academic committee's decision."""

    report: Number
    differences: Prose
    reasons: Prose
    committee_reference: Line
    committee_decided_on: Day
    file_name: Line
    file_sha256: Sha256
    valid_to: Day


class ComparabilitySigned(Body):
    """The proof of identity of whoever accepts."""

    ceremony: UUID


@router.get("/studies/{number}/comparabilities")
async def list_comparabilities(number: StudyNumber, house: HouseDep, actor: ActorDep) -> tuple[ComparabilityView, ...]:
    """A study's documents of comparability, the last proposed first."""
    return await comparabilities.list_comparabilities(house, actor, number=number)


@router.post("/studies/{number}/comparabilities", status_code=201)
async def propose_comparability(
    number: StudyNumber, body: NewComparability, house: HouseDep, call: CallDep
) -> ComparabilityKept:
    """Propose that a report stands for what the study gives now."""
    compared = Compared(**body.model_dump())
    return await comparabilities.propose_comparability(house, call, number=number, compared=compared)


@router.get("/comparabilities/{comparability}")
async def read_comparability(comparability: Number, house: HouseDep, actor: ActorDep) -> ComparabilityView:
    """One document of comparability."""
    return await comparabilities.read_comparability(house, actor, comparability=comparability)


@router.post("/comparabilities/{comparability}/sign")
async def accept_comparability(
    comparability: Number, body: ComparabilitySigned, house: HouseDep, call: CallDep
) -> ComparabilityKept:
    """Accept it by signature."""
    return await comparabilities.accept_comparability(house, call, comparability=comparability, ceremony=body.ceremony)
