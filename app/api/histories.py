"""Questionnaires and donors' histories over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Line, Moment, Name, Prose
from app.services import histories
from app.services.histories import (
    Examination,
    HistoryRecordedView,
    HistoryView,
    QuestionnaireDefinedView,
    QuestionnaireView,
    QuestionView,
)

router = APIRouter(prefix=API, tags=["donors"])

Short = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class AQuestion(Body):
    """A question in both languages. `excludes`: the answer that excludes a donor; none where it only informs."""

    code: Short
    en: Line
    zh: Line
    group: Name
    excludes: Literal["yes", "no"] | None = None


class NewQuestionnaire(Body):
    """The next version of a questionnaire."""

    name: Name
    questions: Annotated[tuple[AQuestion, ...], Field(min_length=1, max_length=200)]
    source: Line


class AnExamination(Body):
    """What a physician found."""

    outcome: Literal["suitable", "not_suitable"]
    by: Name
    at: Moment
    findings: Prose | None = None


class NewHistory(Body):
    """What was asked, and what was found."""

    questionnaire: Name
    version: Annotated[int, Field(ge=1, le=100_000)]
    answers: Annotated[dict[Short, Literal["yes", "no", "unknown"]], Field(max_length=200)]
    asked_at: Moment
    examination: AnExamination | None = None


@router.get("/questionnaires")
async def list_questionnaires(house: HouseDep, actor: ActorDep) -> list[QuestionnaireView]:
    """Versions by name, the newest of each first."""
    return await histories.list_questionnaires(house, actor)


@router.post("/questionnaires", status_code=201)
async def define_questionnaire(body: NewQuestionnaire, house: HouseDep, call: CallDep) -> QuestionnaireDefinedView:
    """Define the next version of a questionnaire."""
    questions = [QuestionView(**each.model_dump()) for each in body.questions]
    return await histories.define_questionnaire(house, call, name=body.name, questions=questions, source=body.source)


@router.get("/donors/{code}/histories")
async def read_histories(code: Code, house: HouseDep, actor: ActorDep) -> list[HistoryView]:
    """What was ever asked of a donor, the last recorded first."""
    return await histories.read_histories(house, actor, code=code)


@router.post("/donors/{code}/histories", status_code=201)
async def record_history(code: Code, body: NewHistory, house: HouseDep, call: CallDep) -> HistoryRecordedView:
    """Record a donor's answers and the examination."""
    found = None if body.examination is None else Examination(**body.examination.model_dump())
    return await histories.record_history(
        house,
        call,
        code=code,
        questionnaire=body.questionnaire,
        version=body.version,
        answers=body.answers,
        asked_at=body.asked_at,
        examination=found,
    )
