"""Controlled documents over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Day, Line, Moment, Name, Number
from app.services import documents
from app.services.documents import ApprovedDocumentView, Content, DocumentView, PartView, ProposedDocumentView

router = APIRouter(prefix=f"{API}/documents", tags=["documents"])

DocumentNumber = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]


class NewDocument(Body):
    """The next version of a number, or its first. `file_sha256` is of the very file that is to be approved."""

    number: DocumentNumber
    types: Annotated[tuple[Name, ...], Field(min_length=1, max_length=30)]
    title: Line
    effective_from: Moment | None = None
    review_due: Day
    file_name: Line
    file_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class DocumentApproval(Body):
    """The proof of identity of whoever approves."""

    ceremony: UUID


@router.get("")
async def list_documents(
    house: HouseDep,
    actor: ActorDep,
    kind: Annotated[str | None, Query(max_length=60)] = None,
    after: Annotated[int | None, Query(ge=1, le=9_223_372_036_854_775_807)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[DocumentView]:
    """Versions, the last proposed first."""
    return await documents.list_documents(house, actor, type_=kind, after=after, limit=limit)


@router.get("/mandatory")
async def mandatory_parts(house: HouseDep, actor: ActorDep) -> tuple[PartView, ...]:
    """The mandatory parts of the quality system, and which of them a document in effect regulates."""
    return await documents.mandatory_parts(house, actor)


@router.post("", status_code=201)
async def propose_document(body: NewDocument, house: HouseDep, call: CallDep) -> ProposedDocumentView:
    """Propose a version."""
    content = Content(
        types=body.types,
        title=body.title,
        effective_from=body.effective_from,
        review_due=body.review_due,
        file_name=body.file_name,
        file_sha256=body.file_sha256,
    )
    return await documents.propose_document(house, call, number=body.number, content=content)


@router.get("/{number}")
async def read_document(number: DocumentNumber, house: HouseDep, actor: ActorDep) -> tuple[DocumentView, ...]:
    """Every version of a number, the newest first."""
    return await documents.read_document(house, actor, number=number)


@router.post("/{document}/approve")
async def approve_document(
    document: Number, body: DocumentApproval, house: HouseDep, call: CallDep
) -> ApprovedDocumentView:
    """Approve a version by signature."""
    return await documents.approve_document(house, call, document=document, ceremony=body.ceremony)
