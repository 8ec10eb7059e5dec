"""Everything that happened to a lot, as its page tells it: one named question for each part of the story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Reading

TIMELINE = """
WITH kin AS MATERIALIZED (SELECT ARRAY(SELECT item_id FROM lab.ancestry(:id)) AS ids)
SELECT told.at, told.what, told.detail, a.username AS by, a.printed_name AS by_name, told.number FROM (
    SELECT recorded_at AS at, 'move' AS what, recorded_by AS by, seq::bigint AS number,
        jsonb_build_object('act', act, 'state', to_state) AS detail FROM lab.lot_history WHERE lot_id = :id
    UNION ALL SELECT coalesce(ended_at, started_at), kind, performed_by, id,
        jsonb_build_object('passage', passage, 'happened_anyway', happened_anyway, 'began', audit.stamp(started_at), 'partner', (
            SELECT n.name FROM lab.partner_steps w JOIN lab.partner_lots m ON m.lot_id = w.lot_id JOIN lab.partners n ON n.id = m.partner_id
            WHERE w.step_id = lab.steps.id))
        FROM lab.steps WHERE lot_id = :id
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
    UNION ALL SELECT s.signed_at, 'result_review', s.account_id, v.result_id,
        jsonb_build_object('decision', v.decision, 'test', l.test)
        FROM lab.result_reviews v JOIN lab.results r ON r.id = v.result_id JOIN lab.signatures s ON s.id = v.signature_id
        JOIN lab.specification_lines l ON l.id = r.line_id
        WHERE r.lot_id = :id
    UNION ALL SELECT v.recorded_at, 'verification', v.verified_by, v.id,
        jsonb_build_object('step', s.kind, 'passage', s.passage, 'phase', c.phase)
        FROM lab.verifications v LEFT JOIN lab.steps s ON s.id = v.step_id
        LEFT JOIN lab.line_clearances c ON c.id = v.clearance_id WHERE v.lot_id = :id
    UNION ALL SELECT recorded_at, 'label_count', recorded_by, id,
        jsonb_build_object('printed', printed, 'used', used, 'destroyed', destroyed, 'returned', returned)
        FROM lab.label_counts WHERE lot_id = :id
    UNION ALL SELECT s.signed_at, 'batch_review', s.account_id, NULL, jsonb_build_object('decision', b.decision)
        FROM lab.batch_reviews b JOIN lab.signatures s ON s.id = b.signature_id WHERE b.lot_id = :id
    UNION ALL SELECT d.recorded_at, 'deviation', d.recorded_by, NULL,
        jsonb_build_object('number', d.number, 'class', d.class, 'what', d.what)
        FROM lab.deviations d WHERE d.item_id = ANY (CAST((SELECT ids FROM kin) AS bigint[]))
    UNION ALL SELECT h.recorded_at, 'hold', h.recorded_by, h.id, jsonb_build_object('reason', h.reason)
        FROM lab.holds h WHERE h.item_id = ANY (CAST((SELECT ids FROM kin) AS bigint[]))
    UNION ALL SELECT h.lifted_at, 'hold_lifted', s.account_id, h.id, jsonb_build_object('reason', h.reason)
        FROM lab.holds h JOIN lab.signatures s ON s.id = h.lifted_signature_id
        WHERE h.item_id = ANY (CAST((SELECT ids FROM kin) AS bigint[]))
    UNION ALL SELECT s.signed_at, 'release', s.account_id, r.id, jsonb_build_object('digest', r.digest, 'meaning', s.meaning)
        FROM lab.releases r JOIN lab.signatures s ON s.id = r.signature_id WHERE r.lot_id = :id
) AS told LEFT JOIN people.accounts a ON a.id = told.by ORDER BY told.at, told.number NULLS LAST
"""
GROWTH = """
SELECT id AS step, kind, passage, started_at, ended_at, viable_seeded, viable_harvested, dead_harvested,
    viability_percent, pd, cpdl, happened_anyway
