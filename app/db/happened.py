"""For the second door: what an account touches, locked in the one order, and what it hangs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.db.door import Change, Reading

LOCK = """
SELECT lab.lock_touched(ARRAY(
    SELECT item_id FROM lab.item_codes WHERE code = ANY (CAST(:codes AS text[]))
    UNION SELECT l.donation_id FROM lab.item_codes k JOIN lab.lots l ON l.id = k.item_id
    WHERE k.code = ANY (CAST(:codes AS text[])) AND l.donation_id IS NOT NULL))
"""
LOT_OF = """
SELECT own.code FROM lab.item_codes k, LATERAL lab.root_of_item(k.item_id) AS root
JOIN lab.lots l ON root.root_kind = 'lot' AND l.id = root.root_id
JOIN lab.item_codes own ON own.item_id = l.id AND own.scheme = 'own'
WHERE k.code = :code AND l.kind <> 'material'
"""
STEP_THEN = """
SELECT id FROM lab.steps WHERE lot_id = :lot_id AND started_at <= :at ORDER BY started_at DESC, id DESC LIMIT 1
"""
PRESENT = """
SELECT id FROM lab.containers WHERE lot_id = :lot_id AND state IN ('in_use', 'stored') ORDER BY id
"""


async def lock(change: Change, *, codes: Sequence[str]) -> None:
    """Lock the roots of everything that these codes name, and of the lots' donations."""
    await change.run(LOCK, codes=list(codes))


async def lot_of(reading: Reading, *, code: str) -> str | None:
    """The code of the lot of cells that this item belongs to, or is."""
    found: str | None = await reading.value(LOT_OF, code=code)
    return found


async def step_then(reading: Reading, *, lot_id: int, at: datetime) -> int | None:
    """The last step that had begun at a moment."""
    found: int | None = await reading.value(STEP_THEN, lot_id=lot_id, at=at)
    return found


async def present(reading: Reading, *, lot_id: int) -> list[int]:
    """The lot's containers that still hold something."""
    return [row.id for row in await reading.all(PRESENT, lot_id=lot_id)]
