"""The second door: what has happened is kept, whatever any rule says of it. It opens nothing.

What it touches is put on hold and a deviation is opened, in the same transaction as the record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.db import clearances, colleagues, containers, deviations, happened, holds, items, lots, steps
from app.domain.acts import Act
from app.domain.dossier import DossierUnreadable
from app.domain.errors import BadInput, NotFound
from app.domain.facts import Severity, StepKind
from app.domain.lots import LotAct, LotState
from app.domain.passages import Counts, grown_as_far_as_known, refuse_impossible_times
from app.domain.text import Text
from labels.codes import CodeKind

if TYPE_CHECKING:
    from app.db.door import Call, Change
    from app.db.steps import MaterialUse, Plan
    from app.services.house import House

NOT_COUNTED = Counts()


class What(StrEnum):
    """What happened."""

    ISOLATION = "isolation"
    PASSAGE = "passage"
    FILL = "fill"
    CRYOPRESERVATION = "cryopreservation"
    MATERIAL_USE = "material_use"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody says has happened: the prose, and every fact as far as it is known.

    `performed_by` is a user name, or the words for a person who has none.
    """

    what: What
    said: str
    severity: Severity
    occurred_at: datetime
    lot: str | None = None
    item: str | None = None
    ended_at: datetime | None = None
    performed_by: str | None = None
    verified_by: str | None = None
    workstation: str | None = None
    parents: tuple[str, ...] = ()
    materials: tuple[MaterialUse, ...] = ()
    counts: Counts = NOT_COUNTED
    containers_made: int = 0
    volume_ml: Decimal | None = None
    viable_cells_per_vial: Decimal | None = None
    place: str | None = None
    programme: str | None = None


@dataclass(frozen=True, slots=True)
class HeldView:
    """A hold that was placed by the account."""

    hold: int
    item: str


@dataclass(frozen=True, slots=True)
class HappenedView:
    """What was kept. `rules` would have refused it had they been asked in time."""

    what: What
    deviation: str
    severity: Severity
    rules: tuple[str, ...]
    holds: tuple[HeldView, ...]
    lot: str | None
    state: LotState | None
    step: int | None
    containers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Left:
    """What a record left behind, before the deviation and the holds are told of it."""

    step: int | None = None
    state: LotState | None = None
    containers: tuple[str, ...] = ()


async def record_already_happened(house: House, call: Call, *, account: Account) -> HappenedView:
    """Keep what has happened, hold what it touches, open a deviation: one transaction. No rule refuses it.

    Raises NotFound for a code that names nothing, BadInput for a moment that is yet to come; both say how the
    account can be kept all the same.
    """
    subject = account.lot or account.item or ""
    async with house.door.change(
        call, Act.RECORD_ALREADY_HAPPENED, subject=subject, reason=f"already happened: {account.what}"
    ) as change:
        refuse_impossible_times(started_at=account.occurred_at, ended_at=account.ended_at, now=change.at)
        try:
            return change.answers(await _kept(change, account))
        except NotFound as unknown:
            raise _keepable(unknown) from unknown


async def _kept(change: Change, account: Account) -> HappenedView:
    lot = account.lot or (None if account.item is None else await happened.lot_of(change, code=account.item))
    if lot is None or account.what is What.OTHER:
        return await _told(change, account)
    if account.what is What.MATERIAL_USE:
        return await _material_used(change, account, lot)
    return await _step_made(change, account, lot, StepKind(account.what.value))


def _keepable(unknown: NotFound) -> NotFound:
    return NotFound(
        what=unknown.what,
        why=unknown.why,
        remedy=Text(
            "{remedy} Without it the account can still be kept: as something else, on the nearest thing that carries "
            "a label.",
            remedy=unknown.remedy,
        ),
        detail=unknown.detail,
    )


async def _step_made(change: Change, account: Account, lot: str, kind: StepKind) -> HappenedView:
    plan = await _resolved(change, account, lot, kind)
    rules = await _closing_rules(change, plan)
    number, placed = await _question(change, account, plan.lot, rules, touched=_touched(plan))
    plan = await _at_the_workstation(change, plan, account)
    step_id = await steps.keep(change, plan, await _done(change, plan, account, deviation=number))
    made = await _made(change, plan, account, step_id)
    state = await _moved(change, plan, account)
    kept = _Left(step=step_id, state=state, containers=tuple(made.values()))
    return _view(account, number, rules, placed, lot=plan.lot.code, kept=kept)


async def _material_used(change: Change, account: Account, lot: str) -> HappenedView:
    plan = await _resolved(change, account, lot, StepKind.FILL)
    rules = tuple(each for each in await _closing_rules(change, plan) if each not in _ABOUT_STEPS)
    number, placed = await _question(change, account, plan.lot, rules, touched=_touched(plan))
    step_id = await happened.step_then(change, lot_id=plan.lot.id, at=account.occurred_at)
    await steps.consume(
        change, lot_id=plan.lot.id, step_id=step_id, used_at=account.occurred_at, materials=plan.materials
    )
    met = [each.id for each in plan.parents] or await happened.present(change, lot_id=plan.lot.id) or [plan.lot.id]
    await containers.descend(change, parents=[vessel.id for _, vessel in plan.materials], children=met, step_id=step_id)
    kept = _Left(step=step_id, state=plan.lot.state)
    return _view(account, number, rules, placed, lot=plan.lot.code, kept=kept)


