"""How countries stand for animal diseases, as it was stated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import Row

    from app.db.door import Change, Reading

STATE_STATUS = """
INSERT INTO lab.animal_disease_status (country, disease, category, valid_from, valid_to, source, recorded_by)
VALUES (:country, :disease, :category, :valid_from, :valid_to, :source, :by) RETURNING id
"""
STATUSES = """
SELECT t.id, t.country, t.disease, t.category, t.valid_from, t.valid_to, t.source, a.printed_name AS stated_by,
    t.recorded_at AS stated_at
FROM lab.animal_disease_status t JOIN people.accounts a ON a.id = t.recorded_by
WHERE (CAST(:country AS text) IS NULL OR t.country = :country) AND (CAST(:after AS bigint) IS NULL OR t.id < :after)
ORDER BY t.id DESC LIMIT :limit
"""


async def state_status(
    change: Change,
    *,
    country: str,
    disease: str,
    category: str,
    valid_from: date,
    valid_to: date | None,
    source: str,
) -> int:
    """State how a country stands for an animal disease. The statement's number."""
    number: int = await change.value(
        STATE_STATUS,
        country=country,
        disease=disease,
        category=category,
        valid_from=valid_from,
        valid_to=valid_to,
        source=source,
        by=change.actor.account_id,
    )
    return number


async def statuses(reading: Reading, *, country: str | None, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """What was stated, newest first, after the statement of this number."""
    return await reading.all(STATUSES, country=country, after=after, limit=limit)
