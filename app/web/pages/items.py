"""Items: anything that carries a label, found by scanning or typing; what it is, where, and what may be done with it."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import ACT_NAMES, Act, may, require
from app.domain.errors import NotFound, Refusal
from app.domain.lots import LotAct
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import equipment, items
from app.services.house import House
from app.services.items import ItemPage, ToldView
from app.web.doings import ways
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.pages.lots import CONTAINER_STATES, RETAIN_NAMES
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from app.web.telling import MOVED

router = APIRouter(prefix="/items", route_class=PageRoute)
PAGE = 50
TYPED_MOST = 300

EQUIPMENT_KINDS = {
    "workstation": Text("Workstation"),
    "incubator": Text("Incubator"),
    "freezer": Text("Freezer"),
    "tank": Text("Nitrogen tank"),
    "segregated_storage": Text("Storage set apart for infectious or untested material"),
    "balance": Text("Balance"),
    "cell_counter": Text("Cell counter"),
    "shelf": Text("Shelf"),
    "position": Text("Position"),
    "other": Text("Other equipment"),
}
SCHEMES = {"own": Text("our code"), "din": Text("donation number (DIN)"), "supplier": Text("supplier's code")}
TABLES = {
    "lab.items": Text("item"),
    "lab.persons": Text("person"),
    "lab.donors": Text("donor"),
    "lab.donations": Text("donation"),
    "lab.lots": Text("lot"),
    "lab.material_lots": Text("material lot"),
    "lab.containers": Text("container"),
    "lab.samples": Text("sample"),
    "lab.retains": Text("retain"),
    "lab.equipment": Text("equipment"),
    "lab.labels": Text("label"),
    "lab.holds": Text("hold"),
    "lab.deviations": Text("deviation"),
}
STEPS = {
    "isolation": Text("isolation"),
    "passage": Text("passage"),
    "fill": Text("fill"),
    "cryopreservation": Text("cryopreservation"),
    "thaw": Text("thaw"),
}
RELATIONS = {"autologous": Text("autologous"), "allogeneic": Text("allogeneic")}


@router.get("")
async def find(
    request: Request, house: HouseDep, who: SignedInDep, q: str = "", kind: str = "", after: str | None = None
) -> Response:
    """Find what was scanned or typed and go there; without anything to find, list the equipment."""
    typed = q[:TYPED_MOST]
    refusal: Refusal | None = None
    if typed.strip():
        try:
            return see(f"/items/{await items.find_item(house, who.actor, raw=typed)}")
        except Refusal as found:
            refusal = found
            require(who.actor, Act.READ_ITEM)
    chosen = kind if kind in EQUIPMENT_KINDS else None
    listed = await items.list_equipment(house, who.actor, kind=chosen, after=after, limit=PAGE)
    return await render(
        request,
        "items/find.html",
        status=refusal.status if refusal else 200,
        who=who,
        q=typed,
        refusal=refusal,
        found=listed,
        chosen=chosen,
        kinds=EQUIPMENT_KINDS,
        next=listed[-1].code if len(listed) == PAGE else None,
        may_define=may(who.actor, Act.DEFINE_EQUIPMENT),
    )


@router.get("/new")
async def ask_equipment(request: Request, who: SignedInDep) -> Response:
    """Ask for a piece of equipment, a shelf or a position."""
    require(who.actor, Act.DEFINE_EQUIPMENT)
    return await _defining(request, who, await blank(request, kind="workstation"))


@router.post("/new")
async def define_equipment(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Name it and give it a code."""
    entry = await read_entry(request)
    name, kind, room = entry.text("name", most=200), entry.one_of("kind", EQUIPMENT_KINDS), entry.text("room", most=200)
    try:
        made = await once(equipment.define_equipment(house, entry.call(who), name=name, kind=kind, room=room))
    except Refusal as refusal:
        return await _defining(request, who, entry.again(refusal))
    return see(f"/items/{made['code']}")


