"""Materials: what they are made of, their lots received into quarantine, approved or rejected by signature, opened."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import judging, materials, steps
from app.db.judging import GateView
from app.domain.acts import Act, Actor
from app.domain.animal_serum import SPECIES_NAMES, disease_of
from app.domain.countries import COUNTRIES
from app.domain.dossier import digest
from app.domain.errors import BadInput, Conflict, Stale, in_words_of
from app.domain.facts import Component
from app.domain.gs1 import read_trade_item
from app.domain.lots import STATE_NAMES, LotState
from app.domain.moments import require_order, require_past
from app.domain.rulebook import Gate
from app.domain.text import Text
from labels.codes import CodeError, CodeScheme, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call, Reading
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class MaterialView:
    """A material. `composition` is None where it is not known; `composition_complete` says whether it names all.

    `animal_serum` is None where nobody knows. `opened_life_hours` is how long a container keeps once opened, in hours.
    """

    name: str
    description: str
    grade: str
    composition: tuple[Component, ...] | None
    composition_complete: bool
    animal_serum: bool | None
    species: str | None
    opened_life_hours: Decimal | None


@dataclass(frozen=True, slots=True)
class ContainerView:
    """A container of a material lot."""

    code: str
    state: str
    opened_until: datetime | None


@dataclass(frozen=True, slots=True)
class MaterialLotView:
    """A material lot, its containers, and how it stands before its approval."""

    code: str
    name: str
    material: MaterialView
    state: str
    version: int
    supplier: str
    supplier_lot: str
    expires_on: date | None
    received_at: datetime
    certificate_reference: str | None
    certificate_reviewed_at: datetime | None
    storage_ok: bool | None
    origin_countries: tuple[str, ...] | None
    processed_in: str | None
    collected_on: date | None
    approved_at: datetime | None
    approved_by: str | None
    rejected_at: datetime | None
    rejected_by: str | None
    rejected_because: str | None
    containers: tuple[ContainerView, ...]
    gate: GateView


@dataclass(frozen=True, slots=True)
class MaterialLotLine:
    """A material lot in a list."""

    code: str
    name: str
    material: str
    state: str
    supplier: str
    supplier_lot: str
    expires_on: date | None
    held: bool


@dataclass(frozen=True, slots=True)
class Arriving:
    """A lot about to be received: what its bar code and earlier lots tell. None for what they do not."""

    material: MaterialView | None
    supplier: str | None
    supplier_code: str | None
    supplier_lot: str | None
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class UsedIn:
    """A lot of cells in which a material lot was used."""

    code: str
    name: str
    state: LotState
    first_used_at: datetime
    last_used_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class OpenedView:
    """A container that stands open, and until when it may be used."""

    code: str
    material: str
    opened_at: datetime
    opened_until: datetime


@dataclass(frozen=True, slots=True)
class DiseaseStatusView:
    """How a country stands for an animal disease, as somebody stated it."""

    status: int
    country: str
    disease: str
    category: str
    valid_from: date
    valid_to: date | None
    source: str
    stated_by: str
    stated_at: datetime


async def define_material(
    house: House,
    call: Call,
    *,
    name: str,
    description: str,
    grade: str,
    composition: Sequence[Component] | None,
    composition_complete: bool,
    animal_serum: bool | None = None,
    species: str | None = None,
    opened_life_hours: Decimal | None = None,
) -> MaterialView:
    """Define a material. `description` holds its other names, in either language: rules read it too.

    Raises Conflict when the name is taken, BadInput when an unknown composition is called complete, or for a species
    that is not known or is stated of a material without serum.
    """
    if composition is None and composition_complete:
        raise BadInput(
            field="composition_complete",
            what=Text("Nothing was defined."),
            why=Text("A composition that is not known cannot be complete."),
            remedy=Text("List the components, or state that the composition is not complete."),
        )
    _require_species(animal_serum, species)
    async with house.door.change(call, Act.DEFINE_MATERIAL, subject=name) as change:
        await materials.define(
            change,
            name=name,
            description=description,
            grade=grade,
            composition=None if composition is None else [asdict(each) for each in composition],
            composition_complete=composition_complete,
            animal_serum=animal_serum,
            species=species,
            opened_life_hours=opened_life_hours,
        )
        return change.answers(_material(await materials.material(change, name=name), name=name))


async def list_materials(
    house: House, actor: Actor, *, after: str | None, limit: int, sought: str | None = None
) -> list[MaterialView]:
    """Materials by name; `sought` stands in their name or description."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        found = await materials.materials(reading, sought=sought, after=after, limit=limit)
        return [_material(each, name=each.name) for each in found]


