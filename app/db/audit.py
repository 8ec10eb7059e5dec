"""The audit as people read it: entries sought, one with what it did to which rows, the history of a record or an item.

Pages run from the newest to the oldest. Every question is answered by an index: at a million entries too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.db import seal
from app.domain import merkle, seals
from app.verifier.verify import BrokenError, Checkpoint, Entry, Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row as Found

    from app.db.door import Reading

AROUND = 10_000
"""Numbers are drawn a moment before the clock is read: a bound in time is one in numbers, give or take so many."""
MASKED = "[sealed]"
SEALED_COLUMNS = frozenset({"ciphertext", "wrapped_key", "blind_index", "token_sha256"})
"""What is encrypted is shown to nobody, not even as it stands encrypted. Factors never reach an image at all."""

_LINE = """
SELECT e.number, e.at, e.actor, a.printed_name, e.act, e.subject, e.reason, e.device,
    (SELECT count(*) FROM (SELECT FROM audit.rows r WHERE r.entry_number = e.number LIMIT 100) AS few) AS rows
FROM audit.entries e LEFT JOIN people.accounts a ON a.id = e.actor_id
"""
_BOUNDS = """
SELECT (SELECT number FROM audit.entries WHERE at >= :since ORDER BY at LIMIT 1) AS first,
    (SELECT number FROM audit.entries WHERE at <= :until ORDER BY at DESC LIMIT 1) AS last
"""
_BY_NAME = "SELECT username FROM people.accounts WHERE lower(printed_name) = lower(:name) ORDER BY id LIMIT 1"
_OF_TABLE = """
SELECT DISTINCT r.entry_number FROM audit.rows r WHERE r.tbl = :table AND r.entry_number < :after
ORDER BY r.entry_number DESC LIMIT :limit
"""
_NUMBERED = f"{_LINE} WHERE e.number = ANY (CAST(:numbers AS bigint[])) ORDER BY e.number DESC"
ENTRY = """
SELECT e.number, e.epoch, e.at, e.actor, a.printed_name, e.roles, e.act, e.subject, e.reason, e.device, e.session_id,
    e.idem_key, e.db_role, encode(e.hash, 'hex') AS hash, l.n AS leaf,
    (SELECT c.size FROM audit.checkpoints c WHERE c.size > l.n ORDER BY c.size LIMIT 1) AS sealed_size,
    (SELECT c.at FROM audit.checkpoints c WHERE c.size > l.n ORDER BY c.size LIMIT 1) AS sealed_at
