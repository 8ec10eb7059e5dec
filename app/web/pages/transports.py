"""Shippers as they were qualified, and the ways of a lot between partner, house and hospital, by form."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.errors import Refusal
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import partners, transports
from app.services.house import House
from app.services.transports import COLDEST_C, WARMEST_C, Qualified, Way
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render

router = APIRouter(route_class=PageRoute)
CodeDep = Annotated[str, Path(max_length=64)]
NAME = 120
HOURS = 1000


@router.get("/shippers")
async def list_shippers(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Every qualification of a shipper, and the form for a further one."""
    return await _shippers_shown(request, house, who, await blank(request))


@router.post("/shippers")
async def qualify(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Record how a shipper was qualified."""
    require(who.actor, Act.QUALIFY_SHIPPER)
    entry = await read_entry(request)
    qualified = Qualified(
        shipper=entry.text("shipper", most=NAME),
        low_c=entry.amount("low_c", least=COLDEST_C, most=WARMEST_C),
        high_c=entry.amount("high_c", least=COLDEST_C, most=WARMEST_C),
        hours_max=entry.amount("hours_max", most=HOURS),
        qualified_on=entry.day("qualified_on"),
        valid_to=entry.day("valid_to", ahead=True),
        file_name=entry.text("file_name"),
        file_sha256=entry.text("file_sha256", most=100).lower().replace(" ", ""),
    )
    try:
        await once(transports.qualify_shipper(house, entry.call(who), qualified=qualified))
    except Refusal as refusal:
        return await _shippers_shown(request, house, who, entry.again(refusal))
    return see("/shippers")


@router.get("/lots/{code}/transport")
async def show_transports(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The ways of a lot, and the form for a further one."""
    return await _ways_shown(request, house, who, code, await blank(request))


@router.post("/lots/{code}/transport")
async def keep_transport(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Record how the lot was carried."""
    require(who.actor, Act.RECORD_TRANSPORT)
    entry = await read_entry(request)
    way = _way(entry)
    names = tuple(each.name for each in await partners.list_partners(house, who.actor))
    entry.one_of("partner", names)
    entry.one_of("shipper", tuple(each.shipper for each in await transports.list_shippers(house, who.actor)))
    try:
        await once(transports.record_transport(house, entry.call(who), lot=code, way=way))
    except Refusal as refusal:
        return await _ways_shown(request, house, who, code, entry.again(refusal))
    return see(f"/lots/{code}/transport")


# -- within ------------------------------------------------------------------------------------------------------------


def _way(entry: Entry) -> Way:
    digest = entry.optional("file_sha256", most=100)
    return Way(
        partner=entry.text("partner", most=NAME),
        shipper=entry.text("shipper", most=NAME),
        from_place=entry.text("from_place", most=NAME),
        to_place=entry.text("to_place", most=NAME),
        dispatched_at=entry.moment("dispatched_at"),
        handed_over_by=entry.text("handed_over_by", most=NAME),
        arrived_at=entry.moment("arrived_at"),
        received_by=entry.text("received_by", most=NAME),
        min_c=_celsius(entry, "min_c"),
        max_c=_celsius(entry, "max_c"),
        file_name=entry.optional("file_name"),
        file_sha256=None if digest is None else digest.lower().replace(" ", ""),
        excursion=entry.optional("excursion", most=8000),
    )


def _celsius(entry: Entry, name: str) -> Decimal | None:
    return entry.optional_amount(name, least=COLDEST_C, most=WARMEST_C)


async def _shippers_shown(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "transports/shippers.html",
        status=form.status,
        who=who,
        found=await transports.list_shippers(house, who.actor),
        form=form if may(who.actor, Act.QUALIFY_SHIPPER) else None,
    )


async def _ways_shown(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    found = await transports.read_transports(house, who.actor, lot=code)
    may_record = may(who.actor, Act.RECORD_TRANSPORT)
    names = [each.name for each in await partners.list_partners(house, who.actor)] if may_record else []
    shippers = [each.shipper for each in await transports.list_shippers(house, who.actor)] if may_record else []
    return await render(
        request,
        "transports/lot.html",
        status=form.status,
        who=who,
        code=code,
        found=found,
        form=form if may_record else None,
        partners={each: Text("{name}", name=each) for each in names},
        shippers={each: Text("{name}", name=each) for each in dict.fromkeys(shippers)},
    )