async def read_material(house: House, actor: Actor, *, name: str) -> MaterialView:
    """A material by its name. Raises NotFound."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        return _material(await materials.material(reading, name=name), name=name)


async def material_names(house: House, actor: Actor, *, limit: int = 500) -> list[str]:
    """Names of materials, to choose from."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        return await materials.names(reading, limit=limit)


async def arriving(house: House, actor: Actor, *, supplier_code: str | None, material: str | None) -> Arriving:
    """What is known of a lot before anybody types: by the supplier's code, and by what was received before.

    Raises BadInput for a code that is one of ours or cannot be read, NotFound for a material that nobody defined.
    """
    code = None if supplier_code is None else _foreign(supplier_code)
    item = read_trade_item(code or "")
    async with house.door.read(actor, Act.RECEIVE_MATERIAL) as reading:
        before = None if item.gtin is None else await materials.received_before(reading, gtin=item.gtin)
        name = material or (before and before.name)
        if name is None:
            return Arriving(None, None, code, item.supplier_lot, item.expires_on)
        found = _material(await materials.material(reading, name=name), name=name)
        if before is not None and before.name == name:
            supplier: str | None = before.supplier
        else:
            supplier = await materials.last_supplier(reading, material=name)
        return Arriving(found, supplier, code, item.supplier_lot, item.expires_on)


async def receive_material(
    house: House,
    call: Call,
    *,
    material: str,
    supplier: str,
    supplier_lot: str,
    supplier_code: str | None,
    expires_on: date | None,
    received_at: datetime,
    certificate_reference: str | None,
    certificate_reviewed_at: datetime | None,
    storage_ok: bool | None,
    containers: int,
    origin_countries: Sequence[str] | None = None,
    processed_in: str | None = None,
    collected_on: date | None = None,
) -> MaterialLotView:
    """Receive a lot into quarantine; each of its containers gets a code of ours.

    `supplier_code` is the supplier's own bar code on it, as scanned. `origin_countries` are all of a pooled lot, by two
    letters. Raises NotFound for an unknown material, BadInput for a country that there is not.
    """
    _require_countries(origin_countries or (), field="origin_countries")
    _require_countries((processed_in,) if processed_in else (), field="processed_in")
    async with house.door.change(call, Act.RECEIVE_MATERIAL, subject=f"{material} {supplier_lot}") as change:
        require_past(received_at, now=change.at, field="received_at")
        require_past(certificate_reviewed_at, now=change.at, field="certificate_reviewed_at")
        _require_collected(collected_on, received_at)
        found = await materials.material(change, name=material)
        item = await materials.receive(
            change,
            material_id=found.id,
            supplier=supplier,
            supplier_lot=supplier_lot,
            supplier_code=None if supplier_code is None else _foreign(supplier_code),
            expires_on=expires_on,
            received_at=received_at,
            certificate_reference=certificate_reference,
            certificate_reviewed_at=certificate_reviewed_at,
            storage_ok=storage_ok,
            origin_countries=None if origin_countries is None else sorted(set(origin_countries)),
            processed_in=processed_in,
            collected_on=collected_on,
            containers=containers,
        )
        return change.answers(await _view(change, code=item.code, at=change.at))


async def approve_material(house: House, call: Call, *, code: str, ceremony: UUID) -> MaterialLotView:
    """Approve a material lot for use. A refusal spends the ceremony.

    Raises Blocked with every finding where the rule book stands against it; CeremonyRefused, Stale, Held, IllegalMove.
    """
    async with house.door.change(call, Act.APPROVE_MATERIAL, subject=code) as change:
        change.ceremony = ceremony
        lot = await materials.find_lot(change, code=code)
        dossier, judgement = await judging.judged(
            change, kind="material_lot", subject_id=lot.id, gate=Gate.G1, at=change.at
        )
        if not judgement.is_open:
            raise judgement.refusal()
        if await materials.approve(change, lot_id=lot.id, ceremony=ceremony) != digest(dossier):
            raise Stale(
                what=Text("The lot was not approved."),
                why=Text("Its record changed while it was being signed."),
                remedy=Text("Read the lot again as it stands now, then sign."),
            )
        await judging.keep_judgement(
            change, kind="material_lot", subject_id=lot.id, dossier=dossier, judgement=judgement
        )
        return change.answers(await _view(change, code=code))


