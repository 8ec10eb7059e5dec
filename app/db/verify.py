"""Checks a live database: everything that the verifier checks in an export, and that columns say what was hashed.

The checks are the verifier's own; this reads for it. Entries that wait for their seal are counted, not refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.db import seal
from app.db.audit_export import one_moment
from app.verifier.verify import Audit, BrokenError, Checkpoint, Key, Report, Tail

_ROWS_AT_ONCE = 2_000
_LEVELS_MAX = 63

_ENTRIES = """
SELECT number, payload, hash, ARRAY[number::text, epoch::text, xid::text, audit.stamp(at), coalesce(actor_id::text, ''),
    actor, roles, act, subject, reason, device, coalesce(session_id::text, ''), coalesce(idem_key, ''), db_role] AS said
FROM audit.entries ORDER BY number"""
_SCANS = """
SELECT number, payload, hash, ARRAY[number::text, epoch::text, xid::text, audit.stamp(at), account_id::text,
    session_id::text, coalesce(place.code, scan.workstation_id::text, ''), raw, coalesce(scan.code, ''), coalesce(scan.item_id::text, ''), verdict,
    reason, coalesce(key, '')] AS said
FROM lab.scans AS scan
LEFT JOIN lab.item_codes AS place ON place.item_id = scan.workstation_id AND place.scheme = 'own'
ORDER BY number"""
_ROWS = """
SELECT seq, payload, hash, ARRAY[seq::text, entry_number::text, tbl, key, op] AS said FROM audit.rows ORDER BY seq"""
_WRONG_NODES = """
SELECT parent.level, parent.idx FROM audit.nodes AS parent
LEFT JOIN {children} AS low ON {low} LEFT JOIN {children} AS high ON {high}
WHERE parent.level = $1
  AND parent.hash IS DISTINCT FROM sha256('\\x01'::bytea || low.hash || high.hash)
ORDER BY parent.idx LIMIT 20"""
_WRONG_ABOVE_LEAVES = _WRONG_NODES.format(
    children="audit.leaves", low="low.n = parent.idx * 2", high="high.n = parent.idx * 2 + 1"
)
_WRONG_ABOVE_NODES = _WRONG_NODES.format(
    children="audit.nodes",
    low="low.level = parent.level - 1 AND low.idx = parent.idx * 2",
    high="high.level = parent.level - 1 AND high.idx = parent.idx * 2 + 1",
)


async def verify_database(
    connection: seal.Connection, *, keys: Sequence[Key] = (), outside: Sequence[Checkpoint] = ()
) -> Report:
    """Check everything, as of one moment. Wants the role stemma_report."""
    audit = Audit(keys=keys, outside=outside, tail=Tail.ALLOWED)
    async with one_moment(connection):
        await _checkpoints(connection, audit)
        await _entries(connection, audit)
        await _rows(connection, audit)
        await _scans(connection, audit)
        await _leaves(connection, audit)
        await _tables(connection, audit)
    audit.finish()
    return audit.conclude()


async def _checkpoints(connection: seal.Connection, audit: Audit) -> None:
    audit.claims([])
    for row in await connection.fetch("SELECT epoch, previous_size, previous_root FROM audit.epochs ORDER BY epoch"):
        audit.epoch(row["epoch"], row["previous_size"], row["previous_root"])
    query = "SELECT size, epoch, root, note FROM audit.checkpoints ORDER BY size"
    async for row in connection.cursor(query, prefetch=_ROWS_AT_ONCE):
        where = f"checkpoint {row['size']}"
        taken = len(audit.checkpoints)
        audit.checkpoint(where, row["note"].encode())
        for said in audit.checkpoints[taken:]:
            if (said.size, said.epoch, said.root) != (row["size"], row["epoch"], row["root"]):
                audit.report.find(where, "its columns do not say what was signed")


def _compare(audit: Audit, where: str, row: Mapping[str, Any], hashed: Sequence[str | None]) -> None:
    if list(row["said"]) != list(hashed):
        audit.report.find(where, "its columns do not say what was hashed")


async def _entries(connection: seal.Connection, audit: Audit) -> None:
    async for row in connection.cursor(_ENTRIES, prefetch=_ROWS_AT_ONCE):
        where = f"entry {row['number']}"
        try:
            _compare(audit, where, row, audit.entry(row["payload"], row["hash"]).fields[1:])
        except BrokenError as error:
            audit.report.find(where, str(error))


async def _rows(connection: seal.Connection, audit: Audit) -> None:
    async for row in connection.cursor(_ROWS, prefetch=_ROWS_AT_ONCE):
        where = f"row {row['seq']}"
        try:
            it = audit.row(row["payload"], row["hash"])
            _compare(audit, where, row, [str(it.seq), str(it.entry), it.table, it.key, it.op])
        except BrokenError as error:
            audit.report.find(where, str(error))


async def _scans(connection: seal.Connection, audit: Audit) -> None:
    async for row in connection.cursor(_SCANS, prefetch=_ROWS_AT_ONCE):
        where = f"scan {row['number']}"
        try:
            # The last field, what was said, stands nowhere else.
            _compare(audit, where, row, audit.scan(row["payload"], row["hash"]).fields[1:-1])
        except BrokenError as error:
            audit.report.find(where, str(error))


async def _leaves(connection: seal.Connection, audit: Audit) -> None:
    query = "SELECT n, kind, number, hash FROM audit.leaves ORDER BY n"
    async for row in connection.cursor(query, prefetch=_ROWS_AT_ONCE):
        audit.leaf(row["n"], row["kind"], row["number"], row["hash"])
    size = audit.tree.size
    stored = dict(await connection.fetch("SELECT level, count(*) FROM audit.nodes GROUP BY level"))
    for level in range(1, _LEVELS_MAX):
        if stored.pop(level, 0) != size >> level:
            audit.report.find(f"tree level {level}", "has too few or too many nodes")
        query = _WRONG_ABOVE_LEAVES if level == 1 else _WRONG_ABOVE_NODES
        for row in await connection.fetch(query, level) if size >> level else ():
            audit.report.find(f"tree node {row['level']}/{row['idx']}", "is not the hash of its children")
    if stored:
        audit.report.find("tree", "has nodes on levels that no tree has")


async def _tables(connection: seal.Connection, audit: Audit) -> None:
    for table in await connection.fetch("SELECT * FROM audit.audited_tables() AS name ORDER BY 1"):
        query = "SELECT key, image FROM audit.current_rows($1)"
        async for row in connection.cursor(query, table["name"], prefetch=_ROWS_AT_ONCE):
            audit.current(table["name"], row["key"], row["image"])
