"""Waivers of a lot: only of rules that allow one, proposed with what makes up for it, approved by another's signature."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import ROLE_NAMES, Act, Meaning, RecordKind, Role, may, require
from app.domain.errors import Refusal
from app.domain.lots import STATE_NAMES
from app.domain.rulebook import NEVER
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.rules import BY_ID, RULES
from app.services import lots, waivers
from app.services.house import House
from app.services.names import printed_names
from app.services.waivers import WaiverView
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.pages.lots import LOT_KINDS
from app.web.refusals import CodeDep, PageRoute, no_such_page
from app.web.shell import render, the_facility
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/lots", route_class=PageRoute)
SHOWN_WORDS = 400
USES_MOST = 100
NumberDep = Annotated[int, Path(ge=1, lt=2**63)]
NAMES: dict[str, Any] = {"state_names": STATE_NAMES, "kind_names": LOT_KINDS}
WAIVABLE = {each.id: Text("{rule}: {title}", rule=each.id, title=each.title) for each in RULES if each.waiver != NEVER}


@router.get("/{code}/waivers")
async def list_waivers(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Every waiver proposed for a lot."""
    found = await waivers.list_waivers(house, who.actor, lot=code)
    return await render(
        request,
        "waivers/list.html",
        who=who,
        lot=await lots.read_head(house, who.actor, code=code),
        found=found,
        now=datetime.now(UTC),
        titles={each.rule: BY_ID[each.rule].title for each in found if each.rule in BY_ID},
        names=await printed_names(house, who.actor, usernames=[each.proposed_by for each in found]),
        **NAMES,
    )


@router.get("/{code}/waivers/new")
async def new_waiver(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, rule: str = "") -> Response:
    """Which rule, why, and what makes up for it."""
    require(who.actor, Act.PROPOSE_WAIVER)
    form = await blank(request, rule=rule if rule in WAIVABLE else None, valid_from=datetime.now(UTC), max_uses=1)
    return await _new_shown(request, house, who, code, form)


@router.post("/{code}/waivers/new")
async def propose(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Propose it; it waits for another's signature."""
    entry = await read_entry(request)
    given: dict[str, Any] = {
        "rule": entry.one_of("rule", WAIVABLE),
        "justification": entry.prose("justification"),
        "mitigations": entry.prose("mitigations"),
        "valid_from": entry.moment("valid_from"),
        "valid_to": entry.moment("valid_to"),
        "max_uses": entry.whole("max_uses", least=1, most=USES_MOST),
    }
    try:
        made = await once(waivers.propose_waiver(house, entry.call(who), lot=code, **given))
    except Refusal as refusal:
        return await _new_shown(request, house, who, code, entry.again(refusal))
    return see(f"/lots/{code}/waivers/{made['waiver']}")


@router.get("/{code}/waivers/{waiver}")
async def show_waiver(
    request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, waiver: NumberDep
) -> Response:
    """A waiver as it stands."""
    form = await blank(request, prefix="sign-") if asks_to_sign(request, Meaning.WAIVER_APPROVED) else None
    return await _shown(request, house, who, code, waiver, form)


@router.post("/{code}/waivers/{waiver}/approval")
async def approve(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, waiver: NumberDep) -> Response:
    """Approve it by signature."""
    entry = await read_entry(request)
    await _find(house, who, code, waiver)
    try:
        ceremony = await signed(
            house, who, entry, meaning=Meaning.WAIVER_APPROVED, kind=RecordKind.WAIVER, ref=str(waiver)
        )
        await once(waivers.approve_waiver(house, entry.call(who, part="act"), waiver=waiver, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, code, waiver, entry.again(refusal, prefix="sign-"))
    return see(f"/lots/{code}/waivers/{waiver}")


# -- within ------------------------------------------------------------------------------------------------------------


async def _find(house: House, who: SignedIn, code: str, waiver: int) -> WaiverView:
    of_lot = await waivers.list_waivers(house, who.actor, lot=code)
    found = next((each for each in of_lot if each.waiver == waiver), None)
    if found is None:
        raise no_such_page()
    return found


async def _new_shown(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    lot = await lots.read_head(house, who.actor, code=code)
    return await render(
        request, "waivers/new.html", status=form.status, who=who, form=form, lot=lot, rules=WAIVABLE, **NAMES
    )


async def _shown(
    request: Request, house: House, who: SignedIn, code: str, waiver: int, form: FormView | None
) -> Response:
    found = await _find(house, who, code, waiver)
    lot = await lots.read_head(house, who.actor, code=code)
    names = await printed_names(house, who.actor, usernames=[found.proposed_by])
    approvers = BY_ID[found.rule].waiver if found.rule in BY_ID else frozenset[Role]()
    may_approve = (
        found.approved_by is None
        and found.proposed_by != who.actor.username
        and may(who.actor, Act.APPROVE_WAIVER)
        and may_sign(who, Meaning.WAIVER_APPROVED)
    )
    dialog = await _dialog(request, house, who, found, lot.name, code, form) if form and may_approve else None
    return await render(
        request,
        "waivers/waiver.html",
        status=form.status if form else 200,
        who=who,
        waiver=found,
        lot=lot,
        now=datetime.now(UTC),
        proposed_by=names.get(found.proposed_by, found.proposed_by),
        title=BY_ID[found.rule].title if found.rule in BY_ID else None,
        approvers=[ROLE_NAMES[each] for each in Role if each in approvers],
        may_approve=may_approve,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=Meaning.WAIVER_APPROVED,
        **NAMES,
    )


async def _dialog(
    request: Request, house: House, who: SignedIn, waiver: WaiverView, lot: str, code: str, form: FormView
) -> SignDialog:
    zone = (await the_facility(request)).zone
    return await to_sign(
        house,
        who,
        meaning=Meaning.WAIVER_APPROVED,
        kind=RecordKind.WAIVER,
        ref=str(waiver.waiver),
        action=f"/lots/{code}/waivers/{waiver.waiver}/approval",
        here=f"/lots/{code}/waivers/{waiver.waiver}",
        title=Text("You approve this waiver"),
        submit=Text("Sign and approve"),
        lines=(
            Text("Waiver of {rule} for {lot}: {words}", rule=waiver.rule, lot=lot, words=_begins(waiver.justification)),
            Text("Mitigated by: {words}", words=_begins(waiver.mitigations)),
            Text(
                "Valid from {begin} to {end}, for {count} uses at most.",
                begin=f"{waiver.valid_from.astimezone(zone):%Y-%m-%d %H:%M}",
                end=f"{waiver.valid_to.astimezone(zone):%Y-%m-%d %H:%M}",
                count=waiver.max_uses,
            ),
        ),
        form=form,
        is_open=True,
    )


def _begins(words: str) -> str:
    return words if len(words) <= SHOWN_WORDS else f"{words[:SHOWN_WORDS]}…"
