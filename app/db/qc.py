"""What QC works through: samples whose tests are missing, results that wait for a review, all results of a lot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db import lot_story
from app.domain import facts, testing
from app.domain.facts import LineKind
from app.domain.testing import Fit
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Reading

# A test is missing while no result of it stands: one that was set aside, or returned in review, is as none.
_STANDS = """
r.lot_id = l.id AND r.line_id = n.id AND NOT EXISTS (SELECT FROM lab.result_invalidations i WHERE i.result_id = r.id)
AND coalesce((SELECT v.decision FROM lab.result_reviews v WHERE v.result_id = r.id ORDER BY v.id DESC LIMIT 1), '') <> 'returned'
"""
_OPEN = "l.kind = ANY ('{preparation,bank}') AND l.state = ANY ('{in_process,quarantine,awaiting_release}')"
_SAMPLES = f"""
SELECT s.id, k.code, s.purpose, s.taken_at, lk.code AS lot, l.name, l.state, a.printed_name AS taken_by, m.missing
FROM lab.samples s JOIN lab.lots l ON l.id = s.lot_id JOIN lab.item_codes k ON k.item_id = s.id AND k.scheme = 'own'
JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own' JOIN people.accounts a ON a.id = s.taken_by
CROSS JOIN LATERAL (SELECT count(*) AS missing FROM lab.specification_lines n WHERE n.specification_id = l.specification_id
    AND NOT EXISTS (SELECT FROM lab.results r WHERE {_STANDS})) AS m
WHERE (CAST(:after AS bigint) IS NULL OR s.id < :after)
"""
_LATEST = "ORDER BY s.id DESC LIMIT :limit"
# Lots that are settled are many and those at work few: only the list of all walks through the former.
SAMPLES = {
    "waiting": f"{_SAMPLES} AND {_OPEN} AND m.missing > 0 {_LATEST}",
    "mine": f"""{_SAMPLES} AND {_OPEN} AND EXISTS (
        SELECT FROM lab.results r WHERE r.lot_id = l.id AND r.sample_id = s.id AND r.analyst = :account) {_LATEST}""",
    "all": f"{_SAMPLES} {_LATEST}",
}
TO_REVIEW = f"""
SELECT k.code, l.name, count(*) AS results, min(r.recorded_at) AS since,
    count(*) FILTER (WHERE r.analyst = :account) AS own
FROM lab.results r JOIN lab.lots l ON l.id = r.lot_id JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
WHERE {_OPEN} AND NOT EXISTS (SELECT FROM lab.result_reviews v WHERE v.result_id = r.id)
    AND NOT EXISTS (SELECT FROM lab.result_invalidations i WHERE i.result_id = r.id)
GROUP BY k.code, l.name ORDER BY min(r.recorded_at) LIMIT :limit
"""
LINES = f"""
SELECT n.id, n.test, n.method, n.kind, n.low, n.high, n.unit, n.expected, n.safety, n.required,
    NOT EXISTS (SELECT FROM lab.results r WHERE {_STANDS}) AS missing
FROM lab.specification_lines n JOIN lab.lots l ON l.specification_id = n.specification_id WHERE l.id = :lot_id ORDER BY n.id
"""
LAST_USED = """
SELECT DISTINCT ON (r.line_id) r.line_id, r.method_version, r.instrument FROM lab.results r
WHERE r.line_id = ANY (CAST(:lines AS bigint[])) AND r.id > (SELECT coalesce(max(id), 0) FROM lab.results) - :among
ORDER BY r.line_id, r.id DESC
"""
SOURCE = """
SELECT k.code FROM lab.samples s JOIN lab.item_codes k ON k.item_id = s.from_item_id AND k.scheme = 'own' WHERE s.id = :id
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A result beside its limits. `review`: accepted, returned, or None while nobody has reviewed it."""

    number: int
    sample: str
    test: str
    method: str
    method_version: str
    instrument: str | None
    value: Text
    value_number: Decimal | None
    unit: str | None
    limits: Text
    low: Decimal | None
    high: Decimal | None
    line_unit: str | None
    fit: Fit
    analyst: str
    measured_at: datetime
    invalidated: bool
    review: str | None


async def samples(reading: Reading, *, which: str, account: int, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Samples, newest first: those whose lot misses a test, those one measured oneself, or all."""
    whose = {"account": account} if which == "mine" else {}
    return await reading.all(SAMPLES[which], after=after, limit=limit, **whose)


async def to_review(reading: Reading, *, account: int, limit: int) -> Sequence[Row[Any]]:
    """Lots with results that wait for a review, the longest first; `own` of them are this person's."""
    return await reading.all(TO_REVIEW, account=account, limit=limit)


async def lines(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """The lines of the lot's specification version, and whether a result that stands is still missing."""
    return await reading.all(LINES, lot_id=lot_id)


async def source(reading: Reading, *, sample_id: int) -> str:
    """The code of what a sample was taken from."""
    code: str = await reading.value(SOURCE, id=sample_id)
    return code


async def last_used(reading: Reading, *, lines: Sequence[int], among: int = 2000) -> dict[int, tuple[str, str | None]]:
    """With which version and instrument each line was measured last, as far as the latest results tell."""
    rows = await reading.all(LAST_USED, lines=list(lines), among=among)
    return {row.line_id: (row.method_version, row.instrument) for row in rows}


async def results(reading: Reading, *, lot_id: int, limit: int) -> tuple[Found, ...]:
    """The results of a lot beside their limits, newest first."""
    return tuple(found_of(row) for row in await lot_story.results(reading, lot_id=lot_id, limit=limit))


def found_of(row: Any) -> Found:
    """A result beside the limits of its line."""
    line = line_of(row, unit=row.line_unit)
    measured = facts.Result(
        id=row.id,
        line_id=None,
        test=row.test,
        sample=row.sample,
        value_number=row.value_number,
        value_text=row.value_text,
        unit=row.unit,
        method_version=row.method_version,
        instrument=row.instrument,
        analyst=row.analyst,
        measured_at=row.measured_at,
        invalidated=row.invalidated,
        review=None,
    )
    return Found(
        number=row.id,
        sample=row.sample,
        test=row.test,
        method=row.method,
        method_version=row.method_version,
        instrument=row.instrument,
        value=testing.value(measured),
        value_number=row.value_number,
        unit=row.unit,
        limits=testing.limits(line),
        low=row.low,
        high=row.high,
        line_unit=row.line_unit,
        fit=testing.fit(line, measured),
        analyst=row.analyst,
        measured_at=row.measured_at,
        invalidated=row.invalidated,
        review=row.review,
    )


def line_of(row: Any, *, unit: str | None) -> facts.Line:
    """The line of a specification as the domain knows it."""
    return facts.Line(
        id=0,
        test=row.test,
        method=row.method,
        kind=LineKind(row.kind),
        low=row.low,
        high=row.high,
        unit=unit,
        expected=row.expected,
        safety=row.safety,
        required=row.required,
    )
