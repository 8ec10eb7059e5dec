"""Flasks and vials: made many at once, used up, put away; and the lineage that leads to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from app.domain.facts import StepKind
from labels.codes import CodeKind, new_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from app.db.door import Change
    from app.db.steps import Plan

NEW_ITEMS = """
WITH made AS (INSERT INTO lab.items (kind) SELECT 'container' FROM unnest(CAST(:codes AS text[])) RETURNING id),
numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM made)
INSERT INTO lab.item_codes (code, item_id, scheme)
SELECT given.code, numbered.id, 'own'
FROM numbered JOIN unnest(CAST(:codes AS text[])) WITH ORDINALITY AS given(code, place) USING (place)
RETURNING item_id, code
"""
NEW_CONTAINERS = """
INSERT INTO lab.containers (id, lot_id, kind, passage, volume_ml, viable_cells, step_id, recorded_by)
SELECT made.id, :lot_id, :kind, :passage, :volume_ml, :viable_cells, :step_id, :by
FROM unnest(CAST(:ids AS bigint[])) AS made(id) ORDER BY made.id
"""
DESCEND = """
INSERT INTO lab.lineage (parent_id, child_id, step_id)
SELECT parent.id, child.id, :step_id
FROM unnest(CAST(:parents AS bigint[])) AS parent(id) CROSS JOIN unnest(CAST(:children AS bigint[])) AS child(id)
WHERE parent.id <> child.id
ON CONFLICT (parent_id, child_id) DO NOTHING
"""
USE_UP = """
UPDATE lab.containers SET state = 'consumed', version = version + 1
WHERE id = ANY (CAST(:ids AS bigint[])) AND state IN ('in_use', 'stored')
"""
SET_ASIDE = """
UPDATE lab.containers SET state = :state, version = version + 1
WHERE id = :id AND state IN ('in_use', 'stored')
"""
STORE = """
UPDATE lab.containers SET state = 'stored', place_id = :place_id, version = version + 1
WHERE id = ANY (CAST(:ids AS bigint[])) AND state IN ('in_use', 'stored')
"""
DESTROY = """
UPDATE lab.containers SET state = 'destroyed', version = version + 1
WHERE lot_id = :lot_id AND state IN ('in_use', 'stored')
"""
VIALS = "SELECT id FROM lab.containers WHERE lot_id = :lot_id AND kind = 'vial' AND state = 'in_use' ORDER BY id"


async def make(
    change: Change,
    *,
    lot_id: int,
    code_kind: CodeKind,
    count: int,
    step_id: int,
    passage: int | None,
    volume_ml: Decimal | None = None,
    viable_cells: Decimal | None = None,
) -> dict[int, str]:
    """New flasks or vials of a lot, all in three statements however many. Their ids and codes, in order."""
    if count == 0:
        return {}
    codes = [new_code(code_kind) for _ in range(count)]
    made = {row.item_id: row.code for row in await change.all(NEW_ITEMS, codes=codes)}
    await change.run(
        NEW_CONTAINERS,
        ids=list(made),
        lot_id=lot_id,
        kind=code_kind.name.lower(),
        passage=passage,
        volume_ml=volume_ml,
        viable_cells=viable_cells,
        step_id=step_id,
        by=change.actor.account_id,
    )
    return dict(sorted(made.items()))


async def descend(change: Change, *, parents: Sequence[int], children: Sequence[int], step_id: int | None) -> None:
    """Every child came from every parent. What is known already is not said twice."""
    await change.run(DESCEND, parents=list(parents), children=list(children), step_id=step_id)


async def inherit(change: Change, plan: Plan, *, step_id: int, children: Sequence[int]) -> None:
    """What a step made came from its parents, or the donation, and from every material; the parents are used up."""
    parents = [each.id for each in plan.parents]
    source = [plan.lot.donation_id] if plan.kind is StepKind.ISOLATION and plan.lot.donation_id is not None else []
    bottles = [vessel.id for _, vessel in plan.materials]
    came_from = list(dict.fromkeys([*parents, *source, *bottles]))
    await descend(change, parents=came_from, children=children, step_id=step_id)
    await use_up(change, ids=parents)


async def use_up(change: Change, *, ids: Sequence[int]) -> None:
    """Nothing is left in these containers."""
    await change.run(USE_UP, ids=list(ids))


async def set_aside(change: Change, *, id_: int, state: Literal["retained", "sampled"]) -> None:
    """This container is whole and here, and no longer for use: kept as a retain, or handed over for tests."""
    await change.run(SET_ASIDE, id=id_, state=state)


async def store(change: Change, *, ids: Sequence[int], place_id: int | None) -> None:
    """These containers are put away; where, when it is known."""
    await change.run(STORE, ids=list(ids), place_id=place_id)


async def destroy(change: Change, *, lot_id: int) -> None:
    """Every container of the lot that was still there is destroyed."""
    await change.run(DESTROY, lot_id=lot_id)


async def vials_in_use(change: Change, *, lot_id: int) -> list[int]:
    """The filled vials of the lot that are not put away yet."""
    return [row.id for row in await change.all(VIALS, lot_id=lot_id)]
