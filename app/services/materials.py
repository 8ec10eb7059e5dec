"""Materials: what they are made of, their lots received into quarantine, approved for use by signature."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import judging, materials
from app.db.judging import GateView
from app.domain.acts import Act, Actor
from app.domain.dossier import digest
from app.domain.errors import BadInput, Stale, in_words_of
from app.domain.facts import Component
from app.domain.moments import require_past
from app.domain.rulebook import Gate
from app.domain.text import Text
from labels.codes import CodeError, CodeScheme, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call, Reading
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class MaterialView:
    """A material. `composition` is None where it is not known; `composition_complete` says whether it names all."""

    name: str
    description: str
    grade: str
    composition: tuple[Component, ...] | None
    composition_complete: bool


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
    approved_at: datetime | None
    approved_by: str | None
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


async def define_material(
    house: House,
    call: Call,
    *,
    name: str,
    description: str,
    grade: str,
    composition: Sequence[Component] | None,
    composition_complete: bool,
) -> MaterialView:
    """Define a material. `description` holds its other names, in either language: rules read it too.

    Raises Conflict when the name is taken, BadInput when an unknown composition is called complete.
    """
    if composition is None and composition_complete:
        raise BadInput(
            field="composition_complete",
            what=Text("Nothing was defined."),
            why=Text("A composition that is not known cannot be complete."),
            remedy=Text("List the components, or state that the composition is not complete."),
        )
    async with house.door.change(call, Act.DEFINE_MATERIAL, subject=name) as change:
        await materials.define(
            change,
            name=name,
            description=description,
            grade=grade,
            composition=None if composition is None else [asdict(each) for each in composition],
            composition_complete=composition_complete,
        )
        return change.answers(_material(await materials.material(change, name=name), name=name))


async def list_materials(house: House, actor: Actor, *, after: str | None, limit: int) -> list[MaterialView]:
    """Materials by name."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        found = await materials.materials(reading, after=after, limit=limit)
        return [_material(each, name=each.name) for each in found]


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
) -> MaterialLotView:
    """Receive a lot into quarantine; each of its containers gets a code of ours.

    `supplier_code` is the supplier's own bar code on it, as scanned. Raises NotFound for an unknown material.
    """
    async with house.door.change(call, Act.RECEIVE_MATERIAL, subject=f"{material} {supplier_lot}") as change:
        require_past(received_at, now=change.at, field="received_at")
        require_past(certificate_reviewed_at, now=change.at, field="certificate_reviewed_at")
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


async def list_material_lots(
    house: House, actor: Actor, *, state: str | None, after: str | None, limit: int
) -> list[MaterialLotLine]:
    """Material lots, newest first."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        found = await materials.lots(reading, state=state, after=after, limit=limit)
        return [MaterialLotLine(**each._asdict()) for each in found]


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
        approved_at=lot.approved_at,
        approved_by=lot.approved_by,
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
    )
