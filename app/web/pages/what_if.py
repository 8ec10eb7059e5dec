"""What if? A form of what may be supposed, and both sides beside each other. Nothing is decided here."""

from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.donors import OUTCOME_NAMES as MARKER_NAMES
from app.domain.errors import Refusal
from app.domain.facts import LineKind, MarkerOutcome
from app.domain.rulebook import GATE_NAMES, OUTCOME_NAMES
from app.domain.text import Text
from app.domain.what_if import Supposed
from app.requests import HouseDep, SignedInDep
from app.services import what_if
from app.services.house import House
from app.services.names import printed_names
from app.services.what_if import MarkerOption, WhatIfView
from app.web.fields import Entry, FormView, blank, read_entry
from app.web.naming import people_in, with_names
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render

router = APIRouter(prefix="/lots/{code}/what-if", route_class=PageRoute)
NOTHING = Supposed()


@router.get("")
async def ask(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """What may be supposed of this lot."""
    page = await what_if.suppose(house, who.actor, code=code, supposed=NOTHING)
    return await _shown(request, house, who, page, await blank(request))


@router.post("")
async def answer(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Both sides. Nothing is kept, so the page may be sent again and again."""
    entry = await read_entry(request)
    page = await what_if.suppose(house, who.actor, code=code, supposed=NOTHING)
    supposed = _supposed(entry, page)
    try:
        entry.call(who)  # raises what cannot be read, and another site's form
        page = await what_if.suppose(house, who.actor, code=code, supposed=supposed)
    except Refusal as refusal:
        return await _shown(request, house, who, page, entry.again(refusal))
    return await _shown(request, house, who, page, entry.as_typed(), asked=not supposed.is_nothing)


def field_of(marker: MarkerOption) -> str:
    """The name of a marker's field, whatever its words are made of."""
    return f"marker-{f'{marker.analyte}/{marker.marker}'.encode().hex()}"


def _supposed(entry: Entry, page: WhatIfView) -> Supposed:
    results: dict[int, Decimal | str] = {}
    for line in page.lines:
        name = f"result-{line.line}"
        if line.kind is LineKind.QUANTITATIVE:
            number = entry.optional_amount(name, least=-(10**18))
            if number is not None:
                results[line.line] = number
        elif (words := entry.optional(name)) is not None:
            results[line.line] = words
    markers = {}
    for each in page.markers:
        if (outcome := entry.optional(field_of(each))) is not None:
            entry.one_of(field_of(each), tuple(MarkerOutcome))
            if outcome in set(MarkerOutcome):
                markers[each.analyte, each.marker] = MarkerOutcome(outcome)
    waivable = tuple(each.rule for each in page.waivers)
    waivers = entry.several("waivers", among=waivable) if entry.every("waivers") else []
    pack = entry.optional("pack")
    if pack is not None:
        entry.one_of("pack", tuple(each.pack for each in page.packs))
    return Supposed(
        results=results, markers=markers, waivers=tuple(waivers), pack=pack, at=entry.optional_moment("at", ahead=True)
    )


async def _shown(
    request: Request, house: House, who: SignedIn, page: WhatIfView, form: FormView, *, asked: bool = False
) -> Response:
    texts = [
        text
        for each in page.compared
        for side in (each.now, each.then)
        for finding in side.findings
        for text in (finding.problem, finding.remedy)
    ]
    names = await printed_names(house, who.actor, usernames=people_in(texts)) if texts else {}
    view: dict[str, Any] = {
        "marker_choices": {value.value: MARKER_NAMES[value] for value in MarkerOutcome},
        "waiver_choices": {
            each.rule: Text("{rule} {title}", rule=each.rule, title=each.title) for each in page.waivers
        },
        "pack_choices": {
            each.pack: each.title if each.complete else Text("{title}: incomplete, it opens nothing", title=each.title)
            for each in page.packs
            if not each.chosen
        },
    }
    return await render(
        request,
        "lots/what_if.html",
        status=form.status,
        who=who,
        page=page,
        form=form,
        asked=asked,
        named=lambda text: with_names(text, names),
        field_of=field_of,
        outcome_names=OUTCOME_NAMES,
        gate_names=GATE_NAMES,
        marker_names=MARKER_NAMES,
        **view,
    )
