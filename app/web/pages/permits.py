"""Permits for human genetic resources: listed, recorded, and withdrawn by the authority."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.donors import PERMIT_PURPOSES
from app.domain.errors import Refusal
from app.requests import HouseDep, SignedInDep
from app.services import permits
from app.services.house import House
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render

router = APIRouter(prefix="/permits", route_class=PageRoute)
NAME = 120


@router.get("")
async def list_permits(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Permits, the last recorded first."""
    return await render(
        request,
        "permits/list.html",
        who=who,
        found=await permits.list_permits(house, who.actor),
        purposes=PERMIT_PURPOSES,
        may_record=may(who.actor, Act.RECORD_PERMIT),
    )


@router.get("/new")
async def new_permit(request: Request, who: SignedInDep) -> Response:
    """A permit as the authority gave it."""
    require(who.actor, Act.RECORD_PERMIT)
    return await _new_shown(request, who, await blank(request))


@router.post("/new")
async def record_permit(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Keep it."""
    require(who.actor, Act.RECORD_PERMIT)
    entry = await read_entry(request)
    number, authority = entry.text("number", most=NAME), entry.text("authority")
    purposes, scope = entry.several("purposes", among=PERMIT_PURPOSES), entry.prose("scope")
    valid_from, valid_to, evidence = (
        entry.day("valid_from", ahead=True),
        entry.optional_day("valid_to", ahead=True),
        entry.text("evidence"),
    )
    try:
        await once(
            permits.record_permit(
                house,
                entry.call(who),
                number=number,
                authority=authority,
                purposes=purposes,
                scope=scope,
                valid_from=valid_from,
                valid_to=valid_to,
                evidence=evidence,
            )
        )
    except Refusal as refusal:
        return await _new_shown(request, who, entry.again(refusal))
    return see("/permits")


@router.get("/withdrawal")
async def new_withdrawal(request: Request, house: HouseDep, who: SignedInDep, number: str = "") -> Response:
    """Which permit was taken back, and when."""
    require(who.actor, Act.WITHDRAW_PERMIT)
    form = await blank(request, number=number[:NAME], withdrawn_at=datetime.now(UTC))
    return await _withdrawal_shown(request, house, who, form)


@router.post("/withdrawal")
async def withdraw_permit(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Keep that it was taken back."""
    require(who.actor, Act.WITHDRAW_PERMIT)
    entry = await read_entry(request)
    number, at = entry.text("number", most=NAME), entry.moment("withdrawn_at")
    try:
        await once(permits.withdraw_permit(house, entry.call(who), number=number, withdrawn_at=at))
    except Refusal as refusal:
        return await _withdrawal_shown(request, house, who, entry.again(refusal, of="number"))
    return see("/permits")


async def _new_shown(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(request, "permits/new.html", status=form.status, who=who, form=form, purposes=PERMIT_PURPOSES)


async def _withdrawal_shown(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    live = [each.number for each in await permits.list_permits(house, who.actor) if each.withdrawn_at is None]
    return await render(
        request,
        "permits/withdrawal.html",
        status=form.status,
        who=who,
        form=form,
        live={number: number for number in live},
    )
