"""Equipment over HTTP."""

from typing import Literal

from fastapi import APIRouter

from app.api.plumbing import CallDep, HouseDep
from app.api.schemas import Body, Name
from app.services import equipment
from app.services.equipment import EquipmentView

router = APIRouter(prefix="/equipment", tags=["equipment"])


class NewEquipment(Body):
    """A workstation, incubator, freezer or other equipment."""

    name: Name
    kind: Literal["workstation", "incubator", "freezer", "tank", "balance", "cell_counter", "other"]
    room: Name


@router.post("", status_code=201)
async def define_equipment(body: NewEquipment, house: HouseDep, call: CallDep) -> EquipmentView:
    """Define a piece of equipment."""
    return await equipment.define_equipment(house, call, name=body.name, kind=body.kind, room=body.room)
