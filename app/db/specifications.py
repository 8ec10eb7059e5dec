"""Specification versions: the tests of a product with their limits. A version in use is never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from app.db.door import Change, Reading

INSERT = """
INSERT INTO lab.specifications (name, version, effective_from, recorded_by)
VALUES (:name, :version, :effective_from, :by) RETURNING id
"""
INSERT_LINE = """
INSERT INTO lab.specification_lines
    (specification_id, test, method, kind, low, high, unit, expected, safety, required)
VALUES (:specification, :test, :method, :kind, :low, :high, :unit, :expected, :safety, :required)
"""
LIST = """
SELECT s.name, s.version, s.effective_from, s.id FROM lab.specifications s
WHERE CAST(:name AS text) IS NULL OR (s.name, s.version) > (:name, :version) ORDER BY s.name, s.version LIMIT :limit
"""
LINES = """
SELECT specification_id, test, method, kind, low, high, unit, expected, safety, required
FROM lab.specification_lines WHERE specification_id = ANY (CAST(:ids AS bigint[])) ORDER BY id
"""


async def insert(
    change: Change, *, name: str, version: int, effective_from: datetime, lines: Sequence[Mapping[str, Any]]
) -> None:
    """A new specification version with its lines. Raises Conflict when name and version are taken."""
    specification: int = await change.value(
        INSERT, name=name, version=version, effective_from=effective_from, by=change.actor.account_id
    )
    await change.run_many(INSERT_LINE, [{**line, "specification": specification} for line in lines])


async def page(reading: Reading, *, name: str | None, version: int, limit: int) -> Sequence[Row[Any]]:
    """Specification versions by name and version, after this one."""
    return await reading.all(LIST, name=name, version=version, limit=limit)


async def lines_of(reading: Reading, *, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The lines of these specification versions, by the version's key."""
    lines: dict[int, list[dict[str, Any]]] = {each: [] for each in ids}
    for row in await reading.all(LINES, ids=list(ids)):
        values = row._asdict()
        lines[values.pop("specification_id")].append(values)
    return lines
