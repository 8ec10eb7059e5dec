"""Scans over HTTP. The scan itself is a plain handler: no dependency, no response model stand in its way."""

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.plumbing import API, ActorDep, HouseDep, SignedInDep, house, problem, token_of
from app.db.scans import KeptScan
from app.domain.errors import BadInput, Refusal
from app.domain.scans import Purpose
from app.domain.text import Text, Translate
from app.domain.views import respoken
from app.locale import gettext_for, language_of
from app.requests import same_origin
from app.services import scans

router = APIRouter(prefix=f"{API}/scans", tags=["scans"])

PICTURE_PATH = "/api/v1/scans/picture"
"""Bounded by its handler, which keeps that too much was sent; the limit for all other bodies passes it by."""
BODY_BYTES_MAX = 64 * 1024
KEY_LENGTH_MAX = 200

_SPOKEN = ("headline", "why", "next")
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_FIELDS = frozenset({"raw", "key", "symbology", "intent"})
_DOCUMENTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["raw"],
                    "properties": {
                        "raw": {"type": "string", "description": "The text as the scanner gave it."},
                        "key": {"type": "string", "maxLength": KEY_LENGTH_MAX},
                        "symbology": {"type": "string", "description": "The AIM identifier, as ]d1."},
                        "intent": {"type": "string", "enum": [each.value for each in Purpose]},
                    },
                }
            }
        },
    }
}


async def scan(request: Request) -> Response:
    """Scan one code: who and where it is used decides the answer. Every scan is kept, whatever the answer."""
    if "authorization" not in request.headers:
        same_origin(request)
    body = _body(await _bounded(request, limit_bytes=BODY_BYTES_MAX))
    kept = await scans.scan(
        house(request),
        token=token_of(request),
        raw=_text(body, "raw"),
        key=_key(body.get("key", request.headers.get("idempotency-key"))),
        symbology=_symbology(body.get("symbology")),
        purpose=_purpose(body.get("intent")),
    )
    answer = said(kept, gettext_for(language_of(request)))
    return Response(_ENCODE(answer), media_type="application/json")


router.add_api_route("", scan, methods=["POST"], response_model=None, openapi_extra=_DOCUMENTED)


class ScanLane:
    """The scan's own way past the routes: most of what happens all day is this one request."""

    def __init__(self, app: ASGIApp, *, path: str) -> None:
        """Wrap an application; requests for other paths go on to it."""
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await scan(request)
        except Refusal as refusal:
            response = problem(request, refusal)
        except ClientDisconnect:
            return
        await response(scope, receive, send)


@router.post("/picture", response_model=None)
async def scan_picture(
    request: Request, house: HouseDep, who: SignedInDep, intent: Purpose = Purpose.IDENTIFY
) -> Response:
    """Scan every code in a picture (PNG, JPEG or WebP): the file as the body, or in a form's field."""
    limit_bytes = house.settings.upload_limit_bytes
    data = await _bounded(request, limit_bytes=limit_bytes)
    if data is None:
        raise await scans.refuse_large_picture(house, who.actor, limit_bytes=limit_bytes)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        data = await _file_in_form(request, data)
    kept = await scans.scan_picture(
        house,
        who.actor,
        token=token_of(request),
        picture=data,
        key=_key(request.headers.get("idempotency-key")),
        purpose=intent,
    )
    gettext = gettext_for(language_of(request))
    return JSONResponse({"scans": [said(each, gettext) for each in kept]})


@router.get("")
async def last_scans(
    request: Request,
    house: HouseDep,
    actor: ActorDep,
    mine: bool = False,
    after: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> JSONResponse:
    """The last scans, newest first; `after` is the number of the last one seen."""
    gettext = gettext_for(language_of(request))
    found = await scans.last_scans(
        house, actor, account_id=actor.account_id if mine else None, after=after, limit=limit
    )
    listed = [
        {
            "scan": each.scan,
            "at": each.at.isoformat(),
            "by": each.by,
            "raw": each.raw,
            "verdict": each.verdict,
            "reason": each.reason,
            **respoken(each.detail, lambda text: text.translated(gettext)),
        }
        for each in found
    ]
    return JSONResponse({"scans": listed, "next": found[-1].scan if len(found) == limit else None})


def said(kept: KeptScan, gettext: Translate) -> dict[str, Any]:
    """A kept scan as the wire says it, in the language of `gettext`."""
    answer: dict[str, Any] = {
        "scan": kept.number,
        "at": kept.at.isoformat(),
        "replayed": kept.replayed,
        "verdict": kept.verdict,
        "reason": kept.reason,
        "raw": kept.raw,
        **kept.detail,
    }
    for name in _SPOKEN:
        text = answer[name]
        answer[name] = (text if isinstance(text, Text) else Text.from_json(text)).translated(gettext)
    return answer


def _bad(field: str, why: Text) -> BadInput:
    return BadInput(
        field=field, what=Text("Nothing was scanned."), why=why, remedy=Text("Correct the field and send it again.")
    )


def _body(content: bytes | None) -> dict[str, Any]:
    if content is None:
        raise _bad("body", Text("More than {limit} bytes were sent.", limit=BODY_BYTES_MAX))
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _bad("body", Text("It is not JSON.")) from error
    if not isinstance(body, dict) or not _FIELDS.issuperset(body):
        raise _bad("body", Text("An object with these fields is expected: {fields}.", fields=tuple(sorted(_FIELDS))))
    return body


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str):
        raise _bad(field, Text("A text is expected."))
    return value


def _key(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise _bad("key", Text("A key is 1 to {limit} visible ASCII characters.", limit=KEY_LENGTH_MAX))
    return value


def _symbology(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _AIM.fullmatch(value):
        raise _bad("symbology", Text("An AIM identifier is expected, as ]d1."))
    return value


def _purpose(value: object) -> Purpose:
    if value is None:
        return Purpose.IDENTIFY
    try:
        return Purpose(str(value))
    except ValueError as error:
        raise _bad("intent", Text("One of these is expected: {words}.", words=tuple(Purpose))) from error


async def _bounded(request: Request, *, limit_bytes: int) -> bytes | None:
    """The body, or None as soon as it is longer than the limit."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:19]) > limit_bytes:
        return None
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > limit_bytes:
                return None
    except ClientDisconnect as error:
        raise _bad("picture", Text("The picture did not arrive whole.")) from error
    return bytes(data)


async def _file_in_form(request: Request, data: bytes) -> bytes:
    async def stream() -> Any:
        yield data

    try:
        form = await MultiPartParser(request.headers, stream(), max_files=1, max_fields=4).parse()
    except (MultiPartException, KeyError) as error:
        raise _bad("picture", Text("The form cannot be read.")) from error
    try:
        for value in form.values():
            if not isinstance(value, str):
                return await value.read()
    finally:
        await form.close()
    raise _bad("picture", Text("The form holds no file."))
