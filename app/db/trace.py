"""Where an item came from and what became of it: one recursive query each way, bounded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Reading

NODES_MAX = 5_000


class Direction(StrEnum):
    """Backward: where it came from. Forward: what became of it."""

    BACKWARD = "backward"
    FORWARD = "forward"


# Asked lazily: the recursion ends as soon as the limit is reached, whatever hangs behind it.
_WALK = """
WITH RECURSIVE walk(id) AS (
    SELECT CAST(:id AS bigint)
    UNION SELECT c.id FROM lab.containers c WHERE c.lot_id = :id
    UNION SELECT {to} FROM walk JOIN lab.lineage l ON {from_} = walk.id
) SELECT id FROM walk LIMIT :limit
"""
WALKS = {
    Direction.BACKWARD: _WALK.format(to="l.parent_id", from_="l.child_id"),
    Direction.FORWARD: _WALK.format(to="l.child_id", from_="l.parent_id"),
}
NODES = """
SELECT i.id, k.code, CASE WHEN i.kind = 'container' THEN coalesce(c.kind, i.kind) ELSE i.kind END AS kind, c.state,
    coalesce(c.lot_id, s.lot_id, r.lot_id, own.id) AS lot_id, lk.code AS lot, l.name AS lot_name, l.state AS lot_state,
    coalesce(p.pseudonym, e.name, l.name) AS name
FROM lab.items i
JOIN lab.item_codes k ON k.item_id = i.id AND k.scheme = 'own'
LEFT JOIN lab.containers c ON c.id = i.id
LEFT JOIN lab.samples s ON s.id = i.id
LEFT JOIN lab.retains r ON r.id = i.id
LEFT JOIN lab.lots own ON own.id = i.id
LEFT JOIN lab.lots l ON l.id = coalesce(c.lot_id, s.lot_id, r.lot_id, own.id)
LEFT JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own'
LEFT JOIN lab.donations d ON d.id = i.id
LEFT JOIN lab.persons p ON p.id = coalesce(d.donor_id, i.id)
LEFT JOIN lab.equipment e ON e.id = i.id
WHERE i.id = ANY (CAST(:ids AS bigint[])) ORDER BY i.id
"""
NEAR = """
WITH RECURSIVE walk(id, distance) AS (
    SELECT CAST(:id AS bigint), 0
    UNION SELECT c.id, 0 FROM lab.containers c WHERE c.lot_id = :id
    UNION SELECT {to}, walk.distance + 1 FROM walk JOIN lab.lineage l ON {from_} = walk.id
        WHERE walk.distance < CAST(:steps_max AS int)
), reached AS (
    SELECT id, min(distance) AS distance FROM (SELECT id, distance FROM walk WHERE id <> :id LIMIT :walked_max) AS bounded
    GROUP BY id ORDER BY min(distance), id LIMIT :limit
)
SELECT i.id, r.distance, k.code, CASE WHEN i.kind = 'container' THEN coalesce(c.kind, i.kind) ELSE i.kind END AS kind,
    c.state, c.passage, l.name AS lot_name, l.state AS lot_state, lk.code AS lot,
    coalesce(p.pseudonym, e.name) AS name
FROM reached r JOIN lab.items i ON i.id = r.id
JOIN lab.item_codes k ON k.item_id = i.id AND k.scheme = 'own'
LEFT JOIN lab.containers c ON c.id = i.id
LEFT JOIN lab.samples s ON s.id = i.id
LEFT JOIN lab.retains t ON t.id = i.id
LEFT JOIN lab.lots l ON l.id = coalesce(c.lot_id, s.lot_id, t.lot_id, i.id)
LEFT JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own'
LEFT JOIN lab.donations d ON d.id = i.id
LEFT JOIN lab.persons p ON p.id = coalesce(d.donor_id, i.id)
LEFT JOIN lab.equipment e ON e.id = i.id
ORDER BY r.distance, i.kind, i.id
"""
NEARS = {
    Direction.BACKWARD: NEAR.format(to="l.parent_id", from_="l.child_id"),
    Direction.FORWARD: NEAR.format(to="l.child_id", from_="l.parent_id"),
}
STEPS_MAX = 12
EDGES = """
SELECT pk.code AS parent, ck.code AS child, st.kind AS step, st.passage
FROM lab.lineage l
JOIN lab.item_codes pk ON pk.item_id = l.parent_id AND pk.scheme = 'own'
JOIN lab.item_codes ck ON ck.item_id = l.child_id AND ck.scheme = 'own'
LEFT JOIN lab.steps st ON st.id = l.step_id
WHERE l.parent_id = ANY (CAST(:ids AS bigint[])) AND l.child_id = ANY (CAST(:ids AS bigint[]))
ORDER BY l.parent_id, l.child_id
"""


@dataclass(frozen=True, slots=True)
class Trace:
    """Items and what leads from one to another. `is_cut`: there are more than were fetched."""

    nodes: Sequence[Row[Any]]
    edges: Sequence[Row[Any]]
    is_cut: bool


async def trace(reading: Reading, *, item_id: int, direction: Direction, nodes_max: int = NODES_MAX) -> Trace:
    """Everything reached from the item; from a lot, everything reached from any of its containers."""
    rows = await reading.all(WALKS[direction], id=item_id, limit=nodes_max + 1)
    ids = [row.id for row in rows[:nodes_max]]
    return Trace(
        nodes=await reading.all(NODES, ids=ids),
        edges=await reading.all(EDGES, ids=ids),
        is_cut=len(rows) > nodes_max,
    )


async def near(reading: Reading, *, item_id: int, direction: Direction, limit: int) -> Sequence[Row[Any]]:
    """What is reached from the item in few steps, nearest first: one statement, for people who look."""
    return await reading.all(NEARS[direction], id=item_id, steps_max=STEPS_MAX, walked_max=20 * limit, limit=limit + 1)
