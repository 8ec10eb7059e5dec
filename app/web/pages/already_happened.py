"""The second door: a small form that keeps what has already happened. Nothing that was scanned or typed refuses it."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.db.door import Replay
from app.db.happened import Account
from app.db.sessions import SignedIn
from app.domain.acts import Act, require
from app.domain.errors import BadInput, Refusal
from app.domain.facts import Severity
from app.domain.happened import What
from app.domain.text import Text
from app.domain.views import spoken
from app.requests import HouseDep, SignedInDep
from app.services import already_happened
from app.web.forms import FIRST_YEAR, LAST_YEAR, PROSE, Form, form_call, fresh_key, read_form
from app.web.refusals import PageRoute
from app.web.shell import render, the_facility

router = APIRouter(prefix="/bench/already-happened", route_class=PageRoute)

WHAT_NAMES = {
    What.ISOLATION: Text("Cells were isolated"),
    What.PASSAGE: Text("Cells were passaged"),
    What.FILL: Text("Vials were filled"),
    What.CRYOPRESERVATION: Text("Vials were frozen"),
    What.THAW: Text("A vial of a bank was thawed"),
    What.MATERIAL_USE: Text("A material was used"),
    What.OTHER: Text("Something else happened"),
}
SEVERITY_NAMES = {
    Severity.MINOR: Text("minor"),
    Severity.MAJOR: Text("major"),
    Severity.CRITICAL: Text("critical"),
}
SAID_IN = {
    "item": Text("What it happened to"),
    "lot": Text("Lot"),
    "performed_by": Text("Who did it"),
}
FIELDS = ("what", "account", "class", "occurred_at", "lot", "item", "performed_by")
LOCAL = "%Y-%m-%dT%H:%M"
CODE_LENGTH_MAX = 512
"""Characters of a scanned text that are kept, as with scans."""


@router.get("")
async def read_form_page(request: Request, who: SignedInDep) -> Response:
    """The form, with what was scanned last filled in."""
    require(who.actor, Act.RECORD_ALREADY_HAPPENED)
    zone = (await the_facility(request)).zone
    given = dict.fromkeys(FIELDS, "") | {
        "item": request.query_params.get("item", "")[:CODE_LENGTH_MAX],
        "lot": request.query_params.get("lot", "")[:CODE_LENGTH_MAX],
        "what": _asked_what(request),
        "account": request.query_params.get("account", "")[:PROSE],
        "class": Severity.MAJOR.value,
        "occurred_at": f"{_asked_when(request, zone):{LOCAL}}",
    }
    return await _shown(request, who, given, refusal=None)


@router.post("")
async def record(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Keep it. Where all was understood the bench goes on; else the answer says what is kept in words."""
    form = await read_form(request)
    call = form_call(request, who, form)
    try:
        account = await _account(request, form)
        kept: dict[str, Any] = spoken(
            await already_happened.record_already_happened(
                house, call, account=account, workstation_id=who.workstation_id
            ),
            str,
        )
    except Replay as replay:
        kept = replay.answer
    except Refusal as refusal:
        return await _shown(request, who, {name: form.secret(name, most=PROSE) for name in FIELDS}, refusal=refusal)
    if kept["holds"] and not kept["unresolved"] and kept["understood_as"] == kept["what"]:
        return RedirectResponse(f"/bench?already={kept['deviation']}", status_code=303)
    return await render(
        request, "bench/already_happened_kept.html", who=who, kept=kept, what_names=WHAT_NAMES, said_in=SAID_IN
    )


def _asked_what(request: Request) -> str:
    asked = request.query_params.get("what", "")
    return asked if asked in set(What) else What.OTHER.value


def _asked_when(request: Request, zone: ZoneInfo) -> datetime:
    """The moment that the page before this one named, or now."""
    try:
        asked = datetime.fromisoformat(request.query_params.get("occurred_at", ""))
    except ValueError:
        return datetime.now(zone)
    named = asked.tzinfo is not None and FIRST_YEAR < asked.year < LAST_YEAR
    return asked.astimezone(zone) if named else datetime.now(zone)


async def _account(request: Request, form: Form) -> Account:
    zone = (await the_facility(request)).zone
    said = form.optional("account", most=PROSE)
    if said is None:
        raise BadInput(
            field="account",
            what=Text("It was not kept yet."),
            why=Text("Nothing is said in your own words."),
            remedy=Text("Write in a sentence what happened. A code that you do not know may stay empty."),
        )
    return Account(
        what=form.choice("what", What),
        said=said,
        severity=form.choice("class", Severity),
        occurred_at=form.moment("occurred_at", zone=zone),
        # As they were scanned or typed, readable or not: what cannot be made out is kept in words.
        lot=form.secret("lot", most=CODE_LENGTH_MAX),
        item=form.secret("item", most=CODE_LENGTH_MAX),
        performed_by=form.secret("performed_by", most=CODE_LENGTH_MAX),
    )


async def _shown(request: Request, who: SignedIn, given: dict[str, Any], *, refusal: Refusal | None) -> Response:
    field = None if refusal is None else refusal.detail.get("field")
    return await render(
        request,
        "bench/already_happened.html",
        status=refusal.status if refusal else 200,
        who=who,
        given=given,
        refusal=refusal,
        wrong=field if field in FIELDS else None,
        key=fresh_key(),
        what_names=WHAT_NAMES,
        severity_names=SEVERITY_NAMES,
    )
