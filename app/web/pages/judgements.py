"""Judgements as they were kept: what the rule book of that day said, and of what."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from app.domain.rulebook import GATE_NAMES, OUTCOME_NAMES
from app.locale import LANGUAGES, language_of
from app.requests import HouseDep, SignedInDep
from app.services import judgements
from app.services.judgements import KeptVerdictView
from app.services.names import printed_names
from app.web.naming import named_verdict, people_in, verdict_texts
from app.web.pages.bench import STEP_NAMES
from app.web.pages.release import ORDER, STANDING_NAMES
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.sources import SECTION_NAMES, SOURCE_NAMES

router = APIRouter(prefix="/judgements", route_class=PageRoute)
NumberDep = Annotated[int, Path(ge=1, lt=2**63)]
AfterDep = Annotated[int | None, Query(ge=1, lt=2**63)]
PAGE = 50
NAMES: dict[str, Any] = {
    "gate_names": GATE_NAMES,
    "step_names": STEP_NAMES,
    "outcome_names": OUTCOME_NAMES,
    "standing_names": STANDING_NAMES,
    "source_names": SOURCE_NAMES,
    "section_names": SECTION_NAMES,
}


@router.get("")
async def list_judgements(
    request: Request, house: HouseDep, who: SignedInDep, item: str = "", after: AfterDep = None
) -> Response:
    """What was judged of a thing and kept, newest first."""
    found = await judgements.list_judgements(house, who.actor, item=item, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    return await render(
        request,
        "judgements/list.html",
        who=who,
        item=item,
        found=shown,
        names=await printed_names(house, who.actor, usernames={each.by for each in shown}),
        next=shown[-1].judgement if len(found) > PAGE else None,
        **NAMES,
    )


@router.get("/{number}")
async def show_judgement(request: Request, house: HouseDep, who: SignedInDep, number: NumberDep) -> Response:
    """One of them, as it was kept."""
    found = await judgements.read_judgement(house, who.actor, number=number)
    people = people_in(text for each in found.verdicts for text in verdict_texts(each))
    names = await printed_names(
        house, who.actor, usernames=people | {found.by} | ({found.signer} if found.signer else set())
    )
    answers = [
        named_verdict(_in_language(each, language_of(request)), names)
        for each in sorted(found.verdicts, key=lambda each: (ORDER.index(each.outcome), each.rule))
    ]
    return await render(
        request,
        "judgements/one.html",
        who=who,
        found=found,
        names=names,
        closing=[each for each in answers if each.closes],
        others=[each for each in answers if not each.closes],
        **NAMES,
    )


def _in_language(verdict: KeptVerdictView, language: str) -> Any:
    """The verdict with its citations in the reader's language; in English where that day's book spoke no other."""
    cites: Any = tuple(
        replace(each, says=each.says.get(language) or each.says[LANGUAGES[0]])  # type: ignore[arg-type]
        for each in verdict.cites
    )
    return replace(verdict, cites=cites)
