"""The second door: a small form that keeps what has already happened. Nothing refuses it."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.db.door import Replay
from app.db.sessions import SignedIn
from app.domain.acts import Act, require
from app.domain.errors import Refusal
from app.domain.facts import Severity
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import already_happened
from app.services.already_happened import Account, What
from app.web.forms import PROSE, Form, form_call, fresh_key, read_form
from app.web.refusals import PageRoute
from app.web.shell import render, the_facility

router = APIRouter(prefix="/bench/already-happened", route_class=PageRoute)

WHAT_NAMES = {
    What.ISOLATION: Text("Cells were isolated"),
    What.PASSAGE: Text("Cells were passaged"),
    What.FILL: Text("Vials were filled"),
    What.CRYOPRESERVATION: Text("Vials were frozen"),
    What.MATERIAL_USE: Text("A material was used"),
    What.OTHER: Text("Something else happened"),
}
SEVERITY_NAMES = {
    Severity.MINOR: Text("minor"),
    Severity.MAJOR: Text("major"),
    Severity.CRITICAL: Text("critical"),
}
FIELDS = ("what", "account", "class", "occurred_at", "lot", "item", "performed_by")
LOCAL = "%Y-%m-%dT%H:%M"


@router.get("")
async def read_form_page(request: Request, who: SignedInDep) -> Response:
    """The form, with what was scanned last filled in."""
    require(who.actor, Act.RECORD_ALREADY_HAPPENED)
    zone = (await the_facility(request)).zone
    given = dict.fromkeys(FIELDS, "") | {
        "item": request.query_params.get("item", "")[:64],
        "lot": request.query_params.get("lot", "")[:64],
        "what": What.OTHER.value,
        "class": Severity.MAJOR.value,
        "occurred_at": f"{datetime.now(zone):{LOCAL}}",
    }
    return await _shown(request, who, given, refusal=None)


@router.post("")
async def record(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Keep it."""
    form = await read_form(request)
    call = form_call(request, who, form)
    try:
        account = await _account(request, form)
        kept = await already_happened.record_already_happened(house, call, account=account)
        number = kept.deviation
    except Replay as replay:
        number = replay.answer["deviation"]
    except Refusal as refusal:
        return await _shown(request, who, {name: form.secret(name, most=PROSE) for name in FIELDS}, refusal=refusal)
    return RedirectResponse(f"/bench?already={number}", status_code=303)


async def _account(request: Request, form: Form) -> Account:
    zone = (await the_facility(request)).zone
    return Account(
        what=form.choice("what", What),
        said=form.text("account", most=PROSE),
        severity=form.choice("class", Severity),
        occurred_at=form.moment("occurred_at", zone=zone),
        lot=form.code("lot"),
        item=form.code("item"),
        performed_by=form.optional("performed_by"),
    )


async def _shown(request: Request, who: SignedIn, given: dict[str, Any], *, refusal: Refusal | None) -> Response:
    return await render(
        request,
        "bench/already_happened.html",
        status=refusal.status if refusal else 200,
        who=who,
        given=given,
        refusal=refusal,
        key=fresh_key(),
        what_names=WHAT_NAMES,
        severity_names=SEVERITY_NAMES,
    )
