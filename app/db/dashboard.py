"""What the wall shows: what waits for whom, what blocks, what expires, what was refused. Sets, never lot by lot.

A life that is over costs nothing here: every question begins at lots, holds or deviations that are still open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Row

    from app.db.door import Reading

# Statements are planned once for any value (the roles' plan_cache_mode), so what bounds one stands in it as a number.
LOTS_SHOWN = 20
HOLDS_SHOWN = 20
EXPIRING_DAYS = 30
EXPIRING_SHOWN = 60
REFUSED_SHOWN = 20
LOOKED_AT = 2_000
"""Among so many of the last refusals and scans those of a day are counted: enough for any laboratory, and bounded."""

BY_STATE = "SELECT kind, state, count(*) AS lots FROM lab.lots GROUP BY kind, state ORDER BY kind, state"
WAITING = """
SELECT l.id, k.code, l.name, l.state, l.expires_at,
    (SELECT j.blocks FROM lab.judgements j WHERE j.subject_kind = 'lot' AND j.subject_id = l.id ORDER BY j.id DESC LIMIT 1) AS checked_blocks
FROM lab.lots l JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
WHERE l.kind <> 'material' AND l.state IN ('quarantine', 'awaiting_release') AND l.id > :after
ORDER BY l.id LIMIT :limit
"""
QUEUES = """
WITH open_lots AS MATERIALIZED (
    SELECT l.id, l.state, l.version FROM lab.lots l
    WHERE l.kind IN ('preparation', 'bank')
      AND l.state IN ('planned', 'in_process', 'quarantine', 'awaiting_release', 'conditionally_released')
), unreviewed AS MATERIALIZED (
    SELECT r.lot_id, r.recorded_at FROM open_lots o JOIN lab.results r ON r.lot_id = o.id
    WHERE NOT EXISTS (SELECT FROM lab.result_reviews v WHERE v.result_id = r.id)
      AND NOT EXISTS (SELECT FROM lab.result_invalidations i WHERE i.result_id = r.id)
), standing AS MATERIALIZED (
    SELECT o.id, o.state, h.recorded_at AS since, b.decision,
        EXISTS (SELECT FROM lab.results r WHERE r.lot_id = o.id) AND NOT EXISTS (SELECT FROM unreviewed u WHERE u.lot_id = o.id) AS tested
    FROM open_lots o JOIN lab.lot_history h ON h.lot_id = o.id AND h.seq = o.version
    LEFT JOIN LATERAL (SELECT b.decision FROM lab.batch_reviews b WHERE b.lot_id = o.id ORDER BY b.id DESC LIMIT 1) b ON true
    WHERE o.state IN ('quarantine', 'awaiting_release')
), given_out AS MATERIALIZED (
    SELECT o.id, h.recorded_at AS since, (SELECT min(p.due_at) FROM lab.pending_tests(o.id) AS p) AS due_at,
        EXISTS (SELECT FROM lab.pending_tests(o.id)) AS pending,
        coalesce((SELECT max(b.recorded_at) FROM lab.batch_reviews b WHERE b.lot_id = o.id)
            > (SELECT max(r.recorded_at) FROM lab.results r WHERE r.lot_id = o.id), false) AS seen,
        EXISTS (SELECT FROM unreviewed u WHERE u.lot_id = o.id) AS unread
    FROM open_lots o JOIN lab.lot_history h ON h.lot_id = o.id AND h.seq = o.version
    WHERE o.state = 'conditionally_released'
), receipts AS MATERIALIZED (
    SELECT m.certificate_reviewed_at, m.recorded_at FROM lab.lots l JOIN lab.material_lots m ON m.id = l.id
    WHERE l.kind = 'material' AND l.state = 'quarantine'
)
SELECT 'results_to_review' AS queue, count(*) AS waiting, min(recorded_at) AS since FROM unreviewed
UNION ALL SELECT 'batches_to_review', count(*), min(since) FROM (
    SELECT since FROM standing WHERE state = 'quarantine' AND tested AND decision IS DISTINCT FROM 'accepted'
    UNION ALL SELECT since FROM given_out WHERE NOT pending AND NOT unread AND NOT seen) AS to_review
