"""Writes the audit as a folder of JSON Lines that anyone can check without this system, decades later.

Every line is canonical JSON (keys sorted, no blanks, UTF-8) and carries the exact text that was hashed, so that the
verifier can refuse any byte that could have been written otherwise. Sealed first: what is in the folder is signed.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.db import seal
from app.domain.errors import Busy, Conflict
from app.domain.text import JSON, Text

FORMAT = "stemma.export.1"
_LOOK_AGAIN_S = 0.05
_ROWS_AT_ONCE = 2_000

_ENTRIES = """
SELECT number, epoch, xid::text::numeric AS xid, audit.stamp(at) AS at, actor, act, subject, payload, hash
FROM audit.entries ORDER BY number"""
_ROWS = 'SELECT seq, entry_number AS entry, tbl AS "table", key, op, payload, hash FROM audit.rows ORDER BY seq'
_SCANS = """
SELECT number, epoch, xid::text::numeric AS xid, audit.stamp(at) AS at, verdict, payload, hash
FROM lab.scans ORDER BY number"""
_LEAVES = "SELECT n, kind, number, hash FROM audit.leaves ORDER BY n"
_EPOCHS = "SELECT epoch, previous_size, previous_root FROM audit.epochs ORDER BY epoch"
_CURRENT = 'SELECT key, image FROM audit.current_rows($1) ORDER BY key COLLATE "C"'
_UNSEALED = """
SELECT EXISTS (
    SELECT FROM (
        SELECT number, epoch, xid FROM audit.entries UNION ALL SELECT number, epoch, xid FROM lab.scans
    ) AS late
    WHERE (xid >= $1::text::xid8 OR epoch > $2 OR $3)
      AND NOT EXISTS (SELECT FROM audit.leaves WHERE leaves.number = late.number))"""


@dataclass(slots=True)
class Exported:
    """What was written where: the log's size, and how many lines each file holds."""

    folder: Path
    size: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)


def canonical(value: JSON) -> str:
    """The one JSON text of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@asynccontextmanager
async def one_moment(connection: seal.Connection) -> AsyncIterator[None]:
    """Everything read within is of one moment, however long it takes."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL statement_timeout = '30min'")
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '30min'")
        yield


async def write_export(
    connection: seal.Connection, *, folder: Path, vkeys: Sequence[str], within_s: float = 30.0
) -> Exported:
    """Write the whole audit into a new folder, waiting for the seal first. Wants the role stemma_report.

    `vkeys`: the public keys that signed, named in the manifest. Raises Conflict when the folder is there, Busy when
    for so many seconds there was no moment at which everything was sealed.
    """
    part = folder.with_name(f".{folder.name}.part-{os.getpid()}")
    if folder.exists():
        raise Conflict(
            what=Text("The export was not written."),
            why=Text("The folder {folder} is already there.", folder=str(folder)),
            remedy=Text("Choose a folder that does not exist yet."),
        )
    until = asyncio.get_running_loop().time() + within_s
    while True:
        async with one_moment(connection):
            if not await _unsealed(connection):
                exported = await _write(connection, part, vkeys)
                break
        if asyncio.get_running_loop().time() >= until:
            raise Busy(
                what=Text("The export was not written."),
                why=Text("The newest entries wait for their seal."),
                remedy=Text("See that the sealer runs, then try again at a quieter moment."),
            )
        await asyncio.sleep(_LOOK_AGAIN_S)
    part.replace(folder)
    exported.folder = folder
    return exported


async def _unsealed(connection: seal.Connection) -> bool:
    last = await seal.last_checkpoint(connection)
    epoch = last.epoch if last else seal.FIRST_EPOCH
    reopened = await seal.current_epoch(connection) > epoch
    return bool(await connection.fetchval(_UNSEALED, str(last.horizon if last else 0), epoch, reopened))


async def _write(connection: seal.Connection, folder: Path, vkeys: Sequence[str]) -> Exported:
    exported = Exported(folder)
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "tables").mkdir()
    counts = exported.counts
    counts["entries"] = await _lines(connection, folder / "entries.jsonl", _ENTRIES)
    counts["rows"] = await _lines(connection, folder / "rows.jsonl", _ROWS)
    counts["scans"] = await _lines(connection, folder / "scans.jsonl", _SCANS)
    counts["leaves"] = await _lines(connection, folder / "leaves.jsonl", _LEAVES)
    counts["epochs"] = await _lines(connection, folder / "epochs.jsonl", _EPOCHS)
    for row in await connection.fetch("SELECT * FROM audit.audited_tables() AS name ORDER BY 1"):
        name = row["name"]
        exported.tables[name] = await _lines(connection, folder / "tables" / f"{name}.jsonl", _CURRENT, name)
    notes = await seal.checkpoints_since(connection, size=0)
    for size, note in notes:
        (folder / "checkpoints" / f"{size:012d}.txt").write_bytes(note.encode())
    counts["checkpoints"] = len(notes)
    exported.size = notes[-1][0] if notes else 0
    counts["proofs"] = await _proofs(connection, folder / "proofs.jsonl", exported.size)
    origin = notes[-1][1].partition("\n")[0] if notes else ""
    manifest: JSON = {
        "counts": dict(counts),
        "format": FORMAT,
        "origin": origin,
        "size": exported.size,
        "tables": dict(exported.tables),
        "vkeys": list(vkeys),
    }
    (folder / "manifest.json").write_bytes((canonical(manifest) + "\n").encode())
    return exported


def _plain(value: Any) -> JSON:
    """A column's value as JSON says it: digests in hexadecimal, 64-bit transaction numbers as whole numbers."""
    match value:
        case bytes():
            return value.hex()
        case None | str() | int():
            return value
        case _:
            return int(value)


async def _lines(connection: seal.Connection, path: Path, query: str, *values: str) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        async for row in connection.cursor(query, *values, prefetch=_ROWS_AT_ONCE):
            file.write(canonical({name: _plain(value) for name, value in row.items()}) + "\n")
            count += 1
    return count


async def _proofs(connection: seal.Connection, path: Path, size: int) -> int:
    releases: list[Mapping[str, Any]] = await connection.fetch(
        "SELECT number, n AS leaf FROM audit.leaves"
        " WHERE number IN (SELECT entry_number FROM audit.rows WHERE tbl = 'lab.releases') ORDER BY number"
    )
    found = await seal.paths(connection, leaves=[row["leaf"] for row in releases], size=size)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in releases:
            steps: list[JSON] = [each.hex() for each in found[row["leaf"]]]
            file.write(canonical({"leaf": row["leaf"], "number": row["number"], "path": steps, "size": size}) + "\n")
    return len(releases)
