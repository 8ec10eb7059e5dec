"""Cell banks: a list, each with the map of its vials, a vial withdrawn by scan, how places keep, and what was decided."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.cell_banks import CONDITION_NAMES, PHASE_NAMES, TIER_NAMES
from app.domain.errors import Refusal
from app.domain.lots import STATE_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import banks, processes
from app.services.banks import PolicyContent, PolicyView
from app.services.house import House
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.pages.lots import CONTAINER_STATES
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from app.web.signing import asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/banks", route_class=PageRoute)
PAGE = 50
VERSIONS_SHOWN = 200
NAME = 120
COLDEST, WARMEST = Decimal("-273.15"), Decimal(40)
SIGNING = "sign-"
DECIDED = Meaning.BANK_POLICY_DECIDED
NAMES: dict[str, Any] = {
    "state_names": STATE_NAMES,
    "tier_names": TIER_NAMES,
    "phase_names": PHASE_NAMES,
    "container_states": CONTAINER_STATES,
    "condition_names": CONDITION_NAMES,
}
STATE_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "proposed": ("wait", "hourglass", Text("waits for its signature")),
    "decided": ("go", "check", Text("decided")),
    "superseded": ("na", "minus", Text("superseded")),
}
NEEDED = {
    "no": (Text("No bank"), Text("the preparation is made of the donation itself")),
    "yes": (Text("From a bank"), Text("the preparation is made of a vial of a released bank")),
}


# -- banks and their vials ---------------------------------------------------------------------------------------------


@router.get("")
async def list_banks(request: Request, house: HouseDep, who: SignedInDep, after: str | None = None) -> Response:
    """Bank lots, newest first."""
    found = await banks.list_banks(house, who.actor, after=after, limit=PAGE)
    return await render(
        request,
        "banks/list.html",
        who=who,
        found=found,
        next=found[-1].code if len(found) == PAGE else None,
        may_withdraw=may(who.actor, Act.WITHDRAW_VIAL),
        **NAMES,
    )


@router.get("/withdrawal")
async def ask_withdrawal(request: Request, who: SignedInDep, lot: str = "", vial: str = "") -> Response:
    """Which vial is taken out of its bank, and for which lot."""
    require(who.actor, Act.WITHDRAW_VIAL)
    form = await blank(request, lot=lot[:64] or None, vial=vial[:64] or None)
    return await _withdrawing(request, who, form)


@router.post("/withdrawal")
async def withdraw(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Take it out; the thaw at the bench is next."""
    require(who.actor, Act.WITHDRAW_VIAL)
    entry = await read_entry(request)
    lot, vial, at = entry.scanned("lot"), entry.scanned("vial"), entry.optional_moment("withdrawn_at")
    try:
        call = entry.call(who)
        kept = await once(banks.withdraw(house, call, lot=lot, vial=vial, withdrawn_at=at or datetime.now(UTC)))
    except Refusal as refusal:
        return await _withdrawing(request, who, entry.again(refusal))
    return see(f"/bench/steps/thaw/{kept['lot']}")


