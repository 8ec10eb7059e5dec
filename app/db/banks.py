"""Cell banks: their lots and vials, what leaves them and where it lies, how places keep, and what was decided."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

NUMBERS_END = 2**63
KEEP_TIER = "INSERT INTO lab.bank_lots (lot_id, tier, recorded_by) VALUES (:lot_id, :tier, :by)"
TIER = "SELECT tier FROM lab.bank_lots WHERE lot_id = :lot_id"
KEEP_PLACE = """
INSERT INTO lab.vial_places (vial_id, place_id, stored_at, recorded_by)
SELECT vial.id, e.id, :stored_at, :by FROM unnest(CAST(:vials AS bigint[])) AS vial(id), lab.equipment e
WHERE e.id = :place_id ORDER BY vial.id
"""
VIAL = """
SELECT c.id, k.code, c.state, c.lot_id AS bank_id, b.name AS bank, b.kind AS lot_kind, b.donor_id, c.kind,
    (SELECT w.lot_id FROM lab.withdrawals w WHERE w.vial_id = c.id) AS withdrawn_for
FROM lab.item_codes given JOIN lab.containers c ON c.id = given.item_id
JOIN lab.item_codes k ON k.item_id = c.id AND k.scheme = 'own' LEFT JOIN lab.lots b ON b.id = c.lot_id
WHERE given.code = ANY (CAST(:codes AS text[])) ORDER BY c.id
"""
LOCK = "SELECT lab.lock_for_judgement(:bank_id)"
WITHDRAW = """
INSERT INTO lab.withdrawals (vial_id, bank_id, lot_id, withdrawn_at, recorded_by)
VALUES (:vial_id, :bank_id, :lot_id, :withdrawn_at, :by) RETURNING id
"""
TAKE_OUT = """
UPDATE lab.containers SET state = 'in_use', place_id = NULL, version = version + 1 WHERE id = :id AND state = 'stored'
"""
MOVE = """
UPDATE lab.containers SET place_id = :place_id, version = version + 1 WHERE id = ANY (CAST(:vials AS bigint[])) AND state = 'stored'
"""
BANKS = """
SELECT k.code, l.name, t.tier, l.state, l.expires_at, l.recorded_at,
    (SELECT pseudonym FROM lab.persons WHERE id = l.donor_id) AS donor,
    p.product, p.product_zh, count(c.id) FILTER (WHERE c.state = 'stored') AS stored,
    count(c.id) FILTER (WHERE w.id IS NOT NULL) AS withdrawn, EXISTS (SELECT FROM lab.open_holds(l.id)) AS held
FROM lab.lots l JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own' LEFT JOIN lab.bank_lots t ON t.lot_id = l.id
LEFT JOIN lab.process_versions p ON p.id = l.process_id LEFT JOIN lab.containers c ON c.lot_id = l.id AND c.kind = 'vial'
LEFT JOIN lab.withdrawals w ON w.vial_id = c.id
WHERE l.kind = 'bank' AND (CAST(:code AS text) IS NULL OR k.code = :code)
    AND (CAST(:after AS text) IS NULL OR l.id < (SELECT item_id FROM lab.item_codes WHERE code = :after))
GROUP BY l.id, k.code, t.tier, p.product, p.product_zh ORDER BY l.id DESC LIMIT :limit
"""
VIALS = """
SELECT k.code, c.state, c.passage, s.cpdl, e.name AS place, pk.code AS place_code, at.stored_at,
    EXISTS (SELECT FROM lab.holds h WHERE h.item_id = c.id AND h.lifted_at IS NULL) AS held,
    w.withdrawn_at, a.printed_name AS withdrawn_by, fk.code AS for_lot, f.name AS for_lot_name
