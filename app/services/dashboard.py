"""The dashboard's facts, first form: lots by state, blocked releases with their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.db import dashboard, items, judging
from app.domain.acts import Act, Actor
from app.domain.rulebook import Gate, Outcome
from app.domain.text import Text

if TYPE_CHECKING:
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
