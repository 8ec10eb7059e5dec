"""Gene modification: what vectors are and came of, tests for replication-competent virus, reports of off-target edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import Row

    from app.db.door import Change, Reading

NUMBERS_END = 2**63
"""No record has such a number."""
LOT = """
SELECT l.id, k.code, l.name, l.kind, l.state, m.kind AS material_kind, m.name AS material, r.supplier_lot,
    v.name || ' ' || v.version AS process, v.gene_modified, v.vector_type
FROM lab.item_codes g JOIN lab.lots l ON l.id = g.item_id JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
LEFT JOIN lab.material_lots r ON r.id = l.id LEFT JOIN lab.materials m ON m.id = r.material_id
LEFT JOIN lab.process_versions v ON v.id = l.process_id WHERE g.code = :code
"""
IS_BEHIND = "SELECT CAST(:lot AS bigint) = ANY (lab.with_parts(ARRAY[CAST(:part AS bigint)]))"
STATE = """
INSERT INTO lab.vector_statements (vector_lot_id, vector_type, titre, titre_unit, recorded_by)
VALUES (:lot, :vector_type, :titre, :titre_unit, :by) RETURNING id
"""
KEEP_PART = """
INSERT INTO lab.vector_parts (statement_id, vector_lot_id, role, part_lot_id, name, part_lot, selected_with, recorded_by)
VALUES (:statement, :lot, :role, :part_lot_id, :name, :part_lot, :selected_with, :by)
"""
STATEMENTS = """
SELECT s.id AS statement, s.vector_type, s.titre, s.titre_unit, a.printed_name AS stated_by, s.recorded_at AS stated_at, (
    SELECT coalesce(jsonb_agg(jsonb_build_object('role', p.role, 'name', p.name, 'part_lot', p.part_lot, 'material_lot', k.code,
        'selected_with', p.selected_with) ORDER BY p.id), '[]')
    FROM lab.vector_parts p LEFT JOIN lab.item_codes k ON k.item_id = p.part_lot_id AND k.scheme = 'own'
    WHERE p.statement_id = s.id) AS parts
FROM lab.vector_statements s JOIN people.accounts a ON a.id = s.recorded_by WHERE s.vector_lot_id = :lot
ORDER BY s.id DESC LIMIT 50
"""
KEEP_TEST = """
INSERT INTO lab.virus_tests (lot_id, sample, assay, method, laboratory, cells_tested, cells_in_pool, supernatant_percent,
    sampled_at, recorded_by)
VALUES (:lot, :sample, :assay, :method, :laboratory, :cells_tested, :cells_in_pool, :supernatant_percent, :sampled_at, :by)
RETURNING id
"""
TESTS = """
SELECT t.id AS test, t.sample, t.assay, t.method, t.laboratory, t.cells_tested, t.cells_in_pool, t.supernatant_percent,
    t.sampled_at, a.printed_name AS recorded_by, t.recorded_at, (
    SELECT coalesce(jsonb_agg(jsonb_build_object('outcome', o.outcome, 'reported_at', o.reported_at, 'reference', o.reference,
        'by', p.printed_name) ORDER BY o.id), '[]')
    FROM lab.virus_test_outcomes o JOIN people.accounts p ON p.id = o.recorded_by WHERE o.test_id = t.id) AS outcomes
FROM lab.virus_tests t JOIN people.accounts a ON a.id = t.recorded_by WHERE t.lot_id = :lot ORDER BY t.id LIMIT 200
"""
TEST = """
SELECT t.id, t.lot_id, t.sampled_at, k.code FROM lab.virus_tests t
JOIN lab.item_codes k ON k.item_id = t.lot_id AND k.scheme = 'own' WHERE t.id = :id
"""
KEEP_OUTCOME = """
INSERT INTO lab.virus_test_outcomes (lot_id, test_id, outcome, reported_at, reference, recorded_by)
VALUES (:lot, :test, :outcome, :reported_at, :reference, :by)
"""
PROCESS = """
SELECT id, name, version, gene_modified, vector_type, gene_editing FROM lab.process_versions
WHERE name = :name AND version = :version
"""
KEEP_REPORT = """
INSERT INTO lab.off_target_reports (process_id, reference, prediction, assay, assay_method, sites_examined, sites_above,
    threshold_percent, highest_percent, aberrations, aberrations_method, reported_on, file_sha256, recorded_by)
VALUES (:process, :reference, :prediction, :assay, :assay_method, :sites_examined, :sites_above, :threshold_percent,
    :highest_percent, :aberrations, :aberrations_method, :reported_on, :file_sha256, :by) RETURNING id