FROM lab.containers c JOIN lab.item_codes b ON b.item_id = c.lot_id AND b.scheme = 'own'
JOIN lab.item_codes k ON k.item_id = c.id AND k.scheme = 'own' LEFT JOIN lab.steps s ON s.id = c.step_id
LEFT JOIN LATERAL (SELECT v.stored_at FROM lab.vial_places v WHERE v.vial_id = c.id ORDER BY v.stored_at DESC, v.id DESC LIMIT 1) AS at ON true
LEFT JOIN lab.equipment e ON e.id = c.place_id LEFT JOIN lab.item_codes pk ON pk.item_id = e.id AND pk.scheme = 'own'
LEFT JOIN lab.withdrawals w ON w.vial_id = c.id LEFT JOIN people.accounts a ON a.id = w.recorded_by
LEFT JOIN lab.lots f ON f.id = w.lot_id LEFT JOIN lab.item_codes fk ON fk.item_id = f.id AND fk.scheme = 'own'
WHERE b.code = :code AND c.kind = 'vial' ORDER BY c.id LIMIT :limit
"""
CLASSIFY = """
INSERT INTO lab.storage_classes (place_id, phase, warmest_celsius, site, evidence, recorded_by)
VALUES (:place_id, :phase, :warmest_celsius, :site, :evidence, :by) RETURNING id
"""
EXCURSION = """
INSERT INTO lab.storage_excursions (place_id, began_at, ended_at, warmest_celsius, what, deviation_id, recorded_by)
VALUES (:place_id, :began_at, :ended_at, :warmest_celsius, :what, :deviation_id, :by) RETURNING id
"""
HELD_BY = """
SELECT k.code FROM lab.holds h JOIN lab.item_codes k ON k.item_id = h.item_id AND k.scheme = 'own'
WHERE h.deviation_id = :deviation_id ORDER BY h.id
"""
PLACES = """
SELECT k.code, e.name, e.kind, e.room, c.phase, c.warmest_celsius, c.site, c.evidence, c.recorded_at,
    (SELECT count(*) FROM lab.containers v WHERE v.place_id = e.id AND v.state = 'stored') AS vials,
    (SELECT count(*) FROM lab.storage_excursions x WHERE x.place_id = e.id) AS excursions
FROM lab.equipment e JOIN lab.item_codes k ON k.item_id = e.id AND k.scheme = 'own'
LEFT JOIN LATERAL (SELECT * FROM lab.storage_classes s WHERE s.place_id = e.id ORDER BY s.id DESC LIMIT 1) AS c ON true
WHERE e.kind IN ('tank', 'freezer', 'segregated_storage') OR c.id IS NOT NULL ORDER BY e.name, e.id LIMIT :limit
"""
PROPOSE = """
INSERT INTO lab.bank_policies (process_id, version, needed, conditions, tiers, reasons, proposed_by)
SELECT v.id, 1 + coalesce((SELECT max(p.version) FROM lab.bank_policies p WHERE p.process_id = v.id), 0), :needed,
    CAST(:conditions AS text[]), CAST(:tiers AS text[]), :reasons, :by
FROM lab.process_versions v WHERE v.name = :name AND v.version = :version RETURNING id
"""
POLICIES = """
SELECT b.id AS policy, v.name AS process, v.version AS process_version, b.version, b.needed, b.conditions, b.tiers, b.reasons,
    p.printed_name AS proposed_by, b.recorded_at AS proposed_at, s.printed_name AS decided_by, s.signed_at AS decided_at,
    CASE WHEN b.signature_id IS NULL THEN 'proposed' WHEN EXISTS (SELECT FROM lab.bank_policies n WHERE n.process_id = b.process_id
        AND n.version > b.version AND n.signature_id IS NOT NULL) THEN 'superseded' ELSE 'decided' END AS state
FROM lab.bank_policies b JOIN lab.process_versions v ON v.id = b.process_id JOIN people.accounts p ON p.id = b.proposed_by
LEFT JOIN lab.signatures s ON s.id = b.signature_id
WHERE (CAST(:id AS bigint) IS NULL OR b.id = :id) ORDER BY b.id DESC LIMIT 200
"""
DECIDE = "SELECT gate.decide_bank_policy(:id, :ceremony)"


async def keep_tier(change: Change, *, lot_id: int, tier: str) -> None:
    """Of which tier a bank lot is."""
    await change.run(KEEP_TIER, lot_id=lot_id, tier=tier, by=change.actor.account_id)


async def tier_of(reading: Reading, *, lot_id: int) -> str | None:
    """The tier of a bank lot; None where it was never stated."""
    found: str | None = await reading.value(TIER, lot_id=lot_id)
    return found


async def keep_place(change: Change, *, vials: Sequence[int], place_id: int, stored_at: datetime) -> None:
    """That these vials were put into a place."""
    await change.run(KEEP_PLACE, vials=list(vials), place_id=place_id, stored_at=stored_at, by=change.actor.account_id)


async def move(change: Change, *, vials: Sequence[int], place_id: int) -> None:
    """These vials are in that place now."""
    await change.run(MOVE, vials=list(vials), place_id=place_id)


async def vials_of_banks(reading: Reading, *, codes: Sequence[str]) -> Sequence[Row[Any]]:
    """The vials of these codes. Raises NotFound where one of them is no vial of a bank."""
    found = await reading.all(VIAL, codes=list(codes))
    good = {row.code for row in found if row.kind == "vial" and row.lot_kind == "bank"}
    strange = next((code for code in codes if code not in good), None)
    if strange is not None:
        raise NotFound(
            what=Text("Nothing was recorded."),
            why=Text("{code} is no vial of a cell bank.", code=strange),
            remedy=Text("Scan the label of a vial of the bank."),
            detail={"code": strange},
        )
    return found


async def lock(change: Change, *, bank_id: int) -> None:
    """Lock what the bank's rules read, then the bank, before a vial of it is judged."""
    await change.run(LOCK, bank_id=bank_id)


