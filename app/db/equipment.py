"""Workstations, incubators, freezers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db.items import Item, new_item
from labels.codes import CodeKind

if TYPE_CHECKING:
    from app.db.door import Change

INSERT = "INSERT INTO lab.equipment (id, name, kind, room, recorded_by) VALUES (:id, :name, :kind, :room, :by)"


async def insert(change: Change, *, name: str, kind: str, room: str) -> Item:
    """A new piece of equipment. Raises Conflict when the name is taken."""
    item = await new_item(change, kind="equipment", code_kind=CodeKind.EQUIPMENT)
    await change.run(INSERT, id=item.id, name=name, kind=kind, room=room, by=change.actor.account_id)
    return item
