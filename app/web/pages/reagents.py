"""Reagents prepared in house: recipes by version, the preparation at the bench, and the second person."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.errors import Refusal
from app.domain.lots import STATE_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep, source_of
from app.services import catalogue, reagents
from app.services.house import House
from app.services.reagents import Ingredient, Taken
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render

router = APIRouter(prefix="/materials", route_class=PageRoute)
PAGE = 50
NAME = 120
LIFE_MOST_HOURS = 87_600
AMOUNT_LEAST = Decimal("0.000001")
AMOUNT_MOST = 1_000_000
CONTAINERS_MOST = 200
Key = Annotated[int, Path(ge=1, le=9_223_372_036_854_775_807)]
_INGREDIENT = re.compile(r"(.+?)\s*[;；\t]\s*([0-9]+(?:\.[0-9]+)?)\s*([^0-9\s].*)")


@router.get("/recipes")
async def list_recipes(request: Request, house: HouseDep, who: SignedInDep, after: int | None = None) -> Response:
    """Every version, the newest first."""
    begin = after if after and 0 < after < 2**63 else None
    found = await reagents.list_recipes(house, who.actor, after=begin, limit=PAGE)
    return await render(
        request,
        "reagents/list.html",
        who=who,
        found=found,
        next=found[-1].recipe if len(found) == PAGE else None,
        may_define=may(who.actor, Act.DEFINE_RECIPE),
        may_prepare=may(who.actor, Act.PREPARE_REAGENT),
    )


@router.get("/recipes/new")
async def new_recipe(request: Request, house: HouseDep, who: SignedInDep, after: int | None = None) -> Response:
    """A recipe; with `after`, the version that follows this one."""
    require(who.actor, Act.DEFINE_RECIPE)
    if after is None or not 0 < after < 2**63:
        return await _new_shown(request, house, who, await blank(request))
    last = await reagents.read_recipe(house, who.actor, recipe=after)
    form = await blank(
        request,
        material=last.material,
        components="\n".join(f"{each.material}; {each.amount.normalize():f} {each.unit}" for each in last.components),
        shelf_life_hours=last.shelf_life_hours,
        storage=last.storage,
        instructions=last.instructions,
    )
    return await _new_shown(request, house, who, form)


@router.post("/recipes/new")
async def define_recipe(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Define it."""
    entry = await read_entry(request)
    material, components = entry.text("material", most=NAME), _ingredients(entry)
    keeps = entry.amount("shelf_life_hours", least=Decimal("0.01"), most=LIFE_MOST_HOURS)
    storage, instructions = entry.text("storage"), entry.prose("instructions")
    try:
        await once(
            reagents.define_recipe(
                house,
                entry.call(who),
                material=material,
                components=components,
                shelf_life_hours=keeps,
                storage=storage,
                instructions=instructions,
            )
        )
    except Refusal as refusal:
        return await _new_shown(request, house, who, entry.again(refusal))
    return see("/materials/recipes")


@router.get("/recipes/{recipe}/prepare")
async def ask_preparation(request: Request, house: HouseDep, who: SignedInDep, recipe: Key) -> Response:
    """What goes in, container by container."""
    require(who.actor, Act.PREPARE_REAGENT)
    form = await blank(request, prepared_at=datetime.now(UTC), containers=1)
    return await _preparing(request, house, who, recipe, form)


@router.post("/recipes/{recipe}/prepare")
async def prepare(request: Request, house: HouseDep, who: SignedInDep, recipe: Key) -> Response:
    """Prepare it; then its labels come out."""
    entry = await read_entry(request)
    found = await reagents.read_recipe(house, who.actor, recipe=recipe)
    parts = [
        Taken(
            entry.scanned(f"container{i}"),
            entry.amount(f"quantity{i}", least=AMOUNT_LEAST, most=AMOUNT_MOST),
            each.unit,
        )
        for i, each in enumerate(found.components)
    ]
    at, containers = entry.moment("prepared_at"), entry.whole("containers", least=1, most=CONTAINERS_MOST)
    try:
        call = entry.call(who)
        made = await once(
            reagents.prepare_reagent(house, call, recipe=recipe, parts=parts, prepared_at=at, containers=containers)
        )
    except Refusal as refusal:
        return await _preparing(request, house, who, recipe, entry.again(refusal, at={"parts": "container0"}))
    if may(who.actor, Act.PRINT_LABEL):
        return see(f"/materials/{made['code']}/labels")
    return see(f"/materials/{made['code']}/preparation")


@router.get("/{code}/preparation")
async def show_preparation(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """What went into a reagent, who prepared it and who verified it; a second person verifies it here."""
    return await _shown(request, house, who, code, await blank(request))


@router.post("/{code}/preparation")
async def verify(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The second person verifies; whoever is signed in stays it."""
    entry = await read_entry(request)
    badge, scanned = entry.text("badge", most=512), entry.text("scanned", most=512)
    pin = entry.secret("pin", most=64)
    if not pin.strip():
        entry.problem("pin", Text("This field is empty."), Text("Type your PIN."))
    try:
        call = entry.call(who, holds_secrets=True)
        await once(
            reagents.verify_reagent(
                house, call, code=code, badge=badge, pin=pin, scanned=scanned, source=source_of(request)
            )
        )
    except Refusal as refusal:
        return await _shown(request, house, who, code, entry.again(refusal))
    return see(f"/materials/{code}/preparation")


# -- within ------------------------------------------------------------------------------------------------------------


def _ingredients(entry: Entry) -> list[Ingredient]:
    """A material each line, its amount and unit after a semicolon."""
    found: list[Ingredient] = []
    for line in entry.lines("components"):
        read = _INGREDIENT.fullmatch(line.strip())
        try:
            amount = Decimal(read[2]) if read else Decimal(0)
        except InvalidOperation:  # digits of another script
            amount = Decimal(0)
        if read is None or not AMOUNT_LEAST <= amount <= AMOUNT_MOST or len(read[1]) > NAME or len(read[3]) > NAME:
            entry.problem(
                "components",
                Text("“{line}” names no material with its amount.", line=line[:NAME]),
                Text("Write a material each line, then a semicolon, its amount and its unit."),
            )
        else:
            found.append(Ingredient(read[1], amount, read[3].strip()))
    if not found:
        entry.problem("components", Text("No component is named."), Text("Name at least one material."))
    return found


async def _new_shown(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "reagents/new.html",
        status=form.status,
        who=who,
        form=form,
        names=await catalogue.material_names(house, who.actor),
    )


async def _preparing(request: Request, house: House, who: SignedIn, recipe: int, form: FormView) -> Response:
    found = await reagents.read_recipe(house, who.actor, recipe=recipe)
    return await render(request, "reagents/prepare.html", status=form.status, who=who, form=form, recipe=found)


async def _shown(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    reagent = await reagents.read_reagent(house, who.actor, code=code)
    return await render(
        request,
        "reagents/reagent.html",
        status=form.status,
        who=who,
        form=form,
        reagent=reagent,
        state_names=STATE_NAMES,
        may_verify=may(who.actor, Act.RECORD_VERIFICATION) and reagent.verified_by is None,
    )
