"""A lot that a partner makes: who makes it, the partner's papers and its steps, by form."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.db.steps import MaterialUse
from app.domain.acts import Act, may, require
from app.domain.errors import Refusal
from app.domain.facts import StepKind
from app.domain.lots import LotState
from app.domain.partners import COVERED_NAMES, PAPER_NAMES
from app.domain.passages import Counts
from app.domain.processing import STEP_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import partner_lots, partners
from app.services.house import House
from app.services.partner_lots import Paper, StepTold, Told
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render

router = APIRouter(route_class=PageRoute)
CodeDep = Annotated[str, Path(max_length=64)]
NAME = 120
MATERIALS = 6
"""Rows of materials on the form; a longer list is sent by a program."""
KINDS = (StepKind.ISOLATION, StepKind.PASSAGE, StepKind.FILL, StepKind.CRYOPRESERVATION)
STEPS = {each.value: STEP_NAMES[each] for each in KINDS}
SPEAKS = {"yes": Text("speaks for the lot"), "no": Text("speaks against it")}
ONE_DONOR = {"yes": Text("this donor's material alone"), "no": Text("another donor's as well"), "": Text("not said")}
WORDS: dict[str, Any] = {
    "paper_names": PAPER_NAMES,
    "covered_names": COVERED_NAMES,
    "step_names": STEPS,
    "speaks": SPEAKS,
    "one_donor": {each: name for each, name in ONE_DONOR.items() if each},
    "rows": range(MATERIALS),
}


@router.get("/lots/{code}/maker")
async def show_making(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Who makes the lot, with papers and steps; while it is planned, the form that names a partner."""
    return await _making_shown(request, house, who, code, await blank(request))


@router.post("/lots/{code}/maker")
async def name_maker(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Say that a partner makes the lot."""
    require(who.actor, Act.NAME_MAKER)
    entry = await read_entry(request)
    said = {each: entry.text(each, most=NAME) for each in ("partner", "lot_number", "process")}
    try:
        await once(partner_lots.name_maker(house, entry.call(who), lot=code, **said))
    except Refusal as refusal:
        return await _making_shown(request, house, who, code, entry.again(refusal))
    return see(f"/lots/{code}/maker")


@router.get("/lots/{code}/maker/paper")
async def new_paper(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The form for a partner's paper."""
    require(who.actor, Act.RECORD_PARTNER_PAPER)
    return await _shown(request, house, who, code, "partner_lots/paper.html", await blank(request))


@router.post("/lots/{code}/maker/paper")
async def keep_paper(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Record a partner's paper."""
    require(who.actor, Act.RECORD_PARTNER_PAPER)
    entry = await read_entry(request)
    paper = Paper(
        kind=entry.one_of("kind", PAPER_NAMES),
        reference=entry.text("reference", most=NAME),
        conforms=entry.one_of("conforms", SPEAKS) == "yes",
        covers=tuple(entry.several("covers", among=COVERED_NAMES)),
        signed_by=entry.text("signed_by", most=NAME),
        signed_at=entry.moment("signed_at"),
        file_name=entry.text("file_name"),
        file_sha256=entry.text("file_sha256", most=100).lower().replace(" ", ""),
    )
    try:
        await once(partner_lots.record_paper(house, entry.call(who), lot=code, paper=paper))
    except Refusal as refusal:
        return await _shown(request, house, who, code, "partner_lots/paper.html", entry.again(refusal))
    return see(f"/lots/{code}/maker")


@router.get("/lots/{code}/maker/step")
async def new_step(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The form for a step out of the partner's batch record."""
    require(who.actor, Act.RECORD_PARTNER_STEP)
    return await _shown(request, house, who, code, "partner_lots/step.html", await blank(request))


@router.post("/lots/{code}/maker/step")
async def keep_step(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Enter a step out of the partner's batch record."""
    require(who.actor, Act.RECORD_PARTNER_STEP)
    entry = await read_entry(request)
    step = _step(entry)
    filled = [row for row in range(MATERIALS) if entry.code(f"container{row}")]
    at = {f"materials.{number}.unit": f"unit{row}" for number, row in enumerate(filled)}
    try:
        await once(partner_lots.record_step(house, entry.call(who), lot=code, step=step))
    except Refusal as refusal:
        return await _shown(request, house, who, code, "partner_lots/step.html", entry.again(refusal, at=at))
    return see(f"/lots/{code}/maker")


# -- within ------------------------------------------------------------------------------------------------------------


def _step(entry: Entry) -> StepTold:
    alone = entry.one_of("one_donor", ONE_DONOR) if entry.optional("one_donor") else ""
    return StepTold(
        kind=StepKind(entry.one_of("kind", STEPS) or KINDS[0]),
        started_at=entry.moment("started_at"),
        ended_at=entry.moment("ended_at"),
        counts=Counts(
            entry.optional_amount("viable_seeded"),
            entry.optional_amount("viable_harvested"),
            entry.optional_amount("dead_harvested"),
        ),
        materials=tuple(_materials(entry)),
        vials=entry.optional_whole("vials", most=1000) or 0,
        volume_ml=entry.optional_amount("volume_ml", most=Decimal(1000)),
        viable_cells_per_vial=entry.optional_amount("viable_cells_per_vial"),
        place=entry.code("place"),
        told=Told(
            workstation=entry.optional("workstation", most=NAME),
            one_donor={"yes": True, "no": False}.get(alone),
            performed_by=entry.text("performed_by", most=NAME),
            verified_by=entry.optional("verified_by", most=NAME),
            verified_at=entry.optional_moment("verified_at"),
            cleared_at=entry.optional_moment("cleared_at"),
            cleared_by=entry.optional("cleared_by", most=NAME),
            clearance_verified_by=entry.optional("clearance_verified_by", most=NAME),
            clearance_verified_at=entry.optional_moment("clearance_verified_at"),
            page=entry.text("page", most=NAME),
        ),
    )


def _materials(entry: Entry) -> list[MaterialUse]:
    uses: list[MaterialUse] = []
    for row in range(MATERIALS):
        container = entry.code(f"container{row}")
        if container:
            if container in {each.container for each in uses}:
                twice = Text("{name} stands here twice.", name=container)
                entry.problem(f"container{row}", twice, Text("Write it once."))
            uses.append(MaterialUse(container, entry.amount(f"quantity{row}"), entry.text(f"unit{row}", most=NAME)))
    return uses


async def _making_shown(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    found = await partner_lots.read_making(house, who.actor, lot=code)
    may_name = found.maker is None and found.state is LotState.PLANNED and may(who.actor, Act.NAME_MAKER)
    listed = await partners.list_partners(house, who.actor) if may_name else ()
    return await render(
        request,
        "partner_lots/lot.html",
        status=form.status,
        who=who,
        found=found,
        form=form if may_name else None,
        refusal=form.refusal if not may_name else None,
        partners={each.name: Text("{name}", name=each.name) for each in listed if each.kind == "preparation"},
        may_paper=found.maker is not None and may(who.actor, Act.RECORD_PARTNER_PAPER),
        may_step=found.maker is not None
        and found.state in {LotState.PLANNED, LotState.IN_PROCESS}
        and may(who.actor, Act.RECORD_PARTNER_STEP),
        **WORDS,
    )


async def _shown(request: Request, house: House, who: SignedIn, code: str, template: str, form: FormView) -> Response:
    found = await partner_lots.read_making(house, who.actor, lot=code)
    return await render(request, template, status=form.status, who=who, found=found, form=form, **WORDS)
