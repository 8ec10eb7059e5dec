"""Controlled documents: what regulates the quality system, proposed by form, approved by signature."""

from collections.abc import Mapping
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.documents import TYPE_NAMES
from app.domain.errors import NotFound, Refusal
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import documents
from app.services.documents import Content, DocumentView
from app.services.house import House
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/documents", route_class=PageRoute)
PAGE = 50
NUMBER = 60
SIGNING = "sign-"
APPROVED = Meaning.DOCUMENT_APPROVED

STATE_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "proposed": ("wait", "hourglass", Text("waits for approval")),
    "approved": ("wait", "clock", Text("approved, not yet in effect")),
    "in_effect": ("go", "check", Text("in effect")),
    "review_due": ("wait", "alert-triangle", Text("in effect, its review is overdue")),
    "superseded": ("na", "minus", Text("superseded")),
}


@router.get("")
async def list_documents(
    request: Request, house: HouseDep, who: SignedInDep, kind: str | None = None, after: int | None = None
) -> Response:
    """The mandatory parts of the quality system, and every version, the last proposed first."""
    names = await _names(house, who)
    chosen = kind if kind in names else None
    start = after if after is not None and 0 < after < 2**62 else None
    found = await documents.list_documents(house, who.actor, type_=chosen, after=start, limit=PAGE)
    return await render(
        request,
        "documents/list.html",
        who=who,
        found=found,
        parts=await documents.mandatory_parts(house, who.actor),
        chosen=chosen,
        names=names,
        state_marks=STATE_MARKS,
        next=found[-1].document if len(found) == PAGE else None,
        may_propose=may(who.actor, Act.PROPOSE_DOCUMENT),
    )


@router.get("/new")
async def ask_document(request: Request, house: HouseDep, who: SignedInDep, number: str = "") -> Response:
    """The form for a version; of a number that is known it begins with what the last one says."""
    require(who.actor, Act.PROPOSE_DOCUMENT)
    last = await _last(house, who, number[:NUMBER]) if number else None
    form = await blank(request, effective_from=datetime.now(UTC))
    if last is not None:
        form.values |= {"number": [last.number], "title": [last.title], "types": list(last.types)}
    return await _asking(request, house, who, form)


@router.post("/new")
async def propose(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Propose it."""
    require(who.actor, Act.PROPOSE_DOCUMENT)
    entry = await read_entry(request)
    number, content = entry.text("number", most=NUMBER), _content(entry, await _names(house, who))
    try:
        made = await once(documents.propose_document(house, entry.call(who), number=number, content=content))
    except Refusal as refusal:
        return await _asking(request, house, who, entry.again(refusal))
    return see(f"/documents/{made['number']}")


@router.get("/{number}")
async def show_document(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """The newest version, and those before it."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, APPROVED) else None
    return await _shown(request, house, who, number, form)


@router.post("/{number}/approval")
async def approve(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Approve the newest version by signature."""
    entry = await read_entry(request)
    last = (await documents.read_document(house, who.actor, number=number))[0]
    ref = str(last.document)
    try:
        ceremony = await signed(house, who, entry, meaning=APPROVED, kind=RecordKind.DOCUMENT, ref=ref)
        call = entry.call(who, part="act")
        await once(documents.approve_document(house, call, document=last.document, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, number, entry.again(refusal, prefix=SIGNING))
    return see(f"/documents/{number}")


# -- within ------------------------------------------------------------------------------------------------------------


def _content(entry: Entry, names: Mapping[str, Text]) -> Content:
    return Content(
        types=tuple(entry.several("types", among=names)),
        title=entry.text("title"),
        effective_from=entry.optional_moment("effective_from", ahead=True),
        review_due=entry.day("review_due", ahead=True),
        file_name=entry.text("file_name"),
        file_sha256=entry.text("file_sha256", most=100).lower().replace(" ", ""),
    )


async def _names(house: House, who: SignedIn) -> dict[str, Text]:
    known = await documents.known_types(house, who.actor)
    return {each: TYPE_NAMES.get(each, Text("{kind}", kind=each)) for each in known}


async def _last(house: House, who: SignedIn, number: str) -> DocumentView | None:
    try:
        return (await documents.read_document(house, who.actor, number=number))[0]
    except NotFound:
        return None


async def _asking(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    names = await _names(house, who)
    return await render(request, "documents/new.html", status=form.status, who=who, form=form, names=names)


async def _shown(request: Request, house: House, who: SignedIn, number: str, form: FormView | None) -> Response:
    versions = await documents.read_document(house, who.actor, number=number)
    newest = versions[0]
    may_approve = may_sign(who, APPROVED) and newest.state == "proposed"
    dialog = await _dialog(house, who, newest, form) if form is not None and may_approve else None
    return await render(
        request,
        "documents/document.html",
        status=form.status if form else 200,
        who=who,
        newest=newest,
        versions=versions,
        names=await _names(house, who),
        state_marks=STATE_MARKS,
        may_approve=may_approve,
        may_propose=may(who.actor, Act.PROPOSE_DOCUMENT),
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=APPROVED,
    )


async def _dialog(house: House, who: SignedIn, newest: DocumentView, form: FormView) -> SignDialog:
    return await to_sign(
        house,
        who,
        meaning=APPROVED,
        kind=RecordKind.DOCUMENT,
        ref=str(newest.document),
        action=f"/documents/{newest.number}/approval",
        here=f"/documents/{newest.number}",
        title=Text("You approve this version of the document"),
        lines=(
            Text(
                "{number} version {version}: {title}", number=newest.number, version=newest.version, title=newest.title
            ),
            Text(
                "Proposed by {by}, in effect from {at}; the file {file}, SHA-256 {digest}.",
                by=newest.proposed_by,
                at=newest.effective_from,
                file=newest.file_name,
                digest=newest.file_sha256,
            ),
        ),
        form=form,
        is_open=True,
    )
