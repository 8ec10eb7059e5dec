"""Legacy dossiers: papers from before the guideline, filed by form about a donor or a lot, accepted by signature."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import BadInput, NotFound, Refusal
from app.domain.legacy import ABOUT_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.rules import BY_ID
from app.services import legacy
from app.services.house import House
from app.services.legacy import PAGES_MOST, Content, LegacyView, Paper, SubjectView
from app.services.names import printed_names
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/legacy", route_class=PageRoute)
PAGE = 50
SOUGHT_MOST = 120
PAPERS = 5
"""Rows of papers on the form; a longer list is sent by a program."""
SIGNING = "sign-"
ACCEPTED = Meaning.LEGACY_ACCEPTED

STATE_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "proposed": ("wait", "hourglass", Text("waits for the quality authority")),
    "accepted": ("wait", "clock", Text("accepted, not yet in force")),
    "in_force": ("go", "check", Text("accepted")),
    "expired": ("na", "clock", Text("ran out")),
    "withdrawn": ("stop", "x", Text("withdrawn")),
}
WORDS: dict[str, Any] = {"state_marks": STATE_MARKS, "about_names": ABOUT_NAMES}


@router.get("")
async def list_legacy(
    request: Request, house: HouseDep, who: SignedInDep, q: str = "", after: int | None = None
) -> Response:
    """Legacy dossiers, the last proposed first; of a donor or a lot where its label is given."""
    sought = q.strip()[:SOUGHT_MOST]
    start = after if after is not None and 0 < after < 2**62 else None
    subject: SubjectView | None = None
    found: list[LegacyView] = []
    try:
        found = await legacy.list_legacy(house, who.actor, item=sought or None, after=start, limit=PAGE)
        subject = await legacy.read_subject(house, who.actor, item=sought) if sought else None
    except (NotFound, BadInput):
        subject = None
    return await render(
        request,
        "legacy/list.html",
        who=who,
        found=found,
        q=sought,
        subject=subject,
        next=found[-1].dossier if len(found) == PAGE else None,
        may_propose=may(who.actor, Act.PROPOSE_LEGACY),
        **WORDS,
    )


@router.get("/new/{code}")
async def ask_legacy(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The form for papers about one donor or lot."""
    require(who.actor, Act.PROPOSE_LEGACY)
    return await _asking(request, house, who, code, await blank(request, valid_from=datetime.now(UTC)))


