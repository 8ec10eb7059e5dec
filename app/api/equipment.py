"""Equipment over HTTP: what there is, what shows that it is fit, what is due."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Day, Line, Name
from app.services import equipment
from app.services.equipment import EquipmentView, FitnessView, KeptView, Qualified

router = APIRouter(prefix=f"{API}/equipment", tags=["equipment"])

EquipmentKind = Literal[
    "workstation", "incubator", "freezer", "tank", "segregated_storage", "balance", "cell_counter", "other"
]


class NewQualification(Body):
    """What was done, when, with what outcome, by whom. Days are the facility's; `due_on` is the last one that counts."""

    kind: Literal["installation", "operational", "performance", "calibration", "maintenance"]
    done_on: Day
    due_on: Day | None = None
    outcome: Literal["passed", "failed"]
    as_found_in_tolerance: bool | None = None
    evidence: Line
    done_by: Name

    def qualified(self) -> Qualified:
        """As the service takes it."""
        return Qualified(
            kind=self.kind,
            done_on=self.done_on,
            due_on=self.due_on,
            outcome=self.outcome,
            as_found_in_tolerance=self.as_found_in_tolerance,
            evidence=self.evidence,
            done_by=self.done_by,
        )


class NewEquipment(Body):
    """A workstation, incubator, freezer or other equipment, and what was done to it already."""

    name: Name
    kind: EquipmentKind
    room: Name
    qualifications: Annotated[tuple[NewQualification, ...], Field(max_length=20)] = ()


@router.post("", status_code=201)
async def define_equipment(body: NewEquipment, house: HouseDep, call: CallDep) -> EquipmentView:
    """Define a piece of equipment."""
    qualified = tuple(each.qualified() for each in body.qualifications)
    return await equipment.define_equipment(
        house, call, name=body.name, kind=body.kind, room=body.room, qualified=qualified
    )


@router.get("")
async def list_equipment(
    house: HouseDep, actor: ActorDep, kind: EquipmentKind | None = None
) -> tuple[FitnessView, ...]:
    """What there is: what is not fit first, then what is due first."""
    return await equipment.list_equipment(house, actor, kind=kind)


@router.get("/{code}")
async def read_equipment(code: Code, house: HouseDep, actor: ActorDep) -> FitnessView:
    """One piece, and everything that was done to it."""
    return await equipment.read_equipment(house, actor, code=code)


@router.post("/{code}/qualifications", status_code=201)
async def qualify_equipment(code: Code, body: NewQualification, house: HouseDep, call: CallDep) -> KeptView:
    """Record that a piece was qualified, calibrated or maintained."""
    return await equipment.qualify_equipment(house, call, code=code, qualified=body.qualified())
