"""The rule book as people read it: every rule, where it comes from, what it closes, who may waive it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.domain.acts import ROLE_NAMES, Role
from app.domain.rulebook import GATE_NAMES, Gate
from app.domain.text import Text
from app.locale import gettext_for, language_of
from app.requests import HouseDep, SignedInDep
from app.services import rules
from app.services.rules import RuleView
from app.web.pages.release import STANDING_NAMES
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.sources import SECTION_NAMES, SOURCE_NAMES

router = APIRouter(prefix="/rules", route_class=PageRoute)


@router.get("")
async def show_rules(
    request: Request,
    house: HouseDep,
    who: SignedInDep,
    q: Annotated[str, Query(max_length=100)] = "",
    gate: str = "",
) -> Response:
    """Every rule, or those of a gate, or those in whose words something is found."""
    book = await rules.read_rules(house, who.actor)
    chosen = Gate(gate) if gate in set(Gate) else None
    say = gettext_for(language_of(request))
    sought = q.strip().casefold()
    found = [
        each
        for each in book.rules
        if (chosen is None or chosen.value in each.gates) and (not sought or sought in _words(each, say).casefold())
    ]
    return await render(
        request,
        "rules/list.html",
        who=who,
        version=book.version,
        found=found,
        sought=q,
        chosen=chosen,
        gates=[
            each for each in Gate if any(each.value in rule.gates for rule in book.rules if len(rule.gates) < len(Gate))
        ],
        gate_names={each.value: name for each, name in GATE_NAMES.items()},
        role_names={role.value: ROLE_NAMES[role] for role in Role},
        standing_names={"stated": Text("wording stated"), **STANDING_NAMES},
        source_names=SOURCE_NAMES,
        section_names=SECTION_NAMES,
    )


def _words(rule: RuleView, say: Callable[[str], str]) -> str:
    told = [rule.id, rule.title.translated(say)]
    told += [part for cite in rule.cites for part in (say(cite.source), cite.section, cite.says.translated(say))]
    return " ".join(told)
