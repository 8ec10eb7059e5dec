"""Lots of cells: planned, found, moved, and read with everything that happened to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db.items import Item, new_item
from app.domain.errors import NotFound, Stale
from app.domain.facts import PassageConvention
from app.domain.lots import LotAct, LotKind, LotState
from app.domain.text import Text
from labels.codes import CodeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

NAME = """
SELECT CAST(:prefix AS text) || '-' || to_char(clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment), 'YY')
    || '-' || lab.counted(nextval('lab.lot_names'))
"""
BEGIN = """
SELECT lab.begin_lot(:id, :name, :kind, 'plan', :donor_id, :donation_id, :recipient_id, :process_id,
                     :specification_id)
"""
MOVE = "SELECT lab.move_lot(:lot_id, :act, false)"
MOVE_AS_HAPPENED = "SELECT lab.move_lot(:lot_id, :act, true)"
REJECT = "SELECT gate.reject_lot(:lot_id, :ceremony)"
STATE_EXPIRY = "SELECT lab.state_expiry(:lot_id, :frozen_at, :expires_at)"
BY_CODE = """
SELECT l.id, k.code, l.name, l.kind, l.state, l.version, l.donor_id, l.donation_id, l.recipient_id, l.specification_id,
    l.frozen_at, l.expires_at, p.name AS process, p.version AS process_version, p.passage_convention, p.max_passage,
    p.max_pdl, p.shelf_life_days, p.product, p.product_zh, p.gene_modified, s.name AS specification, s.version AS specification_version,
    (SELECT pseudonym FROM lab.persons WHERE id = l.donor_id) AS donor,
    (SELECT pseudonym FROM lab.persons WHERE id = l.recipient_id) AS recipient,
    (SELECT code FROM lab.item_codes WHERE item_id = l.donation_id AND scheme = 'own') AS donation
FROM lab.item_codes k JOIN lab.lots l ON l.id = k.item_id
LEFT JOIN lab.process_versions p ON p.id = l.process_id LEFT JOIN lab.specifications s ON s.id = l.specification_id
WHERE k.code = :code
"""
PROCESS = "SELECT id FROM lab.process_versions WHERE name = :name AND version = :version"
SPECIFICATION = "SELECT id FROM lab.specifications WHERE name = :name AND version = :version"
DONATION = """
SELECT d.id, d.donor_id, o.relation FROM lab.donations d JOIN lab.donors o ON o.id = d.donor_id WHERE d.id = :id
"""
LIST = """
SELECT k.code, l.name, l.kind, l.state, l.version, l.expires_at, l.recorded_at,
    (SELECT pseudonym FROM lab.persons WHERE id = l.donor_id) AS donor,
    EXISTS (SELECT FROM lab.open_holds(l.id)) AS held
FROM lab.lots l JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
WHERE l.kind <> 'material' AND (CAST(:state AS text) IS NULL OR l.state = :state)
    AND (CAST(:after AS text) IS NULL OR l.id < (SELECT item_id FROM lab.item_codes WHERE code = :after))