FROM audit.entries e LEFT JOIN people.accounts a ON a.id = e.actor_id
LEFT JOIN audit.leaves l ON l.number = e.number WHERE e.number = :number
"""
IMAGES = """
SELECT r.seq, r.tbl, r.key, r.op, r.payload FROM audit.rows r
WHERE r.entry_number = :number AND r.seq > :after ORDER BY r.seq LIMIT :limit
"""
HISTORY = """
SELECT r.seq, r.tbl, r.key, r.op, r.payload, e.number, e.at, e.actor, a.printed_name, e.act, e.reason
FROM audit.rows r JOIN audit.entries e ON e.number = r.entry_number LEFT JOIN people.accounts a ON a.id = e.actor_id
WHERE r.tbl = :table AND r.key = :key AND r.seq < :before ORDER BY r.seq DESC LIMIT :limit
"""
_WITH_LOT = ("steps", "results", "samples", "retains", "consumptions", "waivers", "batch_reviews", "releases",
             "label_counts", "label_imbalances", "verifications", "workstation_sessions", "bench_reasons")  # fmt: skip
_WITH_ITEM = ("holds", "deviations", "labels", "legacy_dossiers")
_IS_ITEM = ("lab.items", "lab.lots", "lab.containers", "lab.donations", "lab.persons", "lab.donors", "lab.material_lots",
            "lab.samples", "lab.retains", "lab.equipment", "lab.printers", "people.badges")  # fmt: skip
OF_ITEM = f"""
WITH about AS (
    SELECT tbl, CAST(:id AS text) AS key FROM unnest(CAST(:own AS text[])) AS tbl
    UNION ALL SELECT 'lab.item_codes', code FROM lab.item_codes WHERE item_id = CAST(:id AS bigint)
    UNION ALL SELECT 'lab.determinations', id::text FROM lab.determinations WHERE donation_id = CAST(:id AS bigint)
    UNION ALL SELECT 'lab.waivers', id::text FROM lab.waivers WHERE donation_id = CAST(:id AS bigint)
    UNION ALL SELECT 'lab.signatures', id::text FROM lab.signatures
        WHERE record_id = CAST(:id AS bigint) AND record_kind IN ('lot', 'batch', 'results', 'material_lot', 'donation')
    {"".join(f"UNION ALL SELECT 'lab.{t}', id::text FROM lab.{t} WHERE lot_id = CAST(:id AS bigint) " for t in _WITH_LOT)}
    {"".join(f"UNION ALL SELECT 'lab.{t}', id::text FROM lab.{t} WHERE item_id = CAST(:id AS bigint) " for t in _WITH_ITEM)}
)
SELECT number FROM (
    SELECT DISTINCT r.entry_number AS number FROM about JOIN audit.rows r ON r.tbl = about.tbl AND r.key = about.key
    WHERE r.entry_number < :after
    UNION SELECT e.number FROM audit.entries e WHERE e.subject = ANY (CAST(:names AS text[])) AND e.number < :after
) AS found ORDER BY number DESC LIMIT :limit
"""
ITEM_NAMES = """
SELECT code AS name FROM lab.item_codes WHERE item_id = :id UNION SELECT name FROM lab.lots WHERE id = :id
"""
STATE = """
SELECT c.size, c.at, c.epoch, c.note, (SELECT max(number) FROM audit.entries) AS last_number
FROM audit.checkpoints c ORDER BY c.size DESC LIMIT 1
"""
TO_PROVE = "SELECT payload, hash FROM audit.entries WHERE number = $1"
ROWS_TO_PROVE = "SELECT seq, payload, hash FROM audit.rows WHERE entry_number = $1 ORDER BY seq"
LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; None is not asked. `person`: a user name or a printed name."""

    person: str | None = None
    act: str | None = None
    subject: str | None = None
    table: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """What one act did to one row. `secrets`: names of secret columns that it changed; their values are nowhere."""

    seq: int
    table: str
    key: str
    op: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    secrets: frozenset[str]


async def search(reading: Reading, sought: Sought, *, after: int | None, limit: int) -> Sequence[Found[Any]]:
    """Entries, newest first, before the number `after`."""
    asked: dict[str, Any] = {"after": LAST if after is None else after, "limit": limit}
    clauses = ["e.number < :after"]
    if sought.person is not None:
        asked["person"] = await reading.value(_BY_NAME, name=sought.person) or sought.person
        clauses.append("e.actor = :person")
    if sought.act is not None:
        asked["act"] = sought.act
        clauses.append("e.act = :act")
    if sought.subject is not None:
        asked["subject"] = sought.subject
        clauses.append("e.subject = :subject")
    if sought.since is not None or sought.until is not None:
        bounds = await reading.one(_BOUNDS, since=sought.since, until=sought.until)
        if sought.since is not None:
            first = LAST if bounds is None or bounds.first is None else bounds.first
            asked |= {"since": sought.since, "first": first - AROUND}
            clauses.append("e.at >= :since AND e.number > :first")
        if sought.until is not None:
            last = 0 if bounds is None or bounds.last is None else bounds.last
            asked |= {"until": sought.until, "last": last + AROUND}
            clauses.append("e.at <= :until AND e.number < :last")
    if sought.table is not None:
        asked["table"] = sought.table
        if len(clauses) == 1:
            numbers = [row.entry_number for row in await reading.all(_OF_TABLE, **asked)]
            return await reading.all(_NUMBERED, numbers=numbers)
        clauses.append("EXISTS (SELECT FROM audit.rows r WHERE r.entry_number = e.number AND r.tbl = :table)")
    return await reading.all(f"{_LINE} WHERE {' AND '.join(clauses)} ORDER BY e.number DESC LIMIT :limit", **asked)


