"""The seal's side of the database: what waits for it, how the tree grows, how a proof is read.

Every function takes a driver connection (asyncpg) of a role that may. Transaction numbers pass as whole numbers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import merkle, seals

Connection = Any
"""An asyncpg connection; the driver brings no types of its own."""

FIRST_EPOCH = 1
SEAL_SOON_CHANNEL = "stemma_seal"
"""Where the release gate asks for a seal now. Once per release, not per act: notifying commits one by one."""
SEALED_CHANNEL = "stemma_sealed"
_LOOK_AGAIN_S = 0.025

_WAITING = """
SELECT number, kind, hash FROM (
    SELECT number, epoch, xid, 'entry' AS kind, hash FROM audit.entries AS entry WHERE {which}
    UNION ALL
    SELECT number, epoch, xid, 'scan', hash FROM lab.scans AS scan WHERE {which}
) AS waiting
WHERE NOT EXISTS (SELECT FROM audit.leaves WHERE leaves.number = waiting.number)
ORDER BY number"""
_WITHIN = _WAITING.format(which="xid >= $1::text::xid8 AND xid < $2::text::xid8")
_AFTER_RESTORE = _WAITING.format(which="epoch < $1 OR xid < $2::text::xid8")
_CUT = """
SELECT xid::text FROM (
    (SELECT xid FROM audit.entries WHERE xid >= $1::text::xid8 AND xid < $2::text::xid8 ORDER BY xid LIMIT $3 + 1)
    UNION ALL
    (SELECT xid FROM lab.scans WHERE xid >= $1::text::xid8 AND xid < $2::text::xid8 ORDER BY xid LIMIT $3 + 1)
) AS waiting ORDER BY xid OFFSET $3 LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint as the database keeps it. `horizon`: every transaction below it is sealed."""

    size: int
    epoch: int
    root: bytes
    horizon: int
    note: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry or scan that waits for its seal, with its leaf hash."""

    number: int
    kind: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What one checkpoint adds, in its order, and the horizon below which nothing is left out."""

    epoch: int
    horizon: int
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class SealProof:
    """Shows that an entry or scan stands in a signed log: its leaf, the path to the root, the checkpoint's note."""

    number: int
    leaf: int
    size: int
    path: tuple[bytes, ...]
    note: str


@dataclass(frozen=True, slots=True)
class SealLag:
    """What waits for its seal now, and how long the oldest of it has waited, in seconds."""

    waiting_count: int
    oldest_s: float


# --- for stemma_seal --------------------------------------------------------------------------------------------------


async def last_checkpoint(connection: Connection) -> Kept | None:
    """The newest checkpoint that the database keeps."""
    row = await connection.fetchrow(
        "SELECT size, epoch, root, horizon::text, note FROM audit.checkpoints ORDER BY size DESC LIMIT 1"
    )
    return Kept(row["size"], row["epoch"], row["root"], int(row["horizon"]), row["note"]) if row else None


async def current_epoch(connection: Connection) -> int:
    """The epoch that new entries are written under."""
    return int(await connection.fetchval("SELECT coalesce(max(epoch), $1) FROM audit.epochs", FIRST_EPOCH))


async def frontier(connection: Connection, *, size: int) -> merkle.Frontier:
    """The right edge of the tree of this size, from which it can grow. Raises merkle.ProofError when nodes are gone."""
    wanted = merkle.frontier_nodes(size)
    nodes = await stored_nodes(connection, wanted)
    if missing := [node for node in wanted if node not in nodes]:
        raise merkle.ProofError(f"the tree lacks its node {missing[0]}")
    return merkle.Frontier(size, [nodes[node] for node in wanted])


