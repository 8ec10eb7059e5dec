"""Lots that a partner makes: who makes them, the partner's papers, and its steps out of its batch record.

What a partner certifies is an input. Entering it opens nothing: every rule judges it when the lot is to be released.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import containers, impacts, items, lots, partner_lots, partners, steps
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, Conflict
from app.domain.facts import StepKind
from app.domain.lots import LotAct, LotState
from app.domain.moments import require_order, require_past
from app.domain.partners import COVERED_NAMES
from app.domain.passages import Counts, grown, refuse_impossible_times
from app.domain.processing import STEP_NAMES, next_passage
from app.domain.rows import require_once_each
from app.domain.text import Text
from app.domain.units import AMOUNTS, known_unit
from labels.codes import CodeKind

if TYPE_CHECKING:
    from app.db.door import Call, Change, Reading
    from app.db.steps import MaterialUse
    from app.services.house import House

NOT_RECORDED = Text("Nothing was recorded.")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FIRST = StepKind.ISOLATION
_LAST = StepKind.CRYOPRESERVATION


@dataclass(frozen=True, slots=True)
class Paper:
    """A partner's paper: whether it speaks for the lot, and what a release states of the partner's own house."""

    kind: str
    reference: str
    conforms: bool
    covers: tuple[str, ...]
    signed_by: str
    signed_at: datetime
    file_name: str
    file_sha256: str


@dataclass(frozen=True, slots=True)
class Told:
    """How the partner's batch record tells a step: its people in its own words, and on which page."""

    workstation: str | None
    one_donor: bool | None
    performed_by: str
    verified_by: str | None
    verified_at: datetime | None
    cleared_at: datetime | None
    cleared_by: str | None
    clearance_verified_by: str | None
    clearance_verified_at: datetime | None
    page: str


@dataclass(frozen=True, slots=True)
class StepTold:
    """A step of the partner's. `vials`, `volume_ml` and `viable_cells_per_vial` belong to a fill, `place` to the freezing."""

    kind: StepKind
    started_at: datetime
    ended_at: datetime
    counts: Counts
    materials: tuple[MaterialUse, ...]
    vials: int
    volume_ml: Decimal | None
    viable_cells_per_vial: Decimal | None
    place: str | None
    told: Told


@dataclass(frozen=True, slots=True)
class MakerKeptView:
    """Something that was recorded about a lot that a partner made. `record` is its number, where it has one."""

    lot: str
    record: int | None


@dataclass(frozen=True, slots=True)
class PartnerStepView:
    """A partner's step as it was kept. `pd` and `cpdl` are population doublings."""

    lot: str
    step: int
    kind: StepKind
    state: LotState
    passage: int | None
    pd: float | None
    cpdl: float | None
    containers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MakerView:
    """Which partner makes a lot, and under which number there."""

    partner: str
    lot_number: str
    process: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PaperView:
    """A partner's paper as it was recorded."""

    paper: int
    kind: str
    reference: str
    conforms: bool
    covers: tuple[str, ...]
    signed_by: str
    signed_at: datetime
    file_name: str
    file_sha256: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step that the partner made, in a list."""

    step: int
    kind: str
    passage: int | None
    started_at: datetime
    ended_at: datetime | None
    pd: Decimal | None
    cpdl: Decimal | None
    performed_by: str
    verified_by: str | None
    verified_at: datetime | None
    workstation: str | None
    one_donor: bool | None
    cleared_at: datetime | None
    clearance_verified_by: str | None
    page: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class MakingView:
    """Everything about a lot's making by a partner; `maker` is None where this house makes it."""

    lot: str
    name: str
    state: LotState
    maker: MakerView | None
    papers: tuple[PaperView, ...]
    steps: tuple[StepLine, ...]


async def name_maker(
    house: House, call: Call, *, lot: str, partner: str, lot_number: str, process: str
) -> MakerKeptView:
    """Say that a partner makes the lot, before its work begins. Raises NotFound, BadInput, Conflict."""
    async with house.door.change(call, Act.NAME_MAKER, subject=lot) as change:
        found = await lots.find(change, code=lot)
        kinds = {each.name: each for each in await partners.page(change, limit=1000)}
        known = kinds.get(partner)
        if known is None or known.kind != "preparation":
            raise _bad(
                "partner",
                Text("No partner called {name} that prepares cells is registered.", name=partner),
                Text("Register the partner first, or choose one of the list."),
            )
        if found.state is not LotState.PLANNED:
            raise Conflict(
                what=NOT_RECORDED,
                why=Text("Work on {lot} has begun.", lot=found.name),
                remedy=Text("Who makes a lot is stated while it is planned. Record what happened as already happened."),
            )
        await partner_lots.name(change, lot_id=found.id, partner_id=known.id, lot_number=lot_number, process=process)
        return change.answers(MakerKeptView(found.code, None))


