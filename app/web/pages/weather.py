"""Release weather as a strip on the lot's page, and as a page of its own for any day."""

from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.domain.errors import BadInput
from app.domain.people import TOPIC_NAMES
from app.domain.processing import STEP_NAMES
from app.domain.rulebook import OUTCOME_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import weather
from app.services.names import printed_names
from app.web.naming import named_verdict, people_in, verdict_texts
from app.web.refusals import CodeDep, PageRoute, wants_fragment
from app.web.shell import render

router = APIRouter(prefix="/lots/{code}/weather", route_class=PageRoute)


@router.get("")
async def show_weather(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, on: str = "") -> Response:
    """The weather on a day; without one, on the day that the process tells."""
    found = await weather.read_weather(house, who.actor, code=code, on=_day(on))
    texts = [text for each in found.turns for text in verdict_texts(each)]
    people = people_in(texts) | {each.person for each in found.endings if each.person}
    names = await printed_names(house, who.actor, usernames=people)
    return await render(
        request,
        "lots/_weather.html" if wants_fragment(request) else "lots/weather.html",
        who=who,
        found=found,
        whole=not wants_fragment(request),
        turns=[named_verdict(each, names) for each in found.turns],
        people=names,
        topic_names=TOPIC_NAMES,
        step_names=STEP_NAMES,
        outcome_names=OUTCOME_NAMES,
    )


def _day(typed: str) -> date | None:
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError as error:
        raise BadInput(
            field="on",
            what=Text("Nothing was judged."),
            why=Text("It is not a date."),
            remedy=Text("Write it as 2026-11-22."),
        ) from error
