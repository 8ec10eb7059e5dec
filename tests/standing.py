"""What stands in the test house before anybody works: by whose rules it is judged, who is qualified, how donors are kept apart.

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
    unnest('{gowning,line_clearance,isolation,passage,fill,cryopreservation,thaw}'::text[]) AS topic
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
PACK = """
INSERT INTO lab.pack_proposals (pack, why, proposed_by, recorded_at)
SELECT 'CN-818', 'the house is in China', id, now() - interval '200 days' FROM people.accounts WHERE username = 'quinn' RETURNING id
"""
CHOSEN = """
WITH record AS (SELECT audit.sha256_hex(bytes) AS digest FROM dossier.record('pack', $1)),
proof AS (
    INSERT INTO people.ceremonies (account_id, meaning, record_kind, record_id, record_version, digest, factors, issued_at, expires_at, used_at)
    SELECT a.id, 'pack_approved', 'pack', $1, 1, record.digest, '{password,totp}', now() - interval '199 days',
        now() - interval '199 days' + interval '2 minutes', now() - interval '199 days' + interval '1 minute'
    FROM people.accounts a, record WHERE a.username = 'lin' RETURNING id, account_id, digest, used_at),
signed AS (
    INSERT INTO lab.signatures (ceremony_id, account_id, printed_name, roles, meaning, record_kind, record_id, record_version, digest, signed_at)
    SELECT proof.id, a.id, a.printed_name, '{quality_authority}', 'pack_approved', 'pack', $1, 1, proof.digest, proof.used_at
    FROM proof JOIN people.accounts a ON a.id = proof.account_id RETURNING id)
INSERT INTO lab.pack_choices (pack, proposal_id, signature_id, recorded_at)
SELECT 'CN-818', $1, id, now() - interval '199 days' FROM signed
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

SUPPLIED = """
INSERT INTO lab.suppliers (name, kind, address, recorded_by, recorded_at)
SELECT 'Good Supplies', 'manufacturer', '1 Harbour Road', id, now() - interval '200 days' FROM people.accounts WHERE username = 'quinn'
RETURNING id
"""
AUDITED = """
INSERT INTO lab.supplier_audits (supplier_id, method, audited_on, outcome, findings, evidence, valid_from, valid_to, recorded_by, recorded_at)
SELECT $1, 'on_site', current_date - 201, 'qualified', 'none', 'AR-1', now() - interval '199 days', now() + interval '500 days', id,
    now() - interval '200 days'
FROM people.accounts WHERE username = 'rolf' RETURNING id
"""
DECIDED = """
WITH record AS (SELECT audit.sha256_hex(bytes) AS digest FROM dossier.record('supplier_audit', $1)),
proof AS (
    INSERT INTO people.ceremonies (account_id, meaning, record_kind, record_id, record_version, digest, factors, issued_at, expires_at, used_at)
    SELECT a.id, 'supplier_decided', 'supplier_audit', $1, 1, record.digest, '{password,totp}', now() - interval '199 days',
        now() - interval '199 days' + interval '2 minutes', now() - interval '199 days' + interval '1 minute'
    FROM people.accounts a, record WHERE a.username = 'quinn' RETURNING id, account_id, digest, used_at),
signed AS (
    INSERT INTO lab.signatures (ceremony_id, account_id, printed_name, roles, meaning, record_kind, record_id, record_version, digest, signed_at)
    SELECT proof.id, a.id, a.printed_name, '{qa_manager}', 'supplier_decided', 'supplier_audit', $1, 1, proof.digest, proof.used_at
    FROM proof JOIN people.accounts a ON a.id = proof.account_id RETURNING id)
UPDATE lab.supplier_audits SET signature_id = signed.id FROM signed WHERE supplier_audits.id = $1
"""


