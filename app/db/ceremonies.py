"""What is signed, as it stands now, and fresh proofs of identity for one signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db.items import find
from app.domain.acts import Meaning, RecordKind
from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Change, Reading

RECORD = "SELECT version, bytes, audit.sha256_hex(bytes) AS digest FROM dossier.record(:kind, :id)"
NAMES: Mapping[RecordKind, str] = {
    RecordKind.LOT: "SELECT name FROM lab.lots WHERE id = :id AND kind <> 'material'",
    RecordKind.BATCH: "SELECT name FROM lab.lots WHERE id = :id AND kind <> 'material'",
    RecordKind.MATERIAL_LOT: (
        "SELECT m.name || ' ' || ml.supplier_lot FROM lab.material_lots ml"
        " JOIN lab.materials m ON m.id = ml.material_id WHERE ml.id = :id"
    ),
    RecordKind.DONATION: (
        "SELECT c.code FROM lab.donations d JOIN lab.item_codes c ON c.item_id = d.id AND c.scheme = 'own'"
        " WHERE d.id = :id"
    ),
    RecordKind.RESULT: (
        "SELECT s.test || ', ' || l.name FROM lab.results r JOIN lab.lots l ON l.id = r.lot_id"
        " JOIN lab.specification_lines s ON s.id = r.line_id WHERE r.id = :id"
    ),
    RecordKind.RESULTS: "SELECT name FROM lab.lots WHERE id = :id AND kind <> 'material'",
    RecordKind.DEVIATION: "SELECT number FROM lab.deviations WHERE id = :id",
    RecordKind.HOLD: "SELECT reason FROM lab.holds WHERE id = :id",
    RecordKind.WAIVER: (
        "SELECT w.rule || ', ' || coalesce(l.name, c.code) FROM lab.waivers w LEFT JOIN lab.lots l ON l.id = w.lot_id"
        " LEFT JOIN lab.item_codes c ON c.item_id = w.donation_id AND c.scheme = 'own' WHERE w.id = :id"
    ),
    RecordKind.LEGACY: "SELECT number FROM lab.legacy_dossiers WHERE id = :id",
    RecordKind.PARTNER_ASSESSMENT: (
        "SELECT s.name || ', ' || a.assessed_on FROM lab.partner_assessments a"
        " JOIN lab.partners s ON s.id = a.partner_id WHERE a.id = :id"
    ),
    RecordKind.EXCEPTIONAL_REQUEST: (
        "SELECT l.name FROM lab.exceptional_requests r JOIN lab.lots l ON l.id = r.lot_id WHERE r.id = :id"
    ),
    RecordKind.SUPPLIER_AUDIT: (
        "SELECT s.name || ', ' || a.audited_on FROM lab.supplier_audits a"
        " JOIN lab.suppliers s ON s.id = a.supplier_id WHERE a.id = :id"
    ),
    RecordKind.AUTHORISATION: (
        "SELECT p.name || ' ' || p.version FROM lab.authorisations a"
        " JOIN lab.process_versions p ON p.id = a.process_id WHERE a.id = :id"
    ),
    RecordKind.COMPARABILITY: (
        "SELECT t.number || ', ' || r.report_number FROM lab.comparabilities c JOIN lab.studies t ON t.id = c.study_id"
        " JOIN lab.reinspections r ON r.id = c.reinspection_id WHERE c.id = :id"
    ),
    RecordKind.BANK_POLICY: (
        "SELECT p.name || ' ' || p.version FROM lab.bank_policies b"
        " JOIN lab.process_versions p ON p.id = b.process_id WHERE b.id = :id"
    ),
    RecordKind.TWO_STEP_PLAN: (
        "SELECT p.name || ' ' || p.version FROM lab.two_step_plans t"
        " JOIN lab.process_versions p ON p.id = t.process_id WHERE t.id = :id"
    ),
    RecordKind.RESPONSIBILITY: (
        "SELECT r.level || ', ' || a.printed_name FROM lab.responsibilities r"
        " JOIN people.accounts a ON a.id = r.account_id WHERE r.id = :id"
    ),
    RecordKind.DOCUMENT: "SELECT number || ' v' || version FROM lab.documents WHERE id = :id",
    RecordKind.ASSESSMENT: "SELECT number || ' v' || version FROM lab.assessments WHERE id = :id",
    RecordKind.SETTING: "SELECT name FROM lab.setting_proposals WHERE id = :id",
    RecordKind.PACK: "SELECT pack FROM lab.pack_proposals WHERE id = :id",
    RecordKind.TISSUE_TYPE: "SELECT name || ' v' || version FROM lab.tissue_types WHERE id = :id",
    RecordKind.PROPOSAL: (
        "SELECT a.printed_name FROM people.proposals p JOIN people.accounts a ON a.id = p.account_id WHERE p.id = :id"
    ),
    RecordKind.APPOINTMENT: (
        "SELECT a.printed_name FROM people.appointments p JOIN people.accounts a ON a.id = p.account_id"
        " WHERE p.id = :id"
    ),
}
DEVIATION = "SELECT id FROM lab.deviations WHERE number = :number"
ITEM_KINDS: Mapping[RecordKind, str] = {
    RecordKind.LOT: "lot",
    RecordKind.BATCH: "lot",
    RecordKind.RESULTS: "lot",
    RecordKind.MATERIAL_LOT: "lot",
    RecordKind.DONATION: "donation",
}
OPEN = (
    "SELECT ceremony, expires_at FROM people.open_ceremony(:account, :session, :meaning, :kind, :id, :says,"
    " :digest, CAST(:factors AS text[]))"
)


@dataclass(frozen=True, slots=True)
class Record:
    """A record that can be signed, as it stands now. `content` is the very text whose digest is signed."""

    kind: RecordKind
    record_id: int
    name: str
    version: int
    content: str
    digest: str


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A live proof of identity for one signature."""

    ceremony: UUID
    expires_at: datetime