@router.post("/new/{code}")
async def propose(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Propose them; they wait for the quality authority."""
    require(who.actor, Act.PROPOSE_LEGACY)
    subject = await legacy.read_subject(house, who.actor, item=code)
    entry = await read_entry(request)
    content = _content(entry, subject)
    try:
        made = await once(legacy.propose_legacy(house, entry.call(who), item=code, content=content))
    except Refusal as refusal:
        return await _asking(request, house, who, code, entry.again(refusal, at={"papers": "title0"}))
    return see(f"/legacy/{made['number']}")


@router.get("/{number}")
async def show_legacy(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """One legacy dossier."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, ACCEPTED) else None
    return await _shown(request, house, who, number, form)


@router.post("/{number}/acceptance")
async def accept(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Accept it by signature."""
    entry = await read_entry(request)
    found = await legacy.read_legacy(house, who.actor, number=number)
    ref = str(found.dossier)
    try:
        ceremony = await signed(house, who, entry, meaning=ACCEPTED, kind=RecordKind.LEGACY, ref=ref)
        call = entry.call(who, part="act")
        await once(legacy.accept_legacy(house, call, dossier=found.dossier, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, number, entry.again(refusal, prefix=SIGNING))
    return see(f"/legacy/{number}")


@router.get("/{number}/withdrawal")
async def ask_withdrawal(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Why it is withdrawn."""
    require(who.actor, Act.WITHDRAW_LEGACY)
    return await _withdrawing(request, house, who, number, await blank(request))


@router.post("/{number}/withdrawal")
async def withdraw(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Withdraw it."""
    require(who.actor, Act.WITHDRAW_LEGACY)
    entry = await read_entry(request)
    reasons = entry.prose("reasons")
    found = await legacy.read_legacy(house, who.actor, number=number)
    try:
        await once(legacy.withdraw_legacy(house, entry.call(who), dossier=found.dossier, reasons=reasons))
    except Refusal as refusal:
        return await _withdrawing(request, house, who, number, entry.again(refusal))
    return see(f"/legacy/{number}")


async def _withdrawing(request: Request, house: House, who: SignedIn, number: str, form: FormView) -> Response:
    found = await legacy.read_legacy(house, who.actor, number=number)
    return await render(request, "legacy/withdrawal.html", status=form.status, who=who, form=form, found=found)


# -- within ------------------------------------------------------------------------------------------------------------


def _content(entry: Entry, subject: SubjectView) -> Content:
    return Content(
        papers=tuple(_paper(entry, row) for row in range(PAPERS) if row == 0 or _is_given(entry, row)),
        rules=tuple(entry.several("rules", among=subject.rules)),
        reasons=entry.prose("reasons"),
        valid_from=entry.optional_moment("valid_from", ahead=True),
        valid_to=entry.moment("valid_to", ahead=True),
    )


def _is_given(entry: Entry, row: int) -> bool:
    names = ("title", "dated", "file_name", "file_sha256", "pages")
    return any(value.strip() for name in names for value in entry.every(f"{name}{row}"))


def _paper(entry: Entry, row: int) -> Paper:
    return Paper(
        title=entry.text(f"title{row}"),
        dated=entry.day(f"dated{row}"),
        file_name=entry.text(f"file_name{row}"),
        file_sha256=entry.text(f"file_sha256{row}", most=100).lower().replace(" ", ""),
        pages=entry.whole(f"pages{row}", least=1, most=PAGES_MOST),
    )


async def _asking(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    subject = await legacy.read_subject(house, who.actor, item=code)
    return await render(
        request,
        "legacy/new.html",
        status=form.status,
        who=who,
        form=form,
        subject=subject,
        rows=range(PAPERS),
        rules={each: Text("{rule}: {title}", rule=each, title=title) for each, title in subject.rules.items()},
        **WORDS,
    )


async def _shown(request: Request, house: House, who: SignedIn, number: str, form: FormView | None) -> Response:
    found = await legacy.read_legacy(house, who.actor, number=number)
    names = await printed_names(house, who.actor, usernames=[found.proposed_by])
    may_accept = (
        found.accepted_by is None
        and found.withdrawn_at is None
        and found.proposed_by != who.actor.username
        and may_sign(who, ACCEPTED)
    )
    dialog = await _dialog(house, who, found, form) if form is not None and may_accept else None
    return await render(
        request,
        "legacy/dossier.html",
        status=form.status if form else 200,
        who=who,
        found=found,
        proposed_by=names.get(found.proposed_by, found.proposed_by),
        titles={each: BY_ID[each].title for each in found.rules if each in BY_ID},
        may_accept=may_accept,
        may_withdraw=found.withdrawn_at is None and may(who.actor, Act.WITHDRAW_LEGACY),
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=ACCEPTED,
        **WORDS,
    )


async def _dialog(house: House, who: SignedIn, found: LegacyView, form: FormView) -> SignDialog:
    return await to_sign(
        house,
        who,
        meaning=ACCEPTED,
        kind=RecordKind.LEGACY,
        ref=str(found.dossier),
        action=f"/legacy/{found.number}/acceptance",
        here=f"/legacy/{found.number}",
        title=Text("You accept papers from before the guideline"),
        submit=Text("Sign and accept"),
        lines=(
            Text(
                "{number} about {subject}: {papers}",
                number=found.number,
                subject=found.subject,
                papers=tuple(f"{each.title} ({each.dated})" for each in found.papers),
            ),
            Text("They stand for: {rules}.", rules=found.rules),
        ),
        form=form,
        is_open=True,
    )