TISSUES = (
    ("bone marrow", "骨髓", True, False),
    ("umbilical cord", "脐带", False, True),
    ("skin", "皮肤", False, False),
)
TISSUE = """
INSERT INTO lab.tissue_types (name, version, name_zh, leukocyte_rich, birth_tissue, reason, proposed_by)
SELECT $1, 1, $2, $3, $4, 'as its histology says', id FROM people.accounts WHERE username = 'quinn' RETURNING id
"""
TISSUE_DECIDED = APPROVED.replace("assessment_approved", "tissue_decided").replace("'assessment'", "'tissue_type'")
QUESTIONS = ("infection", "travel", "prion", "genetic", "malignancy")
QUESTIONNAIRE = """
INSERT INTO lab.questionnaires (name, version, questions, source, recorded_by, recorded_at)
SELECT 'Donor history', 1, jsonb_agg(jsonb_build_object('code', topic, 'en', 'Is there anything about ' || topic || '?',
    'zh', '是否有以下情况：' || topic, 'group', topic, 'excludes', 'yes')), 'SOP-DON-1', quinn.id, now() - interval '200 days'
FROM people.accounts quinn, unnest($1::text[]) AS topic WHERE quinn.username = 'quinn' GROUP BY quinn.id
"""


ANSWERS = (("institution", "rolf"), ("study", "phil"), ("facility", "hedda"))
RESPONSIBLE = """
INSERT INTO lab.responsibilities (level, account_id, duties, from_at, proposed_by)
SELECT $1, who.id, 'answers for it', now() - interval '200 days', quinn.id FROM people.accounts who, people.accounts quinn
WHERE who.username = $2 AND quinn.username = 'quinn' RETURNING id
"""
ACCEPTED = (
    APPROVED.replace("assessment_approved", "responsibility_accepted").replace("'assessment'", "'responsibility'")
    .replace("a.username = 'lin'", "a.username = $2").replace("{quality_authority}", "{}")
)  # fmt: skip
ROOM = """
INSERT INTO lab.area_classifications (room, grade, classified_on, due_on, evidence, recorded_by, recorded_at)
SELECT 'B-01', 'B', current_date - 200, current_date + 500, 'CL-1', id, now() - interval '199 days' FROM people.accounts WHERE username = 'quinn'
"""
DOCUMENT = """
INSERT INTO lab.documents (number, version, types, title, effective_from, review_due, file_name, file_sha256, proposed_by)
SELECT 'QM-1', 1, ARRAY(SELECT jsonb_array_elements_text(value) FROM lab.settings WHERE name = 'gmp01.mandatory'), 'Quality manual',
    now() - interval '198 days', current_date + 400, 'QM-1.pdf', repeat('a', 64), id FROM people.accounts WHERE username = 'quinn' RETURNING id
"""
DOCUMENT_APPROVED = APPROVED.replace("assessment_approved", "document_approved").replace("'assessment'", "'document'")


async def stand(admin_url: str) -> None:
    """Choose the rule pack, qualify the technicians for everything, have cross-contamination assessed for the facility."""
    hand = await asyncpg.connect(driver_url(admin_url))
    try:
        async with hand.transaction():
            await hand.execute(ARRANGING)
            await hand.execute(CHOSEN, await hand.fetchval(PACK))
            await hand.execute(QUALIFIED)
            await hand.execute(DECIDED, await hand.fetchval(AUDITED, await hand.fetchval(SUPPLIED)))
            assessment = await hand.fetchval(PROPOSED)
            for level, name in ANSWERS:
                borne = await hand.fetchval(RESPONSIBLE, level, name)
                signature = await hand.fetchval(ACCEPTED, borne, name)
                await hand.execute("UPDATE lab.responsibilities SET signature_id = $2 WHERE id = $1", borne, signature)
            await hand.execute(ROOM)
            document = await hand.fetchval(DOCUMENT)
            signature = await hand.fetchval(DOCUMENT_APPROVED, document)
            await hand.execute("UPDATE lab.documents SET signature_id = $2 WHERE id = $1", document, signature)
            signature = await hand.fetchval(APPROVED, assessment)
            await hand.execute("UPDATE lab.assessments SET signature_id = $2 WHERE id = $1", assessment, signature)
            for named in TISSUES:
                tissue = await hand.fetchval(TISSUE, *named)
                signature = await hand.fetchval(TISSUE_DECIDED, tissue)
                await hand.execute("UPDATE lab.tissue_types SET signature_id = $2 WHERE id = $1", tissue, signature)
            await hand.execute(QUESTIONNAIRE, list(QUESTIONS))
    finally:
        await hand.close()
