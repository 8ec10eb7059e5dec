"""Following what happens: each act, refused act and refused scan that the reader may see, while the session lasts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from app.db import items, sessions
from app.db.events import Position
from app.domain.acts import ACT_NAMES, Act, Actor, may
from app.domain.errors import Refusal
from app.domain.sight import WALL, acts_shown_to
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from app.db.events import Happening
    from app.db.sessions import SignedIn
    from app.services.house import House

BEAT_S = 5.0
SESSION_LOOK_S = 2.0


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that happened. `id` is its place in the order; `refused` a refusal's kind or a scan's reason.

    Free text that people wrote is never part of it. `who` is a printed name, null for a display without a person.
    """

    id: str
    at: datetime
    act: str
    says: Text
    subject: str
    who: str | None
    outcome: Outcome
    refused: str | None
    rule: str | None
    lot: str | None
    lot_name: str | None


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing more up to here: all is known up to `at`, by the database's clock; `at` is null while it is away."""

    id: str
    at: datetime | None


class End(StrEnum):
    """Why nothing more is told."""

    CLOSING = "closing"
    LOCKED = "locked"
    SIGNED_OUT = "signed_out"


@dataclass(frozen=True, slots=True)
class Following:
    """Who follows what, from where. It holds a place among the listeners until `leave` is called."""

    house: House
    who: SignedIn
    token: str
    start: Position
    lot: str | None

    def leave(self) -> None:
        """Give the place back."""
        self.house.feed.leave(_session_of(self.who))


async def follow(house: House, who: SignedIn, *, token: str, after: str | None, lot: str | None) -> Following:
    """Begin to follow, after an event's id or from now; of one lot alone where its code is given.

    Raises NotPermitted, NotFound, BadInput, Busy when as many follow as are served.
    """
    async with house.door.read(who.actor, Act.READ_DASHBOARD) as reading:
        code = (await items.find(reading, code=lot, kind="lot")).code if lot is not None else None
    start = Position.read(after) if after is not None else await house.feed.now()
    house.feed.admit(_session_of(who))
    return Following(house=house, who=who, token=token, start=start, lot=code)


async def told(following: Following) -> AsyncGenerator[EventView | Beat | End, None]:
    """What happens, as it happens, with a beat whenever nothing did. Ends with the session, its lock, or the process.

    Raises Refusal when what lies further back cannot be read; whoever listens asks again from the last id.
    """
    feed, at = following.house.feed, following.start
    clock = asyncio.get_running_loop().time
    actor, looked_at, beaten_at = following.who.actor, clock(), 0.0
    while True:
        if feed.is_closed:
            yield End.CLOSING
            return
        if clock() - looked_at >= SESSION_LOOK_S:
            found = await _still(following)
            if isinstance(found, End):
                yield found
                return
            actor, looked_at = found, clock()
        page = await feed.after(at)
        shown = acts_shown_to(actor)
        for each in page.events:
            if each.act in shown and following.lot in {None, each.lot}:
                yield _view(each, actor)
        at = page.end
        if not page.is_last:
            continue
        turned = await feed.turned(within_s=SESSION_LOOK_S)
        if clock() - beaten_at >= BEAT_S:
            beaten_at = clock()
            yield Beat(str(at), feed.looked_at if turned else None)


async def _still(following: Following) -> Actor | End:
    """Who the session still is, with the roles of this moment; or why it may be told nothing more."""
    house = following.house
    try:
        found = await sessions.looking_on(
            house.door, token=following.token, idle_minutes=house.settings.session_idle_minutes
        )
    except Refusal:
        return following.who.actor  # the database is away: nothing is told meanwhile
    if found is None or found.state == "ended" or not may(found.actor, Act.READ_DASHBOARD):
        return End.SIGNED_OUT
    if found.state == "idle" and found.actor.roles != WALL:
        return End.LOCKED
    return found.actor


def _view(each: Happening, actor: Actor) -> EventView:
    return EventView(
        id=str(each.position),
        at=each.at,
        act=each.act,
        says=ACT_NAMES[Act(each.act)],
        subject=each.subject,
        who=None if actor.roles == WALL else each.who,
        outcome=Outcome.REFUSED if each.refused else Outcome.DONE,
        refused=each.refused or None,
        rule=each.rule,
        lot=each.lot,
        lot_name=each.lot_name,
    )


def _session_of(who: SignedIn) -> int:
    if who.actor.session_id is None:
        raise RuntimeError("somebody signed in has a session")
    return who.actor.session_id
