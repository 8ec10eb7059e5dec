"""What is done with a lot from its own pages: planned, moved, rejected by signature, sampled, retained from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import ACT_NAMES, Act, Meaning, RecordKind, require
from app.domain.cell_banks import TIER_NAMES
from app.domain.errors import Refusal
from app.domain.lots import STATE_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import lots, processes, samples, specifications
from app.services.house import House
from app.services.lots import LotHead, Version
from app.services.samples import RetainKind
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.pages.lots import LOT_KINDS
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from app.web.signing import signed, to_sign

router = APIRouter(prefix="/lots", route_class=PageRoute)
VERSIONS_SHOWN = 200
UNITS = {"mL": "mL", "vial": Text("vial"), "flask": Text("flask"), "g": "g"}
RETAIN_KINDS = {"starting_material": Text("Starting material"), "final_product": Text("Final product")}
PREPARATION = "preparation"
MADE: dict[str, Text] = {PREPARATION: Text("preparation"), **TIER_NAMES}
NAMES: dict[str, Any] = {"state_names": STATE_NAMES, "kind_names": LOT_KINDS}


# -- plan --------------------------------------------------------------------------------------------------------------


@router.get("/new")
async def ask_plan(request: Request, house: HouseDep, who: SignedInDep, donation: str = "", bank: str = "") -> Response:
    """Ask what is to be made of which donation or bank."""
    require(who.actor, Act.PLAN_LOT)
    return await _planning(
        request, house, who, await blank(request, donation=donation[:64] or None, bank=bank[:64] or None)
    )


@router.post("/new")
async def plan(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Plan a preparation or a bank."""
    entry = await read_entry(request)
    donation, bank, recipient = entry.code("donation"), entry.code("bank"), entry.code("recipient")
    tier = entry.one_of("makes", MADE) if "makes" in entry.names() else PREPARATION
    process, specification = _version(entry, "process"), _version(entry, "specification")
    try:
        made = await once(
            lots.plan_lot(
                house,
                entry.call(who),
                process=process,
                specification=specification,
                donation=donation,
                recipient=recipient,
                bank=bank,
                tier=None if tier == PREPARATION else tier,
            )
        )
    except Refusal as refusal:
        return await _planning(request, house, who, entry.again(refusal))
    return see(f"/lots/{made['code']}")