async def _withdrawing(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(request, "banks/withdrawal.html", status=form.status, who=who, form=form)


@router.get("/storage")
async def list_storage(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Tanks and freezers, and how each keeps what is in it."""
    return await render(
        request,
        "banks/storage.html",
        who=who,
        found=await banks.list_storage(house, who.actor),
        may_classify=may(who.actor, Act.CLASSIFY_STORAGE),
        may_record=may(who.actor, Act.RECORD_EXCURSION),
        **NAMES,
    )


@router.get("/storage/class")
async def ask_class(request: Request, who: SignedInDep, place: str = "") -> Response:
    """How a place keeps what is in it."""
    require(who.actor, Act.CLASSIFY_STORAGE)
    return await _asking(request, who, "class", await blank(request, place=place[:64] or None))


@router.post("/storage/class")
async def classify(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """State it."""
    require(who.actor, Act.CLASSIFY_STORAGE)
    entry = await read_entry(request)
    place, phase = entry.scanned("place"), entry.one_of("phase", PHASE_NAMES)
    warmest = entry.amount("warmest_celsius", least=COLDEST, most=WARMEST)
    site, evidence = entry.text("site", most=NAME), entry.text("evidence")
    try:
        stating = banks.classify_storage(
            house, entry.call(who), place=place, phase=phase, warmest_celsius=warmest, site=site, evidence=evidence
        )
        await once(stating)
    except Refusal as refusal:
        return await _asking(request, who, "class", entry.again(refusal))
    return see("/banks/storage")


@router.get("/storage/excursion")
async def ask_excursion(request: Request, who: SignedInDep, place: str = "") -> Response:
    """That a place was too warm, since when, and how warm."""
    require(who.actor, Act.RECORD_EXCURSION)
    return await _asking(request, who, "excursion", await blank(request, place=place[:64] or None))


@router.post("/storage/excursion")
async def record_excursion(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Record it: a deviation is opened, and what lay there is held."""
    require(who.actor, Act.RECORD_EXCURSION)
    entry = await read_entry(request)
    place, what = entry.scanned("place"), entry.text("what")
    began, ended = entry.moment("began_at"), entry.optional_moment("ended_at")
    warmest = entry.amount("warmest_celsius", least=COLDEST, most=WARMEST)
    try:
        recording = banks.record_excursion(
            house,
            entry.call(who),
            place=place,
            began_at=began,
            ended_at=ended,
            warmest_celsius=warmest,
            what=what,
        )
        kept = await once(recording)
    except Refusal as refusal:
        return await _asking(request, who, "excursion", entry.again(refusal))
    return see(f"/deviations/{kept['deviation']}")


async def _asking(request: Request, who: SignedIn, what: str, form: FormView) -> Response:
    return await render(request, f"banks/{what}.html", status=form.status, who=who, form=form, **NAMES)


# -- whether a process needs a bank ------------------------------------------------------------------------------------


@router.get("/policies")
async def list_policies(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Every decision about banks, the last proposed first."""
    return await render(
        request,
        "banks/policies.html",
        who=who,
        found=await banks.list_policies(house, who.actor),
        state_marks=STATE_MARKS,
        may_propose=may(who.actor, Act.PROPOSE_BANK_POLICY),
        **NAMES,
    )


@router.get("/policies/new")
async def ask_policy(
    request: Request, house: HouseDep, who: SignedInDep, process: str = "", version: str = ""
) -> Response:
    """The form for a decision about a process version."""
    require(who.actor, Act.PROPOSE_BANK_POLICY)
    chosen = f"{version[:6]}:{process[:NAME]}" if process and version else None
    return await _proposing(request, house, who, await blank(request, process=chosen))


@router.post("/policies/new")
async def propose_policy(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Propose it."""
    require(who.actor, Act.PROPOSE_BANK_POLICY)
    entry = await read_entry(request)
    process, version = _version(entry)
    content = PolicyContent(
        process=process,
        process_version=version,
        needed=entry.one_of("needed", NEEDED) == "yes",
        conditions=tuple(entry.every("conditions")),
        tiers=tuple(entry.every("tiers")),
        reasons=entry.prose("reasons"),
    )
    try:
        made = await once(banks.propose_policy(house, entry.call(who), content=content))
    except Refusal as refusal:
        return await _proposing(request, house, who, entry.again(refusal))
    return see(f"/banks/policies/{made['number']}")


def _version(entry: Entry) -> tuple[str, int]:
    number, _, name = entry.text("process").partition(":")
    if number.isascii() and number.isdigit() and len(number) < 7 and name:
        return name, int(number)
    if "process" not in entry.problems:
        entry.problem("process", Text("It is none of the choices."), Text("Choose one of the list."))
    return "", 0


async def _proposing(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    made = await processes.list_processes(house, who.actor, after=None, limit=VERSIONS_SHOWN)
    return await render(
        request,
        "banks/new_policy.html",
        status=form.status,
        who=who,
        form=form,
        needed=NEEDED,
        processes={
            f"{each.version}:{each.name}": Text(
                "{name} v{version} · {product}", name=each.name, version=each.version, product=each.product
            )
            for each in reversed(made)
        },
        **NAMES,
    )


@router.get("/policies/{number:int}")
async def show_policy(request: Request, house: HouseDep, who: SignedInDep, number: int) -> Response:
    """One decision, with the dialog of its signature."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, DECIDED) else None
    return await _policy(request, house, who, number, form)


@router.post("/policies/{number:int}/signature")
async def decide_policy(request: Request, house: HouseDep, who: SignedInDep, number: int) -> Response:
    """Decide it by signature."""
    entry = await read_entry(request)
    try:
        ceremony = await signed(house, who, entry, meaning=DECIDED, kind=RecordKind.BANK_POLICY, ref=str(number))
        await once(banks.decide_policy(house, entry.call(who, part="act"), number=number, ceremony=ceremony))
    except Refusal as refusal:
        return await _policy(request, house, who, number, entry.again(refusal, prefix=SIGNING))
    return see(f"/banks/policies/{number}")


async def _policy(request: Request, house: House, who: SignedIn, number: int, form: FormView | None) -> Response:
    found = await banks.read_policy(house, who.actor, number=number)
    may_decide = may_sign(who, DECIDED) and found.state == "proposed"
    dialog = None
    if form is not None and may_decide:
        dialog = await to_sign(
            house,
            who,
            meaning=DECIDED,
            kind=RecordKind.BANK_POLICY,
            ref=str(number),
            action=f"/banks/policies/{number}/signature",
            here=f"/banks/policies/{number}",
            title=Text("You decide whether this process version works from a cell bank"),
            lines=_lines(found),
            form=form,
            is_open=True,
        )
    return await render(
        request,
        "banks/policy.html",
        status=form.status if form else 200,
        who=who,
        found=found,
        needed=NEEDED,
        state_marks=STATE_MARKS,
        may_decide=may_decide,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=DECIDED,
        **NAMES,
    )


def _lines(found: PolicyView) -> tuple[Text, ...]:
    return (
        Text("{process} version {version}", process=found.process, version=found.process_version),
        NEEDED["yes" if found.needed else "no"][0],
        Text("{reasons}", reasons=found.reasons),
    )


# -- one bank ----------------------------------------------------------------------------------------------------------


@router.get("/{code}")
async def show_bank(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """A bank with the map of its vials."""
    page = await banks.read_bank(house, who.actor, code=code)
    return await render(
        request,
        "banks/bank.html",
        who=who,
        bank=page.bank,
        vials=page.vials,
        may_withdraw=may(who.actor, Act.WITHDRAW_VIAL),
        may_store=may(who.actor, Act.STORE_VIALS),
        may_plan=may(who.actor, Act.PLAN_LOT),
        **NAMES,
    )


@router.get("/{code}/putting-away")
async def ask_place(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Which vials are put where."""
    require(who.actor, Act.STORE_VIALS)
    return await _putting(request, house, who, code, await blank(request))


@router.post("/{code}/putting-away")
async def put_away(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Put them there."""
    require(who.actor, Act.STORE_VIALS)
    entry = await read_entry(request)
    vials, place, at = entry.codes("vials"), entry.scanned("place"), entry.optional_moment("stored_at")
    if not vials and "vials" not in entry.problems:
        entry.problem("vials", Text("No vial was scanned."), Text("Scan each vial that is put there."))
    try:
        putting = banks.put_away(
            house,
            entry.call(who),
            bank=code,
            vials=tuple(dict.fromkeys(vials)),
            place=place,
            stored_at=at or datetime.now(UTC),
        )
        await once(putting)
    except Refusal as refusal:
        return await _putting(request, house, who, code, entry.again(refusal))
    return see(f"/banks/{code}")


async def _putting(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    page = await banks.read_bank(house, who.actor, code=code)
    return await render(request, "banks/putting_away.html", status=form.status, who=who, form=form, bank=page.bank)
