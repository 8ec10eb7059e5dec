"""Suppliers: listed, registered, audited, and qualified or not by signature."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import Refusal
from app.domain.lots import STATE_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import suppliers
from app.services.house import House
from app.services.suppliers import AuditView, WholeSupplier
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/materials/suppliers", route_class=PageRoute)
PAGE = 50
NAME = 120
SIGNING = "sign-"
DECIDED = Meaning.SUPPLIER_DECIDED
Key = Annotated[int, Path(ge=1, le=9_223_372_036_854_775_807)]

KIND_NAMES: Mapping[str, Text] = {
    "manufacturer": Text("Manufacturer"),
    "distributor": Text("Distributor"),
}
METHOD_NAMES: Mapping[str, Text] = {
    "on_site": Text("On site"),
    "remote": Text("Remote"),
    "questionnaire": Text("By questionnaire"),
}
OUTCOME_NAMES: Mapping[str, tuple[Text, Text]] = {
    "qualified": (Text("Qualified"), Text("Lots that arrive from then on can be approved.")),
    "qualified_with_conditions": (
        Text("Qualified with conditions"),
        Text("As qualified; the conditions stand among the findings."),
    ),
    "not_qualified": (Text("Not qualified"), Text("No lot that arrives from then on can be approved.")),
}
STANDING_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "qualified": ("go", "check", Text("qualified")),
    "qualified_with_conditions": ("go", "alert-triangle", Text("qualified with conditions")),
    "not_qualified": ("stop", "x", Text("not qualified")),
    "expired": ("stop", "clock", Text("qualification ran out")),
    "not_yet": ("wait", "clock", Text("not yet in force")),
    "never_audited": ("stop", "question-mark", Text("never qualified")),
}


@router.get("")
async def list_suppliers(
    request: Request, house: HouseDep, who: SignedInDep, q: str = "", after: str | None = None
) -> Response:
    """Suppliers by name, and how each stands."""
    sought = "".join(each for each in q.strip()[:NAME] if each.isprintable())
    begin = None if after is None else "".join(each for each in after[:NAME] if each.isprintable())
    found = await suppliers.list_suppliers(house, who.actor, sought=sought or None, after=begin, limit=PAGE)
    return await render(
        request,
        "suppliers/list.html",
        who=who,
        found=found,
        q=sought,
        next=found[-1].name if len(found) == PAGE else None,
        kind_names=KIND_NAMES,
        standing_marks=STANDING_MARKS,
    )


@router.get("/new")
async def new_supplier(request: Request, who: SignedInDep, name: str = "") -> Response:
    """A supplier whom nobody registered yet."""
    require(who.actor, Act.REGISTER_SUPPLIER)
    return await _new_shown(request, who, await blank(request, name=name[:NAME]))


@router.post("/new")
async def register_supplier(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Register it."""
    entry = await read_entry(request)
    name, kind, address = entry.text("name", most=NAME), entry.one_of("kind", KIND_NAMES), entry.text("address")
    try:
        made = await once(suppliers.register_supplier(house, entry.call(who), name=name, kind=kind, address=address))
    except Refusal as refusal:
        return await _new_shown(request, who, entry.again(refusal))
    return see(f"/materials/suppliers/{made['supplier']}")


