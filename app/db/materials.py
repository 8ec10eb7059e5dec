"""Materials and their lots: defined, received into quarantine, approved for use by signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db.catalogue import COLUMNS, LAST_STATEMENT
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

NAME = """
SELECT 'MAT-' || to_char(clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment), 'YY')
    || '-' || lab.counted(nextval('lab.material_names'))
"""
SUPPLIED_BY_NAME = """
INSERT INTO lab.material_lot_suppliers (material_lot_id, supplier_id, recorded_by)
SELECT :lot, id, :by FROM lab.suppliers WHERE name = :name
"""
CERTIFICATES = """
SELECT c.kind, c.reference, c.pool_size, a.printed_name AS filed_by, c.recorded_at AS filed_at
FROM lab.material_certificates c JOIN people.accounts a ON a.id = c.recorded_by WHERE c.material_lot_id = :id ORDER BY c.id
"""
RETAINS = """
SELECT k.code, f.code AS source, r.quantity, r.unit, r.place, r.taken_at FROM lab.retains r
JOIN lab.item_codes k ON k.item_id = r.id AND k.scheme = 'own' JOIN lab.item_codes f ON f.item_id = r.from_item_id AND f.scheme = 'own'
WHERE r.lot_id = :id ORDER BY r.id
"""
FILE_CERTIFICATE = """
INSERT INTO lab.material_certificates (material_lot_id, kind, reference, pool_size, recorded_by)
VALUES (:lot, :kind, :reference, :pool_size, :by)
"""
BEGIN = "SELECT lab.begin_lot(:id, :name, 'material', 'receive', NULL, NULL, NULL, NULL, NULL)"
RECEIVE = """
INSERT INTO lab.material_lots (id, material_id, supplier, supplier_lot, expires_on, received_at, certificate_reference,
    certificate_reviewed_at, storage_ok, origin_countries, processed_in, collected_on, recorded_by)
VALUES (:id, :material, :supplier, :supplier_lot, :expires_on, :received_at, :certificate_reference,
    :certificate_reviewed_at, :storage_ok, CAST(:origin_countries AS text[]), :processed_in, :collected_on, :by)
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
LOT = f"""
SELECT l.id, k.code, l.name, m.name AS material, {COLUMNS}, l.state, l.version, r.supplier, (
        SELECT s.name FROM lab.material_lot_suppliers c JOIN lab.suppliers s ON s.id = c.supplier_id
        WHERE c.material_lot_id = r.id ORDER BY c.id DESC LIMIT 1) AS known_supplier, r.supplier_lot, r.expires_on,
    r.received_at, r.certificate_reference, r.certificate_reviewed_at, r.storage_ok, r.origin_countries, r.processed_in,
    r.collected_on, s.signed_at AS approved_at, s.printed_name AS approved_by, n.signed_at AS rejected_at,
    n.printed_name AS rejected_by, n.statement AS rejected_because
FROM lab.item_codes g JOIN lab.material_lots r ON r.id = g.item_id JOIN lab.lots l ON l.id = r.id
JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own' JOIN lab.materials m ON m.id = r.material_id
{LAST_STATEMENT}
LEFT JOIN lab.lot_history h ON h.lot_id = l.id AND h.to_state = 'approved'
LEFT JOIN lab.signatures s ON s.id = h.signature_id
LEFT JOIN lab.lot_history j ON j.lot_id = l.id AND j.to_state = 'rejected'
LEFT JOIN lab.signatures n ON n.id = j.signature_id
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
    AND (CAST(:expiring_by AS date) IS NULL OR (r.expires_on <= :expiring_by AND l.state IN ('quarantine', 'approved')))
    AND (CAST(:sought AS text) IS NULL OR l.name = upper(:sought) OR lower(r.supplier_lot) = lower(:sought)
        OR r.material_id = ANY (ARRAY(SELECT id FROM lab.materials WHERE position(lower(:sought) IN lower(name)) > 0)))
    AND (CAST(:after AS text) IS NULL OR l.id < (SELECT item_id FROM lab.item_codes WHERE code = :after))
ORDER BY l.id DESC LIMIT :limit
"""
APPROVE = "SELECT gate.approve_material(:id, :ceremony)"
SIGNED_DIGEST = "SELECT digest FROM lab.signatures WHERE id = :id"
MOVE = "SELECT lab.move_lot(:id, :act, false)"
STATEMENT = "SELECT statement FROM people.ceremonies WHERE id = :id"
REJECT = "SELECT gate.reject_material(:id, :ceremony)"
USED_IN = """
SELECT k.code, l.name, l.state, min(u.used_at) AS first_used_at, max(u.used_at) AS last_used_at, count(*) AS times
FROM lab.consumptions u JOIN lab.lots l ON l.id = u.lot_id
JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
WHERE u.material_lot_id = :id GROUP BY k.code, l.name, l.state, l.id ORDER BY l.id DESC LIMIT :limit
"""
BEFORE = """
SELECT m.name, r.supplier FROM lab.item_codes k JOIN lab.material_lots r ON r.id = k.item_id
JOIN lab.materials m ON m.id = r.material_id
WHERE k.scheme = 'supplier' AND k.code >= :first AND k.code < :beyond ORDER BY r.id DESC LIMIT 1
"""
LAST_SUPPLIER = """
SELECT r.supplier FROM lab.material_lots r JOIN lab.materials m ON m.id = r.material_id
WHERE m.name = :material ORDER BY r.id DESC LIMIT 1
"""
BOTTLE = """
SELECT c.id, own.code, c.lot_id, c.state, c.opened_until, l.state AS lot_state, r.received_at, m.name AS material, m.opened_life_hours
FROM lab.item_codes g JOIN lab.containers c ON c.id = g.item_id JOIN lab.lots l ON l.id = c.lot_id
JOIN lab.material_lots r ON r.id = l.id JOIN lab.materials m ON m.id = r.material_id
JOIN lab.item_codes own ON own.item_id = c.id AND own.scheme = 'own'
WHERE g.code = :code
"""
OPENED_UNTIL = "SELECT opened_until FROM lab.containers WHERE id = :id"


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
    origin_countries: Sequence[str] | None,
    processed_in: str | None,
    collected_on: date | None,
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
        origin_countries=None if origin_countries is None else list(origin_countries),
        processed_in=processed_in,
        collected_on=collected_on,
        by=by,
    )
    codes = [new_code(CodeKind.MATERIAL_CONTAINER) for _ in range(containers)]
    ids = [row.item_id for row in await change.all(CONTAINERS, codes=codes)]
    await change.run(CONTAIN, ids=ids, lot=item.id, by=by)
    await change.run(DESCEND, ids=ids, lot=item.id)
    await change.run(SUPPLIED_BY_NAME, lot=item.id, name=supplier, by=by)
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


