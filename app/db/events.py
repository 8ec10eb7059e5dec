"""What happened, in an order that loses nothing: read once for a whole process, followed by everybody who listens.

An entry's number is drawn before its transaction commits, so a smaller number may come into sight after a larger one.
What happened is therefore told in the order of transactions, and only below the horizon: the oldest transaction that
still runs. Nobody can commit below it any more, so a place in this order (a `Position`) is one that everything before
is known of. A transaction that is left open delays what follows; the service roles' time-outs bound that.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import structlog

from app.domain.errors import BadInput, Busy, Refusal
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Door, Reading

log = structlog.get_logger("stemma.events")

LOOK_EVERY_S = 0.5
KEPT = 1_000
"""So many of the last events are kept for those who listen; who is further behind reads from the database."""
PAGE = 250
"""So many are read at once; it stands in the statement as a number, for statements are planned once for any value."""

HORIZON = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid, (SELECT coalesce(max(epoch), 1) FROM audit.epochs) AS epoch,
    clock_timestamp() AS at
"""
_HAPPENED = """
WITH page AS MATERIALIZED (
    SELECT * FROM (
        (SELECT e.epoch, e.xid, e.number, e.at, 'act' AS kind, e.act, e.subject, e.actor_id AS account_id,
                CAST(NULL AS bigint) AS item_id, '' AS verdict, '' AS reason
         FROM audit.entries e WHERE {entry} ORDER BY e.epoch, e.xid, e.number LIMIT {limit})
        UNION ALL
        (SELECT s.epoch, s.xid, s.number, s.at, 'scan', 'scan', '', s.account_id, s.item_id, s.verdict, s.reason
         FROM lab.scans s WHERE s.verdict <> 'accepted' AND {scan} ORDER BY s.epoch, s.xid, s.number LIMIT {limit})
    ) happened ORDER BY epoch, xid, number LIMIT {limit}
)
SELECT p.epoch, p.xid::text AS xid, p.number, p.at, p.kind, p.act,
    CASE WHEN p.kind = 'act' THEN p.subject ELSE coalesce(own.code, '') END AS subject,
    a.printed_name AS who, p.verdict, p.reason, f.kind AS refused, f.rule,
    lk.code AS lot, l.name AS lot_name, l.kind AS lot_kind
FROM page p
LEFT JOIN lab.item_codes k ON p.kind = 'act' AND k.code = p.subject
LEFT JOIN lab.deviations d ON p.kind = 'act' AND d.number = p.subject
CROSS JOIN LATERAL (SELECT coalesce(p.item_id, k.item_id, d.item_id, CASE
    WHEN p.subject ~ '^hold [1-9][0-9]{{0,17}}$'
        THEN (SELECT h.item_id FROM lab.holds h WHERE h.id = CAST(substr(p.subject, 6) AS bigint))
    WHEN p.subject ~ '^result [1-9][0-9]{{0,17}}$'
        THEN (SELECT r.lot_id FROM lab.results r WHERE r.id = CAST(substr(p.subject, 8) AS bigint))
    WHEN p.subject ~ '^waiver [1-9][0-9]{{0,17}}$'
        THEN (SELECT coalesce(w.lot_id, w.donation_id) FROM lab.waivers w WHERE w.id = CAST(substr(p.subject, 8) AS bigint)) END) AS item_id) about
LEFT JOIN lab.item_codes own ON own.item_id = p.item_id AND own.scheme = 'own'
LEFT JOIN lab.containers c ON c.id = about.item_id
LEFT JOIN lab.samples sa ON sa.id = about.item_id
LEFT JOIN lab.retains re ON re.id = about.item_id
LEFT JOIN lab.lots l ON l.id = coalesce(c.lot_id, sa.lot_id, re.lot_id, about.item_id)
LEFT JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own'
LEFT JOIN people.accounts a ON a.id = p.account_id
LEFT JOIN LATERAL (
    SELECT r.kind, r.rule FROM audit.rows w JOIN lab.refusals r ON r.id = CAST(w.key AS bigint)
    WHERE p.kind = 'act' AND w.entry_number = p.number AND w.tbl = 'lab.refusals' LIMIT 1
) f ON true
ORDER BY p.epoch, p.xid, p.number
"""
_THIS_EPOCH = (
    "{t}.epoch = :epoch AND {t}.xid >= CAST(CAST(:xid AS text) AS xid8) AND {t}.xid < CAST(CAST(:horizon AS text) AS xid8)"
    " AND ({t}.xid > CAST(CAST(:xid AS text) AS xid8) OR {t}.number > :number)"
)
# What was restored counted its transactions in another cluster: all of it is below any horizon of this one.
_EARLIER_EPOCH = (
    "({t}.epoch > :epoch OR ({t}.epoch = :epoch AND ({t}.xid > CAST(CAST(:xid AS text) AS xid8)"
    " OR ({t}.xid = CAST(CAST(:xid AS text) AS xid8) AND {t}.number > :number))))"
    " AND ({t}.epoch < :now_epoch OR ({t}.epoch = :now_epoch AND {t}.xid < CAST(CAST(:horizon AS text) AS xid8)))"
)
WITHIN = _HAPPENED.format(limit=PAGE, entry=_THIS_EPOCH.format(t="e"), scan=_THIS_EPOCH.format(t="s"))
AFTER_RESTORE = _HAPPENED.format(limit=PAGE, entry=_EARLIER_EPOCH.format(t="e"), scan=_EARLIER_EPOCH.format(t="s"))