async def _planning(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    made = await processes.list_processes(house, who.actor, after=None, limit=VERSIONS_SHOWN)
    tested = await specifications.list_specifications(house, who.actor, after=None, limit=VERSIONS_SHOWN)
    return await render(
        request,
        "lots/new.html",
        status=form.status,
        who=who,
        form=form,
        made=MADE,
        preparation=PREPARATION,
        processes={
            f"{each.version}:{each.name}": Text(
                "{name} v{version} · {product}", name=each.name, version=each.version, product=each.product
            )
            for each in reversed(made)
        },
        specifications={
            f"{each.version}:{each.name}": Text("{name} v{version}", name=each.name, version=each.version)
            for each in reversed(tested)
        },
    )


def _version(entry: Entry, name: str) -> Version:
    number, _, called = entry.text(name).partition(":")
    if not (number.isascii() and number.isdigit() and len(number) < 7 and called):
        if name not in entry.problems:
            entry.problem(name, Text("It is none of the choices."), Text("Choose one of the list."))
        return Version("", 0)
    return Version(called, int(number))


# -- moves -------------------------------------------------------------------------------------------------------------


class Move(StrEnum):
    """A move that a page asks for, as its address names it."""

    SUBMIT = "submit"
    SEND_BACK = "send-back"
    RECALL = "recall"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page of a move says, and whether it wants a reason."""

    act: Act
    says: Text
    wants_reason: bool
    tone: str = "primary"


MOVES = {
    Move.SUBMIT: Asked(Act.SUBMIT_LOT, Text("It goes before the quality authority; work on it is done."), False),
    Move.SEND_BACK: Asked(Act.SEND_LOT_BACK, Text("It goes back to quarantine and is not released now."), True),
    Move.RECALL: Asked(
        Act.RECALL_LOT, Text("Nothing of it may be used from now on. A recalled lot never returns."), True
    ),
    Move.DESTROY: Asked(
        Act.DESTROY_LOT, Text("Every container of it that is still there is recorded as destroyed."), True
    ),
}


@router.get("/{code}/moves/{move}")
async def ask_move(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, move: Move) -> Response:
    """Ask before a lot is moved."""
    require(who.actor, MOVES[move].act)
    head = await lots.read_head(house, who.actor, code=code)
    return await _moving(request, who, head, move, await blank(request, shown=head.version))


@router.post("/{code}/moves/{move}")
async def make_move(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, move: Move) -> Response:
    """Move a lot, as it stood when the page was read."""
    entry = await read_entry(request)
    shown = entry.whole("shown", most=10**6)
    reason = entry.prose("reason") if MOVES[move].wants_reason else ""
    try:
        call = entry.call(who)
        match move:
            case Move.SUBMIT:
                await once(lots.submit(house, call, lot=code, shown=shown))
            case Move.SEND_BACK:
                await once(lots.send_back(house, call, lot=code, shown=shown, reason=reason))
            case Move.RECALL:
                await once(lots.recall(house, call, lot=code, shown=shown, reason=reason))
            case Move.DESTROY:
                await once(lots.destroy(house, call, lot=code, shown=shown, reason=reason))
    except Refusal as refusal:
        head = await lots.read_head(house, who.actor, code=code)
        return await _moving(request, who, head, move, entry.again(refusal))
    return see(f"/lots/{code}")


async def _moving(request: Request, who: SignedIn, head: LotHead, move: Move, form: FormView) -> Response:
    # After a refusal the person has the lot as it stands now before them, and may decide on that.
    form.values["shown"] = [str(head.version)]
    asked = MOVES[move]
    return await render(
        request,
        "lots/move.html",
        status=form.status,
        who=who,
        lot=head,
        form=form,
        asked=asked,
        move=move.value,
        name=ACT_NAMES[asked.act],
        **NAMES,
    )


# -- rejection ---------------------------------------------------------------------------------------------------------


@router.get("/{code}/rejection")
async def ask_rejection(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Ask for the signature that rejects a lot."""
    require(who.actor, Act.REJECT_LOT)
    return await _rejecting(request, house, who, code, await blank(request, prefix="sign-"))


@router.post("/{code}/rejection")
async def reject(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Reject a lot by signature; the reason is part of what is signed."""
    entry = await read_entry(request)
    reason = entry.prose("reason")
    try:
        ceremony = await signed(
            house, who, entry, meaning=Meaning.REJECTED, kind=RecordKind.LOT, ref=code, statement=reason
        )
        await once(lots.reject(house, entry.call(who, part="act"), lot=code, ceremony=ceremony))
    except Refusal as refusal:
        return await _rejecting(request, house, who, code, entry.again(refusal, prefix="sign-"))
    return see(f"/lots/{code}")


async def _rejecting(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    head = await lots.read_head(house, who.actor, code=code)
    dialog = await to_sign(
        house,
        who,
        meaning=Meaning.REJECTED,
        kind=RecordKind.LOT,
        ref=code,
        action=f"/lots/{code}/rejection",
        here=f"/lots/{code}",
        title=Text("You reject {lot}", lot=head.name),
        lines=(
            Text(
                "{lot} of donor {donor} is {state}.",
                lot=head.name,
                donor=head.donor or "–",
                state=STATE_NAMES[head.state],
            ),
            Text("A rejected lot is never used and never comes back; it can only be destroyed."),
        ),
        submit=Text("Sign and reject"),
        form=form,
        is_open=True,
    )
    return await render(request, "lots/rejection.html", status=form.status, who=who, lot=head, dialog=dialog, **NAMES)


# -- samples and retains -----------------------------------------------------------------------------------------------


@router.get("/{code}/sample")
async def ask_sample(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Ask what a sample is taken from."""
    require(who.actor, Act.TAKE_SAMPLE)
    source = request.query_params.get("from", "")[:64] or None
    form = await blank(request, source=source, purpose="release testing")
    return await _taking(request, house, who, code, "lots/sample.html", form)


@router.post("/{code}/sample")
async def take_sample(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Take a QC sample."""
    entry = await read_entry(request)
    source, purpose, taken_at = entry.scanned("source"), entry.text("purpose"), entry.optional_moment("taken_at")
    try:
        made = await once(
            samples.take_sample(house, entry.call(who), lot=code, source=source, purpose=purpose, taken_at=taken_at)
        )
    except Refusal as refusal:
        return await _taking(request, house, who, code, "lots/sample.html", entry.again(refusal))
    return see(f"/items/{made['code']}")


@router.get("/{code}/retain")
async def ask_retain(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Ask what a retain is kept of."""
    require(who.actor, Act.TAKE_RETAIN)
    form = await blank(request, source=request.query_params.get("from", "")[:64] or None, quantity="1", unit="vial")
    return await _taking(request, house, who, code, "lots/retain.html", form)


@router.post("/{code}/retain")
async def take_retain(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Keep a retain."""
    entry = await read_entry(request)
    source, place, taken_at = entry.scanned("source"), entry.text("place"), entry.optional_moment("taken_at")
    quantity, unit = entry.amount("quantity"), entry.one_of("unit", UNITS)
    chosen = entry.one_of("kind", RETAIN_KINDS)
    kind: RetainKind = next(each for each in get_args(RetainKind) if each == chosen or not chosen)
    try:
        made = await once(
            samples.take_retain(
                house,
                entry.call(who),
                lot=code,
                source=source,
                kind=kind,
                quantity=quantity,
                unit=unit,
                place=place,
                taken_at=taken_at,
            )
        )
    except Refusal as refusal:
        return await _taking(request, house, who, code, "lots/retain.html", entry.again(refusal))
    return see(f"/items/{made['code']}")


async def _taking(request: Request, house: House, who: SignedIn, code: str, template: str, form: FormView) -> Response:
    head = await lots.read_head(house, who.actor, code=code)
    return await render(
        request,
        template,
        status=form.status,
        who=who,
        lot=head,
        form=form,
        units=UNITS,
        retain_kinds=RETAIN_KINDS,
        **NAMES,
    )
