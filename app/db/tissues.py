"""What tissues are to the rules: versions by name, proposed by one person, decided by another's signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

LAST = """
SELECT name, version FROM lab.tissue_types WHERE lower(name) = lower(:name) ORDER BY version DESC LIMIT 1
"""
PROPOSE = """
INSERT INTO lab.tissue_types (name, version, name_zh, leukocyte_rich, birth_tissue, reason, proposed_by)
VALUES (:name, :version, :name_zh, :leukocyte_rich, :birth_tissue, :reason, :by) RETURNING id
"""
COLUMNS = """
SELECT t.id AS tissue, t.name, t.version, t.name_zh, t.leukocyte_rich, t.birth_tissue, t.reason,
    p.username AS proposed_by, t.recorded_at AS proposed_at, s.printed_name AS decided_by, s.signed_at AS decided_at,
    CASE WHEN EXISTS (SELECT FROM lab.tissue_types n WHERE lower(n.name) = lower(t.name) AND n.version > t.version
                      AND n.signature_id IS NOT NULL) THEN 'superseded'
         WHEN t.signature_id IS NULL THEN 'proposed' ELSE 'decided' END AS state
FROM lab.tissue_types t JOIN people.accounts p ON p.id = t.proposed_by
LEFT JOIN lab.signatures s ON s.id = t.signature_id
"""
LIST = f"{COLUMNS} ORDER BY lower(t.name), t.version DESC LIMIT :limit"
ONE = f"{COLUMNS} WHERE t.id = :id"
DECIDE = "SELECT gate.decide_tissue(:id, :ceremony)"


async def next_version(reading: Reading, *, name: str) -> tuple[str, int]:
    """How a tissue is spelled already, and the version that comes next."""
    row = await reading.one(LAST, name=name)
    return (name, 1) if row is None else (row.name, row.version + 1)


async def propose(
    change: Change, *, name: str, version: int, name_zh: str, leukocyte_rich: bool, birth_tissue: bool, reason: str
) -> int:
    """A version that waits for its decision. Its key. Raises Conflict when somebody proposed this version meanwhile."""
    key: int = await change.value(
        PROPOSE,
        name=name,
        version=version,
        name_zh=name_zh,
        leukocyte_rich=leukocyte_rich,
        birth_tissue=birth_tissue,
        reason=reason,
        by=change.actor.account_id,
    )
    return key


async def one(reading: Reading, *, tissue_id: int) -> Row[Any]:
    """One version. Raises NotFound."""
    row = await reading.one(ONE, id=tissue_id)
    if row is None:
        raise NotFound(
            what=Text("There is no tissue {ref}.", ref=tissue_id),
            why=Text("No tissue was proposed under this number."),
            remedy=Text("Choose one of the list of tissues."),
        )
    return row


async def page(reading: Reading, *, limit: int) -> Sequence[Row[Any]]:
    """Versions by name, the newest of each first."""
    return await reading.all(LIST, limit=limit)


async def decide(change: Change, *, tissue_id: int, ceremony: UUID) -> int:
    """Decide it. The signature's number. Raises CeremonyRefused, also for whoever proposed it; Conflict."""
    signature: int = await change.value(DECIDE, id=tissue_id, ceremony=ceremony)
    return signature
