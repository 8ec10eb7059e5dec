"""Equipment: what work is done in, and what cells are kept in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db import equipment
from app.domain.acts import Act

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class EquipmentView:
    """A piece of equipment as the outside knows it."""

    code: str
    name: str
    kind: str
    room: str


async def define_equipment(house: House, call: Call, *, name: str, kind: str, room: str) -> EquipmentView:
    """Name a piece of equipment and give it a code. Raises Conflict when the name is taken."""
    async with house.door.change(call, Act.DEFINE_EQUIPMENT, subject=name) as change:
        item = await equipment.insert(change, name=name, kind=kind, room=room)
        return change.answers(EquipmentView(code=item.code, name=name, kind=kind, room=room))
