"""Makes exports out of nothing, honest ones and forged ones, with the sealer's own code rather than the verifier's."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.domain import merkle, seals
from app.workers.sealer import SealKey

ORIGIN = "stemma/forge"
EARLY = datetime(2026, 11, 22, 8, tzinfo=UTC)


def key_from(seed: int, *, name: str = ORIGIN) -> SealKey:
    """A key that is the same in every run."""
    return SealKey(name, Ed25519PrivateKey.from_private_bytes(sha256(b"key %d" % seed).digest()))


def netstring(text: str | None) -> str:
    """One framed field."""
    return "-," if text is None else f"{len(text.encode())}:{text},"


def canonical(value: object) -> str:
    """The one JSON text of a value, as a line."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


@dataclass
class Log:
    """What happened, as plain lists that a test may bend before it is written."""

    entries: dict[int, list[str]] = field(default_factory=dict)
    rows: list[list[str | None]] = field(default_factory=list)
    scans: dict[int, list[str]] = field(default_factory=dict)
    batches: list[tuple[int, list[int]]] = field(default_factory=list)
    epochs: list[tuple[int, int]] = field(default_factory=list)
    unsealed: list[int] = field(default_factory=list)
    tables: set[str] = field(default_factory=lambda: {"lab.lots", "lab.releases", "lab.results"})
    number: int = 0
    epoch: int = 1
    xid: int = 700
    at: datetime = EARLY

    def _next(self) -> tuple[int, str]:
        self.number += 1
        self.xid += 1
        self.at += timedelta(milliseconds=250)
        self.unsealed.append(self.number)
        return self.number, self.at.isoformat(timespec="microseconds")

    def entry(self, act: str, *, subject: str = "PREP-26-0108", db_role: str = "stemma_app") -> int:
        """Open one entry."""
        number, at = self._next()
        fields = ["stemma.entry.1", str(number), str(self.epoch), str(self.xid), at, "7", "tess", "technician", act]
        self.entries[number] = [*fields, subject, "for the record 备查", "bench-1", "3", "", db_role]
        return number

    def row(self, entry: int, table: str, key: str, image: dict[str, object] | None) -> None:
        """Write, change or (with no image) remove one row."""
        before = self.now().get((table, key))
        after = None if image is None else json.dumps(image, ensure_ascii=False)
        op = "I" if before is None else "D" if after is None else "U"
        self.rows.append(["stemma.row.1", str(len(self.rows) + 1), str(entry), table, key, op, before, after, ""])

    def scan(self, raw: str) -> int:
        """Keep one scan."""
        number, at = self._next()
        fields = ["stemma.scan.1", str(number), str(self.epoch), str(self.xid), at, "7", "3", "W0", raw, "F3K7PX2M9AT"]
        self.scans[number] = [*fields, "12", "accepted", "ok", "", '{"place": "台面"}']
        return number

    def seal(self) -> None:
        """Put what waits under one checkpoint."""
        self.batches.append((self.epoch, self.unsealed))
        self.unsealed = []

    def reopen(self, *, xid: int) -> None:
        """A restore into another cluster, whose transactions count from elsewhere."""
        self.epoch += 1
        self.epochs.append((self.epoch, sum(len(numbers) for _, numbers in self.batches)))
        self.xid = xid

    def now(self) -> dict[tuple[str, str], str]:
        """Every row as its last change left it."""
        last: dict[tuple[str, str], str | None] = {}
        for row in self.rows:
            last[row[3] or "", row[4] or ""] = row[7]
        return {record: image for record, image in last.items() if image is not None}

    # what follows computes; nothing above does

    def leaf(self, number: int) -> bytes:
        """Leaf hash of an entry or scan."""
        if number in self.scans:
            return merkle.leaf_hash(seals.scan_leaf(digest(self.scans[number])))
        rows = b"".join(digest(row) for row in self.rows if row[2] == str(number))
        return merkle.leaf_hash(seals.entry_leaf(digest(self.entries[number]), rows))

    def checkpoints(self, key: SealKey) -> dict[int, str]:
        """Every checkpoint's note by size."""
        frontier, notes = merkle.Frontier(), {}
        for epoch, numbers in self.batches:
            for number in numbers:
                frontier.append(self.leaf(number))
            at = EARLY + timedelta(minutes=len(notes) + 10)
            made = seals.Checkpoint(origin=key.name, size=frontier.size, root=frontier.root(), epoch=epoch, at=at)
            notes[made.size] = key.sign(made)
        return notes

    def write(self, folder: Path, key: SealKey) -> Path:
        """Write the export, all of it recomputed and signed with this key."""
        order = [number for _, numbers in self.batches for number in numbers]
        leaves = [self.leaf(number) for number in order]
        notes = self.checkpoints(key)
        files: dict[str, list[object]] = {
            "entries": [
                {"act": f[8], "actor": f[6], "at": f[4], "epoch": int(f[2]), "number": n, "subject": f[9]}
                | {"hash": digest(f).hex(), "payload": framed(f), "xid": int(f[3])}
                for n, f in sorted(self.entries.items())
            ],
            "rows": [
                {"entry": int(str(f[2])), "hash": digest(f).hex(), "key": f[4], "op": f[5], "payload": framed(f)}
                | {"seq": int(str(f[1])), "table": f[3]}
                for f in self.rows
            ],
            "scans": [
                {"at": f[4], "epoch": int(f[2]), "hash": digest(f).hex(), "number": n, "payload": framed(f)}
                | {"verdict": f[11], "xid": int(f[3])}
                for n, f in sorted(self.scans.items())
            ],
            "leaves": [
                {"hash": leaves[n].hex(), "kind": "scan" if number in self.scans else "entry", "n": n, "number": number}
                for n, number in enumerate(order)
            ],
            "epochs": [
                {"epoch": epoch, "previous_root": merkle.root_of(leaves[:size]).hex(), "previous_size": size}
                for epoch, size in self.epochs
            ],
            "proofs": self._proofs(order, leaves),
        }
        now, tables = self.now(), {}
        for table in sorted(self.tables):
            lines: list[object] = [{"image": now[r], "key": r[1]} for r in sorted(now) if r[0] == table]
            tables[table] = len(lines)
            files[f"tables/{table}"] = lines
        (folder / "tables").mkdir(parents=True)
        (folder / "checkpoints").mkdir()
        for name, records in files.items():
            (folder / f"{name}.jsonl").write_bytes("".join(map(canonical, records)).encode())
        for size, note in notes.items():
            (folder / "checkpoints" / f"{size:012d}.txt").write_bytes(note.encode())
        counts = {name: len(records) for name, records in files.items() if "/" not in name}
        manifest = {"counts": counts | {"checkpoints": len(notes)}, "format": "stemma.export.1", "origin": key.name}
        manifest |= {"size": len(order), "tables": tables, "vkeys": [key.vkey]}
        (folder / "manifest.json").write_bytes(canonical(manifest).encode())
        return folder

    def _proofs(self, order: list[int], leaves: list[bytes]) -> list[object]:
        released = sorted({int(row[2] or 0) for row in self.rows if row[3] == "lab.releases"})
        nodes, proofs = merkle.all_nodes(leaves), list[object]()
        for number in released:
            place = order.index(number)
            path = merkle.proof_from(merkle.inclusion_ranges(index=place, size=len(leaves)), nodes)
            steps = [each.hex() for each in path]
            proofs.append({"leaf": place, "number": number, "path": steps, "size": len(leaves)})
        return proofs


