"""What stands in the test house before anybody works: who is qualified, and how donors are kept apart.

Written by the superuser and dated long before, so that lots staged in the past stand on it as well.
"""

from __future__ import annotations

import asyncpg

from app.db.door import driver_url

ARRANGING = "SELECT audit.open(NULL, 'test', '', 'arrange', '', 'what stands before any test', '', NULL, NULL, NULL)"
QUALIFIED = """
INSERT INTO people.qualifications (account_id, topic, valid_from, valid_to, evidence, recorded_by, recorded_at)
SELECT person.id, topic, now() - interval '200 days', now() + interval '500 days', 'TR-' || topic, quinn.id, now() - interval '200 days'
FROM people.accounts person, people.accounts quinn,
    unnest('{gowning,line_clearance,isolation,passage,fill,cryopreservation}'::text[]) AS topic
WHERE person.username IN ('tess', 'tom') AND quinn.username = 'quinn' ORDER BY person.id, topic
"""
PROPOSED = """
INSERT INTO lab.assessments (number, version, rule, title, scope_kind, hazard, mitigations, conclusion, proposed_by, valid_from, valid_to)
SELECT 'AS-26-0000', 1, 'DON-05', 'Cross-contamination between donors', 'facility', 'cells of one donor reach another',
    '[{"measure": "one donor at a time", "control": "time_slot"}, {"measure": "vapour only", "control": "vapour_tank"},
      {"measure": "gown and gloves changed", "control": "protective_clothing"}, {"measure": "sporicide", "control": "cleaning"},
      {"measure": "closed bags", "control": "waste"}]', 'acceptable', id, now() - interval '200 days', now() + interval '500 days'
FROM people.accounts WHERE username = 'quinn' RETURNING id
"""
APPROVED = """
WITH record AS (SELECT audit.sha256_hex(bytes) AS digest FROM dossier.record('assessment', $1)),
proof AS (
    INSERT INTO people.ceremonies (account_id, meaning, record_kind, record_id, record_version, digest, factors, issued_at, expires_at, used_at)
    SELECT a.id, 'assessment_approved', 'assessment', $1, 1, record.digest, '{password,totp}', now() - interval '199 days',
        now() - interval '199 days' + interval '2 minutes', now() - interval '199 days' + interval '1 minute'
    FROM people.accounts a, record WHERE a.username = 'lin' RETURNING id, account_id, digest, used_at)
INSERT INTO lab.signatures (ceremony_id, account_id, printed_name, roles, meaning, record_kind, record_id, record_version, digest, signed_at)
SELECT proof.id, a.id, a.printed_name, '{quality_authority}', 'assessment_approved', 'assessment', $1, 1, proof.digest, proof.used_at
FROM proof JOIN people.accounts a ON a.id = proof.account_id RETURNING id
"""


async def stand(admin_url: str) -> None:
    """Qualify the technicians for everything, and have cross-contamination assessed for the whole facility."""
    hand = await asyncpg.connect(driver_url(admin_url))
    try:
        async with hand.transaction():
            await hand.execute(ARRANGING)
            await hand.execute(QUALIFIED)
            assessment = await hand.fetchval(PROPOSED)
            signature = await hand.fetchval(APPROVED, assessment)
            await hand.execute("UPDATE lab.assessments SET signature_id = $2 WHERE id = $1", assessment, signature)
    finally:
        await hand.close()
