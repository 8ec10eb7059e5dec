"""The dashboard's facts: what waits for whom, what blocks, what expires, what was refused; and lots by state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from app.db import dashboard, items, judging
from app.domain.acts import ACT_NAMES, MAY, Act, Actor, Role
from app.domain.lots import LotState
from app.domain.rulebook import Gate, Outcome
from app.domain.sight import WALL, acts_shown_to
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.services.house import House


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many lots of a kind stand in a state."""

    kind: str
    state: str
    lots: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule keeps a gate closed, and what would help."""

    rule: str
    outcome: Outcome
    problem: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class BlockedLot:
    """A lot before the release gate with everything that keeps it there."""

    lot: str
    name: str
    state: str
    expires_at: datetime | None
    blocked: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class BlockedPage:
    """A page of them; `after` names the next page's start, null at the end."""

    lots: tuple[BlockedLot, ...]
    after: str | None


async def lots_by_state(house: House, actor: Actor) -> tuple[StateCount, ...]:
    """Counts of lots by kind and state."""
    async with house.door.read(actor, Act.READ_DASHBOARD) as reading:
        rows = await dashboard.lots_by_state(reading)
    return tuple(StateCount(row.kind, row.state, row.lots) for row in rows)


async def blocked_releases(house: House, actor: Actor, *, after: str | None, limit: int) -> BlockedPage:
    """Lots in quarantine or awaiting release, each judged now, with the reasons."""
    async with house.door.read(actor, Act.READ_DASHBOARD) as reading:
        start = (await items.find(reading, code=after, kind="lot")).id if after else 0
        rows = await dashboard.waiting_lots(reading, after=start, limit=limit)
        at = await judging.now(reading)
        found = []
        for row in rows:
            _, judgement = await judging.judged(reading, kind="lot", subject_id=row.id, gate=Gate.G6, at=at)
            reasons = tuple(
                Reason(verdict.rule, verdict.outcome, finding.problem, finding.remedy)
                for verdict in judgement.blocks
                for finding in verdict.findings
            )
            found.append(
                BlockedLot(row.code, row.name, row.state, row.expires_at, blocked=bool(reasons), reasons=reasons)
            )
    return BlockedPage(tuple(found), found[-1].lot if len(found) == limit else None)


# -- the four questions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueName:
    """What a queue holds in words, the act that takes something out of it, and who is told of it besides."""

    says: Text
    act: Act
    told: frozenset[Role] = frozenset()

    @property
    def roles(self) -> frozenset[Role]:
        """Whom it concerns."""
        return MAY[self.act] | self.told


QUEUES: Mapping[str, QueueName] = MappingProxyType(
    {
        "lots_failed": QueueName(
            Text("Lots that failed a result after they were given out"), Act.RECALL_LOT, frozenset({Role.PHYSICIAN})
        ),
        "recalls_to_decide": QueueName(Text("Recalls to decide"), Act.RECALL_LOT),
        "results_overdue": QueueName(Text("Results that are overdue of lots released before them"), Act.RECORD_RESULT),
        "second_signatures": QueueName(Text("Lots whose last result waits for the second signature"), Act.RELEASE_LOT),
        "releases_awaited": QueueName(Text("Lots to release"), Act.RELEASE_LOT),
        "lots_to_submit": QueueName(Text("Lots to submit for release"), Act.SUBMIT_LOT),
        "batches_to_review": QueueName(Text("Batch records to review"), Act.REVIEW_BATCH),
        "results_to_review": QueueName(Text("Results to review"), Act.REVIEW_RESULT),
        "deviations_to_close": QueueName(Text("Deviations to close"), Act.CLOSE_DEVIATION),
        "determinations_awaited": QueueName(Text("Donations to determine"), Act.DETERMINE_ELIGIBILITY),
        "steps_to_verify": QueueName(Text("Steps to verify"), Act.VERIFY_STEP),
        "clearances_to_verify": QueueName(Text("Line clearances to verify"), Act.VERIFY_CLEARANCE),
        "reasons_owed": QueueName(Text("Reasons to put into words"), Act.NOTE_REASON),
        "certificates_to_review": QueueName(Text("Certificates of analysis to review"), Act.REVIEW_COA),
        "materials_to_approve": QueueName(Text("Material lots to approve"), Act.APPROVE_MATERIAL),
        "waivers_to_approve": QueueName(Text("Waivers to approve"), Act.APPROVE_WAIVER),
        "assessments_to_approve": QueueName(Text("Assessments to approve"), Act.APPROVE_ASSESSMENT),
        "legacy_to_accept": QueueName(Text("Papers from before the guideline to accept"), Act.ACCEPT_LEGACY),
    }
)
"""In the order in which they are shown: nearest to the patient first."""

