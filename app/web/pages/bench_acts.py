"""What is done at the bench beside scanning: a second person verifies, timers run, something is set aside, words follow.

Each answers with a fragment: a dialog in `#dialogs`, or the whole side of the bench. A `data-done` tile in a dialog's
place tells the bench that it was done.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.db.verifications import Verified, Waiting
from app.domain.bench import Offer
from app.domain.errors import BadInput, Refusal
from app.domain.text import Text
from app.locale import language_of
from app.requests import HouseDep, SignedInDep, source_of
from app.services import holds, reasons, timers, verifications
from app.services.house import House
from app.web.fields import FormView, blank, once, read_entry
from app.web.forms import FieldProblem
from app.web.pages.bench import STEP_NAMES, side_of
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render

router = APIRouter(prefix="/bench", route_class=PageRoute)

NumberDep = Annotated[int, Path(ge=1, le=9_223_372_036_854_775_807)]
IN_WORDS = "words"
"""Chosen in place of a reason that is picked: the reason stands in words at once."""


# -- a second person ---------------------------------------------------------------------------------------------------


@router.get("/verify/{what}/{number}")
async def read_verify(
    request: Request, house: HouseDep, who: SignedInDep, what: Verified, number: NumberDep
) -> Response:
    """The dialog in which a second person verifies a step or a line clearance."""
    waiting = await verifications.one(house, who.actor, what=what, number=number)
    return await _verify_dialog(request, who, waiting, form=await blank(request, prefix="verify-"))


@router.post("/verify/{what}/{number}")
async def verify(request: Request, house: HouseDep, who: SignedInDep, what: Verified, number: NumberDep) -> Response:
    """The second person verifies; whoever is signed in stays it."""
    entry = await read_entry(request)
    badge, scanned = entry.text("badge", most=512), entry.text("scanned", most=512)
    pin = entry.secret("pin", most=64)
    if not pin.strip():
        entry.problem("pin", Text("This field is empty."), Text("Type your PIN."))
    waiting = await verifications.one(house, who.actor, what=what, number=number)
    try:
        kept = await once(
            verifications.verify(
                house,
                entry.call(who, holds_secrets=True),
                what=what,
                number=number,
                badge=badge,
                pin=pin,
                scanned=scanned,
                source=source_of(request),
            )
        )
    except Refusal as refusal:
        return await _verify_dialog(request, who, waiting, form=entry.again(refusal, prefix="verify-"))
    return await render(request, "bench/_verified.html", who=who, kept=kept, waiting=waiting, step_names=STEP_NAMES)


async def _verify_dialog(request: Request, who: SignedIn, waiting: Waiting, *, form: FormView) -> Response:
    return await render(
        request,
        "bench/_verify.html",
        status=form.status,
        who=who,
        waiting=waiting,
        form=form,
        step_names=STEP_NAMES,
    )


# -- timers ------------------------------------------------------------------------------------------------------------


@router.post("/timers")
async def start_timer(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Start a timer at one's workstation: one of those offered, or minutes of one's own."""
    entry = await read_entry(request)
    name, minutes = entry.text("name", most=60), entry.amount("minutes")
    workstation = entry.code("workstation")
    try:
        call = entry.call(who)
        if workstation is None:
            raise _no_workstation()
        await once(timers.start_timer(house, call, workstation=workstation, name=name, minutes=minutes))
    except Refusal as refusal:
        return await side(request, house, who, refusal=refusal)
    return await side(request, house, who)


@router.post("/timers/{timer}/end")
async def end_timer(request: Request, house: HouseDep, who: SignedInDep, timer: NumberDep) -> Response:
    """Stop a timer, or say that its alarm was heard."""
    entry = await read_entry(request)
    try:
        await once(timers.end_timer(house, entry.call(who), timer=timer))
    except Refusal as refusal:
        return await side(request, house, who, refusal=refusal)
    return await side(request, house, who)


# -- reasons -----------------------------------------------------------------------------------------------------------


@router.post("/reasons/{reason}")
async def note_reason(request: Request, house: HouseDep, who: SignedInDep, reason: NumberDep) -> Response:
    """Add the words to a reason that one picked."""
    entry = await read_entry(request)
    note = entry.prose("note")
    try:
        await once(reasons.note_reason(house, entry.call(who), reason=reason, note=note))
    except Refusal as refusal:
        return await side(request, house, who, refusal=refusal)
    return await side(request, house, who)


@router.get("/hold/{code}")
async def read_hold(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The dialog in which something is set aside, on hold, for a reason that is picked, scanned or written."""
    offered = await reasons.offered(house, who.actor)
    return await _hold_dialog(request, who, code, offered, form=await blank(request, prefix="hold-"))


@router.post("/hold/{code}")
async def hold(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Put it on hold at once."""
    entry = await read_entry(request)
    picked, scanned, words = entry.optional("picked"), entry.optional("scanned"), entry.optional("words")
    offered = await reasons.offered(house, who.actor)
    code_of = scanned or (picked if picked != IN_WORDS else None)
    if code_of is None and words is None:
        name = IN_WORDS if picked == IN_WORDS else "picked"
        entry.problem(name, Text("No reason is given."), Text("Pick one, scan one, or write it."))
    try:
        kept = await once(
            holds.place_hold(
                house, entry.call(who), item=code, reason=None if code_of else words, deviation=None, picked=code_of
            )
        )
    except Refusal as refusal:
        at = {"picked": "scanned"} if scanned else {}
        return await _hold_dialog(request, who, code, offered, form=entry.again(refusal, prefix="hold-", at=at))
    return await render(request, "bench/_held.html", who=who, kept=kept, owes=code_of is not None)


async def _hold_dialog(
    request: Request, who: SignedIn, code: str, offered: tuple[Offer, ...], *, form: FormView
) -> Response:
    language = language_of(request)
    choices: dict[str, Text | str] = {each.code: each.named(language) for each in offered}
    choices[IN_WORDS] = Text("In my own words")
    return await render(request, "bench/_hold.html", status=form.status, who=who, code=code, choices=choices, form=form)


# -- the side ----------------------------------------------------------------------------------------------------------


async def side(request: Request, house: House, who: SignedIn, *, refusal: Refusal | None = None) -> Response:
    """Everything beside the scan box, with what was refused on top."""
    view = await side_of(request, house, who)
    return await render(
        request, "bench/_side.html", status=refusal.status if refusal else 200, who=who, refusal=refusal, **view
    )


def _no_workstation() -> BadInput:
    return FieldProblem(
        "workstation", Text("No workstation is chosen."), Text("Scan the label on your workstation first.")
    )
