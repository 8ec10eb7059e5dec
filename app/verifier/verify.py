"""Checks an export of Stemma's audit, trusting neither the database it came from nor whoever made it.

    python verify.py FOLDER [--key VKEY] [--key-file FILE] [--checkpoint FILE] [--json]

This one file needs Python 3.11 and nothing else, so that it still runs when the rest is gone. It recomputes every hash,
every leaf, the Merkle root at every signed checkpoint (RFC 6962), every Ed25519 signature (RFC 8032), and follows each
record from its first image to the one that stands in the tables.

Nothing inside a folder can prove where the folder came from. Bring a key, or an earlier checkpoint, from outside:

    exit 0  proved: signed by the key that you brought, or continuing the checkpoint that you kept
    exit 1  tampered: something does not agree; every finding says where
    exit 2  internally consistent, origin not proved: no key and no checkpoint from outside was given
    exit 3  not checked: the folder, key or checkpoint could not be read
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from hashlib import sha256, sha512
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import NamedTuple, NoReturn

FORMAT = "stemma.export.1"
SERVICE_ROLES = frozenset({"stemma_app", "stemma_auth", "stemma_seal", "stemma_report"})
RELEASES_TABLE = "lab.releases"
CLOCK_TOLERANCE_S = 2.0
FINDINGS_SHOWN_MAX = 200


class BrokenError(ValueError):
    """What was read is not in the one form that the format allows."""


# --- Ed25519 (RFC 8032 §5.1), verification only ----------------------------------------------------------------------
# A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z. Nothing here is secret, so nothing needs constant time.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
D2 = 2 * D % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
IDENTITY: Point = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    """Sum of two points; complete, so it also doubles."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = p[3] * q[3] * D2 % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def encode_point(p: Point) -> bytes:
    """The one 32-byte form of a point."""
    inverse = pow(p[2], -1, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode_point(data: bytes) -> Point:
    """Point from its one 32-byte form; BrokenError for every other form and for what is not on the curve."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if len(data) != 32 or y >= P:
        raise BrokenError("not the canonical form of a point")
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * SQRT_MINUS_1 % P
    if v * x * x % P != u or (x == 0 and sign):
        raise BrokenError("not a point on the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


class Multiples:
    """Multiples of one point by 4-bit digits, made once, so that a multiplication is at most 64 additions."""

    def __init__(self, point: Point) -> None:
        self.rows: list[list[Point]] = []
        for _ in range(64):
            row = [IDENTITY]
            for _ in range(15):
                row.append(add(row[-1], point))
            self.rows.append(row)
            point = add(row[-1], point)

    def times(self, scalar: int) -> Point:
        """The point, scalar times; the scalar below 2**256."""
        result = IDENTITY
        for row in self.rows:
            if digit := scalar & 15:
                result = add(result, row[digit])
            scalar >>= 4
        return result


@lru_cache(maxsize=1)
def base_multiples() -> Multiples:
    """Multiples of the curve's base point, y = 4/5."""
    return Multiples(decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little")))


@lru_cache(maxsize=64)
def key_multiples(public: bytes) -> Multiples:
    """Multiples of minus the key's point; BrokenError for a key under which a signature would prove nothing."""
    x, y, z, t = decode_point(public)
    eight = (x, y, z, t)
    for _ in range(3):
        eight = add(eight, eight)
    if eight[0] == 0 and eight[1] == eight[2]:
        raise BrokenError("a key of small order signs everything")
    return Multiples((P - x, y, z, (P - t) % P))


def signature_holds(*, public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the 64-byte signature over the message is the 32-byte key's own, and in its only canonical form."""
    if len(public) != 32 or len(signature) != 64:
        return False
    commitment, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    if scalar >= ORDER:
        return False
    try:
        minus_key = key_multiples(public)
    except BrokenError:
        return False
    challenge = int.from_bytes(sha512(commitment + public + message).digest(), "little") % ORDER
    return encode_point(add(base_multiples().times(scalar), minus_key.times(challenge))) == commitment


# --- keys and checkpoints (C2SP signed note) --------------------------------------------------------------------------


def from_base64(text: str) -> bytes:
    """Bytes of canonical base64: one text for each value."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BrokenError("not base64") from None
    if base64.b64encode(data).decode() != text:
        raise BrokenError("base64 in a second form")
    return data


@dataclass(frozen=True)
class Key:
    """A public key with the name that it signs under, as `name+id+base64`."""

    name: str
    public: bytes

    @cached_property
    def id(self) -> bytes:
        """First four bytes of SHA-256 over name, newline, algorithm and key."""
        return sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]

    def __str__(self) -> str:
        data = base64.b64encode(b"\x01" + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{data}"

    @staticmethod
    def parse(text: str) -> Key:
        """Key from its text; BrokenError says what is wrong with it."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3 or not is_key_name(parts[0]):
            raise BrokenError("a key reads name+id+base64")
        data = from_base64(parts[2])
        if len(data) != 33 or data[0] != 1:
            raise BrokenError("not an Ed25519 key")
        key = Key(parts[0], data[1:])
        if key.id.hex() != parts[1]:
            raise BrokenError("the key's id is not the id of this key")
        key_multiples(key.public)
        return key


def is_key_name(name: str) -> bool:
    """Whether a note can carry this name."""
    return bool(name) and "+" not in name and not any(each.isspace() or not each.isprintable() for each in name)


@dataclass(frozen=True)
class Checkpoint:
    """One signed statement: at this time, under this epoch, a log of this size had this root."""

    origin: str
    size: int
    root: bytes
    epoch: int
    time: str
    key_name: str
    key_id: bytes
    signature: bytes

    @property
    def body(self) -> str:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\nepoch {self.epoch}\ntime {self.time}\n"

    @property
    def note(self) -> str:
        """The whole text: what is signed, an empty line, the signature."""
        signed = base64.b64encode(self.key_id + self.signature).decode()
        return f"{self.body}\n\u2014 {self.key_name} {signed}\n"

    @staticmethod
    def parse(data: bytes) -> Checkpoint:
        """Checkpoint from the exact bytes of its note; BrokenError for any byte that could be otherwise."""
        try:
            origin, size, root, epoch, time, empty, signed, end = data.decode().split("\n")
            dash, key_name, signature = signed.split(" ")
            moment = datetime.fromisoformat(time.removeprefix("time "))
            raw = from_base64(signature)
            found = Checkpoint(
                origin=origin,
                size=int(size),
                root=from_base64(root),
                epoch=int(epoch.removeprefix("epoch ")),
                time=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                key_name=key_name,
                key_id=raw[:4],
                signature=raw[4:],
            )
        except ValueError as error:
            raise BrokenError(f"not a signed checkpoint ({error})") from None
        if found.note.encode() != data or (dash, empty, end) != ("\u2014", "", ""):
            raise BrokenError("a signed checkpoint in a second form")
        if not (is_key_name(origin) and origin == key_name and len(found.root) == 32 and len(raw) == 68):
            raise BrokenError("not a signed checkpoint of a log")
        return found

    def signed_by(self, keys: Iterable[Key]) -> bool:
        """Whether one of these keys made the signature."""
        return any(
            key.name == self.key_name
            and key.id == self.key_id
            and signature_holds(public=key.public, message=self.body.encode(), signature=self.signature)
            for key in keys
        )


# --- the tree (RFC 6962 §2.1) -----------------------------------------------------------------------------------------


def join(left: bytes, right: bytes) -> bytes:
    """Hash of a node over its children."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that only grows, of which only the right edge is kept."""

    def __init__(self) -> None:
        self.size = 0
        self.edge: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        index = self.size
        while index & 1:
            leaf, index = join(self.edge.pop(), leaf), index >> 1
        self.edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Root over everything appended so far."""
        if not self.edge:
            return sha256(b"").digest()
        root = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            root = join(left, root)
        return root


def root_of_proof(*, index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """Root that an inclusion proof leads to; BrokenError when it is longer or shorter than it must be."""
    place, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise BrokenError("the proof is too long")
        if place & 1 or place == last:
            root = join(sibling, root)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            root = join(root, sibling)
        place, last = place >> 1, last >> 1
    if last or not 0 <= index < size:
        raise BrokenError("the proof is too short, or its leaf is beyond the tree")
    return root


# --- hashed texts -----------------------------------------------------------------------------------------------------


def netstrings(data: bytes) -> list[str | None]:
    """Fields of a hashed text: `<octets>:<text>,` each, or `-,` for none. BrokenError for any second form."""
    found: list[str | None] = []
    place, end = 0, len(data)
    try:
        while place < end:
            if data.startswith(b"-,", place):
                found.append(None)
                place += 2
                continue
            colon = data.index(b":", place, place + 12)
            length = int(data[place:colon])
            stop = colon + 1 + length
            if data[place:colon] != b"%d" % length or data[stop : stop + 1] != b",":
                raise BrokenError("a field's length is wrong")
            found.append(data[colon + 1 : stop].decode())
            place = stop + 1
    except ValueError as error:
        raise BrokenError(f"not a row of framed fields ({error})") from None
    return found


def framed(payload: str, *, kind: str, count: int) -> list[str]:
    """The fields of an entry or a scan, of which none may be missing."""
    fields = netstrings(payload.encode())
    known = [each for each in fields if each is not None]
    if len(known) != count or len(fields) != count or known[0] != kind:
        raise BrokenError(f"not a {kind}")
    return known


def natural(text: str | None) -> int:
    """A whole number from its one decimal form."""
    if text is None or not text.isascii() or not text.isdigit() or (text[0] == "0" and text != "0"):
        raise BrokenError("not a whole number")
    return int(text)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act by one person, as it was hashed. `fields` are the text's own, in its order."""

    number: int
    epoch: int
    xid: int
    at: str
    act: str
    db_role: str
    fields: list[str]

    @staticmethod
    def parse(payload: str) -> Entry:
        """Entry from its hashed text."""
        it = framed(payload, kind="stemma.entry.1", count=15)
        return Entry(natural(it[1]), natural(it[2]), natural(it[3]), it[4], it[8], it[14], it)


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan with its verdict, as it was hashed."""

    number: int
    epoch: int
    xid: int
    at: str
    verdict: str
    fields: list[str]

    @staticmethod
    def parse(payload: str) -> Scan:
        """Scan from its hashed text."""
        it = framed(payload, kind="stemma.scan.1", count=15)
        return Scan(natural(it[1]), natural(it[2]), natural(it[3]), it[4], it[11], it)


@dataclass(frozen=True, slots=True)
class Row:
    """What one act did to one row of one table: how it was before and how it is after."""

    seq: int
    entry: int
    table: str
    key: str
    op: str
    before: str | None
    after: str | None
    secrets: str

    @staticmethod
    def parse(payload: str) -> Row:
        """Row image from its hashed text."""
        it = netstrings(payload.encode())
        if len(it) != 9 or it[0] != "stemma.row.1":
            raise BrokenError("not a stemma.row.1")
        _, seq, entry, table, key, op, before, after, secrets = it
        if table is None or key is None or op not in ("I", "U", "D") or secrets is None:
            raise BrokenError("a row image lacks a field")
        if (before is None) != (op == "I") or (after is None) != (op == "D"):
            raise BrokenError("a row image has the wrong sides for what was done")
        return Row(natural(seq), natural(entry), table, key, op, before, after, secrets)


# --- the checks -------------------------------------------------------------------------------------------------------


class Verdict(StrEnum):
    """What can be said in the end."""

    PROVED = "proved"
    TAMPERED = "tampered"
    CONSISTENT = "consistent"


EXITS = {Verdict.PROVED: 0, Verdict.TAMPERED: 1, Verdict.CONSISTENT: 2}
SENTENCES = {
    Verdict.PROVED: ("Proved: nothing was changed, and the origin is shown.", "已证明：记录未被改动，来源可信。"),
    Verdict.TAMPERED: ("Tampered: the record does not agree with itself.", "已被篡改：记录前后不一致。"),
    Verdict.CONSISTENT: (
        "Internally consistent, origin not proved: give a key or an earlier checkpoint from outside.",
        "内部一致，来源未证明：请提供外部保存的公钥或较早的检查点。",
    ),
}


class Tail(StrEnum):
    """Whether entries may wait for their seal: in a live database they may, in an export not."""

    ALLOWED = "allowed"
    REFUSED = "refused"


@dataclass
class Report:
    """What was found, and over how much."""

    verdict: Verdict = Verdict.TAMPERED
    findings: list[dict[str, str]] = field(default_factory=list)
    findings_count: int = 0
    warnings: list[str] = field(default_factory=list)
    entries: int = 0
    rows: int = 0
    scans: int = 0
    current_rows: int = 0
    leaves: int = 0
    unsealed: int = 0
    checkpoints: int = 0
    origin: str = ""
    size: int = 0
    root: str = ""
    signed_at: str = ""
    keys: list[str] = field(default_factory=list)
    proved_by: list[str] = field(default_factory=list)

    def find(self, where: str, what: str) -> None:
        """Keep one disagreement."""
        self.findings_count += 1
        if len(self.findings) < FINDINGS_SHOWN_MAX:
            self.findings.append({"where": where, "what": what})


def same_digest(stored: bytes, computed: bytes) -> bool:
    """Whether a stored digest is the digest of what stands beside it."""
    return stored == computed


class Audit:
    """Follows an audit as it is read: first epochs and checkpoints, then entries, rows, scans, leaves, current rows.

    Memory grows by some hundred bytes for each entry and each record, never by what they say.
    """

    def __init__(self, *, keys: Sequence[Key] = (), outside: Sequence[Checkpoint] = (), tail: Tail = Tail.REFUSED):
        self.report = Report()
        self.given = list(keys)
        self.outside = list(outside)
        self.tail = tail
        self.claimed: list[Key] = []
        self.trusted: list[Key] = []
        self.signers: set[tuple[str, bytes]] = set()
        self.checkpoints: list[Checkpoint] = []
        self.epochs: list[tuple[int, int, bytes | None]] = []
        self.records: dict[int, tuple[str, bytes, int, int]] = {}
        self.images: dict[int, bytearray] = {}
        self.last_after: dict[tuple[str, str], Image | None] = {}
        self.columns: dict[frozenset[str], frozenset[str]] = {}
        self.columns_now: dict[str, frozenset[str]] = {}
        self.releases: dict[int, tuple[int, bytes]] = {}
        self.release_numbers: set[int] = set()
        self.roots: dict[int, bytes] = {}
        self.tree = Tree()
        self.batch = 0
        self.batch_last_number = 0
        self.batch_xid_max: dict[int, int] = {}
        self.earlier_xid_max: dict[int, int] = {}
        self.last_number: dict[str, int] = {}
        self.latest: dict[str, str] = {}
        self.inversions = 0
        self.other_roles: dict[str, list[int]] = {}

    # keys, epochs, checkpoints

    def claims(self, keys: Sequence[Key]) -> None:
        """Hear which keys the record says signed it. They are trusted only as far as something outside says so."""
        self.claimed = list(keys)
        self.trusted = list(self.given)
        for kept in self.outside:
            known = self.given or self.claimed
            signers = [key for key in known if kept.signed_by([key])]
            if known and not signers:
                self.report.find(
                    "outside checkpoint", "no key at hand made the signature on the checkpoint you brought"
                )
            # Whoever made a checkpoint that you kept holds the key: no other key can have made that signature.
            self.trusted += [key for key in signers if key not in self.trusted]

    def epoch(self, epoch: int, previous_size: int, previous_root: bytes | None) -> None:
        """Hear that an epoch was opened, and on which log."""
        # The first epoch needs no opening: it begins with the log.
        last_epoch, last_size = self.epochs[-1][:2] if self.epochs else (min(epoch, 2) - 1, 0)
        rootless = previous_root is None
        if epoch != last_epoch + 1 or previous_size < last_size or rootless != (previous_size == 0):
            self.report.find(f"epoch {epoch}", "epochs do not follow one another")
        self.epochs.append((epoch, previous_size, previous_root))

    def checkpoint(self, where: str, data: bytes) -> None:
        """Take one signed checkpoint, in order of size."""
        try:
            found = Checkpoint.parse(data)
        except BrokenError as error:
            self.report.find(where, str(error))
            return
        if self.checkpoints:
            before = self.checkpoints[-1]
            if found.size <= before.size or found.epoch < before.epoch or found.origin != before.origin:
                self.report.find(where, "does not follow the checkpoint before it")
            if found.time < before.time:
                self.report.warnings.append(f"clock: {where} is signed earlier than the checkpoint before it")
        known = self.given or self.claimed
        if known and not found.signed_by(known):
            self.report.find(where, "its signature is not made by the key")
        self.signers.add((found.key_name, found.key_id))
        self.checkpoints.append(found)
        self.report.checkpoints += 1

    # what was hashed

    def _hashed(self, where: str, payload: str, stored: bytes) -> None:
        if not same_digest(stored, sha256(payload.encode()).digest()):
            self.report.find(where, "its text does not have its hash")

    def _ordered(self, what: str, number: int) -> None:
        if number <= self.last_number.get(what, 0):
            self.report.find(f"{what} {number}", "stands twice or out of order")
        self.last_number[what] = number

    def _clock(self, what: str, at: str) -> None:
        latest = self.latest.get(what, "")
        if at >= latest:
            self.latest[what] = at
            return
        try:
            behind = (datetime.fromisoformat(latest) - datetime.fromisoformat(at)).total_seconds()
        except (ValueError, TypeError):
            behind = float("inf")
        self.inversions += behind > CLOCK_TOLERANCE_S

    def _record(self, kind: str, found: Entry | Scan, stored: bytes) -> None:
        self._ordered(kind, found.number)
        if found.number in self.records:
            self.report.find(f"{kind} {found.number}", "an entry and a scan share one number")
        self.records[found.number] = (kind, stored, found.epoch, found.xid)
        self._clock(kind, found.at)

    def entry(self, payload: str, stored: bytes) -> Entry:
        """Take one entry, in order of number; BrokenError when it cannot be read at all."""
        found = Entry.parse(payload)
        self._hashed(f"entry {found.number}", payload, stored)
        self._record("entry", found, stored)
        if found.db_role not in SERVICE_ROLES:
            self.other_roles.setdefault(found.db_role, []).append(found.number)
        self.report.entries += 1
        return found

    def scan(self, payload: str, stored: bytes) -> Scan:
        """Take one scan, in order of number; BrokenError when it cannot be read at all."""
        found = Scan.parse(payload)
        self._hashed(f"scan {found.number}", payload, stored)
        self._record("scan", found, stored)
        self.report.scans += 1
        return found

    def row(self, payload: str, stored: bytes) -> Row:
        """Take one row image, in order of sequence; BrokenError when it cannot be read at all."""
        found = Row.parse(payload)
        where = f"row {found.seq}"
        self._hashed(where, payload, stored)
        self._ordered("row", found.seq)
        if self.records.get(found.entry, ("",))[0] != "entry":
            self.report.find(where, f"belongs to entry {found.entry}, which is not there")
        self.images.setdefault(found.entry, bytearray()).extend(stored)
        if found.table == RELEASES_TABLE:
            self.release_numbers.add(found.entry)
        record = (found.table, found.key)
        before, after = image_of(found.before), image_of(found.after)
        if not goes_on(self.last_after.get(record), before):
            self.report.find(where, f"{found.table} {found.key}: before is not what the last change left")
        self.last_after[record] = after and Image(after.digest, self.columns.setdefault(after.columns, after.columns))
        self.report.rows += 1
        return found

    # leaves

    def leaf(self, n: int, kind: str, number: int, stored: bytes) -> None:
        """Take one leaf, in order of place."""
        where = f"leaf {n}"
        if n != self.tree.size:
            self.report.find(where, f"stands at place {self.tree.size}")
        found = self.records.pop(number, None)
        if found is None or found[0] != kind:
            self.report.find(where, f"seals {kind} {number}, which is not there or is sealed twice")
        else:
            _, hashed, epoch, xid = found
            data = scan_leaf(hashed) if kind == "scan" else entry_leaf(hashed, self.images.pop(number, b""))
            if sha256(b"\x00" + data).digest() != stored:
                self.report.find(where, f"is not the leaf of {kind} {number}")
            self._legal_place(where, number, epoch, xid)
        self.tree.append(stored)
        if number in self.release_numbers:
            self.releases[number] = (n, stored)
        if self.tree.size in self.wanted:
            self.roots[self.tree.size] = self.tree.root()
        self.report.leaves += 1

    @cached_property
    def wanted(self) -> frozenset[int]:
        """Sizes at which the root must be known."""
        stated = [each.size for each in (*self.checkpoints, *self.outside)]
        return frozenset(stated + [previous for _, previous, _ in self.epochs])

    def _legal_place(self, where: str, number: int, epoch: int, xid: int) -> None:
        """Within a batch by number; from batch to batch by transaction, for what the batch's own epoch wrote."""
        while self.batch < len(self.checkpoints) and self.checkpoints[self.batch].size <= self.tree.size:
            self.batch += 1
            self.batch_last_number = 0
            self.earlier_xid_max.update(self.batch_xid_max)
        if self.batch == len(self.checkpoints):
            self.report.find(where, "is beyond the last checkpoint")
            return
        sealed_in = self.checkpoints[self.batch].epoch
        if epoch > sealed_in or number <= self.batch_last_number:
            self.report.find(where, "is not in the order in which entries are sealed")
        self.batch_last_number = number
        if epoch == sealed_in:
            if xid <= self.earlier_xid_max.get(epoch, -1):
                self.report.find(where, "should have been sealed by an earlier checkpoint")
            self.batch_xid_max[epoch] = max(xid, self.batch_xid_max.get(epoch, -1))

    # tables as they stand, proofs

    def current(self, table: str, key: str, image: str) -> None:
        """Take one row as it stands in its table now."""
        last, now = self.last_after.pop((table, key), None), image_of(image)
        if last is None:
            self.report.find(f"{table} {key}", "stands in the table though no change put it there")
        elif not goes_on(last, now):
            self.report.find(f"{table} {key}", "is not what its last change left")
        if now and self.columns_now.setdefault(table, now.columns) != now.columns:
            self.report.find(f"{table} {key}", "has other columns than the rows before it")
        self.report.current_rows += 1

    def proof(self, number: int, leaf: int, size: int, path: Sequence[bytes]) -> None:
        """Take the inclusion proof of one release."""
        where = f"proof of entry {number}"
        if number not in self.release_numbers:
            self.report.find(where, "is for no release, or stands twice")
            return
        self.release_numbers.discard(number)
        place, hashed = self.releases.get(number, (-1, b""))
        last = self.checkpoints[-1] if self.checkpoints else None
        try:
            root = root_of_proof(index=leaf, size=size, leaf=hashed, path=path)
        except BrokenError as error:
            self.report.find(where, str(error))
            return
        if last is None or (leaf, size, root) != (place, last.size, last.root):
            self.report.find(where, "does not lead from its entry to the last checkpoint")

    # the end

    def finish(self) -> None:
        """Say what is missing, and compare the roots."""
        for (table, key), last in self.last_after.items():
            if last is not None:
                self.report.find(f"{table} {key}", "is gone from the table though no change removed it")
        if self.tail is Tail.REFUSED:
            for number in sorted(self.release_numbers):
                self.report.find(f"proof of entry {number}", "is missing")
        self._unsealed()
        self._compare_roots()
        self._compare_epochs()
        self._warn()

    def _unsealed(self) -> None:
        self.report.unsealed = len(self.records)
        for number, (kind, *_) in self.records.items():
            if self.tail is Tail.REFUSED:
                self.report.find(f"{kind} {number}", "is sealed by no leaf")
        last = self.checkpoints[-1].size if self.checkpoints else 0
        if last != self.tree.size:
            self.report.find("checkpoints", f"the last one is of {last} leaves, and there are {self.tree.size}")

    def _compare_roots(self) -> None:
        for each in self.checkpoints:
            if self.roots.get(each.size) != each.root:
                self.report.find(f"checkpoint {each.size}", "its root is not the root of the leaves")
        for kept in self.outside:
            if self.checkpoints and kept.origin != self.checkpoints[-1].origin:
                self.report.find("outside checkpoint", f"is of another log, {kept.origin}")
            elif kept.size > self.tree.size:
                missing = kept.size - self.tree.size
                self.report.find("outside checkpoint", f"the log ends {missing} leaves before what you kept")
            elif self.roots.get(kept.size) != kept.root:
                self.report.find(
                    "outside checkpoint", f"the first {kept.size} leaves are not those you kept{self._cut(kept)}"
                )

    def _cut(self, kept: Checkpoint) -> str:
        for epoch, previous_size, _ in self.epochs:
            if epoch > kept.epoch and previous_size < kept.size:
                return f"; epoch {epoch} was opened on a log of {previous_size}, giving up what came after"
        return ""

    def _compare_epochs(self) -> None:
        sizes = {0} | {each.size for each in self.checkpoints}
        for epoch, previous_size, previous_root in self.epochs:
            where = f"epoch {epoch}"
            if previous_size not in sizes or (previous_size and self.roots.get(previous_size) != previous_root):
                self.report.find(where, "was not opened on the log that is here")
            if any((each.epoch < epoch) != (each.size <= previous_size) for each in self.checkpoints):
                self.report.find(where, "checkpoints before and after it bear the wrong epoch")
        opened = self.epochs[-1][0] if self.epochs else 1
        if any(not 1 <= each.epoch <= opened for each in self.checkpoints):
            self.report.find("epochs", "a checkpoint bears an epoch that was never opened")
        if {(key.name, key.id) for key in self.claimed} - self.signers:
            self.report.find("keys", "a key is named that signed nothing here")

    def _warn(self) -> None:
        report = self.report
        if self.inversions:
            report.warnings.append(f"clock: {self.inversions} times an entry or scan is dated before an earlier one")
        for role, numbers in sorted(self.other_roles.items()):
            report.warnings.append(f"role {role}, no service of ours, wrote {len(numbers)} entries, first {numbers[0]}")
        if not (self.given or self.claimed):
            report.warnings.append("no key at hand: the signatures on the checkpoints were not checked")
        if len(self.signers) > 1:
            report.warnings.append(f"{len(self.signers)} keys signed: ask why the key was changed")
        if report.unsealed and self.tail is Tail.ALLOWED:
            report.warnings.append(f"{report.unsealed} entries or scans wait for their seal and are not proved yet")

    def conclude(self) -> Report:
        """Give the verdict."""
        report = self.report
        report.keys = [str(key) for key in self.claimed]
        if self.checkpoints:
            last = self.checkpoints[-1]
            report.origin, report.size, report.root, report.signed_at = (
                last.origin,
                last.size,
                last.root.hex(),
                last.time,
            )
            if last.signed_by(self.trusted) or any(kept.size == last.size for kept in self.outside):
                report.proved_by = [f"key {key}" for key in self.given]
                report.proved_by += [f"checkpoint of {kept.size} signed {kept.time}" for kept in self.outside]
        if report.findings_count:
            report.verdict, report.proved_by = Verdict.TAMPERED, []
        else:
            report.verdict = Verdict.PROVED if report.proved_by else Verdict.CONSISTENT
        return report


class Image(NamedTuple):
    """What is kept of a row's image to compare it with the next: a digest of what it says, and the names of its columns."""

    digest: bytes
    columns: frozenset[str]


_read = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode


def image_of(text: str | None) -> Image | None:
    """The image, byte by byte as the database writes it: `{"name": value, "name": value}`. Raises BrokenError.

    The digest is over the columns that say something: one that was added since says nothing until it is filled.
    """
    if text is None:
        return None
    said, names = sha256(), list[str]()
    try:
        for name, value, content in columns_of(text):
            names.append(name)
            if content is not None:
                said.update(f"{name}: {value}\n".encode())
    except (ValueError, RecursionError):
        raise BrokenError("a row's image is not as the database writes it") from None
    if len(set(names)) != len(names):
        raise BrokenError("a row's image names a column twice")
    return Image(said.digest(), frozenset(names))


def columns_of(image: str) -> Iterator[tuple[str, str, object]]:
    """Each column's name and value as they are written, and what the value is. ValueError for any second form."""
    place, before = 0, '{"'
    while True:
        if image[place : place + len(before)] != before:
            raise BrokenError("no name where one should stand")
        start = place + len(before) - 1
        _, colon = _read(image, start)
        if image[colon : colon + 2] != ": ":
            raise BrokenError("no value where one should stand")
        content, place = _read(image, colon + 2)
        yield image[start:colon], image[colon + 2 : place], content
        if image[place:] == "}":
            return
        before = ', "'


def goes_on(last: Image | None, now: Image | None) -> bool:
    """Whether an image says what the last one said. Columns may have been added meanwhile; none is ever gone."""
    if last is None or now is None:
        return last is now
    return last.digest == now.digest and last.columns <= now.columns


def scan_leaf(hashed: bytes) -> bytes:
    """Leaf data of a scan."""
    return b"stemma.leaf.scan.1\n%s\n" % hashed.hex().encode()


def entry_leaf(hashed: bytes, images: bytes | bytearray) -> bytes:
    """Leaf data of an entry with the hashes of its row images, 32 bytes each, in order."""
    lines = [images[place : place + 32].hex() for place in range(0, len(images), 32)]
    return "\n".join(["stemma.leaf.entry.1", hashed.hex(), str(len(lines)), *lines, ""]).encode()


# --- an export --------------------------------------------------------------------------------------------------------


def lines_of(path: Path) -> Iterator[tuple[str, str]]:
    """Each line's place and text, without its newline; BrokenError where the bytes are no lines of text."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            where = f"{path.name}:{number}"
            if not raw.endswith(b"\n"):
                raise BrokenError(f"{where} does not end")
            try:
                yield where, raw[:-1].decode()
            except UnicodeDecodeError:
                raise BrokenError(f"{where} is not text") from None


def record_of(line: str) -> dict[str, object]:
    """The JSON object of one line."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise BrokenError("is not JSON") from None
    if not isinstance(found, dict):
        raise BrokenError("is not an object")
    return found


def text_in(record: dict[str, object], name: str) -> str:
    """A text field that must be there, sound enough to be encoded."""
    value = record.get(name)
    if not isinstance(value, str):
        raise BrokenError(f"lacks the text {name}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BrokenError(f"{name} is not text") from None
    return value


def number_in(record: dict[str, object], name: str) -> int:
    """A whole number field that must be there."""
    value = record.get(name)
    if type(value) is not int or value < 0:
        raise BrokenError(f"lacks the number {name}")
    return value


def hash_in(record: dict[str, object], name: str = "hash") -> bytes:
    """A digest field that must be there: 32 bytes in small hexadecimal digits."""
    value = text_in(record, name)
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise BrokenError(f"lacks the digest {name}")
    return bytes.fromhex(value)


def canonical(value: object) -> str:
    """The one JSON text of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def tables_in(manifest: dict[str, object]) -> list[str]:
    """The tables that a manifest names, as far as they are names."""
    named = manifest.get("tables")
    return sorted(each for each in named if re.fullmatch(r"\w+\.\w+", each)) if isinstance(named, dict) else []


Take = Callable[[dict[str, object]], str]


class Export:
    """Reads the folder and tells the audit, refusing every byte that could have been written otherwise."""

    def __init__(self, folder: Path, audit: Audit) -> None:
        self.folder = folder
        self.audit = audit
        self.report = audit.report
        self.counts: dict[str, int] = {}

    def read(self) -> Report:
        """Check everything in the folder."""
        manifest = self._manifest()
        self._epochs()
        self._checkpoints()
        self._each("entries.jsonl", self._entry)
        self._each("rows.jsonl", self._row)
        self._each("scans.jsonl", self._scan)
        self._each("leaves.jsonl", self._leaf)
        self._tables(manifest)
        self._each("proofs.jsonl", self._proof)
        self.audit.finish()
        self._compare(manifest)
        return self.audit.conclude()

    def _each(self, name: str, take: Take, *, count_as: str | None = None) -> None:
        """Hand every line to `take`, which answers the line's only right form."""
        path, count = self.folder / name, 0
        try:
            for where, line in lines_of(path):
                count += 1
                try:
                    if take(record_of(line)) != line:
                        self.report.find(where, "is not in its only right form")
                except BrokenError as error:
                    self.report.find(where, str(error))
        except (BrokenError, OSError) as error:
            self.report.find(name, str(error))
        self.counts[count_as or name] = count

    def _entry(self, record: dict[str, object]) -> str:
        payload, stored = text_in(record, "payload"), hash_in(record)
        it = self.audit.entry(payload, stored)
        return (
            f'{{"act":{quoted(it.act)},"actor":{quoted(it.fields[6])},"at":{quoted(it.at)},"epoch":{it.epoch},'
            f'"hash":"{stored.hex()}","number":{it.number},"payload":{quoted(payload)},'
            f'"subject":{quoted(it.fields[9])},"xid":{it.xid}}}'
        )

    def _row(self, record: dict[str, object]) -> str:
        payload, stored = text_in(record, "payload"), hash_in(record)
        it = self.audit.row(payload, stored)
        return (
            f'{{"entry":{it.entry},"hash":"{stored.hex()}","key":{quoted(it.key)},"op":"{it.op}",'
            f'"payload":{quoted(payload)},"seq":{it.seq},"table":{quoted(it.table)}}}'
        )

    def _scan(self, record: dict[str, object]) -> str:
        payload, stored = text_in(record, "payload"), hash_in(record)
        it = self.audit.scan(payload, stored)
        return (
            f'{{"at":{quoted(it.at)},"epoch":{it.epoch},"hash":"{stored.hex()}","number":{it.number},'
            f'"payload":{quoted(payload)},"verdict":{quoted(it.verdict)},"xid":{it.xid}}}'
        )

    def _leaf(self, record: dict[str, object]) -> str:
        n, kind, number = (number_in(record, "n"), text_in(record, "kind"), number_in(record, "number"))
        stored = hash_in(record)
        self.audit.leaf(n, kind, number, stored)
        return f'{{"hash":"{stored.hex()}","kind":{quoted(kind)},"n":{n},"number":{number}}}'

    def _proof(self, record: dict[str, object]) -> str:
        leaf, number, size = (number_in(record, "leaf"), number_in(record, "number"), number_in(record, "size"))
        path = record.get("path")
        if not isinstance(path, list):
            raise BrokenError("lacks the path")
        hashes = [hash_in({"hash": each}) for each in path]
        self.audit.proof(number, leaf, size, hashes)
        return canonical({"leaf": leaf, "number": number, "path": [each.hex() for each in hashes], "size": size})

    def _epoch(self, record: dict[str, object]) -> str:
        epoch, size = number_in(record, "epoch"), number_in(record, "previous_size")
        root = None if record.get("previous_root") is None else hash_in(record, "previous_root")
        self.audit.epoch(epoch, size, root)
        return canonical({"epoch": epoch, "previous_root": root.hex() if root else None, "previous_size": size})

    def _epochs(self) -> None:
        self._each("epochs.jsonl", self._epoch)

    def _checkpoints(self) -> None:
        paths = sorted((self.folder / "checkpoints").glob("*"))
        for path in paths:
            where = f"checkpoints/{path.name}"
            taken = len(self.audit.checkpoints)
            try:
                self.audit.checkpoint(where, path.read_bytes())
            except OSError as error:
                self.report.find(where, str(error))
            read = self.audit.checkpoints[taken:]
            if read and path.name != f"{read[0].size:012d}.txt":
                self.report.find(where, f"is a checkpoint of {read[0].size}")
        self.counts["checkpoints"] = len(paths)

    def _tables(self, manifest: dict[str, object]) -> None:
        for name in tables_in(manifest):
            self._each(f"tables/{name}.jsonl", self._table(name))

    def _table(self, name: str) -> Take:
        last: bytes | None = None

        def take(record: dict[str, object]) -> str:
            nonlocal last
            key, image = text_in(record, "key"), text_in(record, "image")
            if last is not None and key.encode() <= last:
                self.report.find(f"{name} {key}", "stands twice or out of order")
            last = key.encode()
            self.audit.current(name, key, image)
            return f'{{"image":{quoted(image)},"key":{quoted(key)}}}'

        return take

    # the manifest: never trusted, yet every word of it must be true

    def _manifest(self) -> dict[str, object]:
        found: dict[str, object] = {}
        keys: list[Key] = []
        try:
            text = (self.folder / "manifest.json").read_bytes().decode()
            found = record_of(text)
            if canonical(found) + "\n" != text:
                raise BrokenError("is not in its only right form")
            named = found.get("vkeys")
            keys = [Key.parse(str(each)) for each in named] if isinstance(named, list) else []
            if [str(key) for key in keys] != named:
                raise BrokenError("names its keys in no right form")
        except (OSError, ValueError) as error:
            self.report.find("manifest.json", str(error))
        self.audit.claims(keys)
        return found

    def _compare(self, manifest: dict[str, object]) -> None:
        tables = tables_in(manifest)
        last = self.audit.checkpoints[-1] if self.audit.checkpoints else None
        right = {
            "counts": {name: self.counts[f"{name}.jsonl"] for name in COUNTED}
            | {"checkpoints": self.counts["checkpoints"]},
            "format": FORMAT,
            "origin": last.origin if last else "",
            "size": last.size if last else 0,
            "tables": {name: self.counts[f"tables/{name}.jsonl"] for name in tables},
            "vkeys": manifest.get("vkeys"),
        }
        if manifest != right:
            self.report.find("manifest.json", "does not say what is in the folder")
        expected = {f"{name}.jsonl" for name in COUNTED} | {"manifest.json", "checkpoints", "tables"}
        expected |= {f"tables/{name}.jsonl" for name in tables}
        expected |= {f"checkpoints/{each.size:012d}.txt" for each in self.audit.checkpoints}
        there = {path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*")}
        for name in sorted(set(there) ^ expected):
            self.report.find(name, "does not belong here" if name in there else "is missing")
        for name in sorted(name for name, path in there.items() if path.is_symlink()):
            self.report.find(name, "is a link, not a file")


COUNTED = ("entries", "rows", "scans", "leaves", "proofs", "epochs")


def verify_export(folder: Path, *, keys: Sequence[Key] = (), outside: Sequence[Checkpoint] = ()) -> Report:
    """Check one export with what was brought from outside."""
    return Export(folder, Audit(keys=keys, outside=outside)).read()


# --- the command ------------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(3, f"not checked: {message}\n")


def said(report: Report) -> str:
    """The report in words, English with the verdict in Chinese beneath."""
    lines = [f"finding  {each['where']}: {each['what']}" for each in report.findings]
    if report.findings_count > len(report.findings):
        lines.append(f"finding  ... and {report.findings_count - len(report.findings)} more")
    lines += [f"warning  {each}" for each in report.warnings]
    lines.append(
        f"checked  {report.entries} entries, {report.rows} row images, {report.scans} scans, {report.leaves} leaves, "
        f"{report.checkpoints} checkpoints, {report.current_rows} current rows"
    )
    if report.size:
        lines.append(f"log      {report.origin}, {report.size} leaves, signed {report.signed_at}, root {report.root}")
        lines.append("         What came later is not here: compare with the last checkpoint that you hold.")
    lines += [f"proof    {each}" for each in report.proved_by]
    return "\n".join([*lines, *SENTENCES[report.verdict]])


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names; answer the exit code."""
    parser = _Parser(prog="verify.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the export")
    parser.add_argument(
        "--key", action="append", default=[], metavar="VKEY", help="public key from outside, name+id+base64"
    )
    parser.add_argument(
        "--key-file", action="append", default=[], type=Path, metavar="FILE", help="a file with such keys"
    )
    parser.add_argument(
        "--checkpoint", action="append", default=[], type=Path, metavar="FILE", help="an earlier checkpoint"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of words")
    given = parser.parse_args(arguments)
    try:
        texts = given.key + [line for file in given.key_file for line in file.read_text().splitlines() if line.strip()]
        keys = [Key.parse(text) for text in texts]
        outside = [Checkpoint.parse(file.read_bytes()) for file in given.checkpoint]
        if not given.folder.is_dir():
            raise BrokenError(f"{given.folder} is not a folder")
    except (OSError, ValueError) as error:
        parser.error(str(error))
    report = verify_export(given.folder, keys=keys, outside=outside)
    print(json.dumps(asdict(report), ensure_ascii=False) if given.json else said(report))
    return EXITS[report.verdict]


if __name__ == "__main__":
    sys.exit(main())
