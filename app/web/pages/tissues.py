"""Tissues: what each is to the rules, proposed by form, decided by the quality authority's signature."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import NotFound, Refusal
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import tissues
from app.services.house import House
from app.services.tissues import TissueView
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/tissues", route_class=PageRoute)
NAME = 120
SIGNING = "sign-"
DECIDED = Meaning.TISSUE_DECIDED

STATE_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "proposed": ("wait", "hourglass", Text("waits for the decision")),
    "decided": ("go", "check", Text("decided")),
    "superseded": ("na", "minus", Text("superseded")),
}
RICH: Mapping[str, tuple[Text, Text]] = {
    "yes": (Text("Rich in leukocytes"), Text("Given for others, HTLV, CMV and EBV are tested too.")),
    "no": (Text("Not rich in leukocytes"), Text("HTLV, CMV and EBV are not asked for.")),
}
ORIGIN: Mapping[str, tuple[Text, Text]] = {
    "birth": (Text("Comes of a birth"), Text("Cord, placenta, amnion: the mother is tested, the infant is linked.")),
    "other": (Text("Does not come of a birth"), Text("The person who gives is the person tested.")),
}


@router.get("")
async def list_tissues(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Every version by name, the newest of each first."""
    found = await tissues.list_tissues(house, who.actor)
    return await render(
        request,
        "tissues/list.html",
        who=who,
        found=found,
        state_marks=STATE_MARKS,
        may_propose=may(who.actor, Act.PROPOSE_TISSUE),
    )


@router.get("/new")
async def new_tissue(request: Request, house: HouseDep, who: SignedInDep, after: str = "") -> Response:
    """What a tissue is; `after` a version that this one would replace."""
    require(who.actor, Act.PROPOSE_TISSUE)
    last = await _last(house, who, after) if after else None
    said = {"name": last.name, "name_zh": last.name_zh, "reason": last.reason} if last else {}
    return await _new_shown(request, who, await blank(request, **said))


@router.post("/new")
async def propose(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Propose it."""
    require(who.actor, Act.PROPOSE_TISSUE)
    entry = await read_entry(request)
    name, name_zh = entry.text("name", most=NAME), entry.text("name_zh", most=NAME)
    rich, origin, reason = entry.one_of("rich", RICH), entry.one_of("origin", ORIGIN), entry.prose("reason")
    try:
        made = await once(
            tissues.propose_tissue(
                house,
                entry.call(who),
                name=name,
                name_zh=name_zh,
                leukocyte_rich=rich == "yes",
                birth_tissue=origin == "birth",
                reason=reason,
            )
        )
    except Refusal as refusal:
        return await _new_shown(request, who, entry.again(refusal))
    return see(f"/tissues/{made['tissue']}")


@router.get("/{number}")
async def show_tissue(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """One version, and the others of its name."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, DECIDED) else None
    return await _shown(request, house, who, number, form)


@router.post("/{number}/decision")
async def decide(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Decide it by signature."""
    entry = await read_entry(request)
    tissue = (await _last(house, who, number)).tissue
    try:
        ceremony = await signed(house, who, entry, meaning=DECIDED, kind=RecordKind.TISSUE_TYPE, ref=str(tissue))
        await once(tissues.decide_tissue(house, entry.call(who, part="act"), tissue=tissue, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, number, entry.again(refusal, prefix=SIGNING))
    return see(f"/tissues/{tissue}")


# -- within ------------------------------------------------------------------------------------------------------------


async def _last(house: House, who: SignedIn, number: str) -> TissueView:
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise NotFound(
            what=Text("There is no tissue {ref}.", ref=number[:40]),
            why=Text("No tissue was proposed under this number."),
            remedy=Text("Choose one of the list of tissues."),
        )
    return await tissues.read_tissue(house, who.actor, tissue=int(number))


async def _new_shown(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(request, "tissues/new.html", status=form.status, who=who, form=form, rich=RICH, origin=ORIGIN)


async def _shown(request: Request, house: House, who: SignedIn, number: str, form: FormView | None) -> Response:
    tissue = await _last(house, who, number)
    may_decide = may_sign(who, DECIDED) and tissue.state == "proposed"
    dialog = await _dialog(house, who, tissue, form) if form is not None and may_decide else None
    return await render(
        request,
        "tissues/tissue.html",
        status=form.status if form else 200,
        who=who,
        tissue=tissue,
        rich=RICH["yes" if tissue.leukocyte_rich else "no"],
        origin=ORIGIN["birth" if tissue.birth_tissue else "other"],
        state_marks=STATE_MARKS,
        may_decide=may_decide,
        may_propose=may(who.actor, Act.PROPOSE_TISSUE),
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=DECIDED,
    )


async def _dialog(house: House, who: SignedIn, tissue: TissueView, form: FormView) -> SignDialog:
    return await to_sign(
        house,
        who,
        meaning=DECIDED,
        kind=RecordKind.TISSUE_TYPE,
        ref=str(tissue.tissue),
        action=f"/tissues/{tissue.tissue}/decision",
        here=f"/tissues/{tissue.tissue}",
        title=Text("You decide what this tissue is"),
        lines=(
            Text(
                "{name} ({name_zh}), version {version}",
                name=tissue.name,
                name_zh=tissue.name_zh,
                version=tissue.version,
            ),
            RICH["yes" if tissue.leukocyte_rich else "no"][0],
            ORIGIN["birth" if tissue.birth_tissue else "other"][0],
            Text("Proposed by {by}: {reason}", by=tissue.proposed_by, reason=tissue.reason),
        ),
        form=form,
        is_open=True,
    )
