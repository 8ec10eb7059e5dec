"""Reagents prepared in house: recipes by version, preparation at the bench from scanned containers, a second person.

What is prepared is a material lot of its own, in quarantine until it is approved for use as any other is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from app.db import badges, catalogue, reagents, steps
from app.db.door import Desk
from app.domain.acts import ACT_NAMES, MAY, Act, Actor
from app.domain.errors import BadInput, CeremonyRefused, Conflict, NotFound
from app.domain.lots import STATE_NAMES, LotState
from app.domain.moments import require_past
from app.domain.text import Text
from app.domain.units import AMOUNTS, known_unit
from labels.codes import CodeError, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.badges import BadgeProof
    from app.db.door import Call, Reading
    from app.services.house import House

NOT_PREPARED = Text("The reagent was not prepared.")
NOT_VERIFIED = Text("Nothing was verified.")
RULE = "MAT-13"


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A material that a recipe asks for, and how much of it."""

    material: str
    amount: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class RecipeView:
    """A version of a recipe. `recipe` is what a preparation names."""

    recipe: int
    material: str
    version: int
    shelf_life_hours: Decimal
    storage: str
    instructions: str
    components: tuple[Ingredient, ...]
    defined_by: str
    defined_at: datetime
    is_newest: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken from one container."""

    container: str
    quantity: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class PartView:
    """What went into a reagent."""

    container: str
    lot: str
    lot_code: str
    material: str
    quantity: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class ReagentView:
    """A reagent as it was prepared. `expires_at` is never later than the end of any of its parts."""

    code: str
    name: str
    state: str
    material: str
    recipe: int
    version: int
    prepared_by: str
    prepared_at: datetime
    expires_at: datetime
    verified_by: str | None
    verified_at: datetime | None
    parts: tuple[PartView, ...]
    containers: tuple[str, ...]


async def define_recipe(
    house: House,
    call: Call,
    *,
    material: str,
    components: Sequence[Ingredient],
    shelf_life_hours: Decimal,
    storage: str,
    instructions: str,
) -> RecipeView:
    """Define the next version of how a reagent is prepared; its first version defines the reagent as a material too.

    Raises Conflict for a material that is bought, NotFound for a component that nobody defined, BadInput.
    """
    async with house.door.change(call, Act.DEFINE_RECIPE, subject=material) as change:
        named = [each.material for each in components]
        if not components or len(set(named)) != len(named) or material in named:
            raise BadInput(
                field="components",
                what=Text("Nothing was defined."),
                why=Text("A recipe names each of its materials once, at least one, and not itself."),
                remedy=Text("Correct the list."),
            )
        components = [
            replace(each, unit=known_unit(each.unit, among=AMOUNTS, field=f"components.{row}.unit"))
            for row, each in enumerate(components)
        ]
        found = [(await catalogue.material(change, name=each.material)).id for each in components]
        key, kind = await reagents.prepared_material(change, name=material)
        if kind != "prepared":
            raise Conflict(
                what=Text("Nothing was defined."),
                why=Text("{material} is bought, not prepared here.", material=material),
                remedy=Text("Give what is prepared a name of its own."),
            )
        recipe = await reagents.define(
            change,
            material=key,
            shelf_life_hours=shelf_life_hours,
            storage=storage,
            instructions=instructions,
            components=[(of, each.amount, each.unit) for of, each in zip(found, components, strict=True)],
        )
        return change.answers(_recipe(await reagents.recipe(change, key=recipe)))


async def list_recipes(house: House, actor: Actor, *, after: int | None, limit: int) -> list[RecipeView]:
    """Versions of recipes, the newest first."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        return [_recipe(each) for each in await reagents.recipes(reading, after=after, limit=limit)]