REFUSAL_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "not-permitted": Text("no role"),
        "ceremony-refused": Text("signature not accepted"),
        "blocked": Text("a rule closes the gate"),
        "held": Text("on hold"),
        "illegal-move": Text("not in this state"),
        "stale": Text("changed meanwhile"),
        "busy": Text("somebody else was at it"),
        "conflict": Text("contradicts the record"),
        "not-found": Text("not found"),
        "bad-input": Text("could not be taken"),
        "not-signed-in": Text("not signed in"),
        "locked": Text("locked for a while"),
        "unavailable": Text("the database was away"),
        "payload-too-large": Text("too large"),
    }
)
SCAN_REFUSALS: Mapping[str, Text] = MappingProxyType(
    {
        "in_quarantine": Text("in quarantine"),
        "not_permitted": Text("no role"),
        "malformed": Text("misread"),
        "wrong_check_character": Text("misread"),
        "unknown_code": Text("unknown code"),
        "gone": Text("should no longer be here"),
        "set_aside": Text("a retain or a sample"),
        "withdrawn": Text("withdrawn from use"),
        "held": Text("on hold"),
        "expired": Text("expired"),
        "other_donor": Text("another donor's item"),
        "several_donors": Text("more than one donor"),
        "not_expected": Text("not what is expected here"),
        "not_released": Text("not released"),
    }
)
OTHERWISE_REFUSED = Text("refused")


@dataclass(frozen=True, slots=True)
class QueueView:
    """So much waits for people of these roles, the oldest since `since`. `mine`: the reader is one of them."""

    queue: str
    says: Text
    roles: tuple[Role, ...]
    mine: bool
    waiting: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ClosingRule:
    """A rule that closed the gate at the last kept check."""

    rule: str
    title: Text
    outcome: Outcome
    findings: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class ClosedLot:
    """A lot before the gate that cannot go on. `rules` are those of the check at `checked_at`, not of this moment."""

    lot: str
    name: str
    state: LotState
    since: datetime
    held: bool
    checked_at: datetime | None
    rules: tuple[ClosingRule, ...]


@dataclass(frozen=True, slots=True)
class HeldView:
    """An item under an open hold. The reason is people's own words and stands on its own page."""

    item: str | None
    kind: str
    lot: str | None
    lot_name: str | None
    lot_kind: str | None
    since: datetime
    deviation: str | None


@dataclass(frozen=True, slots=True)
class BlocksView:
    """Lots before the release gate by their last kept check, those that cannot go on, and what is held.

    `closed` counts lots that are blocked or held, `holds` every open hold.
    """

    waiting: int
    blocked: int
    unopposed: int
    unchecked: int
    held: int
    closed: int
    lots: tuple[ClosedLot, ...]
    holds: int
    items: tuple[HeldView, ...]


class ExpiringKind(StrEnum):
    MATERIAL = "material"
    LOT = "lot"
    OPENED = "opened"
    APPOINTMENT = "appointment"
    CERTIFICATE = "certificate"
    QUALIFICATION = "qualification"
    WAIVER = "waiver"
    ASSESSMENT = "assessment"
    DETERMINATION = "determination"
    EQUIPMENT = "equipment"


@dataclass(frozen=True, slots=True)
class ExpiringView:
    """Something that ends at `at`, or has. `name` is a lot's, a topic, a number; `person` null for a wall display."""

    kind: ExpiringKind
    code: str | None
    name: str
    detail: str
    person: str | None
    at: datetime
    is_past: bool


@dataclass(frozen=True, slots=True)
class ExpiresView:
    """What ends within `days`, the earliest first; `past` of the `total` have ended and are still there."""

    days: int
    total: int
    past: int
    items: tuple[ExpiringView, ...]


@dataclass(frozen=True, slots=True)
class RefusedView:
    """An act or a scan that was refused. `who` and `why` are null for a wall display: it says the kind alone."""

    at: datetime
    act: str
    says: Text
    who: str | None
    subject: str | None
    lot: str | None
    lot_name: str | None
    kind: str
    kind_says: Text
    why: Text | None
    rule: str | None


@dataclass(frozen=True, slots=True)
class RefusalsView:
    """The last refusals that the reader may see, newest first; how many acts and scans were refused within a day."""

    acts_in_a_day: int
    scans_in_a_day: int
    items: tuple[RefusedView, ...]


@dataclass(frozen=True, slots=True)
class DashboardView:
    """The laboratory at one moment: all of it is read in one snapshot of the database, taken at `at`."""

    at: datetime
    waits: tuple[QueueView, ...]
    blocks: BlocksView
    expires: ExpiresView
    refused: RefusalsView
    lots: tuple[StateCount, ...]