async def record_paper(house: House, call: Call, *, lot: str, paper: Paper) -> MakerKeptView:
    """Record a partner's signed paper by its file's digest; one against a released lot holds it.

    Raises NotFound, BadInput, Conflict for a lot made here.
    """
    async with house.door.change(call, Act.RECORD_PARTNER_PAPER, subject=lot) as change:
        found = await lots.find(change, code=lot)
        await _require_maker(change, found)
        require_past(paper.signed_at, now=change.at, field="signed_at")
        if not _SHA256.fullmatch(paper.file_sha256):
            raise _bad(
                "file_sha256",
                Text("This is no SHA-256: 64 digits of 0 to 9 and a to f."),
                Text("Compute it from the very file."),
            )
        if paper.covers and paper.kind != "release":
            raise _bad(
                "covers",
                Text("Only the partner's release states this."),
                Text("Leave it out here, and record the release with it."),
            )
        strange = sorted(set(paper.covers) - set(COVERED_NAMES))
        if strange:
            raise _bad(
                "covers", Text("“{word}” is none of the choices.", word=strange[0]), Text("Choose one of the list.")
            )
        key = await partner_lots.keep_paper(
            change, lot_id=found.id, values={**asdict(paper), "covers": sorted(set(paper.covers))}
        )
        await impacts.judge_what_came_to_light(change)
        return change.answers(MakerKeptView(found.code, key))


async def record_step(house: House, call: Call, *, lot: str, step: StepTold) -> PartnerStepView:
    """Enter a step out of the partner's batch record, in the order in which they were made. No rule refuses it.

    Raises NotFound, BadInput for moments that cannot be, Conflict for a lot made here or a step out of order.
    """
    async with house.door.change(call, Act.RECORD_PARTNER_STEP, subject=lot) as change:
        require_once_each([(each.container, each.container) for each in step.materials], field="materials")
        materials = tuple(
            replace(each, unit=known_unit(each.unit or "", among=AMOUNTS, field=f"materials.{row}.unit"))
            for row, each in enumerate(step.materials)
        )
        step = replace(step, materials=materials)
        await steps.lock(change, lot=lot, materials=step.materials)
        found = await lots.find(change, code=lot)
        await _require_maker(change, found)
        _require_possible(change, step)
        before = await partner_lots.last_step(change, lot=found.id)
        _require_order(step, before, found.state)
        plan = await steps.resolve(
            change,
            lot=lot,
            kind=step.kind,
            workstation=None,
            parents=(),
            materials=step.materials,
            started_at=step.started_at,
        )
        passage = _passage(plan, before)
        growth = grown(step.kind, step.counts, cpdl_start=Decimal(0) if before is None else before.cpdl)
        done = steps.Done(
            performed_by=change.actor.account_id,
            verified_by=None,
            ended_at=step.ended_at,
            counts=step.counts,
            growth=growth,
            parameters={"partner_page": step.told.page, **({"place": step.place} if step.place else {})},
        )
        step_id = await steps.keep(change, _AwayPlan.of(plan, passage), done)
        await partner_lots.keep_step(change, lot_id=found.id, step_id=step_id, values=asdict(step.told))
        made = await _made(change, plan, step, step_id, passage)
        state = await _moved(change, plan, step)
        return change.answers(
            PartnerStepView(
                lot=found.code,
                step=step_id,
                kind=step.kind,
                state=state,
                passage=passage,
                pd=None if growth.pd is None else float(growth.pd),
                cpdl=None if growth.cpdl is None else float(growth.cpdl),
                containers=tuple(made.values()),
            )
        )


async def read_making(house: House, actor: Actor, *, lot: str) -> MakingView:
    """Who made the lot, with the partner's papers and steps. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await lots.find(reading, code=lot)
        maker = await partner_lots.maker(reading, lot=found.id)
        papers = await partner_lots.papers(reading, lot=found.id) if maker else ()
        told = await partner_lots.steps(reading, lot=found.id) if maker else ()
    return MakingView(
        lot=found.code,
        name=found.name,
        state=found.state,
        maker=None if maker is None else MakerView(**maker._asdict()),
        papers=tuple(PaperView(**{**each._asdict(), "covers": tuple(each.covers)}) for each in papers),
        steps=tuple(StepLine(**each._asdict()) for each in told),
    )


class _AwayPlan(steps.Plan):
    """A step whose passage follows from the partner's record, and from no container of this house."""

    __slots__ = ("away",)

    away: int | None

    @classmethod
    def of(cls, plan: steps.Plan, passage: int | None) -> _AwayPlan:
        """The same plan with this passage."""
        names = ("lot", "kind", "started_at", "workstation", "session_id", "parents", "materials", "performed_by")
        made = cls(**{name: getattr(plan, name) for name in names})
        object.__setattr__(made, "away", passage)
        return made

    @property
    def passage(self) -> int | None:
        """The passage number that cells bear after this step."""
        return self.away