UNION ALL SELECT 'lots_to_submit', count(*), min(since) FROM standing WHERE state = 'quarantine' AND decision = 'accepted'
UNION ALL SELECT 'releases_awaited', count(*), min(since) FROM standing WHERE state = 'awaiting_release'
UNION ALL SELECT 'determinations_awaited', count(*), min(d.recorded_at) FROM lab.donations d
    WHERE NOT EXISTS (SELECT FROM lab.determinations t WHERE t.donation_id = d.id)
UNION ALL SELECT 'certificates_to_review', count(*), min(recorded_at) FROM receipts WHERE certificate_reviewed_at IS NULL
UNION ALL SELECT 'materials_to_approve', count(*), min(recorded_at) FROM receipts WHERE certificate_reviewed_at IS NOT NULL
UNION ALL SELECT 'deviations_to_close', count(*), min(recorded_at) FROM lab.deviations WHERE state = 'open'
UNION ALL SELECT 'steps_to_verify', count(*), min(s.recorded_at) FROM open_lots o JOIN lab.steps s ON s.lot_id = o.id
    WHERE s.verified_by IS NULL AND NOT EXISTS (SELECT FROM lab.verifications v WHERE v.step_id = s.id)
      AND NOT EXISTS (SELECT FROM lab.partner_steps w WHERE w.step_id = s.id)
UNION ALL SELECT 'clearances_to_verify', count(*), min(c.recorded_at)
    FROM open_lots o JOIN lab.workstation_sessions w ON w.lot_id = o.id
    JOIN lab.line_clearances c ON c.id = w.opening_clearance_id
    WHERE c.verified_by IS NULL AND NOT EXISTS (SELECT FROM lab.verifications v WHERE v.clearance_id = c.id)
UNION ALL SELECT 'recalls_to_decide', count(*), min(x.recorded_at) FROM lab.holds h JOIN lab.impact_items x ON x.hold_id = h.id
    JOIN lab.lots l ON l.id = x.item_id AND l.state IN ('released', 'conditionally_released') WHERE h.lifted_at IS NULL
UNION ALL SELECT 'lots_failed', count(*), min(h.recorded_at) FROM lab.lots l
    JOIN lab.lot_history h ON h.lot_id = l.id AND h.seq = l.version
    WHERE l.kind IN ('preparation', 'bank') AND l.state = 'failed_after_release'
UNION ALL SELECT 'results_overdue', count(*), min(due_at) FROM given_out WHERE due_at < clock_timestamp()
UNION ALL SELECT 'second_signatures', count(*), min(since) FROM given_out WHERE NOT pending AND NOT unread AND seen
UNION ALL SELECT 'reasons_owed', count(*), min(recorded_at) FROM lab.bench_reasons WHERE note IS NULL
UNION ALL SELECT 'waivers_to_approve', count(*), min(recorded_at) FROM lab.waivers
    WHERE signature_id IS NULL AND valid_to > clock_timestamp()
UNION ALL SELECT 'assessments_to_approve', count(*), min(recorded_at) FROM lab.assessments
    WHERE signature_id IS NULL AND valid_to > clock_timestamp()
UNION ALL SELECT 'legacy_to_accept', count(*), min(recorded_at) FROM lab.legacy_dossiers
    WHERE signature_id IS NULL AND valid_to > clock_timestamp()
