"""Lots of cells: planned, shown with all that happened, and moved where a signature is not what moves them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import banks, containers, deviations, holds, items, judging, lot_story, lots, results, waivers
from app.domain import facts
from app.domain.acts import Act, Actor
from app.domain.cell_banks import LOT_PREFIX, refuse_another_tier
from app.domain.errors import BadInput, NotFound
from app.domain.facts import Relation
from app.domain.lots import LotAct, LotKind, LotState, open_acts
from app.domain.next_gate import dossier_for, next_gate
from app.domain.passages import Counts, doubling_time_hours
from app.domain.rulebook import Gate, Judgement, Outcome
from app.domain.testing import Fit, fit
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
class RuleStands:
    """A rule of the gate that does not stand in the way now."""

    rule: str
    title: Text
    outcome: Outcome


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


@dataclass(frozen=True, slots=True)
class LotHead:
    """A lot as every page of it is headed. `acts` are the moves that its state allows."""

    code: str
    name: str
    kind: LotKind
    state: LotState
    version: int
    product: str | None
    product_zh: str | None
    process: Version | None
    specification: Version | None
    max_passage: int | None
    max_pdl: float | None
    donor: str | None
    recipient: str | None
    donation: str | None
    frozen_at: datetime | None
    expires_at: datetime | None
    acts: tuple[LotAct, ...]
    gene_modified: bool = False


@dataclass(frozen=True, slots=True)
class ResultView:
    """A result, and how it stands to the line of the specification that it answers."""

    id: int
    sample: str
    test: str
    value_number: float | None
    value_text: str | None
    unit: str | None
    analyst: str
    measured_at: datetime
    invalidated: bool
    review: str | None
    fit: Fit


@dataclass(frozen=True, slots=True)
class ContainerCount:
    """How many containers of a kind are in a state."""

    kind: str
    state: str
    containers: int


@dataclass(frozen=True, slots=True)
class LotOverview:
    """What a lot's first page shows: as much of each part as fits there, and how it stands before its next gate now."""

    head: LotHead
    at: datetime
    timeline: tuple[dict[str, Any], ...]
    growth: tuple[GrowthView, ...]
    containers: tuple[dict[str, Any], ...]
    counts: tuple[ContainerCount, ...]
    results: tuple[ResultView, ...]
    holds: tuple[dict[str, Any], ...]
    deviations: tuple[dict[str, Any], ...]
    blocks: tuple[BlockView, ...]
    gate: Gate
    standing: tuple[RuleStands, ...]


@dataclass(frozen=True, slots=True)
class LotStory:
    """Everything that happened to a lot, oldest first."""

    head: LotHead
    at: datetime
    timeline: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class LotContainers:
    """Containers of a lot, a page of them."""

    head: LotHead
    counts: tuple[ContainerCount, ...]
    containers: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class LineageGroup:
    """What one step made at once, or one material lot that went in. `codes` are the first of them."""

    key: str
    kind: str
    count: int
    codes: tuple[str, ...]
    passage: int | None
    states: tuple[str, ...]
    lot: str | None
    lot_name: str | None
    material: str | None
    pseudonym: str | None
    tissue: str | None
    retain_kind: str | None
    purpose: str | None


@dataclass(frozen=True, slots=True)
class LotLineage:
    """Where a lot came from: groups, and which came from which."""

    head: LotHead
    groups: tuple[LineageGroup, ...]
    edges: tuple[tuple[str, str], ...]
    truncated: bool


async def plan_lot(
    house: House,
    call: Call,
    *,
    process: Version,
    specification: Version,
    donation: str | None,
    recipient: str | None,
    bank: str | None = None,
    tier: str | None = None,
) -> PlannedView:
    """Plan a preparation, or a bank of a tier, from a donation or from a bank. Own cells go back to their donor alone.

    Raises BadInput for another recipient (REL-05) or tier (CB-08), NotFound for what is not defined.
    """
    async with house.door.change(call, Act.PLAN_LOT, subject=donation or bank or "") as change:
        planned = await _source(change, donation=donation, bank=bank, tier=tier)
        recipient_id = await _recipient(change, planned, recipient)
        item, name = await lots.plan(
            change,
            donation=planned,
            recipient_id=recipient_id,
            process_id=await lots.process_id(change, name=process.name, version=process.version),
            specification_id=await lots.specification_id(
                change, name=specification.name, version=specification.version
            ),
            kind=LotKind.PREPARATION if tier is None else LotKind.BANK,
            prefix="PREP" if tier is None else LOT_PREFIX[tier],
        )
        if tier is not None:
            await banks.keep_tier(change, lot_id=item.id, tier=tier)
        made = await lots.find(change, code=item.code)
        return change.answers(
            PlannedView(code=item.code, name=name, state=made.state, donor=made.donor or "", recipient=made.recipient)
        )


