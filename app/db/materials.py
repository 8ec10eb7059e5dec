"""Materials and their lots: defined, received into quarantine, approved for use by signature."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.db.items import Item, also_known_as, new_item
from app.domain.errors import NotFound
from app.domain.lots import LotAct
from app.domain.text import Text
from labels.codes import CodeKind, new_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.door import Change, Reading

DEFINE = """
INSERT INTO lab.materials (name, description, grade, composition, composition_complete, recorded_by)
VALUES (:name, :description, :grade, CAST(:composition AS jsonb), :complete, :by)
"""
MATERIAL = (
    "SELECT id, name, description, grade, composition, composition_complete FROM lab.materials WHERE name = :name"
)
MATERIALS = """
SELECT id, name, description, grade, composition, composition_complete FROM lab.materials
WHERE CAST(:after AS text) IS NULL OR name > :after ORDER BY name LIMIT :limit
"""
NAME = """
SELECT 'MAT-' || to_char(clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment), 'YY')
    || '-' || lab.counted(nextval('lab.material_names'))
"""
BEGIN = "SELECT lab.begin_lot(:id, :name, 'material', 'receive', NULL, NULL, NULL, NULL, NULL)"
RECEIVE = """
INSERT INTO lab.material_lots (id, material_id, supplier, supplier_lot, expires_on, received_at, certificate_reference,
    certificate_reviewed_at, storage_ok, recorded_by)
VALUES (:id, :material, :supplier, :supplier_lot, :expires_on, :received_at, :certificate_reference,
    :certificate_reviewed_at, :storage_ok, :by)
"""
CONTAINERS = """
WITH made AS (
    INSERT INTO lab.items (kind) SELECT 'material_container' FROM unnest(CAST(:codes AS text[])) RETURNING id
), numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM made)
INSERT INTO lab.item_codes (code, item_id, scheme)
SELECT given.code, numbered.id, 'own'
FROM numbered JOIN unnest(CAST(:codes AS text[])) WITH ORDINALITY AS given(code, place) USING (place)
RETURNING item_id
"""
CONTAIN = """
INSERT INTO lab.containers (id, lot_id, kind, state, recorded_by)
SELECT made.id, :lot, 'material', 'stored', :by FROM unnest(CAST(:ids AS bigint[])) AS made(id)
"""
DESCEND = (
    "INSERT INTO lab.lineage (parent_id, child_id) SELECT :lot, made.id FROM unnest(CAST(:ids AS bigint[])) AS made(id)"
)
LOT = """
SELECT l.id, k.code, l.name, m.name AS material, m.description, m.grade, m.composition, m.composition_complete,
    l.state, l.version, r.supplier, r.supplier_lot, r.expires_on, r.received_at, r.certificate_reference,
    r.certificate_reviewed_at, r.storage_ok, s.signed_at AS approved_at, s.printed_name AS approved_by
FROM lab.item_codes g JOIN lab.material_lots r ON r.id = g.item_id JOIN lab.lots l ON l.id = r.id
JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own' JOIN lab.materials m ON m.id = r.material_id
LEFT JOIN lab.lot_history h ON h.lot_id = l.id AND h.to_state = 'approved'
LEFT JOIN lab.signatures s ON s.id = h.signature_id
WHERE g.code = :code
"""
LOT_CONTAINERS = """
SELECT k.code, c.state, c.opened_until FROM lab.containers c
JOIN lab.item_codes k ON k.item_id = c.id AND k.scheme = 'own' WHERE c.lot_id = :id ORDER BY c.id
"""
LOTS = """
SELECT k.code, l.name, m.name AS material, l.state, r.supplier, r.supplier_lot, r.expires_on,
    EXISTS (SELECT FROM lab.holds h WHERE h.item_id = l.id AND h.lifted_at IS NULL) AS held
FROM lab.material_lots r JOIN lab.lots l ON l.id = r.id JOIN lab.materials m ON m.id = r.material_id
JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
WHERE (CAST(:state AS text) IS NULL OR l.state = :state)
    AND (CAST(:after AS text) IS NULL OR l.id < (SELECT item_id FROM lab.item_codes WHERE code = :after))