@router.get("/{supplier}")
async def show_supplier(request: Request, house: HouseDep, who: SignedInDep, supplier: Key) -> Response:
    """The supplier, its audits from the newest on, and its newest lots."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, DECIDED) else None
    return await _shown(request, house, who, supplier, form)


@router.get("/{supplier}/audit")
async def new_audit(request: Request, house: HouseDep, who: SignedInDep, supplier: Key) -> Response:
    """An audit that took place."""
    require(who.actor, Act.RECORD_SUPPLIER_AUDIT)
    return await _audit_shown(request, house, who, supplier, await blank(request, valid_from=datetime.now(UTC)))


@router.post("/{supplier}/audit")
async def record_audit(request: Request, house: HouseDep, who: SignedInDep, supplier: Key) -> Response:
    """Write it down; it decides nothing before it is signed."""
    entry = await read_entry(request)
    given: dict[str, Any] = {
        "method": entry.one_of("method", METHOD_NAMES),
        "audited_on": entry.day("audited_on"),
        "outcome": entry.one_of("outcome", OUTCOME_NAMES),
        "findings": entry.prose("findings"),
        "evidence": entry.text("evidence"),
        "valid_from": entry.optional_moment("valid_from", ahead=True),
        "valid_to": entry.moment("valid_to", ahead=True),
    }
    try:
        await once(suppliers.record_audit(house, entry.call(who), supplier=supplier, **given))
    except Refusal as refusal:
        return await _audit_shown(request, house, who, supplier, entry.again(refusal))
    return see(f"/materials/suppliers/{supplier}")


@router.post("/{supplier}/decision")
async def decide(request: Request, house: HouseDep, who: SignedInDep, supplier: Key) -> Response:
    """Sign what the oldest audit that waits says."""
    entry = await read_entry(request)
    found = await suppliers.read_supplier(house, who.actor, supplier=supplier)
    waits = _waits(found)
    try:
        ref = str(waits.audit) if waits else "0"
        ceremony = await signed(house, who, entry, meaning=DECIDED, kind=RecordKind.SUPPLIER_AUDIT, ref=ref)
        call = entry.call(who, part="act")
        await once(suppliers.decide_supplier(house, call, audit=waits.audit if waits else 0, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, supplier, entry.again(refusal, prefix=SIGNING))
    return see(f"/materials/suppliers/{supplier}")


# -- within ------------------------------------------------------------------------------------------------------------


def _waits(found: WholeSupplier) -> AuditView | None:
    """The audit to be signed next: the oldest that waits."""
    return next((each for each in reversed(found.audits) if each.signed_by is None), None)


async def _new_shown(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(request, "suppliers/new.html", status=form.status, who=who, form=form, kind_names=KIND_NAMES)


async def _audit_shown(request: Request, house: House, who: SignedIn, supplier: int, form: FormView) -> Response:
    found = await suppliers.read_supplier(house, who.actor, supplier=supplier)
    return await render(
        request,
        "suppliers/audit.html",
        status=form.status,
        who=who,
        form=form,
        supplier=found.supplier,
        method_names=METHOD_NAMES,
        outcome_names=OUTCOME_NAMES,
    )


async def _shown(request: Request, house: House, who: SignedIn, supplier: int, form: FormView | None) -> Response:
    found = await suppliers.read_supplier(house, who.actor, supplier=supplier)
    waits = _waits(found)
    may_decide = waits is not None and may_sign(who, DECIDED) and not waits.is_own
    dialog = await _dialog(house, who, found, waits, form) if form and waits and may_decide else None
    return await render(
        request,
        "suppliers/supplier.html",
        status=form.status if form else 200,
        who=who,
        supplier=found.supplier,
        audits=found.audits,
        lots=found.lots,
        may_decide=may_decide,
        may_audit=may(who.actor, Act.RECORD_SUPPLIER_AUDIT),
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=DECIDED,
        kind_names=KIND_NAMES,
        method_names=METHOD_NAMES,
        outcome_names=OUTCOME_NAMES,
        standing_marks=STANDING_MARKS,
        state_names=STATE_NAMES,
    )


async def _dialog(house: House, who: SignedIn, found: WholeSupplier, waits: AuditView, form: FormView) -> SignDialog:
    here = f"/materials/suppliers/{found.supplier.supplier}"
    return await to_sign(
        house,
        who,
        meaning=DECIDED,
        kind=RecordKind.SUPPLIER_AUDIT,
        ref=str(waits.audit),
        action=f"{here}/decision",
        here=here,
        title=Text("You decide about this supplier"),
        lines=(
            Text("{supplier}: {outcome}.", supplier=found.supplier.name, outcome=OUTCOME_NAMES[waits.outcome][0]),
            Text(
                "Audited {date}, written down by {by}. {findings}",
                date=waits.audited_on.isoformat(),
                by=waits.recorded_by,
                findings=waits.findings,
            ),
        ),
        form=form,
        is_open=True,
    )
