"""The second door: what has happened is kept, whatever any rule says of it. It opens nothing.

What it touches is put on hold and a deviation is opened, in the same transaction as the record. A code that names
nothing here is kept in words, and the deviation stands on the nearest thing that is known.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db import clearances, containers, deviations, happened, holds, lots, steps
from app.db.happened import Account, once, shown
from app.domain.acts import Act
from app.domain.dossier import DossierUnreadable
from app.domain.facts import Severity, StepKind
from app.domain.happened import Unresolved, What, hold_reason, in_words, refuse_impossible_moments
from app.domain.lots import LotAct, LotKind, LotState
from app.domain.passages import grown_as_far_as_known
from labels.codes import CodeKind

if TYPE_CHECKING:
    from app.db.door import Call, Change
    from app.db.happened import Known, Named
    from app.db.steps import Plan, Vessel
    from app.domain.text import JSON
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class OpenedOn:
    """What the deviation stands on. `kind` is the item's, of equipment its own: workstation, facility, freezer..."""

    code: str
    kind: str


@dataclass(frozen=True, slots=True)
class HeldView:
    """A hold that was placed by the account."""

    hold: int
    item: str


@dataclass(frozen=True, slots=True)
class HappenedView:
    """What was kept. `rules` would have refused it had they been asked in time.

    `understood_as` is other where no step could be made of it, `unresolved` what is kept in words alone. Workstations
    and the facility itself are not put on hold: with nothing else known, `holds` is empty.
    """

    what: What
    understood_as: What
    deviation: str
    opened_on: OpenedOn
    severity: Severity
    rules: tuple[str, ...]
    holds: tuple[HeldView, ...]
    unresolved: tuple[Unresolved, ...]
    lot: str | None
    state: LotState | None
    step: int | None
    containers: tuple[str, ...]


class _PartlyKnown(steps.Plan):
    """A step of which some parents are not known: so then is the age of its cells."""

    __slots__ = ()

    @property
    def parent_passage(self) -> int | None:
        """Not known."""
        return None

    @property
    def cpdl_start(self) -> Decimal | None:
        """Not known."""
        return None


@dataclass(frozen=True, slots=True)
class _Left:
    """What a record left behind, before the deviation and the holds are told of it."""

    understood_as: What = What.OTHER
    rules: tuple[str, ...] = ()
    lot: str | None = None
    state: LotState | None = None
    step: int | None = None
    containers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Opened:
    """The deviation, and the holds under it."""

    number: str
    on: Known
    holds: tuple[HeldView, ...]


async def record_already_happened(
    house: House, call: Call, *, account: Account, workstation_id: int | None = None
) -> HappenedView:
    """Keep what has happened, hold what it touches, open a deviation: one transaction. No rule and no code refuses it.

    `workstation_id` is where the session works. Raises BadInput for a moment that cannot be.
    """
    subject = shown(account.lot) or shown(account.item) or ""
    async with house.door.change(
        call, Act.RECORD_ALREADY_HAPPENED, subject=subject, reason=f"already happened: {account.what}"
    ) as change:
        refuse_impossible_moments(occurred_at=account.occurred_at, ended_at=account.ended_at, now=change.at)
        named = await happened.named(change, account, workstation_id=workstation_id)
        return change.answers(await _kept(change, account, named))


async def _kept(change: Change, account: Account, named: Named) -> HappenedView:
    await happened.lock(change, ids=named.to_lock)
    if named.lot is None or account.what is What.OTHER:
        return await _told(change, account, named)
    if account.what is not What.MATERIAL_USE:
        return await _step_made(change, account, named, named.lot, StepKind(account.what.value))
    if named.materials:
        return await _material_used(change, account, named, named.lot)
    return await _told(change, account, named)


# -- what is kept of it ------------------------------------------------------------------------------------------------


async def _step_made(change: Change, account: Account, named: Named, lot: str, kind: StepKind) -> HappenedView:
    plan = await _resolved(change, account, named, lot, kind)
    rules = await _closing_rules(change, plan, named)
    opened = await _opened(change, account, named, rules, on=plan)
    plan = await _at_the_workstation(change, plan, account)
    step_id = await steps.keep(change, plan, _done(change, plan, account, named, deviation=opened.number))
    made = await _made(change, plan, account, named, step_id)
    state = await _moved(change, plan, account)
    left = _Left(account.what, rules, plan.lot.code, state, step_id, tuple(made.values()))
    return _view(account, named, opened, left)