"""
GATE = f"""
WITH waiting AS MATERIALIZED (
    SELECT l.id, l.name, l.state, h.recorded_at AS since, j.id AS judgement, j.blocks, j.recorded_at AS checked_at
    FROM lab.lots l JOIN lab.lot_history h ON h.lot_id = l.id AND h.seq = l.version
    LEFT JOIN LATERAL (
        SELECT j.id, j.blocks, j.recorded_at FROM lab.judgements j
        WHERE j.subject_kind = 'lot' AND j.subject_id = l.id AND j.gate = 'G6' ORDER BY j.id DESC LIMIT 1
    ) j ON true
    WHERE l.kind IN ('preparation', 'bank') AND l.state IN ('quarantine', 'awaiting_release')
), held AS MATERIALIZED (
    SELECT DISTINCT coalesce(c.lot_id, h.item_id) AS lot_id
    FROM lab.holds h LEFT JOIN lab.containers c ON c.id = h.item_id WHERE h.lifted_at IS NULL
), seen AS MATERIALIZED (
    SELECT w.*, EXISTS (SELECT FROM held WHERE held.lot_id = w.id) AS held FROM waiting w
), counts AS (
    SELECT count(*) AS waiting, count(*) FILTER (WHERE blocks) AS blocked, count(*) FILTER (WHERE NOT blocks) AS unopposed,
        count(*) FILTER (WHERE blocks IS NULL) AS unchecked, count(*) FILTER (WHERE held) AS held_lots,
        count(*) FILTER (WHERE blocks OR held) AS closed
    FROM seen
), shown AS (SELECT * FROM seen WHERE blocks OR held ORDER BY state, since, id LIMIT {LOTS_SHOWN})
SELECT c.*, s.name, s.state, s.since, s.checked_at, s.held,
    (SELECT k.code FROM lab.item_codes k WHERE k.item_id = s.id AND k.scheme = 'own') AS code, (
    SELECT jsonb_agg(jsonb_build_object('rule', v -> 'rule', 'title', v -> 'title', 'outcome', v -> 'outcome', 'findings', v -> 'findings'))
    FROM lab.judgements j, jsonb_array_elements(j.verdicts -> 'verdicts') AS v
    WHERE j.id = s.judgement AND v ->> 'outcome' IN ('fail', 'needs_waiver', 'indeterminate')) AS closing
FROM counts c LEFT JOIN shown s ON true ORDER BY s.state, s.since, s.id
"""
HELD = f"""
SELECT k.code AS item, CASE WHEN i.kind = 'container' THEN coalesce(c.kind, i.kind) ELSE i.kind END AS kind,
    lk.code AS lot, l.name AS lot_name, l.kind AS lot_kind, h.recorded_at AS since, h.total,
    (SELECT number FROM lab.deviations WHERE id = h.deviation_id) AS deviation
FROM (SELECT h.item_id, h.deviation_id, h.recorded_at, h.id, count(*) OVER () AS total FROM lab.holds h
      WHERE h.lifted_at IS NULL ORDER BY h.id DESC LIMIT {HOLDS_SHOWN}) h
