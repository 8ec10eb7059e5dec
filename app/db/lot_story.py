"""Everything that happened to a lot, as its page tells it: one named question for each part of the story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Reading

TIMELINE = """
SELECT told.at, told.what, told.detail, a.username AS by, told.number FROM (
    SELECT recorded_at AS at, 'move' AS what, recorded_by AS by, seq::bigint AS number,
        jsonb_build_object('act', act, 'state', to_state) AS detail FROM lab.lot_history WHERE lot_id = :id
    UNION ALL SELECT coalesce(ended_at, started_at), kind, performed_by, id,
        jsonb_build_object('passage', passage, 'happened_anyway', happened_anyway) FROM lab.steps WHERE lot_id = :id
    UNION ALL SELECT c.cleared_at, 'line_clearance', c.performed_by, c.id, jsonb_build_object('phase', c.phase,
        'workstation', (SELECT code FROM lab.item_codes WHERE item_id = c.workstation_id AND scheme = 'own'))
        FROM lab.line_clearances c WHERE c.id IN (
            SELECT opening_clearance_id FROM lab.workstation_sessions WHERE lot_id = :id
            UNION SELECT closing_clearance_id FROM lab.workstation_sessions WHERE lot_id = :id)
    UNION ALL SELECT s.taken_at, 'sample', s.taken_by, NULL, jsonb_build_object('code', k.code, 'purpose', s.purpose)
        FROM lab.samples s JOIN lab.item_codes k ON k.item_id = s.id AND k.scheme = 'own' WHERE s.lot_id = :id
    UNION ALL SELECT r.taken_at, 'retain', r.recorded_by, NULL, jsonb_build_object('code', k.code, 'kind', r.kind)
        FROM lab.retains r JOIN lab.item_codes k ON k.item_id = r.id AND k.scheme = 'own' WHERE r.lot_id = :id
    UNION ALL SELECT r.measured_at, 'result', r.analyst, r.id, jsonb_build_object('test', l.test)
        FROM lab.results r JOIN lab.specification_lines l ON l.id = r.line_id WHERE r.lot_id = :id
    UNION ALL SELECT s.signed_at, 'result_review', s.account_id, v.result_id, jsonb_build_object('decision', v.decision)
        FROM lab.result_reviews v JOIN lab.results r ON r.id = v.result_id JOIN lab.signatures s ON s.id = v.signature_id
        WHERE r.lot_id = :id
    UNION ALL SELECT s.signed_at, 'batch_review', s.account_id, NULL, jsonb_build_object('decision', b.decision)
        FROM lab.batch_reviews b JOIN lab.signatures s ON s.id = b.signature_id WHERE b.lot_id = :id
    UNION ALL SELECT d.recorded_at, 'deviation', d.recorded_by, NULL,
        jsonb_build_object('number', d.number, 'class', d.class, 'what', d.what)
        FROM lab.deviations d WHERE d.item_id IN (SELECT item_id FROM lab.ancestry(:id))
    UNION ALL SELECT h.recorded_at, 'hold', h.recorded_by, h.id, jsonb_build_object('reason', h.reason)
        FROM lab.holds h WHERE h.item_id IN (SELECT item_id FROM lab.ancestry(:id))
    UNION ALL SELECT h.lifted_at, 'hold_lifted', s.account_id, h.id, jsonb_build_object('reason', h.reason)
        FROM lab.holds h JOIN lab.signatures s ON s.id = h.lifted_signature_id
        WHERE h.item_id IN (SELECT item_id FROM lab.ancestry(:id))
    UNION ALL SELECT s.signed_at, 'release', s.account_id, r.id, jsonb_build_object('digest', r.digest)
        FROM lab.releases r JOIN lab.signatures s ON s.id = r.signature_id WHERE r.lot_id = :id
) AS told LEFT JOIN people.accounts a ON a.id = told.by ORDER BY told.at, told.number NULLS LAST
"""
GROWTH = """
SELECT id AS step, kind, passage, started_at, ended_at, viable_seeded, viable_harvested, dead_harvested,
    viability_percent, pd, cpdl, happened_anyway
FROM lab.steps WHERE lot_id = :id AND kind IN ('isolation', 'passage', 'fill') ORDER BY started_at, id
"""
CONTAINERS = """
SELECT k.code, c.kind, c.state, c.passage, c.volume_ml, c.viable_cells,
    (SELECT code FROM lab.item_codes WHERE item_id = c.place_id AND scheme = 'own') AS place,
    (SELECT count(*) FROM lab.labels WHERE item_id = c.id) AS labels
FROM lab.containers c JOIN lab.item_codes k ON k.item_id = c.id AND k.scheme = 'own' WHERE c.lot_id = :id ORDER BY c.id
"""
TAKEN = """
SELECT k.code, 'sample' AS kind, s.purpose, (SELECT code FROM lab.item_codes WHERE item_id = s.from_item_id AND scheme = 'own') AS source,
    s.taken_at, NULL AS place FROM lab.samples s JOIN lab.item_codes k ON k.item_id = s.id AND k.scheme = 'own' WHERE s.lot_id = :id
UNION ALL
SELECT k.code, 'retain', r.kind, (SELECT code FROM lab.item_codes WHERE item_id = r.from_item_id AND scheme = 'own'),
    r.taken_at, r.place FROM lab.retains r JOIN lab.item_codes k ON k.item_id = r.id AND k.scheme = 'own' WHERE r.lot_id = :id
ORDER BY taken_at, code
"""
BATCH_REVIEW = """
SELECT b.decision, b.remarks, s.printed_name AS by, s.signed_at AS at,
    b.package_digest = audit.sha256_hex(package.bytes) AS current
FROM lab.batch_reviews b JOIN lab.signatures s ON s.id = b.signature_id, dossier.record('batch', :id) AS package
WHERE b.lot_id = :id ORDER BY b.id DESC LIMIT 1
"""
OPEN_SESSIONS = """
SELECT k.code AS workstation, e.name, lower(w.during) AS since FROM lab.workstation_sessions w
JOIN lab.equipment e ON e.id = w.workstation_id JOIN lab.item_codes k ON k.item_id = e.id AND k.scheme = 'own'
WHERE w.lot_id = :id AND upper_inf(w.during) ORDER BY w.id
"""


async def timeline(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """What happened, when, by whom, oldest first."""
    return await reading.all(TIMELINE, id=lot_id)


async def growth(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """The steps in which cells were counted."""
    return await reading.all(GROWTH, id=lot_id)


async def containers(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """Flasks and vials, with their places and how many labels were printed for each."""
    return await reading.all(CONTAINERS, id=lot_id)


async def taken(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """Samples and retains."""
    return await reading.all(TAKEN, id=lot_id)


async def batch_review(reading: Reading, *, lot_id: int) -> Row[Any] | None:
    """The last review of the batch record, and whether the record still is what was reviewed."""
    return await reading.one(BATCH_REVIEW, id=lot_id)


async def open_sessions(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """The workstations where this lot's cells are now."""
    return await reading.all(OPEN_SESSIONS, id=lot_id)
