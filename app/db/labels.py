"""Labels as they were made: what stood on each, read back before it could be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from sqlalchemy import Row

    from app.db.door import Change, Reading

VIAL = """
SELECT i.id, k.code, l.name, p.product, p.product_zh, c.passage, c.viable_cells, o.relation,
    CAST(coalesce(l.frozen_at, s.ended_at, s.started_at, c.recorded_at) AT TIME ZONE f.time_zone AS date) AS frozen_on,
    (SELECT count(*) FROM lab.containers v WHERE v.lot_id = c.lot_id AND v.kind = 'vial' AND v.id <= c.id) AS number
FROM lab.item_codes k JOIN lab.items i ON i.id = k.item_id JOIN lab.containers c ON c.id = i.id
JOIN lab.lots l ON l.id = c.lot_id JOIN lab.process_versions p ON p.id = l.process_id
JOIN lab.donors o ON o.id = l.donor_id LEFT JOIN lab.steps s ON s.id = c.step_id CROSS JOIN lab.deployment f
WHERE k.code = :code AND k.scheme = 'own' AND c.kind = 'vial'
"""
LAST = """
SELECT id, design, content_sha256, read_back, reason, recorded_at FROM lab.labels
WHERE item_id = :item ORDER BY id DESC LIMIT 1
"""
INSERT = """
INSERT INTO lab.labels (item_id, design, content_sha256, read_back, reprint_of, reason, recorded_by)
VALUES (:item, :design, :content, :read_back, :reprint_of, :reason, :by) RETURNING id
"""


async def vial(reading: Reading, *, code: str) -> Row[Any]:
    """What a vial's label says. Frozen on the day of its filling until the freezing is recorded. Raises NotFound."""
    row = await reading.one(VIAL, code=code)
    if row is None:
        raise NotFound(
            what=Text("No label was made for {code}.", code=code),
            why=Text("Only the vials of a lot of cells have a label design, and this is none."),
            remedy=Text("Scan the vial, or the lot to find its vials."),
        )
    return row


async def last(reading: Reading, *, item_id: int) -> Row[Any] | None:
    """The label made last for this item, or None."""
    return await reading.one(LAST, item=item_id)


async def insert(
    change: Change,
    *,
    item_id: int,
    design: str,
    content_sha256: str,
    read_back: str,
    reprint_of: int | None,
    reason: str | None,
) -> int:
    """Keep that a label was made. Its number."""
    number: int = await change.value(
        INSERT,
        item=item_id,
        design=design,
        content=content_sha256,
        read_back=read_back,
        reprint_of=reprint_of,
        reason=reason,
        by=change.actor.account_id,
    )
    return number
