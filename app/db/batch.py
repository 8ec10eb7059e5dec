"""The batch record beside what papers ask of it: the last review and count, what is owed, what is not verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db import papers

if TYPE_CHECKING:
    from sqlalchemy import Row

    from app.db.door import Reading

NOW = """
SELECT v.decision, v.remarks, v.by_name, v.at AS reviewed_at, v.package_digest, c.printed, c.used, c.destroyed, c.returned,
    c.at AS counted_at, (SELECT count(*) FROM lab.bench_reasons b WHERE b.lot_id = :id AND b.note IS NULL) AS owed,
    (SELECT string_agg(DISTINCT a.printed_name, ', ') FROM lab.bench_reasons b JOIN people.accounts a ON a.id = b.recorded_by
     WHERE b.lot_id = :id AND b.note IS NULL) AS owed_by
FROM (SELECT) AS always
LEFT JOIN LATERAL (
    SELECT b.decision, b.remarks, s.printed_name AS by_name, s.signed_at AS at,
        b.package_digest
    FROM lab.batch_reviews b JOIN lab.signatures s ON s.id = b.signature_id
    WHERE b.lot_id = :id ORDER BY b.id DESC LIMIT 1) AS v ON true
LEFT JOIN LATERAL (
    SELECT printed, used, destroyed, returned, recorded_at AS at FROM lab.label_counts
    WHERE lot_id = :id ORDER BY id DESC LIMIT 1) AS c ON true
"""
# As an array, so that each item's deviations are looked up by its key, however many deviations the house has.
DEVIATIONS = """
SELECT d.number, d.class AS severity, d.what, d.state, d.impact, d.assessment, d.recorded_at AS opened_at,
    o.printed_name AS opened_by, d.closed_at, s.printed_name AS closed_by
FROM lab.deviations d JOIN people.accounts o ON o.id = d.recorded_by LEFT JOIN lab.signatures s ON s.id = d.closed_signature_id
WHERE d.item_id = ANY (ARRAY(SELECT item_id FROM lab.ancestry(:id)
    UNION SELECT material_lot_id FROM lab.consumptions WHERE lot_id = :id)) ORDER BY d.id
"""
SECTIONS = {
    "steps": papers.STEPS,
    "used": papers.USED,
    "clearances": papers.CLEARANCES,
    "taken": papers.TAKEN,
    "deviations": DEVIATIONS,
}


TOLD = "SELECT " + ", ".join(
    f"coalesce((SELECT jsonb_agg(to_jsonb(told)) FROM ({statement}) AS told), '[]') AS {name}"
    for name, statement in SECTIONS.items()
)
"""Every section at once: the page of a signature has few statements to spare."""


async def sections(reading: Reading, *, lot_id: int) -> dict[str, tuple[dict[str, Any], ...]]:
    """What was done with the lot, by section, each in its order; moments as ISO 8601."""
    row = await papers.only(reading, TOLD, id=lot_id)
    return {name: tuple(told) for name, told in row._asdict().items()}


async def now(reading: Reading, *, lot_id: int) -> Row[Any]:
    """How the record stands: the last review, the last count of labels, the words that are owed."""
    return await papers.only(reading, NOW, id=lot_id)
