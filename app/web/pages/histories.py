"""What donors are asked: questionnaires in versions, and one donor's answers with the physician's examination."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.donors import ANSWERS, QUESTION_GROUPS
from app.domain.errors import Refusal
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import donors, histories
from app.services.histories import Examination, QuestionnaireView, QuestionView
from app.services.house import House
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render

router = APIRouter(route_class=PageRoute)
NAME = 120
CODE_LONGEST = 40
PARTS = 5
EXCLUDES = {"yes": "yes", "no": "no", "-": None}
EXAMINATIONS = {
    "suitable": Text("suitable"),
    "not_suitable": Text("not suitable"),
}


@router.get("/questionnaires")
async def list_questionnaires(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Versions by name, the newest of each first, with every question."""
    return await render(
        request,
        "histories/questionnaires.html",
        who=who,
        found=await histories.list_questionnaires(house, who.actor),
        groups=QUESTION_GROUPS,
        answers=ANSWERS,
        may_define=may(who.actor, Act.DEFINE_QUESTIONNAIRE),
    )


@router.get("/questionnaires/new")
async def new_questionnaire(request: Request, house: HouseDep, who: SignedInDep, name: str = "") -> Response:
    """The next version, beginning with what the last one of this name asks."""
    require(who.actor, Act.DEFINE_QUESTIONNAIRE)
    known = await histories.list_questionnaires(house, who.actor)
    last = next((each for each in known if each.is_current and each.name == name), None)
    said = {"name": last.name, "source": last.source, "questions": _lines(last)} if last else {}
    return await _questionnaire_shown(request, who, await blank(request, **said))


@router.post("/questionnaires/new")
async def define_questionnaire(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Define it."""
    require(who.actor, Act.DEFINE_QUESTIONNAIRE)
    entry = await read_entry(request)
    name, source, questions = entry.text("name", most=NAME), entry.text("source"), _questions(entry)
    try:
        call = entry.call(who)
        await once(histories.define_questionnaire(house, call, name=name, questions=questions, source=source))
    except Refusal as refusal:
        return await _questionnaire_shown(request, who, entry.again(refusal))
    return see("/questionnaires")


@router.get("/donors/{code}/histories/new")
async def new_history(
    request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, questionnaire: str = ""
) -> Response:
    """First which questionnaire, where there are several; then its questions."""
    require(who.actor, Act.RECORD_HISTORY)
    form = await blank(request, asked_at=datetime.now(UTC))
    return await _history_shown(request, house, who, code, form, questionnaire)


@router.post("/donors/{code}/histories/new")
async def record_history(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Keep what was answered and found. What was not answered stays unanswered."""
    require(who.actor, Act.RECORD_HISTORY)
    entry = await read_entry(request)
    name = entry.text("questionnaire", most=NAME)
    version = entry.whole("version", least=1, most=100_000)
    answers = {
        field.removeprefix("answer-"): entry.one_of(field, ANSWERS)
        for field in sorted(entry.names())
        if field.startswith("answer-") and entry.optional(field)
    }
    asked_at, examination = entry.moment("asked_at"), _examination(entry)
    try:
        await once(
            histories.record_history(
                house,
                entry.call(who),
                code=code,
                questionnaire=name,
                version=version,
                answers=answers,
                asked_at=asked_at,
                examination=examination,
            )
        )
    except Refusal as refusal:
        return await _history_shown(request, house, who, code, entry.again(refusal), name)
    return see(f"/donors/{code}")


# -- within ------------------------------------------------------------------------------------------------------------


def _lines(version: QuestionnaireView) -> str:
    return "\n".join(
        " | ".join((each.code, each.group, each.excludes or "-", each.en, each.zh)) for each in version.questions
    )


def _questions(entry: Entry) -> list[QuestionView]:
    """A question each line: code | about | answer that excludes (or -) | English | Chinese."""
    read = []
    for line in entry.lines("questions"):
        parts = [each.strip() for each in line.split("|")]
        if len(parts) != PARTS or not all(parts) or parts[2] not in EXCLUDES or not _is_code(parts[0]):
            entry.problem(
                "questions",
                Text("This line cannot be read: {line}", line=line[:200]),
                Text("Write: code | about | yes, no or - | English | Chinese."),
            )
            continue
        read.append(QuestionView(parts[0], parts[3], parts[4], parts[1], EXCLUDES[parts[2]]))
    if not read:
        entry.problem("questions", Text("There is no question."), Text("Write at least one."))
    return read


def _is_code(text: str) -> bool:
    plain = text.replace("_", "a")
    return (
        text[0].isalpha() and plain.isascii() and plain.isalnum() and text == text.lower() and len(text) <= CODE_LONGEST
    )


def _examination(entry: Entry) -> Examination | None:
    outcome, by = entry.optional("examination"), entry.optional("examined_by", most=NAME)
    at, findings = entry.optional_moment("examined_at"), entry.optional("findings", most=8000)
    if outcome is None:
        if by or at or findings:
            entry.problem(
                "examination", Text("It is not said what was found."), Text("Say whether the donor is suitable.")
            )
        return None
    entry.one_of("examination", EXAMINATIONS)
    if by is None:
        entry.problem("examined_by", Text("It is not said who examined the donor."), Text("Name the physician."))
    if at is None:
        entry.problem("examined_at", Text("It is not said when."), Text("State when the donor was examined."))
    return None if by is None or at is None else Examination(outcome, by, at, findings)


async def _questionnaire_shown(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(
        request, "histories/new_questionnaire.html", status=form.status, who=who, form=form, groups=QUESTION_GROUPS
    )


async def _history_shown(
    request: Request, house: House, who: SignedIn, code: str, form: FormView, questionnaire: str
) -> Response:
    donor = await donors.read_donor(house, who.actor, code=code)
    current = [each for each in await histories.list_questionnaires(house, who.actor) if each.is_current]
    chosen = next((each for each in current if each.name == questionnaire), None)
    return await render(
        request,
        "histories/history.html",
        status=form.status,
        who=who,
        form=form,
        donor=donor,
        current=current,
        chosen=chosen or (current[0] if len(current) == 1 else None),
        groups=QUESTION_GROUPS,
        answers=ANSWERS,
        examinations=EXAMINATIONS,
    )
