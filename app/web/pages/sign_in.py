"""Signing in, signing out, and the screen that locked itself."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from app.db import sessions
from app.db.sessions import SignedIn
from app.domain.acts import Act, Role, may
from app.domain.errors import NotSignedIn, Refusal
from app.domain.sight import WALL
from app.locale import LANGUAGES
from app.requests import (
    HouseDep,
    SignedInDep,
    device_of,
    forget_token,
    keep_token,
    live_or_locked,
    same_origin,
    source_of,
    token_of,
)
from app.services import bench, sign_in
from app.services.house import House
from app.web.forms import Form, form_call, read_form
from app.web.pages.bench import STEP_NAMES
from app.web.refusals import PageRoute
from app.web.shell import keep_language, render

router = APIRouter(route_class=PageRoute)
USERNAME_LENGTH_MAX = 64
ADMINISTRATES = frozenset({Role.ADMINISTRATOR})
AT_THE_BENCH = frozenset({Role.TECHNICIAN, Role.VERIFIER})


@router.get("/")
async def home(who: SignedInDep) -> Response:
    """Where somebody's day begins: the bench, or the lots."""
    return RedirectResponse(_first_page(who.actor.roles), status_code=303)


@router.get("/sign-in")
async def read_sign_in(request: Request, next: str = "") -> Response:  # noqa: A002  the address says next
    """The form."""
    return await render(request, "sign_in/page.html", next=_ours(next), username="", refusal=None)


@router.post("/sign-in")
async def begin_session(request: Request, house: HouseDep) -> Response:
    """Sign in and go where one wanted to go."""
    same_origin(request)
    form = await read_form(request)
    there = _ours(form.secret("next"))
    username = form.secret("username").strip()[:USERNAME_LENGTH_MAX]
    try:
        begun = await sign_in.sign_in(
            house,
            username=username,
            password=form.secret("password"),
            totp=form.secret("totp").replace(" ", "") or None,
            source=source_of(request),
            device=device_of(request),
            old_token=token_of(request),
        )
    except Refusal as refusal:
        status = refusal.status
        return await render(request, "sign_in/page.html", status=status, next=there, username=username, refusal=refusal)
    there = there or _first_page(frozenset(begun.session.roles))
    if begun.ended_elsewhere:
        there = f"/people/me?ended={begun.ended_elsewhere}&next={quote(there, safe='')}"
    response = RedirectResponse(there, status_code=303)
    keep_token(request, response, token=begun.token, ends_at=begun.ends_at)
    if begun.session.language != LANGUAGES[0]:  # the first is also what nobody chose: the browser's own wish stands
        keep_language(response, begun.session.language, is_secure=house.settings.cookie_secure)
    return response


@router.post("/sign-out")
async def end_session(request: Request, house: HouseDep) -> Response:
    """Sign out, also from a locked screen; nothing of the pages stays behind in the browser."""
    response = RedirectResponse("/sign-in", status_code=303)
    try:
        who = await live_or_locked(request)
    except NotSignedIn:
        return response
    form_call(request, who, await read_form(request))
    await sign_in.sign_out(house, who)
    forget_token(request, response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


LockedDep = Annotated[SignedIn, Depends(live_or_locked)]


@router.get("/unlock")
async def read_unlock(request: Request, house: HouseDep, who: LockedDep, next: str = "") -> Response:  # noqa: A002  as above
    """The form for the person whose session it is."""
    if who.state == "live":
        return RedirectResponse(_ours(next) or "/", status_code=303)
    return await _unlock_page(request, house, who, there=_ours(next), refusal=None)


@router.get("/unlock/bench")
async def read_locked_bench(request: Request, house: HouseDep) -> Response:
    """What a locked screen goes on showing of its workstation. The screen asks by itself: it keeps nothing awake."""
    token, idle_minutes = token_of(request), house.settings.session_idle_minutes
    who = None if token is None else await sessions.looking_on(house.door, token=token, idle_minutes=idle_minutes)
    if who is None or who.state != "idle":
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return await render(request, "bench/_locked.html", locked=await bench.locked(house, who), step_names=STEP_NAMES)


@router.post("/unlock")
async def unlock_session(request: Request, house: HouseDep, who: LockedDep) -> Response:
    """Go on where the screen locked."""
    form: Form = await read_form(request)
    form_call(request, who, form)
    there, source = _ours(form.secret("next")), source_of(request)
    try:
        if form.secret("password"):
            await sign_in.unlock(house, who, password=form.secret("password"), source=source)
        else:
            badge, pin = form.secret("badge"), form.secret("pin")
            await sign_in.unlock_by_badge(house, who, badge=badge, pin=pin, source=source)
    except Refusal as refusal:
        return await _unlock_page(request, house, who, there=there, refusal=refusal)
    return RedirectResponse(there or _first_page(who.actor.roles), status_code=303)


async def _unlock_page(
    request: Request, house: House, who: SignedIn, *, there: str, refusal: Refusal | None
) -> Response:
    return await render(
        request,
        "sign_in/unlock.html",
        status=refusal.status if refusal else 200,
        name=who.actor.printed_name,
        locked=await bench.locked(house, who) if may(who.actor, Act.READ_ITEM) else None,
        step_names=STEP_NAMES,
        csrf=who.csrf,
        next=there,
        refusal=refusal,
    )


@router.get("/administration")
async def read_administration(request: Request, who: SignedInDep) -> Response:
    """What somebody does here who keeps accounts and sees no lots."""
    if who.actor.roles != ADMINISTRATES:
        return RedirectResponse(_first_page(who.actor.roles), status_code=303)
    return await render(request, "sign_in/administration.html", who=who)


def _first_page(roles: frozenset[Role]) -> str:
    if roles == ADMINISTRATES:
        return "/administration"
    if roles == WALL:
        return "/dashboard"
    return "/bench" if roles & AT_THE_BENCH else "/lots"


def _ours(there: str) -> str:
    """An address of our own, or nothing: nobody is led away after signing in."""
    plain = there.isascii() and there.isprintable() and "\\" not in there
    return there if plain and there.startswith("/") and not there.startswith("//") else ""
