"""Workstations, incubators, freezers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db.items import Item, find, new_item
from app.domain.errors import NotFound
from app.domain.text import Text
from labels.codes import CodeKind

if TYPE_CHECKING:
    from app.db.door import Change, Reading

INSERT = "INSERT INTO lab.equipment (id, name, kind, room, recorded_by) VALUES (:id, :name, :kind, :room, :by)"
PLACES = {"shelf": ("shelf", CodeKind.SHELF), "position": ("position", CodeKind.POSITION)}
"""Kinds that bear a label of their own sort."""
EQUIPMENT_KIND = "SELECT kind FROM lab.equipment WHERE id = :item_id"
EQUIPMENT_LABEL = (
    "SELECT c.code, e.name FROM lab.equipment e"
    " LEFT JOIN lab.item_codes c ON c.item_id = e.id AND c.scheme = 'own' WHERE e.id = :item_id"
)


async def insert(change: Change, *, name: str, kind: str, room: str) -> Item:
    """A new piece of equipment, shelf or position. Raises Conflict when the name is taken."""
    item_kind, code_kind = PLACES.get(kind, ("equipment", CodeKind.EQUIPMENT))
    item = await new_item(change, kind=item_kind, code_kind=code_kind)
    await change.run(INSERT, id=item.id, name=name, kind=kind, room=room, by=change.actor.account_id)
    return item


async def workstation(reading: Reading, *, code: str) -> Item:
    """The workstation of this code. Raises NotFound for other equipment."""
    item = await find(reading, code=code, kind="equipment")
    if await reading.value(EQUIPMENT_KIND, item_id=item.id) != "workstation":
        raise NotFound(
            what=Text("{code} is no workstation.", code=code),
            why=Text("It is other equipment, at which no open cells are handled."),
            remedy=Text("Scan the label of the workstation."),
        )
    return item


async def label_of(reading: Reading, *, item_id: int) -> tuple[str | None, str | None]:
    """Code and name of a piece of equipment."""
    row = await reading.one(EQUIPMENT_LABEL, item_id=item_id)
    return (None, None) if row is None else (row.code, row.name)
