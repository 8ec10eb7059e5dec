"""What a bench looks at: its workstation, whose cells are there, and how far their lot has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Reading

WORKSTATION = """
SELECT e.name, e.room, c.code FROM lab.equipment e
JOIN lab.item_codes c ON c.item_id = e.id AND c.scheme = 'own'
WHERE e.id = :workstation_id AND e.kind = 'workstation'
"""
OCCUPANT = """
SELECT p.pseudonym AS donor, lower(w.during) AS since, l.id AS lot_id, k.code AS lot, l.name, l.state,
    v.name AS process, v.version AS process_version, v.max_passage, v.max_pdl,
    c.id AS clearance, c.cleared_at, a.printed_name AS cleared_by, b.printed_name AS clearance_verified_by,
    EXISTS (SELECT FROM lab.open_holds(l.id)) AS held
FROM lab.workstation_sessions w
JOIN lab.persons p ON p.id = w.donor_id
JOIN lab.lots l ON l.id = w.lot_id
JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
LEFT JOIN lab.process_versions v ON v.id = l.process_id
LEFT JOIN lab.line_clearances c ON c.id = w.opening_clearance_id
LEFT JOIN people.accounts a ON a.id = c.performed_by
LEFT JOIN lab.verifications x ON x.clearance_id = c.id
LEFT JOIN people.accounts b ON b.id = x.verified_by
WHERE w.workstation_id = :workstation_id AND upper_inf(w.during)
ORDER BY w.id DESC LIMIT 1
"""
STEPS = """
SELECT s.id AS step, s.kind, s.passage, s.started_at, s.ended_at, s.happened_anyway, s.viability_percent,
    s.viable_harvested, s.cpdl, a.printed_name AS verified_by
FROM lab.steps s LEFT JOIN lab.verifications v ON v.step_id = s.id LEFT JOIN people.accounts a ON a.id = v.verified_by
WHERE s.lot_id = :lot_id ORDER BY s.started_at, s.id
"""
LAST_STEP = """
SELECT l.id AS lot_id, l.name AS lot, s.kind, s.passage, s.started_at FROM lab.workstation_sessions w
JOIN lab.lots l ON l.id = w.lot_id LEFT JOIN LATERAL (
    SELECT kind, passage, started_at FROM lab.steps WHERE lot_id = w.lot_id ORDER BY started_at DESC, id DESC LIMIT 1
) AS s ON true
WHERE w.workstation_id = :workstation_id AND upper_inf(w.during) ORDER BY w.id DESC LIMIT 1
"""


async def workstation(reading: Reading, *, workstation_id: int) -> Row[Any] | None:
    """Name, room and code of a workstation, or None for anything else."""
    return await reading.one(WORKSTATION, workstation_id=workstation_id)


async def occupant(reading: Reading, *, workstation_id: int) -> Row[Any] | None:
    """Whose cells are there now with their lot, or None at a clear line."""
    return await reading.one(OCCUPANT, workstation_id=workstation_id)


async def last_step(reading: Reading, *, workstation_id: int) -> Row[Any] | None:
    """The lot that is there now with what was done with it last, or None at a clear line."""
    return await reading.one(LAST_STEP, workstation_id=workstation_id)


async def steps(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """What has been done with a lot, in order."""
    return await reading.all(STEPS, lot_id=lot_id)