async def read_recipe(house: House, actor: Actor, *, recipe: int) -> RecipeView:
    """A version of a recipe. Raises NotFound."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        return _recipe(await reagents.recipe(reading, key=recipe))


async def prepare_reagent(
    house: House, call: Call, *, recipe: int, parts: Sequence[Taken], prepared_at: datetime | None, containers: int
) -> ReagentView:
    """Prepare a reagent from scanned containers: of each material of the recipe, and of no other.

    Raises BadInput, Conflict for a container that may not be used now or an older version, NotFound.
    """
    async with house.door.change(call, Act.PREPARE_REAGENT, subject=f"recipe {recipe}") as change:
        require_past(prepared_at, now=change.at, field="prepared_at")
        at = prepared_at or change.at
        found = _recipe(await reagents.recipe(change, key=recipe))
        if not found.is_newest:
            raise Conflict(
                what=NOT_PREPARED,
                why=Text("There is a newer version of this recipe."),
                remedy=Text("Prepare it by the version that stands now."),
            )
        parts = [
            replace(each, unit=known_unit(each.unit, among=AMOUNTS, field=f"parts.{row}.unit"))
            for row, each in enumerate(parts)
        ]
        codes = [_code(each.container) for each in parts]
        vessels = {row.code: row for row in await reagents.vessels(change, codes=codes)}
        _refuse_strangers(codes, vessels)
        await reagents.lock(change, containers=[row.id for row in vessels.values()])
        vessels = {row.code: row for row in await reagents.vessels(change, codes=codes)}
        for row in vessels.values():
            _refuse_unusable(row, at)
        _refuse_other_than(found, [row.material for row in vessels.values()])
        ids = sorted(row.id for row in vessels.values())
        await steps.open_containers(change, ids=ids, at=at)
        ends = await reagents.ends_at(change, at=at, hours=found.shelf_life_hours, containers=ids)
        item = await reagents.prepare(
            change,
            recipe_id=recipe,
            at=at,
            expires_at=ends,
            parts=[
                (vessels[code].id, vessels[code].lot_id, each.quantity, each.unit)
                for code, each in zip(codes, parts, strict=True)
            ],
            containers=containers,
        )
        return change.answers(await _view(change, code=item.code))


async def read_reagent(house: House, actor: Actor, *, code: str) -> ReagentView:
    """A reagent by its lot's code. Raises NotFound, for a lot that was bought too."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        return await _view(reading, code=code)


