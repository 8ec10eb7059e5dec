"""Release in two steps: plans and what they let come late, tests under way, and what physicians know of them."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import BadInput, NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

NUMBERS_END = 2**63
PROPOSE = """
INSERT INTO lab.two_step_plans (process_id, version, protocol, protocol_version, ethics_reference, ethics_approved_on,
    consent_clause, pending, proposed_by)
SELECT v.id, 1 + coalesce((SELECT max(p.version) FROM lab.two_step_plans p WHERE p.process_id = v.id), 0), :protocol,
    :protocol_version, :ethics_reference, :ethics_approved_on, :consent_clause, CAST(:pending AS jsonb), :by
FROM lab.process_versions v WHERE v.name = :name AND v.version = :version RETURNING id
"""
PLANS = """
SELECT t.id AS plan, v.name AS process, v.version AS process_version, t.version, t.protocol, t.protocol_version,
    t.ethics_reference, t.ethics_approved_on, t.consent_clause, t.pending,
    p.printed_name AS proposed_by, t.recorded_at AS proposed_at, s.printed_name AS decided_by, s.signed_at AS decided_at,
    CASE WHEN t.signature_id IS NULL THEN 'proposed' WHEN EXISTS (SELECT FROM lab.two_step_plans n WHERE n.process_id = t.process_id
        AND n.version > t.version AND n.signature_id IS NOT NULL) THEN 'superseded' ELSE 'decided' END AS state
FROM lab.two_step_plans t JOIN lab.process_versions v ON v.id = t.process_id JOIN people.accounts p ON p.id = t.proposed_by
LEFT JOIN lab.signatures s ON s.id = t.signature_id
WHERE (CAST(:id AS bigint) IS NULL OR t.id = :id) ORDER BY t.id DESC LIMIT 200
"""
DECIDE = "SELECT gate.decide_two_step_plan(:id, :ceremony)"
LINE = """
SELECT n.id, n.test FROM lab.lots l JOIN lab.specification_lines n ON n.specification_id = l.specification_id
WHERE l.id = :lot_id ORDER BY n.id
"""
BEGIN = """
INSERT INTO lab.tests_under_way (lot_id, sample_id, line_id, laboratory, started_at, due_at, recorded_by)
VALUES (:lot_id, :sample_id, :line_id, :laboratory, :started_at, :due_at, :by) RETURNING id
"""
ACKNOWLEDGE = """
INSERT INTO lab.pending_acknowledgements (lot_id, tests, remarks, recorded_by)
VALUES (:lot_id, CAST(:tests AS text[]), :remarks, :by) RETURNING id
"""
PENDING = """
SELECT p.test, p.name, p.interim, p.validation, p.days, p.if_positive, k.code AS sample, p.laboratory, p.started_at, p.due_at,
    p.interim_stands
FROM lab.pending_tests(:lot_id) AS p LEFT JOIN lab.item_codes k ON k.item_id = p.sample_id AND k.scheme = 'own'
ORDER BY p.due_at, p.name
"""
KNOWN = """
SELECT a.tests, a.remarks, p.printed_name AS by, a.recorded_at AS at
FROM lab.pending_acknowledgements a JOIN people.accounts p ON p.id = a.recorded_by WHERE a.lot_id = :lot_id ORDER BY a.id
"""
SAMPLES = """
SELECT k.code, s.purpose, s.taken_at FROM lab.samples s JOIN lab.item_codes k ON k.item_id = s.id AND k.scheme = 'own'
WHERE s.lot_id = :lot_id ORDER BY s.id DESC LIMIT 50
"""


async def propose(
    change: Change,
    *,
    process: str,
    process_version: int,
    protocol: str,
    protocol_version: str,
    ethics_reference: str,
    ethics_approved_on: date,
    consent_clause: str,
    pending: Sequence[Mapping[str, Any]],
) -> int:
    """A plan that waits for its signature. Its number. Raises NotFound for an unknown process."""
    number: int | None = await change.value(
        PROPOSE,
        name=process,
        version=process_version,
        protocol=protocol,
        protocol_version=protocol_version,
        ethics_reference=ethics_reference,
        ethics_approved_on=ethics_approved_on,
        consent_clause=consent_clause,
        pending=json.dumps(list(pending), ensure_ascii=False),
        by=change.actor.account_id,
    )
    if number is None:
        raise NotFound(
            what=Text("Nothing was proposed."),
            why=Text("There is no process {name} version {version}.", name=process, version=process_version),
            remedy=Text("Choose one of the list of processes."),
        )
    return number


async def plans(reading: Reading) -> Sequence[Row[Any]]:
    """Every plan, the last proposed first."""
    return await reading.all(PLANS, id=None)


async def plan(reading: Reading, *, number: int) -> Row[Any]:
    """One plan. Raises NotFound."""
    row = await reading.one(PLANS, id=number) if 0 < number < NUMBERS_END else None
    if row is None:
        raise NotFound(
            what=Text("There is no plan {number}.", number=number),
            why=Text("No such plan was proposed."),
            remedy=Text("Look it up in the list."),
        )
    return row


async def decide(change: Change, *, number: int, ceremony: UUID) -> int:
    """Sign it. The signature's number."""
    signature: int = await change.value(DECIDE, id=number, ceremony=ceremony)
    return signature


async def line_of(reading: Reading, *, lot_id: int, test: str) -> tuple[int, str]:
    """The line of a test in the lot's specification. Raises BadInput, naming the tests that there are."""
    rows = await reading.all(LINE, lot_id=lot_id)
    found = next((row for row in rows if row.test.casefold() == test.casefold()), None)
    if found is None:
        raise BadInput(
            field="test",
            what=Text("Nothing was recorded."),
            why=Text("The lot's specification has no test called {test}.", test=test),
            remedy=Text("Its tests are: {tests}.", tests=tuple(row.test for row in rows)),
        )
    return found.id, found.test


async def begin(
    change: Change,
    *,
    lot_id: int,
    sample_id: int,
    line_id: int,
    laboratory: str,
    started_at: datetime,
    due_at: datetime,
) -> int:
    """That a slow test is under way. Its number."""
    number: int = await change.value(
        BEGIN,
        lot_id=lot_id,
        sample_id=sample_id,
        line_id=line_id,
        laboratory=laboratory,
        started_at=started_at,
        due_at=due_at,
        by=change.actor.account_id,
    )
    return number


async def acknowledge(change: Change, *, lot_id: int, tests: Sequence[str], remarks: str) -> int:
    """That the physician who acts knows what is pending. Its number."""
    number: int = await change.value(
        ACKNOWLEDGE, lot_id=lot_id, tests=list(tests), remarks=remarks, by=change.actor.account_id
    )
    return number


async def pending(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """Every test of the lot that its plan lets come late and of which no result stands."""
    return await reading.all(PENDING, lot_id=lot_id)


async def known(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """What physicians acknowledged."""
    return await reading.all(KNOWN, lot_id=lot_id)


async def samples(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """The last samples of the lot."""
    return await reading.all(SAMPLES, lot_id=lot_id)
