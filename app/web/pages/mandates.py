"""Who answers for what, and what the facility may run: proposed by form, accepted and authorised by signature."""

from collections.abc import Mapping
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import Refusal
from app.domain.mandates import LEVEL_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import mandates
from app.services.house import House
from app.services.mandates import AuthorisationContent
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.signing import asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/mandates", route_class=PageRoute)
NAME = 120
SIGNING = "sign-"
ACCEPTED = Meaning.RESPONSIBILITY_ACCEPTED
AUTHORISED = Meaning.PROCESS_AUTHORISED

STATE_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "proposed": ("wait", "hourglass", Text("waits for its signature")),
    "accepted": ("wait", "clock", Text("accepted, yet to begin")),
    "answers": ("go", "check", Text("answers for it")),
    "ended": ("na", "minus", Text("ended")),
    "signed": ("wait", "clock", Text("signed, not yet in force")),
    "in_force": ("go", "check", Text("in force")),
    "expired": ("stop", "x", Text("expired")),
}


@router.get("")
async def show_mandates(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Who answers for each level, every responsibility, and every authorisation."""
    return await render(
        request,
        "mandates/list.html",
        who=who,
        found=await mandates.read_mandates(house, who.actor),
        level_names=LEVEL_NAMES,
        state_marks=STATE_MARKS,
        may_propose=may(who.actor, Act.PROPOSE_RESPONSIBILITY),
        may_propose_authorisation=may(who.actor, Act.PROPOSE_AUTHORISATION),
    )


@router.get("/responsibilities/new")
async def ask_responsibility(request: Request, who: SignedInDep) -> Response:
    """The form for who answers."""
    require(who.actor, Act.PROPOSE_RESPONSIBILITY)
    return await _asking(request, who, "responsibility", await blank(request, from_at=datetime.now(UTC)))


@router.post("/responsibilities/new")
async def propose_responsibility(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Propose who answers."""
    require(who.actor, Act.PROPOSE_RESPONSIBILITY)
    entry = await read_entry(request)
    level, username = entry.one_of("level", LEVEL_NAMES), entry.text("username", most=NAME)
    duties, from_at = entry.prose("duties"), entry.optional_moment("from_at", ahead=True)
    until_at = entry.optional_moment("until_at", ahead=True)
    try:
        made = await once(
            mandates.propose_responsibility(
                house,
                entry.call(who),
                level=level,
                username=username,
                duties=duties,
                from_at=from_at,
                until_at=until_at,
            )
        )
    except Refusal as refusal:
        return await _asking(request, who, "responsibility", entry.again(refusal))
    return see(f"/mandates/responsibilities/{made['number']}")


@router.get("/authorisations/new")
async def ask_authorisation(request: Request, who: SignedInDep) -> Response:
    """The form for what the facility may run."""
    require(who.actor, Act.PROPOSE_AUTHORISATION)
    return await _asking(request, who, "authorisation", await blank(request, valid_from=datetime.now(UTC)))


@router.post("/authorisations/new")
async def propose_authorisation(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Propose what the facility may run."""
    require(who.actor, Act.PROPOSE_AUTHORISATION)
    entry = await read_entry(request)
    content = AuthorisationContent(
        process=entry.text("process", most=NAME),
        version=entry.whole("version", least=1, most=100_000),
        owner=entry.text("owner"),
        address=entry.text("address"),
        classification=entry.text("classification"),
        valid_from=entry.optional_moment("valid_from", ahead=True),
        valid_to=entry.moment("valid_to", ahead=True),
    )
    try:
        made = await once(mandates.propose_authorisation(house, entry.call(who), content=content))
    except Refusal as refusal:
        return await _asking(request, who, "authorisation", entry.again(refusal))
    return see(f"/mandates/authorisations/{made['number']}")


@router.get("/responsibilities/{number:int}")
async def show_responsibility(request: Request, house: HouseDep, who: SignedInDep, number: int) -> Response:
    """One responsibility, with the dialog by which its bearer accepts it."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, ACCEPTED) else None
    return await _responsibility(request, house, who, number, form)


@router.post("/responsibilities/{number:int}/acceptance")
async def accept(request: Request, house: HouseDep, who: SignedInDep, number: int) -> Response:
    """Accept it by signature."""
    entry = await read_entry(request)
    try:
        ceremony = await signed(house, who, entry, meaning=ACCEPTED, kind=RecordKind.RESPONSIBILITY, ref=str(number))
        call = entry.call(who, part="act")
        await once(mandates.accept_responsibility(house, call, number=number, ceremony=ceremony))
    except Refusal as refusal:
        return await _responsibility(request, house, who, number, entry.again(refusal, prefix=SIGNING))
    return see(f"/mandates/responsibilities/{number}")


@router.post("/responsibilities/{number:int}/end")
async def end(request: Request, house: HouseDep, who: SignedInDep, number: int) -> Response:
    """Record that it has ended."""
    entry = await read_entry(request)
    await once(mandates.end_responsibility(house, entry.call(who), number=number))
    return see(f"/mandates/responsibilities/{number}")


@router.get("/authorisations/{number:int}")
async def show_authorisation(request: Request, house: HouseDep, who: SignedInDep, number: int) -> Response:
    """One authorisation, with the dialog of its signature."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, AUTHORISED) else None
    return await _authorisation(request, house, who, number, form)


@router.post("/authorisations/{number:int}/signature")
async def authorise(request: Request, house: HouseDep, who: SignedInDep, number: int) -> Response:
    """Authorise it by signature."""
    entry = await read_entry(request)
    try:
        ceremony = await signed(house, who, entry, meaning=AUTHORISED, kind=RecordKind.AUTHORISATION, ref=str(number))
        call = entry.call(who, part="act")
        await once(mandates.authorise_process(house, call, number=number, ceremony=ceremony))
    except Refusal as refusal:
        return await _authorisation(request, house, who, number, entry.again(refusal, prefix=SIGNING))
    return see(f"/mandates/authorisations/{number}")


# -- within ------------------------------------------------------------------------------------------------------------


async def _asking(request: Request, who: SignedIn, what: str, form: FormView) -> Response:
    template = f"mandates/new_{what}.html"
    return await render(request, template, status=form.status, who=who, form=form, level_names=LEVEL_NAMES)


async def _responsibility(
    request: Request, house: House, who: SignedIn, number: int, form: FormView | None
) -> Response:
    found = await mandates.read_responsibility(house, who.actor, number=number)
    may_accept = found.username == who.actor.username and may_sign(who, ACCEPTED) and found.state == "proposed"
    dialog = None
    if form is not None and may_accept:
        dialog = await to_sign(
            house,
            who,
            meaning=ACCEPTED,
            kind=RecordKind.RESPONSIBILITY,
            ref=str(number),
            action=f"/mandates/responsibilities/{number}/acceptance",
            here=f"/mandates/responsibilities/{number}",
            title=Text("You accept this responsibility"),
            lines=(Text("You answer for {level}: {duties}", level=LEVEL_NAMES[found.level], duties=found.duties),),
            form=form,
            is_open=True,
        )
    return await render(
        request,
        "mandates/responsibility.html",
        status=form.status if form else 200,
        who=who,
        found=found,
        level_names=LEVEL_NAMES,
        state_marks=STATE_MARKS,
        may_accept=may_accept,
        ending=await blank(request) if may(who.actor, Act.END_RESPONSIBILITY) and found.until_at is None else None,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=ACCEPTED,
    )


async def _authorisation(request: Request, house: House, who: SignedIn, number: int, form: FormView | None) -> Response:
    found = await mandates.read_authorisation(house, who.actor, number=number)
    may_authorise = may_sign(who, AUTHORISED) and found.state == "proposed"
    dialog = None
    if form is not None and may_authorise:
        dialog = await to_sign(
            house,
            who,
            meaning=AUTHORISED,
            kind=RecordKind.AUTHORISATION,
            ref=str(number),
            action=f"/mandates/authorisations/{number}/signature",
            here=f"/mandates/authorisations/{number}",
            title=Text("You authorise the facility for this process version"),
            lines=(
                Text(
                    "{process} version {version}, run by {owner} at {address}, classified {classification}.",
                    process=found.process,
                    version=found.version,
                    owner=found.owner,
                    address=found.address,
                    classification=found.classification,
                ),
                Text("From {since} to {until}.", since=found.valid_from, until=found.valid_to),
            ),
            form=form,
            is_open=True,
        )
    return await render(
        request,
        "mandates/authorisation.html",
        status=form.status if form else 200,
        who=who,
        found=found,
        state_marks=STATE_MARKS,
        may_authorise=may_authorise,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=AUTHORISED,
    )