async def _source(
    reading: Reading, *, donation: str | None, bank: str | None, tier: str | None
) -> lots.PlannedDonation:
    if (donation is None) == (bank is None):
        raise BadInput(
            field="donation",
            what=Text("The lot was not planned."),
            why=Text("A lot is made of one donation or of one cell bank."),
            remedy=Text("Name the donation, or name the bank."),
        )
    if bank is None:
        refuse_another_tier(tier, of_a_bank=False, bank_tier=None)
        donation_id: int | None = (await items.find(reading, code=donation or "", kind="donation")).id
    else:
        found = await lots.find(reading, code=bank)
        if found.kind is not LotKind.BANK:
            raise NotFound(
                what=Text("The lot was not planned."),
                why=Text("{lot} is no cell bank.", lot=found.name),
                remedy=Text("Scan the label of a bank lot."),
            )
        refuse_another_tier(tier, of_a_bank=True, bank_tier=await banks.tier_of(reading, lot_id=found.id))
        donation_id = found.donation_id
    if donation_id is None:
        raise RuntimeError("a bank lot is planned of a donation")
    return await lots.planned_donation(reading, donation_id=donation_id)


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


async def fail_after_release(house: House, call: Call, *, lot: str, shown: int | None, reason: str) -> MovedView:
    """Declare that a conditionally released lot failed a result that came later. It never returns."""
    return await _move(
        house, call, Act.FAIL_LOT_AFTER_RELEASE, LotAct.FAIL_AFTER_RELEASE, lot=lot, shown=shown, reason=reason
    )


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


async def read_head(house: House, actor: Actor, *, code: str) -> LotHead:
    """The lot's facts alone. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return _head(await lots.find(reading, code=code))


async def read_overview(house: House, actor: Actor, *, code: str, containers_most: int) -> LotOverview:
    """The lot as its first page shows it, judged this moment. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot = await lots.find(reading, code=code)
        at = await judging.now(reading)
        gate = next_gate(lot.kind, lot.state)
        _, judgement = await judging.judged(reading, kind=dossier_for(gate), subject_id=lot.id, gate=gate, at=at)
        return LotOverview(
            head=_head(lot),
            at=at,
            timeline=_plain(await lot_story.timeline(reading, lot_id=lot.id)),
            growth=tuple(_grown(row) for row in await lot_story.growth(reading, lot_id=lot.id)),
            containers=_plain(await lot_story.containers(reading, lot_id=lot.id, limit=containers_most)),
            counts=await _counts(reading, lot),
            results=tuple(
                _result(row) for row in await lot_story.results(reading, lot_id=lot.id, limit=_RESULTS_SHOWN)
            ),
            holds=_plain(await holds.page(reading, state="open", lot_id=lot.id, after=None, limit=_SHOWN)),
            deviations=_plain(await deviations.page(reading, state=None, lot_id=lot.id, after=None, limit=_SHOWN)),
            blocks=_blocks(judgement),
            gate=gate,
            standing=tuple(
                RuleStands(each.rule, each.title, each.outcome) for each in judgement.verdicts if not each.closes
            ),
        )


async def read_story(house: House, actor: Actor, *, code: str) -> LotStory:
    """Everything that happened to the lot. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot = await lots.find(reading, code=code)
        return LotStory(
            head=_head(lot),
            at=await judging.now(reading),
            timeline=_plain(await lot_story.timeline(reading, lot_id=lot.id)),
        )


async def read_containers(
    house: House, actor: Actor, *, code: str, kind: str | None, after: str | None, limit: int
) -> LotContainers:
    """The lot's containers after the one of this code, in the order in which they were made. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot = await lots.find(reading, code=code)
        found = await lot_story.containers(reading, lot_id=lot.id, kind=kind, after=after, limit=limit)
        return LotContainers(head=_head(lot), counts=await _counts(reading, lot), containers=_plain(found))


