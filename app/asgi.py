"""Three plain ASGI layers: work is not cut short by a client that goes away, bodies are bounded, headers are strict."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)

_NO_STORE = (b"cache-control", b"no-store")


class Shield:
    """Runs each request in a task of its own: a commit begun is a commit finished."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        task = asyncio.ensure_future(self._serve(scope, receive, send))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.shield(task)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class BodyLimit:
    """Refuses a body larger than the limit while it streams in: 413.

    The paths in `bounded_inside` are left to their handlers, which keep that too much was sent.
    """

    def __init__(self, app: ASGIApp, *, limit_bytes: int, bounded_inside: frozenset[str] = frozenset()) -> None:
        """Wrap an application."""
        self._app = app
        self._limit = limit_bytes
        self._bounded_inside = bounded_inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] in self._bounded_inside:
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._limit:
            await _too_large(send, self._limit)
            return
        taken = 0
        refused = False

        async def bounded() -> Message:
            nonlocal taken, refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                refused = True
                return {"type": "http.disconnect"}
            return message

        async def guarded(message: Message) -> None:
            if not refused:
                await send(message)

        try:
            await self._app(scope, bounded, guarded)
        except Exception:
            if not refused:
                raise
        if refused:
            await _too_large(send, self._limit)


async def _too_large(send: Send, limit: int) -> None:
    body = json.dumps(
        {
            "type": "urn:stemma:refusal:payload-too-large",
            "title": "Nothing was done.",
            "status": 413,
            "detail": f"More than {limit} bytes were sent. Send a smaller picture or file.",
            "kind": "payload-too-large",
        }
    ).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class SecurityHeaders:
    """Says to every browser what may run, be framed, or be kept: nothing but ours."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        """Wrap an application. `secure` adds HSTS, for service behind TLS."""
        self._app = app
        self._fixed = [
            (b"content-security-policy", CSP.encode()),
            (b"x-content-type-options", b"nosniff"),
            # Not no-referrer: under it browsers send forms with `Origin: null`, and our own pages would be refused.
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
            *([(b"strict-transport-security", b"max-age=31536000")] if secure else []),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                kept = any(name == b"cache-control" for name, _ in headers)
                message["headers"] = [*headers, *self._fixed, *(() if kept else (_NO_STORE,))]
            await send(message)

        await self._app(scope, receive, with_headers)
