"""The catalogue of materials: what each is made of and, by the last statement, of what origin."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.facts import Component
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

DEFINE = """
WITH defined AS (
    INSERT INTO lab.materials (name, description, grade, kind, composition, composition_complete, animal_serum, species,
        opened_life_hours, recorded_by)
    VALUES (:name, :description, :grade, :kind, CAST(:composition AS jsonb), :complete, :animal_serum, :species,
        :opened_life_hours, :by) RETURNING id
)
INSERT INTO lab.material_statements (material_id, animal_derived, human_derived, selected_with, recorded_by)
SELECT id, :animal_derived, :human_derived, :selected_with, :by FROM defined
"""
STATE = """
INSERT INTO lab.material_statements (material_id, animal_derived, human_derived, selected_with, recorded_by)
VALUES (:material, :animal_derived, :human_derived, :selected_with, :by)
"""
LAST_STATEMENT = """
LEFT JOIN LATERAL (SELECT animal_derived, human_derived, selected_with FROM lab.material_statements
                   WHERE material_id = m.id ORDER BY id DESC LIMIT 1) AS t ON true
"""
COLUMNS = """
m.description, m.grade, m.kind, m.composition, m.composition_complete, m.animal_serum, m.species, m.opened_life_hours,
t.animal_derived, t.human_derived, t.selected_with
"""
MATERIAL = f"SELECT m.id, m.name, {COLUMNS} FROM lab.materials m {LAST_STATEMENT} WHERE m.name = :name"
MATERIALS = f"""
SELECT m.id, m.name, {COLUMNS} FROM lab.materials m {LAST_STATEMENT}
WHERE (CAST(:after AS text) IS NULL OR name > :after)
    AND (CAST(:sought AS text) IS NULL OR position(lower(:sought) IN lower(name || ' ' || description)) > 0)
ORDER BY name LIMIT :limit
"""
NAMES = "SELECT name FROM lab.materials ORDER BY name LIMIT :limit"


@dataclass(frozen=True, slots=True)
class MaterialView:
    """A material. `composition` is None where it is not known; `composition_complete` says whether it names all.

    `animal_serum` is None where nobody knows. `opened_life_hours` is how long a container keeps once opened, in hours.
    """

    name: str
    description: str
    grade: str
    composition: tuple[Component, ...] | None
    composition_complete: bool
    animal_serum: bool | None
    species: str | None
    opened_life_hours: Decimal | None
    kind: str
    animal_derived: bool | None
    human_derived: bool | None
    selected_with: str | None


def view(row: Any, *, name: str) -> MaterialView:
    """A row that holds COLUMNS as the outside sees it."""
    return MaterialView(
        name=name,
        description=row.description,
        grade=row.grade,
        composition=None
        if row.composition is None
        else tuple(Component(each["name"], each["cas"]) for each in row.composition),
        composition_complete=row.composition_complete,
        animal_serum=row.animal_serum,
        species=row.species,
        opened_life_hours=row.opened_life_hours,
        kind=row.kind,
        animal_derived=row.animal_derived,
        human_derived=row.human_derived,
        selected_with=row.selected_with,
    )


async def define(
    change: Change,
    *,
    name: str,
    description: str,
    grade: str,
    composition: Sequence[dict[str, str | None]] | None,
    composition_complete: bool,
    animal_serum: bool | None,
    species: str | None,
    opened_life_hours: Decimal | None,
    kind: str,
    animal_derived: bool | None,
    human_derived: bool | None,
    selected_with: str | None,
) -> None:
    """A new material, with the first statement of its origin. Raises Conflict when the name is taken."""
    await change.run(
        DEFINE,
        name=name,
        description=description,
        grade=grade,
        composition=None if composition is None else json.dumps(composition, ensure_ascii=False),
        complete=composition_complete,
        animal_serum=animal_serum,
        species=species,
        opened_life_hours=opened_life_hours,
        kind=kind,
        animal_derived=animal_derived,
        human_derived=human_derived,
        selected_with=selected_with,
        by=change.actor.account_id,
    )


async def state(
    change: Change,
    *,
    material_id: int,
    animal_derived: bool | None,
    human_derived: bool | None,
    selected_with: str | None,
) -> None:
    """State the origin of a material anew; earlier statements stay."""
    await change.run(
        STATE,
        material=material_id,
        animal_derived=animal_derived,
        human_derived=human_derived,
        selected_with=selected_with,
        by=change.actor.account_id,
    )


async def material(reading: Reading, *, name: str) -> Row[Any]:
    """The material of this name. Raises NotFound."""
    row = await reading.one(MATERIAL, name=name)
    if row is None:
        raise NotFound(
            what=Text("There is no material {name}.", name=name),
            why=Text("No material of this name was defined."),
            remedy=Text("Choose a defined material, or have the QA manager define it."),
        )
    return row


async def materials(reading: Reading, *, sought: str | None, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Materials by name, after this one; `sought` stands in their name or description."""
    return await reading.all(MATERIALS, sought=sought, after=after, limit=limit)


async def names(reading: Reading, *, limit: int) -> list[str]:
    """The names of the first materials by name."""
    return [row.name for row in await reading.all(NAMES, limit=limit)]
