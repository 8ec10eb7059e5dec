"""The steps of a preparation's life: isolation, passages, fill, cryopreservation. Each judged before it counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import banks, containers, equipment, items, lots, steps
from app.domain.acts import Act
from app.domain.errors import Conflict, Held, IllegalMove, NotFound
from app.domain.facts import StepKind
from app.domain.lots import STATE_NAMES, LotAct, LotKind, LotState, move
from app.domain.moments import require_order, require_past
from app.domain.passages import Counts, Growth, grown, refuse_impossible_times
from app.domain.rows import require_once_each
from app.domain.scans import GONE, KIND_NAMES
from app.domain.text import Text
from app.domain.units import AMOUNTS, known_unit
from labels.codes import CodeKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Call, Change
    from app.db.steps import MaterialUse, Plan, Vessel
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a step is made, from what, and when. `counter` is what the cells were counted with, where it was named."""

    workstation: str | None
    parents: tuple[str, ...]
    materials: tuple[MaterialUse, ...]
    started_at: datetime
    ended_at: datetime
    counter: str | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as it was kept, and the containers that it made; a second person has yet to verify it.

    `pd` and `cpdl` are population doublings.
    """

    lot: str
    name: str
    state: LotState
    step: int
    kind: StepKind
    passage: int | None
    viability_percent: float | None
    pd: float | None
    cpdl: float | None
    expires_at: datetime | None
    containers: tuple[str, ...]


async def isolate(
    house: House, call: Call, *, lot: str, bench: Bench, counts: Counts, flasks: int, p0_pd_estimated: Decimal | None
) -> StepView:
    """Begin the primary culture from the donation. The lot goes from planned to in process.

    Raises Blocked when a rule closes the donation's or the step's gate, IllegalMove when the lot is begun already.
    """
    async with house.door.change(call, Act.ISOLATE, subject=lot) as change:
        plan = await _ready(change, lot=lot, kind=StepKind.ISOLATION, bench=bench)
        done = _done(change, plan, bench, counts, {"flasks": flasks, "p0_pd_estimated": p0_pd_estimated})
        step_id = await steps.keep(change, plan, done)
        state = await lots.move(change, lot_id=plan.lot.id, act=LotAct.BEGIN)
        made = await _flasks(change, plan, step_id, flasks)
        return change.answers(_view(plan, step_id, done.growth, state=state, made=made))


async def thaw(house: House, call: Call, *, lot: str, bench: Bench, counts: Counts, flasks: int) -> StepView:
    """Thaw vials that were withdrawn for the lot, and seed their cells, one passage further. The lot is in process then.

    Doublings and passage go on from the vials. Raises Conflict for a vial that was not withdrawn for this lot (CB-09).
    """
    steps.refuse_nothing(bench.parents, field_name="parents", of=Text("vial"))
    async with house.door.change(call, Act.THAW, subject=lot) as change:
        plan = await _ready(change, lot=lot, kind=StepKind.THAW, bench=bench)
        done = _done(change, plan, bench, counts, {"flasks": flasks})
        step_id = await steps.keep(change, plan, done)
        state = await lots.move(change, lot_id=plan.lot.id, act=LotAct.BEGIN)
        made = await _flasks(change, plan, step_id, flasks)
        return change.answers(_view(plan, step_id, done.growth, state=state, made=made))


async def passage(house: House, call: Call, *, lot: str, bench: Bench, counts: Counts, flasks: int) -> StepView:
    """Harvest flasks and seed their cells into new ones, one passage further.

    Raises Blocked above the process version's limit (CB-05), Conflict when a parent is used up already.
    """
    steps.refuse_nothing(bench.parents, field_name="parents", of=Text("flask"))
    async with house.door.change(call, Act.PASSAGE, subject=lot) as change:
        plan = await _ready(change, lot=lot, kind=StepKind.PASSAGE, bench=bench)
        done = _done(change, plan, bench, counts, {"flasks": flasks})
        step_id = await steps.keep(change, plan, done)
        made = await _flasks(change, plan, step_id, flasks)
        return change.answers(_view(plan, step_id, done.growth, state=plan.lot.state, made=made))


async def fill(
    house: House,
    call: Call,
    *,
    lot: str,
    bench: Bench,
    counts: Counts,
    vials: int,
    volume_ml: Decimal,
    viable_cells_per_vial: Decimal,
) -> StepView:
    """Fill the harvest of flasks into vials, each with a code of its own. Raises as `passage` does."""
    steps.refuse_nothing(bench.parents, field_name="parents", of=Text("flask"))
    async with house.door.change(call, Act.FILL, subject=lot) as change:
        plan = await _ready(change, lot=lot, kind=StepKind.FILL, bench=bench)
        done = _done(change, plan, bench, counts, {"vials": vials})
        step_id = await steps.keep(change, plan, done)
        made = await containers.make(
            change,
            lot_id=plan.lot.id,
            code_kind=CodeKind.VIAL,
            count=vials,
            step_id=step_id,
            passage=plan.passage,
            volume_ml=volume_ml,
            viable_cells=viable_cells_per_vial,
        )
        await containers.inherit(change, plan, step_id=step_id, children=list(made))
        return change.answers(_view(plan, step_id, done.growth, state=plan.lot.state, made=made))


async def cryopreserve(
    house: House, call: Call, *, lot: str, bench: Bench, place: str, programme: str, ended: str = "ended_at"
) -> StepView:
    """Freeze the lot's vials and put them away. The lot goes to quarantine and its expiry is stated.

    `bench.parents` are the vials; none means every vial of the lot. Frozen when the step ended; `ended` is what the
    asker calls that moment.
    """
    async with house.door.change(call, Act.CRYOPRESERVE, subject=lot) as change:
        require_past(bench.started_at, now=change.at, field="started_at")
        require_past(bench.ended_at, now=change.at, field=ended)
        require_order(earlier=bench.started_at, later=bench.ended_at, field=ended)
        cold = await _place(change, code=place)
        plan = await _ready(change, lot=lot, kind=StepKind.CRYOPRESERVATION, bench=bench, place=cold.code)
        vials = [each.id for each in plan.parents] or await containers.vials_in_use(change, lot_id=plan.lot.id)
        if not vials:
            raise Conflict(
                what=Text("Nothing was recorded."),
                why=Text("{lot} has no vial that could be frozen.", lot=plan.lot.name),
                remedy=Text("Record the fill first."),
            )
        done = _done(change, plan, bench, Counts(), {"programme": programme, "place": cold.code})
        step_id = await steps.keep(change, plan, done)
        await containers.store(change, ids=vials, place_id=cold.id)
        if plan.lot.kind is LotKind.BANK:
            await banks.keep_place(change, vials=vials, place_id=cold.id, stored_at=bench.ended_at)
        days = plan.lot.shelf_life_days
        expires_at = None if days is None else bench.ended_at + timedelta(days=days)
        await lots.state_expiry(change, lot_id=plan.lot.id, frozen_at=bench.ended_at, expires_at=expires_at)
        state = await lots.move(change, lot_id=plan.lot.id, act=LotAct.FINISH)
        return change.answers(_view(plan, step_id, done.growth, state=state, made={}, expires_at=expires_at))


async def _ready(change: Change, *, lot: str, kind: StepKind, bench: Bench, place: str | None = None) -> Plan:
    """Lock, resolve, and let the rule book speak; then look at the containers themselves. Keeps the judgements."""
    refuse_impossible_times(started_at=bench.started_at, ended_at=bench.ended_at, now=change.at)
    require_once_each([(each.container, each.container) for each in bench.materials], field="materials")
    materials = tuple(
        replace(each, unit=known_unit(each.unit or "", among=AMOUNTS, field=f"materials.{row}.unit"))
        for row, each in enumerate(bench.materials)
    )
    await steps.lock(change, lot=lot, materials=materials)
    if bench.counter is not None:
        await equipment.counter(change, code=bench.counter)
    plan = await steps.resolve(
        change,
        lot=lot,
        kind=kind,
        workstation=bench.workstation,
        parents=bench.parents,
        materials=materials,
        started_at=bench.started_at,
        equipment_codes=[each for each in (place, bench.counter) if each is not None],
    )
    _refuse_wrong_state(plan)
    answers = await steps.judged(change, plan)
    for answer in answers:
        if not answer.judgement.is_open:
            raise answer.judgement.refusal()
    for parent in plan.parents:
        _refuse_parent(plan, parent)
    for _, bottle in plan.materials:
        _refuse_material(bottle)
    await steps.keep_judgements(change, answers)
    return plan


def _done(change: Change, plan: Plan, bench: Bench, counts: Counts, parameters: Mapping[str, object]) -> steps.Done:
    return steps.Done(
        performed_by=change.actor.account_id,
        verified_by=None,
        ended_at=bench.ended_at,
        counts=counts,
        growth=grown(plan.kind, counts, cpdl_start=plan.cpdl_start),
        parameters={**parameters, **({} if bench.counter is None else {"counter": bench.counter})},
    )


async def _flasks(change: Change, plan: Plan, step_id: int, count: int) -> dict[int, str]:
    made = await containers.make(
        change,
        lot_id=plan.lot.id,
        code_kind=CodeKind.FLASK,
        count=count,
        step_id=step_id,
        passage=plan.passage,
    )
    await containers.inherit(change, plan, step_id=step_id, children=list(made))
    return made


async def _place(change: Change, *, code: str) -> items.Item:
    place = await items.find(change, code=code)
    if place.kind not in {"equipment", "shelf", "position"}:
        raise NotFound(
            what=Text("{code} is no place.", code=code),
            why=Text("This is: {found}. A freezer, shelf or position is needed.", found=KIND_NAMES[place.kind]),
            remedy=Text("Scan the label of the place."),
        )
    return place


def _refuse_wrong_state(plan: Plan) -> None:
    match plan.kind:
        case StepKind.ISOLATION | StepKind.THAW:
            move(plan.lot.kind, plan.lot.state, LotAct.BEGIN)
        case StepKind.CRYOPRESERVATION:
            move(plan.lot.kind, plan.lot.state, LotAct.FINISH)
        case StepKind.PASSAGE | StepKind.FILL if plan.lot.state is not LotState.IN_PROCESS:
            raise IllegalMove(
                what=Text("Nothing was recorded."),
                why=Text("{lot} is {state}, not in process.", lot=plan.lot.name, state=STATE_NAMES[plan.lot.state]),
                remedy=Text("If it was done all the same, record it as already happened."),
                detail={"state": plan.lot.state.value},
            )


def _refuse_parent(plan: Plan, parent: Vessel) -> None:
    if plan.kind is StepKind.THAW:
        _refuse_not_withdrawn(plan, parent)
    elif parent.lot_id != plan.lot.id:
        raise Conflict(
            what=Text("Nothing was recorded."),
            why=Text(
                "{code} belongs to {other}, not to {lot}.",
                code=parent.code,
                other=parent.lot_name or "",
                lot=plan.lot.name,
            ),
            remedy=Text("Set both apart and scan again. If cells were mixed, record it as already happened."),
            rule="REL-05",
            detail={"code": parent.code},
        )
    _refuse_gone(parent)


def _refuse_not_withdrawn(plan: Plan, vial: Vessel) -> None:
    if vial.withdrawn_for != plan.lot.id:
        raise Conflict(
            what=Text("Nothing was recorded."),
            why=Text("{code} was not withdrawn from a bank for {lot}.", code=vial.code, lot=plan.lot.name),
            remedy=Text("Withdraw the vial for this lot first. If it was thawed, record it as already happened."),
            rule="CB-09",
            detail={"code": vial.code},
        )


def _refuse_material(bottle: Vessel) -> None:
    if bottle.lot_kind != "material":
        raise Conflict(
            what=Text("Nothing was recorded."),
            why=Text("{code} belongs to no material lot.", code=bottle.code),
            remedy=Text("Take a container of an approved material lot."),
            rule="MAT-06",
            detail={"code": bottle.code},
        )
    _refuse_gone(bottle)


def _refuse_gone(vessel: Vessel) -> None:
    if vessel.held is not None:
        raise Held(
            what=Text("Nothing was recorded."),
            why=Text("{code} is on hold: {reason}", code=vessel.code, reason=vessel.held),
            remedy=Text("Set it apart; the QA manager investigates and decides."),
            detail={"code": vessel.code},
        )
    if vessel.state in GONE:
        raise Conflict(
            what=Text("Nothing was recorded."),
            why=Text("{code}: {problem}", code=vessel.code, problem=GONE[vessel.state]),
            remedy=Text("Scan what is really in hand. If it was used all the same, record it as already happened."),
            detail={"code": vessel.code, "state": vessel.state},
        )


def _view(
    plan: Plan,
    step_id: int,
    growth: Growth,
    *,
    state: LotState,
    made: Mapping[int, str],
    expires_at: datetime | None = None,
) -> StepView:
    return StepView(
        lot=plan.lot.code,
        name=plan.lot.name,
        state=state,
        step=step_id,
        kind=plan.kind,
        passage=plan.passage,
        viability_percent=_float(growth.viability_percent),
        pd=_float(growth.pd),
        cpdl=_float(growth.cpdl),
        expires_at=expires_at,
        containers=tuple(made.values()),
    )


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
