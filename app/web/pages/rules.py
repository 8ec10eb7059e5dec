"""The rule book as people read it: every rule, where it comes from, what it closes, who may waive it, what stands before it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.convertors import Convertor, register_url_convertor

from app.domain.acts import ROLE_NAMES, Role
from app.domain.errors import NotFound
from app.domain.legacy import ABOUT_NAMES
from app.domain.lots import STATE_NAMES
from app.domain.rulebook import GATE_NAMES, OUTCOME_NAMES, Gate, Standing
from app.domain.text import Text
from app.locale import LANGUAGES, gettext_for
from app.requests import HouseDep, SignedInDep
from app.services import papers, rules
from app.services.papers import Language
from app.services.rules import RuleView
from app.web.doings import first_page
from app.web.pages.release import STANDING_NAMES
from app.web.refusals import PageRoute, wants_fragment
from app.web.shell import render
from app.web.sources import SECTION_NAMES, SOURCE_NAMES


class _RuleId(Convertor[str]):
    """What a rule is called, so that an address of another page is never taken for one."""

    regex = "[A-Z]{2,6}(?:-[0-9]{2}[A-Z]?)?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("rule", _RuleId())
router = APIRouter(prefix="/rules", route_class=PageRoute)

PAGE_BUDGET_S = 0.012
"""So long a page asks about what is open; its script asks for the rest."""
FRAGMENT_BUDGET_S = 0.2
ROWS_OPENED = 12
"""So many that are not closed are shown at once; the others when they are asked for."""
NEVER = "never"

STANDINGS: Mapping[str, Text] = {"stated": Text("wording stated"), **STANDING_NAMES}
SUBJECT_NAMES: Mapping[str, Text] = {
    "lot": Text("Lots that are not released yet"),
    "donation": Text("Donations of which nothing is made yet"),
    "material_lot": Text("Material lots in quarantine"),
}
PATHS: Mapping[str, str] = {
    "lot": "/lots/{code}/release",
    "donation": "/donations/{code}",
    "material_lot": "/materials/{code}",
}
NAMES: dict[str, Any] = {
    "gate_names": {each.value: name for each, name in GATE_NAMES.items()},
    "role_names": {role.value: ROLE_NAMES[role] for role in Role},
    "standing_names": STANDINGS,
    "about_names": ABOUT_NAMES,
    "source_names": SOURCE_NAMES,
    "section_names": SECTION_NAMES,
    "outcome_names": OUTCOME_NAMES,
    "state_names": {each.value: name for each, name in STATE_NAMES.items()},
    "subject_names": SUBJECT_NAMES,
    "paths": PATHS,
    "rows_opened": ROWS_OPENED,
}


@router.get("")
async def show_rules(
    request: Request,
    house: HouseDep,
    who: SignedInDep,
    q: Annotated[str, Query(max_length=100)] = "",
    gate: str = "",
    waiver: str = "",
    standing: str = "",
) -> Response:
    """Every rule, or those of a gate, of a waiver's approver, of a standing, or in whose words all that is sought stands."""
    book = await rules.read_rules(house, who.actor)
    chosen = Gate(gate) if gate in set(Gate) else None
    approver = waiver if waiver == NEVER or waiver in set(Role) else ""
    known = standing if standing in set(Standing) else ""
    sought = q.casefold().split()
    found = [
        each
        for each in book.rules
        if (chosen is None or chosen.value in each.gates)
        and (not approver or (not each.waiver if approver == NEVER else approver in each.waiver))
        and (not known or any(cite.status == known for cite in each.cites))
        and (not sought or _holds(_words(each), sought))
    ]
    return await render(
        request,
        "rules/list.html",
        who=who,
        version=book.version,
        found=found,
        count=len(book.rules),
        sought=q,
        chosen=chosen,
        approver=approver,
        standing=known,
        never=NEVER,
        approvers=[each for each in Role if any(each.value in rule.waiver for rule in book.rules)],
        gates=[
            each for each in Gate if any(each.value in rule.gates for rule in book.rules if len(rule.gates) < len(Gate))
        ],
        settings_path=first_page(request, ("/rules/settings",)),
        **NAMES,
    )


@router.get("/book.pdf")
async def show_book(house: HouseDep, who: SignedInDep, language: Language = Language.ENGLISH) -> Response:
    """The whole book as a paper."""
    made = await papers.rule_book(house, who.actor, language=language)
    headers = {"Content-Disposition": f'inline; filename="{made.number}.pdf"', "Cache-Control": "private, no-store"}
    return Response(made.pdf, media_type="application/pdf", headers=headers)


@router.get("/{rule_id:rule}")
async def show_rule(request: Request, house: HouseDep, who: SignedInDep, rule_id: str) -> Response:
    """One rule: what it asks, on whose word, what would close it, and how what is open stands before it."""
    opened = datetime.now(UTC)
    page = await rules.read_rule(house, who.actor, rule_id=rule_id, budget_s=PAGE_BUDGET_S)
    return await render(
        request,
        "rules/rule.html",
        who=who,
        page=page,
        rule=page.rule,
        state=page.state,
        since=_stamp(opened - rules.FRESH),
        setting_paths={
            each.name: first_page(request, (f"/rules/settings/{each.name}", "/rules/settings"))
            for each in page.settings
        },
        **NAMES,
    )


@router.get("/{rule_id:rule}/open")
async def show_open(
    request: Request, house: HouseDep, who: SignedInDep, rule_id: str, since: float | None = None
) -> Response:
    """How what is open stands before the rule, asked further; the page's script takes it in."""
    wanted = _moment(since)
    state = await rules.read_state(house, who.actor, rule_id=rule_id, older_than=wanted, budget_s=FRAGMENT_BUDGET_S)
    if not wants_fragment(request):
        page = await rules.read_rule(house, who.actor, rule_id=rule_id, budget_s=0)
        return await render(
            request,
            "rules/rule.html",
            who=who,
            page=page,
            rule=page.rule,
            state=state,
            since=_stamp(wanted),
            setting_paths={each.name: None for each in page.settings},
            **NAMES,
        )
    return await render(request, "rules/_open.html", who=who, state=state, since=_stamp(wanted), **NAMES)


def _moment(since: float | None) -> datetime:
    now = datetime.now(UTC)
    # Never from the future: it would be asked without end.
    stamped = now - rules.FRESH if since is None else _read(since)
    return min(stamped, now)


def _read(since: float) -> datetime:
    try:
        return datetime.fromtimestamp(since, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise NotFound(
            what=Text("There is no such page."),
            why=Text("The address may have been typed wrongly."),
            remedy=Text("Search the rule book for its words."),
        ) from error


def _stamp(moment: datetime) -> str:
    return f"{moment.timestamp():.3f}"


def _holds(words: str, sought: Iterable[str]) -> bool:
    return all(each in words for each in sought)


def _words(rule: RuleView) -> str:
    """Everything that is written of a rule, in both languages, so that either finds it."""
    told: list[str] = [rule.id, *rule.settings]
    for language in LANGUAGES:
        say = gettext_for(language)
        told += [rule.title.translated(say), *(each.translated(say) for each in rule.counterexamples)]
        told += [GATE_NAMES[Gate(each)].translated(say) for each in rule.gates if len(rule.gates) < len(Gate)]
        told += [ROLE_NAMES[Role(each)].translated(say) for each in rule.waiver]
        told += [
            part for cite in rule.cites for part in (say(cite.source), say(cite.section), cite.says.translated(say))
        ]
    return " ".join(told).casefold()
