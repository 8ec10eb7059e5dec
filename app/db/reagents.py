"""Reagents prepared in house: recipes by version, preparations from labelled containers, and who verified them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db.items import new_item
from app.db.materials import BEGIN, CONTAINERS, DESCEND, NAME
from app.domain.errors import NotFound
from app.domain.text import Text
from labels.codes import CodeKind, new_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import Row

    from app.db.door import Change, Reading
    from app.db.items import Item

MATERIAL = "SELECT id, kind FROM lab.materials WHERE name = :name"
DEFINE_MATERIAL = """
INSERT INTO lab.materials (name, description, grade, kind, composition_complete, recorded_by)
VALUES (:name, '', 'prepared', 'prepared', false, :by) RETURNING id
"""
NEXT_VERSION = "SELECT coalesce(max(version), 0) + 1 FROM lab.recipes WHERE material_id = :material"
DEFINE = """
INSERT INTO lab.recipes (material_id, version, shelf_life_hours, storage, instructions, recorded_by)
VALUES (:material, :version, :hours, :storage, :instructions, :by) RETURNING id
"""
COMPONENT = """
INSERT INTO lab.recipe_components (recipe_id, material_id, amount, unit) VALUES (:recipe, :material, :amount, :unit)
"""
RECIPE_COLUMNS = """
SELECT r.id AS recipe, m.name AS material, r.version, r.shelf_life_hours, r.storage, r.instructions,
    a.printed_name AS defined_by, r.recorded_at AS defined_at, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('material', x.name, 'amount', c.amount::text, 'unit', c.unit) ORDER BY c.id), '[]')
        FROM lab.recipe_components c JOIN lab.materials x ON x.id = c.material_id WHERE c.recipe_id = r.id) AS components,
    NOT EXISTS (SELECT FROM lab.recipes n WHERE n.material_id = r.material_id AND n.version > r.version) AS is_newest
FROM lab.recipes r JOIN lab.materials m ON m.id = r.material_id JOIN people.accounts a ON a.id = r.recorded_by
"""
RECIPE = f"{RECIPE_COLUMNS} WHERE r.id = :id"
RECIPES = f"{RECIPE_COLUMNS} WHERE (CAST(:after AS bigint) IS NULL OR r.id < :after) ORDER BY r.id DESC LIMIT :limit"
VESSELS = """
SELECT c.id, k.code, c.state, c.opened_until, l.id AS lot_id, l.name AS lot, l.state AS lot_state, m.name AS material,
    lab.container_keeps_until(c.id) AS keeps_until,
    EXISTS (SELECT FROM lab.holds h WHERE h.lifted_at IS NULL AND h.item_id = ANY (lab.with_parts(ARRAY[l.id]) || c.id)) AS held
FROM lab.item_codes g JOIN lab.containers c ON c.id = g.item_id JOIN lab.lots l ON l.id = c.lot_id AND l.kind = 'material'
JOIN lab.material_lots x ON x.id = l.id JOIN lab.materials m ON m.id = x.material_id
JOIN lab.item_codes k ON k.item_id = c.id AND k.scheme = 'own'
WHERE g.code = ANY (CAST(:codes AS text[])) ORDER BY c.id
"""
LOCK = "SELECT lab.lock_touched(CAST(:ids AS bigint[]))"
ENDS = """
SELECT least(CAST(:at AS timestamptz) + CAST(:hours AS double precision) * interval '1 hour',
    (SELECT min(lab.container_keeps_until(id)) FROM unnest(CAST(:ids AS bigint[])) AS part(id)))
"""
LOT = """
INSERT INTO lab.material_lots (id, material_id, supplier, supplier_lot, expires_on, received_at, recorded_by)
SELECT :id, r.material_id, d.facility, :name, (CAST(:expires_at AS timestamptz) AT TIME ZONE d.time_zone)::date, :at, :by
FROM lab.recipes r, lab.deployment d WHERE r.id = :recipe
"""
REAGENT = """
INSERT INTO lab.reagents (id, recipe_id, prepared_by, prepared_at, expires_at, recorded_by)
VALUES (:id, :recipe, :by, :at, :expires_at, :by)
"""
PART = """
INSERT INTO lab.reagent_parts (reagent_id, container_id, material_lot_id, quantity, unit)
VALUES (:reagent, :container, :lot, :quantity, :unit)
"""
DESCENDS = (
    "INSERT INTO lab.lineage (parent_id, child_id) SELECT id, :reagent FROM unnest(CAST(:ids AS bigint[])) AS part(id)"
)
ENDS_WITH_IT = """
INSERT INTO lab.containers (id, lot_id, kind, state, opened_until, recorded_by)
SELECT made.id, :lot, 'material', 'stored', :until, :by FROM unnest(CAST(:ids AS bigint[])) AS made(id)
"""
ONE = """
SELECT b.id, k.code, l.name, l.state, m.name AS material, r.version, r.id AS recipe, p.printed_name AS prepared_by,
    b.prepared_at, b.expires_at, v.printed_name AS verified_by, w.recorded_at AS verified_at, (
        SELECT jsonb_agg(jsonb_build_object('container', o.code, 'lot', x.name, 'lot_code', y.code, 'material', n.name,
            'quantity', t.quantity::text, 'unit', t.unit) ORDER BY t.id)
        FROM lab.reagent_parts t JOIN lab.item_codes o ON o.item_id = t.container_id AND o.scheme = 'own'
        JOIN lab.lots x ON x.id = t.material_lot_id JOIN lab.item_codes y ON y.item_id = x.id AND y.scheme = 'own'
        JOIN lab.material_lots z ON z.id = x.id JOIN lab.materials n ON n.id = z.material_id WHERE t.reagent_id = b.id) AS parts,
    (SELECT jsonb_agg(o.code ORDER BY c.id) FROM lab.containers c
     JOIN lab.item_codes o ON o.item_id = c.id AND o.scheme = 'own' WHERE c.lot_id = b.id) AS containers
