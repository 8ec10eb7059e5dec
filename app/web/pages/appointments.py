"""The quality authority: who is appointed, how the rules judge it, what is proposed, and the signatures that decide."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.appointments import Stint
from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import NotFound, Refusal
from app.domain.people import TITLE_NAMES
from app.domain.rulebook import OUTCOME_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import appointments
from app.services.appointments import AppointmentPage, ProposalPage
from app.services.house import House
from app.services.names import printed_names
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.pages.deviations import at_field
from app.web.refusals import PageRoute
from app.web.shell import render, the_facility
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/people/appointments", route_class=PageRoute)
STINTS = 5
"""How many posts the form holds."""
NAME = 120
NumberDep = Annotated[int, Path(ge=1, lt=2**63)]
OTHER_DOMAIN = "other"
DOMAIN_NAMES: Mapping[str, Text] = {
    "stem_cell_quality_management": Text("quality management of stem cell preparation"),
    OTHER_DOMAIN: Text("another field"),
}


class Title(StrEnum):
    """The level of a professional title."""

    SENIOR = "senior"
    ASSOCIATE_SENIOR = "associate_senior"
    OTHER = "other"


@router.get("")
async def list_appointments(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Who is and was appointed, and what is proposed."""
    found = await appointments.list_appointments(house, who.actor)
    live = next((each for each in found.appointments if each.live), None)
    page = None if live is None else await appointments.show_appointment(house, who.actor, appointment=live.id)
    return await render(
        request,
        "appointments/list.html",
        who=who,
        found=found,
        live=page,
        waiting=[each for each in found.proposals if each.appointment is None],
        title_names=TITLE_NAMES,
        outcome_names=OUTCOME_NAMES,
        domain_names=DOMAIN_NAMES,
    )


