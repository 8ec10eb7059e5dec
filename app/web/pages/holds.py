"""Holds: placed by anybody on anything with a label, lifted by signature."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, require
from app.domain.errors import BadInput, NotFound, Refusal
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import holds
from app.services.holds import HoldPage, HoldView
from app.services.house import House
from app.services.names import printed_names
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.pages.deviations import asked_of, at_field
from app.web.refusals import PageRoute
from app.web.saying import grouped
from app.web.shell import render
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/holds", route_class=PageRoute)
PAGE = 50
SOUGHT_MOST = 120
STATES: Mapping[str, Text] = {"open": Text("holding"), "lifted": Text("lifted")}
NumberDep = Annotated[int, Path(ge=1, lt=2**63)]


@router.get("")
async def list_holds(
    request: Request, house: HouseDep, who: SignedInDep, q: str = "", state: str = "", after: int | None = None
) -> Response:
    """Holds, newest first; of a lot where its label or its name is given."""
    sought = q.strip()[:SOUGHT_MOST]
    asked = asked_of(sought)
    chosen = state if state in STATES else None
    try:
        found = await holds.list_holds(
            house,
            who.actor,
            state=chosen,
            lot=asked["lot"] or asked["sought"],
            item=asked["item"],
            after=after,
            limit=PAGE,
        )
    except (NotFound, BadInput):
        found = []
    return await render(
        request,
        "holds/list.html",
        who=who,
        found=found,
        names=await printed_names(house, who.actor, usernames=[each.placed_by for each in found]),
        q=sought,
        state=chosen or "",
        states=STATES,
        kind_names=KIND_NAMES,
        next=found[-1].hold if len(found) == PAGE else None,
    )


@router.get("/new")
async def new_hold(request: Request, who: SignedInDep, item: str = "", deviation: str = "") -> Response:
    """What is held, and why."""
    require(who.actor, Act.PLACE_HOLD)
    return await _new_shown(request, who, await blank(request, item=item[:64], deviation=deviation[:40]))


@router.post("/new")
async def place(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Place it."""
    entry = await read_entry(request)
    item, reason, deviation = entry.scanned("item"), entry.text("reason"), entry.optional("deviation", most=40)
    try:
        made = await once(holds.place_hold(house, entry.call(who), item=item, reason=reason, deviation=deviation))
    except NotFound as refusal:
        field = "deviation" if deviation is not None and deviation in str(refusal.what) else "item"
        return await _new_shown(request, who, entry.again(at_field(field, refusal)))
    except Refusal as refusal:
        return await _new_shown(request, who, entry.again(refusal))
    return see(f"/holds/{made['hold']}")


@router.get("/{hold}")
async def show_hold(request: Request, house: HouseDep, who: SignedInDep, hold: NumberDep) -> Response:
    """A hold as it stands."""
    asked = any(asks_to_sign(request, each) for each in (Meaning.HOLD_LIFTED, Meaning.LOOK_BACK_HOLD_LIFTED))
    form = await blank(request, prefix="sign-") if asked else None
    return await _shown(request, house, who, hold, form)


@router.post("/{hold}/lifting")
async def lift(request: Request, house: HouseDep, who: SignedInDep, hold: NumberDep) -> Response:
    """Lift it by signature."""
    entry = await read_entry(request)
    found = (await holds.show_hold(house, who.actor, hold=hold)).hold
    reason, meaning = entry.prose("reason") if found.looked_back else "", _meaning(found)
    try:
        ceremony = await signed(
            house, who, entry, meaning=meaning, kind=RecordKind.HOLD, ref=str(hold), statement=reason
        )
        await once(holds.lift_hold(house, entry.call(who, part="act"), hold=hold, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, hold, entry.again(refusal, prefix="sign-"))
    return see(f"/holds/{hold}")


# -- within ------------------------------------------------------------------------------------------------------------


async def _new_shown(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(request, "holds/new.html", status=form.status, who=who, form=form)


async def _shown(request: Request, house: House, who: SignedIn, hold: int, form: FormView | None) -> Response:
    page = await holds.show_hold(house, who.actor, hold=hold)
    is_open = page.hold.lifted_at is None
    may_lift = is_open and may_sign(who, _meaning(page.hold))
    waits = page.deviation_state == "open"
    dialog = await _dialog(house, who, page, form) if form is not None and may_lift else None
    view: dict[str, Any] = {"page": page, "hold": page.hold, "kind_names": KIND_NAMES}
    return await render(
        request,
        "holds/hold.html",
        status=form.status if form else 200,
        who=who,
        may_lift=may_lift,
        waits=waits,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=_meaning(page.hold),
        **view,
    )


def _meaning(hold: HoldView) -> Meaning:
    return Meaning.LOOK_BACK_HOLD_LIFTED if hold.authoritys else Meaning.HOLD_LIFTED


async def _dialog(house: House, who: SignedIn, page: HoldPage, form: FormView) -> SignDialog:
    hold = page.hold
    return await to_sign(
        house,
        who,
        meaning=_meaning(hold),
        kind=RecordKind.HOLD,
        ref=str(hold.hold),
        action=f"/holds/{hold.hold}/lifting",
        here=f"/holds/{hold.hold}",
        title=Text("You lift this hold"),
        submit=Text("Sign and lift"),
        lines=(
            Text(
                "Hold {number} on {item}: {reason}",
                number=str(hold.hold),
                item=hold.lot or grouped(hold.item),
                reason=hold.reason,
            ),
        ),
        form=form,
        is_open=True,
    )
