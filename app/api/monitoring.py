"""Clean areas and their monitoring over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Amount, Body, Code, Day, Line, Moment, Name, Number
from app.services import monitoring
from app.services.monitoring import (
    Area,
    AreaView,
    ClassifiedView,
    Read,
    ReadView,
    SessionLine,
    SessionView,
    Taken,
    TakenView,
)

router = APIRouter(prefix=f"{API}/monitoring", tags=["monitoring"])

SampleKind = Literal["settle", "contact", "glove", "air", "particles_05", "particles_5"]


class NewClassification(Body):
    """What a room, or a workstation, was found to be; `due_on` is the last day on which it counts."""

    room: Name | None = None
    workstation: Code | None = None
    grade: Literal["A", "B", "C", "D", "isolator", "closed"]
    classified_on: Day
    due_on: Day
    evidence: Line


class NewSample(Body):
    """A plate, a print or a count of particles."""

    kind: SampleKind
    grade: Literal["A", "B", "C", "D"]
    place: Name
    taken_at: Moment


class NewSamples(Body):
    """What was taken in one session."""

    samples: Annotated[tuple[NewSample, ...], Field(min_length=1, max_length=100)]


class NewReading(Body):
    """Colonies, or particles in a cubic metre."""

    sample: Number
    value: Amount
    organism: Name | None = None
    read_at: Moment


class NewReadings(Body):
    """What was read."""

    readings: Annotated[tuple[NewReading, ...], Field(min_length=1, max_length=200)]


@router.get("/areas")
async def list_areas(house: HouseDep, actor: ActorDep) -> tuple[AreaView, ...]:
    """Rooms and workstations with their last classification."""
    return await monitoring.list_areas(house, actor)


@router.post("/areas", status_code=201)
async def classify_area(body: NewClassification, house: HouseDep, call: CallDep) -> ClassifiedView:
    """Record the classification of a room or a workstation."""
    return await monitoring.classify_area(
        house,
        call,
        area=Area(body.room, body.workstation),
        grade=body.grade,
        classified_on=body.classified_on,
        due_on=body.due_on,
        evidence=body.evidence,
    )


@router.get("/sessions")
async def list_sessions(
    house: HouseDep,
    actor: ActorDep,
    pending: bool = False,
    after: Annotated[int | None, Query(ge=1, le=9_223_372_036_854_775_807)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[SessionLine]:
    """Sessions at workstations, the last opened first."""
    return await monitoring.list_sessions(house, actor, pending=pending, after=after, limit=limit)


@router.get("/sessions/{session}")
async def read_session(session: Number, house: HouseDep, actor: ActorDep) -> SessionView:
    """A session with everything that was monitored in it."""
    return await monitoring.read_session(house, actor, session=session)


@router.post("/sessions/{session}/samples", status_code=201)
async def record_samples(session: Number, body: NewSamples, house: HouseDep, call: CallDep) -> TakenView:
    """Record what was taken in a session."""
    samples = tuple(Taken(each.kind, each.grade, each.place, each.taken_at) for each in body.samples)
    return await monitoring.record_samples(house, call, session=session, samples=samples)


@router.post("/readings", status_code=201)
async def record_readings(body: NewReadings, house: HouseDep, call: CallDep) -> ReadView:
    """Record what was read; a sample may be read again."""
    readings = tuple(Read(each.sample, each.value, each.organism, each.read_at) for each in body.readings)
    return await monitoring.record_readings(house, call, readings=readings)