FROM lab.item_codes g JOIN lab.reagents b ON b.id = g.item_id JOIN lab.lots l ON l.id = b.id
JOIN lab.item_codes k ON k.item_id = b.id AND k.scheme = 'own' JOIN lab.recipes r ON r.id = b.recipe_id
JOIN lab.materials m ON m.id = r.material_id JOIN people.accounts p ON p.id = b.prepared_by
LEFT JOIN lab.reagent_verifications w ON w.reagent_id = b.id LEFT JOIN people.accounts v ON v.id = w.verified_by
WHERE g.code = :code
"""
KEY = "SELECT b.id FROM lab.item_codes g JOIN lab.reagents b ON b.id = g.item_id WHERE g.code = :code"
VERIFY = "SELECT outcome, at, item_code FROM people.verify_reagent(:reagent, :verifier, :badge, :code)"


async def prepared_material(change: Change, *, name: str) -> tuple[int, str]:
    """The key and kind of the material of this name; a new one where there is none."""
    row = await change.one(MATERIAL, name=name)
    if row is not None:
        return row.id, row.kind
    key: int = await change.value(DEFINE_MATERIAL, name=name, by=change.actor.account_id)
    return key, "prepared"


async def define(
    change: Change,
    *,
    material: int,
    shelf_life_hours: Decimal,
    storage: str,
    instructions: str,
    components: Sequence[tuple[int, Decimal, str]],
) -> int:
    """The next version of a recipe, with what goes into it. Its key. Raises Conflict when another was quicker."""
    version = await change.value(NEXT_VERSION, material=material)
    key: int = await change.value(
        DEFINE,
        material=material,
        version=version,
        hours=shelf_life_hours,
        storage=storage,
        instructions=instructions,
        by=change.actor.account_id,
    )
    for of, amount, unit in components:
        await change.run(COMPONENT, recipe=key, material=of, amount=amount, unit=unit)
    return key


async def recipe(reading: Reading, *, key: int) -> Row[Any]:
    """A version of a recipe. Raises NotFound."""
    row = await reading.one(RECIPE, id=key)
    if row is None:
        raise NotFound(
            what=Text("There is no recipe {number}.", number=key),
            why=Text("No version of a recipe has this number."),
            remedy=Text("Choose one of the list."),
        )
    return row


async def recipes(reading: Reading, *, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Versions of recipes, the newest first."""
    return await reading.all(RECIPES, after=after, limit=limit)


async def vessels(reading: Reading, *, codes: Sequence[str]) -> Sequence[Row[Any]]:
    """The containers of materials that these codes name."""
    return await reading.all(VESSELS, codes=list(codes))


async def lock(change: Change, *, containers: Sequence[int]) -> None:
    """Lock the lots of these containers, so that nothing about them changes meanwhile."""
    await change.run(LOCK, ids=list(containers))


async def ends_at(reading: Reading, *, at: datetime, hours: Decimal, containers: Sequence[int]) -> datetime:
    """Until when what is made of these may be used: its own life, or the first end of any of them."""
    ends: datetime = await reading.value(ENDS, at=at, hours=hours, ids=list(containers))
    return ends


async def prepare(
    change: Change,
    *,
    recipe_id: int,
    at: datetime,
    expires_at: datetime,
    parts: Sequence[tuple[int, int, Decimal, str]],
    containers: int,
) -> Item:
    """A new material lot in quarantine that came from these containers, with labelled containers of its own."""
    item = await new_item(change, kind="lot", code_kind=CodeKind.LOT)
    by = change.actor.account_id
    name = await change.value(NAME)
    await change.value(BEGIN, id=item.id, name=name)
    await change.run(LOT, id=item.id, recipe=recipe_id, name=name, expires_at=expires_at, at=at, by=by)
    await change.run(REAGENT, id=item.id, recipe=recipe_id, at=at, expires_at=expires_at, by=by)
    for container, lot, quantity, unit in parts:
        await change.run(PART, reagent=item.id, container=container, lot=lot, quantity=quantity, unit=unit)
    await change.run(DESCENDS, reagent=item.id, ids=[container for container, *_ in parts])
    codes = [new_code(CodeKind.MATERIAL_CONTAINER) for _ in range(containers)]
    ids = [row.item_id for row in await change.all(CONTAINERS, codes=codes)]
    await change.run(ENDS_WITH_IT, ids=ids, lot=item.id, until=expires_at, by=by)
    await change.run(DESCEND, ids=ids, lot=item.id)
    return item


async def one(reading: Reading, *, code: str) -> Row[Any] | None:
    """A reagent by its lot's code; None for a lot that was not prepared here."""
    return await reading.one(ONE, code=code)


async def key_of(reading: Reading, *, code: str) -> int | None:
    """The key of the reagent of this code."""
    key: int | None = await reading.value(KEY, code=code)
    return key


async def verify(change: Change, *, reagent: int, verifier: int, badge: int, code: str) -> Row[Any]:
    """Write the verification, unless the row's `outcome` says why not. Needs the desk for people."""
    row = await change.one(VERIFY, reagent=reagent, verifier=verifier, badge=badge, code=code)
    if row is None:
        raise RuntimeError("a verification always answers")
    return row
