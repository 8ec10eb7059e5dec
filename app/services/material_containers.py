"""Containers of materials: opened, and until when they may then be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db import containers, materials, samples, steps
from app.domain.acts import Act
from app.domain.errors import Conflict
from app.domain.lots import STATE_NAMES, LotState
from app.domain.moments import require_order, require_past
from app.domain.text import Text
from app.domain.units import AMOUNTS, known_unit

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class OpenedView:
    """A container that stands open, and until when it may be used."""

    code: str
    material: str
    opened_at: datetime
    opened_until: datetime


async def open_material(house: House, call: Call, *, code: str, opened_at: datetime | None) -> OpenedView:
    """Note that a container was opened; until when it may be used follows from its material.

    Raises NotFound, Conflict for one that stands open, is used up, is not approved, or keeps as long as it did unopened.
    """
    async with house.door.change(call, Act.OPEN_MATERIAL, subject=code) as change:
        require_past(opened_at, now=change.at, field="opened_at")
        found = await materials.bottle(change, code=code)
        at = opened_at or change.at
        require_order(earlier=found.received_at, later=at, field="opened_at")
        _require_closed(found)
        await steps.open_containers(change, ids=[found.id], at=at)
        until = await materials.opened_until(change, container_id=found.id)
        return change.answers(OpenedView(code=found.code, material=found.material, opened_at=at, opened_until=until))


@dataclass(frozen=True, slots=True)
class KeptView:
    """A retain of a material lot. `source` is the code of the container that it was taken from."""

    code: str
    lot: str
    source: str
    taken_at: datetime


async def keep_retain(
    house: House,
    call: Call,
    *,
    lot: str,
    source: str,
    quantity: Decimal,
    unit: str,
    place: str,
    taken_at: datetime | None,
) -> KeptView:
    """Keep a retain of a material lot, in whatever state it is. Raises NotFound, Conflict for a container that is gone."""
    async with house.door.change(call, Act.TAKE_RETAIN, subject=lot) as change:
        at = taken_at or change.at
        require_past(at, now=change.at, field="taken_at")
        unit = known_unit(unit, among=AMOUNTS, field="unit")
        found = await materials.find_lot(change, code=lot)
        await samples.lock_lot(change, lot_id=found.id)
        bottle = await materials.bottle(change, code=source)
        if bottle.lot_id != found.id or bottle.state not in {"in_use", "stored"}:
            raise Conflict(
                what=Text("Nothing was taken."),
                why=Text("{code} is a container of another lot, or nothing is left in it.", code=bottle.code),
                remedy=Text("Scan the container that it was taken from."),
                detail={"code": bottle.code, "state": bottle.state},
            )
        require_order(earlier=bottle.received_at, later=at, field="taken_at")
        item = await samples.keep_reagent_retain(
            change, bottle=bottle, quantity=quantity, unit=unit, place=place, taken_at=at
        )
        await containers.descend(change, parents=[bottle.id], children=[item.id], step_id=None)
        return change.answers(KeptView(code=item.code, lot=found.code, source=bottle.code, taken_at=at))


def _require_closed(found: Any) -> None:
    """Raises Conflict for a container of which an opening would say nothing, or nothing true."""
    why: Text | None = None
    if found.opened_until is not None:
        why = Text("It stands open already, and may be used until {until}.", until=found.opened_until)
    elif found.state not in {"in_use", "stored"}:
        why = Text("The container is used up or destroyed.")
    elif found.lot_state != LotState.APPROVED:
        why = Text("Its lot is {state}.", state=STATE_NAMES[LotState(found.lot_state)])
    elif found.opened_life_hours is None:
        why = Text("Nothing says how long {material} keeps once opened.", material=found.material)
    if why is not None:
        raise Conflict(
            what=Text("No opening was recorded."),
            why=why,
            remedy=Text("Look at the container's page; if it was opened all the same, record it as already happened."),
        )