async def read_lineage(house: House, actor: Actor, *, code: str, codes_most: int) -> LotLineage:
    """Where the lot came from, grouped by what made it; `codes_most` codes of each group. Raises NotFound."""
    async with house.door.read(actor, Act.READ_TRACE) as reading:
        lot = await lots.find(reading, code=code)
        rows = await lot_story.groups(reading, lot_id=lot.id, codes=codes_most, limit=GROUPS_MOST + 1)
        edges = await lot_story.group_edges(reading, lot_id=lot.id, limit=GROUPS_MOST * 20)
    return LotLineage(
        head=_head(lot),
        groups=tuple(
            LineageGroup(
                key=row.key,
                kind=row.kind,
                count=row.members,
                codes=tuple(row.codes or ()),
                passage=row.passage,
                states=tuple(row.states or ()),
                lot=row.lot_code,
                lot_name=row.lot_name,
                material=row.material,
                pseudonym=row.pseudonym,
                tissue=row.tissue,
                retain_kind=row.retain_kind,
                purpose=row.purpose,
            )
            for row in rows[:GROUPS_MOST]
        ),
        edges=tuple((row.parent, row.child) for row in edges),
        truncated=len(rows) > GROUPS_MOST,
    )


GROUPS_MOST = 300
_SHOWN = 50
_RESULTS_SHOWN = 100


async def _counts(reading: Reading, lot: lots.Lot) -> tuple[ContainerCount, ...]:
    found = await lot_story.counted(reading, lot_id=lot.id)
    return tuple(ContainerCount(row.kind, row.state, row.containers) for row in found)


def _head(lot: lots.Lot) -> LotHead:
    return LotHead(
        code=lot.code,
        name=lot.name,
        kind=lot.kind,
        state=lot.state,
        version=lot.version,
        product=lot.product,
        product_zh=lot.product_zh,
        process=_version(lot.process, lot.process_version),
        specification=_version(lot.specification, lot.specification_version),
        max_passage=lot.max_passage,
        max_pdl=_float(lot.max_pdl),
        donor=lot.donor,
        recipient=lot.recipient,
        donation=lot.donation,
        frozen_at=lot.frozen_at,
        expires_at=lot.expires_at,
        acts=open_acts(lot.kind, lot.state),
        gene_modified=bool(lot.gene_modified),
    )


def _result(row: Any) -> ResultView:
    line = facts.Line(
        id=0,
        test=row.test,
        method=row.method,
        kind=facts.LineKind(row.kind),
        low=row.low,
        high=row.high,
        unit=row.line_unit,
        expected=row.expected,
        safety=row.safety,
        required=row.required,
    )
    measured = facts.Result(
        id=row.id,
        line_id=None,
        test=row.test,
        sample=row.sample,
        value_number=row.value_number,
        value_text=row.value_text,
        unit=row.unit,
        method_version=row.method_version,
        instrument=row.instrument,
        analyst=row.analyst,
        measured_at=row.measured_at,
        invalidated=row.invalidated,
        review=None,
    )
    return ResultView(
        id=row.id,
        sample=row.sample,
        test=row.test,
        value_number=_float(row.value_number),
        value_text=row.value_text,
        unit=row.unit,
        analyst=row.analyst,
        measured_at=row.measured_at,
        invalidated=row.invalidated,
        review=row.review,
        fit=fit(line, measured),
    )


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
        containers=_plain(await lot_story.containers(reading, lot_id=lot.id, limit=_CONTAINERS_MOST)),
        taken=_plain(await lot_story.taken(reading, lot_id=lot.id)),
        results=_plain(await results.of_lot(reading, lot_id=lot.id)),
        batch_review=None if reviewed is None else reviewed._asdict(),
        holds=_plain(await holds.page(reading, state="open", lot_id=lot.id, after=None, limit=_MANY)),
        deviations=_plain(await deviations.page(reading, state=None, lot_id=lot.id, after=None, limit=_MANY)),
        waivers=_plain(await waivers.of_subject(reading, subject_id=lot.id)),
        blocks=_blocks(judgement),
    )


def _blocks(judgement: Judgement) -> tuple[BlockView, ...]:
    return tuple(
        BlockView(
            rule=verdict.rule,
            title=verdict.title,
            outcome=verdict.outcome,
            findings=tuple(BlockFinding(each.subject, each.problem, each.remedy) for each in verdict.findings),
        )
        for verdict in judgement.blocks
    )


_MANY = 1000
_CONTAINERS_MOST = 5_000


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