class Position(NamedTuple):
    """A place in the order of what happened. Everything at or before it has been told."""

    epoch: int
    xid: int
    number: int

    def __str__(self) -> str:
        """As an event's id: `<epoch>-<transaction>-<number>`."""
        return f"{self.epoch}-{self.xid}-{self.number}"

    @classmethod
    def read(cls, text: str) -> Position:
        """The position that an event's id names. Raises BadInput."""
        found = re.fullmatch(r"(\d{1,9})-(\d{1,19})-(\d{1,18})", text, re.ASCII)
        if found is None or int(found[2]) >= 1 << 63:
            raise BadInput(
                field="Last-Event-ID",
                what=Text("Nothing is told."),
                why=Text("This is no event's id."),
                remedy=Text("Send the id of the last event that was received, or none to begin now."),
            )
        return cls(int(found[1]), int(found[2]), int(found[3]))


@dataclass(frozen=True, slots=True)
class Happening:
    """One act, refused act or refused scan. `refused` is a refusal's kind or a scan's reason, "" where it was done.

    `subject` is a code, a number of ours or a name; a scan's only where an item of ours was scanned.
    """

    position: Position
    at: datetime
    kind: str
    act: str
    subject: str
    who: str | None
    refused: str
    rule: str | None
    lot: str | None
    lot_name: str | None
    lot_kind: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """What happened since a position, up to another; `is_last`: there is no more for now."""

    events: tuple[Happening, ...]
    end: Position
    is_last: bool


