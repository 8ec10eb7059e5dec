"""What papers say, asked of the record, and the papers that were made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

HOUSE = "SELECT facility, time_zone, purpose, clock_timestamp() AS at FROM lab.deployment"
PACK = """
SELECT coalesce((SELECT pack FROM lab.pack_choices ORDER BY id DESC LIMIT 1), jurisdiction) FROM lab.rulebooks ORDER BY id DESC LIMIT 1
"""
LOT = """
SELECT l.id, k.code, l.name, l.kind, l.state, l.frozen_at, l.expires_at, p.product, p.product_zh, p.max_passage, p.max_pdl,
    p.name || ' v' || p.version AS process, s.name || ' v' || s.version AS specification, l.specification_id,
    (SELECT pseudonym FROM lab.persons WHERE id = l.donor_id) AS donor, o.relation,
    (SELECT pseudonym FROM lab.persons WHERE id = l.recipient_id) AS recipient,
    (SELECT code FROM lab.item_codes WHERE item_id = l.donation_id AND scheme = 'own') AS donation,
    d.din, d.tissue, d.collected_at
FROM lab.item_codes k JOIN lab.lots l ON l.id = k.item_id LEFT JOIN lab.process_versions p ON p.id = l.process_id
LEFT JOIN lab.specifications s ON s.id = l.specification_id LEFT JOIN lab.donors o ON o.id = l.donor_id
LEFT JOIN lab.donations d ON d.id = l.donation_id WHERE k.code = :code AND l.kind <> 'material'
"""
FILLED = """
SELECT count(*) AS vials, count(*) FILTER (WHERE c.state = 'stored') AS stored, CASE WHEN min(c.passage) = max(c.passage) THEN min(c.passage) END AS passage,
    CASE WHEN min(c.viable_cells) = max(c.viable_cells) THEN min(c.viable_cells) END AS cells,
    CASE WHEN min(c.volume_ml) = max(c.volume_ml) THEN min(c.volume_ml) END AS volume_ml,
    (SELECT max(cpdl) FROM lab.steps WHERE lot_id = :id) AS cpdl
FROM lab.containers c WHERE c.lot_id = :id AND c.kind = 'vial'
"""
RELEASE = """
SELECT r.id AS release, j.id AS judgement, j.rulebook, j.dossier, j.verdicts, a.id AS appointment, a.title_level,
    a.title_certificate, a.certificate_valid_until, a.from_at, s.id AS number, s.printed_name, u.username, s.roles,
    s.meaning, s.signed_at AS at, s.statement, s.digest,
    (SELECT entry_number FROM audit.rows WHERE tbl = 'lab.releases' AND key = r.id::text ORDER BY seq LIMIT 1) AS entry
FROM lab.releases r JOIN lab.judgements j ON j.id = r.judgement_id JOIN lab.signatures s ON s.id = r.signature_id
JOIN people.accounts u ON u.id = s.account_id JOIN people.appointments a ON a.id = r.appointment_id
WHERE r.lot_id = :id AND s.meaning = 'released' ORDER BY r.id DESC LIMIT 1
"""
NAMES = "SELECT username, printed_name FROM people.accounts WHERE username = ANY (CAST(:usernames AS text[]))"
STEPS = """
SELECT s.kind, s.passage, coalesce(away.performed_by, p.printed_name) AS performed_by, CASE WHEN away.performed_by IS NOT NULL THEN away.verified_by ELSE coalesce(
        (SELECT a.printed_name FROM lab.verifications v JOIN people.accounts a ON a.id = v.verified_by WHERE v.step_id = s.id),
        (SELECT printed_name FROM people.accounts WHERE id = s.verified_by)) END AS verified_by,
    s.started_at, s.ended_at, coalesce(k.code, away.workstation) AS workstation, s.viable_seeded AS seeded, s.viable_harvested AS harvested,
    s.dead_harvested AS dead, s.viability_percent, s.pd, s.cpdl, s.happened_anyway
FROM lab.steps s JOIN people.accounts p ON p.id = s.performed_by
LEFT JOIN lab.workstation_sessions w ON w.id = s.workstation_session_id
LEFT JOIN lab.item_codes k ON k.item_id = w.workstation_id AND k.scheme = 'own'
LEFT JOIN LATERAL (SELECT t.performed_by || ' (' || n.name || ')' AS performed_by, t.verified_by || ' (' || n.name || ')' AS verified_by,
        t.workstation || ' (' || n.name || ')' AS workstation
    FROM lab.partner_steps t JOIN lab.partner_lots m ON m.lot_id = t.lot_id JOIN lab.partners n ON n.id = m.partner_id
    WHERE t.step_id = s.id) AS away ON true
WHERE s.lot_id = :id ORDER BY s.started_at, s.id
"""
USED = """
SELECT m.name AS material, ml.supplier, ml.supplier_lot, lk.code AS lot, ck.code AS container, ml.expires_on,
    (SELECT g.signed_at FROM lab.lot_history h JOIN lab.signatures g ON g.id = h.signature_id
     WHERE h.lot_id = u.material_lot_id AND h.to_state = 'approved' ORDER BY h.seq LIMIT 1) AS approved_at,
    s.kind AS step, s.passage, u.quantity, u.unit, u.used_at
