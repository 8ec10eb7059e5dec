"""Permits for human genetic resources: recorded once, withdrawn at most once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy import Row

    from app.db.door import Change, Reading

KEEP = """
INSERT INTO lab.genetic_resource_permits (number, authority, purposes, scope, valid_from, valid_to, evidence, recorded_by)
VALUES (:number, :authority, CAST(:purposes AS text[]), :scope, :valid_from, :valid_to, :evidence, :by)
"""
WITHDRAW = """
UPDATE lab.genetic_resource_permits SET withdrawn_at = :at WHERE number = :number AND withdrawn_at IS NULL
RETURNING id
"""
LIST = """
SELECT p.number, p.authority, p.purposes, p.scope, p.valid_from, p.valid_to, p.evidence, p.withdrawn_at,
    a.username AS recorded_by, p.recorded_at
FROM lab.genetic_resource_permits p JOIN people.accounts a ON a.id = p.recorded_by ORDER BY p.id DESC LIMIT :limit
"""


async def keep(
    change: Change,
    *,
    number: str,
    authority: str,
    purposes: Sequence[str],
    scope: str,
    valid_from: date,
    valid_to: date | None,
    evidence: str,
) -> None:
    """A permit as it was given. Raises Conflict when its number is known."""
    await change.run(
        KEEP,
        number=number,
        authority=authority,
        purposes=list(purposes),
        scope=scope,
        valid_from=valid_from,
        valid_to=valid_to,
        evidence=evidence,
        by=change.actor.account_id,
    )


async def withdraw(change: Change, *, number: str, at: datetime) -> bool:
    """The authority took it back. Whether a permit of this number stood."""
    return bool(await change.all(WITHDRAW, number=number, at=at))


async def page(reading: Reading, *, limit: int) -> Sequence[Row[Any]]:
    """Permits, the last recorded first."""
    return await reading.all(LIST, limit=limit)
