"""Histories: questions in versions, a donor's answers to one version, and what the physician found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.db import donors, histories, impacts
from app.domain.acts import Act, Actor
from app.domain.donors import ANSWERS, QUESTION_GROUPS
from app.domain.errors import BadInput
from app.domain.moments import require_past
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call
    from app.services.house import House

ALL = 200
NOT_DEFINED = Text("The questionnaire was not defined.")


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question in both languages, what it is about, and the answer that excludes, if one does."""

    code: str
    en: str
    zh: str
    group: str
    excludes: str | None


@dataclass(frozen=True, slots=True)
class QuestionnaireView:
    """A version of a questionnaire."""

    name: str
    version: int
    questions: tuple[QuestionView, ...]
    source: str
    defined_by: str
    defined_at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class QuestionnaireDefinedView:
    """The version that was defined."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Examination:
    """What a physician found: suitable or not_suitable, and in which words."""

    outcome: str
    by: str
    at: datetime
    findings: str | None


@dataclass(frozen=True, slots=True)
class HistoryRecordedView:
    """A history that was recorded."""

    history: int
    donor: str
    questionnaire: str
    version: int
    unanswered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HistoryView:
    """What a donor answered, question by question, and what was found."""

    history: int
    questionnaire: str
    version: int
    questions: tuple[QuestionView, ...]
    answers: Mapping[str, str]
    asked_at: datetime
    examination: str | None
    examined_by: str | None
    examined_at: datetime | None
    findings: str | None
    recorded_by: str
    recorded_at: datetime

    @property
    def excluded_by(self) -> tuple[QuestionView, ...]:
        """The questions that were answered as excludes."""
        return tuple(each for each in self.questions if each.excludes and self.answers.get(each.code) == each.excludes)

    @property
    def unanswered(self) -> tuple[QuestionView, ...]:
        """The questions without a yes or no."""
        return tuple(each for each in self.questions if self.answers.get(each.code) not in {"yes", "no"})


async def define_questionnaire(
    house: House, call: Call, *, name: str, questions: Sequence[QuestionView], source: str
) -> QuestionnaireDefinedView:
    """Define the next version of a questionnaire. Raises BadInput for a code that stands twice, or a strange group."""
    async with house.door.change(call, Act.DEFINE_QUESTIONNAIRE, subject=name) as change:
        _refuse_muddle(questions)
        version = await histories.define(
            change, name=name, questions=[asdict(each) for each in questions], source=source
        )
        return change.answers(QuestionnaireDefinedView(name, version))


async def list_questionnaires(house: House, actor: Actor) -> list[QuestionnaireView]:
    """Versions by name, the newest of each first."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        return [_questionnaire(row) for row in await histories.page(reading, limit=ALL)]


async def read_questionnaire(house: House, actor: Actor, *, name: str, version: int) -> QuestionnaireView:
    """One version. Raises NotFound."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        return _questionnaire(await histories.one(reading, name=name, version=version))


async def record_history(
    house: House,
    call: Call,
    *,
    code: str,
    questionnaire: str,
    version: int,
    answers: Mapping[str, str],
    asked_at: datetime,
    examination: Examination | None,
) -> HistoryRecordedView:
    """Record what was asked and found. A question without an answer stays unanswered, and the rules say so.

    What excludes comes to light for everything that was made of the donor's cells.

    Raises NotFound for an unknown donor or version, BadInput for an answer to a question that is not in the version.
    """
    async with house.door.change(call, Act.RECORD_HISTORY, subject=code) as change:
        require_past(asked_at, now=change.at, field="asked_at")
        require_past(examination.at if examination else None, now=change.at, field="examined_at")
        donor = await donors.donor(change, code=code)
        asked = await histories.one(change, name=questionnaire, version=version)
        known = {each["code"] for each in asked.questions}
        for given, answer in answers.items():
            if given not in known or answer not in ANSWERS:
                raise BadInput(
                    field="answers",
                    what=Text("Nothing was recorded."),
                    why=Text("{question}: {answer} is no answer of this version.", question=given, answer=answer),
                    remedy=Text("Answer the questions of the version with one of: {answers}.", answers=tuple(ANSWERS)),
                    rule="DON-08",
                )
        key = await histories.keep(
            change,
            donor=donor.id,
            questionnaire=asked.id,
            answers=answers,
            asked_at=asked_at,
            examined_at=examination.at if examination else None,
            examined_by=examination.by if examination else None,
            examination=examination.outcome if examination else None,
            findings=examination.findings if examination else None,
        )
        await impacts.judge_what_came_to_light(change)
        unanswered = tuple(sorted(each for each in known if answers.get(each) not in {"yes", "no"}))
        return change.answers(HistoryRecordedView(key, code, asked.name, asked.version, unanswered))


async def read_histories(house: House, actor: Actor, *, code: str) -> list[HistoryView]:
    """What was ever asked of a donor, the last recorded first. Raises NotFound."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        donor = await donors.donor(reading, code=code)
        return [_history(row) for row in await histories.of_donor(reading, donor=donor.id)]


def _refuse_muddle(questions: Sequence[QuestionView]) -> None:
    codes = [each.code for each in questions]
    twice = next((each for each in codes if codes.count(each) > 1), None)
    if twice is not None:
        raise BadInput(
            field="questions",
            what=NOT_DEFINED,
            why=Text("The question {code} stands twice.", code=twice),
            remedy=Text("Give each question a code of its own."),
        )
    strange = next((each.group for each in questions if each.group not in QUESTION_GROUPS), None)
    if strange is not None:
        raise BadInput(
            field="questions",
            what=NOT_DEFINED,
            why=Text("There is no group of questions called {group}.", group=strange),
            remedy=Text("Choose one of: {groups}.", groups=tuple(QUESTION_GROUPS)),
        )


def _questions(found: Sequence[Mapping[str, Any]]) -> tuple[QuestionView, ...]:
    return tuple(QuestionView(**each) for each in found)


def _questionnaire(row: Any) -> QuestionnaireView:
    return QuestionnaireView(
        row.name, row.version, _questions(row.questions), row.source, row.defined_by, row.defined_at, row.is_current
    )


def _history(row: Any) -> HistoryView:
    return HistoryView(
        history=row.id,
        questionnaire=row.questionnaire,
        version=row.version,
        questions=_questions(row.questions),
        answers=row.answers,
        asked_at=row.asked_at,
        examination=row.examination,
        examined_by=row.examined_by,
        examined_at=row.examined_at,
        findings=row.findings,
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
    )