async def _material_used(change: Change, account: Account, named: Named, lot: str) -> HappenedView:
    plan = await _resolved(change, account, named, lot, StepKind.FILL)
    rules = tuple(each for each in await _closing_rules(change, plan, named) if each not in _ABOUT_STEPS)
    opened = await _opened(change, account, named, rules, on=plan)
    step_id = await happened.step_then(change, lot_id=plan.lot.id, at=account.occurred_at)
    await steps.consume(
        change, lot_id=plan.lot.id, step_id=step_id, used_at=account.occurred_at, materials=plan.materials
    )
    met = [each.id for each in plan.parents]
    if not met or named.lacks("parents"):  # which cells it met is not known: then it met all that there are
        met = [*met, *await happened.present(change, lot_id=plan.lot.id)] or [plan.lot.id]
    await containers.descend(change, parents=[vessel.id for _, vessel in plan.materials], children=met, step_id=step_id)
    return _view(account, named, opened, _Left(account.what, rules, plan.lot.code, plan.lot.state, step_id))


async def _told(change: Change, account: Account, named: Named) -> HappenedView:
    """Only the account itself: a deviation on the nearest thing that is known, and holds on what it touches."""
    opened = await _opened(change, account, named, (), on=None)
    return _view(account, named, opened, _Left(lot=named.lot))


async def _resolved(change: Change, account: Account, named: Named, lot: str, kind: StepKind) -> Plan:
    plan = await steps.resolve(
        change,
        lot=lot,
        kind=kind,
        workstation=named.workstation,
        parents=named.parents,
        materials=named.materials,
        started_at=account.occurred_at,
        equipment_codes=() if named.place is None else (named.place.code,),
    )
    # Judged for whoever did it: of somebody who is known by words alone, no qualification is.
    teller = None if named.lacks("performed_by") else change.actor.account_id
    plan = replace(plan, performed_by=named.performed_by or teller)
    if kind is StepKind.ISOLATION or not named.lacks("parents"):
        return plan
    return _PartlyKnown(**{each.name: getattr(plan, each.name) for each in fields(plan)})


async def _closing_rules(change: Change, plan: Plan, named: Named) -> tuple[str, ...]:
    """Which rules would have refused it: told to quality, obeyed by nobody here."""
    try:
        answers = await steps.judged(change, plan)
    except DossierUnreadable:
        return ("BOOK",)
    await steps.keep_judgements(change, answers)
    closing = [verdict.rule for answer in answers for verdict in answer.judgement.blocks]
    if named.lacks("parents") or any(_is_another_s(plan, parent) for parent in plan.parents):
        closing.append("REL-05")
    if plan.kind is StepKind.THAW and any(parent.withdrawn_for != plan.lot.id for parent in plan.parents):
        closing.append("CB-09")
    if named.lacks("materials"):
        closing.append("MAT-06")
    return tuple(dict.fromkeys(closing))


def _is_another_s(plan: Plan, parent: Vessel) -> bool:
    of_a_bank = plan.kind is StepKind.THAW and parent.lot_kind == LotKind.BANK
    return not of_a_bank and parent.lot_id != plan.lot.id


async def _opened(
    change: Change, account: Account, named: Named, rules: tuple[str, ...], *, on: Plan | None
) -> _Opened:
    """Open the deviation on the plan's lot, or without one on the nearest thing known; hold all that was touched."""
    lot = None if on is None else await happened.by_id(change, item_id=on.lot.id)
    touched = once([lot, *named.touched])
    nearest = lot or await _nearest(change, named)
    deviation_id, number = await deviations.open_one(
        change,
        item_id=nearest.id,
        what=in_words(account.said, facts=_facts(change, account), unresolved=named.unresolved),
        severity=account.severity.value,
        rules=rules,
    )
    held = {each.id: each.code for each in _to_hold(touched)}
    if on is not None and on.kind is StepKind.ISOLATION and on.lot.donation_id is not None:
        held[on.lot.donation_id] = on.lot.donation or ""
    reason = hold_reason(deviation=number, said=account.said)
    placed = [
        HeldView(await holds.place(change, item_id=item_id, reason=reason, deviation_id=deviation_id), code)
        for item_id, code in held.items()
    ]
    return _Opened(number, nearest, tuple(placed))


async def _nearest(change: Change, named: Named) -> Known:
    """The first thing that was touched, rather cells or material than equipment; else where it was."""
    known = [*(each for each in named.touched if each.equipment is None), *named.touched, *named.where]
    return known[0] if known else await happened.facility(change)


def _to_hold(touched: tuple[Known, ...]) -> list[Known]:
    """What was touched, but for what the hold on its lot holds already."""
    lots_touched = {each.id for each in touched if each.id == each.lot_id}
    return [
        each for each in touched if each.may_be_held and (each.id == each.lot_id or each.lot_id not in lots_touched)
    ]


async def _at_the_workstation(change: Change, plan: Plan, account: Account) -> Plan:
    """Whose cells were there then, though nobody had opened the workstation for them."""
    if plan.workstation is None or plan.session_id is not None or plan.lot.donor_id is None:
        return plan
    session_id = await clearances.record_session(
        change,
        workstation_id=plan.workstation.id,
        lot_id=plan.lot.id,
        donor_id=plan.lot.donor_id,
        since=account.occurred_at,
        until=account.ended_at or account.occurred_at,
    )
    return replace(plan, session_id=session_id)


