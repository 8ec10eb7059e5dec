"""Shippers as they were qualified, and the ways of lots between partner, house and hospital. Nothing of it is ever edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

QUALIFY = """
INSERT INTO lab.shipper_qualifications (shipper, low_c, high_c, hours_max, qualified_on, valid_to, file_name, file_sha256, recorded_by)
VALUES (:shipper, :low_c, :high_c, :hours_max, :qualified_on, :valid_to, :file_name, :file_sha256, :by) RETURNING id
"""
SHIPPERS = """
SELECT q.id AS qualification, q.shipper, q.low_c, q.high_c, q.hours_max, q.qualified_on, q.valid_to, q.file_name,
    p.username AS recorded_by, q.recorded_at
FROM lab.shipper_qualifications q JOIN people.accounts p ON p.id = q.recorded_by ORDER BY lower(q.shipper), q.qualified_on DESC, q.id DESC LIMIT :limit
"""
OF_SHIPPER = """
SELECT id FROM lab.shipper_qualifications WHERE shipper = :shipper
ORDER BY qualified_on <= CAST(:dispatched_at AS timestamptz)::date DESC, qualified_on DESC, id DESC LIMIT 1
"""
KEEP = """
INSERT INTO lab.transports (lot_id, qualification_id, partner_id, from_place, to_place, dispatched_at, handed_over_by,
    arrived_at, received_by, min_c, max_c, file_name, file_sha256, excursion, recorded_by)
VALUES (:lot_id, :qualification_id, :partner_id, :from_place, :to_place, :dispatched_at, :handed_over_by, :arrived_at,
    :received_by, :min_c, :max_c, :file_name, :file_sha256, :excursion, :by) RETURNING id
"""
OF_LOT = """
SELECT t.id AS transport, n.name AS partner, q.shipper, q.low_c, q.high_c, q.hours_max, t.from_place, t.to_place, t.dispatched_at, t.handed_over_by,
    t.arrived_at, t.received_by, t.min_c, t.max_c, t.file_name, t.excursion, p.username AS recorded_by, t.recorded_at
FROM lab.transports t JOIN lab.shipper_qualifications q ON q.id = t.qualification_id JOIN lab.partners n ON n.id = t.partner_id
JOIN people.accounts p ON p.id = t.recorded_by WHERE t.lot_id = :lot ORDER BY t.id DESC LIMIT 200
"""


async def qualify(change: Change, *, values: Mapping[str, Any]) -> int:
    """A shipper as it was qualified on a day. Raises Conflict when that is on record."""
    key: int = await change.value(QUALIFY, **values, by=change.actor.account_id)
    return key


async def shippers(reading: Reading, *, limit: int) -> Sequence[Row[Any]]:
    """Every qualification, by shipper, the last first."""
    return await reading.all(SHIPPERS, limit=limit)


async def qualification_of(reading: Reading, *, shipper: str, dispatched_at: object) -> int | None:
    """The shipper's last qualification before the journey, else its first after it; None where there is none."""
    found: int | None = await reading.value(OF_SHIPPER, shipper=shipper, dispatched_at=dispatched_at)
    return found


async def keep(change: Change, *, values: Mapping[str, Any]) -> int:
    """A way of a lot. Its key."""
    key: int = await change.value(KEEP, **values, by=change.actor.account_id)
    return key


async def of_lot(reading: Reading, *, lot: int) -> Sequence[Row[Any]]:
    """The ways of a lot, the last first."""
    return await reading.all(OF_LOT, lot=lot)
