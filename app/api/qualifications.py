"""Qualifications over HTTP."""

from fastapi import APIRouter

from app.api.accounts import Username
from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Line, Moment, Name
from app.services import qualifications
from app.services.qualifications import QualifiedView, TrainingView

router = APIRouter(prefix=f"{API}/accounts", tags=["qualifications"])


class NewQualification(Body):
    """For what, from when to when, and where the record of the training is."""

    topic: Name
    valid_from: Moment
    valid_to: Moment
    evidence: Line


@router.post("/{username}/qualifications", status_code=201)
async def qualify(username: Username, body: NewQualification, house: HouseDep, call: CallDep) -> QualifiedView:
    """Record a qualification of somebody else."""
    return await qualifications.qualify(
        house,
        call,
        username=username,
        topic=body.topic,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
        evidence=body.evidence,
    )


@router.get("/{username}/qualifications")
async def training(username: Username, house: HouseDep, actor: ActorDep) -> TrainingView:
    """What the person was qualified for."""
    return await qualifications.training_of(house, actor, username=username)
