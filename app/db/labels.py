"""Labels: what stands on each, by what it is stuck on; and which were made, read back before they could be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from app.db.judging import dossier_of
from app.domain import settings
from app.domain.donors import MarkerState, read_panel, state_of
from app.domain.dossier import parse
from app.domain.errors import Conflict, NotFound
from app.domain.text import Text
from labels.facts import (
    BadgeFacts,
    BagFacts,
    DonationFacts,
    EquipmentFacts,
    FlaskFacts,
    Infection,
    LabelLanguage,
    MaterialFacts,
    PlaceFacts,
    ReagentRetainFacts,
    RetainFacts,
    SampleFacts,
    Use,
    VialFacts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import Row

    from app.db.door import Change, Reading
    from labels.facts import LabelFacts

STORAGE_CELSIUS_MAX = -150
"""The warmest that frozen cells may be stored at: the vapour above liquid nitrogen."""

ITEM = """
SELECT i.id, i.kind, k.code FROM lab.item_codes k JOIN lab.items i ON i.id = k.item_id
WHERE k.code = :code AND k.scheme = 'own'
"""
CELLS = """
SELECT i.id, k.code, coalesce(c.kind, i.kind) AS kind, l.name, l.donation_id, p.product, p.product_zh, c.passage,
    c.volume_ml, c.viable_cells, o.relation, donor.pseudonym AS donor, recipient.pseudonym AS recipient,
    CAST(coalesce(l.frozen_at, t.ended_at, t.started_at, c.recorded_at) AT TIME ZONE f.time_zone AS date) AS frozen_on,
    CAST(l.expires_at AT TIME ZONE f.time_zone AS date) AS expires_on, coalesce(t.started_at, c.recorded_at) AS seeded_at,
    coalesce(s.taken_at, r.taken_at) AS taken_at, s.purpose, r.kind AS retain_kind, f.facility, f.time_zone,
    (SELECT count(*) FROM lab.containers v WHERE v.lot_id = c.lot_id AND v.kind = c.kind AND v.id <= c.id) AS number
FROM unnest(CAST(:ids AS bigint[])) AS asked(id) JOIN lab.items i ON i.id = asked.id
JOIN lab.item_codes k ON k.item_id = i.id AND k.scheme = 'own'
LEFT JOIN lab.containers c ON c.id = i.id LEFT JOIN lab.samples s ON s.id = i.id LEFT JOIN lab.retains r ON r.id = i.id
JOIN lab.lots l ON l.id = coalesce(c.lot_id, s.lot_id, r.lot_id)
JOIN lab.process_versions p ON p.id = l.process_id JOIN lab.donors o ON o.id = l.donor_id
JOIN lab.persons donor ON donor.id = l.donor_id LEFT JOIN lab.persons recipient ON recipient.id = l.recipient_id
LEFT JOIN lab.steps t ON t.id = c.step_id CROSS JOIN lab.deployment f
ORDER BY i.id
"""
DONATION = """
SELECT d.id, k.code, n.pseudonym AS donor, d.tissue, d.din, d.collected_at, o.relation, f.time_zone
FROM lab.donations d JOIN lab.item_codes k ON k.item_id = d.id AND k.scheme = 'own'
JOIN lab.donors o ON o.id = d.donor_id JOIN lab.persons n ON n.id = d.donor_id CROSS JOIN lab.deployment f
WHERE d.id = :id
"""
MATERIAL = """
SELECT c.id, k.code, m.name AS material, l.name AS lot, ml.supplier_lot, ml.expires_on,
    (SELECT count(*) FROM lab.containers v WHERE v.lot_id = c.lot_id AND v.id <= c.id) AS number
