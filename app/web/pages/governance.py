"""Rule packs, chosen by signature, and authorities' written replies, filed by form."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import NotFound, Refusal
from app.domain.packs import PACKS
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.rules import BY_ID
from app.services import governance
from app.services.governance import REPLY_RULES, PackProposalView, PacksView, Reply
from app.services.house import House
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.pages.settings import COLUMN_NAMES, in_words
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign
from app.web.sources import SOURCE_NAMES

router = APIRouter(prefix="/rules", route_class=PageRoute)
SIGNING = "sign-"
CHOSEN = Meaning.PACK_APPROVED
PAGE = 50
SHA256_LENGTH = 64
RULINGS: Mapping[str, tuple[str, str, Text]] = {
    "permits": ("go", "check", Text("permits it")),
    "refuses": ("stop", "x", Text("refuses it")),
    "undecided": ("wait", "hourglass", Text("does not decide it")),
}
Numbered = Annotated[int, Path(ge=1, le=9_223_372_036_854_775_807)]


@router.get("/packs")
async def list_packs(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Which pack judges this house, and which there are."""
    found = await governance.read_packs(house, who.actor)
    return await render(
        request,
        "governance/packs.html",
        who=who,
        found=found,
        may_propose=may(who.actor, Act.PROPOSE_PACK),
        source_names=SOURCE_NAMES,
        column_names=COLUMN_NAMES,
        in_words=in_words,
    )


