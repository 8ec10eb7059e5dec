"""How a request becomes a person and a call: who is signed in, from where, under which key. JSON and pages share it."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Depends, Header, Request

from app.db import sessions
from app.db.door import Call, Door
from app.domain.acts import Actor
from app.domain.errors import BadInput, NotPermitted, NotSignedIn
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
    return request.cookies.get(COOKIE)


async def signed_in(request: Request) -> sessions.SignedIn:
    """Who is signed in here. Raises NotSignedIn; for a browser's unsafe request also checks where it came from."""
    token = token_of(request)
    found = None if token is None else await sessions.who(
        door(request), token=token, idle_minutes=house(request).settings.session_idle_minutes
    )
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


def same_origin(request: Request) -> None:
    """Raises NotPermitted for a browser's request that another site made."""
    origin = request.headers.get("origin")
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


ActorDep = Annotated[Actor, Depends(actor)]
CallDep = Annotated[Call, Depends(call)]
DoorDep = Annotated[Door, Depends(door)]
HouseDep = Annotated[House, Depends(house)]
SignedInDep = Annotated[sessions.SignedIn, Depends(signed_in)]
