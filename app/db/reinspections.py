"""What laboratories outside tested again for a study: reports with their tests, added to and never edited."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

_COLUMNS = """study_id, laboratory_id, sample_kind, lot_id, process_id, report_number, signatory, file_name, file_sha256,
    taken_at, handed_over_by, received_at, received_by, low_c, high_c, min_c, max_c, excursion, reported_on, replaces_id, why"""
INSERT = f"""
INSERT INTO lab.reinspections ({_COLUMNS}, recorded_by)
VALUES ({", ".join(f":{each.strip()}" for each in _COLUMNS.split(","))}, :by) RETURNING id
"""
TESTS = """
INSERT INTO lab.reinspection_tests (reinspection_id, test, method, limit_text, limit_value, outcome, found, value, unit, statement, tested_on)
SELECT :id, t.test, t.method, t.limit_text, t.limit_value, t.outcome, t.found, t.value, t.unit, t.statement, t.tested_on
FROM jsonb_to_recordset(CAST(:tests AS jsonb)) AS t(test text, method text, limit_text text, limit_value numeric, outcome text,
    found text, value numeric, unit text, statement text, tested_on date)
"""
REPLACED = """
SELECT r.id, r.recorded_by, r.study_id, r.laboratory_id, r.lot_id, r.report_number,
    EXISTS (SELECT FROM lab.reinspections n WHERE n.replaces_id = r.id) AS is_replaced
FROM lab.reinspections r WHERE r.id = :id
"""
SAME = """
SELECT r.id FROM lab.reinspections r WHERE (r.study_id, r.laboratory_id, r.lot_id, r.report_number)
    = (CAST(:study_id AS bigint), CAST(:laboratory_id AS bigint), CAST(:lot_id AS bigint), CAST(:report_number AS text))
    AND NOT EXISTS (SELECT FROM lab.reinspections n WHERE n.replaces_id = r.id)
"""
CHOICES = """
SELECT 'laboratory' AS kind, name, NULL::integer AS version FROM lab.laboratories
UNION ALL SELECT 'process', name, version FROM lab.process_versions ORDER BY 1, 2, 3 DESC LIMIT 1000
"""
DAYS = """
SELECT (clock_timestamp() AT TIME ZONE d.time_zone)::date AS today,
    (CAST(:received_at AS timestamptz) AT TIME ZONE d.time_zone)::date AS received FROM lab.deployment d
"""


async def insert(change: Change, *, values: Mapping[str, Any], tests: Sequence[Mapping[str, Any]]) -> int:
    """A report with its tests. Its key. Raises Conflict when the record that it replaces is replaced already."""
    key: int = await change.value(INSERT, **values, by=change.actor.account_id)
    await change.run(TESTS, id=key, tests=json.dumps(list(tests), ensure_ascii=False, default=str))
    return key


async def one(reading: Reading, *, report: int) -> Row[Any] | None:
    """What a correction must agree with; None where there is no such report."""
    return await reading.one(REPLACED, id=report)


async def same(reading: Reading, **of: Any) -> int | None:
    """The record of the same report about the same lot that stands; None where there is none."""
    found: int | None = await reading.value(SAME, **of)
    return found


async def choices(reading: Reading) -> Sequence[Row[Any]]:
    """What a report may name: laboratories and process versions."""
    return await reading.all(CHOICES)


async def days_of(reading: Reading, *, received_at: datetime) -> Row[Any]:
    """Today, and the day of receipt, where the facility stands."""
    (found,) = await reading.all(DAYS, received_at=received_at)
    return found
