"""Release weather of a lot: judged as of its planned harvest or release day. Nothing is decided and nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from app.db import judging, lots, weather
from app.domain.acts import Act, Actor
from app.domain.dossier import parse
from app.domain.errors import BadInput
from app.domain.facts import StepKind
from app.domain.lots import LotState
from app.domain.processing import next_passage
from app.domain.rulebook import Outcome
from app.domain.text import Text
from app.domain.weather import END_NAMES, Ending, EndKind, Turn, forecast, of_the_lot
from app.rules import RULES

if TYPE_CHECKING:
    from sqlalchemy import Row

    from app.services.house import House

COURSE_UNKNOWN = timedelta(days=28)
"""Where the day's field begins as long as no lot of the process tells how long one takes; anybody may choose another."""
YEARS_AHEAD = timedelta(days=20 * 366)
OPEN = frozenset(
    {
        LotState.PLANNED,
        LotState.IN_PROCESS,
        LotState.QUARANTINE,
        LotState.AWAITING_RELEASE,
        LotState.CONDITIONALLY_RELEASED,
    }
)


@dataclass(frozen=True, slots=True)
class EndingView:
    """Something that ends by the day. `ended`: it has already."""

    kind: EndKind
    kind_says: Text
    subject: str
    what: str
    at: datetime
    ended: bool
    person: str | None


@dataclass(frozen=True, slots=True)
class FindingView:
    subject: str
    problem: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class TurnView:
    """A rule that would close. `since_now`: it closes already."""

    rule: str
    title: Text
    gate: str
    outcome: Outcome
    since_now: bool
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True)
class WeatherView:
    """The weather of a lot on a day. `weather`: clear, rain, fog where it cannot be told, settled where nothing is open.

    `untold` are rules that lack a fact which only the day brings: who makes the step, where, with what.

    `day_from`: how the day was found: asked, course (as `lots_before` lots of the process took) or unknown.
    `step` is the step that is expected on the day; None where only the release is left.
    """

    lot: str
    name: str
    state: LotState
    weather: str
    now: datetime
    on: date
    day_from: str
    lots_before: int
    step: StepKind | None
    first: datetime | None
    endings: tuple[EndingView, ...]
    turns: tuple[TurnView, ...]
    untold: tuple[TurnView, ...]


async def read_weather(house: House, actor: Actor, *, code: str, on: date | None) -> WeatherView:
    """What would stand in the way on the day. Raises NotFound, or BadInput for a day that has passed."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot = await lots.find(reading, code=code)
        now = await judging.now(reading)
        expected = await weather.expected(reading, lot_id=lot.id)
        zone = ZoneInfo(expected.zone)
        day, day_from = _day(on, expected, now.astimezone(zone).date(), zone)
        if lot.state not in OPEN:
            return _view(lot, now, day, day_from, expected, step=None, weather="settled")
        at = datetime.combine(day, time(23, 59, 59), tzinfo=zone).astimezone(UTC)
        step = _step(lot.state, expected)
        plan = _plan(lot, step or StepKind.FILL, expected, at)
        dossier = parse(await judging.dossier_of(reading, kind="step", subject_id=lot.id, plan=plan))
    found = forecast(RULES, of_the_lot(dossier), then=dossier if step else None, now=now, on=at, zone=zone)
    return _view(
        lot,
        now,
        day,
        day_from,
        expected,
        step=step,
        weather=found.weather,
        first=found.first,
        endings=tuple(_ending(each, now) for each in found.endings),
        turns=tuple(_turn(each) for each in found.turns),
        untold=tuple(_turn(each) for each in found.untold),
    )


def _view(
    lot: lots.Lot,
    now: datetime,
    day: date,
    day_from: str,
    expected: Row[Any],
    *,
    step: StepKind | None,
    weather: str,
    first: datetime | None = None,
    endings: tuple[EndingView, ...] = (),
    turns: tuple[TurnView, ...] = (),
    untold: tuple[TurnView, ...] = (),
) -> WeatherView:
    return WeatherView(
        lot=lot.code,
        name=lot.name,
        state=lot.state,
        weather=weather,
        now=now,
        on=day,
        day_from=day_from,
        lots_before=expected.lots_before,
        step=step,
        first=first,
        endings=endings,
        turns=turns,
        untold=untold,
    )


def _day(on: date | None, expected: Row[Any], today: date, zone: ZoneInfo) -> tuple[date, str]:
    if on is not None:
        if not today <= on <= today + YEARS_AHEAD:
            raise BadInput(
                field="on",
                what=Text("Nothing was judged."),
                why=Text("{day} does not lie ahead, or too far.", day=on),
                remedy=Text("Choose a day from today on."),
            )
        return on, "asked"
    took, day_from = (expected.usual, "course") if expected.lots_before else (COURSE_UNKNOWN, "unknown")
    began = expected.began_at.astimezone(zone).date() if expected.began_at else today
    # A lot that takes longer than others did is expected soonest: today.
    return max(today, began + timedelta(days=max(0, round(took / timedelta(days=1))))), day_from


def _step(state: LotState, expected: Row[Any]) -> StepKind | None:
    if state is LotState.PLANNED and not expected.begun:
        return StepKind.ISOLATION
    if state in {LotState.PLANNED, LotState.IN_PROCESS}:
        return StepKind.CRYOPRESERVATION if expected.filled else StepKind.FILL
    return None


def _plan(lot: lots.Lot, step: StepKind, expected: Row[Any], at: datetime) -> dict[str, Any]:
    passage = expected.passage
    if lot.passage_convention is not None and step is StepKind.ISOLATION:
        passage = next_passage(kind=step, parent_passage=None, convention=lot.passage_convention)
    return {
        "kind": step.value,
        "passage": passage,
        "workstation_id": expected.workstation_id,
        "material_container_ids": list(expected.material_container_ids),
        "parent_ids": list(expected.parent_ids),
        "equipment_ids": [],
        "performed_by": expected.performed_by,
        "at": at.isoformat(timespec="microseconds"),
    }


def _ending(each: Ending, now: datetime) -> EndingView:
    return EndingView(
        each.kind, END_NAMES[each.kind], each.subject, each.what, each.at, ended=each.at <= now, person=each.person
    )


def _turn(each: Turn) -> TurnView:
    return TurnView(
        rule=each.verdict.rule,
        title=each.verdict.title,
        gate=each.gate.value,
        outcome=each.verdict.outcome,
        since_now=each.since_now,
        findings=tuple(FindingView(one.subject, one.problem, one.remedy) for one in each.verdict.findings),
    )