async def reject_material(house: House, call: Call, *, code: str, ceremony: UUID) -> MaterialLotView:
    """Reject a material lot for the reason that the signature states. A refusal spends the ceremony.

    Raises BadInput where it states none; CeremonyRefused, Stale, IllegalMove.
    """
    async with house.door.change(call, Act.REJECT_MATERIAL, subject=code) as change:
        change.ceremony = ceremony
        lot = await materials.find_lot(change, code=code)
        if not (await materials.statement_of(change, ceremony=ceremony)).strip():
            raise BadInput(
                field="ceremony",
                what=Text("The lot was not rejected."),
                why=Text("The signature states no reason."),
                remedy=Text("Sign again, and write why the lot is rejected."),
            )
        await materials.reject(change, lot_id=lot.id, ceremony=ceremony)
        return change.answers(await _view(change, code=code))


async def open_material(house: House, call: Call, *, code: str, opened_at: datetime | None) -> OpenedView:
    """Note that a container was opened; until when it may be used follows from its material.

    Raises NotFound, Conflict for one that stands open, is used up, is not approved, or keeps as long as it did unopened.
    """
    async with house.door.change(call, Act.OPEN_MATERIAL, subject=code) as change:
        require_past(opened_at, now=change.at, field="opened_at")
        found = await materials.bottle(change, code=code)
        at = opened_at or change.at
        require_order(earlier=found.received_at, later=at, field="opened_at", before="received_at")
        _require_closed(found)
        await steps.open_containers(change, ids=[found.id], at=at)
        until = await materials.opened_until(change, container_id=found.id)
        return change.answers(OpenedView(code=found.code, material=found.material, opened_at=at, opened_until=until))


async def recall_material(house: House, call: Call, *, code: str, reason: str) -> MaterialLotView:
    """Recall a material lot. What was made with it is found by its trace forward. Raises IllegalMove."""
    async with house.door.change(call, Act.RECALL_MATERIAL, subject=code, reason=reason) as change:
        lot = await materials.find_lot(change, code=code)
        await materials.recall(change, lot_id=lot.id)
        return change.answers(await _view(change, code=code))


async def read_material_lot(house: House, actor: Actor, *, code: str) -> MaterialLotView:
    """A material lot and how it stands before its approval now. Raises NotFound."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        return await _view(reading, code=code)


async def show_material_lot(
    house: House, actor: Actor, *, code: str, uses: int
) -> tuple[MaterialLotView, tuple[UsedIn, ...]]:
    """A material lot as its page shows it, and the newest lots of cells in which it was used. Raises NotFound."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        lot = await materials.find_lot(reading, code=code)
        used = await materials.used_in(reading, lot_id=lot.id, limit=uses)
        lots = tuple(UsedIn(**{**each._asdict(), "state": LotState(each.state)}) for each in used)
        return await _view(reading, code=code), lots


async def list_material_lots(
    house: House,
    actor: Actor,
    *,
    state: str | None,
    after: str | None,
    limit: int,
    sought: str | None = None,
    expiring_by: date | None = None,
) -> list[MaterialLotLine]:
    """Material lots, newest first.

    `sought` is a lot's name, a supplier's lot, or a part of a material's name. `expiring_by` leaves those in quarantine
    or approved that expire by that day.
    """
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        found = await materials.lots(
            reading, state=state, after=after, limit=limit, sought=sought, expiring_by=expiring_by
        )
        return [MaterialLotLine(**each._asdict()) for each in found]


async def state_disease_status(
    house: House,
    call: Call,
    *,
    country: str,
    disease: str,
    category: str,
    valid_from: date,
    valid_to: date | None,
    source: str,
) -> DiseaseStatusView:
    """State how a country stands for an animal disease, from a day on. Nothing is edited: what is stated later supersedes.

    Raises BadInput for a country that there is not, or days out of order.
    """
    _require_countries((country,), field="country")
    if valid_to is not None and valid_to < valid_from:
        raise BadInput(
            field="valid_to",
            what=Text("Nothing was recorded."),
            why=Text("It would end before it begins."),
            remedy=Text("Correct the days."),
        )
    async with house.door.change(call, Act.STATE_DISEASE_STATUS, subject=f"{country} {disease}") as change:
        await materials.state_status(
            change,
            country=country,
            disease=disease_of(disease),
            category=category,
            valid_from=valid_from,
            valid_to=valid_to,
            source=source,
        )
        (stated,) = await materials.statuses(change, country=country, after=None, limit=1)
        return change.answers(_status(stated))