def _done(change: Change, plan: Plan, account: Account, named: Named, *, deviation: str) -> steps.Done:
    parameters: dict[str, Any] = {
        "deviation": deviation,
        # Where no account stands behind the words, the words are what is known; the recorder is named as performer.
        "performed_by_said": shown(account.performed_by) if named.performed_by is None else None,
        "verified_by_said": shown(account.verified_by) if named.verified_by is None else None,
        "containers_made": account.containers_made,
        "place": shown(account.place) if named.place is None else named.place.code,
        "programme": account.programme,
    }
    return steps.Done(
        performed_by=named.performed_by or change.actor.account_id,
        verified_by=named.verified_by,
        ended_at=account.ended_at,
        counts=account.counts,
        growth=grown_as_far_as_known(plan.kind, account.counts, cpdl_start=plan.cpdl_start),
        parameters={name: value for name, value in parameters.items() if value is not None},
        happened_anyway=True,
    )


async def _made(change: Change, plan: Plan, account: Account, named: Named, step_id: int) -> dict[int, str]:
    if plan.kind is StepKind.CRYOPRESERVATION:
        # Where vials were named and cannot be made out, nobody knows which are put away.
        vials = [each.id for each in plan.parents]
        if not vials and not named.lacks("parents"):
            vials = await containers.vials_in_use(change, lot_id=plan.lot.id)
        await containers.store(change, ids=vials, place_id=None if named.place is None else named.place.id)
        return {}
    made = await containers.make(
        change,
        lot_id=plan.lot.id,
        code_kind=CodeKind.VIAL if plan.kind is StepKind.FILL else CodeKind.FLASK,
        count=account.containers_made,
        step_id=step_id,
        passage=plan.passage,
        volume_ml=account.volume_ml,
        viable_cells=account.viable_cells_per_vial,
    )
    await containers.inherit(change, plan, step_id=step_id, children=list(made))
    return made


async def _moved(change: Change, plan: Plan, account: Account) -> LotState:
    """Follow the lot to where the hands have brought it. That is a fact, and leads to no permission."""
    state = plan.lot.state
    if state is LotState.PLANNED:
        state = await lots.move_as_happened(change, lot_id=plan.lot.id, act=LotAct.BEGIN)
    if plan.kind is StepKind.CRYOPRESERVATION:
        if plan.lot.expires_at is None:
            frozen_at = account.ended_at or account.occurred_at
            days = plan.lot.shelf_life_days
            await lots.state_expiry(
                change,
                lot_id=plan.lot.id,
                frozen_at=frozen_at,
                expires_at=None if days is None else frozen_at + timedelta(days=days),
            )
        if state is LotState.IN_PROCESS:
            state = await lots.move_as_happened(change, lot_id=plan.lot.id, act=LotAct.FINISH)
    return state


def _facts(change: Change, account: Account) -> dict[str, JSON]:
    """Everything that was given, as it was given: whatever becomes of it elsewhere, the deviation holds it."""
    materials: list[JSON] = [
        {"container": shown(use.container), "quantity": _digits(use.quantity), "unit": use.unit}
        for use in account.materials
    ]
    return {
        "what": account.what.value,
        "occurred_at": account.occurred_at.isoformat(),
        "ended_at": None if account.ended_at is None else account.ended_at.isoformat(),
        "performed_by": shown(account.performed_by) or change.actor.username,
        "verified_by": shown(account.verified_by),
        "item": shown(account.item),
        "lot": shown(account.lot),
        "workstation": shown(account.workstation),
        "parents": [shown(code) for code in account.parents],
        "materials": materials,
        "viable_seeded": _digits(account.counts.viable_seeded),
        "viable_harvested": _digits(account.counts.viable_harvested),
        "dead_harvested": _digits(account.counts.dead_harvested),
        "flasks": account.flasks or None,
        "vials": account.vials or None,
        "volume_ml": _digits(account.volume_ml),
        "viable_cells_per_vial": _digits(account.viable_cells_per_vial),
        "place": shown(account.place),
        "programme": account.programme,
    }


def _digits(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _view(account: Account, named: Named, opened: _Opened, left: _Left) -> HappenedView:
    return HappenedView(
        what=account.what,
        understood_as=left.understood_as,
        deviation=opened.number,
        opened_on=OpenedOn(opened.on.code, opened.on.equipment or opened.on.kind),
        severity=account.severity,
        rules=left.rules,
        holds=opened.holds,
        unresolved=named.unresolved,
        lot=left.lot,
        state=left.state,
        step=left.step,
        containers=left.containers,
    )


_ABOUT_STEPS = frozenset({"CB-05", "GMP-03"})
"""Rules about a step itself, which a single use of a material is not."""