def _passage(plan: steps.Plan, before: partner_lots.LastStep | None) -> int | None:
    if plan.lot.passage_convention is None:
        return None
    parent = None if before is None else before.passage
    return next_passage(kind=plan.kind, parent_passage=parent, convention=plan.lot.passage_convention)


async def _require_maker(reading: Reading, lot: lots.Lot) -> None:
    if await partner_lots.maker(reading, lot=lot.id) is None:
        raise Conflict(
            what=NOT_RECORDED,
            why=Text("{lot} is made in this house.", lot=lot.name),
            remedy=Text("What is done here is recorded at the bench, by whoever does it."),
        )


def _require_possible(change: Change, step: StepTold) -> None:
    refuse_impossible_times(started_at=step.started_at, ended_at=step.ended_at, now=change.at)
    told = step.told
    for name, moment in (
        ("verified_at", told.verified_at),
        ("cleared_at", told.cleared_at),
        ("clearance_verified_at", told.clearance_verified_at),
    ):
        if moment is not None:
            require_past(moment, now=change.at, field=name)
    if told.verified_at is not None:
        require_order(earlier=step.started_at, later=told.verified_at, field="verified_at")
    for person, moment, name in (
        (told.verified_by, told.verified_at, "verified_at"),
        (told.cleared_by, told.cleared_at, "cleared_at"),
        (told.clearance_verified_by, told.clearance_verified_at, "clearance_verified_at"),
    ):
        if (person is None) != (moment is None):
            raise _bad(
                name, Text("Who and when belong together."), Text("Give both as the record has them, or neither.")
            )
    is_fill = step.kind is StepKind.FILL
    if is_fill != bool(step.vials) or is_fill != (
        step.volume_ml is not None and step.viable_cells_per_vial is not None
    ):
        raise _bad(
            "vials",
            Text("A fill makes vials, of a volume and with cells; no other step does."),
            Text("Give the number of vials, the volume and the cells of each for a fill, and for nothing else."),
        )


def _require_order(step: StepTold, before: partner_lots.LastStep | None, state: LotState) -> None:
    if (before is None) != (step.kind is _FIRST) or state not in {LotState.PLANNED, LotState.IN_PROCESS}:
        raise Conflict(
            what=NOT_RECORDED,
            why=Text("{step} does not follow on what is on record.", step=STEP_NAMES[step.kind]),
            remedy=Text("Enter the steps in their order: the isolation first, the freezing last."),
        )
    if before is not None and step.started_at < before.ended_at:
        raise _bad(
            "started_at",
            Text("It would have begun before the step before it ended, at {at}.", at=before.ended_at),
            Text("Enter the steps in the order in which they were made."),
        )


async def _made(change: Change, plan: steps.Plan, step: StepTold, step_id: int, passage: int | None) -> dict[int, str]:
    if step.kind is not StepKind.FILL:
        return {}
    made = await containers.make(
        change,
        lot_id=plan.lot.id,
        code_kind=CodeKind.VIAL,
        count=step.vials,
        step_id=step_id,
        passage=passage,
        volume_ml=step.volume_ml,
        viable_cells=step.viable_cells_per_vial,
    )
    bottles = [vessel.id for _, vessel in plan.materials]
    source = [] if plan.lot.donation_id is None else [plan.lot.donation_id]
    await containers.descend(change, parents=[*source, *bottles], children=list(made), step_id=step_id)
    return made


async def _moved(change: Change, plan: steps.Plan, step: StepTold) -> LotState:
    if step.kind is _FIRST:
        return await lots.move_as_happened(change, lot_id=plan.lot.id, act=LotAct.BEGIN)
    if step.kind is not _LAST:
        return plan.lot.state
    place = None if step.place is None else (await items.find(change, code=step.place, kind="equipment")).id
    await containers.store(change, ids=await containers.vials_in_use(change, lot_id=plan.lot.id), place_id=place)
    days = plan.lot.shelf_life_days
    if plan.lot.expires_at is None:
        await lots.state_expiry(
            change,
            lot_id=plan.lot.id,
            frozen_at=step.ended_at,
            expires_at=None if days is None else step.ended_at + timedelta(days=days),
        )
    return await lots.move_as_happened(change, lot_id=plan.lot.id, act=LotAct.FINISH)


def _bad(field: str, why: Text, remedy: Text) -> BadInput:
    return BadInput(field=field, what=NOT_RECORDED, why=why, remedy=remedy)
