"""Equipment: what there is, what is due, and the record of what was done to each piece."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.equipment import KIND_NAMES, Trouble, Unfit
from app.domain.errors import Refusal
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import equipment
from app.services.equipment import LOOKED_AFTER, Qualified
from app.services.house import House
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.pages.items import EQUIPMENT_KINDS
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render

router = APIRouter(prefix="/equipment", route_class=PageRoute)

STATE_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "unfit": ("stop", "hand-stop", Text("not fit")),
    "due_soon": ("wait", "clock", Text("due soon")),
    "fit": ("go", "check", Text("fit")),
    "not_asked": ("na", "minus", Text("nothing is asked")),
}
OUTCOMES: Mapping[str, Text] = {"passed": Text("passed"), "failed": Text("failed: not fit")}
AS_FOUND: Mapping[str, Text] = {
    "yes": Text("in tolerance as it was found"),
    "no": Text("out of tolerance as it was found"),
}


@router.get("")
async def list_equipment(request: Request, house: HouseDep, who: SignedInDep, kind: str = "") -> Response:
    """What is not fit first, then what is due first."""
    kinds = {each: EQUIPMENT_KINDS[each] for each in LOOKED_AFTER}
    chosen = kind if kind in kinds else None
    found = await equipment.list_equipment(house, who.actor, kind=chosen)
    return await render(
        request,
        "equipment/list.html",
        who=who,
        found=[(each, [_against(one) for one in each.against]) for each in found],
        kinds=kinds,
        chosen=chosen,
        state_marks=STATE_MARKS,
        may_define=may(who.actor, Act.DEFINE_EQUIPMENT),
    )


@router.get("/{code}")
async def show_equipment(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """One piece: how it stands, everything that was done to it, and the form for what was done now."""
    return await _shown(request, house, who, code, await blank(request))


@router.post("/{code}/qualifications")
async def qualify(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Record what was done."""
    require(who.actor, Act.QUALIFY_EQUIPMENT)
    entry = await read_entry(request)
    given = _given(entry)
    try:
        await once(equipment.qualify_equipment(house, entry.call(who), code=code, qualified=given))
    except Refusal as refusal:
        return await _shown(request, house, who, code, entry.again(refusal, at={"as_found_in_tolerance": "as_found"}))
    return see(f"/equipment/{code}")


def _given(entry: Entry) -> Qualified:
    as_found = entry.one_of("as_found", AS_FOUND) if entry.optional("as_found") else None
    return Qualified(
        kind=entry.one_of("kind", KIND_NAMES),
        done_on=entry.day("done_on"),
        due_on=entry.optional_day("due_on", ahead=True),
        outcome=entry.one_of("outcome", OUTCOMES),
        as_found_in_tolerance=None if as_found is None else as_found == "yes",
        evidence=entry.text("evidence"),
        done_by=entry.text("done_by", most=120),
    )


async def _shown(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    piece = await equipment.read_equipment(house, who.actor, code=code)
    return await render(
        request,
        "equipment/piece.html",
        status=form.status,
        who=who,
        piece=piece,
        against=[_against(each) for each in piece.against],
        form=form if may(who.actor, Act.QUALIFY_EQUIPMENT) else None,
        kinds=EQUIPMENT_KINDS,
        kind_names=KIND_NAMES,
        outcomes=OUTCOMES,
        as_found=AS_FOUND,
        state_marks=STATE_MARKS,
    )


def _against(each: Unfit) -> Text:
    what = KIND_NAMES.get(each.kind, Text("{kind}", kind=each.kind))
    match each.trouble:
        case Trouble.NEVER:
            return Text("{what}: never recorded", what=what)
        case Trouble.OVERDUE:
            return Text("{what}: was due on {day}", what=what, day=each.due_on or "")
        case Trouble.FAILED:
            return Text("{what}: the last one found it unfit", what=what)
