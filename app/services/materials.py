"""Materials: what they are made of, their lots received into quarantine, approved or rejected by signature, opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import catalogue, impacts, judging, materials
from app.db.catalogue import MaterialView
from app.db.judging import GateView
from app.domain.acts import Act, Actor
from app.domain.countries import require_countries
from app.domain.dossier import digest
from app.domain.errors import BadInput, Stale, in_words_of
from app.domain.gs1 import read_trade_item
from app.domain.lots import LotState
from app.domain.moments import require_past
from app.domain.rulebook import Gate
from app.domain.text import Text
from labels.codes import CodeError, CodeScheme, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call, Reading
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A paper of a material lot that was reviewed. `pool_size` is how many donors the pool has."""

    kind: str
    reference: str
    pool_size: int | None
    filed_by: str
    filed_at: datetime


@dataclass(frozen=True, slots=True)
class ContainerView:
    """A container of a material lot."""

    code: str
    state: str
    opened_until: datetime | None


@dataclass(frozen=True, slots=True)
class RetainView:
    """What was kept of a material lot, from which container, and where it is."""

    code: str
    source: str
    quantity: Decimal | None
    unit: str | None
    place: str
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class MaterialLotView:
    """A material lot, its containers, and how it stands before its approval."""

    code: str
    name: str
    material: MaterialView
    state: str
    version: int
    supplier: str
    known_supplier: str | None
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
    certificates: tuple[CertificateView, ...]
    retains: tuple[RetainView, ...]
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


async def file_certificate(
    house: House, call: Call, *, code: str, kind: str, reference: str, pool_size: int | None = None
) -> MaterialLotView:
    """File a paper of a lot that was reviewed: it counts from now on. Raises NotFound, BadInput for a pool without size."""
    if (kind == "donor_pool") != (pool_size is not None):
        raise BadInput(
            field="pool_size",
            what=Text("Nothing was filed."),
            why=Text("The number of donors belongs to the certificate of a donor pool, and to no other."),
            remedy=Text("Read from the certificate how many donors the pool has."),
        )
    async with house.door.change(call, Act.REVIEW_COA, subject=code) as change:
        lot = await materials.find_lot(change, code=code)
        await materials.file_certificate(change, lot_id=lot.id, kind=kind, reference=reference, pool_size=pool_size)
        return change.answers(await _view(change, code=code))


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
        found = catalogue.view(await catalogue.material(reading, name=name), name=name)
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
    require_countries(origin_countries or (), field="origin_countries")
    require_countries((processed_in,) if processed_in else (), field="processed_in")
    async with house.door.change(call, Act.RECEIVE_MATERIAL, subject=f"{material} {supplier_lot}") as change:
        require_past(received_at, now=change.at, field="received_at")
        require_past(certificate_reviewed_at, now=change.at, field="certificate_reviewed_at")
        _require_collected(collected_on, received_at)
        found = await catalogue.material(change, name=material)
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
        return change.answers(await _view(change, code=item.code))


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
        await impacts.judge_what_came_to_light(change)
        return change.answers(await _view(change, code=code))


async def recall_material(house: House, call: Call, *, code: str, reason: str) -> MaterialLotView:
    """Recall a material lot. What was made with it is found by its trace forward. Raises IllegalMove."""
    async with house.door.change(call, Act.RECALL_MATERIAL, subject=code, reason=reason) as change:
        lot = await materials.find_lot(change, code=code)
        await materials.recall(change, lot_id=lot.id)
        await impacts.judge_what_came_to_light(change)
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


def _require_collected(collected_on: date | None, received_at: datetime) -> None:
    # A day further on where the supplier stands, at the most.
    if collected_on is not None and collected_on > (received_at + timedelta(days=1)).date():
        raise BadInput(
            field="collected_on",
            what=Text("The lot was not received."),
            why=Text("It would have been collected after it was received."),
            remedy=Text("Correct the day of collection."),
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


async def _view(reading: Reading, *, code: str) -> MaterialLotView:
    lot = await materials.find_lot(reading, code=code)
    return MaterialLotView(
        code=lot.code,
        name=lot.name,
        material=catalogue.view(lot, name=lot.material),
        state=lot.state,
        version=lot.version,
        supplier=lot.supplier,
        known_supplier=lot.known_supplier,
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
        certificates=tuple(
            CertificateView(**each._asdict()) for each in await materials.certificates(reading, lot_id=lot.id)
        ),
        retains=tuple(RetainView(**each._asdict()) for each in await materials.retains(reading, lot_id=lot.id)),
        gate=await judging.stands_before(reading, kind="material_lot", subject_id=lot.id, gate=Gate.G1),
    )
