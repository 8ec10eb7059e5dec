"""Workstations, incubators, freezers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from app.db.items import Item, find, new_item
from app.domain.errors import NotFound
from app.domain.text import Text
from labels.codes import CodeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

INSERT = "INSERT INTO lab.equipment (id, name, kind, room, recorded_by) VALUES (:id, :name, :kind, :room, :by)"
PLACES = {"shelf": ("shelf", CodeKind.SHELF), "position": ("position", CodeKind.POSITION)}
"""Kinds that bear a label of their own sort."""
KEYS = """
SELECT DISTINCT e.id FROM lab.item_codes k JOIN lab.equipment e ON e.id = k.item_id
WHERE k.code = ANY (CAST(:codes AS text[])) ORDER BY e.id
"""
KEEP = """
INSERT INTO lab.equipment_qualifications (equipment_id, kind, done_on, due_on, outcome, as_found_in_tolerance, evidence, done_by, recorded_by)
VALUES (:equipment_id, :kind, :done_on, :due_on, :outcome, :as_found, :evidence, :done_by, :by) RETURNING id
"""
TODAY = "SELECT (clock_timestamp() AT TIME ZONE time_zone)::date FROM lab.deployment"
# Every piece that can be looked after; what shows that it is fit stands with it, the oldest first.
LIST = """
SELECT e.id, k.code, e.name, e.kind, e.room, EXISTS (SELECT FROM lab.holds h WHERE h.item_id = e.id AND h.lifted_at IS NULL) AS held
FROM lab.equipment e JOIN lab.item_codes k ON k.item_id = e.id AND k.scheme = 'own'
WHERE (CAST(:kinds AS text[]) IS NULL OR e.kind = ANY (CAST(:kinds AS text[]))) AND (CAST(:id AS bigint) IS NULL OR e.id = :id) ORDER BY e.name, e.id LIMIT :limit
"""
QUALIFICATIONS = """
SELECT q.id, q.equipment_id, q.kind, q.done_on, q.due_on, q.outcome, q.as_found_in_tolerance, q.evidence, q.done_by,
    a.printed_name AS recorded_by, q.recorded_at
FROM lab.equipment_qualifications q JOIN people.accounts a ON a.id = q.recorded_by
WHERE q.equipment_id = ANY (CAST(:ids AS bigint[])) ORDER BY q.done_on, q.id
"""
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


async def counter(reading: Reading, *, code: str) -> Item:
    """The cell counter of this code. Raises NotFound for anything else."""
    item = await find(reading, code=code, kind="equipment")
    if await reading.value(EQUIPMENT_KIND, item_id=item.id) != "cell_counter":
        raise NotFound(
            what=Text("{code} is no cell counter.", code=code),
            why=Text("It is other equipment, with which no cells are counted."),
            remedy=Text("Scan the label of the cell counter."),
        )
    return item


async def keys_of(reading: Reading, *, codes: Sequence[str]) -> tuple[int, ...]:
    """The keys of those codes that are equipment, shelves or positions."""
    if not codes:
        return ()
    return tuple(row.id for row in await reading.all(KEYS, codes=list(codes)))


async def keep_qualification(
    change: Change,
    *,
    equipment_id: int,
    kind: str,
    done_on: date,
    due_on: date | None,
    outcome: str,
    as_found: bool | None,
    evidence: str,
    done_by: str,
) -> int:
    """What was done to a piece, recorded by the actor. Its number."""
    number: int = await change.value(
        KEEP,
        equipment_id=equipment_id,
        kind=kind,
        done_on=done_on,
        due_on=due_on,
        outcome=outcome,
        as_found=as_found,
        evidence=evidence,
        done_by=done_by,
        by=change.actor.account_id,
    )
    return number


async def today(reading: Reading) -> date:
    """The day where the facility stands."""
    day: date = await reading.value(TODAY)
    return day


async def pieces(
    reading: Reading, *, kinds: Sequence[str] | None, limit: int, equipment_id: int | None = None
) -> Sequence[Row[Any]]:
    """Equipment of these kinds by name, or the one piece."""
    return await reading.all(LIST, kinds=None if kinds is None else list(kinds), id=equipment_id, limit=limit)


async def qualifications(reading: Reading, *, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """What was done to these pieces, the oldest first."""
    return await reading.all(QUALIFICATIONS, ids=list(ids))


async def label_of(reading: Reading, *, item_id: int) -> tuple[str | None, str | None]:
    """Code and name of a piece of equipment."""
    row = await reading.one(EQUIPMENT_LABEL, item_id=item_id)
    return (None, None) if row is None else (row.code, row.name)