async def waiting(connection: Connection, *, last: Kept | None, leaves_max: int) -> Batch:
    """What the next checkpoint adds: all that committed below the horizon of this transaction's snapshot.

    The horizon is the oldest transaction still running, so nobody can commit below it any more. A long batch ends
    early, between two transactions. The first batch of a new epoch takes whatever was left unsealed before: its
    transaction numbers may be another cluster's. Wants a repeatable-read transaction.
    """
    horizon = int(await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text"))
    epoch = await current_epoch(connection)
    if epoch > (last.epoch if last else FIRST_EPOCH):
        rows = await connection.fetch(_AFTER_RESTORE, epoch, str(horizon))
    else:
        since = str(last.horizon if last else 0)
        cut = await connection.fetchval(_CUT, since, str(horizon), leaves_max)
        horizon = horizon if cut is None else min(horizon, int(cut) + 1)
        rows = await connection.fetch(_WITHIN, since, str(horizon))
    return Batch(epoch, horizon, await _as_leaves(connection, rows))


async def _as_leaves(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> tuple[Leaf, ...]:
    entries = [row["number"] for row in rows if row["kind"] == "entry"]
    images = await connection.fetch(
        "SELECT entry_number, string_agg(hash, ''::bytea ORDER BY seq) AS hashes FROM audit.rows"
        " WHERE entry_number = ANY($1) GROUP BY entry_number",
        entries,
    )
    hashes = {row["entry_number"]: row["hashes"] for row in images}

    def data(row: Mapping[str, Any]) -> bytes:
        if row["kind"] == "scan":
            return seals.scan_leaf(row["hash"])
        return seals.entry_leaf(row["hash"], hashes.get(row["number"], b""))

    return tuple(Leaf(row["number"], row["kind"], merkle.leaf_hash(data(row))) for row in rows)


async def keep_batch(
    connection: Connection, *, first: int, leaves: Sequence[Leaf], nodes: Sequence[merkle.Node]
) -> None:
    """Write leaves from place `first` on, with the nodes that they completed."""
    await connection.execute(
        "INSERT INTO audit.leaves (n, kind, number, hash)"
        " SELECT $1 + place - 1, kind, number, hash"
        " FROM unnest($2::text[], $3::bigint[], $4::bytea[]) WITH ORDINALITY AS t(kind, number, hash, place)",
        first,
        [leaf.kind for leaf in leaves],
        [leaf.number for leaf in leaves],
        [leaf.hash for leaf in leaves],
    )
    await connection.execute(
        "INSERT INTO audit.nodes (level, idx, hash) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])",
        [node.at.level for node in nodes],
        [node.at.place for node in nodes],
        [node.hash for node in nodes],
    )


async def keep_checkpoint(connection: Connection, *, kept: Kept) -> None:
    """Write one checkpoint and tell whoever listens; both happen at commit."""
    await connection.execute(
        "INSERT INTO audit.checkpoints (size, epoch, root, horizon, note) VALUES ($1, $2, $3, $4::text::xid8, $5)",
        kept.size,
        kept.epoch,
        kept.root,
        str(kept.horizon),
        kept.note,
    )
    await connection.execute("SELECT pg_notify($1, $2)", SEALED_CHANNEL, str(kept.size))


# --- for whoever may read the audit -----------------------------------------------------------------------------------


async def stored_nodes(connection: Connection, wanted: Iterable[merkle.NodeId]) -> dict[merkle.NodeId, bytes]:
    """Hashes of these nodes, as far as they are stored; leaves are level 0."""
    asked = list(wanted)
    leaves = await connection.fetch(
        "SELECT n, hash FROM audit.leaves WHERE n = ANY($1)", [node.place for node in asked if node.level == 0]
    )
    nodes = await connection.fetch(
        "SELECT level, idx, hash FROM audit.nodes"
        " JOIN unnest($1::smallint[], $2::bigint[]) AS asked(level, idx) USING (level, idx)",
        [node.level for node in asked if node.level],
        [node.place for node in asked if node.level],
    )
    found = {merkle.NodeId(0, row["n"]): row["hash"] for row in leaves}
    return found | {merkle.NodeId(row["level"], row["idx"]): row["hash"] for row in nodes}


async def paths(connection: Connection, *, leaves: Iterable[int], size: int) -> dict[int, tuple[bytes, ...]]:
    """Inclusion proofs of these leaves in the tree of this size. Raises merkle.ProofError."""
    ranges = {leaf: merkle.inclusion_ranges(index=leaf, size=size) for leaf in leaves}
    wanted = merkle.nodes_needed(each for some in ranges.values() for each in some)
    nodes = await stored_nodes(connection, wanted)
    return {leaf: tuple(merkle.proof_from(some, nodes)) for leaf, some in ranges.items()}


async def seal_proof(connection: Connection, *, number: int) -> SealProof | None:
    """Proof of an entry or scan by its number, in the newest signed log; None while it waits for its seal."""
    leaf = await connection.fetchval("SELECT n FROM audit.leaves WHERE number = $1", number)
    last = await last_checkpoint(connection)
    if leaf is None or last is None or leaf >= last.size:
        return None
    path = (await paths(connection, leaves=[leaf], size=last.size))[leaf]
    return SealProof(number=number, leaf=leaf, size=last.size, path=path, note=last.note)


async def wait_for_seal(connection: Connection, *, number: int, within_s: float) -> SealProof | None:
    """The proof as soon as there is one, else None after so many seconds. Hold no transaction open meanwhile."""
    clock = asyncio.get_running_loop().time
    until = clock() + within_s
    while True:
        proof = await seal_proof(connection, number=number)
        if proof is not None or clock() >= until:
            return proof
        await asyncio.sleep(_LOOK_AGAIN_S)


async def seal_lag(connection: Connection) -> SealLag:
    """How far the seal is behind."""
    last = await last_checkpoint(connection)
    row = await connection.fetchrow(
        "SELECT count(*) AS waiting, coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 AS oldest_s"
        " FROM (SELECT number, at FROM audit.entries WHERE epoch > $2 OR xid >= $1::text::xid8"
        " UNION ALL SELECT number, at FROM lab.scans WHERE epoch > $2 OR xid >= $1::text::xid8) AS late"
        " WHERE NOT EXISTS (SELECT FROM audit.leaves WHERE leaves.number = late.number)",
        str(last.horizon if last else 0),
        last.epoch if last else FIRST_EPOCH,
    )
    return SealLag(waiting_count=row["waiting"], oldest_s=row["oldest_s"])


async def checkpoints_since(connection: Connection, *, size: int) -> list[tuple[int, str]]:
    """Size and note of the checkpoints larger than this, smallest first."""
    rows = await connection.fetch("SELECT size, note FROM audit.checkpoints WHERE size > $1 ORDER BY size", size)
    return [(row["size"], row["note"]) for row in rows]


async def open_epoch(connection: Connection, *, reason: str, at: datetime) -> int:
    """Begin a new epoch on the log as it stands, after a restore. For the owner alone; answers its number."""
    last = await last_checkpoint(connection)
    return int(
        await connection.fetchval(
            "INSERT INTO audit.epochs (epoch, opened_at, reason, previous_size, previous_root)"
            " SELECT coalesce(max(epoch), $1) + 1, $2, $3, $4, $5 FROM audit.epochs RETURNING epoch",
            FIRST_EPOCH,
            at,
            reason,
            last.size if last else 0,
            last.root if last else None,
        )
    )