FROM lab.containers c JOIN lab.item_codes k ON k.item_id = c.id AND k.scheme = 'own'
JOIN lab.lots l ON l.id = c.lot_id JOIN lab.material_lots ml ON ml.id = l.id JOIN lab.materials m ON m.id = ml.material_id
WHERE c.id = ANY (CAST(:ids AS bigint[])) ORDER BY c.id
"""
EQUIPMENT = """
SELECT e.id, k.code, e.name, e.kind, e.room FROM lab.equipment e
JOIN lab.item_codes k ON k.item_id = e.id AND k.scheme = 'own' WHERE e.id = :id
"""
BADGE = """
SELECT b.id, k.code, a.printed_name, a.username, f.facility,
    CAST(b.recorded_at AT TIME ZONE f.time_zone AS date) AS issued_on, b.revoked_at
FROM people.badges b JOIN lab.item_codes k ON k.item_id = b.id AND k.scheme = 'own'
JOIN people.accounts a ON a.id = b.account_id CROSS JOIN lab.deployment f WHERE b.id = :id
"""
# Every label of an item counts as a copy, also one that was cancelled: numbers are never given twice.
LAST = """
SELECT DISTINCT ON (b.item_id) b.item_id, b.id, b.design, b.content_sha256, b.read_back, b.reason, b.recorded_at,
    EXISTS (SELECT FROM lab.print_jobs j WHERE j.label_id = b.id AND j.state = 'cancelled') AS cancelled,
    count(*) OVER (PARTITION BY b.item_id) AS copy,
    count(*) FILTER (WHERE NOT EXISTS (SELECT FROM lab.print_jobs j WHERE j.label_id = b.id AND j.state = 'cancelled'))
        OVER (PARTITION BY b.item_id) AS standing
FROM lab.labels b WHERE b.item_id = ANY (CAST(:items AS bigint[])) ORDER BY b.item_id, b.id DESC
"""
BY_NUMBER = """
SELECT b.id, b.item_id, b.design, b.content_sha256, i.kind, k.code,
    (SELECT count(*) FROM lab.labels e WHERE e.item_id = b.item_id AND e.id <= b.id) AS copy
FROM lab.labels b JOIN lab.items i ON i.id = b.item_id
JOIN lab.item_codes k ON k.item_id = i.id AND k.scheme = 'own' WHERE b.id = :label
"""
INSERT = """
INSERT INTO lab.labels (item_id, design, content_sha256, read_back, reprint_of, reason, recorded_by)
VALUES (:item, :design, :content, :read_back, :reprint_of, :reason, :by) RETURNING id
"""
UNLABELLED = """
SELECT c.id FROM lab.containers c WHERE c.lot_id = :lot AND c.kind = :kind AND c.state IN ('in_use', 'stored')
    AND NOT EXISTS (SELECT FROM lab.labels b WHERE b.item_id = c.id AND NOT EXISTS (
        SELECT FROM lab.print_jobs j WHERE j.label_id = b.id AND j.state = 'cancelled'))
ORDER BY c.id
"""
LOCK = """
SELECT lab.lock_touched(CAST(:items AS bigint[])),
    pg_advisory_xact_lock(hashtextextended('stemma.labels.' || CAST(:first AS text), 0))