ORDER BY l.id DESC LIMIT :limit
"""
APPROVE = "SELECT gate.approve_material(:id, :ceremony)"
SIGNED_DIGEST = "SELECT digest FROM lab.signatures WHERE id = :id"
MOVE = "SELECT lab.move_lot(:id, :act, false)"


async def define(
    change: Change,
    *,
    name: str,
    description: str,
    grade: str,
    composition: Sequence[dict[str, str | None]] | None,
    composition_complete: bool,
) -> None:
    """A new material. Raises Conflict when the name is taken."""
    await change.run(
        DEFINE,
        name=name,
        description=description,
        grade=grade,
        composition=None if composition is None else json.dumps(composition, ensure_ascii=False),
        complete=composition_complete,
        by=change.actor.account_id,
    )


async def material(reading: Reading, *, name: str) -> Row[Any]:
    """The material of this name. Raises NotFound."""
    row = await reading.one(MATERIAL, name=name)
    if row is None:
        raise NotFound(
            what=Text("There is no material {name}.", name=name),
            why=Text("No material of this name was defined."),
            remedy=Text("Choose a defined material, or have the QA manager define it."),
        )
    return row


async def materials(reading: Reading, *, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Materials by name, after this one."""
    return await reading.all(MATERIALS, after=after, limit=limit)


async def receive(
    change: Change,
    *,
    material_id: int,
    supplier: str,
    supplier_lot: str,
    supplier_code: str | None,
    expires_on: date | None,
    received_at: datetime,
    certificate_reference: str | None,
    certificate_reviewed_at: datetime | None,
    storage_ok: bool | None,
    containers: int,
) -> Item:
    """A new material lot in quarantine with its containers, each an item of its own."""
    item = await new_item(change, kind="lot", code_kind=CodeKind.LOT)
    if supplier_code is not None:
        await also_known_as(change, item_id=item.id, code=supplier_code, scheme="supplier")
    by = change.actor.account_id
    await change.value(BEGIN, id=item.id, name=await change.value(NAME))
    await change.run(
        RECEIVE,
        id=item.id,
        material=material_id,
        supplier=supplier,
        supplier_lot=supplier_lot,
        expires_on=expires_on,
        received_at=received_at,
        certificate_reference=certificate_reference,
        certificate_reviewed_at=certificate_reviewed_at,
        storage_ok=storage_ok,
        by=by,
    )
    codes = [new_code(CodeKind.MATERIAL_CONTAINER) for _ in range(containers)]
    ids = [row.item_id for row in await change.all(CONTAINERS, codes=codes)]
    await change.run(CONTAIN, ids=ids, lot=item.id, by=by)
    await change.run(DESCEND, ids=ids, lot=item.id)
    return item


async def find_lot(reading: Reading, *, code: str) -> Row[Any]:
    """The material lot of this code. Raises NotFound, for a lot of cells too."""
    row = await reading.one(LOT, code=code)
    if row is None:
        raise NotFound(
            what=Text("There is no material lot {code}.", code=code),
            why=Text("This code is not a material lot's."),
            remedy=Text("Scan the label of the material lot."),
        )
    return row


async def lot_containers(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """Its containers, in the order in which they were labelled."""
    return await reading.all(LOT_CONTAINERS, id=lot_id)


async def lots(reading: Reading, *, state: str | None, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Material lots, newest first, after the lot of this code."""
    return await reading.all(LOTS, state=state, after=after, limit=limit)


async def approve(change: Change, *, lot_id: int, ceremony: UUID) -> str:
    """Approve for use through the gate. The digest of what was signed. Raises the refusal that the gate states."""
    signature: int = await change.value(APPROVE, id=lot_id, ceremony=ceremony)
    digest: str = await change.value(SIGNED_DIGEST, id=signature)
    return digest


async def recall(change: Change, *, lot_id: int) -> None:
    """Recall the lot. Raises IllegalMove."""
    await change.run(MOVE, id=lot_id, act=LotAct.RECALL.value)
