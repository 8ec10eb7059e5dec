"""What came to light later: each fact, everything that it touches, what is held, and what is left to do."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.domain.errors import BadInput, NotFound
from app.domain.impacts import KIND_NAMES, Asked, ImpactKind
from app.domain.lots import STATE_NAMES
from app.domain.rulebook import OUTCOME_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import impacts
from app.services.impacts import Next
from app.web.pages.deviations import asked_of
from app.web.pages.lots import CONTAINER_STATES
from app.web.refusals import PageRoute
from app.web.shell import render

router = APIRouter(prefix="/impacts", route_class=PageRoute)
PAGE = 50
TOUCHED = 200
SOUGHT_MOST = 120
NumberDep = Annotated[str, Path(max_length=40)]

TOUCHED_KINDS = {
    "donation": Text("Donation"),
    "preparation": Text("Preparation"),
    "bank": Text("Cell bank"),
    "material": Text("Material lot"),
}
SUBJECT_PAGES = {"person": "/donors/{code}", "donation": "/donations/{code}", "lot": "/items/{code}"}
TOUCHED_PAGES = {
    "donation": "/donations/{code}",
    "preparation": "/lots/{code}",
    "bank": "/lots/{code}",
    "material": "/materials/{code}",
}
NEXT_NAMES = {
    Next.DECIDE_RECALL: Text("The quality authority decides whether it is recalled; until then it stays held."),
    Next.ASSESS: Text("QA assesses what came to light for this lot; it stays held until that is decided."),
    Next.TELL_THE_PHYSICIAN: Text("Nothing was left to hold; the physician in charge of the recipient is told."),
    Next.DONE: Text("Nothing is left to do here."),
}
ASKED_NAMES = {
    Asked.BOOK: Text("judged by the whole rule book"),
    Asked.RULES_ON_THE_FACT: Text("judged by the rules that read this fact; the lot's page judges it by all"),
}


@router.get("")
async def list_impacts(
    request: Request, house: HouseDep, who: SignedInDep, q: str = "", kind: str = "", after: int | None = None
) -> Response:
    """What came to light, newest first; about a thing or touching it where its label is given."""
    sought = q.strip()[:SOUGHT_MOST]
    asked = asked_of(sought)
    code = asked["lot"] or asked["item"] or asked["sought"]
    chosen = ImpactKind(kind) if kind in KIND_NAMES else None
    try:
        found, older = await impacts.list_impacts(
            house, who.actor, kind=chosen, item=code if sought else None, after=after, limit=PAGE
        )
    except (NotFound, BadInput):
        found, older = [], None
    return await render(
        request,
        "impacts/list.html",
        who=who,
        found=found,
        q=sought,
        kind=chosen or "",
        kind_names=KIND_NAMES,
        next=older,
    )


@router.get("/{number}")
async def show_impact(
    request: Request, house: HouseDep, who: SignedInDep, number: NumberDep, after: int | None = None
) -> Response:
    """One of them, as it can be printed."""
    found = await impacts.show_impact(house, who.actor, number=number, after=after, limit=TOUCHED)
    return await render(
        request,
        "impacts/impact.html",
        who=who,
        impact=found.impact,
        touched=found.touched,
        entry=found.entry,
        next=found.after,
        kind_names=KIND_NAMES,
        touched_kinds=TOUCHED_KINDS,
        touched_pages=TOUCHED_PAGES,
        subject_page=SUBJECT_PAGES.get(found.impact.subject_kind, "/items/{code}").format(code=found.impact.subject),
        next_names=NEXT_NAMES,
        asked_names=ASKED_NAMES,
        outcome_names=OUTCOME_NAMES,
        state_names=STATE_NAMES,
        container_states=CONTAINER_STATES,
    )