async def lots(
    reading: Reading,
    *,
    state: str | None,
    after: str | None,
    limit: int,
    sought: str | None = None,
    expiring_by: date | None = None,
) -> Sequence[Row[Any]]:
    """Material lots, newest first, after the lot of this code.

    `sought` is a lot's name, a supplier's lot, or a part of a material's name; `expiring_by` leaves those that may still
    be used, or come to use, and expire by then.
    """
    return await reading.all(LOTS, state=state, after=after, limit=limit, sought=sought, expiring_by=expiring_by)


async def used_in(reading: Reading, *, lot_id: int, limit: int) -> Sequence[Row[Any]]:
    """The lots of cells in which it was used, newest first."""
    return await reading.all(USED_IN, id=lot_id, limit=limit)


async def approve(change: Change, *, lot_id: int, ceremony: UUID) -> str:
    """Approve for use through the gate. The digest of what was signed. Raises the refusal that the gate states."""
    signature: int = await change.value(APPROVE, id=lot_id, ceremony=ceremony)
    digest: str = await change.value(SIGNED_DIGEST, id=signature)
    return digest


async def recall(change: Change, *, lot_id: int) -> None:
    """Recall the lot. Raises IllegalMove."""
    await change.run(MOVE, id=lot_id, act=LotAct.RECALL.value)


async def received_before(reading: Reading, *, gtin: str) -> Row[Any] | None:
    """The material and supplier of the last lot whose supplier's code names this trade item; None for the first."""
    beyond = f"{int(gtin) + 1:014d}"
    return await reading.one(BEFORE, first=f"01{gtin}", beyond=f"01{beyond}")


async def last_supplier(reading: Reading, *, material: str) -> str | None:
    """Who supplied the last lot of this material."""
    supplier: str | None = await reading.value(LAST_SUPPLIER, material=material)
    return supplier


async def statement_of(reading: Reading, *, ceremony: UUID) -> str:
    """What a ceremony's signature will state; empty where there is no such ceremony."""
    return await reading.value(STATEMENT, id=ceremony) or ""


async def reject(change: Change, *, lot_id: int, ceremony: UUID) -> None:
    """Reject the lot through the gate. Raises the refusal that the gate states."""
    await change.run(REJECT, id=lot_id, ceremony=ceremony)


async def bottle(reading: Reading, *, code: str) -> Row[Any]:
    """A container of a material lot. Raises NotFound, for a container of cells too."""
    row = await reading.one(BOTTLE, code=code)
    if row is None:
        raise NotFound(
            what=Text("There is no container of a material {code}.", code=code),
            why=Text("This code is not on a container of a material lot."),
            remedy=Text("Scan the label of the container."),
        )
    return row


async def opened_until(reading: Reading, *, container_id: int) -> datetime:
    """Until when a container that stands open may be used."""
    until: datetime = await reading.value(OPENED_UNTIL, id=container_id)
    return until


async def certificates(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """The papers of a lot, in the order in which they were filed."""
    return await reading.all(CERTIFICATES, id=lot_id)


async def retains(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """What was kept of a lot, in the order in which it was taken."""
    return await reading.all(RETAINS, id=lot_id)


async def file_certificate(change: Change, *, lot_id: int, kind: str, reference: str, pool_size: int | None) -> None:
    """File a paper of a lot that was reviewed."""
    await change.run(
        FILE_CERTIFICATE,
        lot=lot_id,
        kind=kind,
        reference=reference,
        pool_size=pool_size,
        by=change.actor.account_id,
    )
