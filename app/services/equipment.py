"""Equipment: what work is done in, what cells are kept in, and what shows that it is fit.

What was done to a piece is recorded once and never changed; a record of today makes no use of yesterday fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from app.db import equipment, items, judging, settings
from app.domain.acts import Act, Actor
from app.domain.equipment import ENDING, Unfit, due_next, unfit
from app.domain.errors import BadInput, NotFound
from app.domain.facts import EquipmentQualification
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Call, Change, Reading
    from app.services.house import House

REQUIRED = "gmp04.required"
LOOKED_AFTER = ("workstation", "incubator", "freezer", "tank", "balance", "cell_counter", "other")
"""Kinds that are listed with what is due."""
HOLDING = frozenset({"shelf", "position", "facility"})
"""What stands for something else, and is not qualified itself."""
SHOWN_AT_MOST = 2_000
SOON_DAYS = 30
NOT_RECORDED = Text("Nothing was recorded.")


@dataclass(frozen=True, slots=True)
class Qualified:
    """What was done to a piece of equipment, by whom, and until when it counts."""

    kind: str
    done_on: date
    due_on: date | None
    outcome: str
    as_found_in_tolerance: bool | None
    evidence: str
    done_by: str


@dataclass(frozen=True, slots=True)
class EquipmentView:
    """A piece of equipment as the outside knows it."""

    code: str
    name: str
    kind: str
    room: str


@dataclass(frozen=True, slots=True)
class QualificationView:
    """One record of what was done. `qualification` is its number."""

    qualification: int
    kind: str
    done_on: date
    due_on: date | None
    outcome: str
    as_found_in_tolerance: bool | None
    evidence: str
    done_by: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class FitnessView:
    """A piece and how it stands today. `wanted` is what its kind needs; `against` what speaks against its use.

    `state`: fit, due_soon, unfit, or not_asked where nothing is asked of its kind. `due_on` is the next day that ends.
    """

    code: str
    name: str
    kind: str
    room: str
    held: bool
    state: str
    due_on: date | None
    wanted: tuple[str, ...]
    against: tuple[Unfit, ...]
    qualifications: tuple[QualificationView, ...]


@dataclass(frozen=True, slots=True)
class KeptView:
    """A record that was kept."""

    qualification: int
    code: str
    kind: str


async def define_equipment(
    house: House, call: Call, *, name: str, kind: str, room: str, qualified: Sequence[Qualified] = ()
) -> EquipmentView:
    """Name a piece of equipment, give it a code, and record what was done to it already.

    Raises Conflict when the name is taken, BadInput for a record that cannot be.
    """
    async with house.door.change(call, Act.DEFINE_EQUIPMENT, subject=name) as change:
        item = await equipment.insert(change, name=name, kind=kind, room=room)
        for each in qualified:
            await _keep(change, equipment_id=item.id, kind=kind, qualified=each)
        return change.answers(EquipmentView(code=item.code, name=name, kind=kind, room=room))


async def qualify_equipment(house: House, call: Call, *, code: str, qualified: Qualified) -> KeptView:
    """Record what was done to a piece of equipment. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.QUALIFY_EQUIPMENT, subject=code, reason=qualified.kind) as change:
        item = await items.find(change, code=code, kind="equipment")
        piece = await _piece(change, item.id)
        number = await _keep(change, equipment_id=item.id, kind=piece.kind, qualified=qualified)
        return change.answers(KeptView(qualification=number, code=item.code, kind=qualified.kind))


async def list_equipment(house: House, actor: Actor, *, kind: str | None = None) -> tuple[FitnessView, ...]:
    """Every piece that is looked after: what is not fit first, then what is due first."""
    kinds = LOOKED_AFTER if kind is None else tuple(each for each in LOOKED_AFTER if each == kind)
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        found = await _stand(reading, await equipment.pieces(reading, kinds=kinds, limit=SHOWN_AT_MOST))
    return tuple(sorted(found, key=_most_urgent))