async def _defining(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(request, "items/new.html", status=form.status, who=who, form=form, kinds=EQUIPMENT_KINDS)


@router.get("/{code}")
async def show_item(
    request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, before: int | None = None
) -> Response:
    """One item."""
    page = await _page(house, who, code, before=before)
    entries = page.entries or ()
    return await render(
        request,
        "items/item.html",
        who=who,
        page=page,
        item=page.item,
        facts=_facts(page),
        ways=ways(request, who.actor, page.item),
        told=[(each, _says(each)) for each in page.told],
        entries=page.entries,
        entry_names={each.value: name for each, name in ACT_NAMES.items()},
        older=entries[-1].number if len(entries) == items.TOLD_MOST else None,
        tables=TABLES,
        schemes=SCHEMES,
        item_names=KIND_NAMES,
        container_states=CONTAINER_STATES,
    )


async def _page(house: House, who: SignedIn, code: str, *, before: int | None) -> ItemPage:
    """The item of our own code; any other code or name in the address leads to it as a search would."""
    within = before if before is not None and 0 < before < 2**62 else None
    try:
        return await items.read_page(house, who.actor, code=code, before=within)
    except NotFound:
        found = await items.find_item(house, who.actor, raw=code)
        return await items.read_page(house, who.actor, code=found, before=within)


def _facts(page: ItemPage) -> list[tuple[Text, Any, str]]:
    """What is known of the item: name, value, and how the value is shown."""
    detail, item = page.detail, page.item
    rows: list[tuple[Text, Any, str]] = [
        (Text("Donor"), item.donor, "code"),
        (Text("Relation"), RELATIONS.get(detail.relation or ""), "text"),
        (Text("Tissue"), detail.tissue, "text"),
        (Text("Collected"), detail.collected_at, "moment"),
        (Text("Received"), detail.received_at, "moment"),
        (Text("Passage"), None if item.passage is None else f"P{item.passage}", "text"),
        (Text("Volume"), detail.volume_ml, "mL"),
        (Text("Viable cells"), detail.viable_cells, "number"),
        (Text("Material"), detail.material, "text"),
        (Text("Supplier's lot"), detail.supplier_lot, "text"),
        (Text("Expires on"), detail.expires_on, "text"),
        (Text("Open until"), item.opened_until, "moment"),
        (Text("Purpose"), detail.purpose, "text"),
        (Text("Retain"), RETAIN_NAMES.get(detail.retain_kind or ""), "text"),
        (Text("Quantity"), detail.quantity, detail.unit or "number"),
        (Text("Taken at"), detail.taken_at, "moment"),
        (Text("Room"), detail.room, "text"),
        (Text("Labels printed"), item.labels, "text"),
        (Text("Recorded"), item.recorded_at, "moment"),
    ]
    return [(name, value, how) for name, value, how in rows if value is not None]


def _says(told: ToldView) -> Text:
    detail = told.detail
    match told.what:
        case "made":
            return _step(detail) if detail.get("step") else Text("Made")
        case "into":
            return _step(detail)
        case "used":
            amount = " ".join(str(part) for part in (detail.get("quantity"), detail.get("unit")) if part)
            return Text("Used for {lot}: {amount}", lot=detail["lot"], amount=amount or "–")
        case "label":
            return (
                Text("Label printed again: {reason}", reason=detail.get("reason") or "–")
                if detail.get("again")
                else Text("Label printed")
            )
        case "moved":
            return MOVED[LotAct(detail["act"])]
        case "hold":
            return Text("Hold placed: {reason}", reason=detail["reason"])
        case "hold_lifted":
            return Text("Hold lifted: {reason}", reason=detail["reason"])
        case "deviation":
            return Text("Deviation {number}: {what}", number=detail["number"], what=detail["what"])
        case "sampled":
            return Text("Sample {code} taken from it", code=detail["code"])
        case "retained":
            return Text("Retain {code} kept of it", code=detail["code"])
        case what:
            return PLAINLY.get(what, Text("{what}", what=what))


PLAINLY: Mapping[str, Text] = {
    "received": Text("Received"),
    "taken": Text("Taken"),
    "defined": Text("Defined"),
    "registered": Text("Registered"),
}


def _step(detail: Mapping[str, Any]) -> Text:
    name: Text | str = STEPS.get(detail["step"], detail["step"])
    step = name if detail.get("passage") is None else Text("{step} P{passage}", step=name, passage=detail["passage"])
    if "lot" in detail:
        return Text("Went into {step} of {lot}", step=step, lot=detail["lot"])
    return Text("Made by {step}", step=step)
