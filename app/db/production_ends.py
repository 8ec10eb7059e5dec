"""Cells at the end of production as laboratories tested them: added to and never edited."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

LOT = """
SELECT l.id, l.kind, p.name || ' ' || p.version AS process, p.max_pdl FROM lab.lots l
LEFT JOIN lab.process_versions p ON p.id = l.process_id WHERE l.id = :lot
"""
INSERT = """
INSERT INTO lab.production_ends (lot_id, pdl_reached, laboratory, report_number, reported_on, file_name, file_sha256, tests,
    replaces_id, why, recorded_by)
VALUES (:lot_id, :pdl_reached, :laboratory, :report_number, :reported_on, :file_name, :file_sha256, CAST(:tests AS jsonb),
    :replaces, :why, :by) RETURNING id
"""
STANDING = """
SELECT e.id, e.lot_id, e.laboratory, e.report_number, e.recorded_by FROM lab.production_ends e
WHERE NOT EXISTS (SELECT FROM lab.production_ends n WHERE n.replaces_id = e.id)
    AND (e.id = CAST(:id AS bigint) OR (e.lot_id, e.laboratory, e.report_number)
        = (CAST(:lot_id AS bigint), CAST(:laboratory AS text), CAST(:report_number AS text)))
"""
OF_LOT = """
SELECT e.id AS report, e.pdl_reached, e.laboratory, e.report_number, e.reported_on, e.file_name, e.file_sha256, e.tests,
    e.replaces_id AS replaces, e.why, a.printed_name AS recorded_by, e.recorded_at,
    EXISTS (SELECT FROM lab.production_ends n WHERE n.replaces_id = e.id) AS is_replaced
FROM lab.production_ends e JOIN people.accounts a ON a.id = e.recorded_by WHERE e.lot_id = :lot ORDER BY e.id DESC LIMIT 200
"""


async def lot(reading: Reading, *, lot_id: int) -> Row[Any]:
    """A lot's kind, its process and the limit of it."""
    (found,) = await reading.all(LOT, lot=lot_id)
    return found


async def insert(change: Change, *, values: Mapping[str, Any], tests: Sequence[Mapping[str, Any]]) -> int:
    """A report with its tests. Its key. Raises Conflict when the record that it replaces is replaced already."""
    said = json.dumps(list(tests), ensure_ascii=False)
    key: int = await change.value(INSERT, **values, tests=said, by=change.actor.account_id)
    return key


async def standing(
    reading: Reading, *, report: int | None, lot_id: int, laboratory: str, report_number: str
) -> Sequence[Row[Any]]:
    """Records that stand: the one of this key, and those of the same report about the same lot."""
    return await reading.all(STANDING, id=report, lot_id=lot_id, laboratory=laboratory, report_number=report_number)


async def of_lot(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """A lot's reports, the last recorded first."""
    return await reading.all(OF_LOT, lot=lot_id)