JOIN lab.items i ON i.id = h.item_id
LEFT JOIN lab.item_codes k ON k.item_id = h.item_id AND k.scheme = 'own'
LEFT JOIN lab.containers c ON c.id = h.item_id
LEFT JOIN lab.lots l ON l.id = coalesce(c.lot_id, h.item_id)
LEFT JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own'
ORDER BY h.id DESC
"""
# A material serves until the end of its last day where the facility stands.
EXPIRING = f"""
WITH clock AS MATERIALIZED (
    SELECT clock_timestamp() AS now, clock_timestamp() + make_interval(days => {EXPIRING_DAYS}) AS until,
        (SELECT time_zone FROM lab.deployment) AS zone
), due AS (
    (SELECT 'material' AS kind, l.id, l.name, CAST(NULL AS bigint) AS account_id, '' AS detail,
            (m.expires_on + 1)::timestamp AT TIME ZONE t.zone AS at
     FROM clock t CROSS JOIN lab.lots l JOIN lab.material_lots m ON m.id = l.id
     WHERE l.kind = 'material' AND l.state IN ('quarantine', 'approved')
       AND (m.expires_on + 1)::timestamp AT TIME ZONE t.zone < t.until
       AND EXISTS (SELECT FROM lab.containers c WHERE c.lot_id = l.id AND c.state IN ('in_use', 'stored')))
    UNION ALL
    (SELECT 'lot', l.id, l.name, NULL, l.state, l.expires_at FROM clock t CROSS JOIN lab.lots l
     WHERE l.kind IN ('preparation', 'bank')
       AND l.state IN ('quarantine', 'awaiting_release', 'released', 'conditionally_released') AND l.expires_at < t.until
       AND EXISTS (SELECT FROM lab.containers c WHERE c.lot_id = l.id AND c.state = 'stored'))
    UNION ALL
    (SELECT 'opened', c.id, l.name, NULL, c.kind, c.opened_until
     FROM clock t CROSS JOIN lab.containers c LEFT JOIN lab.lots l ON l.id = c.lot_id
     WHERE c.opened_until < t.until AND c.state IN ('in_use', 'stored'))
    UNION ALL
    (SELECT 'appointment', NULL, '', a.account_id, '', a.until_at FROM clock t CROSS JOIN people.appointments a
     WHERE a.revoked_at IS NULL AND a.until_at BETWEEN t.now AND t.until)
    UNION ALL
    (SELECT 'certificate', NULL, coalesce(a.title_certificate, ''), a.account_id, '',
            (a.certificate_valid_until + 1)::timestamp AT TIME ZONE t.zone
     FROM clock t CROSS JOIN people.appointments a
     WHERE a.revoked_at IS NULL AND (a.until_at IS NULL OR a.until_at > t.now)
       AND (a.certificate_valid_until + 1)::timestamp AT TIME ZONE t.zone < t.until)
    UNION ALL
    (SELECT 'qualification', NULL, q.topic, q.account_id, '', q.valid_to FROM clock t CROSS JOIN people.qualifications q
     JOIN people.accounts a ON a.id = q.account_id AND a.state = 'active'
     WHERE q.valid_to < t.until AND NOT EXISTS (SELECT FROM people.qualifications n
        WHERE n.account_id = q.account_id AND n.topic = q.topic AND n.valid_to > q.valid_to))
    UNION ALL
    (SELECT 'waiver', w.lot_id, w.rule, NULL, '', w.valid_to FROM clock t CROSS JOIN lab.waivers w
     JOIN lab.lots l ON l.id = w.lot_id AND l.state IN ('in_process', 'quarantine', 'awaiting_release')
     WHERE w.signature_id IS NOT NULL AND w.valid_to BETWEEN t.now AND t.until)
    UNION ALL
    (SELECT 'assessment', NULL, s.number, NULL, s.rule, s.valid_to FROM clock t CROSS JOIN lab.assessments s
     WHERE s.signature_id IS NOT NULL AND s.valid_to BETWEEN t.now AND t.until)
    UNION ALL
    (SELECT 'determination', d.donation_id, '', NULL, '', d.valid_until FROM clock t CROSS JOIN lab.determinations d
     WHERE d.decision = 'eligible' AND d.valid_until BETWEEN t.now AND t.until)
    UNION ALL
    (SELECT 'equipment', e.id, e.name, NULL, q.kind, (q.due_on + 1)::timestamp AT TIME ZONE t.zone
     FROM clock t CROSS JOIN lab.equipment_qualifications q JOIN lab.equipment e ON e.id = q.equipment_id
     WHERE (q.due_on + 1)::timestamp AT TIME ZONE t.zone < t.until AND NOT EXISTS (SELECT FROM lab.equipment_qualifications n
        WHERE n.equipment_id = q.equipment_id AND n.kind = q.kind AND (n.done_on, n.id) > (q.done_on, q.id)))
), ranked AS (
    SELECT due.*, count(*) OVER () AS total, count(*) FILTER (WHERE due.at < t.now) OVER () AS past,
        due.at < t.now AS is_past
    FROM due CROSS JOIN clock t ORDER BY due.at LIMIT {EXPIRING_SHOWN}
)
SELECT r.kind, (SELECT k.code FROM lab.item_codes k WHERE k.item_id = r.id AND k.scheme = 'own') AS code, r.name, r.detail,
    r.at, r.is_past, r.total, r.past, (SELECT a.printed_name FROM people.accounts a WHERE a.id = r.account_id) AS person
