"""Lots of cells: planned, shown with all that happened, and moved where a signature is not what moves them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import containers, deviations, holds, items, judging, lot_story, lots, results, waivers
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.facts import Relation
from app.domain.lots import LotAct, LotState, open_acts
from app.domain.passages import Counts, doubling_time_hours
from app.domain.rulebook import Gate, Judgement, Outcome
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call, Reading
    from app.services.house import House

SELF = "self"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a process or a specification, as people name it."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class PlannedView:
    """A preparation that was just planned."""

    code: str
    name: str
    state: LotState
    donor: str
    recipient: str | None


@dataclass(frozen=True, slots=True)
class MovedView:
    """A lot after a move."""

    code: str
    name: str
    state: LotState
    version: int


@dataclass(frozen=True, slots=True)
class LotLine:
    """A lot in a list."""

    code: str
    name: str
    kind: str
    state: LotState
    version: int
    donor: str | None
    expires_at: datetime | None
    recorded_at: datetime
    held: bool


@dataclass(frozen=True, slots=True)
class GrowthView:
    """A step in which cells were counted. `pd` and `cpdl` are population doublings."""

    step: int
    kind: str
    passage: int | None
    started_at: datetime
    ended_at: datetime | None
    viable_seeded: float | None
    viable_harvested: float | None
    viability_percent: float | None
    pd: float | None
    cpdl: float | None
    doubling_time_hours: float | None
    happened_anyway: bool


@dataclass(frozen=True, slots=True)
class BlockFinding:
    """What is wrong, and what would help."""

    subject: str
    problem: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class BlockView:
    """A rule that keeps the release gate closed now."""

    rule: str
    title: Text
    outcome: Outcome
    findings: tuple[BlockFinding, ...]


@dataclass(frozen=True, slots=True)
class LotView:
    """A lot with its whole story. `blocks` are the rules that keep it from being released, judged this moment."""

    code: str
    name: str
    kind: str
    state: LotState
    version: int
    product: str | None
    product_zh: str | None
    process: Version | None
    specification: Version | None
    passage_convention: str | None
    max_passage: int | None
    max_pdl: float | None
    donor: str | None
    recipient: str | None
    donation: str | None
    frozen_at: datetime | None
    expires_at: datetime | None
    acts: tuple[LotAct, ...]
    workstations: tuple[dict[str, Any], ...]
    timeline: tuple[dict[str, Any], ...]
    growth: tuple[GrowthView, ...]
    containers: tuple[dict[str, Any], ...]
    taken: tuple[dict[str, Any], ...]
    results: tuple[dict[str, Any], ...]
    batch_review: dict[str, Any] | None
    holds: tuple[dict[str, Any], ...]
    deviations: tuple[dict[str, Any], ...]
    waivers: tuple[dict[str, Any], ...]
    blocks: tuple[BlockView, ...]


async def plan_lot(
    house: House, call: Call, *, process: Version, specification: Version, donation: str, recipient: str | None
) -> PlannedView:
    """Plan a preparation from a donation. Autologous cells go back to their donor and to nobody else.

    Raises BadInput for another recipient (REL-05), NotFound for what is not defined.
    """
    async with house.door.change(call, Act.PLAN_LOT, subject=donation) as change:
        given = await items.find(change, code=donation, kind="donation")
        planned = await lots.planned_donation(change, donation_id=given.id)
        recipient_id = await _recipient(change, planned, recipient)
        item, name = await lots.plan(
            change,
            donation=planned,
            recipient_id=recipient_id,
            process_id=await lots.process_id(change, name=process.name, version=process.version),
            specification_id=await lots.specification_id(
                change, name=specification.name, version=specification.version
            ),
        )
        made = await lots.find(change, code=item.code)
        return change.answers(
            PlannedView(code=item.code, name=name, state=made.state, donor=made.donor or "", recipient=made.recipient)
        )


async def _recipient(reading: Reading, planned: lots.PlannedDonation, recipient: str | None) -> int | None:
    if recipient == SELF:
        named: int | None = planned.donor_id
    elif recipient is None:
        named = planned.donor_id if planned.relation == Relation.AUTOLOGOUS else None
    else:
        named = (await items.find(reading, code=recipient, kind="person")).id
    if (named == planned.donor_id) != (planned.relation == Relation.AUTOLOGOUS) and named is not None:
        raise BadInput(
            field="recipient",
            what=Text("The lot was not planned."),
            why=Text("Autologous cells go back to their donor and to nobody else.")
            if planned.relation == Relation.AUTOLOGOUS
            else Text("The donor is recorded as allogeneic, and so is not the recipient."),
            remedy=Text("Establish who donor and recipient are before anything is made."),
            rule="REL-05",
        )
    return named


async def submit(house: House, call: Call, *, lot: str, shown: int | None) -> MovedView:
    """Put a finished lot before the quality authority. Raises Held while a hold is open."""
    return await _move(house, call, Act.SUBMIT_LOT, LotAct.SUBMIT, lot=lot, shown=shown, reason="")


async def send_back(house: House, call: Call, *, lot: str, shown: int | None, reason: str) -> MovedView:
    """Send a lot back to quarantine."""
    return await _move(house, call, Act.SEND_LOT_BACK, LotAct.SEND_BACK, lot=lot, shown=shown, reason=reason)


async def recall(house: House, call: Call, *, lot: str, shown: int | None, reason: str) -> MovedView:
    """Recall a released lot. It never returns."""
    return await _move(house, call, Act.RECALL_LOT, LotAct.RECALL, lot=lot, shown=shown, reason=reason)


async def destroy(house: House, call: Call, *, lot: str, shown: int | None, reason: str) -> MovedView:
    """Record that the lot and every container of it that was still there were destroyed."""
    return await _move(house, call, Act.DESTROY_LOT, LotAct.DESTROY, lot=lot, shown=shown, reason=reason)


async def _move(
    house: House, call: Call, act: Act, move: LotAct, *, lot: str, shown: int | None, reason: str
) -> MovedView:
    async with house.door.change(call, act, subject=lot, reason=reason) as change:
        found = await lots.find(change, code=lot)
        lots.refuse_another_version(found, shown=shown)
        state = await lots.move(change, lot_id=found.id, act=move)
        if move is LotAct.DESTROY:
            await containers.destroy(change, lot_id=found.id)
        return change.answers(MovedView(code=found.code, name=found.name, state=state, version=found.version + 1))


async def reject(house: House, call: Call, *, lot: str, ceremony: UUID) -> MovedView:
    """Reject a lot by signature. Raises CeremonyRefused, Stale when the lot changed since it was shown."""
    async with house.door.change(call, Act.REJECT_LOT, subject=lot) as change:
        change.ceremony = ceremony
        found = await lots.find(change, code=lot)
        await lots.reject(change, lot_id=found.id, ceremony=ceremony)
        return change.answers(
            MovedView(code=found.code, name=found.name, state=LotState.REJECTED, version=found.version + 1)
        )


async def list_lots(
    house: House, actor: Actor, *, state: LotState | None, after: str | None, limit: int
) -> list[LotLine]:
    """Lots of cells, newest first."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        rows = await lots.page(reading, state=state and state.value, after=after, limit=limit)
    return [LotLine(**{**row._asdict(), "state": LotState(row.state)}) for row in rows]