@router.get("/packs/new")
async def new_pack(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """The form."""
    require(who.actor, Act.PROPOSE_PACK)
    return await _new_pack_shown(request, house, who, await blank(request))


@router.post("/packs/new")
async def propose_pack(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Propose by whose rules the house is judged."""
    require(who.actor, Act.PROPOSE_PACK)
    entry = await read_entry(request)
    pack, why = entry.one_of("pack", tuple(PACKS)), entry.prose("why")
    try:
        made = await once(governance.propose_pack(house, entry.call(who), pack=pack, why=why))
    except Refusal as refusal:
        return await _new_pack_shown(request, house, who, entry.again(refusal))
    return see(f"/rules/packs/proposals/{made['proposal']}")


@router.get("/packs/proposals/{proposal}")
async def show_pack_proposal(request: Request, house: HouseDep, who: SignedInDep, proposal: Numbered) -> Response:
    """A pack that waits: what it would mean, and where it is signed."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, CHOSEN) else None
    return await _pack_shown(request, house, who, proposal, form)


@router.post("/packs/proposals/{proposal}/choice")
async def choose_pack(request: Request, house: HouseDep, who: SignedInDep, proposal: Numbered) -> Response:
    """Choose it by signature."""
    entry = await read_entry(request)
    try:
        ceremony = await signed(house, who, entry, meaning=CHOSEN, kind=RecordKind.PACK, ref=str(proposal))
        await once(governance.choose_pack(house, entry.call(who, part="act"), proposal=proposal, ceremony=ceremony))
    except Refusal as refusal:
        return await _pack_shown(request, house, who, proposal, entry.again(refusal, prefix=SIGNING))
    return see("/rules/packs")


@router.get("/replies")
async def list_replies(request: Request, house: HouseDep, who: SignedInDep, after: int | None = None) -> Response:
    """Authorities' written replies, the last filed first."""
    found = await governance.list_replies(house, who.actor, after=after, limit=PAGE)
    return await render(
        request,
        "governance/replies.html",
        who=who,
        found=found,
        rulings=RULINGS,
        next=found[-1].reply if len(found) == PAGE else None,
        may_file=may(who.actor, Act.RECORD_AUTHORITY_REPLY),
    )


@router.get("/replies/new")
async def new_reply(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """The form."""
    require(who.actor, Act.RECORD_AUTHORITY_REPLY)
    return await _new_reply_shown(request, house, who, await blank(request, rule=REPLY_RULES[0]))


@router.post("/replies/new")
async def file_reply(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """File a reply."""
    require(who.actor, Act.RECORD_AUTHORITY_REPLY)
    entry = await read_entry(request)
    processes = await _processes(house, who)
    chosen = entry.one_of("process", tuple(processes))
    name, _, version = chosen.rpartition(" ")
    sha256 = entry.text("file_sha256", most=SHA256_LENGTH * 2).lower().replace(" ", "")
    if len(sha256) != SHA256_LENGTH or set(sha256) - set("0123456789abcdef"):
        entry.problem(
            "file_sha256",
            Text("It is no SHA-256: 64 digits and letters from a to f."),
            Text("Have the file's SHA-256 computed, and paste it here."),
        )
    reply: dict[str, Any] = {
        "authority": entry.text("authority"),
        "reference": entry.text("reference"),
        "dated": entry.day("dated"),
        "rule": entry.one_of("rule", REPLY_RULES),
        "process": name,
        "process_version": int(version) if version else 0,
        "question": entry.prose("question"),
        "answer": entry.prose("answer"),
        "ruling": entry.one_of("ruling", tuple(RULINGS)),
        "file_name": entry.text("file_name"),
        "file_sha256": sha256,
        "file_place": entry.text("file_place"),
    }
    try:
        made = await once(governance.file_reply(house, entry.call(who), reply=Reply(**reply)))
    except Refusal as refusal:
        return await _new_reply_shown(request, house, who, entry.again(refusal))
    return see(f"/rules/replies/{made['reply']}")


@router.get("/replies/{reply}")
async def show_reply(request: Request, house: HouseDep, who: SignedInDep, reply: Numbered) -> Response:
    """One reply in full."""
    found = await governance.read_reply(house, who.actor, reply=reply)
    return await render(request, "governance/reply.html", who=who, found=found, rulings=RULINGS)


# -- within ------------------------------------------------------------------------------------------------------------


async def _processes(house: House, who: SignedIn) -> dict[str, Text]:
    found = await governance.known_processes(house, who.actor)
    return {
        f"{name} {version}": Text("{name} version {version}", name=name, version=version) for name, version in found
    }


async def _new_reply_shown(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "governance/new_reply.html",
        status=form.status,
        who=who,
        form=form,
        processes=await _processes(house, who),
        rules={each: BY_ID[each].title for each in REPLY_RULES if each in BY_ID},
        rulings={value: name for value, (_, _, name) in RULINGS.items()},
    )


async def _new_pack_shown(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    found = await governance.read_packs(house, who.actor)
    return await render(
        request,
        "governance/new_pack.html",
        status=form.status,
        who=who,
        form=form,
        chosen=found.chosen,
        choices={
            each.id: (Text("{name}", name=each.id), each.title) for each in found.packs if each.id != found.chosen
        },
    )


async def _pack_shown(request: Request, house: House, who: SignedIn, number: int, form: FormView | None) -> Response:
    found = await governance.read_packs(house, who.actor)
    proposal = next((each for each in found.proposals if each.proposal == number), None)
    if proposal is None and form is None:
        raise NotFound(
            what=Text("There is no proposal {number}.", number=number),
            why=Text("It was signed already, or nothing of this number was proposed."),
            remedy=Text("Look at the rule packs."),
        )
    may_choose = may_sign(who, CHOSEN) and proposal is not None
    dialog = await _dialog(house, who, found, proposal, form) if form and may_choose and proposal else None
    return await render(
        request,
        "governance/pack_proposal.html",
        status=form.status if form else 200,
        who=who,
        found=found,
        proposal=proposal,
        pack=next((each for each in found.packs if proposal and each.id == proposal.pack), None),
        may_choose=may_choose,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=CHOSEN,
        source_names=SOURCE_NAMES,
        column_names=COLUMN_NAMES,
        in_words=in_words,
    )


async def _dialog(
    house: House, who: SignedIn, found: PacksView, proposal: PackProposalView, form: FormView
) -> SignDialog:
    here = f"/rules/packs/proposals/{proposal.proposal}"
    pack = PACKS.get(proposal.pack)
    warning = (
        ()
        if pack is None or pack.complete
        else (Text("This rule pack is a skeleton: every gate of this house closes until another is chosen."),)
    )
    return await to_sign(
        house,
        who,
        meaning=CHOSEN,
        kind=RecordKind.PACK,
        ref=str(proposal.proposal),
        action=f"{here}/choice",
        here=here,
        title=Text("You choose the rule pack of this house"),
        lines=(
            Text("{old} → {new}", old=found.chosen or Text("none chosen"), new=proposal.pack),
            *((pack.title,) if pack else ()),
            *warning,
            Text("Proposed by {by}: {why}", by=proposal.proposed_by, why=proposal.why),
        ),
        form=form,
        is_open=True,
    )