FROM ranked r ORDER BY r.at, r.kind, code
"""
REFUSED_ACTS = f"""
WITH recent AS MATERIALIZED (
    SELECT f.id, f.kind, f.act, f.subject, f.rule, f.recorded_at, f.detail -> 'texts' AS texts FROM
        (SELECT * FROM lab.refusals ORDER BY id DESC LIMIT {LOOKED_AT}) f WHERE f.act = ANY (CAST(:acts AS text[]))
), shown AS (
    SELECT r.*, (SELECT count(*) FROM recent WHERE recorded_at > clock_timestamp() - interval '24 hours') AS today
    FROM recent r ORDER BY r.id DESC LIMIT {REFUSED_SHOWN}
)
SELECT s.kind, s.act, s.subject, s.rule, s.recorded_at AS at, s.texts, s.today, a.printed_name AS who,
    lk.code AS lot, l.name AS lot_name
FROM shown s
LEFT JOIN LATERAL (SELECT w.entry_number FROM audit.rows w WHERE w.tbl = 'lab.refusals' AND w.key = CAST(s.id AS text)
                   ORDER BY w.seq LIMIT 1) w ON true
LEFT JOIN audit.entries e ON e.number = w.entry_number
LEFT JOIN people.accounts a ON a.id = e.actor_id
LEFT JOIN lab.item_codes k ON k.code = s.subject
LEFT JOIN lab.containers c ON c.id = k.item_id
LEFT JOIN lab.lots l ON l.id = coalesce(c.lot_id, k.item_id)
LEFT JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own'
ORDER BY s.id DESC
"""
# What was scanned and is no item of ours may be anybody's: only our own codes are shown.
REFUSED_SCANS = f"""
WITH recent AS MATERIALIZED (
    SELECT number, at, account_id, item_id, verdict, reason FROM lab.scans ORDER BY number DESC LIMIT {LOOKED_AT}
), refused AS (SELECT * FROM recent WHERE verdict <> 'accepted'
), shown AS (
    SELECT r.*, (SELECT count(*) FROM refused WHERE at > clock_timestamp() - interval '24 hours') AS today
    FROM refused r ORDER BY r.number DESC LIMIT {REFUSED_SHOWN}
)
SELECT s.at, s.verdict, s.reason, s.today, a.printed_name AS who, k.code AS item, lk.code AS lot, l.name AS lot_name
FROM shown s
LEFT JOIN people.accounts a ON a.id = s.account_id
LEFT JOIN lab.item_codes k ON k.item_id = s.item_id AND k.scheme = 'own'
LEFT JOIN lab.containers c ON c.id = s.item_id
LEFT JOIN lab.lots l ON l.id = coalesce(c.lot_id, s.item_id)
LEFT JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own'
ORDER BY s.number DESC
"""


async def lots_by_state(reading: Reading) -> Sequence[Row[Any]]:
    """How many lots of each kind stand in each state."""
    return await reading.all(BY_STATE)


async def waiting_lots(reading: Reading, *, after: int, limit: int) -> Sequence[Row[Any]]:
    """Lots in quarantine or awaiting release, by key after `after`."""
    return await reading.all(WAITING, after=after, limit=limit)


async def queues(reading: Reading) -> Sequence[Row[Any]]:
    """What waits for somebody: how much of each, and since when the oldest."""
    return await reading.all(QUEUES)


async def gate(reading: Reading) -> Sequence[Row[Any]]:
    """Lots that their last kept check found blocked, or that are held, with the verdicts that close.

    Each row also counts the lots before the release gate; without any such lot there is one row of counts alone.
    """
    return await reading.all(GATE)


async def held_items(reading: Reading) -> Sequence[Row[Any]]:
    """Items under an open hold, the last placed first; each row tells the total."""
    return await reading.all(HELD)


async def expiring(reading: Reading) -> Sequence[Row[Any]]:
    """What expires within `EXPIRING_DAYS` or has, the earliest first; each row tells the total and what is past."""
    return await reading.all(EXPIRING)


async def refused_acts(reading: Reading, *, acts: Sequence[str]) -> Sequence[Row[Any]]:
    """The last refusals of these acts; each row tells how many there were within a day."""
    return await reading.all(REFUSED_ACTS, acts=list(acts))


async def refused_scans(reading: Reading) -> Sequence[Row[Any]]:
    """The last scans that were refused or unknown; each row tells how many there were within a day."""
    return await reading.all(REFUSED_SCANS)