async def read_equipment(house: House, actor: Actor, *, code: str) -> FitnessView:
    """One piece with everything that was done to it. Raises NotFound."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        item = await items.find(reading, code=code, kind="equipment")
        (found,) = await _stand(reading, [await _piece(reading, item.id)])
    return found


async def _keep(change: Change, *, equipment_id: int, kind: str, qualified: Qualified) -> int:
    if kind in HOLDING:
        raise _holds_only()
    _refuse_impossible(qualified, today=await equipment.today(change))
    return await equipment.keep_qualification(
        change,
        equipment_id=equipment_id,
        kind=qualified.kind,
        done_on=qualified.done_on,
        due_on=qualified.due_on,
        outcome=qualified.outcome,
        as_found=qualified.as_found_in_tolerance,
        evidence=qualified.evidence,
        done_by=qualified.done_by,
    )


def _refuse_impossible(given: Qualified, *, today: date) -> None:
    if given.done_on > today:
        raise BadInput(
            field="done_on",
            what=NOT_RECORDED,
            why=Text("{day} is yet to come.", day=given.done_on),
            remedy=Text("Record it when it has been done."),
        )
    if given.due_on is not None and given.due_on <= given.done_on:
        raise BadInput(
            field="due_on",
            what=NOT_RECORDED,
            why=Text("It would be due before it was done."),
            remedy=Text("Give a day after the one on which it was done."),
        )
    if given.due_on is None and given.kind in ENDING and given.outcome == "passed":
        raise BadInput(
            field="due_on",
            what=NOT_RECORDED,
            why=Text("It is not said until when it counts."),
            remedy=Text("Write the day on which it is due again."),
        )
    if given.kind == "calibration" and given.as_found_in_tolerance is None:
        raise BadInput(
            field="as_found_in_tolerance",
            what=NOT_RECORDED,
            why=Text("It is not said whether it was found in tolerance, before anything was adjusted."),
            remedy=Text("Take it from the calibration's certificate."),
        )


def _holds_only() -> NotFound:
    return NotFound(
        what=NOT_RECORDED,
        why=Text("This is no equipment that is qualified."),
        remedy=Text("Scan the label of what holds it."),
    )


async def _piece(reading: Reading, equipment_id: int) -> Row[Any]:
    (found,) = await equipment.pieces(reading, kinds=None, limit=1, equipment_id=equipment_id)
    return found


async def _stand(reading: Reading, rows: Sequence[Row[Any]]) -> list[FitnessView]:
    wanted: Mapping[str, Sequence[str]] = (await settings.current(reading, REQUIRED)).get(REQUIRED, {})
    done = await equipment.qualifications(reading, ids=[row.id for row in rows])
    at, today = await judging.now(reading), await equipment.today(reading)
    own: dict[int, list[Row[Any]]] = {}
    for each in done:
        own.setdefault(each.equipment_id, []).append(each)
    return [_view(row, own.get(row.id, []), tuple(wanted.get(row.kind, ())), at=at, today=today) for row in rows]


def _view(
    row: Row[Any], done: Iterable[Row[Any]], wanted: tuple[str, ...], *, at: datetime, today: date
) -> FitnessView:
    known = [
        EquipmentQualification(
            each.id,
            each.kind,
            each.done_on,
            each.due_on,
            each.outcome,
            each.as_found_in_tolerance,
            each.evidence,
            each.recorded_at,
        )
        for each in done
    ]
    against = tuple(unfit(known, wanted, at=at, day=today))
    due_on = due_next(known, wanted)
    soon = due_on is not None and (due_on - today).days <= SOON_DAYS
    return FitnessView(
        code=row.code,
        name=row.name,
        kind=row.kind,
        room=row.room,
        held=row.held,
        state="unfit" if against else "not_asked" if not wanted else "due_soon" if soon else "fit",
        due_on=due_on,
        wanted=wanted,
        against=against,
        qualifications=tuple(
            QualificationView(
                each.id,
                each.kind,
                each.done_on,
                each.due_on,
                each.outcome,
                each.as_found_in_tolerance,
                each.evidence,
                each.done_by,
                each.recorded_by,
                each.recorded_at,
            )
            for each in reversed(list(done))
        ),
    )


def _most_urgent(each: FitnessView) -> tuple[int, date, str]:
    return ("unfit", "due_soon", "fit", "not_asked").index(each.state), each.due_on or date.max, each.name
