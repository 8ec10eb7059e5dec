"""Labels of a lot counted at its end, and what is stated where the count does not come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

_OWN = """
    SELECT id FROM lab.containers WHERE lot_id = :lot UNION ALL SELECT id FROM lab.samples WHERE lot_id = :lot
    UNION ALL SELECT id FROM lab.retains WHERE lot_id = :lot
"""
_ON_PAPER = "NOT EXISTS (SELECT FROM lab.print_jobs x WHERE x.label_id = b.id AND x.state = 'cancelled')"
LOCK = "SELECT lab.lock_touched(ARRAY[CAST(:lot AS bigint)])"
TOTALS = f"""
SELECT count(b.id) FILTER (WHERE {_ON_PAPER}) AS printed, max(b.recorded_at) FILTER (WHERE {_ON_PAPER}) AS last_printed_at,
    count(b.id) FILTER (WHERE {_ON_PAPER} AND b.reprint_of IS NOT NULL) AS voided,
    (SELECT count(*) FROM lab.print_jobs j JOIN lab.labels w ON w.id = j.label_id
     WHERE w.item_id IN ({_OWN}) AND j.state IN ('queued', 'sending', 'unknown', 'failed')) AS waiting
FROM ({_OWN}) AS own JOIN lab.labels b ON b.item_id = own.id
"""
LIST = f"""
SELECT b.id AS number, k.code AS item, coalesce(c.kind, i.kind) AS kind, b.design, b.reprint_of, b.reason,
    b.recorded_at AS at, a.printed_name AS by, j.state AS job, e.name AS printer,
    EXISTS (SELECT FROM lab.labels n WHERE n.reprint_of = b.id) AS voided
FROM ({_OWN}) AS own JOIN lab.labels b ON b.item_id = own.id JOIN lab.items i ON i.id = b.item_id
JOIN lab.item_codes k ON k.item_id = i.id AND k.scheme = 'own' LEFT JOIN lab.containers c ON c.id = i.id
JOIN people.accounts a ON a.id = b.recorded_by LEFT JOIN lab.print_jobs j ON j.label_id = b.id
LEFT JOIN lab.equipment e ON e.id = j.printer_id
WHERE CAST(:after AS bigint) IS NULL OR b.id < :after ORDER BY b.id DESC LIMIT :limit
"""
COUNTS = """
SELECT c.id AS number, c.printed, c.used, c.destroyed, c.returned, c.remark, c.recorded_at AS at, a.printed_name AS by
FROM lab.label_counts c JOIN people.accounts a ON a.id = c.recorded_by WHERE c.lot_id = :lot ORDER BY c.id DESC LIMIT :limit
"""
IMBALANCES = """
SELECT d.number AS deviation, d.state AS deviation_state, d.impact, i.count_id AS count, i.search, i.mix_up_risk,
    i.independent_evidence, i.recorded_at AS at, a.printed_name AS by
FROM lab.label_imbalances i JOIN lab.deviations d ON d.id = i.deviation_id JOIN people.accounts a ON a.id = i.recorded_by
WHERE i.lot_id = :lot ORDER BY i.id DESC LIMIT :limit
"""
KEEP = """
INSERT INTO lab.label_counts (lot_id, printed, used, destroyed, returned, remark, recorded_by)
VALUES (:lot, :printed, :used, :destroyed, :returned, :remark, :by) RETURNING id
"""
DEVIATION = f"""
SELECT d.id, d.number, d.state, d.rules, (d.item_id = :lot OR d.item_id IN ({_OWN})) AS on_lot
FROM lab.deviations d WHERE d.number = :number
"""
OPEN_DEVIATIONS = f"""
SELECT d.number, d.what FROM lab.deviations d
WHERE d.state = 'open' AND 'REL-04' = ANY (d.rules) AND (d.item_id = :lot OR d.item_id IN ({_OWN})) ORDER BY d.id LIMIT 20
"""
EXPLAIN = """
INSERT INTO lab.label_imbalances (lot_id, count_id, deviation_id, search, mix_up_risk, independent_evidence, recorded_by)
VALUES (:lot, :count, :deviation, :search, :risk, :evidence, :by)
"""


async def lock(change: Change, *, lot_id: int) -> None:
    """Let nobody print or count labels of this lot until this change is done."""
    await change.run(LOCK, lot=lot_id)


async def totals(reading: Reading, *, lot_id: int) -> Row[Any]:
    """How many labels of the lot were made, when last, how many of them a reprint voided, how many wait at a printer."""
    row = await reading.one(TOTALS, lot=lot_id)
    if row is None:
        raise RuntimeError("an aggregate always answers")
    return row


async def page(reading: Reading, *, lot_id: int, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """The labels of the lot, newest first."""
    return await reading.all(LIST, lot=lot_id, after=after, limit=limit)


async def counts(reading: Reading, *, lot_id: int, limit: int) -> Sequence[Row[Any]]:
    """What was counted, newest first."""
    return await reading.all(COUNTS, lot=lot_id, limit=limit)


async def imbalances(reading: Reading, *, lot_id: int, limit: int) -> Sequence[Row[Any]]:
    """What was stated of counts that do not come out, newest first."""
    return await reading.all(IMBALANCES, lot=lot_id, limit=limit)


async def keep(
    change: Change, *, lot_id: int, printed: int, used: int, destroyed: int, returned: int, remark: str | None
) -> int:
    """Keep a count as it is. Its number."""
    number: int = await change.value(
        KEEP,
        lot=lot_id,
        printed=printed,
        used=used,
        destroyed=destroyed,
        returned=returned,
        remark=remark,
        by=change.actor.account_id,
    )
    return number


async def deviation(reading: Reading, *, lot_id: int, number: str) -> Row[Any] | None:
    """A deviation, and whether it is on this lot or on something of it."""
    return await reading.one(DEVIATION, lot=lot_id, number=number)


async def open_deviations(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """The open deviations of this lot that name the rule of labels."""
    return await reading.all(OPEN_DEVIATIONS, lot=lot_id)


async def explain(
    change: Change, *, lot_id: int, count: int, deviation_id: int, search: str, risk: str, evidence: str
) -> None:
    """State, under an open deviation, what was done about a count that does not come out."""
    await change.run(
        EXPLAIN,
        lot=lot_id,
        count=count,
        deviation=deviation_id,
        search=search,
        risk=risk,
        evidence=evidence,
        by=change.actor.account_id,
    )