"""
OF_ITEM = """
SELECT b.id AS number, b.design, b.reason, b.recorded_at AS at, a.printed_name AS by, j.state AS job, e.name AS printer
FROM lab.labels b JOIN people.accounts a ON a.id = b.recorded_by LEFT JOIN lab.print_jobs j ON j.label_id = b.id
LEFT JOIN lab.equipment e ON e.id = j.printer_id WHERE b.item_id = :item ORDER BY b.id DESC LIMIT :limit
"""

CELL_KINDS = frozenset({"container", "sample", "retain"})
NOW = "SELECT clock_timestamp()"

REAGENT = """
SELECT r.id, k.code, m.name AS material, l.name AS lot, r.taken_at, f.time_zone FROM lab.retains r
JOIN lab.item_codes k ON k.item_id = r.id AND k.scheme = 'own' JOIN lab.lots l ON l.id = r.lot_id
JOIN lab.material_lots ml ON ml.id = l.id JOIN lab.materials m ON m.id = ml.material_id CROSS JOIN lab.deployment f
WHERE r.id = :id
"""


async def item(reading: Reading, *, code: str) -> Row[Any]:
    """Id and kind of what carries this code. Raises NotFound."""
    row = await reading.one(ITEM, code=code)
    if row is None:
        raise NotFound(
            what=Text("No label was made for {code}.", code=code),
            why=Text("This code is not known here."),
            remedy=Text("Scan the label of the thing itself, or find it by its lot."),
        )
    return row


async def facts_of(reading: Reading, *, item_id: int, kind: str, code: str, language: LabelLanguage) -> LabelFacts:
    """What the label of one item says. Raises NotFound where its kind has no label, Conflict where a fact is missing."""
    if kind in CELL_KINDS:
        found = await facts_of_cells(reading, ids=[item_id], language=language)
        if found:
            return found[item_id]
    match kind:
        case "donation":
            return await _donation(reading, item_id)
        case "material_container" | "container":
            if material := await facts_of_materials(reading, ids=[item_id]):
                return material[item_id]
        case "retain":
            if (kept := await reading.one(REAGENT, id=item_id)) is not None:
                return ReagentRetainFacts(
                    code=kept.code, material=kept.material, lot=kept.lot, taken_at=_here(kept.taken_at, kept)
                )
        case "equipment":
            if (row := await reading.one(EQUIPMENT, id=item_id)) is not None:
                return EquipmentFacts(code=row.code, name=row.name, kind=row.kind, room=row.room)
        case "shelf" | "position":
            named = await reading.one(EQUIPMENT, id=item_id)
            return PlaceFacts(code=code, kind=kind, name=None if named is None else named.name)
        case "badge":
            return await _badge(reading, item_id)
    raise NotFound(
        what=Text("No label was made for {code}.", code=code),
        why=Text("A lot or a person carries no label: their containers and badges do."),
        remedy=Text("Scan the container itself, or find it by its lot."),
    )


async def facts_of_cells(reading: Reading, *, ids: Sequence[int], language: LabelLanguage) -> Mapping[int, LabelFacts]:
    """What the labels of containers of cells, samples and retains say, by item. Raises Conflict for a missing fact."""
    rows = await reading.all(CELLS, ids=list(ids))
    at = await reading.value(NOW)
    infections = {donation: await _infection(reading, donation, at) for donation in {row.donation_id for row in rows}}
    return {row.id: _cells(row, infections[row.donation_id], language) for row in rows}


async def facts_of_materials(reading: Reading, *, ids: Sequence[int]) -> Mapping[int, LabelFacts]:
    """What the labels of containers of material lots say, by item."""
    return {
        row.id: MaterialFacts(
            code=row.code,
            material=row.material,
            lot=row.lot,
            supplier_lot=row.supplier_lot,
            expires_on=row.expires_on,
            container_number=row.number,
        )
        for row in await reading.all(MATERIAL, ids=list(ids))
    }


async def last(reading: Reading, *, items: Sequence[int]) -> Mapping[int, Row[Any]]:
    """The label made last for each of these, how many were made, and how many of them were not cancelled."""
    return {row.item_id: row for row in await reading.all(LAST, items=list(items))}


async def by_number(reading: Reading, *, label: int) -> Row[Any] | None:
    """One label as it was made, and which copy it is."""
    return await reading.one(BY_NUMBER, label=label)


async def insert(
    change: Change,
    *,
    item_id: int,
    design: str,
    content_sha256: str,
    read_back: str,
    reprint_of: int | None,
    reason: str | None,
) -> int:
    """Keep that a label was made. Its number."""
    number: int = await change.value(
        INSERT,
        item=item_id,
        design=design,
        content=content_sha256,
        read_back=read_back,
        reprint_of=reprint_of,
        reason=reason,
        by=change.actor.account_id,
    )
    return number


async def unlabelled(reading: Reading, *, lot_id: int, kind: str) -> list[int]:
    """The lot's containers of a kind that are in hand and have no label yet."""
    return [row.id for row in await reading.all(UNLABELLED, lot=lot_id, kind=kind)]


async def lock(change: Change, *, items: Sequence[int]) -> None:
    """Let nobody else make labels of these, or count them, until this change is done."""
    await change.run(LOCK, items=sorted(items), first=str(min(items)))


