"""Suppliers: registered, audited, and qualified or not by the signature of somebody else than who wrote the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import materials, suppliers
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House

AUDITS_SHOWN = 50
LOTS_SHOWN = 50
LONGEST = timedelta(days=5 * 366)
"""No qualification stands longer than five years: sooner or later somebody looks again."""


@dataclass(frozen=True, slots=True)
class SupplierView:
    """A supplier and how it stands now.

    `standing`: qualified, qualified_with_conditions, not_qualified, expired, not_yet in force, or never_audited.
    `waiting` audits are written down and not signed.
    """

    supplier: int
    name: str
    kind: str
    address: str
    standing: str
    qualified_until: datetime | None
    waiting: int


@dataclass(frozen=True, slots=True)
class AuditView:
    """An audit; without `signed_by` it decides nothing."""

    audit: int
    method: str
    audited_on: date
    outcome: str
    findings: str
    evidence: str
    valid_from: datetime
    valid_to: datetime
    recorded_by: str
    is_own: bool
    recorded_at: datetime
    signed_by: str | None
    signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SuppliedLot:
    """A material lot that is a supplier's."""

    code: str
    name: str
    material: str
    state: str
    supplier_lot: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class WholeSupplier:
    """A supplier, its audits from the newest on, and its newest lots."""

    supplier: SupplierView
    audits: tuple[AuditView, ...]
    lots: tuple[SuppliedLot, ...]


@dataclass(frozen=True, slots=True)
class AuditedView:
    """An audit that waits for its signature. `audit` is what the signature names."""

    supplier: int
    audit: int


@dataclass(frozen=True, slots=True)
class DecidedView:
    """A supplier after an audit was signed."""

    supplier: SupplierView
    signature: int


@dataclass(frozen=True, slots=True)
class ChosenView:
    """Whose a material lot is."""

    lot: str
    supplier: str


async def register_supplier(house: House, call: Call, *, name: str, kind: str, address: str) -> SupplierView:
    """Register a supplier; lots received from now on under this very name are its. Raises Conflict for a taken name."""
    async with house.door.change(call, Act.REGISTER_SUPPLIER, subject=name) as change:
        key = await suppliers.register(change, name=name, kind=kind, address=address)
        return change.answers(SupplierView(**(await suppliers.one(change, supplier=key))._asdict()))


async def list_suppliers(
    house: House, actor: Actor, *, sought: str | None, after: str | None, limit: int
) -> list[SupplierView]:
    """Suppliers by name."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        found = await suppliers.page(reading, sought=sought, after=after, limit=limit)
        return [SupplierView(**each._asdict()) for each in found]


async def supplier_names(house: House, actor: Actor, *, limit: int = 500) -> list[str]:
    """Names of suppliers, to choose from."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        return await suppliers.names(reading, limit=limit)


async def read_supplier(house: House, actor: Actor, *, supplier: int) -> WholeSupplier:
    """A supplier with its audits and its lots. Raises NotFound."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        found = await suppliers.one(reading, supplier=supplier)
        audits = await suppliers.audits(reading, supplier=supplier, me=actor.account_id, limit=AUDITS_SHOWN)
        lots = await suppliers.lots(reading, supplier=supplier, limit=LOTS_SHOWN)
        return WholeSupplier(
            SupplierView(**found._asdict()),
            tuple(AuditView(**each._asdict()) for each in audits),
            tuple(SuppliedLot(**each._asdict()) for each in lots),
        )


async def record_audit(
    house: House,
    call: Call,
    *,
    supplier: int,
    method: str,
    audited_on: date,
    outcome: str,
    findings: str,
    evidence: str,
    valid_from: datetime | None,
    valid_to: datetime,
) -> AuditedView:
    """Write down an audit. It decides nothing before it is signed. Raises NotFound, BadInput for days out of order."""
    async with house.door.change(call, Act.RECORD_SUPPLIER_AUDIT, subject=f"supplier {supplier}") as change:
        begins = valid_from or change.at
        # A day further on where the supplier stands, at the most.
        if audited_on > (change.at + timedelta(days=1)).date():
            raise BadInput(
                field="audited_on",
                what=Text("The audit was not recorded."),
                why=Text("It would lie in the future."),
                remedy=Text("Record an audit after it took place."),
            )
        if not begins < valid_to <= begins + LONGEST:
            raise BadInput(
                field="valid_to",
                what=Text("The audit was not recorded."),
                why=Text("It would end before it begins, or stand for longer than five years."),
                remedy=Text("Choose another end; the supplier is then audited anew."),
            )
        found = await suppliers.one(change, supplier=supplier)
        key = await suppliers.audit(
            change,
            supplier=found.supplier,
            method=method,
            audited_on=audited_on,
            outcome=outcome,
            findings=findings,
            evidence=evidence,
            valid_from=begins,
            valid_to=valid_to,
        )
        return change.answers(AuditedView(found.supplier, key))


async def decide_supplier(house: House, call: Call, *, audit: int, ceremony: UUID) -> DecidedView:
    """Decide by signature what the audit says: qualified, with conditions, or not. A refusal spends the ceremony.

    Raises CeremonyRefused (for an audit of one's own writing too), Stale, NotFound, Conflict for one that is signed.
    """
    async with house.door.change(call, Act.DECIDE_SUPPLIER, subject=f"audit {audit}") as change:
        change.ceremony = ceremony
        supplier = await suppliers.supplier_of(change, audit_id=audit)
        signature = await suppliers.decide(change, audit_id=audit, ceremony=ceremony)
        found = await suppliers.one(change, supplier=supplier)
        return change.answers(DecidedView(SupplierView(**found._asdict()), signature))


async def choose_supplier(house: House, call: Call, *, code: str, supplier: str) -> ChosenView:
    """Say which supplier a material lot is from; what was written at its receipt stays. Raises NotFound."""
    async with house.door.change(call, Act.CHOOSE_SUPPLIER, subject=code) as change:
        lot = await materials.find_lot(change, code=code)
        await suppliers.choose(change, lot_id=lot.id, supplier=await suppliers.id_of(change, name=supplier))
        return change.answers(ChosenView(lot.code, supplier))
