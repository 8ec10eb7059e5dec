"""The catalogue of materials: what each is made of and of what origin it is."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import catalogue
from app.db.catalogue import MaterialView
from app.domain.acts import Act, Actor
from app.domain.animal_serum import SPECIES_NAMES
from app.domain.errors import BadInput
from app.domain.facts import Component
from app.domain.rows import require_once_each
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call
    from app.services.house import House


async def define_material(
    house: House,
    call: Call,
    *,
    name: str,
    description: str,
    grade: str,
    composition: Sequence[Component] | None,
    composition_complete: bool,
    animal_serum: bool | None = None,
    species: str | None = None,
    opened_life_hours: Decimal | None = None,
    kind: str = "reagent",
    animal_derived: bool | None = None,
    human_derived: bool | None = None,
    selected_with: str | None = None,
) -> MaterialView:
    """Define a material. `description` holds its other names, in either language: rules read it too.

    Raises Conflict when the name is taken, BadInput when an unknown composition is called complete, for a species
    that is not known or is stated of a material without serum, or for a selection that is not a vector's.
    """
    _require_vector(kind, selected_with)
    if composition is None and composition_complete:
        raise BadInput(
            field="composition_complete",
            what=Text("Nothing was defined."),
            why=Text("A composition that is not known cannot be complete."),
            remedy=Text("List the components, or state that the composition is not complete."),
        )
    require_once_each(
        [((each.name.casefold(), each.cas), each.name) for each in composition or ()], field="composition"
    )
    _require_species(animal_serum, species)
    async with house.door.change(call, Act.DEFINE_MATERIAL, subject=name) as change:
        await catalogue.define(
            change,
            name=name,
            description=description,
            grade=grade,
            composition=None if composition is None else [asdict(each) for each in composition],
            composition_complete=composition_complete,
            animal_serum=animal_serum,
            species=species,
            opened_life_hours=opened_life_hours,
            kind=kind,
            animal_derived=animal_derived,
            human_derived=human_derived,
            selected_with=selected_with,
        )
        return change.answers(catalogue.view(await catalogue.material(change, name=name), name=name))


async def state_material(
    house: House,
    call: Call,
    *,
    name: str,
    animal_derived: bool | None,
    human_derived: bool | None,
    selected_with: str | None = None,
) -> MaterialView:
    """State anew of what origin a material is; the rules read the last statement, and every earlier one is kept.

    Raises NotFound, BadInput for a selection that is not a vector's.
    """
    async with house.door.change(call, Act.STATE_MATERIAL, subject=name) as change:
        found = await catalogue.material(change, name=name)
        _require_vector(found.kind, selected_with)
        await catalogue.state(
            change,
            material_id=found.id,
            animal_derived=animal_derived,
            human_derived=human_derived,
            selected_with=selected_with,
        )
        return change.answers(catalogue.view(await catalogue.material(change, name=name), name=name))


async def list_materials(
    house: House, actor: Actor, *, after: str | None, limit: int, sought: str | None = None
) -> list[MaterialView]:
    """Materials by name; `sought` stands in their name or description."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        found = await catalogue.materials(reading, sought=sought, after=after, limit=limit)
        return [catalogue.view(each, name=each.name) for each in found]


async def read_material(house: House, actor: Actor, *, name: str) -> MaterialView:
    """A material by its name. Raises NotFound."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        return catalogue.view(await catalogue.material(reading, name=name), name=name)


async def material_names(house: House, actor: Actor, *, limit: int = 500) -> list[str]:
    """Names of materials, to choose from."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        return await catalogue.names(reading, limit=limit)


def _require_vector(kind: str, selected_with: str | None) -> None:
    if selected_with is not None and kind != "vector":
        raise BadInput(
            field="selected_with",
            what=Text("Nothing was defined."),
            why=Text("Only a vector is grown under selection."),
            remedy=Text("Leave it out, or define the material as a vector."),
        )


def _require_species(animal_serum: bool | None, species: str | None) -> None:
    if species is None or (animal_serum is True and species in SPECIES_NAMES):
        return
    raise BadInput(
        field="species",
        what=Text("Nothing was defined."),
        why=Text("A species belongs to animal serum alone.")
        if animal_serum is not True
        else Text("{species} is no species that is known here.", species=species),
        remedy=Text("Choose one of: {choices}.", choices=tuple(sorted(SPECIES_NAMES))),
    )
