"""How a request becomes a person and a call: who is signed in, from where, under which key. JSON and pages share it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from app.db import sessions
from app.db.door import Call, Door
from app.db.secrets import keyed_digest
from app.domain.acts import Actor
from app.domain.errors import BadInput, NotPermitted, NotSignedIn
from app.domain.sight import WALL
from app.domain.text import Text
from app.services.house import House

COOKIE = "stemma_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def house(request: Request) -> House:
    """The house that this application was built with."""
    found: House = request.app.state.house
    return found


def door(request: Request) -> Door:
    """The way to the database."""
    return house(request).door


def token_of(request: Request) -> str | None:
    """The session's token: `Authorization: Bearer` for programs, the cookie for browsers."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    return request.cookies.get(cookie_name(request))


def cookie_name(request: Request) -> str:
    """The cookie of the session; behind TLS its name binds it to this host and to TLS."""
    return f"__Host-{COOKIE}" if house(request).settings.cookie_secure else COOKIE


def source_of(request: Request) -> str:
    """The address that the request comes from."""
    return request.client.host if request.client else "unknown"


def device_of(request: Request) -> str:
    """The device as it names itself, and its address: for the audit, not for trust."""
    agent = "".join(each for each in request.headers.get("user-agent", "") if each.isprintable())[:120]
    return f"{source_of(request)} {agent}".strip()


async def _session(request: Request) -> sessions.SignedIn | None:
    token = token_of(request)
    if token is None:
        return None
    return await sessions.who(door(request), token=token, idle_minutes=house(request).settings.session_idle_minutes)


async def signed_in(request: Request) -> sessions.SignedIn:
    """Who is signed in here. Raises NotSignedIn; for a browser's unsafe request also checks where it came from."""
    found = await _session(request)
    if found is None or found.state != "live":
        idle = found is not None and found.state == "idle"
        raise NotSignedIn(
            what=Text("You are not signed in."),
            why=Text("The screen was locked after a while without use.") if idle else Text("There is no live session."),
            remedy=Text("Sign in."),
            detail={"locked": idle},
        )
    if request.method not in SAFE and "authorization" not in request.headers:
        same_origin(request)
    request.state.signed_in = found
    return found


async def watching(request: Request) -> sessions.SignedIn:
    """Who looks on at a screen that asks by itself: as `signed_in`, but it keeps no session awake.

    A wall display, whose only role is device, looks on though nobody has touched it for long. For reading alone.
    """
    token = token_of(request)
    found = None
    if token is not None:
        idle_minutes = house(request).settings.session_idle_minutes
        found = await sessions.looking_on(door(request), token=token, idle_minutes=idle_minutes)
    if found is None or not may_look_on(found):
        idle = found is not None and found.state == "idle"
        raise NotSignedIn(
            what=Text("You are not signed in."),
            why=Text("The screen was locked after a while without use.") if idle else Text("There is no live session."),
            remedy=Text("Sign in."),
            detail={"locked": idle},
        )
    request.state.signed_in = found
    return found


def may_look_on(who: sessions.SignedIn) -> bool:
    """Whether this session may still be shown what happens: live, or a wall display's that nobody touched."""
    return who.state == "live" or (who.state == "idle" and who.actor.roles == WALL)


async def live_or_locked(request: Request) -> sessions.SignedIn:
    """The session behind the request though its screen is locked. Raises NotSignedIn when it has ended."""
    if request.method not in SAFE and "authorization" not in request.headers:
        same_origin(request)
    found = await _session(request)
    if found is None or found.state == "ended":
        raise NotSignedIn(
            what=Text("You are not signed in."), why=Text("There is no live session."), remedy=Text("Sign in.")
        )
    return found


def keep_token(request: Request, response: Response, *, token: str, ends_at: datetime) -> None:
    """The session as a cookie of this browser, which scripts cannot read."""
    response.set_cookie(
        cookie_name(request),
        token,
        expires=ends_at,
        path="/",
        httponly=True,
        secure=house(request).settings.cookie_secure,
        samesite="strict",
    )


def forget_token(request: Request, response: Response) -> None:
    """This browser knows of no session any more."""
    response.delete_cookie(
        cookie_name(request),
        path="/",
        secure=house(request).settings.cookie_secure,
        httponly=True,
        samesite="strict",
    )


def same_origin(request: Request) -> None:
    """Raises NotPermitted for a browser's request that another site made."""
    origin = request.headers.get("origin")
    if origin is None and (referer := request.headers.get("referer")) is not None:
        origin = "/".join(referer.split("/", 3)[:3])  # what is left of it where a browser sends no more
    site = request.headers.get("sec-fetch-site", "same-origin")
    expected = house(request).settings.origin or f"{request.url.scheme}://{request.headers.get('host', '')}"
    if site not in {"same-origin", "none"} or (origin is not None and origin != expected):
        raise NotPermitted(
            what=Text("Nothing was done."),
            why=Text("The request came from another site."),
            remedy=Text("Work in Stemma's own window."),
        )


async def actor(who: Annotated[sessions.SignedIn, Depends(signed_in)]) -> Actor:
    """The person who asks."""
    return who.actor


async def call(
    request: Request,
    who: Annotated[sessions.SignedIn, Depends(signed_in)],
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Call:
    """Who asks, under which key, with which body. A program's write without a key is refused."""
    if idempotency_key is None and "authorization" in request.headers:
        raise BadInput(
            field="Idempotency-Key",
            what=Text("Nothing was done."),
            why=Text("A write needs an Idempotency-Key, so that a repeated request is done once."),
            remedy=Text("Send a fresh random key with each new request, and the same key when repeating one."),
        )
    return Call(actor=who.actor, key=idempotency_key, body_sha256=await body_digest(request))


async def body_digest(request: Request) -> bytes:
    """What was asked, as one digest: the same key with another body is not the same request."""
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + await request.body()).digest()


async def secret_call(request: Request, plain: Annotated[Call, Depends(call)]) -> Call:
    """As `call`, for a body with secrets in it: its digest is keyed, so that nobody can guess them back from it."""
    return replace(plain, body_sha256=keyed_digest(house(request).totp_key, purpose="request", data=plain.body_sha256))


ActorDep = Annotated[Actor, Depends(actor)]
CallDep = Annotated[Call, Depends(call)]
DoorDep = Annotated[Door, Depends(door)]
HouseDep = Annotated[House, Depends(house)]
SecretCallDep = Annotated[Call, Depends(secret_call)]
WatchingDep = Annotated[sessions.SignedIn, Depends(watching)]
SignedInDep = Annotated[sessions.SignedIn, Depends(signed_in)]