def framed(fields: list[str | None] | list[str]) -> str:
    """The text that is hashed."""
    return "".join(netstring(each) for each in fields)


def digest(fields: list[str | None] | list[str]) -> bytes:
    """SHA-256 of the text that is hashed."""
    return sha256(framed(fields).encode()).digest()


def ordinary_log(*, acts: int = 12) -> Log:
    """Some lots made, changed and released, scans between them, a restore in the middle, nothing odd in it."""
    chance, log = random.Random(acts), Log()
    for step in range(acts):
        lot = f"{step % 4 + 1}"
        entry = log.entry("record_result" if step % 3 else "plan_lot")
        version = sum(row[3] == "lab.lots" and row[4] == lot for row in log.rows) + 1
        log.row(entry, "lab.lots", lot, {"id": int(lot), "version": version, "name": f"间充质干细胞 {lot}"})
        log.row(entry, "lab.results", f"{step + 1}:a", {"value": chance.randint(0, 10**6), "of": lot, "unit": None})
        log.scan(f"=A999926{step:06d}00")
        if step % 5 == 4:
            release = log.entry("release_lot")
            log.row(release, "lab.releases", str(step), {"lot": lot, "digest": f"{chance.getrandbits(256):064x}"})
        if step % 3 == 2:
            log.seal()
        if step == acts // 2:
            log.seal()
            log.reopen(xid=90)
    gone = log.entry("migrate")
    log.row(gone, "lab.results", "1:a", None)
    log.seal()
    return log
