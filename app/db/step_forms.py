"""What the form of a step shows before anything is written: living vessels, scans that were taken, a step as it was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db.scans import detail_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Reading

LIVING = """
SELECT k.code, c.kind, c.passage, s.cpdl FROM lab.containers c
JOIN lab.item_codes k ON k.item_id = c.id AND k.scheme = 'own' LEFT JOIN lab.steps s ON s.id = c.step_id
WHERE c.lot_id = :lot_id AND c.kind = :kind AND c.state = 'in_use' ORDER BY c.id LIMIT :limit
"""
WITHDRAWN = """
SELECT k.code, c.kind, c.passage, s.cpdl FROM lab.withdrawals w JOIN lab.containers c ON c.id = w.vial_id
JOIN lab.item_codes k ON k.item_id = c.id AND k.scheme = 'own' LEFT JOIN lab.steps s ON s.id = c.step_id
WHERE w.lot_id = :lot_id AND c.state = 'in_use' ORDER BY c.id LIMIT :limit
"""
SCANS = """
SELECT number, verdict, payload FROM lab.scans
WHERE number = ANY (CAST(:numbers AS bigint[])) AND at > clock_timestamp() - make_interval(hours => :hours) ORDER BY number
"""
MATERIALS = """
SELECT own.code, m.name FROM lab.item_codes own JOIN lab.containers c ON c.id = own.item_id
JOIN lab.material_lots b ON b.id = c.lot_id JOIN lab.materials m ON m.id = b.material_id
WHERE own.code = ANY (CAST(:codes AS text[]))
"""
STEP = """
SELECT s.id AS step, s.kind, s.passage, s.started_at, s.ended_at, s.viability_percent, s.viable_harvested, s.pd, s.cpdl,
    k.code AS lot, l.name, l.expires_at, w.code AS workstation, v.recorded_at AS verified_at
FROM lab.steps s JOIN lab.lots l ON l.id = s.lot_id JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
LEFT JOIN lab.workstation_sessions t ON t.id = s.workstation_session_id
LEFT JOIN lab.item_codes w ON w.item_id = t.workstation_id AND w.scheme = 'own'
LEFT JOIN lab.verifications v ON v.step_id = s.id WHERE s.id = :number
"""
MADE = """
SELECT k.code, c.kind, EXISTS (SELECT FROM lab.labels b WHERE b.item_id = c.id) AS labelled
FROM lab.containers c JOIN lab.item_codes k ON k.item_id = c.id AND k.scheme = 'own'
WHERE c.step_id = :number ORDER BY c.id LIMIT :limit
"""


async def withdrawn(reading: Reading, *, lot_id: int, limit: int) -> Sequence[Row[Any]]:
    """The vials that left a bank for the lot and are not thawed yet."""
    return await reading.all(WITHDRAWN, lot_id=lot_id, limit=limit)


async def living(reading: Reading, *, lot_id: int, kind: str, limit: int) -> Sequence[Row[Any]]:
    """The lot's vessels of a kind that hold living cells now, in the order in which they were made."""
    return await reading.all(LIVING, lot_id=lot_id, kind=kind, limit=limit)


async def scans(reading: Reading, *, numbers: Sequence[int], hours: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Scans of the last hours by their numbers: number, verdict, and all that was said."""
    found = await reading.all(SCANS, numbers=list(numbers), hours=hours)
    return [(row.number, row.verdict, detail_of(row.payload)) for row in found]


async def material_names(reading: Reading, *, codes: Sequence[str]) -> dict[str, str]:
    """What is in these containers, by their codes."""
    return {row.code: row.name for row in await reading.all(MATERIALS, codes=list(codes))}


async def step(reading: Reading, *, number: int) -> Row[Any] | None:
    """A step as it was kept, or None."""
    return await reading.one(STEP, number=number)


async def made(reading: Reading, *, number: int, limit: int) -> Sequence[Row[Any]]:
    """The containers that a step made, and whether each bears a label yet."""
    return await reading.all(MADE, number=number, limit=limit)