async def entry(reading: Reading, *, number: int) -> Found[Any] | None:
    """One entry, and the checkpoint that sealed it."""
    return await reading.one(ENTRY, number=number)


async def images(reading: Reading, *, number: int, after: int, limit: int) -> list[Image]:
    """What an entry did to which rows, in its order, after the sequence number `after`."""
    return [image(row) for row in await reading.all(IMAGES, number=number, after=after, limit=limit)]


async def history(reading: Reading, *, table: str, key: str, before: int | None, limit: int) -> Sequence[Found[Any]]:
    """Every image of one row, newest first, each with the entry that made it."""
    return await reading.all(HISTORY, table=table, key=key, before=before or LAST, limit=limit)


async def of_item(reading: Reading, *, item_id: int, after: int | None, limit: int) -> Sequence[Found[Any]]:
    """Entries about an item: its own rows, what was done for it and found on it, and acts that name it."""
    names = [row.name for row in await reading.all(ITEM_NAMES, id=item_id)]
    rows = await reading.all(
        OF_ITEM, id=str(item_id), own=list(_IS_ITEM), names=names, after=after or LAST, limit=limit
    )
    return await reading.all(_NUMBERED, numbers=[row.number for row in rows])


async def state(reading: Reading) -> Found[Any] | None:
    """The last checkpoint: size, at, epoch, note, and the last entry's number. None before the first."""
    return await reading.one(STATE)


def image(row: Any) -> Image:
    """A row image from its hashed text. What is encrypted is masked."""
    told = Row.parse(row.payload)
    return Image(
        seq=told.seq,
        table=told.table,
        key=told.key,
        op=told.op,
        before=_shown(told.before),
        after=_shown(told.after),
        secrets=frozenset(each for each in told.secrets.split(",") if each),
    )


def _shown(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    columns: dict[str, Any] = json.loads(text)
    return {name: MASKED if name in SEALED_COLUMNS and value else value for name, value in columns.items()}


@dataclass(frozen=True, slots=True)
class Proved:
    """One entry checked anew, from its own bytes up to a signed checkpoint. `trouble` names what does not hold."""

    rows: int
    leaf: int | None
    size: int | None
    root: str | None
    trouble: str | None


async def prove(connection: seal.Connection, *, number: int) -> Proved | None:
    """Hash an entry and its images anew and follow the inclusion proof. None where there is no such entry."""
    found = await connection.fetchrow(TO_PROVE, number)
    if found is None:
        return None
    rows = await connection.fetch(ROWS_TO_PROVE, number)
    hashed = hashlib.sha256(found["payload"].encode()).digest()
    images_hashed = [hashlib.sha256(row["payload"].encode()).digest() for row in rows]
    proof = await seal.seal_proof(connection, number=number)
    leaf, size = (None, None) if proof is None else (proof.leaf, proof.size)
    root: bytes | None = None
    try:
        if Entry.parse(found["payload"]).number != number or hashed != found["hash"]:
            raise BrokenError("the entry is not what was hashed")
        for row, again in zip(rows, images_hashed, strict=True):
            if again != row["hash"] or Row.parse(row["payload"]).entry != number:
                raise BrokenError(f"image {row['seq']} is not what was hashed")
        if proof is not None:
            root = Checkpoint.parse(proof.note.encode()).root
            data = seals.entry_leaf(hashed, b"".join(images_hashed))
            merkle.verify_inclusion(
                index=proof.leaf, size=proof.size, leaf=merkle.leaf_hash(data), proof=proof.path, root=root
            )
    except (BrokenError, merkle.ProofError) as error:
        return Proved(len(rows), leaf, size, None if root is None else root.hex(), str(error))
    return Proved(len(rows), leaf, size, None if root is None else root.hex(), None)
