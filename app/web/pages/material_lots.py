"""A material lot: received by scan, judged by the rules, approved or rejected by signature, opened, recalled."""

import re
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.animal_serum import SPECIES_NAMES
from app.domain.countries import COUNTRIES
from app.domain.errors import BadInput, NotFound, Refusal
from app.domain.lots import STATE_NAMES, LotState
from app.domain.rulebook import OUTCOME_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import catalogue, labels, material_containers, materials, printing, suppliers
from app.services.house import House
from app.services.labels import AT_ONCE_MAX, Language, Many
from app.services.materials import Arriving, MaterialLotView
from app.services.printing import Media
from app.web.fields import Entry, FormView, Wrong, blank, once, read_entry, see
from app.web.forms import SCAN
from app.web.pages.donations import ORDER
from app.web.pages.labels import LANGUAGE_NAMES, printers_for
from app.web.pages.lot_acts import UNITS
from app.web.pages.lots import CONTAINER_STATES
from app.web.pages.materials import GRADE_NAMES, HOLDS_SERUM, NAME, SERUM_NAMES, Serum, country_names
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render, the_facility
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/materials", route_class=PageRoute)
SIGNING = "sign-"
USES = 50
CONTAINERS_MOST = 500
COUNTRIES_MOST = 40
CERTIFICATE_NAMES = {
    "analysis": Text("Certificate of analysis"),
    "marketing_licence": Text("Marketing licence"),
    "donor_pool": Text("Certificate of the donor pool"),
    "virus_inactivation": Text("Inactivation of viruses"),
    "sterility": Text("Sterility"),
    "endotoxin": Text("Endotoxin"),
    "compatibility": Text("Suitability of its material"),
}
ENDED = frozenset({LotState.REJECTED, LotState.RECALLED, LotState.DESTROYED})


# -- receipt -----------------------------------------------------------------------------------------------------------


@router.get("/receive")
async def arrive(
    request: Request, house: HouseDep, who: SignedInDep, scan: str | None = None, material: str = ""
) -> Response:
    """First what it is, by its bar code or by name; then what is not known of it yet."""
    require(who.actor, Act.RECEIVE_MATERIAL)
    form = await blank(request, scan=scan, material=material[:NAME])
    if scan is None and not material:
        return await _arriving_shown(request, house, who, form, None)
    try:
        known = await _known(house, who, (scan or "").strip()[:SCAN], material.strip()[:NAME])
    except BadInput as refusal:
        return await _arriving_shown(request, house, who, _refused(form, refusal, at="scan"), None)
    except NotFound as refusal:
        return await _arriving_shown(request, house, who, _refused(form, refusal, at="material"), None)
    if known.material is None:
        return await _arriving_shown(request, house, who, form, None, is_new=True)
    filled = await blank(
        request,
        material=known.material.name,
        supplier=known.supplier,
        supplier_code=known.supplier_code,
        supplier_lot=known.supplier_lot,
        expires_on=known.expires_on,
        received_at=datetime.now(UTC),
        storage="as_required",
        containers=1,
    )
    return await _arriving_shown(request, house, who, filled, known)


