"""Controlled documents: what regulates the quality system, proposed by one person and approved by quality.

The file itself stays where documents are kept; its SHA-256 stands in the record, so that anyone can tell whether the file
in hand is the one that was approved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import documents, settings
from app.domain.acts import Act, Actor
from app.domain.documents import TYPE_NAMES
from app.domain.errors import BadInput, Conflict
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call, Change, Reading
    from app.services.house import House

MANDATORY = "gmp01.mandatory"
NOT_PROPOSED = Text("The document was not proposed.")
_NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Content:
    """A version of a document: what it regulates, from when, and the file that says it."""

    types: tuple[str, ...]
    title: str
    effective_from: datetime | None
    review_due: date
    file_name: str
    file_sha256: str


@dataclass(frozen=True, slots=True)
class ProposedDocumentView:
    """A version that waits for approval. `document` is what a signature names."""

    document: int
    number: str
    version: int


@dataclass(frozen=True, slots=True)
class ApprovedDocumentView:
    """A version approved by signature."""

    document: int
    number: str
    version: int
    signature: int


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A version as it stands: proposed, approved (and not yet in effect), in_effect, review_due or superseded."""

    document: int
    number: str
    version: int
    types: tuple[str, ...]
    title: str
    effective_from: datetime
    review_due: date
    file_name: str
    file_sha256: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class PartView:
    """A mandatory part of the quality system, and whether a document in effect regulates it."""

    type: str
    regulated: bool


async def propose_document(house: House, call: Call, *, number: str, content: Content) -> ProposedDocumentView:
    """Propose the next version of a number, or its first. The one in effect stands until then. Raises BadInput."""
    async with house.door.change(call, Act.PROPOSE_DOCUMENT, subject=number) as change:
        if not _NUMBER.fullmatch(number):
            raise BadInput(
                field="number",
                what=NOT_PROPOSED,
                why=Text("This is no number of a document."),
                remedy=Text("Use letters, dots, hyphens and at least one digit, such as SOP-QA-014."),
            )
        await _refuse_impossible(change, content)
        earlier = await documents.versions(change, number=number)
        version = earlier[0].version + 1 if earlier else 1
        key = await documents.propose(
            change,
            number=number,
            version=version,
            types=content.types,
            title=content.title,
            effective_from=content.effective_from or change.at,
            review_due=content.review_due,
            file_name=content.file_name,
            file_sha256=content.file_sha256,
        )
        return change.answers(ProposedDocumentView(key, number, version))


async def approve_document(house: House, call: Call, *, document: int, ceremony: UUID) -> ApprovedDocumentView:
    """Approve a version by signature. Nobody approves one of their own proposing.

    Raises CeremonyRefused, Stale, NotFound, Conflict when it is approved already or a later version is.
    """
    async with house.door.change(call, Act.APPROVE_DOCUMENT, subject=f"document {document}") as change:
        change.ceremony = ceremony
        found = await documents.one(change, document_id=document)
        later = [
            each
            for each in await documents.versions(change, number=found.number)
            if each.version > found.version and each.approved_at is not None
        ]
        if later:
            raise Conflict(
                what=Text("The document was not approved."),
                why=Text("A later version of {number} is approved already.", number=found.number),
                remedy=Text("Read the version that stands, or propose a new one."),
            )
        signature = await documents.approve(change, document_id=document, ceremony=ceremony)
        return change.answers(ApprovedDocumentView(document, found.number, found.version, signature))


async def list_documents(
    house: House, actor: Actor, *, type_: str | None, after: int | None, limit: int
) -> list[DocumentView]:
    """Versions, the last proposed first; about one part of the quality system or about all."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return [_view(row) for row in await documents.page(reading, type_=type_, after=after, limit=limit)]


async def read_document(house: House, actor: Actor, *, number: str) -> tuple[DocumentView, ...]:
    """Every version of a number, the newest first. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        rows = await documents.versions(reading, number=number)
    if not rows:
        raise documents.nothing(number)
    return tuple(_view(row) for row in rows)


async def mandatory_parts(house: House, actor: Actor) -> tuple[PartView, ...]:
    """The mandatory parts of the quality system, and which of them a document in effect regulates."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        wanted = await _mandatory(reading)
        regulated = await documents.regulated(reading)
    return tuple(PartView(each, each in regulated) for each in wanted)


async def known_types(house: House, actor: Actor) -> tuple[str, ...]:
    """What a document may regulate: what is mandatory first."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return await _types(reading)


async def _types(reading: Reading | Change) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(await _mandatory(reading)), *TYPE_NAMES)))


async def _mandatory(reading: Reading | Change) -> Sequence[str]:
    found: Sequence[str] = (await settings.current(reading, MANDATORY)).get(MANDATORY, ())
    return found


async def _refuse_impossible(change: Change, content: Content) -> None:
    known = await _types(change)
    strange = [each for each in content.types if each not in known]
    if strange or not content.types or len(set(content.types)) != len(content.types):
        raise BadInput(
            field="types",
            what=NOT_PROPOSED,
            why=Text("It is not clear what it regulates."),
            remedy=Text("Choose one or more of: {types}.", types=known),
        )
    begins = content.effective_from or change.at
    if content.review_due <= begins.date():
        raise BadInput(
            field="review_due",
            what=NOT_PROPOSED,
            why=Text("It would be due for review before it takes effect."),
            remedy=Text("Give a later day."),
        )
    if not _SHA256.fullmatch(content.file_sha256):
        raise BadInput(
            field="file_sha256",
            what=NOT_PROPOSED,
            why=Text("This is no SHA-256: 64 digits of 0 to 9 and a to f."),
            remedy=Text("Compute it from the very file that is approved."),
        )


def _view(row: Any) -> DocumentView:
    return DocumentView(**{**row._asdict(), "types": tuple(row.types)})
