"""Lots: a list, and each with its growth, its story, its lineage, its containers, and what keeps it from being released."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import ACT_NAMES, Act, may
from app.domain.lots import STATE_NAMES, LotAct, LotState
from app.domain.rulebook import OUTCOME_NAMES, Gate
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from app.locale import gettext_for, language_of
from app.requests import HouseDep, SignedInDep
from app.services import lots
from app.services.lots import GrowthView, LineageGroup, LotHead, LotLineage
from app.services.names import printed_names
from app.web.charts import Counted, bars, growth_curve
from app.web.doings import Way, first_page
from app.web.lineages import Group, lineage
from app.web.naming import named_verdict, people_in, verdict_texts
from app.web.pictures import fitting
from app.web.refusals import CodeDep, PageRoute
from app.web.saying import Voice
from app.web.shell import render, the_facility
from app.web.telling import LANE_NAMES, event, lanes
from app.web.timelines import timeline

router = APIRouter(prefix="/lots", route_class=PageRoute)
PAGE = 50
CONTAINERS_SHOWN = 12
EVENTS_SHOWN = 40
OPENED_AT_MOST = 3
"""Groups of the lineage up to this size show their codes; greater ones when they are asked for."""
CODES_AT_MOST = 60

FILTERS = (
    LotState.IN_PROCESS,
    LotState.QUARANTINE,
    LotState.AWAITING_RELEASE,
    LotState.RELEASED,
    LotState.REJECTED,
    LotState.RECALLED,
)
LOT_KINDS = {"preparation": Text("Preparation"), "bank": Text("Cell bank"), "material": Text("Material lot")}
CONTAINER_STATES = {
    "in_use": Text("in use"),
    "stored": Text("stored"),
    "consumed": Text("used up"),
    "retained": Text("kept as a retain"),
    "sampled": Text("taken for tests"),
    "issued": Text("issued"),
    "destroyed": Text("destroyed"),
}
SEVERITIES = {"minor": Text("minor"), "major": Text("major"), "critical": Text("critical")}
DEVIATION_STATES = {"open": Text("open"), "closed": Text("closed")}
COUNTED_NAMES: Mapping[str, Callable[[int], Text]] = {
    "vial": lambda count: Text("{count} vials", count=count),
    "flask": lambda count: Text("{count} flasks", count=count),
    "bag": lambda count: Text("{count} bags", count=count),
    "sample": lambda count: Text("{count} samples", count=count),
    "retain": lambda count: Text("{count} retains", count=count),
}
SETTLED = frozenset(
    {
        LotState.RELEASED,
        LotState.REJECTED,
        LotState.RECALLED,
        LotState.DESTROYED,
        LotState.FAILED_AFTER_RELEASE,
    }
)
NAMES: dict[str, Any] = {
    "state_names": STATE_NAMES,
    "kind_names": LOT_KINDS,
    "item_names": KIND_NAMES,
    "container_states": CONTAINER_STATES,
}

DOUBLINGS_LEAST = 0.1
CULTURE_LEAST = timedelta(hours=1)
"""Below either, a doubling time says more of the clock or the count than of the cells."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A counted step as the table beside the curve shows it. Doublings are population doublings."""

    name: Text | str
    viability_percent: float | None
    viable_harvested: float | None
    pd: float | None
    cpdl: float | None
    doubling_time_hours: float | None
    happened_anyway: bool


@router.get("")
async def list_lots(
    request: Request, house: HouseDep, who: SignedInDep, state: str = "", after: str | None = None
) -> Response:
    """Lots of cells, newest first, of one state or of all."""
    chosen = LotState(state) if state in set(LotState) else None
    found = await lots.list_lots(house, who.actor, state=chosen, after=after, limit=PAGE)
    return await render(
        request,
        "lots/list.html",
        who=who,
        found=found,
        chosen=chosen,
        filters=FILTERS,
        next=found[-1].code if len(found) == PAGE else None,
        may_plan=may(who.actor, Act.PLAN_LOT),
        **NAMES,
    )