@router.post("/receive")
async def receive(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Receive it into quarantine."""
    entry = await read_entry(request)
    material, code = entry.text("material", most=NAME), _as_scanned(entry)
    given: dict[str, Any] = {
        "supplier": entry.text("supplier", most=NAME),
        "supplier_lot": entry.text("supplier_lot", most=NAME),
        "expires_on": entry.optional_day("expires_on", ahead=True),
        "received_at": entry.moment("received_at"),
        "certificate_reference": entry.optional("certificate_reference"),
        "certificate_reviewed_at": entry.optional_moment("certificate_reviewed_at"),
        "storage_ok": {"as_required": True, "not_as_required": False}.get(entry.one_of("storage", STORAGE)),
        "containers": entry.whole("containers", least=1, most=CONTAINERS_MOST),
        "origin_countries": _countries(entry),
        "processed_in": entry.optional("processed_in", most=2),
        "collected_on": entry.optional_day("collected_on"),
    }
    try:
        made = await once(
            materials.receive_material(house, entry.call(who), material=material, supplier_code=code, **given)
        )
    except Refusal as refusal:
        form = entry.again(refusal)
        try:
            known: Arriving | None = await _known(house, who, "", material)
        except Refusal:
            known = None
        return await _arriving_shown(request, house, who, form, known)
    if may(who.actor, Act.PRINT_LABEL):
        return see(f"/materials/{made['code']}/labels")  # a container without its label is nobody's
    return see(f"/materials/{made['code']}")


STORAGE = {
    "as_required": Text("As the label asks"),
    "not_as_required": Text("Not as the label asks"),
    "unknown": Text("Not known"),
}


async def _known(house: House, who: SignedIn, scan: str, material: str) -> Arriving:
    return await materials.arriving(house, who.actor, supplier_code=scan or None, material=material or None)


def _refused(form: FormView, refusal: Refusal, *, at: str) -> FormView:
    form.refusal = BadInput(field=at, what=refusal.what, why=refusal.why, remedy=refusal.remedy)
    form.wrong[at] = Wrong(refusal.why, refusal.remedy)
    return form


def _as_scanned(entry: Entry) -> str | None:
    """The supplier's code as the page carried it: what it holds is judged where codes are read."""
    sent = entry.every("supplier_code")
    return sent[-1].strip()[:SCAN] or None if sent else None


def _countries(entry: Entry) -> list[str] | None:
    typed = entry.optional("origin_countries") or ""
    found = list(dict.fromkeys(each.upper() for each in re.split(r"[\s,;，、]+", typed) if each))
    strange = next((each for each in found if each not in COUNTRIES), None)
    if strange is not None or len(found) > COUNTRIES_MOST:
        entry.problem(
            "origin_countries",
            Text("{code} is no country.", code=(strange or "…")[:NAME]),
            Text("Write each country's two letters as on the certificate: AU, NZ, CN."),
        )
    return found or None


async def _arriving_shown(
    request: Request, house: House, who: SignedIn, form: FormView, known: Arriving | None, *, is_new: bool = False
) -> Response:
    material = known.material if known else None
    return await render(
        request,
        "materials/receive.html",
        status=form.status,
        who=who,
        form=form,
        material=material,
        is_new=is_new,
        names=[] if material else await catalogue.material_names(house, who.actor),
        suppliers=await suppliers.supplier_names(house, who.actor) if material else [],
        storage=STORAGE,
        serum=HOLDS_SERUM[material.animal_serum] if material else None,
        countries=country_names(request) if material and material.animal_serum else {},
        species_names=SPECIES_NAMES,
    )


# -- one lot -----------------------------------------------------------------------------------------------------------


@router.get("/{code}")
async def show_lot(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The lot, every rule before its approval, its containers, and where it was used."""
    for meaning in (Meaning.MATERIAL_APPROVED, Meaning.MATERIAL_REJECTED):
        if asks_to_sign(request, meaning):
            return await _shown(request, house, who, code, meaning, await blank(request, prefix=SIGNING))
    return await _shown(request, house, who, code)


@router.post("/{code}/approval")
async def approve(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Sign that the lot is approved for use."""
    entry = await read_entry(request)
    meaning = Meaning.MATERIAL_APPROVED
    try:
        ceremony = await signed(house, who, entry, meaning=meaning, kind=RecordKind.MATERIAL_LOT, ref=code)
        await once(materials.approve_material(house, entry.call(who, part="act"), code=code, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, code, meaning, entry.again(refusal, prefix=SIGNING))
    return see(f"/materials/{code}")


@router.post("/{code}/rejection")
async def reject(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Sign that the lot is rejected; the reason is part of what is signed."""
    entry = await read_entry(request)
    reason, meaning = entry.prose("reason"), Meaning.MATERIAL_REJECTED
    try:
        ceremony = await signed(
            house, who, entry, meaning=meaning, kind=RecordKind.MATERIAL_LOT, ref=code, statement=reason
        )
        await once(materials.reject_material(house, entry.call(who, part="act"), code=code, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, code, meaning, entry.again(refusal, prefix=SIGNING))
    return see(f"/materials/{code}")


@router.get("/{code}/labels")
async def ask_labels(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Ask on which printer the labels of its containers come out."""
    require(who.actor, Act.PRINT_LABEL)
    return await _labelling(request, house, who, code, await blank(request))


@router.post("/{code}/labels")
async def print_labels(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Make the first label of every container that has none yet."""
    entry = await read_entry(request)
    language, printer = entry.choice("language", Language), entry.code("printer")
    try:
        call = entry.call(who)
        made = await once(
            labels.print_lot_labels(house, call, code=code, kind=Many.MATERIAL, language=language, printer=printer)
        )
    except Refusal as refusal:
        form = entry.again(refusal, of="printer" if printer and isinstance(refusal, NotFound) else "")
        return await _labelling(request, house, who, code, form)
    return await _labelling(request, house, who, code, await blank(request), made=made)


@router.get("/{code}/recall")
async def ask_recall(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Ask why, and show where it was used."""
    require(who.actor, Act.RECALL_MATERIAL)
    return await _recalling(request, house, who, code, await blank(request))


@router.post("/{code}/recall")
async def recall(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Recall the lot."""
    entry = await read_entry(request)
    reason = entry.prose("reason")
    try:
        await once(materials.recall_material(house, entry.call(who), code=code, reason=reason))
    except Refusal as refusal:
        return await _recalling(request, house, who, code, entry.again(refusal))
    return see(f"/materials/{code}")


@router.get("/{code}/certificates")
async def ask_certificate(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """A paper of the lot that was reviewed."""
    require(who.actor, Act.REVIEW_COA)
    return await _asking(request, house, who, code, await blank(request), "materials/certificate.html")


@router.post("/{code}/certificates")
async def file_certificate(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """File it: it counts from now on."""
    entry = await read_entry(request)
    kind, reference = entry.one_of("kind", CERTIFICATE_NAMES), entry.text("reference")
    pool = entry.optional_whole("pool_size", least=1, most=100_000)
    try:
        call = entry.call(who)
        await once(materials.file_certificate(house, call, code=code, kind=kind, reference=reference, pool_size=pool))
    except Refusal as refusal:
        return await _asking(request, house, who, code, entry.again(refusal), "materials/certificate.html")
    return see(f"/materials/{code}")


@router.get("/{code}/supplier")
async def ask_supplier(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Which of the known suppliers the lot is from."""
    require(who.actor, Act.CHOOSE_SUPPLIER)
    return await _asking(request, house, who, code, await blank(request), "materials/whose.html")


@router.post("/{code}/supplier")
async def choose_supplier(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Say it; what was written at the receipt stays."""
    entry = await read_entry(request)
    supplier = entry.text("supplier", most=NAME)
    try:
        await once(suppliers.choose_supplier(house, entry.call(who), code=code, supplier=supplier))
    except Refusal as refusal:
        return await _asking(request, house, who, code, entry.again(refusal), "materials/whose.html")
    return see(f"/materials/{code}")


@router.get("/{code}/opening")
async def ask_opening(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """A container that was opened, and not used at once."""
    require(who.actor, Act.OPEN_MATERIAL)
    container = request.query_params.get("container", "")[:SCAN]
    form = await blank(request, container=container, opened_at=datetime.now(UTC))
    return await _opening(request, house, who, code, form)


@router.post("/{code}/opening")
async def open_container(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Note that it was opened."""
    entry = await read_entry(request)
    container, at = entry.scanned("container"), entry.moment("opened_at")
    try:
        await once(material_containers.open_material(house, entry.call(who), code=container, opened_at=at))
    except Refusal as refusal:
        return await _opening(request, house, who, code, entry.again(refusal))
    return see(f"/materials/{code}#h-containers")


@router.get("/{code}/retain")
async def ask_retain(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Ask what is kept of a material lot."""
    require(who.actor, Act.TAKE_RETAIN)
    source = request.query_params.get("from", "")[:SCAN] or None
    return await _retaining(request, house, who, code, await blank(request, source=source, quantity="1", unit="mL"))


@router.post("/{code}/retain")
async def keep_retain(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Keep it."""
    entry = await read_entry(request)
    source, place, taken_at = entry.scanned("source"), entry.text("place"), entry.optional_moment("taken_at")
    quantity, unit = entry.amount("quantity"), entry.one_of("unit", UNITS)
    try:
        made = await once(
            material_containers.keep_retain(
                house,
                entry.call(who),
                lot=code,
                source=source,
                quantity=quantity,
                unit=unit,
                place=place,
                taken_at=taken_at,
            )
        )
    except Refusal as refusal:
        return await _retaining(request, house, who, code, entry.again(refusal))
    return see(f"/items/{made['code']}")


# -- within ------------------------------------------------------------------------------------------------------------


async def _shown(
    request: Request,
    house: House,
    who: SignedIn,
    code: str,
    meaning: Meaning | None = None,
    form: FormView | None = None,
) -> Response:
    lot, used_in = await materials.show_material_lot(house, who.actor, code=code, uses=USES)
    state = LotState(lot.state)
    signs = {
        Meaning.MATERIAL_APPROVED: state is LotState.QUARANTINE and lot.gate.is_open,
        Meaning.MATERIAL_REJECTED: state in {LotState.QUARANTINE, LotState.APPROVED},
    }
    signs = {each: is_open and may_sign(who, each) for each, is_open in signs.items()}
    # After a refusal the dialog says why also where the state no longer offers it.
    is_asked = form is not None and meaning is not None and (signs[meaning] or form.refusal is not None)
    dialog = None
    if form is not None and meaning is not None and is_asked and may_sign(who, meaning):
        dialog = await _dialog(house, who, lot, meaning, form)
    now = datetime.now(UTC)
    return await render(
        request,
        "materials/lot.html",
        status=form.status if form else 200,
        who=who,
        lot=lot,
        verdicts=sorted(lot.gate.verdicts, key=lambda each: (ORDER.index(each.outcome), each.rule)),
        closing=sum(each.closes for each in lot.gate.verdicts),
        used_in=used_in,
        uses_most=USES,
        signs={each.value: offered for each, offered in signs.items()},
        may_recall=may(who.actor, Act.RECALL_MATERIAL) and state not in {LotState.RECALLED, LotState.DESTROYED},
        may_open=may(who.actor, Act.OPEN_MATERIAL) and state is LotState.APPROVED,
        dialog=dialog,
        refusal=form.refusal if form and not dialog else None,
        now=now,
        today=now.astimezone((await the_facility(request)).zone).date(),
        **_names(request, lot),
    )


def _names(request: Request, lot: MaterialLotView) -> dict[str, Any]:
    countries = country_names(request) if lot.origin_countries or lot.processed_in else {}
    return {
        "state_names": STATE_NAMES,
        "certificate_names": CERTIFICATE_NAMES,
        "units": UNITS,
        "container_states": CONTAINER_STATES,
        "outcome_names": OUTCOME_NAMES,
        "grade_names": GRADE_NAMES,
        "serum_name": SERUM_NAMES[HOLDS_SERUM[lot.material.animal_serum]][0],
        "holds_serum": HOLDS_SERUM[lot.material.animal_serum] is Serum.YES,
        "species_names": SPECIES_NAMES,
        "countries": countries,
        "origins": [countries.get(each, each) for each in lot.origin_countries or ()],
    }


async def _dialog(house: House, who: SignedIn, lot: MaterialLotView, meaning: Meaning, form: FormView) -> SignDialog:
    facts = Text(
        "{name}: {material}, supplier's lot {supplier_lot}, expires {expires}.",
        name=lot.name,
        material=lot.material.name,
        supplier_lot=lot.supplier_lot,
        expires=lot.expires_on.isoformat() if lot.expires_on else "–",
    )
    is_approval = meaning is Meaning.MATERIAL_APPROVED
    return await to_sign(
        house,
        who,
        meaning=meaning,
        kind=RecordKind.MATERIAL_LOT,
        ref=lot.code,
        action=f"/materials/{lot.code}/{'approval' if is_approval else 'rejection'}",
        here=f"/materials/{lot.code}",
        title=Text("You approve this material lot for use") if is_approval else Text("You reject this material lot"),
        submit=Text("Sign and approve") if is_approval else Text("Sign and reject"),
        lines=(facts,) if is_approval else (facts, Text("A rejected lot is never used and never comes back.")),
        form=form,
        is_open=True,
    )


async def _labelling(
    request: Request, house: House, who: SignedIn, code: str, form: FormView, made: dict[str, Any] | None = None
) -> Response:
    lot = await materials.read_material_lot(house, who.actor, code=code)
    return await render(
        request,
        "materials/labels.html",
        status=form.status,
        who=who,
        form=form,
        lot=lot,
        made=made,
        printers=printers_for(await printing.list_printers(house, who.actor), Media.CONTAINER),
        language_names=LANGUAGE_NAMES,
        at_once=AT_ONCE_MAX,
        state_names=STATE_NAMES,
    )


async def _recalling(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    lot, used_in = await materials.show_material_lot(house, who.actor, code=code, uses=USES)
    return await render(
        request,
        "materials/recall.html",
        status=form.status,
        who=who,
        form=form,
        lot=lot,
        used_in=used_in,
        state_names=STATE_NAMES,
    )


async def _asking(request: Request, house: House, who: SignedIn, code: str, form: FormView, template: str) -> Response:
    lot = await materials.read_material_lot(house, who.actor, code=code)
    return await render(
        request,
        template,
        status=form.status,
        who=who,
        form=form,
        lot=lot,
        state_names=STATE_NAMES,
        certificate_names=CERTIFICATE_NAMES,
        names=await suppliers.supplier_names(house, who.actor),
    )


async def _retaining(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    lot = await materials.read_material_lot(house, who.actor, code=code)
    return await render(
        request,
        "materials/retain.html",
        status=form.status,
        who=who,
        form=form,
        lot=lot,
        units=UNITS,
        state_names=STATE_NAMES,
    )


async def _opening(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    lot = await materials.read_material_lot(house, who.actor, code=code)
    return await render(
        request, "materials/opening.html", status=form.status, who=who, form=form, lot=lot, state_names=STATE_NAMES
    )
