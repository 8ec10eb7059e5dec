"""Deviations: what departed from the approved way, assessed and closed by signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

OPEN = """
INSERT INTO lab.deviations (number, item_id, what, class, rules, recorded_by)
VALUES ('DV-' || to_char(clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment), 'YY')
            || '-' || lab.counted(nextval('lab.deviation_numbers')),
        :item_id, :what, :class, CAST(:rules AS text[]), :by)
RETURNING id, number
"""
BY_NUMBER = "SELECT id, number, state FROM lab.deviations WHERE number = :number"
ASSESS = """
UPDATE lab.deviations SET assessment = :assessment, version = version + 1 WHERE id = :id AND state = 'open' RETURNING version
"""
CLOSE = "SELECT gate.close_deviation(:id, :ceremony)"
_SHOWN = """
SELECT d.number, k.code AS item, i.kind AS item_kind,
    coalesce(l.name, (SELECT name FROM lab.lots WHERE id = d.item_id)) AS lot, d.what, d.class AS severity, d.impact, d.assessment,
    d.rules, d.state, d.version, d.recorded_at AS opened_at, o.username AS opened_by, d.closed_at,
    (SELECT printed_name FROM lab.signatures WHERE id = d.closed_signature_id) AS closed_by
FROM lab.deviations d JOIN lab.items i ON i.id = d.item_id JOIN people.accounts o ON o.id = d.recorded_by
LEFT JOIN lab.item_codes k ON k.item_id = d.item_id AND k.scheme = 'own'
LEFT JOIN lab.containers c ON c.id = d.item_id LEFT JOIN lab.lots l ON l.id = c.lot_id
"""
ONE = f"{_SHOWN} WHERE d.number = :number"
LIST = f"""{_SHOWN}
WHERE (CAST(:state AS text) IS NULL OR d.state = :state)
    AND (CAST(:severity AS text) IS NULL OR d.class = :severity)
    AND (CAST(:lot_id AS bigint) IS NULL OR d.item_id IN (SELECT item_id FROM lab.ancestry(:lot_id))
         OR d.item_id IN (SELECT material_lot_id FROM lab.consumptions WHERE lot_id = :lot_id))
    AND (CAST(:item_id AS bigint) IS NULL OR d.item_id = :item_id)
    AND (CAST(:like AS text) IS NULL OR d.number ILIKE :like OR d.what ILIKE :like OR l.name ILIKE :like
         OR EXISTS (SELECT FROM lab.lots n WHERE n.id = d.item_id AND n.name ILIKE :like))
    AND (CAST(:after AS text) IS NULL OR d.id < (SELECT id FROM lab.deviations WHERE number = :after))
ORDER BY d.id DESC LIMIT :limit
"""
PLACE = """
SELECT k.code AS lot_code, l.name AS lot_name, l.kind AS lot_kind
FROM lab.deviations d LEFT JOIN lab.containers c ON c.id = d.item_id
JOIN lab.lots l ON l.id = coalesce(c.lot_id, d.item_id)
JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
WHERE d.number = :number
"""
IMBALANCES = """
SELECT i.count_id AS count, i.search, i.mix_up_risk, i.independent_evidence, i.recorded_at AS at, a.printed_name AS by
FROM lab.label_imbalances i JOIN people.accounts a ON a.id = i.recorded_by
WHERE i.deviation_id = :id ORDER BY i.id DESC LIMIT 20
"""


async def open_one(change: Change, *, item_id: int, what: str, severity: str, rules: Sequence[str]) -> tuple[int, str]:
    """Open a deviation on an item. Its id and its number for people."""
    row = await change.one(
        OPEN,
        item_id=item_id,
        what=what,
        rules=list(rules),
        by=change.actor.account_id,
        **{"class": severity},
    )
    if row is None:
        raise RuntimeError("an insert always answers")
    return row.id, row.number


async def find(reading: Reading, *, number: str) -> Row[Any]:
    """Id, number and state of the deviation of this number. Raises NotFound."""
    row = await reading.one(BY_NUMBER, number=number)
    if row is None:
        raise NotFound(
            what=Text("There is no deviation {number}.", number=number),
            why=Text("No deviation of this number was opened."),
            remedy=Text("Choose one of the list of deviations."),
        )
    return row


async def assess(change: Change, *, deviation_id: int, assessment: str) -> int | None:
    """State the assessment of an open one, in place of an earlier one. Its version; None where it is closed."""
    version: int | None = await change.value(ASSESS, id=deviation_id, assessment=assessment)
    return version


async def close(change: Change, *, deviation_id: int, ceremony: UUID) -> int:
    """Close it with the impact that was signed. The signature's number. Raises CeremonyRefused, Stale, Conflict."""
    signature: int = await change.value(CLOSE, id=deviation_id, ceremony=ceremony)
    return signature


async def page(
    reading: Reading,
    *,
    state: str | None,
    lot_id: int | None,
    after: str | None,
    limit: int,
    severity: str | None = None,
    item_id: int | None = None,
    sought: str | None = None,
) -> Sequence[Row[Any]]:
    """Deviations, newest first; of one lot and what it came from where `lot_id` is given. `sought`: any part of it."""
    return await reading.all(
        LIST,
        state=state,
        lot_id=lot_id,
        after=after,
        limit=limit,
        severity=severity,
        item_id=item_id,
        like=None if sought is None else f"%{_literal(sought)}%",
    )


async def one(reading: Reading, *, number: str) -> Row[Any]:
    """A deviation as the list shows it. Raises NotFound."""
    row = await reading.one(ONE, number=number)
    if row is None:
        await find(reading, number=number)
        raise RuntimeError("a deviation has an item and somebody who opened it")
    return row


async def place_of(reading: Reading, *, number: str) -> Row[Any] | None:
    """The lot that it stands on: lot_code, lot_name, lot_kind. None where it is about no lot."""
    return await reading.one(PLACE, number=number)


async def imbalances_under(reading: Reading, *, deviation_id: int) -> Sequence[Row[Any]]:
    """What was stated under it of counts of labels, newest first."""
    return await reading.all(IMBALANCES, id=deviation_id)


def _literal(sought: str) -> str:
    return sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
