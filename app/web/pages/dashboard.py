"""The dashboard: four questions answered at one glance, at a desk or from across the room."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import ROLE_NAMES
from app.domain.lots import STATE_NAMES
from app.domain.scans import KIND_NAMES
from app.domain.sight import WALL
from app.domain.text import Text
from app.requests import HouseDep, WatchingDep, signed_in, watching
from app.services import dashboard
from app.services.dashboard import DashboardView, ExpiringKind, ExpiringView
from app.web.refusals import PageRoute
from app.web.shell import render, the_facility

router = APIRouter(prefix="/dashboard", route_class=PageRoute)
WALL_LINES = 4

EXPIRING_NAMES = {
    ExpiringKind.MATERIAL: Text("Material lot"),
    ExpiringKind.LOT: Text("Lot"),
    ExpiringKind.OPENED: Text("Opened container"),
    ExpiringKind.APPOINTMENT: Text("Appointment"),
    ExpiringKind.CERTIFICATE: Text("Title certificate"),
    ExpiringKind.QUALIFICATION: Text("Qualification"),
    ExpiringKind.WAIVER: Text("Waiver"),
    ExpiringKind.ASSESSMENT: Text("Assessment"),
    ExpiringKind.DETERMINATION: Text("Eligibility of a donation"),
    ExpiringKind.EQUIPMENT: Text("Equipment"),
}
QUEUE_PAGES = {
    "lots_failed": "/lots?state=failed_after_release",
    "recalls_to_decide": "/impacts",
    "releases_awaited": "/lots?state=awaiting_release",
    "results_overdue": "/lots?state=conditionally_released",
    "second_signatures": "/lots?state=conditionally_released",
    "lots_to_submit": "/lots?state=quarantine",
    "batches_to_review": "/lots?state=quarantine",
    "results_to_review": "/samples",
    "deviations_to_close": "/deviations",
    "determinations_awaited": "/donors",
    "steps_to_verify": "/bench",
    "clearances_to_verify": "/bench",
    "reasons_owed": "/bench",
    "certificates_to_review": "/materials",
    "materials_to_approve": "/materials",
    "waivers_to_approve": "/lots",
    "assessments_to_approve": "/assessments",
    "legacy_to_accept": "/legacy",
}


async def at_the_screen(request: Request, who: WatchingDep) -> SignedIn:
    """Who opens the page: somebody, whose session it keeps awake, or a wall display that nobody touches."""
    return who if who.actor.roles == WALL else await signed_in(request)


OpenedBy = Annotated[SignedIn, Depends(at_the_screen)]


@router.get("")
async def show_dashboard(request: Request, house: HouseDep, who: OpenedBy, wall: str = "") -> Response:
    """The page, which then follows by itself; `wall=1` for a screen across the room."""
    is_wall = bool(wall) or who.actor.roles == WALL
    return await _render(request, house, who, "dashboard/wall.html" if is_wall else "dashboard/page.html")


@router.get("/now")
async def show_now(
    request: Request, house: HouseDep, who: Annotated[SignedIn, Depends(watching)], wall: str = ""
) -> Response:
    """What the page shows at this moment, for the page that is there. It keeps no session awake."""
    return await _render(request, house, who, "dashboard/_wall.html" if wall else "dashboard/_now.html")


async def _render(request: Request, house: HouseDep, who: SignedIn, template: str) -> Response:
    found = await dashboard.show(house, who.actor)
    zone = (await the_facility(request)).zone
    return await render(
        request,
        template,
        who=who,
        now=found,
        total=sum(each.waiting for each in found.waits),
        mine=sum(each.waiting for each in found.waits if each.mine),
        queues=[each for each in found.waits if each.waiting],
        due=[(each, _left(each, found, zone), _tone(each, found.at)) for each in found.expires.items],
        refusals=found.refused.acts_in_a_day + found.refused.scans_in_a_day,
        wall_lines=WALL_LINES,
        queue_pages=QUEUE_PAGES,
        role_names=ROLE_NAMES,
        state_names=STATE_NAMES,
        item_names=KIND_NAMES,
        expiring_names=EXPIRING_NAMES,
    )


def _left(each: ExpiringView, found: DashboardView, zone: ZoneInfo) -> Text:
    """How long it still has, in days on the facility's calendar."""
    if each.is_past:
        return Text("past")
    days = (each.at.astimezone(zone).date() - found.at.astimezone(zone).date()).days
    return Text("today") if days == 0 else Text("in {days} d", days=days)


SOON_DAYS = 7


def _tone(each: ExpiringView, at: datetime) -> str:
    if each.is_past:
        return "stop"
    return "wait" if (each.at - at).days < SOON_DAYS else "na"
