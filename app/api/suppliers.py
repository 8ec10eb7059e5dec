"""Suppliers over HTTP: registered, audited, decided about by signature."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Day, Line, Moment, Name, Prose
from app.services import suppliers
from app.services.suppliers import AuditedView, ChosenView, DecidedView, SupplierView, WholeSupplier

router = APIRouter(prefix=API, tags=["materials"])

Key = Annotated[int, Path(ge=1, le=9_223_372_036_854_775_807)]


class NewSupplier(Body):
    """A supplier by the name that stands on its deliveries."""

    name: Name
    kind: Literal["manufacturer", "distributor"]
    address: Line


class NewAudit(Body):
    """An audit with its outcome, and from when to when that shall stand; from now on, where nothing is said."""

    method: Literal["on_site", "remote", "questionnaire"]
    audited_on: Day
    outcome: Literal["qualified", "qualified_with_conditions", "not_qualified"]
    findings: Prose
    evidence: Line
    valid_from: Moment | None = None
    valid_to: Moment


class Decision(Body):
    """The proof of identity of whoever decides."""

    ceremony: UUID


class Chosen(Body):
    """The supplier's name as it is registered."""

    supplier: Name


@router.post("/suppliers", status_code=201)
async def register_supplier(body: NewSupplier, house: HouseDep, call: CallDep) -> SupplierView:
    """Register a supplier."""
    return await suppliers.register_supplier(house, call, name=body.name, kind=body.kind, address=body.address)


@router.get("/suppliers")
async def list_suppliers(
    house: HouseDep,
    actor: ActorDep,
    sought: Name | None = None,
    after: Name | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[SupplierView]:
    """Suppliers by name, after this one."""
    return await suppliers.list_suppliers(house, actor, sought=sought, after=after, limit=limit)


@router.get("/suppliers/{supplier}")
async def read_supplier(supplier: Key, house: HouseDep, actor: ActorDep) -> WholeSupplier:
    """A supplier with its audits and its lots."""
    return await suppliers.read_supplier(house, actor, supplier=supplier)


@router.post("/suppliers/{supplier}/audits", status_code=201)
async def record_audit(supplier: Key, body: NewAudit, house: HouseDep, call: CallDep) -> AuditedView:
    """Write down an audit, which decides nothing before it is signed."""
    begins: datetime | None = body.valid_from
    return await suppliers.record_audit(
        house,
        call,
        supplier=supplier,
        method=body.method,
        audited_on=body.audited_on,
        outcome=body.outcome,
        findings=body.findings,
        evidence=body.evidence,
        valid_from=begins,
        valid_to=body.valid_to,
    )


@router.post("/supplier-audits/{audit}/decide")
async def decide_supplier(audit: Key, body: Decision, house: HouseDep, call: CallDep) -> DecidedView:
    """Decide by signature what an audit says."""
    return await suppliers.decide_supplier(house, call, audit=audit, ceremony=body.ceremony)


@router.post("/material-lots/{code}/supplier", status_code=201)
async def choose_supplier(code: Code, body: Chosen, house: HouseDep, call: CallDep) -> ChosenView:
    """Say which of the known suppliers a material lot is from."""
    return await suppliers.choose_supplier(house, call, code=code, supplier=body.supplier)
