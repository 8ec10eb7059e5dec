"""Reasons picked at the bench, and the words that follow them before the batch review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.db import reasons
from app.domain.acts import ACT_NAMES, Act

if TYPE_CHECKING:
    from app.db.door import Call
    from app.db.reasons import Owed
    from app.domain.acts import Actor
    from app.domain.bench import Offer
    from app.domain.text import Text
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class OwedView:
    """A reason that one picked and still owes the words for."""

    reason: int
    picked: str
    act: Text
    item: str | None
    lot: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class NotedView:
    """A reason with its words."""

    reason: int
    picked: str
    note: str


async def note_reason(house: House, call: Call, *, reason: int, note: str) -> NotedView:
    """Add the words to a reason that one picked. Raises NotFound, NotPermitted, Conflict when they are there."""
    async with house.door.change(call, Act.NOTE_REASON, subject=f"reason {reason}") as change:
        picked, _ = await reasons.note(change, number=reason, words=note)
        return change.answers(NotedView(reason=reason, picked=picked, note=note))


async def owed(house: House, actor: Actor) -> tuple[OwedView, ...]:
    """What one still owes words for, the oldest first."""
    async with house.door.read(actor, Act.NOTE_REASON) as reading:
        return tuple(view(each) for each in await reasons.owed(reading, account_id=actor.account_id))


async def offered(house: House, actor: Actor) -> tuple[Offer, ...]:
    """The reasons that may be picked, in both languages."""
    async with house.door.read(actor, Act.NOTE_REASON) as reading:
        return await reasons.offered(reading)


def view(each: Owed) -> OwedView:
    """As the outside sees it."""
    return OwedView(
        reason=each.id, picked=each.reason, act=ACT_NAMES[Act(each.act)], item=each.item, lot=each.lot, at=each.at
    )
