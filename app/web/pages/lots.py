"""Lots: a list, and each with its story, its growth, and what keeps it from being released."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.domain.acts import Actor
from app.domain.facts import Line, Result
from app.domain.lots import ACT_NAMES, STATE_NAMES, LotAct, LotState
from app.domain.rulebook import OUTCOME_NAMES
from app.domain.scans import KIND_NAMES
from app.domain.testing import fit
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import lots, specifications
from app.services.house import House
from app.services.lots import GrowthView, LotView
from app.services.specifications import SpecificationLine
from app.web.pictures import Curve, growth_curve
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render

router = APIRouter(prefix="/lots", route_class=PageRoute)
PAGE = 50
CONTAINERS_SHOWN = 12

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
DECISIONS = {"accepted": Text("accepted"), "returned": Text("returned")}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a lot's story."""

    at: datetime
    by: str | None
    tone: str
    sign: str
    says: Text


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
        state_names=STATE_NAMES,
        kind_names=LOT_KINDS,
    )


@router.get("/{code}")
async def show_lot(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """One lot."""
    lot = await lots.show_lot(house, who.actor, code=code)
    return await render(
        request,
        "lots/lot.html",
        who=who,
        lot=lot,
        fits=await _fits(house, who.actor, lot),
        curve=_curve(lot),
        passages=[_passage(each) for each in lot.growth],
        events=[_event(each) for each in reversed(lot.timeline)],
        vials=sum(each["kind"] == "vial" and each["state"] == "stored" for each in lot.containers),
        open_deviations=[each for each in lot.deviations if each["state"] == "open"],
        containers_shown=CONTAINERS_SHOWN,
        state_names=STATE_NAMES,
        outcome_names=OUTCOME_NAMES,
        kind_names=LOT_KINDS,
        item_names=KIND_NAMES,
        container_states=CONTAINER_STATES,
        severities=SEVERITIES,
        deviation_states=DEVIATION_STATES,
    )


async def _fits(house: House, actor: Actor, lot: LotView) -> dict[int, str]:
    """How each result stands to its line of the lot's specification, by the result's id; "" where no line is known."""
    lines: dict[str, Line] = {}
    if lot.specification is not None and lot.results:
        asked = lot.specification
        found = await specifications.list_specifications(house, actor, after=(asked.name, asked.version - 1), limit=1)
        lines = {each.test: _line(each) for version in found for each in version.lines}
    return {
        each["id"]: fit(lines[each["test"]], _measured(each)).value if each["test"] in lines else ""
        for each in lot.results
    }


def _line(line: SpecificationLine) -> Line:
    return Line(id=0, **asdict(line))


def _measured(told: Mapping[str, Any]) -> Result:
    number = told["value_number"]
    return Result(
        id=told["id"],
        line_id=None,
        test=told["test"],
        sample=told["sample"],
        value_number=None if number is None else Decimal(str(number)),
        value_text=told["value_text"],
        unit=told["unit"],
        method_version=told["method_version"],
        instrument=told["instrument"],
        analyst=told["analyst"],
        measured_at=told["measured_at"],
        invalidated=told["invalidated"],
        review=None,
    )


def _curve(lot: LotView) -> Curve | None:
    points = [(f"P{each.passage}", each.cpdl) for each in lot.growth if each.cpdl is not None and each.kind != "fill"]
    return growth_curve(points, limit=lot.max_pdl)


def _passage(each: GrowthView) -> Passage:
    return Passage(
        name=Text("Fill") if each.kind == "fill" else f"P{each.passage}",
        viability_percent=each.viability_percent,
        viable_harvested=each.viable_harvested,
        pd=each.pd,
        cpdl=each.cpdl,
        doubling_time_hours=each.doubling_time_hours,
        happened_anyway=each.happened_anyway,
    )


Teller = Callable[[Mapping[str, Any]], tuple[str, str, Text]]


def _moved(detail: Mapping[str, Any]) -> tuple[str, str, Text]:
    state = LotState(detail["state"])
    tone = {
        LotState.RELEASED: "go",
        LotState.APPROVED: "go",
        LotState.REJECTED: "stop",
        LotState.RECALLED: "stop",
        LotState.FAILED_AFTER_RELEASE: "stop",
    }.get(state, "na")
    return (
        tone,
        "arrow-right",
        Text("Lot {act}: {state}", act=ACT_NAMES[LotAct(detail["act"])], state=STATE_NAMES[state]),
    )


def _step(sign: str, name: Text) -> Teller:
    def tell(detail: Mapping[str, Any]) -> tuple[str, str, Text]:
        what = name if detail["passage"] is None else Text("{step} P{passage}", step=name, passage=detail["passage"])
        if detail["happened_anyway"]:
            return "wait", "alert-triangle", Text("{step}, recorded as already happened", step=what)
        return "info", sign, what

    return tell


def _reviewed(name: Text) -> Teller:
    def tell(detail: Mapping[str, Any]) -> tuple[str, str, Text]:
        is_accepted = detail["decision"] == "accepted"
        return (
            "go" if is_accepted else "wait",
            "user-check",
            Text("{what}: {decision}", what=name, decision=DECISIONS[detail["decision"]]),
        )

    return tell


PHASES = {"before": Text("Line cleared before work"), "after": Text("Line cleared after work")}
TELLERS: Mapping[str, Teller] = {
    "move": _moved,
    "isolation": _step("droplet", Text("Isolation")),
    "passage": _step("flask", Text("Passage")),
    "fill": _step("test-pipe", Text("Fill")),
    "cryopreservation": _step("snowflake", Text("Cryopreservation")),
    "line_clearance": lambda detail: ("na", "clipboard-check", PHASES[detail["phase"]]),
    "sample": lambda detail: ("na", "test-pipe", Text("Sample taken: {purpose}", purpose=detail["purpose"])),
    "retain": lambda _: ("na", "archive", Text("Retain sample taken")),
    "result": lambda detail: ("na", "microscope", Text("Result recorded: {test}", test=detail["test"])),
    "result_review": _reviewed(Text("Result reviewed")),
    "batch_review": _reviewed(Text("Batch record reviewed")),
    "deviation": lambda detail: (
        "wait",
        "alert-triangle",
        Text("Deviation {number}: {what}", number=detail["number"], what=detail["what"]),
    ),
    "hold": lambda detail: ("stop", "player-pause", Text("Hold placed: {reason}", reason=detail["reason"])),
    "hold_lifted": lambda detail: ("go", "check", Text("Hold lifted: {reason}", reason=detail["reason"])),
    "release": lambda _: ("go", "signature", Text("Released by signature")),
}


def _event(told: Mapping[str, Any]) -> Event:
    teller = TELLERS.get(told["what"])
    tone, sign, says = (
        teller(told["detail"]) if teller else ("na", "info-circle", Text("{what}", what=str(told["what"])))
    )
    return Event(at=told["at"], by=told["by"], tone=tone, sign=sign, says=says)