class Feed:
    """One look at the database each half second, while anybody listens, for all who listen in this process."""

    def __init__(self, door: Door, *, listeners_max: int, per_session_max: int) -> None:
        """Nothing is asked before somebody listens."""
        self._door = door
        self._listeners_max = listeners_max
        self._per_session_max = per_session_max
        self._listening: dict[int, int] = {}
        self._tail: deque[Happening] = deque(maxlen=KEPT)
        self._begin: Position | None = None
        self._end: Position | None = None
        self._looked_at: datetime | None = None
        self._turn = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether this process is about to end."""
        return self._closed

    @property
    def looked_at(self) -> datetime | None:
        """When the database last answered, on its own clock."""
        return self._looked_at

    @property
    def listeners(self) -> int:
        """How many listen."""
        return sum(self._listening.values())

    # -- who listens -----------------------------------------------------------------------------------------------

    def admit(self, session_id: int) -> None:
        """Take a place; `leave` gives it back. Raises Busy when there is none, or when the process is about to end."""
        mine = self._listening.get(session_id, 0)
        if self._closed or self.listeners >= self._listeners_max or mine >= self._per_session_max:
            raise Busy(
                what=Text("Nothing is told."),
                why=Text("As many listen already as this server serves: {limit}, and {own} of one session.",
                         limit=self._listeners_max, own=self._per_session_max),
                remedy=Text("Close a display that nobody looks at, or try again in a minute."),
            )  # fmt: skip
        self._listening[session_id] = mine + 1
        if self._looking is None or self._looking.done():
            self._tail.clear()
            self._begin = self._end = None
            self._looking = asyncio.create_task(self._look_on())

    def leave(self, session_id: int) -> None:
        """Give a place back. The last one to leave ends the looking."""
        left = self._listening.pop(session_id, 1) - 1
        if left > 0:
            self._listening[session_id] = left
        if not self._listening and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def close(self) -> None:
        """End every stream at once, and take no more."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
        self._next_turn()

    # -- what is told ----------------------------------------------------------------------------------------------

    async def now(self) -> Position:
        """Where the order stands at this moment."""
        async with self._door.look() as reading:
            position, _ = await _horizon(reading)
        return position

    async def turned(self, *, within_s: float) -> bool:
        """Wait for the next look that the database answered; whether there was one in that time."""
        try:
            await asyncio.wait_for(self._turn.wait(), within_s)
        except TimeoutError:
            return False
        return True

    async def after(self, position: Position) -> Page:
        """What happened after a position, at most a page of it: from memory where it is recent, else from the database.

        Raises BadInput for a position of an epoch that never was.
        """
        if self._begin is not None and self._end is not None and position >= self._begin:
            events = tuple(each for each in self._tail if each.position > position)
            return Page(events, max(position, self._end), is_last=True)
        async with self._door.look() as reading:
            return await read_after(reading, position)

    async def _look_on(self) -> None:
        while not self._closed:
            try:
                await self._look()
            except (Refusal, OSError) as error:
                log.warning("events_not_read", error=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        async with self._door.look() as reading:
            horizon, at = await _horizon(reading)
            if self._end is None:
                self._begin = self._end = horizon
            while True:
                page = await read_after(reading, self._end, horizon=horizon)
                self._keep(page)
                if page.is_last:
                    break
        self._looked_at = at
        self._next_turn()

    def _keep(self, page: Page) -> None:
        lost = len(self._tail) + len(page.events) - KEPT
        if lost > 0:
            # Who stands before what is forgotten now reads it from the database.
            known = [*self._tail, *page.events]
            self._begin = known[lost - 1].position
        self._tail.extend(page.events)
        self._end = page.end

    def _next_turn(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()


async def _horizon(reading: Reading) -> tuple[Position, datetime]:
    row = await reading.one(HORIZON)
    if row is None:
        raise RuntimeError("a row of functions always answers")
    # Everything of transactions below the horizon is told, nothing of the horizon's own.
    return Position(row.epoch, int(row.xid), 0), row.at


async def read_after(reading: Reading, position: Position, *, horizon: Position | None = None) -> Page:
    """What happened after a position and below the horizon, straight from the database. Raises BadInput."""
    if horizon is None:
        horizon, _ = await _horizon(reading)
    if position.epoch > horizon.epoch:
        raise BadInput(
            field="Last-Event-ID",
            what=Text("Nothing is told."),
            why=Text("This id belongs to an epoch that this log never had."),
            remedy=Text("Send the id of the last event that was received, or none to begin now."),
        )
    same = position.epoch == horizon.epoch
    values = {
        "epoch": position.epoch,
        "xid": str(position.xid),
        "number": position.number,
        "horizon": str(horizon.xid),
    }
    rows = await (
        reading.all(WITHIN, **values) if same else reading.all(AFTER_RESTORE, now_epoch=horizon.epoch, **values)
    )
    events = tuple(
        Happening(
            position=Position(row.epoch, int(row.xid), row.number),
            at=row.at,
            kind=row.kind,
            act=row.act,
            subject=row.subject,
            who=row.who,
            refused=row.reason if row.kind == "scan" else row.refused or "",
            rule=row.rule,
            lot=row.lot,
            lot_name=row.lot_name,
            lot_kind=row.lot_kind,
        )
        for row in rows
    )
    is_last = len(events) < PAGE
    return Page(events, max(position, horizon) if is_last else events[-1].position, is_last)
