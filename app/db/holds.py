"""Holds: placed by anybody, lifted by signature; an open one blocks every move towards use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

PLACE = """
INSERT INTO lab.holds (item_id, reason, deviation_id, recorded_by) VALUES (:item_id, :reason, :deviation_id, :by)
RETURNING id
"""
EXISTS = "SELECT id, item_id FROM lab.holds WHERE id = :id"
STATEMENT = "SELECT statement FROM people.ceremonies WHERE id = :id"
LIFT = "SELECT gate.lift_hold(:id, :ceremony)"
_SHOWN = """
SELECT h.id AS hold, k.code AS item, i.kind AS item_kind,
    coalesce(l.name, (SELECT name FROM lab.lots WHERE id = h.item_id)) AS lot, h.reason,
    (SELECT number FROM lab.deviations WHERE id = h.deviation_id) AS deviation, h.recorded_at AS placed_at,
    p.username AS placed_by, h.lifted_at,
    (SELECT printed_name FROM lab.signatures WHERE id = h.lifted_signature_id) AS lifted_by,
    EXISTS (SELECT FROM lab.impact_items x WHERE x.hold_id = h.id) AS looked_back,
    EXISTS (SELECT FROM lab.impact_items x JOIN lab.impacts i ON i.id = x.impact_id LEFT JOIN lab.releases r ON r.lot_id = h.item_id
            WHERE x.hold_id = h.id AND (r.lot_id IS NOT NULL OR i.kind = 'virus_found')) AS authoritys
FROM lab.holds h JOIN lab.items i ON i.id = h.item_id JOIN people.accounts p ON p.id = h.recorded_by
LEFT JOIN lab.item_codes k ON k.item_id = h.item_id AND k.scheme = 'own'
LEFT JOIN lab.containers c ON c.id = h.item_id LEFT JOIN lab.lots l ON l.id = c.lot_id
"""
ONE = f"{_SHOWN} WHERE h.id = :id"
UNDER = """
SELECT h.id AS hold, k.code AS item, i.kind AS item_kind, h.reason, h.recorded_at AS placed_at, h.lifted_at
FROM lab.holds h JOIN lab.items i ON i.id = h.item_id LEFT JOIN lab.item_codes k ON k.item_id = h.item_id AND k.scheme = 'own'
WHERE h.deviation_id = :deviation ORDER BY h.id LIMIT 200
"""
LIST = f"""{_SHOWN}
WHERE (CAST(:state AS text) IS NULL OR (h.lifted_at IS NULL) = (:state = 'open'))
    AND (CAST(:lot_id AS bigint) IS NULL OR h.item_id IN (SELECT item_id FROM lab.ancestry(:lot_id))
         OR h.item_id IN (SELECT material_lot_id FROM lab.consumptions WHERE lot_id = :lot_id))
    AND (CAST(:item_id AS bigint) IS NULL OR h.item_id = :item_id)
    AND (CAST(:after AS bigint) IS NULL OR h.id < :after)
ORDER BY h.id DESC LIMIT :limit
"""


async def place(change: Change, *, item_id: int, reason: str, deviation_id: int | None) -> int:
    """Place a hold. Its number."""
    hold_id: int = await change.value(
        PLACE, item_id=item_id, reason=reason, deviation_id=deviation_id, by=change.actor.account_id
    )
    return hold_id


async def refuse_unknown(reading: Reading, *, hold_id: int) -> None:
    """Raise NotFound where there is no hold of this number."""
    if await reading.one(EXISTS, id=hold_id) is None:
        raise NotFound(
            what=Text("There is no hold {number}.", number=hold_id),
            why=Text("No hold of this number was placed."),
            remedy=Text("Choose one of the list of holds."),
        )


async def statement_of(reading: Reading, *, ceremony: UUID) -> str:
    """What a ceremony's signature will state; empty where there is no such ceremony."""
    return await reading.value(STATEMENT, id=ceremony) or ""


async def lift(change: Change, *, hold_id: int, ceremony: UUID) -> int:
    """Lift a hold. The signature's number. Raises CeremonyRefused, Conflict while its deviation is open."""
    signature: int = await change.value(LIFT, id=hold_id, ceremony=ceremony)
    return signature


async def page(
    reading: Reading,
    *,
    state: str | None,
    lot_id: int | None,
    after: int | None,
    limit: int,
    item_id: int | None = None,
) -> Sequence[Row[Any]]:
    """Holds, newest first; those that bear on one lot where `lot_id` is given."""
    return await reading.all(LIST, state=state, lot_id=lot_id, item_id=item_id, after=after, limit=limit)


async def find(reading: Reading, *, hold_id: int) -> Row[Any] | None:
    """A hold as the list shows it; None where there is none."""
    return await reading.one(ONE, id=hold_id)


async def one(reading: Reading, *, hold_id: int) -> Row[Any]:
    """A hold as the list shows it. Raises NotFound."""
    row = await reading.one(ONE, id=hold_id)
    if row is None:
        await refuse_unknown(reading, hold_id=hold_id)
        raise RuntimeError("a hold has an item and somebody who placed it")
    return row


async def under(reading: Reading, *, deviation_id: int) -> Sequence[Row[Any]]:
    """The holds that stand on a deviation, as they were placed."""
    return await reading.all(UNDER, deviation=deviation_id)