ORDER BY l.id DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot of cells as a step needs to know it."""

    id: int
    code: str
    name: str
    kind: LotKind
    state: LotState
    version: int
    donor_id: int | None
    donation_id: int | None
    recipient_id: int | None
    specification_id: int | None
    frozen_at: datetime | None
    expires_at: datetime | None
    process: str | None
    process_version: int | None
    passage_convention: PassageConvention | None
    max_passage: int | None
    max_pdl: Decimal | None
    shelf_life_days: int | None
    product: str | None
    product_zh: str | None
    specification: str | None
    specification_version: int | None
    donor: str | None
    recipient: str | None
    donation: str | None
    gene_modified: bool | None = None


@dataclass(frozen=True, slots=True)
class PlannedDonation:
    """A donation from which a preparation is planned."""

    id: int
    donor_id: int
    relation: str


async def find(reading: Reading, *, code: str) -> Lot:
    """The preparation or bank lot of this code. Raises NotFound, for a material lot too."""
    row = await reading.one(BY_CODE, code=code)
    if row is None or row.kind == LotKind.MATERIAL:
        raise NotFound(
            what=Text("There is no lot of cells {code}.", code=code),
            why=Text("This code is not known here.")
            if row is None
            else Text("It is a material lot, and a lot of cells is needed."),
            remedy=Text("Scan the lot's own label."),
        )
    values: dict[str, Any] = row._asdict()
    convention = row.passage_convention
    return Lot(
        **{
            **values,
            "kind": LotKind(row.kind),
            "state": LotState(row.state),
            "passage_convention": None if convention is None else PassageConvention(convention),
        }
    )


async def plan(
    change: Change,
    *,
    donation: PlannedDonation,
    recipient_id: int | None,
    process_id: int,
    specification_id: int,
    kind: LotKind = LotKind.PREPARATION,
    prefix: str = "PREP",
) -> tuple[Item, str]:
    """A new preparation or bank lot, planned. Its item and its name for people, which begins with `prefix`."""
    item = await new_item(change, kind="lot", code_kind=CodeKind.LOT)
    name: str = await change.value(NAME, prefix=prefix)
    await change.value(
        BEGIN,
        id=item.id,
        name=name,
        kind=kind.value,
        donor_id=donation.donor_id,
        donation_id=donation.id,
        recipient_id=recipient_id,
        process_id=process_id,
        specification_id=specification_id,
    )
    return item, name


async def process_id(reading: Reading, *, name: str, version: int) -> int:
    """The process version of this name and number. Raises NotFound."""
    found: int | None = await reading.value(PROCESS, name=name, version=version)
    if found is None:
        raise _no_version(Text("process"), name, version)
    return found


async def specification_id(reading: Reading, *, name: str, version: int) -> int:
    """The specification version of this name and number. Raises NotFound."""
    found: int | None = await reading.value(SPECIFICATION, name=name, version=version)
    if found is None:
        raise _no_version(Text("specification"), name, version)
    return found


async def planned_donation(reading: Reading, *, donation_id: int) -> PlannedDonation:
    """The donation, its donor, and whether it goes back to that donor."""
    row = await reading.one(DONATION, id=donation_id)
    if row is None:
        raise RuntimeError("an item of kind donation always has its row")
    return PlannedDonation(row.id, row.donor_id, row.relation)


async def move(change: Change, *, lot_id: int, act: LotAct) -> LotState:
    """Move the lot. Raises IllegalMove, or Held when the move leads towards use."""
    return LotState(await change.value(MOVE, lot_id=lot_id, act=act.value))


async def move_as_happened(change: Change, *, lot_id: int, act: LotAct) -> LotState:
    """Record a move that the hands made already, whatever is held. Raises IllegalMove."""
    return LotState(await change.value(MOVE_AS_HAPPENED, lot_id=lot_id, act=act.value))


async def reject(change: Change, *, lot_id: int, ceremony: UUID) -> int:
    """Reject it. The signature's number. Raises CeremonyRefused, Stale, IllegalMove."""
    signature: int = await change.value(REJECT, lot_id=lot_id, ceremony=ceremony)
    return signature


async def state_expiry(change: Change, *, lot_id: int, frozen_at: datetime, expires_at: datetime | None) -> None:
    """State when the lot was frozen and when it expires, once. Raises Conflict when it was stated before."""
    await change.run(STATE_EXPIRY, lot_id=lot_id, frozen_at=frozen_at, expires_at=expires_at)


async def page(reading: Reading, *, state: str | None, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Lots of cells, newest first, after the lot of this code."""
    return await reading.all(LIST, state=state, after=after, limit=limit)


def refuse_another_version(lot: Lot, *, shown: int | None) -> None:
    """Raise Stale where the caller saw another version of the lot than stands now."""
    if shown is not None and shown != lot.version:
        raise Stale(
            what=Text("{lot} was not changed.", lot=lot.name),
            why=Text("You saw version {shown}; it is at version {version} now.", shown=shown, version=lot.version),
            remedy=Text("Read the lot again as it stands now."),
        )


def _no_version(kind: Text, name: str, version: int) -> NotFound:
    return NotFound(
        what=Text("There is no {kind} {name}, version {version}.", kind=kind, name=name, version=version),
        why=Text("No such version was defined."),
        remedy=Text("Choose one of the versions that were defined."),
    )
