"""Waivers of a lot, a material lot or a donation: only of rules that allow one, proposed with what makes up for it, approved by another's signature."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import ROLE_NAMES, Act, Meaning, RecordKind, Role, may, require
from app.domain.errors import Refusal
from app.domain.lots import STATE_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.rules import BY_ID
from app.services import waivers
from app.services.house import House
from app.services.names import printed_names
from app.services.waivers import SubjectView, Waived, WaiverView, waivable
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.refusals import CodeDep, PageRoute, no_such_page
from app.web.shell import render, the_facility
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(route_class=PageRoute)
SHOWN_WORDS = 400
USES_MOST = 100
NumberDep = Annotated[int, Path(ge=1, lt=2**63)]
NAMES: dict[str, Any] = {"state_names": STATE_NAMES}
AREAS = {Waived.LOT: "lots", Waived.MATERIAL_LOT: "materials", Waived.DONATION: "donations"}
"""The pages on which each of them stands."""


@router.get("/lots/{code}/waivers")
@router.get("/materials/{code}/waivers")
@router.get("/donations/{code}/waivers")
async def list_waivers(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Every waiver proposed for it."""
    subject = await _subject(request, house, who, code)
    found = await waivers.list_waivers(house, who.actor, lot=code)
    return await render(
        request,
        "waivers/list.html",
        who=who,
        subject=subject,
        there=_there(subject),
        found=found,
        now=datetime.now(UTC),
        titles={each.rule: BY_ID[each.rule].title for each in found if each.rule in BY_ID},
        names=await printed_names(house, who.actor, usernames=[each.proposed_by for each in found]),
        **NAMES,
    )


@router.get("/lots/{code}/waivers/new")
@router.get("/materials/{code}/waivers/new")
@router.get("/donations/{code}/waivers/new")
async def new_waiver(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, rule: str = "") -> Response:
    """Which rule, why, and what makes up for it."""
    require(who.actor, Act.PROPOSE_WAIVER)
    subject = await _subject(request, house, who, code)
    form = await blank(
        request, rule=rule if rule in waivable(subject.kind) else None, valid_from=datetime.now(UTC), max_uses=1
    )
    return await _new_shown(request, who, subject, form)


@router.post("/lots/{code}/waivers/new")
@router.post("/materials/{code}/waivers/new")
@router.post("/donations/{code}/waivers/new")
async def propose(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Propose it; it waits for another's signature."""
    subject = await _subject(request, house, who, code)
    entry = await read_entry(request)
    given: dict[str, Any] = {
        "rule": entry.one_of("rule", waivable(subject.kind)),
        "justification": entry.prose("justification"),
        "mitigations": entry.prose("mitigations"),
        "valid_from": entry.moment("valid_from", ahead=True),
        "valid_to": entry.moment("valid_to", ahead=True),
        "max_uses": entry.whole("max_uses", least=1, most=USES_MOST),
    }
    try:
        made = await once(waivers.propose_waiver(house, entry.call(who), lot=code, **given))
    except Refusal as refusal:
        return await _new_shown(request, who, subject, entry.again(refusal))
    return see(f"{_there(subject)}/{made['waiver']}")


@router.get("/lots/{code}/waivers/{waiver}")
@router.get("/materials/{code}/waivers/{waiver}")
@router.get("/donations/{code}/waivers/{waiver}")
async def show_waiver(
    request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, waiver: NumberDep
) -> Response:
    """A waiver as it stands."""
    form = await blank(request, prefix="sign-") if asks_to_sign(request, Meaning.WAIVER_APPROVED) else None
    return await _shown(request, house, who, code, waiver, form)


@router.post("/lots/{code}/waivers/{waiver}/approval")
@router.post("/materials/{code}/waivers/{waiver}/approval")
@router.post("/donations/{code}/waivers/{waiver}/approval")
async def approve(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, waiver: NumberDep) -> Response:
    """Approve it by signature."""
    subject = await _subject(request, house, who, code)
    entry = await read_entry(request)
    await _find(house, who, code, waiver)
    try:
        ceremony = await signed(
            house, who, entry, meaning=Meaning.WAIVER_APPROVED, kind=RecordKind.WAIVER, ref=str(waiver)
        )
        await once(waivers.approve_waiver(house, entry.call(who, part="act"), waiver=waiver, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, code, waiver, entry.again(refusal, prefix="sign-"))
    return see(f"{_there(subject)}/{waiver}")


# -- within ------------------------------------------------------------------------------------------------------------


async def _subject(request: Request, house: House, who: SignedIn, code: str) -> SubjectView:
    """What the waivers are for. Raises NotFound for a code that is of another kind than the address says."""
    found = await waivers.read_subject(house, who.actor, code=code)
    if request.url.path.split("/")[1] != AREAS[found.kind]:
        raise no_such_page()
    return found


def _there(subject: SubjectView) -> str:
    return f"/{AREAS[subject.kind]}/{subject.code}/waivers"


async def _find(house: House, who: SignedIn, code: str, waiver: int) -> WaiverView:
    of_lot = await waivers.list_waivers(house, who.actor, lot=code)
    found = next((each for each in of_lot if each.waiver == waiver), None)
    if found is None:
        raise no_such_page()
    return found


async def _new_shown(request: Request, who: SignedIn, subject: SubjectView, form: FormView) -> Response:
    titles = waivable(subject.kind)
    return await render(
        request,
        "waivers/new.html",
        status=form.status,
        who=who,
        form=form,
        subject=subject,
        there=_there(subject),
        rules={each: Text("{rule}: {title}", rule=each, title=title) for each, title in titles.items()},
        **NAMES,
    )


async def _shown(
    request: Request, house: House, who: SignedIn, code: str, waiver: int, form: FormView | None
) -> Response:
    subject = await _subject(request, house, who, code)
    found = await _find(house, who, code, waiver)
    names = await printed_names(house, who.actor, usernames=[found.proposed_by])
    approvers = BY_ID[found.rule].waiver if found.rule in BY_ID else frozenset[Role]()
    may_approve = (
        found.approved_by is None
        and found.proposed_by != who.actor.username
        and may(who.actor, Act.APPROVE_WAIVER)
        and may_sign(who, Meaning.WAIVER_APPROVED)
    )
    dialog = await _dialog(request, house, who, found, subject, form) if form and may_approve else None
    return await render(
        request,
        "waivers/waiver.html",
        status=form.status if form else 200,
        who=who,
        waiver=found,
        subject=subject,
        there=_there(subject),
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
    request: Request, house: House, who: SignedIn, waiver: WaiverView, subject: SubjectView, form: FormView
) -> SignDialog:
    zone = (await the_facility(request)).zone
    return await to_sign(
        house,
        who,
        meaning=Meaning.WAIVER_APPROVED,
        kind=RecordKind.WAIVER,
        ref=str(waiver.waiver),
        action=f"{_there(subject)}/{waiver.waiver}/approval",
        here=f"{_there(subject)}/{waiver.waiver}",
        title=Text("You approve this waiver"),
        submit=Text("Sign and approve"),
        lines=(
            Text(
                "Waiver of {rule} for {lot}: {words}",
                rule=waiver.rule,
                lot=subject.name,
                words=_begins(waiver.justification),
            ),
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
