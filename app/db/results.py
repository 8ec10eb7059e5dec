"""Test results: measured, reviewed by another, set aside only under an investigation that has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import BadInput, NotFound
from app.domain.facts import LineKind
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

LINES = """
SELECT id, test, kind, unit FROM lab.specification_lines WHERE specification_id = :specification_id ORDER BY id
"""
KEEP = """
INSERT INTO lab.results (lot_id, sample_id, line_id, value_number, value_text, unit, method_version, instrument,
    analyst, measured_at, recorded_by, paper_id)
VALUES (:lot_id, :sample_id, :line_id, :value_number, :value_text, :unit, :method_version, :instrument, :by,
    :measured_at, :by, :paper_id) RETURNING id
"""
BY_ID = """
SELECT r.id, r.lot_id, k.code AS lot, l.test FROM lab.results r JOIN lab.specification_lines l ON l.id = r.line_id
JOIN lab.item_codes k ON k.item_id = r.lot_id AND k.scheme = 'own' WHERE r.id = :id
"""
SIGN = "SELECT gate.sign(:ceremony, 'result_reviewed', :id)"
SIGN_ALL = "SELECT gate.sign(:ceremony, 'results_reviewed', :lot_id)"
LOCK_FAMILY = "SELECT lab.lock_family(:lot_id)"
WAITING = """
SELECT r.id FROM lab.results r WHERE r.lot_id = :lot_id
  AND NOT EXISTS (SELECT FROM lab.result_reviews v WHERE v.result_id = r.id)
  AND NOT EXISTS (SELECT FROM lab.result_invalidations i WHERE i.result_id = r.id) ORDER BY r.id
"""
REVIEW = """
INSERT INTO lab.result_reviews (result_id, decision, remarks, signature_id, recorded_by)
VALUES (:id, :decision, :remarks, :signature_id, :by)
"""
INVALIDATE = """
INSERT INTO lab.result_invalidations (result_id, deviation_id, reason, recorded_by)
VALUES (:id, :deviation_id, :reason, :by)
"""
DEVIATION = """
SELECT d.id, d.state, d.item_id IN (SELECT item_id FROM lab.ancestry(:lot_id)) AS of_this_lot
FROM lab.deviations d WHERE d.number = :number
"""
OF_LOT = """
SELECT r.id, s.code AS sample, l.test, r.value_number, r.value_text, r.unit, r.method_version, r.instrument,
    a.username AS analyst, r.measured_at, i.id IS NOT NULL AS invalidated,
    (SELECT v.decision FROM lab.result_reviews v WHERE v.result_id = r.id ORDER BY v.id DESC LIMIT 1) AS review
FROM lab.results r JOIN lab.specification_lines l ON l.id = r.line_id JOIN people.accounts a ON a.id = r.analyst
JOIN lab.item_codes s ON s.item_id = r.sample_id AND s.scheme = 'own'
LEFT JOIN lab.result_invalidations i ON i.result_id = r.id WHERE r.lot_id = :lot_id ORDER BY r.id
"""


@dataclass(frozen=True, slots=True)
class Line:
    """The line of a specification that a result answers."""

    id: int
    test: str
    kind: LineKind
    unit: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """A result and the lot that it speaks of."""

    id: int
    lot_id: int
    lot: str
    test: str


@dataclass(frozen=True, slots=True)
class Investigation:
    """A deviation named as the reason to set a result aside."""

    id: int
    state: str
    of_this_lot: bool


async def line_for(reading: Reading, *, specification_id: int | None, test: str) -> Line:
    """The line of this test in the lot's specification version. Raises BadInput, naming the tests that there are."""
    rows = await reading.all(LINES, specification_id=specification_id)
    found = next((row for row in rows if row.test.casefold() == test.casefold()), None)
    if found is None:
        raise BadInput(
            field="test",
            what=Text("The result was not recorded."),
            why=Text("The lot's specification has no test called {test}.", test=test),
            remedy=Text("Its tests are: {tests}.", tests=tuple(row.test for row in rows)),
        )
    return Line(found.id, found.test, LineKind(found.kind), found.unit)


async def keep(
    change: Change,
    *,
    lot_id: int,
    sample_id: int,
    line_id: int,
    value: Decimal | str,
    unit: str | None,
    method_version: str,
    instrument: str | None,
    measured_at: datetime,
    paper_id: int | None = None,
) -> int:
    """Keep what the actor measured, or read from a partner's paper. The result's number."""
    result_id: int = await change.value(
        KEEP,
        lot_id=lot_id,
        sample_id=sample_id,
        line_id=line_id,
        value_number=value if isinstance(value, Decimal) else None,
        value_text=value if isinstance(value, str) else None,
        unit=unit,
        method_version=method_version,
        instrument=instrument,
        measured_at=measured_at,
        paper_id=paper_id,
        by=change.actor.account_id,
    )
    return result_id


async def find(reading: Reading, *, result_id: int) -> Result:
    """The result of this number. Raises NotFound."""
    row = await reading.one(BY_ID, id=result_id)
    if row is None:
        raise NotFound(
            what=Text("There is no result {number}.", number=result_id),
            why=Text("No result of this number was recorded."),
            remedy=Text("Open the lot and choose the result there."),
        )
    return Result(**row._asdict())


async def review(change: Change, *, result_id: int, decision: str, remarks: str, ceremony: UUID) -> int:
    """Review a result with a signature. The signature's number. Raises CeremonyRefused, Stale."""
    signature_id: int = await change.value(SIGN, ceremony=ceremony, id=result_id)
    await change.run(
        REVIEW,
        id=result_id,
        decision=decision,
        remarks=remarks,
        signature_id=signature_id,
        by=change.actor.account_id,
    )
    return signature_id


async def investigation(reading: Reading, *, number: str, lot_id: int) -> Investigation | None:
    """The deviation of this number, and whether it concerns this lot. None where there is none."""
    row = await reading.one(DEVIATION, number=number, lot_id=lot_id)
    return None if row is None else Investigation(row.id, row.state, row.of_this_lot)


async def invalidate(change: Change, *, result_id: int, deviation_id: int, reason: str) -> None:
    """Set a result aside under an investigation. Raises Conflict when it was set aside before."""
    await change.run(INVALIDATE, id=result_id, deviation_id=deviation_id, reason=reason, by=change.actor.account_id)


async def of_lot(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """Every result of the lot, with the last decision about it."""
    return await reading.all(OF_LOT, lot_id=lot_id)


async def lock_family(change: Change, *, lot_id: int) -> None:
    """Before the lot itself, whatever of its donation a result that is accepted now may hold."""
    await change.run(LOCK_FAMILY, lot_id=lot_id)


async def waiting(reading: Reading, *, lot_id: int) -> list[int]:
    """The results of a lot that nobody has reviewed and nobody has set aside."""
    return [row.id for row in await reading.all(WAITING, lot_id=lot_id)]


async def review_all(
    change: Change, *, lot_id: int, waiting: Sequence[int], decision: str, remarks: str, ceremony: UUID
) -> int:
    """Sign over all of them at once; the number of the signature. The gate holds it to those that were shown."""
    signature: int = await change.value(SIGN_ALL, ceremony=ceremony, lot_id=lot_id)
    await change.run_many(
        REVIEW,
        [
            {
                "id": result,
                "decision": decision,
                "remarks": remarks,
                "signature_id": signature,
                "by": change.actor.account_id,
            }
            for result in waiting
        ],
    )
    return signature