async def withdraw(change: Change, *, vial_id: int, bank_id: int, lot_id: int, withdrawn_at: datetime) -> int:
    """The vial leaves its bank for the lot. The withdrawal's number. Raises Conflict where it left before."""
    number: int = await change.value(
        WITHDRAW,
        vial_id=vial_id,
        bank_id=bank_id,
        lot_id=lot_id,
        withdrawn_at=withdrawn_at,
        by=change.actor.account_id,
    )
    await change.run(TAKE_OUT, id=vial_id)
    return number


async def page(reading: Reading, *, code: str | None, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Bank lots with how many vials are there and have left, newest first; or the one."""
    return await reading.all(BANKS, code=code, after=after, limit=limit)


async def vials(reading: Reading, *, code: str, limit: int) -> Sequence[Row[Any]]:
    """Every vial of a bank: where it is, or who took it out, when and for what."""
    return await reading.all(VIALS, code=code, limit=limit)


async def classify(
    change: Change, *, place_id: int, phase: str, warmest_celsius: Decimal, site: str, evidence: str
) -> int:
    """How a place keeps what is in it, from now on. The statement's number."""
    number: int = await change.value(
        CLASSIFY,
        place_id=place_id,
        phase=phase,
        warmest_celsius=warmest_celsius,
        site=site,
        evidence=evidence,
        by=change.actor.account_id,
    )
    return number


async def keep_excursion(
    change: Change,
    *,
    place_id: int,
    began_at: datetime,
    ended_at: datetime | None,
    warmest_celsius: Decimal,
    what: str,
    deviation_id: int,
) -> int:
    """That a place was too warm. The row itself holds what lay there. Its number."""
    number: int = await change.value(
        EXCURSION,
        place_id=place_id,
        began_at=began_at,
        ended_at=ended_at,
        warmest_celsius=warmest_celsius,
        what=what,
        deviation_id=deviation_id,
        by=change.actor.account_id,
    )
    return number


async def held_by(reading: Reading, *, deviation_id: int) -> tuple[str, ...]:
    """The codes of what a deviation holds."""
    return tuple(row.code for row in await reading.all(HELD_BY, deviation_id=deviation_id))


async def places(reading: Reading, *, limit: int) -> Sequence[Row[Any]]:
    """Tanks and freezers with what was last said of how they keep."""
    return await reading.all(PLACES, limit=limit)


async def propose_policy(
    change: Change,
    *,
    process: str,
    process_version: int,
    needed: bool,
    conditions: Sequence[str],
    tiers: Sequence[str],
    reasons: str,
) -> int:
    """A decision about banks that waits for its signature. Its number. Raises NotFound for an unknown process."""
    number: int | None = await change.value(
        PROPOSE,
        name=process,
        version=process_version,
        needed=needed,
        conditions=list(conditions),
        tiers=list(tiers),
        reasons=reasons,
        by=change.actor.account_id,
    )
    if number is None:
        raise NotFound(
            what=Text("Nothing was proposed."),
            why=Text("There is no process {name} version {version}.", name=process, version=process_version),
            remedy=Text("Choose one of the list of processes."),
        )
    return number


async def policies(reading: Reading) -> Sequence[Row[Any]]:
    """Every decision about banks, the last proposed first."""
    return await reading.all(POLICIES, id=None)


async def policy(reading: Reading, *, number: int) -> Row[Any]:
    """One decision about banks. Raises NotFound."""
    row = await reading.one(POLICIES, id=number) if 0 < number < NUMBERS_END else None
    if row is None:
        raise NotFound(
            what=Text("There is no decision about banks {number}.", number=number),
            why=Text("No such decision was proposed."),
            remedy=Text("Look it up in the list."),
        )
    return row


async def decide(change: Change, *, number: int, ceremony: UUID) -> int:
    """Sign it. The signature's number."""
    signature: int = await change.value(DECIDE, id=number, ceremony=ceremony)
    return signature