FROM lab.steps WHERE lot_id = :id AND kind IN ('isolation', 'passage', 'fill', 'thaw') ORDER BY started_at, id
"""
# The lot's own first, by its index: in the order of their keys the planner would rather walk through everybody's.
CONTAINERS = """
WITH ours AS MATERIALIZED (
    SELECT c.* FROM lab.containers c WHERE c.lot_id = :id AND (CAST(:kind AS text) IS NULL OR c.kind = :kind)
)
SELECT k.code, c.kind, c.state, c.passage, c.volume_ml, c.viable_cells,
    (SELECT code FROM lab.item_codes WHERE item_id = c.place_id AND scheme = 'own') AS place,
    (SELECT count(*) FROM lab.labels WHERE item_id = c.id) AS labels
FROM (SELECT * FROM ours WHERE (CAST(:after AS text) IS NULL OR id > (SELECT item_id FROM lab.item_codes WHERE code = :after))
    ORDER BY id LIMIT :limit) AS c JOIN lab.item_codes k ON k.item_id = c.id AND k.scheme = 'own' ORDER BY c.id
"""
COUNTED = """
SELECT kind, state, count(*) AS containers FROM lab.containers WHERE lot_id = :id GROUP BY kind, state ORDER BY kind, state
"""
RESULTS = """
SELECT r.id, s.code AS sample, l.test, r.value_number, r.value_text, r.unit, r.method_version, r.instrument,
    concat_ws(' · ', a.printed_name, (SELECT d.reference FROM lab.partner_papers d WHERE d.id = r.paper_id)) AS analyst, r.measured_at, i.id IS NOT NULL AS invalidated, l.method, l.kind, l.low, l.high,
    l.unit AS line_unit, l.expected, l.safety, l.required,
    (SELECT v.decision FROM lab.result_reviews v WHERE v.result_id = r.id ORDER BY v.id DESC LIMIT 1) AS review
FROM lab.results r JOIN lab.specification_lines l ON l.id = r.line_id JOIN people.accounts a ON a.id = r.analyst
JOIN lab.item_codes s ON s.item_id = r.sample_id AND s.scheme = 'own'
LEFT JOIN lab.result_invalidations i ON i.result_id = r.id WHERE r.lot_id = :id ORDER BY r.id DESC LIMIT :limit
"""
# What one step made at once stands together, for it has the same parents; so do containers of one material lot, and
# samples or retains of one source. However many vials a lot has, its picture has as many groups as it had steps.
_MEMBERS = """
WITH bare AS (
    SELECT i.id, i.kind AS item_kind, k.code, c.kind AS subkind, c.state, c.passage, c.step_id, st.kind AS step,
        coalesce(c.lot_id, s.lot_id, r.lot_id, own.id) AS lot_id, coalesce(s.from_item_id, r.from_item_id) AS from_id,
        r.kind AS retain_kind, s.purpose
    FROM lab.items i JOIN lab.item_codes k ON k.item_id = i.id AND k.scheme = 'own'
    LEFT JOIN lab.containers c ON c.id = i.id LEFT JOIN lab.steps st ON st.id = c.step_id
    LEFT JOIN lab.samples s ON s.id = i.id LEFT JOIN lab.retains r ON r.id = i.id LEFT JOIN lab.lots own ON own.id = i.id
    -- As an array, so that whatever the planner thinks of the function, each item is looked up by its key.
    WHERE i.id = ANY (ARRAY(SELECT item_id FROM lab.ancestry(:id))) AND i.id <> :id
),
member AS MATERIALIZED (
    SELECT b.*, CASE b.item_kind
        WHEN 'container' THEN 'c' || coalesce(b.step_id::text, '0') || '-' || b.subkind || '-' || coalesce(b.lot_id, 0)
        WHEN 'material_container' THEN 'm' || coalesce(b.lot_id, b.id)
        WHEN 'lot' THEN CASE WHEN l.kind = 'material' THEN 'm' || b.id ELSE 'l' || b.id END
        WHEN 'sample' THEN 's' || coalesce(src.step_id::text, b.from_id::text) || '-' || b.item_kind
        WHEN 'retain' THEN 'r' || coalesce(src.step_id::text, b.from_id::text) || '-' || b.retain_kind
        ELSE left(b.item_kind, 1) || b.id END AS key
    FROM bare b LEFT JOIN lab.lots l ON l.id = b.lot_id LEFT JOIN lab.containers src ON src.id = b.from_id
)
"""
GROUPS = (
    _MEMBERS
    + """