async def of_item(reading: Reading, *, item_id: int, limit: int) -> Sequence[Row[Any]]:
    """The labels that were made of one item, newest first, and how their printing stands."""
    return await reading.all(OF_ITEM, item=item_id, limit=limit)


def _cells(row: Row[Any], infection: Infection, language: LabelLanguage) -> LabelFacts:
    product = row.product_zh if language is LabelLanguage.CHINESE else row.product
    common: dict[str, Any] = {
        "code": row.code,
        "name": row.name,
        "use": Use(row.relation),
        "infection": infection,
    }
    match row.kind:
        case "sample":
            return SampleFacts(purpose=row.purpose, taken_at=_here(row.taken_at, row), **common)
        case "retain":
            return RetainFacts(kind=row.retain_kind, taken_at=_here(row.taken_at, row), **common)
        case "flask":
            return FlaskFacts(
                product=product,
                passage_number=_known(row.passage),
                donor=row.donor,
                seeded_at=_here(row.seeded_at, row),
                **common,
            )
        case "bag":
            return BagFacts(
                product=product,
                passage_number=_known(row.passage),
                volume_ml=_plain(_known(row.volume_ml)),
                cells=int(_known(row.viable_cells)),
                donor=row.donor,
                recipient=row.recipient,
                frozen_on=row.frozen_on,
                expires_on=row.expires_on,
                storage_celsius_max=STORAGE_CELSIUS_MAX,
                facility=row.facility,
                **common,
            )
        case _:
            return VialFacts(
                product=product,
                passage_number=_known(row.passage),
                cells=int(_known(row.viable_cells)),
                frozen_on=row.frozen_on,
                storage_celsius_max=STORAGE_CELSIUS_MAX,
                vial_number=row.number,
                **common,
            )


async def _donation(reading: Reading, item_id: int) -> DonationFacts:
    row = await reading.one(DONATION, id=item_id)
    if row is None:
        raise RuntimeError("an item of kind donation is one")
    at = await reading.value(NOW)
    return DonationFacts(
        code=row.code,
        donor=row.donor,
        tissue=row.tissue,
        din=row.din,
        collected_at=_here(row.collected_at, row),
        use=Use(row.relation),
        infection=await _infection(reading, item_id, at),
    )


async def _badge(reading: Reading, item_id: int) -> BadgeFacts:
    row = await reading.one(BADGE, id=item_id)
    if row is None:
        raise RuntimeError("an item of kind badge is one")
    if row.revoked_at is not None:
        raise Conflict(
            what=Text("No label was made."),
            why=Text("This badge was revoked."),
            remedy=Text("Issue a new badge, then print it."),
        )
    return BadgeFacts(
        code=row.code,
        printed_name=row.printed_name,
        username=row.username,
        facility=row.facility,
        issued_on=row.issued_on,
    )


async def _infection(reading: Reading, donation_id: int | None, at: datetime) -> Infection:
    """What the donor's markers call for. What was not found negative was not evaluated: missing is not passing."""
    if donation_id is None:
        return Infection.NOT_EVALUATED
    dossier = parse(await dossier_of(reading, kind="donation", subject_id=donation_id))
    try:
        panel = settings.word_lists(dossier, "don01.panel")
    except settings.SettingUnusable:
        return Infection.NOT_EVALUATED
    states = [state_of(each) for donor in dossier.donors or () for each in read_panel(donor, panel, at)]
    if MarkerState.POSITIVE in states:
        return Infection.BIOHAZARD
    return Infection.NEGATIVE if states and set(states) == {MarkerState.NEGATIVE} else Infection.NOT_EVALUATED


def _known(value: Any) -> Any:
    if value is None:
        raise Conflict(
            what=Text("No label was made."),
            why=Text("It is not recorded how many cells are in it, in which volume, or of which passage they are."),
            remedy=Text("Call quality: a container whose content is not known is kept apart."),
        )
    return value


def _here(moment: datetime, row: Row[Any]) -> datetime:
    return moment.astimezone(ZoneInfo(row.time_zone))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
