"""Institutions: registered once, and what was stated of each."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

INSERT = """
INSERT INTO lab.institutions (name, country, registration, recorded_by) VALUES (:name, :country, :registration, :by)
RETURNING id
"""
STATE = """
INSERT INTO lab.institution_statements (institution_id, kind, held, says, evidence, valid_from, valid_to, recorded_by)
VALUES (:id, :kind, :held, :says, :evidence, :valid_from, :valid_to, :by) RETURNING id
"""
LIST = """
SELECT id, name, country, registration FROM lab.institutions
WHERE CAST(:id AS bigint) IS NULL OR id = :id ORDER BY lower(name), id LIMIT :limit
"""
STATEMENTS = """
SELECT s.institution_id, s.id AS statement, s.kind, s.held, s.says, s.evidence, s.valid_from, s.valid_to,
    a.username AS recorded_by, s.recorded_at
FROM lab.institution_statements s JOIN people.accounts a ON a.id = s.recorded_by
WHERE s.institution_id = ANY (CAST(:ids AS bigint[])) ORDER BY s.id DESC
"""
NAMED = "SELECT id FROM lab.institutions WHERE name = :name"


async def insert(change: Change, *, name: str, country: str, registration: str | None) -> int:
    """A new institution. Raises Conflict when the name is taken."""
    key: int = await change.value(
        INSERT, name=name, country=country, registration=registration, by=change.actor.account_id
    )
    return key


async def state(
    change: Change,
    *,
    institution_id: int,
    kind: str,
    held: bool,
    says: str,
    evidence: str,
    valid_from: date,
    valid_to: date | None,
) -> int:
    """What the institution holds, or holds no longer. Its key."""
    key: int = await change.value(
        STATE,
        id=institution_id,
        kind=kind,
        held=held,
        says=says,
        evidence=evidence,
        valid_from=valid_from,
        valid_to=valid_to,
        by=change.actor.account_id,
    )
    return key


async def page(reading: Reading, *, limit: int, institution_id: int | None = None) -> Sequence[Row[Any]]:
    """Institutions by name, or one."""
    return await reading.all(LIST, id=institution_id, limit=limit)


async def one(reading: Reading, *, institution_id: int) -> Row[Any]:
    """One institution. Raises NotFound."""
    found = await page(reading, limit=1, institution_id=institution_id)
    if not found:
        raise NotFound(
            what=Text("There is no such institution."),
            why=Text("No institution has the number {number}.", number=institution_id),
            remedy=Text("Choose one of the list, or register it."),
        )
    return found[0]


async def statements(reading: Reading, *, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """What was stated of these institutions, the last first."""
    return await reading.all(STATEMENTS, ids=list(ids))


async def id_of(reading: Reading, *, name: str) -> int | None:
    """The key of the institution of this name; None where there is none."""
    found: int | None = await reading.value(NAMED, name=name)
    return found