"""
REPORTS = """
SELECT r.id AS report, r.reference, r.prediction, r.assay, r.assay_method, r.sites_examined, r.sites_above, r.threshold_percent,
    r.highest_percent, r.aberrations, r.aberrations_method, r.reported_on, r.file_sha256, a.printed_name AS recorded_by, r.recorded_at
FROM lab.off_target_reports r JOIN people.accounts a ON a.id = r.recorded_by WHERE r.process_id = :process
ORDER BY r.id DESC LIMIT 100
"""
BESIDE = """
SELECT p.name, p.version FROM lab.assessments s JOIN lab.process_versions p ON p.id = s.scope_id
WHERE s.number = :number AND s.rule = 'GM-02' AND s.scope_kind = 'process' LIMIT 1
"""
TODAY = "SELECT (clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment))::date"


async def find_lot(reading: Reading, *, code: str) -> Row[Any]:
    """A lot of any kind, with its material or its process. Raises NotFound."""
    row = await reading.one(LOT, code=code)
    if row is None:
        raise NotFound(
            what=Text("There is no lot {code}.", code=code),
            why=Text("This code is not a lot's."),
            remedy=Text("Scan the lot's own label."),
        )
    return row


async def is_behind(reading: Reading, *, lot_id: int, part_id: int) -> bool:
    """Whether the lot stands behind what would become a part of it."""
    found: bool = await reading.value(IS_BEHIND, lot=lot_id, part=part_id)
    return found


async def state(
    change: Change,
    *,
    lot_id: int,
    vector_type: str,
    titre: Decimal | None,
    titre_unit: str | None,
    parts: Sequence[Mapping[str, Any]],
) -> None:
    """What a vector is, and what it came of."""
    by = change.actor.account_id
    statement = await change.value(
        STATE, lot=lot_id, vector_type=vector_type, titre=titre, titre_unit=titre_unit, by=by
    )
    if parts:
        await change.run_many(KEEP_PART, [{**each, "statement": statement, "lot": lot_id, "by": by} for each in parts])


async def statements(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """What was stated of a vector, the last first."""
    return await reading.all(STATEMENTS, lot=lot_id)


async def keep_test(change: Change, *, lot_id: int, values: Mapping[str, Any]) -> int:
    """A test for replication-competent virus. Its number."""
    number: int = await change.value(KEEP_TEST, lot=lot_id, **values, by=change.actor.account_id)
    return number


async def tests(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """The tests of a lot for replication-competent virus, as they were recorded."""
    return await reading.all(TESTS, lot=lot_id)


async def test(reading: Reading, *, number: int) -> Row[Any]:
    """One of them. Raises NotFound."""
    row = await reading.one(TEST, id=number) if 0 < number < NUMBERS_END else None
    if row is None:
        raise NotFound(
            what=Text("There is no test {number} for replication-competent virus.", number=number),
            why=Text("Nothing was recorded under this number."),
            remedy=Text("Choose it from the lot that was tested."),
        )
    return row


async def keep_outcome(
    change: Change, *, lot_id: int, test: int, outcome: str, reported_at: datetime, reference: str
) -> None:
    """What the laboratory reported of a test."""
    await change.run(
        KEEP_OUTCOME,
        lot=lot_id,
        test=test,
        outcome=outcome,
        reported_at=reported_at,
        reference=reference,
        by=change.actor.account_id,
    )


async def process(reading: Reading, *, name: str, version: int) -> Row[Any]:
    """A process version. Raises NotFound."""
    row = await reading.one(PROCESS, name=name, version=version)
    if row is None:
        raise NotFound(
            what=Text("There is no version {version} of process {name}.", version=version, name=name),
            why=Text("Nobody defined it."),
            remedy=Text("Choose one of the process versions."),
        )
    return row


async def keep_report(change: Change, *, process_id: int, values: Mapping[str, Any]) -> int:
    """A report of off-target edits. Its number."""
    number: int = await change.value(KEEP_REPORT, process=process_id, **values, by=change.actor.account_id)
    return number


async def reports(reading: Reading, *, process_id: int) -> Sequence[Row[Any]]:
    """Reports of a process version, the last first."""
    return await reading.all(REPORTS, process=process_id)


async def beside(reading: Reading, *, number: str) -> Row[Any] | None:
    """The process version whose off-target reports an assessment accepts; None for any other assessment."""
    return await reading.one(BESIDE, number=number)


async def today(reading: Reading) -> Any:
    """The day on the facility's calendar."""
    return await reading.value(TODAY)