FROM lab.consumptions u JOIN lab.material_lots ml ON ml.id = u.material_lot_id JOIN lab.materials m ON m.id = ml.material_id
JOIN lab.item_codes lk ON lk.item_id = u.material_lot_id AND lk.scheme = 'own'
JOIN lab.item_codes ck ON ck.item_id = u.container_id AND ck.scheme = 'own'
LEFT JOIN lab.steps s ON s.id = u.step_id WHERE u.lot_id = :id ORDER BY u.id
"""
CLEARANCES = """
SELECT k.code AS workstation, c.phase, c.cleared_at AS at, p.printed_name AS performed_by, coalesce(
        (SELECT a.printed_name FROM lab.verifications v JOIN people.accounts a ON a.id = v.verified_by WHERE v.clearance_id = c.id),
        (SELECT printed_name FROM people.accounts WHERE id = c.verified_by)) AS verified_by
FROM lab.line_clearances c JOIN lab.item_codes k ON k.item_id = c.workstation_id AND k.scheme = 'own'
JOIN people.accounts p ON p.id = c.performed_by
WHERE c.id IN (SELECT opening_clearance_id FROM lab.workstation_sessions WHERE lot_id = :id
               UNION SELECT closing_clearance_id FROM lab.workstation_sessions WHERE lot_id = :id) ORDER BY c.cleared_at, c.id
"""
TAKEN = """
SELECT k.code, t.kind, t.what, (SELECT code FROM lab.item_codes WHERE item_id = t.source AND scheme = 'own') AS source,
    t.place, t.at, a.printed_name AS by
FROM (SELECT id, 'sample' AS kind, purpose AS what, from_item_id AS source, NULL AS place, taken_at AS at, taken_by AS account
      FROM lab.samples WHERE lot_id = :id
      UNION ALL SELECT id, 'retain', kind, from_item_id, place, taken_at, recorded_by FROM lab.retains WHERE lot_id = :id) AS t
JOIN lab.item_codes k ON k.item_id = t.id AND k.scheme = 'own' JOIN people.accounts a ON a.id = t.account ORDER BY t.at, k.code
"""
DEVIATIONS = """
SELECT d.number, d.class AS severity, d.what, d.state, d.impact, d.assessment, d.recorded_at AS opened_at,
    o.printed_name AS opened_by, d.closed_at, s.printed_name AS closed_by
FROM lab.deviations d JOIN people.accounts o ON o.id = d.recorded_by LEFT JOIN lab.signatures s ON s.id = d.closed_signature_id
WHERE d.item_id IN (SELECT item_id FROM lab.ancestry(:id))
   OR d.item_id IN (SELECT material_lot_id FROM lab.consumptions WHERE lot_id = :id) ORDER BY d.id
"""
HOLDS = """
SELECT k.code AS on, h.reason, h.recorded_at AS at, o.printed_name AS by, h.lifted_at, s.printed_name AS lifted_by
FROM lab.holds h JOIN lab.item_codes k ON k.item_id = h.item_id AND k.scheme = 'own'
JOIN people.accounts o ON o.id = h.recorded_by LEFT JOIN lab.signatures s ON s.id = h.lifted_signature_id
WHERE h.item_id IN (SELECT item_id FROM lab.ancestry(:id))
   OR h.item_id IN (SELECT material_lot_id FROM lab.consumptions WHERE lot_id = :id) ORDER BY h.id
"""
LABELS = """
SELECT b.design, count(*) AS made, count(DISTINCT b.item_id) AS items, count(b.reprint_of) AS again
FROM lab.labels b WHERE b.item_id IN (SELECT id FROM lab.containers WHERE lot_id = :id
    UNION SELECT id FROM lab.samples WHERE lot_id = :id UNION SELECT id FROM lab.retains WHERE lot_id = :id)
GROUP BY b.design ORDER BY b.design
"""
COUNTS = """
SELECT c.printed, c.used, c.destroyed, c.returned, c.recorded_at AS at, a.printed_name AS by, c.remark
FROM lab.label_counts c JOIN people.accounts a ON a.id = c.recorded_by WHERE c.lot_id = :id ORDER BY c.id
"""
REVIEW = """
SELECT b.decision, b.remarks, b.package_digest = audit.sha256_hex(package.bytes) AS is_current, s.id AS number,
    s.printed_name, u.username, s.roles, s.meaning, s.signed_at AS at, s.statement, s.digest
FROM lab.batch_reviews b JOIN lab.signatures s ON s.id = b.signature_id JOIN people.accounts u ON u.id = s.account_id,
    dossier.record('batch', :id) AS package
WHERE b.lot_id = :id ORDER BY b.id DESC LIMIT 1
"""
DONATION = """
SELECT d.id, w.code, d.din, p.pseudonym AS donor, d.donor_id, o.relation, t.pseudonym AS tested_person,
    g.pseudonym AS genetic_source, r.pseudonym AS recipient, d.tissue, d.collected_at, d.received_at, d.volume_ml