@router.get("/new")
async def new_proposal(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Whom to appoint, on what title and experience."""
    require(who.actor, Act.APPOINT_QUALITY_AUTHORITY)
    return await _new_shown(request, house, who, await blank(request))


@router.post("/counting")
async def count(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """How much of what stands in the form counts, while it is written. Nothing is kept."""
    require(who.actor, Act.APPOINT_QUALITY_AUTHORITY)
    entry = await read_entry(request)
    (_, stints), from_at = _stints(entry), entry.optional_moment("from_at", ahead=True)
    counted = await appointments.count_experience(house, who.actor, experience=stints, from_at=from_at)
    return await render(request, "appointments/_counted.html", who=who, counted=counted)


@router.post("/new")
async def propose(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Propose somebody; two people's signatures appoint."""
    entry = await read_entry(request)
    given: dict[str, Any] = {
        "account": entry.text("account", most=64),
        "title_level": entry.choice("title_level", Title).value,
        "title_certificate": entry.text("title_certificate"),
        "certificate_valid_until": entry.optional_day("certificate_valid_until", ahead=True),
        "from_at": entry.optional_moment("from_at", ahead=True),
        "until_at": entry.optional_moment("until_at", ahead=True),
    }
    rows, stints = _stints(entry)
    if not stints and not entry.problems:
        entry.problem("employer-0", Text("No experience is stated."), Text("State at least one post."))
    try:
        made = await once(appointments.propose_appointment(house, entry.call(who), experience=stints, **given))
    except NotFound as refusal:
        return await _new_shown(request, house, who, entry.again(at_field("account", refusal)))
    except Refusal as refusal:
        at = {f"experience.{i}.{each}": f"{each}-{n}" for i, n in enumerate(rows) for each in ("from_on", "to_on")}
        at |= {f"experience.{i}": f"employer-{n}" for i, n in enumerate(rows)}
        return await _new_shown(request, house, who, entry.again(refusal, at=at))
    return see(f"/people/appointments/proposals/{made['id']}")


@router.get("/proposals/{proposal}")
async def show_proposal(request: Request, house: HouseDep, who: SignedInDep, proposal: NumberDep) -> Response:
    """A proposal, how it would be judged, and who supports it."""
    form = await blank(request, prefix="sign-") if asks_to_sign(request, Meaning.APPOINTMENT_SUPPORTED) else None
    return await _proposal_shown(request, house, who, proposal, form)


@router.post("/proposals/{proposal}/support")
async def support(request: Request, house: HouseDep, who: SignedInDep, proposal: NumberDep) -> Response:
    """Sign for it. The second signature appoints."""
    entry = await read_entry(request)
    try:
        ceremony = await signed(
            house,
            who,
            entry,
            meaning=Meaning.APPOINTMENT_SUPPORTED,
            kind=RecordKind.PROPOSAL,
            ref=str(proposal),
        )
        await once(
            appointments.support_appointment(house, entry.call(who, part="act"), proposal=proposal, ceremony=ceremony)
        )
    except Refusal as refusal:
        return await _proposal_shown(request, house, who, proposal, entry.again(refusal, prefix="sign-"))
    return see(f"/people/appointments/proposals/{proposal}")


@router.get("/{appointment}")
async def show_appointment(request: Request, house: HouseDep, who: SignedInDep, appointment: NumberDep) -> Response:
    """An appointment and how it is judged now."""
    form = await blank(request, prefix="sign-") if asks_to_sign(request, Meaning.APPOINTMENT_REVOKED) else None
    return await _appointment_shown(request, house, who, appointment, form)


@router.post("/{appointment}/revocation")
async def revoke(request: Request, house: HouseDep, who: SignedInDep, appointment: NumberDep) -> Response:
    """End it by signature."""
    entry = await read_entry(request)
    try:
        ceremony = await signed(
            house,
            who,
            entry,
            meaning=Meaning.APPOINTMENT_REVOKED,
            kind=RecordKind.APPOINTMENT,
            ref=str(appointment),
        )
        await once(
            appointments.revoke_appointment(
                house, entry.call(who, part="act"), appointment=appointment, ceremony=ceremony
            )
        )
    except Refusal as refusal:
        return await _appointment_shown(request, house, who, appointment, entry.again(refusal, prefix="sign-"))
    return see(f"/people/appointments/{appointment}")


# -- within ------------------------------------------------------------------------------------------------------------


def _stints(entry: Entry) -> tuple[list[int], list[Stint]]:
    """In which rows of the form a post stands, and the posts; one of which nothing is filled in is left out."""
    rows: list[int] = []
    found: list[Stint] = []
    for n in range(STINTS):
        named = [f"{field}-{n}" for field in ("employer", "position", "from_on", "to_on", "evidence")]
        if not any(value.strip() for name in named for value in entry.every(name)):
            continue
        rows.append(n)
        found.append(
            Stint(
                employer=entry.text(f"employer-{n}", most=NAME),
                position=entry.text(f"position-{n}", most=NAME),
                domain=entry.one_of(f"domain-{n}", DOMAIN_NAMES),
                from_on=entry.day(f"from_on-{n}"),
                to_on=entry.optional_day(f"to_on-{n}"),
                evidence=entry.optional(f"evidence-{n}"),
            )
        )
    return rows, found


def _stints_typed(form: FormView) -> list[Stint]:
    """What of a form that was refused can be counted all the same."""
    found: list[Stint] = []
    for n in range(STINTS):
        begins, ends = _day(form.value(f"from_on-{n}")), _day(form.value(f"to_on-{n}"))
        if begins is not None:
            found.append(Stint("", "", form.value(f"domain-{n}"), begins, ends, form.value(f"evidence-{n}") or None))
    return found


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


async def _new_shown(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    for n in range(STINTS):
        form.values.setdefault(f"domain-{n}", ["stem_cell_quality_management"])
    return await render(
        request,
        "appointments/new.html",
        status=form.status,
        who=who,
        form=form,
        stints=range(STINTS),
        titles={each.value: TITLE_NAMES[each.value] for each in Title},
        domains=DOMAIN_NAMES,
        counted=await appointments.count_experience(house, who.actor, experience=_stints_typed(form), from_at=None),
    )


async def _proposal_shown(
    request: Request, house: House, who: SignedIn, proposal: int, form: FormView | None
) -> Response:
    page = await appointments.show_proposal(house, who.actor, proposal=proposal)
    found = page.proposal
    may_support = (
        found.appointment is None
        and found.account != who.actor.username
        and may_sign(who, Meaning.APPOINTMENT_SUPPORTED)
        and who.actor.printed_name not in {each.by for each in found.supports}
    )
    dialog = await _support_dialog(request, house, who, page, form) if form is not None and may_support else None
    return await render(
        request,
        "appointments/proposal.html",
        status=form.status if form else 200,
        who=who,
        page=page,
        proposal=found,
        now=datetime.now(UTC),
        proposed_by=await _name_of(house, who, found.proposed_by),
        may_support=may_support,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=Meaning.APPOINTMENT_SUPPORTED,
        title_names=TITLE_NAMES,
        outcome_names=OUTCOME_NAMES,
        domain_names=DOMAIN_NAMES,
    )


async def _appointment_shown(
    request: Request, house: House, who: SignedIn, appointment: int, form: FormView | None
) -> Response:
    page = await appointments.show_appointment(house, who.actor, appointment=appointment)
    may_revoke = page.appointment.revoked_at is None and may_sign(who, Meaning.APPOINTMENT_REVOKED)
    dialog = await _revoke_dialog(request, house, who, page, form) if form is not None and may_revoke else None
    return await render(
        request,
        "appointments/appointment.html",
        status=form.status if form else 200,
        who=who,
        page=page,
        appointment=page.appointment,
        proposal=page.proposal,
        may_revoke=may_revoke,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=Meaning.APPOINTMENT_REVOKED,
        title_names=TITLE_NAMES,
        outcome_names=OUTCOME_NAMES,
        domain_names=DOMAIN_NAMES,
    )


async def _support_dialog(
    request: Request, house: House, who: SignedIn, page: ProposalPage, form: FormView
) -> SignDialog:
    zone = (await the_facility(request)).zone
    found = page.proposal
    lines = [
        Text(
            "{name}, title {title}, certificate {certificate}, from {begin} on.",
            name=found.printed_name,
            title=TITLE_NAMES.get(found.title_level, found.title_level),
            certificate=found.title_certificate,
            begin=f"{found.from_at.astimezone(zone):%Y-%m-%d %H:%M}",
        ),
        Text("{years} years of evidenced experience in the right field count.", years=f"{page.counted.years:.2f}"),
    ]
    against = tuple(each.rule for each in page.verdicts if each.closes)
    if against:
        lines.append(Text("Such an authority could release nothing now; not satisfied: {rules}.", rules=against))
    return await to_sign(
        house,
        who,
        meaning=Meaning.APPOINTMENT_SUPPORTED,
        kind=RecordKind.PROPOSAL,
        ref=str(found.id),
        action=f"/people/appointments/proposals/{found.id}/support",
        here=f"/people/appointments/proposals/{found.id}",
        title=Text("You support this appointment"),
        submit=Text("Sign and support"),
        lines=tuple(lines),
        form=form,
        is_open=True,
    )


async def _revoke_dialog(
    request: Request, house: House, who: SignedIn, page: AppointmentPage, form: FormView
) -> SignDialog:
    zone = (await the_facility(request)).zone
    found = page.appointment
    return await to_sign(
        house,
        who,
        meaning=Meaning.APPOINTMENT_REVOKED,
        kind=RecordKind.APPOINTMENT,
        ref=str(found.id),
        action=f"/people/appointments/{found.id}/revocation",
        here=f"/people/appointments/{found.id}",
        title=Text("You revoke this appointment"),
        submit=Text("Sign and revoke"),
        lines=(
            Text(
                "{name}, quality authority since {begin}. From your signature on nobody releases until another is"
                " appointed.",
                name=found.printed_name,
                begin=f"{found.from_at.astimezone(zone):%Y-%m-%d %H:%M}",
            ),
        ),
        form=form,
        is_open=True,
    )


async def _name_of(house: House, who: SignedIn, username: str) -> str:
    if not may(who.actor, Act.READ_LOT):
        return username
    return (await printed_names(house, who.actor, usernames=[username])).get(username, username)