async def record(reading: Reading, *, kind: RecordKind, ref: str) -> Record:
    """The record that the outside names: items by code, deviations by number, the rest by its reference.

    Raises NotFound.
    """
    record_id = await _id_of(reading, kind=kind, ref=ref)
    row = await reading.one(RECORD, kind=kind.value, id=record_id)
    name = await reading.value(NAMES[kind], id=record_id)
    if row is None or row.bytes is None or name is None:
        raise _nothing(ref)
    return Record(
        kind=kind, record_id=record_id, name=name, version=row.version or 1, content=row.bytes, digest=row.digest
    )


async def _id_of(reading: Reading, *, kind: RecordKind, ref: str) -> int:
    if kind in ITEM_KINDS:
        return (await find(reading, code=ref, kind=ITEM_KINDS[kind])).id
    if kind is RecordKind.DEVIATION:
        number: int | None = await reading.value(DEVIATION, number=ref)
        if number is None:
            raise _nothing(ref)
        return number
    if not ref.isascii() or not ref.isdigit() or len(ref) > 18:
        raise _nothing(ref)
    return int(ref)


def _nothing(ref: str) -> NotFound:
    return NotFound(
        what=Text("Nothing was signed."),
        why=Text("There is no such record: {ref}.", ref=ref),
        remedy=Text("Open the record that you mean to sign, and sign from there."),
    )


async def open_ceremony(
    change: Change, *, meaning: Meaning, kind: RecordKind, record_id: int, statement: str, digest: str
) -> Ceremony:
    """The proof, for the signed-in account alone, on the record as it stands. Needs the desk for people.

    Raises CeremonyRefused when this account cannot sign so, Stale when the record is no longer what was shown,
    Blocked when a release check blocks.
    """
    row = await change.one(
        OPEN,
        account=change.actor.account_id,
        session=change.actor.session_id,
        meaning=meaning.value,
        kind=kind.value,
        id=record_id,
        says=statement,
        digest=digest,
        factors=["password", "totp"],
    )
    if row is None:
        raise RuntimeError("opening always answers")
    return Ceremony(ceremony=row.ceremony, expires_at=row.expires_at)
