"""Why is this blocked? One page for anything that carries a label: holds, findings, citations, evidence, remedies."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.domain.lots import STATE_NAMES
from app.domain.rulebook import GATE_NAMES, OUTCOME_NAMES
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import why
from app.services.names import printed_names
from app.web.naming import named_verdict, people_in, verdict_texts
from app.web.pages.release import ORDER, STANDING_NAMES
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from app.web.sources import SECTION_NAMES, SOURCE_NAMES

router = APIRouter(prefix="/why", route_class=PageRoute)

SUBJECTS: dict[str, tuple[Text, str]] = {
    "lot": (Text("Lot"), "/lots/{code}"),
    "material_lot": (Text("Material lot"), "/materials/{code}"),
    "donation": (Text("Donation"), "/donations/{code}"),
    "bank_vial": (Text("Cell bank"), "/banks/{code}"),
}
NAMES: dict[str, Any] = {
    "gate_names": GATE_NAMES,
    "outcome_names": OUTCOME_NAMES,
    "standing_names": STANDING_NAMES,
    "source_names": SOURCE_NAMES,
    "section_names": SECTION_NAMES,
    "state_names": {each.value: name for each, name in STATE_NAMES.items()},
    "item_names": KIND_NAMES,
    "subjects": SUBJECTS,
}


@router.get("/{code}")
async def show_why(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """What stands against it this moment, what closes first."""
    found = await why.read_why(house, who.actor, code=code)
    people = people_in(text for each in found.answers for text in verdict_texts(each))
    names = await printed_names(house, who.actor, usernames=people)
    answers = [
        named_verdict(each, names)
        for each in sorted(found.answers, key=lambda each: (ORDER.index(each.outcome), each.rule))
    ]
    return await render(
        request,
        "why/page.html",
        who=who,
        found=found,
        closing=[each for each in answers if each.closes],
        others=[each for each in answers if not each.closes],
        **NAMES,
    )
