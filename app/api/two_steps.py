"""Release in two steps over HTTP: plans, tests under way, what the physician acknowledges, and the first signature."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from app.api.banks import Signed
from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.release import Releasing
from app.api.saying import said
from app.api.schemas import Body, Code, Day, Line, Moment, Name, Prose
from app.db.door import Replay
from app.services import release, two_steps
from app.services.two_steps import (
    DAYS_MOST,
    AcknowledgedView,
    BegunView,
    LateTest,
    PlanContent,
    PlanKept,
    PlanView,
    TwoStepsView,
)

router = APIRouter(prefix=API, tags=["release in two steps"])

Number = Annotated[int, Path(ge=1, le=9_223_372_036_854_775_807)]
Test = Literal["sterility", "mycoplasma", "replicating_virus"]


class Late(Body):
    """A test that may be pending, and what stands in its place."""

    test: Test
    interim: Name
    validation: Line
    days: Annotated[int, Field(ge=1, le=DAYS_MOST)]
    if_positive: Prose


class Plan(Body):
    """Which tests of a process version may be pending at a first release."""

    process: Name
    process_version: Annotated[int, Field(ge=1, le=999_999)]
    protocol: Name
    protocol_version: Name
    ethics_reference: Name
    ethics_approved_on: Day
    consent_clause: Prose
    pending: Annotated[tuple[Late, ...], Field(max_length=3)]


class Begun(Body):
    """A slow test that was begun on a sample."""

    test: Name
    laboratory: Name
    started_at: Moment
    due_at: Moment


class Acknowledgement(Body):
    """What the physician has read as pending."""

    tests: Annotated[tuple[Test, ...], Field(min_length=1, max_length=3)]
    remarks: Prose


@router.get("/two-step-plans")
async def list_plans(house: HouseDep, actor: ActorDep) -> list[PlanView]:
    """Every plan, the last proposed first."""
    return await two_steps.list_plans(house, actor)


@router.post("/two-step-plans", status_code=201)
async def propose_plan(body: Plan, house: HouseDep, call: CallDep) -> PlanKept:
    """Propose which tests may come late."""
    content = PlanContent(
        process=body.process,
        process_version=body.process_version,
        protocol=body.protocol,
        protocol_version=body.protocol_version,
        ethics_reference=body.ethics_reference,
        ethics_approved_on=body.ethics_approved_on,
        consent_clause=body.consent_clause,
        pending=tuple(
            LateTest(each.test, each.interim, each.validation, each.days, each.if_positive) for each in body.pending
        ),
    )
    return await two_steps.propose_plan(house, call, content=content)


@router.get("/two-step-plans/{number}")
async def read_plan(number: Number, house: HouseDep, actor: ActorDep) -> PlanView:
    """One plan."""
    return await two_steps.read_plan(house, actor, number=number)


@router.post("/two-step-plans/{number}/sign")
async def decide_plan(number: Number, body: Signed, house: HouseDep, call: CallDep) -> PlanKept:
    """Decide by signature."""
    return await two_steps.decide_plan(house, call, number=number, ceremony=body.ceremony)


@router.post("/samples/{code}/under-way", status_code=201)
async def begin_test(code: Code, body: Begun, house: HouseDep, call: CallDep) -> BegunView:
    """Record that a slow test is under way on a sample."""
    return await two_steps.begin_test(
        house,
        call,
        sample=code,
        test=body.test,
        laboratory=body.laboratory,
        started_at=body.started_at,
        due_at=body.due_at,
    )


@router.get("/lots/{code}/pending")
async def read_two_steps(code: Code, house: HouseDep, actor: ActorDep) -> TwoStepsView:
    """What is pending of a lot, and which physician knows of it."""
    return await two_steps.read_two_steps(house, actor, code=code)


@router.post("/lots/{code}/acknowledgements", status_code=201)
async def acknowledge(code: Code, body: Acknowledgement, house: HouseDep, call: CallDep) -> AcknowledgedView:
    """The treating physician acknowledges what is pending."""
    return await two_steps.acknowledge(house, call, lot=code, tests=body.tests, remarks=body.remarks)


@router.get("/lots/{code}/conditional-release-check")
async def read_judgement(code: Code, request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """How the lot stands before the gate of the first release now; nothing is kept."""
    return JSONResponse(said(request, await release.live_conditional_judgement(house, actor, code=code)))


@router.post("/lots/{code}/conditional-release-check")
async def check_release(code: Code, request: Request, house: HouseDep, call: CallDep) -> JSONResponse:
    """Judge the lot for the first release and keep the judgement."""
    return JSONResponse(said(request, await release.check_conditional_release(house, call, code=code)))


@router.post("/lots/{code}/conditional-release", responses={202: {"description": "Released; its seal is pending."}})
async def release_lot(code: Code, body: Releasing, house: HouseDep, call: CallDep) -> JSONResponse:
    """Release the lot before the results that are pending. The seal is answered as at the release itself."""
    try:
        done = await release.conditionally_release_lot(
            house, call, code=code, digest=body.digest, ceremony=body.ceremony
        )
        answer: dict[str, Any] = said(None, done)
    except Replay as replay:
        answer = dict(replay.answer)
    seal = await release.seal_of(house, entry=answer["entry"], within_s=house.settings.seal_wait_seconds)
    status = 200 if seal.seal == "sealed" else 202
    return JSONResponse({**answer, "seal": seal.seal, "proof": said(None, seal)}, status)