async def list_disease_status(
    house: House, actor: Actor, *, country: str | None, after: int | None, limit: int
) -> list[DiseaseStatusView]:
    """What was stated, newest first; `country` by its two letters."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        found = await materials.statuses(reading, country=country, after=after, limit=limit)
        return [_status(each) for each in found]


def _status(row: Any) -> DiseaseStatusView:
    return DiseaseStatusView(
        status=row.id,
        country=row.country,
        disease=row.disease,
        category=row.category,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        source=row.source,
        stated_by=row.stated_by,
        stated_at=row.stated_at,
    )


def _require_species(animal_serum: bool | None, species: str | None) -> None:
    if species is None or (animal_serum is True and species in SPECIES_NAMES):
        return
    raise BadInput(
        field="species",
        what=Text("Nothing was defined."),
        why=Text("A species belongs to animal serum alone.")
        if animal_serum is not True
        else Text("{species} is no species that is known here.", species=species),
        remedy=Text("Choose one of: {choices}.", choices=tuple(sorted(SPECIES_NAMES))),
    )


def _require_countries(codes: Sequence[str], *, field: str) -> None:
    strange = next((each for each in codes if each not in COUNTRIES), None)
    if strange is not None:
        raise BadInput(
            field=field,
            what=Text("Nothing was recorded."),
            why=Text("{code} is no country.", code=strange),
            remedy=Text("Write the country's two letters of ISO 3166, as on its certificate: AU, NZ, CN."),
        )


def _require_collected(collected_on: date | None, received_at: datetime) -> None:
    # A day further on where the supplier stands, at the most.
    if collected_on is not None and collected_on > (received_at + timedelta(days=1)).date():
        raise BadInput(
            field="collected_on",
            what=Text("The lot was not received."),
            why=Text("It would have been collected after it was received."),
            remedy=Text("Correct the day of collection."),
        )


def _require_closed(found: Any) -> None:
    """Raises Conflict for a container of which an opening would say nothing, or nothing true."""
    why: Text | None = None
    if found.opened_until is not None:
        why = Text("It stands open already, and may be used until {until}.", until=found.opened_until)
    elif found.state not in {"in_use", "stored"}:
        why = Text("The container is used up or destroyed.")
    elif found.lot_state != LotState.APPROVED:
        why = Text("Its lot is {state}.", state=STATE_NAMES[LotState(found.lot_state)])
    elif found.opened_life_hours is None:
        why = Text("Nothing says how long {material} keeps once opened.", material=found.material)
    if why is not None:
        raise Conflict(
            what=Text("No opening was recorded."),
            why=why,
            remedy=Text("Look at the container's page; if it was opened all the same, record it as already happened."),
        )


def _foreign(raw: str) -> str:
    try:
        code = parse(raw)
    except CodeError as error:
        raise BadInput(field="supplier_code", **in_words_of(error)) from error
    if code.scheme is not CodeScheme.UNKNOWN:
        raise BadInput(
            field="supplier_code",
            what=Text("The lot was not received."),
            why=Text("{shown} is not a supplier's code.", shown=code.shown),
            remedy=Text("Scan the bar code that the supplier printed, or leave it out."),
        )
    return code.value


async def _view(reading: Reading, *, code: str, at: datetime | None = None) -> MaterialLotView:
    lot = await materials.find_lot(reading, code=code)
    return MaterialLotView(
        code=lot.code,
        name=lot.name,
        material=_material(lot, name=lot.material),
        state=lot.state,
        version=lot.version,
        supplier=lot.supplier,
        supplier_lot=lot.supplier_lot,
        expires_on=lot.expires_on,
        received_at=lot.received_at,
        certificate_reference=lot.certificate_reference,
        certificate_reviewed_at=lot.certificate_reviewed_at,
        storage_ok=lot.storage_ok,
        origin_countries=None if lot.origin_countries is None else tuple(lot.origin_countries),
        processed_in=lot.processed_in,
        collected_on=lot.collected_on,
        approved_at=lot.approved_at,
        approved_by=lot.approved_by,
        rejected_at=lot.rejected_at,
        rejected_by=lot.rejected_by,
        rejected_because=lot.rejected_because,
        containers=tuple(
            ContainerView(each.code, each.state, each.opened_until)
            for each in await materials.lot_containers(reading, lot_id=lot.id)
        ),
        gate=await judging.stands_before(reading, kind="material_lot", subject_id=lot.id, gate=Gate.G1, at=at),
    )


def _material(row: Any, *, name: str) -> MaterialView:
    return MaterialView(
        name=name,
        description=row.description,
        grade=row.grade,
        composition=None
        if row.composition is None
        else tuple(Component(each["name"], each["cas"]) for each in row.composition),
        composition_complete=row.composition_complete,
        animal_serum=row.animal_serum,
        species=row.species,
        opened_life_hours=row.opened_life_hours,
    )
