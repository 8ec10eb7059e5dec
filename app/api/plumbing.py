"""How a refusal becomes problem+json; who asks is told by app/requests.py, whose names routers take from here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic_core import to_jsonable_python

from app.db.door import Replay
from app.domain.errors import BadInput, Refusal
from app.domain.text import Text
from app.domain.views import respoken
from app.locale import gettext_for, language_of
from app.requests import (
    COOKIE,
    SAFE,
    ActorDep,
    CallDep,
    DoorDep,
    HouseDep,
    SecretCallDep,
    SignedInDep,
    actor,
    call,
    cookie_name,
    device_of,
    door,
    house,
    same_origin,
    signed_in,
    source_of,
    token_of,
)

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.applications import Starlette

__all__ = [
    "API",
    "COOKIE",
    "SAFE",
    "ActorDep",
    "CallDep",
    "DoorDep",
    "HouseDep",
    "SecretCallDep",
    "SignedInDep",
    "actor",
    "call",
    "cookie_name",
    "device_of",
    "door",
    "house",
    "install",
    "problem",
    "same_origin",
    "signed_in",
    "source_of",
    "token_of",
]


API = "/api/v1"
"""What every address of the API begins with, but for /health and its kin."""


def problem(request: Request, refusal: Refusal) -> Response:
    """RFC 9457, in the reader's language."""
    gettext = gettext_for(language_of(request))
    body: dict[str, Any] = {
        **refusal.detail,  # first, so that no detail can pass for what the problem itself states
        "type": f"urn:stemma:refusal:{refusal.kind}",
        "title": refusal.what.translated(gettext),
        "status": refusal.status,
        "detail": f"{refusal.why.translated(gettext)} {refusal.remedy.translated(gettext)}",
        "kind": refusal.kind,
        "what": refusal.what.translated(gettext),
        "why": refusal.why.translated(gettext),
        "remedy": refusal.remedy.translated(gettext),
        "rule": refusal.rule,
        "findings": [finding.said(gettext) for finding in refusal.findings],
    }
    headers = {"Cache-Control": "no-store"}
    if refusal.status in {423, 503} or refusal.kind == "busy":
        headers["Retry-After"] = str(refusal.detail.get("retry_after_s", 1))
    content = json.dumps(to_jsonable_python(body), ensure_ascii=False)
    return Response(content, refusal.status, headers, media_type="application/problem+json")


async def on_refusal(request: Request, error: Exception) -> Response:
    """A refusal is an answer."""
    if not isinstance(error, Refusal):
        raise error
    return problem(request, error)


async def on_replay(request: Request, error: Exception) -> Response:
    """The same key gets the same answer."""
    if not isinstance(error, Replay):
        raise error
    gettext = gettext_for(language_of(request))
    answer = respoken(error.answer, lambda text: text.translated(gettext))
    return JSONResponse(answer, headers={"Idempotency-Replayed": "true", "Cache-Control": "no-store"})


async def on_invalid(request: Request, error: Exception) -> Response:
    """What pydantic found, as one refusal that names the first field and lists all."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = [
        {"field": ".".join(str(part) for part in each["loc"][1:]) or str(each["loc"][0]), "problem": each["msg"]}
        for each in error.errors()
    ]
    first = found[0] if found else {"field": "body", "problem": ""}
    return problem(
        request,
        BadInput(
            field=first["field"],
            what=Text("Nothing was done."),
            why=Text("{field}: {problem}", field=first["field"], problem=first["problem"]),
            remedy=Text("Correct the field and send it again."),
            detail={"fields": [dict(each) for each in found]},
        ),
    )


async def on_unreadable(request: Request, error: Exception) -> Response:
    """A body that is no text at all, found before anything could look at its fields."""
    return problem(
        request,
        BadInput(
            field="body",
            what=Text("Nothing was done."),
            why=Text("It is not JSON."),
            remedy=Text("Correct the field and send it again."),
        ),
    )


def install(app: Starlette) -> None:
    """Give the application its handlers."""
    app.add_exception_handler(400, on_unreadable)
    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(Replay, on_replay)
    app.add_exception_handler(RequestValidationError, on_invalid)