FROM lab.item_codes k JOIN lab.donations d ON d.id = k.item_id
JOIN lab.item_codes w ON w.item_id = d.id AND w.scheme = 'own' JOIN lab.persons p ON p.id = d.donor_id
JOIN lab.donors o ON o.id = d.donor_id JOIN lab.persons t ON t.id = o.tested_person_id
JOIN lab.persons g ON g.id = o.genetic_source_id LEFT JOIN lab.persons r ON r.id = o.recipient_id WHERE k.code = :code
"""
MARKERS = """
SELECT analyte, marker, method, kit_lot, laboratory, sampled_at, reported_at, outcome
FROM lab.marker_results WHERE donor_id = :id ORDER BY id
"""
CONSENTS = "SELECT form_version, scopes, signed_at, withdrawn_at FROM lab.consents WHERE donor_id = :id ORDER BY id"
MATCHES = """
SELECT p.pseudonym AS recipient, m.identifiers, v.printed_name AS verified_by, s.printed_name AS second_by, m.recorded_at AS at
FROM lab.identity_matches m JOIN lab.persons p ON p.id = m.recipient_id
JOIN people.accounts v ON v.id = m.verified_by LEFT JOIN people.accounts s ON s.id = m.second_by
WHERE m.donor_id = :id ORDER BY m.id
"""
DETERMINED = """
SELECT t.decision, t.reason, t.valid_until, s.id AS number, s.printed_name, u.username, s.roles, s.meaning,
    s.signed_at AS at, s.statement, s.digest, j.rulebook, j.verdicts
FROM lab.determinations t JOIN lab.signatures s ON s.id = t.signature_id JOIN people.accounts u ON u.id = s.account_id
LEFT JOIN LATERAL (SELECT rulebook, verdicts FROM lab.judgements WHERE subject_kind = 'donation' AND subject_id = :id
    AND digest = s.digest ORDER BY id DESC LIMIT 1) j ON true
WHERE t.donation_id = :id ORDER BY t.id DESC LIMIT 1
"""
INSERT = """
INSERT INTO lab.papers (item_id, number, kind, language, content, content_sha256, pdf_sha256, pages, recorded_by)
VALUES (:item, :number, :kind, :language, :content, audit.sha256_hex(:content), :pdf_sha256, :pages, :by)
"""
LIST = """
SELECT p.number, p.kind, p.language, p.pages, p.pdf_sha256 AS sha256, a.printed_name AS made_by, p.recorded_at AS made_at
FROM lab.item_codes k JOIN lab.papers p ON p.item_id = k.item_id JOIN people.accounts a ON a.id = p.recorded_by
WHERE k.code = :code ORDER BY p.id DESC LIMIT 100
"""
LAST = """
SELECT p.number, p.kind, p.language, p.content, p.content_sha256, p.pdf_sha256, p.pages, p.recorded_at FROM lab.papers p
JOIN lab.item_codes k ON k.item_id = p.item_id WHERE k.code = :code AND p.kind = :kind
    AND (CAST(:number AS text) IS NULL OR p.number = :number) AND (CAST(:language AS text) IS NULL OR p.language = :language)
ORDER BY p.id DESC LIMIT 1
"""


async def lot(reading: Reading, *, code: str) -> Row[Any]:
    """What a lot of cells is, and whose. Raises NotFound."""
    row = await reading.one(LOT, code=code)
    if row is None:
        raise NotFound(
            what=Text("There is no lot of cells {code}.", code=code),
            why=Text("This code is not known here."),
            remedy=Text("Scan the lot's own label."),
        )
    return row


async def donation(reading: Reading, *, code: str) -> Row[Any]:
    """A donation and the pseudonyms around it. Raises NotFound."""
    row = await reading.one(DONATION, code=code)
    if row is None:
        raise NotFound(
            what=Text("There is no donation {code}.", code=code),
            why=Text("This code is not a donation's."),
            remedy=Text("Scan the label of the donation, or its donation number."),
        )
    return row


async def only(reading: Reading, statement: str, **values: Any) -> Row[Any]:
    """The row of a question that always has one."""
    row = await reading.one(statement, **values)
    if row is None:
        raise RuntimeError("this question always has one answer")
    return row


async def printed_names(reading: Reading, *, usernames: Sequence[str]) -> dict[str, str]:
    """How these people are printed."""
    rows = await reading.all(NAMES, usernames=list(usernames))
    return {row.username: row.printed_name for row in rows}


async def insert(
    change: Change, *, item_id: int, number: str, kind: str, language: str, content: str, pdf_sha256: str, pages: int
) -> None:
    """Keep that a paper was made, with everything that stands on it."""
    await change.run(
        INSERT,
        item=item_id,
        number=number,
        kind=kind,
        language=language,
        content=content,
        pdf_sha256=pdf_sha256,
        pages=pages,
        by=change.actor.account_id,
    )


async def last(reading: Reading, *, code: str, kind: str, number: str | None, language: str | None) -> Row[Any] | None:
    """The paper of this number, or the one made last, or None."""
    return await reading.one(LAST, code=code, kind=kind, number=number, language=language)
