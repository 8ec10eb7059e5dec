"""Suppliers: registered, audited, decided about by signature, and the lots that are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.door import Change, Reading

REGISTER = (
    "INSERT INTO lab.suppliers (name, kind, address, recorded_by) VALUES (:name, :kind, :address, :by) RETURNING id"
)
STANDS = """
SELECT a.outcome, a.valid_from, a.valid_to FROM lab.supplier_audits a JOIN lab.signatures g ON g.id = a.signature_id
WHERE a.supplier_id = s.id ORDER BY g.signed_at DESC LIMIT 1
"""
COLUMNS = f"""
SELECT s.id AS supplier, s.name, s.kind, s.address, CASE
        WHEN last.outcome IS NULL THEN 'never_audited' WHEN last.outcome = 'not_qualified' THEN 'not_qualified'
        WHEN last.valid_to <= clock_timestamp() THEN 'expired' WHEN last.valid_from > clock_timestamp() THEN 'not_yet'
        ELSE last.outcome END AS standing,
    last.valid_to AS qualified_until,
    (SELECT count(*) FROM lab.supplier_audits a WHERE a.supplier_id = s.id AND a.signature_id IS NULL) AS waiting
FROM lab.suppliers s LEFT JOIN LATERAL ({STANDS}) AS last ON true
"""
ONE = f"{COLUMNS} WHERE s.id = :id"
LIST = f"""
{COLUMNS}
WHERE (CAST(:sought AS text) IS NULL OR position(lower(:sought) IN lower(s.name)) > 0)
    AND (CAST(:after AS text) IS NULL OR s.name > :after) ORDER BY s.name LIMIT :limit
"""
NAMES = "SELECT name FROM lab.suppliers ORDER BY name LIMIT :limit"
AUDIT = """
INSERT INTO lab.supplier_audits (supplier_id, method, audited_on, outcome, findings, evidence, valid_from, valid_to, recorded_by)
VALUES (:supplier, :method, :audited_on, :outcome, :findings, :evidence, :valid_from, :valid_to, :by) RETURNING id
"""
AUDITS = """
SELECT a.id AS audit, a.method, a.audited_on, a.outcome, a.findings, a.evidence, a.valid_from, a.valid_to,
    p.printed_name AS recorded_by, p.id = :me AS is_own, a.recorded_at, g.printed_name AS signed_by, g.signed_at
FROM lab.supplier_audits a JOIN people.accounts p ON p.id = a.recorded_by LEFT JOIN lab.signatures g ON g.id = a.signature_id
WHERE a.supplier_id = :supplier ORDER BY a.id DESC LIMIT :limit
"""
OF_AUDIT = "SELECT supplier_id FROM lab.supplier_audits WHERE id = :id"
LOTS = """
SELECT k.code, l.name, m.name AS material, l.state, r.supplier_lot, r.received_at
FROM lab.material_lot_suppliers c JOIN lab.material_lots r ON r.id = c.material_lot_id JOIN lab.lots l ON l.id = r.id
JOIN lab.materials m ON m.id = r.material_id JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
WHERE c.supplier_id = :supplier AND NOT EXISTS (
    SELECT FROM lab.material_lot_suppliers n WHERE n.material_lot_id = c.material_lot_id AND n.id > c.id)
ORDER BY l.id DESC LIMIT :limit
"""
DECIDE = "SELECT gate.qualify_supplier(:id, :ceremony)"
CHOOSE = (
    "INSERT INTO lab.material_lot_suppliers (material_lot_id, supplier_id, recorded_by) VALUES (:lot, :supplier, :by)"
)
BY_NAME = "SELECT id FROM lab.suppliers WHERE name = :name"


async def register(change: Change, *, name: str, kind: str, address: str) -> int:
    """A new supplier; its key. Raises Conflict when the name is taken."""
    key: int = await change.value(REGISTER, name=name, kind=kind, address=address, by=change.actor.account_id)
    return key


async def one(reading: Reading, *, supplier: int) -> Row[Any]:
    """A supplier and how it stands. Raises NotFound."""
    row = await reading.one(ONE, id=supplier)
    if row is None:
        raise _nobody(str(supplier))
    return row


async def id_of(reading: Reading, *, name: str) -> int:
    """The key of the supplier of this name. Raises NotFound."""
    key: int | None = await reading.value(BY_NAME, name=name)
    if key is None:
        raise _nobody(name)
    return key


async def page(reading: Reading, *, sought: str | None, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Suppliers by name, after this one."""
    return await reading.all(LIST, sought=sought, after=after, limit=limit)


async def names(reading: Reading, *, limit: int) -> list[str]:
    """Names, to choose from."""
    return [row.name for row in await reading.all(NAMES, limit=limit)]


async def audit(
    change: Change,
    *,
    supplier: int,
    method: str,
    audited_on: date,
    outcome: str,
    findings: str,
    evidence: str,
    valid_from: datetime,
    valid_to: datetime,
) -> int:
    """An audit that waits for its signature; its key."""
    key: int = await change.value(
        AUDIT,
        supplier=supplier,
        method=method,
        audited_on=audited_on,
        outcome=outcome,
        findings=findings,
        evidence=evidence,
        valid_from=valid_from,
        valid_to=valid_to,
        by=change.actor.account_id,
    )
    return key


async def audits(reading: Reading, *, supplier: int, me: int, limit: int) -> Sequence[Row[Any]]:
    """The audits of a supplier, the newest first; `is_own` where this account wrote it down."""
    return await reading.all(AUDITS, supplier=supplier, me=me, limit=limit)


async def supplier_of(reading: Reading, *, audit_id: int) -> int:
    """Whose audit it is. Raises NotFound."""
    key: int | None = await reading.value(OF_AUDIT, id=audit_id)
    if key is None:
        raise _nobody(str(audit_id))
    return key


async def decide(change: Change, *, audit_id: int, ceremony: UUID) -> int:
    """Decide by signature what an audit says. The signature's key. Raises the refusal that the gate states."""
    signature: int = await change.value(DECIDE, id=audit_id, ceremony=ceremony)
    return signature


async def lots(reading: Reading, *, supplier: int, limit: int) -> Sequence[Row[Any]]:
    """The newest material lots that are this supplier's."""
    return await reading.all(LOTS, supplier=supplier, limit=limit)


async def choose(change: Change, *, lot_id: int, supplier: int) -> None:
    """Say whose a material lot is, in place of what was said before."""
    await change.run(CHOOSE, lot=lot_id, supplier=supplier, by=change.actor.account_id)


def _nobody(name: str) -> NotFound:
    return NotFound(
        what=Text("There is no supplier {name}.", name=name),
        why=Text("No supplier of this name is registered."),
        remedy=Text("Choose one of the list, or have the QA manager register it."),
    )
