"""What the wall shows: lots by state, and what waits before the release gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Row

    from app.db.door import Reading

BY_STATE = "SELECT kind, state, count(*) AS lots FROM lab.lots GROUP BY kind, state ORDER BY kind, state"
WAITING = """
SELECT l.id, k.code, l.name, l.state, l.expires_at,
    (SELECT j.blocks FROM lab.judgements j WHERE j.subject_kind = 'lot' AND j.subject_id = l.id ORDER BY j.id DESC LIMIT 1) AS checked_blocks
FROM lab.lots l JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
WHERE l.kind <> 'material' AND l.state IN ('quarantine', 'awaiting_release') AND l.id > :after
ORDER BY l.id LIMIT :limit
"""


async def lots_by_state(reading: Reading) -> Sequence[Row[Any]]:
    """How many lots of each kind stand in each state."""
    return await reading.all(BY_STATE)


async def waiting_lots(reading: Reading, *, after: int, limit: int) -> Sequence[Row[Any]]:
    """Lots in quarantine or awaiting release, by key after `after`."""
    return await reading.all(WAITING, after=after, limit=limit)
