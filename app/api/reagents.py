"""Reagents prepared in house, over HTTP: recipes, preparations, verifications."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep, SecretCallDep
from app.api.schemas import Body, Code, Line, Moment, Name, Prose
from app.api.verifications import Verification
from app.requests import source_of
from app.services import reagents
from app.services.reagents import Ingredient, ReagentView, RecipeView, Taken

router = APIRouter(prefix=API, tags=["materials"])

Amount = Annotated[Decimal, Field(gt=0, le=1_000_000, max_digits=16, decimal_places=6)]
Key = Annotated[int, Path(ge=1, le=9_223_372_036_854_775_807)]


class NewIngredient(Body):
    """A material of the recipe and how much of it."""

    material: Name
    amount: Amount
    unit: Name


class NewRecipe(Body):
    """The next version of how a reagent is prepared."""

    material: Name
    components: Annotated[list[NewIngredient], Field(min_length=1, max_length=50)]
    shelf_life_hours: Annotated[Decimal, Field(gt=0, le=87600, max_digits=9, decimal_places=2)]
    storage: Line
    instructions: Prose


class NewPart(Body):
    """What was taken from one container, as its label was read."""

    container: Line
    quantity: Amount
    unit: Name


class NewReagent(Body):
    """A preparation; now, where no moment is said."""

    recipe: Annotated[int, Field(ge=1, le=9_223_372_036_854_775_807)]
    parts: Annotated[list[NewPart], Field(min_length=1, max_length=50)]
    prepared_at: Moment | None = None
    containers: Annotated[int, Field(ge=1, le=200)]


@router.post("/recipes", status_code=201)
async def define_recipe(body: NewRecipe, house: HouseDep, call: CallDep) -> RecipeView:
    """Define the next version of a recipe."""
    return await reagents.define_recipe(
        house,
        call,
        material=body.material,
        components=[Ingredient(each.material, each.amount, each.unit) for each in body.components],
        shelf_life_hours=body.shelf_life_hours,
        storage=body.storage,
        instructions=body.instructions,
    )


@router.get("/recipes")
async def list_recipes(
    house: HouseDep,
    actor: ActorDep,
    after: Annotated[int | None, Query(ge=1, le=9_223_372_036_854_775_807)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[RecipeView]:
    """Versions of recipes, the newest first."""
    return await reagents.list_recipes(house, actor, after=after, limit=limit)


@router.get("/recipes/{recipe}")
async def read_recipe(recipe: Key, house: HouseDep, actor: ActorDep) -> RecipeView:
    """A version of a recipe."""
    return await reagents.read_recipe(house, actor, recipe=recipe)


@router.post("/reagents", status_code=201)
async def prepare_reagent(body: NewReagent, house: HouseDep, call: CallDep) -> ReagentView:
    """Prepare a reagent from labelled containers."""
    return await reagents.prepare_reagent(
        house,
        call,
        recipe=body.recipe,
        parts=[Taken(each.container, each.quantity, each.unit) for each in body.parts],
        prepared_at=body.prepared_at,
        containers=body.containers,
    )


@router.get("/reagents/{code}")
async def read_reagent(code: Code, house: HouseDep, actor: ActorDep) -> ReagentView:
    """A reagent: its recipe, its parts, who made and who verified it."""
    return await reagents.read_reagent(house, actor, code=code)


@router.post("/reagents/{code}/verification", status_code=201)
async def verify_reagent(
    code: Code, body: Verification, request: Request, house: HouseDep, call: SecretCallDep
) -> ReagentView:
    """A second person verifies a preparation."""
    return await reagents.verify_reagent(
        house,
        call,
        code=code,
        badge=body.badge,
        pin=body.pin.get_secret_value(),
        scanned=body.scanned,
        source=source_of(request),
    )