SELECT m.key, min(CASE WHEN m.item_kind = 'container' THEN m.subkind WHEN m.key LIKE 'm%' THEN 'material' ELSE m.item_kind END) AS kind,
    min(m.passage) AS passage, min(m.step) AS step, min(m.retain_kind) AS retain_kind, min(m.purpose) AS purpose,
    count(*) FILTER (WHERE m.item_kind <> 'lot' OR m.key LIKE 'l%') AS members,
    (array_agg(m.code ORDER BY m.id) FILTER (WHERE m.item_kind <> 'lot' OR m.key LIKE 'l%'))[1:CAST(:codes AS int)] AS codes,
    min(CASE WHEN m.item_kind = 'lot' THEN m.code END) AS lot_code,
    (SELECT name FROM lab.lots WHERE id = min(m.lot_id)) AS lot_name,
    (SELECT x.name FROM lab.material_lots y JOIN lab.materials x ON x.id = y.material_id WHERE y.id = min(m.lot_id)) AS material,
    (SELECT pseudonym FROM lab.persons WHERE id = min(m.id)) AS pseudonym,
    (SELECT tissue FROM lab.donations WHERE id = min(m.id)) AS tissue,
    array_agg(DISTINCT m.state) FILTER (WHERE m.state IS NOT NULL) AS states
FROM member m GROUP BY m.key ORDER BY min(m.id) LIMIT :limit
"""
)
GROUP_EDGES = (
    _MEMBERS
    + """
SELECT DISTINCT p.key AS parent, c.key AS child FROM lab.lineage l
JOIN member p ON p.id = l.parent_id JOIN member c ON c.id = l.child_id WHERE p.key <> c.key ORDER BY 1, 2 LIMIT :limit
"""
)
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


async def containers(
    reading: Reading, *, lot_id: int, kind: str | None = None, after: str | None = None, limit: int
) -> Sequence[Row[Any]]:
    """Flasks and vials after the one of this code, with their places and how many labels were printed for each."""
    return await reading.all(CONTAINERS, id=lot_id, kind=kind, after=after, limit=limit)


async def counted(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """How many containers of each kind are in each state."""
    return await reading.all(COUNTED, id=lot_id)


async def results(reading: Reading, *, lot_id: int, limit: int) -> Sequence[Row[Any]]:
    """The latest results, newest first, each with the line of the specification that it answers."""
    return await reading.all(RESULTS, id=lot_id, limit=limit)


async def groups(reading: Reading, *, lot_id: int, codes: int, limit: int) -> Sequence[Row[Any]]:
    """Everything that the lot came from and consists of, grouped by what made it; at most `codes` codes of each."""
    return await reading.all(GROUPS, id=lot_id, codes=codes, limit=limit)


async def group_edges(reading: Reading, *, lot_id: int, limit: int) -> Sequence[Row[Any]]:
    """What leads from one of these groups to another."""
    return await reading.all(GROUP_EDGES, id=lot_id, limit=limit)


async def taken(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """Samples and retains."""
    return await reading.all(TAKEN, id=lot_id)


async def batch_review(reading: Reading, *, lot_id: int) -> Row[Any] | None:
    """The last review of the batch record, and whether the record still is what was reviewed."""
    return await reading.one(BATCH_REVIEW, id=lot_id)


async def open_sessions(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """The workstations where this lot's cells are now."""
    return await reading.all(OPEN_SESSIONS, id=lot_id)
