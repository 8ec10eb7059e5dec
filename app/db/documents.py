"""Controlled documents: proposed in versions of a number, approved by another person's signature."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

PROPOSE = """
INSERT INTO lab.documents (number, version, types, title, effective_from, review_due, file_name, file_sha256, proposed_by)
VALUES (:number, :version, CAST(:types AS text[]), :title, :effective_from, :review_due, :file_name, :file_sha256, :by)
RETURNING id
"""
COLUMNS = """
SELECT d.id AS document, d.number, d.version, d.types, d.title, d.effective_from, d.review_due, d.file_name, d.file_sha256,
    p.printed_name AS proposed_by, d.recorded_at AS proposed_at, s.printed_name AS approved_by, s.signed_at AS approved_at,
    CASE WHEN d.signature_id IS NULL THEN 'proposed'
         WHEN EXISTS (SELECT FROM lab.documents n WHERE n.number = d.number AND n.version > d.version
                      AND n.signature_id IS NOT NULL AND n.effective_from <= clock_timestamp()) THEN 'superseded'
         WHEN d.effective_from > clock_timestamp() THEN 'approved'
         WHEN d.review_due < (clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment))::date THEN 'review_due'
         ELSE 'in_effect' END AS state
FROM lab.documents d JOIN people.accounts p ON p.id = d.proposed_by LEFT JOIN lab.signatures s ON s.id = d.signature_id
"""
LIST = f"""
{COLUMNS}
WHERE (CAST(:type AS text) IS NULL OR :type = ANY (d.types)) AND (CAST(:after AS bigint) IS NULL OR d.id < :after)
ORDER BY d.id DESC LIMIT :limit
"""
VERSIONS = f"{COLUMNS} WHERE d.number = :number ORDER BY d.version DESC"
ONE = f"{COLUMNS} WHERE d.id = :id"
# Of each number the version in effect now: what it regulates.
REGULATED = """
SELECT DISTINCT unnest(newest.types) AS type FROM (
    SELECT DISTINCT ON (number) types FROM lab.documents
    WHERE signature_id IS NOT NULL AND effective_from <= clock_timestamp() ORDER BY number, version DESC) AS newest
"""
APPROVE = "SELECT gate.approve_document(:id, :ceremony)"


async def propose(
    change: Change,
    *,
    number: str,
    version: int,
    types: Sequence[str],
    title: str,
    effective_from: datetime,
    review_due: date,
    file_name: str,
    file_sha256: str,
) -> int:
    """A version that waits for approval. Its key. Raises Conflict when this version was proposed already."""
    key: int = await change.value(
        PROPOSE,
        number=number,
        version=version,
        types=list(types),
        title=title,
        effective_from=effective_from,
        review_due=review_due,
        file_name=file_name,
        file_sha256=file_sha256,
        by=change.actor.account_id,
    )
    return key


async def page(reading: Reading, *, type_: str | None, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Versions, the last proposed first."""
    return await reading.all(LIST, type=type_, after=after, limit=limit)


async def versions(reading: Reading, *, number: str) -> Sequence[Row[Any]]:
    """Every version of a number, the newest first; none is fine too."""
    return await reading.all(VERSIONS, number=number)


async def one(reading: Reading, *, document_id: int) -> Row[Any]:
    """One version. Raises NotFound."""
    row = await reading.one(ONE, id=document_id)
    if row is None:
        raise nothing(str(document_id))
    return row


async def regulated(reading: Reading) -> frozenset[str]:
    """What the documents in effect now regulate."""
    return frozenset(row.type for row in await reading.all(REGULATED))


async def approve(change: Change, *, document_id: int, ceremony: UUID) -> int:
    """Approve it. The signature's number. Raises CeremonyRefused, also for whoever proposed it; Conflict."""
    signature: int = await change.value(APPROVE, id=document_id, ceremony=ceremony)
    return signature


def nothing(ref: str) -> NotFound:
    """The refusal for a document that is not there."""
    return NotFound(
        what=Text("There is no document {ref}.", ref=ref),
        why=Text("No document of this number was proposed."),
        remedy=Text("Choose one of the list of documents."),
    )