@router.get("/{code}")
async def show_lot(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """One lot."""
    page = await lots.read_overview(house, who.actor, code=code, containers_most=CONTAINERS_SHOWN)
    events = [event(each) for each in reversed(page.timeline) if not _is_said_twice(each)]
    people = people_in(text for block in page.blocks for text in verdict_texts(block))
    names = await printed_names(house, who.actor, usernames=people)
    return await render(
        request,
        "lots/lot.html",
        who=who,
        page=page,
        blocks=[named_verdict(each, names) for each in page.blocks],
        lot=page.head,
        tab="lot",
        growth=_growth(page.growth, limit=page.head.max_pdl),
        events=events[:EVENTS_SHOWN],
        events_left=len(events) - EVENTS_SHOWN,
        vials=sum(each.containers for each in page.counts if (each.kind, each.state) == ("vial", "stored")),
        containers=sum(each.containers for each in page.counts),
        is_settled=page.head.state in SETTLED,
        ways=_ways(request, who, page.head),
        outcome_names=OUTCOME_NAMES,
        to_give=page.gate is Gate.G10,
        severities=SEVERITIES,
        deviation_states=DEVIATION_STATES,
        **NAMES,
    )


@router.get("/{code}/timeline")
async def show_timeline(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """What happened to a lot, as lanes over time and as a list."""
    page = await lots.read_story(house, who.actor, code=code)
    voice = await _voice(request)
    spans, moments = lanes(page.timeline, say=voice.say)
    return await render(
        request,
        "lots/timeline.html",
        who=who,
        lot=page.head,
        tab="timeline",
        picture=timeline(spans, moments, now=page.at, zone=voice.zone),
        events=[event(each) for each in page.timeline if not _is_said_twice(each)],
        lane_names=LANE_NAMES,
        **NAMES,
    )


@router.get("/{code}/lineage")
async def show_lineage(
    request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, opened: str = ""
) -> Response:
    """Where a lot came from and what it consists of; `opened` is the group whose codes are all shown."""
    page = await lots.read_lineage(house, who.actor, code=code, codes_most=CODES_AT_MOST)
    voice = await _voice(request)
    groups = {each.key: _group(each, opened=opened, say=voice.say) for each in page.groups}
    return await render(
        request,
        "lots/lineage.html",
        who=who,
        lot=page.head,
        tab="lineage",
        picture=lineage(tuple(groups.values()), page.edges),
        found=page.groups,
        groups=groups,
        parents=_parents(page),
        opened=opened,
        fitting=fitting,
        truncated=page.truncated,
        **NAMES,
    )


@router.get("/{code}/containers")
async def list_containers(
    request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, kind: str = "", after: str | None = None
) -> Response:
    """A lot's flasks, vials and bags, in the order in which they were made."""
    chosen = kind if kind in KIND_NAMES else None
    page = await lots.read_containers(house, who.actor, code=code, kind=chosen, after=after, limit=PAGE)
    return await render(
        request,
        "lots/containers.html",
        who=who,
        lot=page.head,
        page=page,
        tab="containers",
        chosen=chosen,
        kinds={each.kind: KIND_NAMES[each.kind] for each in page.counts if each.kind in KIND_NAMES},
        next=page.containers[-1]["code"] if len(page.containers) == PAGE else None,
        **NAMES,
    )


# -- growth ------------------------------------------------------------------------------------------------------------


def _growth(steps: tuple[GrowthView, ...], *, limit: float | None) -> dict[str, Any]:
    passages = [_passage(each) for each in steps]
    named = [f"P{each.passage}" if each.kind != "fill" else "" for each in steps]
    cultured = [each for each in steps if each.kind != "fill"]
    doubling = [
        (name, row.doubling_time_hours)
        for name, row, each in zip(named, passages, steps, strict=True)
        if each.kind == "passage"
    ]
    counts = [
        Counted(f"P{each.passage}", each.ended_at or each.started_at, each.cpdl, each.viability_percent, None)
        for each in cultured
    ]
    return {
        "curve": growth_curve(counts, limit=limit),
        "viability": bars(
            [(name or "fill", row.viability_percent) for name, row in zip(named, passages, strict=True)],
            top_value=100.0,
        ),
        "doubling": bars(doubling),
        "passages": passages,
        "is_too_short": any(
            each.doubling_time_hours is not None and row.doubling_time_hours is None
            for each, row in zip(steps, passages, strict=True)
        ),
    }


def _passage(each: GrowthView) -> Passage:
    return Passage(
        name=Text("Fill") if each.kind == "fill" else f"P{each.passage}",
        viability_percent=each.viability_percent,
        viable_harvested=each.viable_harvested,
        pd=each.pd,
        cpdl=each.cpdl,
        doubling_time_hours=each.doubling_time_hours if _tells_doubling(each) else None,
        happened_anyway=each.happened_anyway,
    )


def _tells_doubling(each: GrowthView) -> bool:
    return (
        each.ended_at is not None
        and each.ended_at - each.started_at >= CULTURE_LEAST
        and each.pd is not None
        and each.pd >= DOUBLINGS_LEAST
    )


# -- lineage -----------------------------------------------------------------------------------------------------------

Say = Callable[[Text | str | None], str]


def _group(each: LineageGroup, *, opened: str, say: Say) -> Group:
    is_open = each.count <= OPENED_AT_MOST or each.key == opened
    is_input = each.kind == "material"
    return Group(
        key=each.key,
        kind=each.kind,
        name=say(_group_name(each)),
        says=_group_says(each, say),
        count=each.count,
        codes=each.codes if is_open and each.count > 1 and not is_input else (),
        code=each.lot if is_input or each.kind == "lot" else each.codes[0] if each.count == 1 and each.codes else None,
        is_input=is_input,
    )


def _group_name(each: LineageGroup) -> Text | str:
    match each.kind:
        case "material":
            return each.material or each.lot_name or ""
        case "person":
            return each.pseudonym or ""
        case "lot":
            return each.lot_name or ""
        case kind if each.count > 1 and kind in COUNTED_NAMES:
            return COUNTED_NAMES[kind](each.count)
        case kind:
            return KIND_NAMES.get(kind, Text("{kind}", kind=kind))


def _group_says(each: LineageGroup, say: Say) -> str:
    parts: list[str] = []
    if each.kind == "person":
        parts.append(say(Text("donor")))
    elif each.kind == "material":
        parts.append(each.lot_name or "")
    elif each.kind == "donation":
        parts.append(each.tissue or "")
    elif each.kind == "retain":
        parts.append(say(RETAIN_NAMES.get(each.retain_kind or "", "")))
    elif each.kind == "sample":
        parts.append(each.purpose or "")
    elif each.passage is not None:
        parts.append(f"P{each.passage}")
    parts += [
        say(CONTAINER_STATES[state]) for state in each.states if state in CONTAINER_STATES and not _is_input(each)
    ]
    return " · ".join(part for part in parts if part)


def _is_input(each: LineageGroup) -> bool:
    return each.kind == "material"


RETAIN_NAMES = {
    "starting_material": Text("of the starting material"),
    "final_product": Text("of the final product"),
    "reagent": Text("of a reagent"),
}


def _parents(page: LotLineage) -> dict[str, list[str]]:
    known = {each.key for each in page.groups}
    found: dict[str, list[str]] = {}
    for parent, child in page.edges:
        if parent in known and child in known:
            found.setdefault(child, []).append(parent)
    return found


# -- what may be done --------------------------------------------------------------------------------------------------

MOVES: tuple[tuple[LotAct, Act, str, tuple[str, ...]], ...] = (
    (LotAct.SUBMIT, Act.SUBMIT_LOT, "arrow-right", ("/lots/{code}/moves/submit",)),
    (LotAct.SEND_BACK, Act.SEND_LOT_BACK, "arrow-back-up", ("/lots/{code}/moves/send-back",)),
    (LotAct.REJECT, Act.REJECT_LOT, "x", ("/lots/{code}/rejection",)),
    (LotAct.RECALL, Act.RECALL_LOT, "hand-stop", ("/lots/{code}/moves/recall",)),
    (LotAct.DESTROY, Act.DESTROY_LOT, "trash", ("/lots/{code}/moves/destroy",)),
)
"""Moves that a page of the lot leads to. Release has a page of its own; begin and finish happen by steps."""
IN_STATE: tuple[tuple[Act, frozenset[LotState], str, Text | None, tuple[str, ...]], ...] = (
    (
        Act.ISOLATE,
        frozenset({LotState.PLANNED, LotState.IN_PROCESS}),
        "scan",
        Text("Work on it at the bench"),
        ("/bench",),
    ),
    (
        Act.CRYOPRESERVE,
        frozenset({LotState.IN_PROCESS}),
        "snowflake",
        Text("Freeze its vials"),
        ("/bench/steps/cryopreservation/{code}",),
    ),
    (
        Act.TAKE_SAMPLE,
        frozenset({LotState.IN_PROCESS, LotState.QUARANTINE, LotState.AWAITING_RELEASE}),
        "test-pipe",
        None,
        ("/lots/{code}/sample",),
    ),
    (
        Act.TAKE_RETAIN,
        frozenset({LotState.IN_PROCESS, LotState.QUARANTINE, LotState.AWAITING_RELEASE}),
        "archive",
        None,
        ("/lots/{code}/retain",),
    ),
    (
        Act.RECORD_TRANSPORT,
        frozenset({LotState.IN_PROCESS, LotState.QUARANTINE, LotState.AWAITING_RELEASE, LotState.RELEASED}),
        "package",
        None,
        ("/lots/{code}/transport",),
    ),
    (
        Act.NAME_MAKER,
        frozenset({LotState.PLANNED, LotState.IN_PROCESS, LotState.QUARANTINE, LotState.AWAITING_RELEASE}),
        "package",
        None,
        ("/lots/{code}/maker",),
    ),
    (
        Act.REQUEST_EXCEPTIONAL_SUPPLY,
        frozenset(LotState) - {LotState.PLANNED, LotState.IN_PROCESS, LotState.DESTROYED},
        "alert-triangle",
        None,
        ("/lots/{code}/exception",),
    ),
    (
        Act.DECIDE_EXCEPTIONAL_SUPPLY,
        frozenset(LotState) - {LotState.PLANNED, LotState.IN_PROCESS, LotState.DESTROYED},
        "alert-triangle",
        None,
        ("/lots/{code}/exception",),
    ),
    (
        Act.REVIEW_BATCH,
        frozenset({LotState.QUARANTINE, LotState.AWAITING_RELEASE}),
        "clipboard-check",
        None,
        ("/lots/{code}/batch",),
    ),
)


def _ways(request: Request, who: SignedIn, lot: LotHead) -> list[Way]:
    """What this person may do with the lot as it stands, and where."""
    offered = [
        (name or ACT_NAMES[act], icon, paths)
        for act, states, icon, name, paths in IN_STATE
        if lot.state in states and may(who.actor, act)
    ]
    offered += [
        (ACT_NAMES[act], icon, paths) for move, act, icon, paths in MOVES if move in lot.acts and may(who.actor, act)
    ]
    found: list[Way] = []
    for name, icon, paths in offered:
        path = first_page(request, tuple(each.replace("{code}", lot.code) for each in paths))
        if path is not None:
            found.append(Way(name, icon, path))
    return found


def _is_said_twice(told: Any) -> bool:
    """The move of a release is said by its signature."""
    return bool(told["what"] == "move" and told["detail"]["act"] == LotAct.RELEASE.value)


async def _voice(request: Request) -> Voice:
    zone = (await the_facility(request)).zone
    return Voice(gettext=gettext_for(language_of(request)), zone=zone)
