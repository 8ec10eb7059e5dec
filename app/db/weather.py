"""What the next step of a lot is expected to take, and when: as its last steps and other lots of its process tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Row

    from app.db.door import Reading

EXPECTED = """
WITH own AS MATERIALIZED (SELECT id, kind, performed_by, workstation_session_id, started_at FROM lab.steps WHERE lot_id = :id),
last AS (SELECT * FROM own ORDER BY started_at DESC, id DESC LIMIT 1),
course AS (
    SELECT f.started_at - i.started_at AS took FROM lab.lots me JOIN lab.lots o ON o.process_id = me.process_id AND o.id <> me.id
    JOIN lab.steps i ON i.lot_id = o.id AND i.kind = 'isolation' JOIN lab.steps f ON f.lot_id = o.id AND f.kind = 'fill'
    WHERE me.id = :id ORDER BY f.id DESC LIMIT 50
)
SELECT (SELECT time_zone FROM lab.deployment) AS zone, (SELECT performed_by FROM last) AS performed_by,
    (SELECT w.workstation_id FROM own JOIN lab.workstation_sessions w ON w.id = own.workstation_session_id
     ORDER BY own.started_at DESC, own.id DESC LIMIT 1) AS workstation_id,
    ARRAY(SELECT DISTINCT u.container_id FROM lab.consumptions u JOIN lab.containers c ON c.id = u.container_id
          WHERE u.lot_id = :id AND c.state IN ('in_use', 'stored') ORDER BY 1) AS material_container_ids,
    ARRAY(SELECT c.id FROM lab.containers c WHERE c.lot_id = :id AND c.kind = 'flask' AND c.state = 'in_use' ORDER BY 1) AS parent_ids,
    (SELECT max(c.passage) FROM lab.containers c WHERE c.lot_id = :id AND c.kind = 'flask' AND c.state = 'in_use') AS passage,
    EXISTS (SELECT FROM own WHERE kind IN ('isolation', 'thaw')) AS begun, EXISTS (SELECT FROM own WHERE kind = 'fill') AS filled,
    (SELECT min(started_at) FROM own WHERE kind IN ('isolation', 'thaw')) AS began_at, (SELECT count(*) FROM course) AS lots_before,
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FROM course) AS usual
"""


async def expected(reading: Reading, *, lot_id: int) -> Row[Any]:
    """Who made the last step and where, what of its materials is left, and how long lots of this process took."""
    row = await reading.one(EXPECTED, id=lot_id)
    if row is None:
        raise RuntimeError("this question always has one answer")
    return row