async def _told(change: Change, account: Account) -> HappenedView:
    """Only the account itself: a deviation and a hold on the nearest thing that is known."""
    codes = tuple(dict.fromkeys(code for code in (account.item, account.lot) if code is not None))
    if not codes:
        raise BadInput(
            field="item",
            what=Text("The account was not kept."),
            why=Text("It names nothing that is known here."),
            remedy=Text(
                "Name the nearest thing that carries a label: a container, the lot, the donation, the workstation."
            ),
        )
    await happened.lock(change, codes=codes)
    found = [await items.find(change, code=code) for code in codes]
    deviation_id, number = await deviations.open_one(
        change, item_id=found[0].id, what=account.said, severity=account.severity.value, rules=()
    )
    placed = tuple(
        [
            HeldView(
                await holds.place(change, item_id=each.id, reason=_reason(number), deviation_id=deviation_id), each.code
            )
            for each in found
        ]
    )
    return _view(account, number, (), placed, lot=account.lot, kept=_Left())


async def _resolved(change: Change, account: Account, lot: str, kind: StepKind) -> Plan:
    """Lock whatever will be held or written, in the one order, then read what the codes name."""
    await happened.lock(change, codes=[lot, *account.parents, *(each.container for each in account.materials)])
    return await steps.resolve(
        change,
        lot=lot,
        kind=kind,
        workstation=account.workstation,
        parents=account.parents,
        materials=account.materials,
        started_at=account.occurred_at,
    )


async def _closing_rules(change: Change, plan: Plan) -> tuple[str, ...]:
    """Which rules would have refused it: told to quality, obeyed by nobody here."""
    try:
        answers = await steps.judged(change, plan)
    except DossierUnreadable:
        return ("BOOK",)
    await steps.keep_judgements(change, answers)
    closing = [verdict.rule for answer in answers for verdict in answer.judgement.blocks]
    mixed = any(parent.lot_id != plan.lot.id for parent in plan.parents)
    return tuple(dict.fromkeys([*closing, *(["REL-05"] if mixed else [])]))


async def _question(
    change: Change, account: Account, lot: lots.Lot, rules: tuple[str, ...], *, touched: dict[int, str]
) -> tuple[str, tuple[HeldView, ...]]:
    """Open the deviation on the lot, and hold the lot and everything that was touched."""
    deviation_id, number = await deviations.open_one(
        change, item_id=lot.id, what=account.said, severity=account.severity.value, rules=rules
    )
    placed = [
        HeldView(await holds.place(change, item_id=item_id, reason=_reason(number), deviation_id=deviation_id), code)
        for item_id, code in touched.items()
    ]
    return number, tuple(placed)


def _touched(plan: Plan) -> dict[int, str]:
    """Ids and codes: the lot, containers of other lots, material containers, and the donation that was opened."""
    touched = {plan.lot.id: plan.lot.code}
    touched |= {each.id: each.code for each in plan.parents if each.lot_id != plan.lot.id}
    touched |= {vessel.id: vessel.code for _, vessel in plan.materials}
    if plan.kind is StepKind.ISOLATION and plan.lot.donation_id is not None:
        touched[plan.lot.donation_id] = plan.lot.donation or ""
    return touched


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


async def _done(change: Change, plan: Plan, account: Account, *, deviation: str) -> steps.Done:
    performed_by = (
        None if account.performed_by is None else await colleagues.id_of(change, username=account.performed_by)
    )
    verified_by = None if account.verified_by is None else await colleagues.id_of(change, username=account.verified_by)
    parameters: dict[str, Any] = {
        "deviation": deviation,
        # Where no account stands behind the words, the words are what is known; the recorder is named as performer.
        "performed_by_said": account.performed_by if performed_by is None else None,
        "verified_by_said": account.verified_by if verified_by is None else None,
        "containers_made": account.containers_made,
        "place": account.place,
        "programme": account.programme,
    }
    return steps.Done(
        performed_by=performed_by or change.actor.account_id,
        verified_by=verified_by,
        ended_at=account.ended_at,
        counts=account.counts,
        growth=grown_as_far_as_known(plan.kind, account.counts, cpdl_start=plan.cpdl_start),
        parameters={name: value for name, value in parameters.items() if value is not None},
        happened_anyway=True,
    )


async def _made(change: Change, plan: Plan, account: Account, step_id: int) -> dict[int, str]:
    if plan.kind is StepKind.CRYOPRESERVATION:
        vials = [each.id for each in plan.parents] or await containers.vials_in_use(change, lot_id=plan.lot.id)
        place = None if account.place is None else (await items.find(change, code=account.place)).id
        await containers.store(change, ids=vials, place_id=place)
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


def _view(
    account: Account,
    number: str,
    rules: tuple[str, ...],
    placed: tuple[HeldView, ...],
    *,
    lot: str | None,
    kept: _Left,
) -> HappenedView:
    return HappenedView(
        what=account.what,
        deviation=number,
        severity=account.severity,
        rules=rules,
        holds=placed,
        lot=lot,
        state=kept.state,
        step=kept.step,
        containers=kept.containers,
    )


def _reason(number: str) -> str:
    return f"already happened, see deviation {number}"


_ABOUT_STEPS = frozenset({"CB-05", "GMP-03"})
"""Rules about a step itself, which a single use of a material is not."""