async def show(house: House, actor: Actor) -> DashboardView:
    """What waits for whom, what blocks, what expires, what was refused."""
    shown = acts_shown_to(actor)
    async with house.door.read(actor, Act.READ_DASHBOARD) as reading:
        at = await judging.now(reading)
        queues = await dashboard.queues(reading)
        gate = await dashboard.gate(reading)
        held = await dashboard.held_items(reading)
        expiring = await dashboard.expiring(reading)
        acts = await dashboard.refused_acts(reading, acts=sorted(shown))
        scans = await dashboard.refused_scans(reading)
        states = await dashboard.lots_by_state(reading)
    return DashboardView(
        at=at,
        waits=_queues(queues, actor),
        blocks=BlocksView(
            waiting=gate[0].waiting,
            blocked=gate[0].blocked,
            unopposed=gate[0].unopposed,
            unchecked=gate[0].unchecked,
            held=gate[0].held_lots,
            closed=gate[0].closed,
            lots=tuple(_closed(row) for row in gate if row.code is not None),
            holds=held[0].total if held else 0,
            items=tuple(HeldView(**{n: v for n, v in row._asdict().items() if n != "total"}) for row in held),
        ),
        expires=ExpiresView(
            days=dashboard.EXPIRING_DAYS,
            total=expiring[0].total if expiring else 0,
            past=expiring[0].past if expiring else 0,
            items=tuple(_expiring(row, actor) for row in expiring),
        ),
        refused=_refused(acts, scans, actor),
        lots=tuple(StateCount(row.kind, row.state, row.lots) for row in states),
    )


def _queues(rows: Sequence[Row[Any]], actor: Actor) -> tuple[QueueView, ...]:
    found = {row.queue: row for row in rows}
    return tuple(
        QueueView(
            queue=queue,
            says=name.says,
            roles=tuple(role for role in Role if role in name.roles),
            mine=not actor.roles.isdisjoint(name.roles),
            waiting=found[queue].waiting,
            since=found[queue].since,
        )
        for queue, name in QUEUES.items()
    )


def _closed(row: Row[Any]) -> ClosedLot:
    rules = tuple(
        ClosingRule(
            rule=verdict["rule"],
            title=Text.from_json(verdict["title"]),
            outcome=Outcome(verdict["outcome"]),
            findings=tuple(
                Reason(
                    verdict["rule"],
                    Outcome(verdict["outcome"]),
                    Text.from_json(each["problem"]),
                    Text.from_json(each["remedy"]),
                )
                for each in verdict["findings"]
            ),
        )
        for verdict in row.closing or ()
    )
    return ClosedLot(
        lot=row.code,
        name=row.name,
        state=LotState(row.state),
        since=row.since,
        held=row.held,
        checked_at=row.checked_at,
        rules=rules,
    )


def _expiring(row: Row[Any], actor: Actor) -> ExpiringView:
    return ExpiringView(
        kind=ExpiringKind(row.kind),
        code=row.code,
        name=row.name or "",
        detail=row.detail,
        person=None if actor.roles == WALL else row.person,
        at=row.at,
        is_past=row.is_past,
    )


def _refused(acts: Sequence[Row[Any]], scans: Sequence[Row[Any]], actor: Actor) -> RefusalsView:
    is_wall = actor.roles == WALL
    items = [
        RefusedView(
            at=row.at,
            act=row.act,
            says=ACT_NAMES[Act(row.act)],
            who=None if is_wall else row.who,
            subject=row.subject or None,
            lot=row.lot,
            lot_name=row.lot_name,
            kind=row.kind,
            kind_says=REFUSAL_NAMES.get(row.kind, OTHERWISE_REFUSED),
            why=None if is_wall or not row.texts else Text.from_json(row.texts["why"]),
            rule=row.rule,
        )
        for row in acts
    ] + [
        RefusedView(
            at=row.at,
            act=Act.SCAN.value,
            says=ACT_NAMES[Act.SCAN],
            who=None if is_wall else row.who,
            subject=row.item,
            lot=row.lot,
            lot_name=row.lot_name,
            kind=row.reason,
            kind_says=SCAN_REFUSALS.get(row.reason, OTHERWISE_REFUSED),
            why=None,
            rule=None,
        )
        for row in scans
    ]
    items.sort(key=lambda each: each.at, reverse=True)
    return RefusalsView(
        acts_in_a_day=acts[0].today if acts else 0,
        scans_in_a_day=scans[0].today if scans else 0,
        items=tuple(items[: dashboard.REFUSED_SHOWN]),
    )