async def show_lot(house: House, actor: Actor, *, code: str) -> LotView:
    """The lot, everything that happened to it, and what keeps it from being released this moment."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot = await lots.find(reading, code=code)
        _, judgement = await judging.judged(
            reading, kind="lot", subject_id=lot.id, gate=Gate.G6, at=await judging.now(reading)
        )
        return await _story(reading, lot, judgement)


async def _story(reading: Reading, lot: lots.Lot, judgement: Judgement) -> LotView:
    reviewed = await lot_story.batch_review(reading, lot_id=lot.id)
    return LotView(
        code=lot.code,
        name=lot.name,
        kind=lot.kind,
        state=lot.state,
        version=lot.version,
        product=lot.product,
        product_zh=lot.product_zh,
        process=_version(lot.process, lot.process_version),
        specification=_version(lot.specification, lot.specification_version),
        passage_convention=lot.passage_convention,
        max_passage=lot.max_passage,
        max_pdl=_float(lot.max_pdl),
        donor=lot.donor,
        recipient=lot.recipient,
        donation=lot.donation,
        frozen_at=lot.frozen_at,
        expires_at=lot.expires_at,
        acts=open_acts(lot.kind, lot.state),
        workstations=_plain(await lot_story.open_sessions(reading, lot_id=lot.id)),
        timeline=_plain(await lot_story.timeline(reading, lot_id=lot.id)),
        growth=tuple(_grown(row) for row in await lot_story.growth(reading, lot_id=lot.id)),
        containers=_plain(await lot_story.containers(reading, lot_id=lot.id)),
        taken=_plain(await lot_story.taken(reading, lot_id=lot.id)),
        results=_plain(await results.of_lot(reading, lot_id=lot.id)),
        batch_review=None if reviewed is None else reviewed._asdict(),
        holds=_plain(await holds.page(reading, state="open", lot_id=lot.id, after=None, limit=_MANY)),
        deviations=_plain(await deviations.page(reading, state=None, lot_id=lot.id, after=None, limit=_MANY)),
        waivers=_plain(await waivers.of_lot(reading, lot_id=lot.id)),
        blocks=tuple(
            BlockView(
                rule=verdict.rule,
                title=verdict.title,
                outcome=verdict.outcome,
                findings=tuple(BlockFinding(each.subject, each.problem, each.remedy) for each in verdict.findings),
            )
            for verdict in judgement.blocks
        ),
    )


_MANY = 1000


def _plain(rows: Any) -> tuple[dict[str, Any], ...]:
    return tuple({name: _float(value) for name, value in row._asdict().items()} for row in rows)


def _grown(row: Any) -> GrowthView:
    counts = Counts(row.viable_seeded, row.viable_harvested, row.dead_harvested)
    return GrowthView(
        step=row.step,
        kind=row.kind,
        passage=row.passage,
        started_at=row.started_at,
        ended_at=row.ended_at,
        viable_seeded=_float(row.viable_seeded),
        viable_harvested=_float(row.viable_harvested),
        viability_percent=_float(row.viability_percent),
        pd=_float(row.pd),
        cpdl=_float(row.cpdl),
        doubling_time_hours=_float(doubling_time_hours(row.started_at, row.ended_at, counts)),
        happened_anyway=row.happened_anyway,
    )


def _version(name: str | None, version: int | None) -> Version | None:
    return None if name is None or version is None else Version(name, version)


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