async def reagent_of(house: House, actor: Actor, *, code: str) -> ReagentView | None:
    """How a material lot was prepared; None for one that was bought."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        row = await reagents.one(reading, code=code)
        return None if row is None else _reagent(row)


async def verify_reagent(
    house: House, call: Call, *, code: str, badge: str, pin: str, scanned: str, source: str
) -> ReagentView:
    """Keep that the person of this badge verified the preparation, having scanned what it is or what went into it.

    Raises CeremonyRefused for badge or PIN or one's own work, Conflict for what was no part of it, Locked, NotFound.
    """
    act, subject = Act.RECORD_VERIFICATION, f"reagent {code}"
    proof = await badges.prove(
        house.door,
        call,
        act,
        subject=subject,
        what=NOT_VERIFIED,
        badge=badge,
        pin=pin,
        source=source,
        pin_key=house.totp_key,
    )
    async with house.door.read(call.actor, Act.READ_MATERIAL) as reading:
        key = await reagents.key_of(reading, code=code)
        view = None if key is None else await _view(reading, code=code)
    if key is None or view is None:
        raise _nothing(code)
    async with house.door.change(call, act, subject=subject, reason=proof.person.username, desk=Desk.PEOPLE) as change:
        if proof.person.roles.isdisjoint(MAY[Act.VERIFY_STEP]):
            raise CeremonyRefused(
                what=NOT_VERIFIED,
                why=Text("{person} may not {act}.", person=proof.person.printed_name, act=ACT_NAMES[Act.VERIFY_STEP]),
                remedy=Text("Have somebody verify it who holds the role of verifier."),
                rule=RULE,
                detail={"field": "badge"},
            )
        row = await reagents.verify(
            change, reagent=key, verifier=proof.person.account_id, badge=proof.badge_id, code=_code(scanned)
        )
        if row.outcome != "verified":
            _refuse(row.outcome, proof, code)
        await badges.accept(change, proof)
        verified: dict[str, Any] = {"verified_by": proof.person.printed_name, "verified_at": row.at}
        return change.answers(ReagentView(**{**_fields(view), **verified}))


def _fields(view: ReagentView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__slots__}


def _refuse(outcome: str, proof: BadgeProof, code: str) -> NoReturn:
    match outcome:
        case "unknown":
            raise _nothing(code)
        case "done":
            raise Conflict(
                what=NOT_VERIFIED,
                why=Text("A second person has verified this already."),
                remedy=Text("Look at the lot as it stands now."),
                rule=RULE,
            )
        case "own_work":
            raise CeremonyRefused(
                what=NOT_VERIFIED,
                why=Text("{person} did this, or wrote it down.", person=proof.person.printed_name),
                remedy=Text("Somebody else verifies it with their own eyes, badge and PIN."),
                rule=RULE,
                detail={"field": "badge"},
            )
        case "no_item" | "other_item":
            raise Conflict(
                what=NOT_VERIFIED,
                why=Text("What was scanned was no part of it."),
                remedy=Text("Scan a container of the reagent, or one that went into it."),
                rule=RULE,
                detail={"field": "scanned"},
            )
        case _:  # the badge or the role was taken away since it was proved
            raise CeremonyRefused(
                what=NOT_VERIFIED,
                why=Text("The badge, or the role of verifier, was taken away a moment ago."),
                remedy=Text("Have somebody verify it who holds the role of verifier."),
                rule=RULE,
                detail={"field": "badge"},
            )


def _refuse_strangers(codes: Sequence[str], vessels: dict[str, Any]) -> None:
    strange = next((each for each in codes if each not in vessels), None)
    if strange is not None or len(set(codes)) != len(codes):
        raise BadInput(
            field="parts",
            what=NOT_PREPARED,
            why=Text("{code} is no container of a material, or was scanned twice.", code=strange or codes[0]),
            remedy=Text("Scan the label of each container once."),
        )


def _refuse_unusable(row: Any, at: datetime) -> None:
    why: Text | None = None
    if row.held:
        why = Text("{lot} is on hold.", lot=row.lot)
    elif row.lot_state != LotState.APPROVED:
        why = Text("{lot} is {state}.", lot=row.lot, state=STATE_NAMES[LotState(row.lot_state)])
    elif row.state not in {"in_use", "stored"}:
        why = Text("Container {container} is used up or destroyed.", container=row.code)
    elif row.keeps_until is None or at >= row.keeps_until:
        why = Text(
            "Container {container} could be used until {until}.", container=row.code, until=row.keeps_until or "?"
        )
    if why is not None:
        raise Conflict(
            what=NOT_PREPARED,
            why=why,
            remedy=Text("Take an approved container in date of the same material."),
            rule=RULE,
        )


def _refuse_other_than(recipe: RecipeView, given: Sequence[str]) -> None:
    wanted = {each.material for each in recipe.components}
    lacking, beyond = sorted(wanted - set(given)), sorted(set(given) - wanted)
    if lacking or beyond:
        raise BadInput(
            field="parts",
            what=NOT_PREPARED,
            why=Text("The recipe asks for: {wanted}.", wanted=tuple(sorted(wanted))),
            remedy=Text("Scan a container of each, and of nothing else: {names}.", names=tuple(lacking or beyond)),
        )


def _code(scanned: str) -> str:
    try:
        return parse(scanned).value
    except CodeError as error:
        raise BadInput(
            field="scanned",
            what=Text("Nothing was recorded."),
            why=Text(error.words.why, **error.details),
            remedy=Text(error.words.remedy, **error.details),
        ) from error


async def _view(reading: Reading, *, code: str) -> ReagentView:
    row = await reagents.one(reading, code=code)
    if row is None:
        raise _nothing(code)
    return _reagent(row)


def _reagent(row: Any) -> ReagentView:
    facts = {name: value for name, value in row._asdict().items() if name != "id"}
    parts = tuple(PartView(**{**each, "quantity": Decimal(each["quantity"])}) for each in row.parts or ())
    return ReagentView(**{**facts, "parts": parts, "containers": tuple(row.containers or ())})


def _recipe(row: Any) -> RecipeView:
    components = tuple(Ingredient(each["material"], Decimal(each["amount"]), each["unit"]) for each in row.components)
    return RecipeView(**{**row._asdict(), "components": components})


def _nothing(code: str) -> NotFound:
    return NotFound(
        what=Text("There is no reagent {code}.", code=code),
        why=Text("This lot was not prepared here."),
        remedy=Text("Scan the label of a reagent that was prepared in house."),
    )
