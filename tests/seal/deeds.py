"""Small acts of people and devices on a real database, through the roles that may do them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.db.seal import Connection
from app.verifier.verify import Key
from app.workers.sealer import SealKey

if TYPE_CHECKING:
    from tests.conftest import Database

KEY = SealKey("stemma/test", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
VKEY = Key.parse(KEY.vkey)
_names = itertools.count(1)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection that is closed again."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def open_entry(connection: Connection, act: str, *, subject: str = "") -> int:
    """Open an entry in the transaction at hand; answers its number."""
    return int(
        await connection.fetchval(
            "SELECT number FROM audit.open(NULL, 'tess', 'technician', $1, $2, '备查', 'bench-1', NULL, NULL, NULL)",
            act,
            subject,
        )
    )


async def open_account(auth: Connection, *, pause_s: float = 0.0) -> int:
    """An account is opened, as stemma_auth; answers the entry's number."""
    async with auth.transaction():
        number = await open_entry(auth, "open_account")
        await auth.execute(
            "INSERT INTO people.accounts (username, printed_name, language) VALUES ($1, '王 \"小\" 明\\', 'zh_CN')",
            f"person{next(_names)}",
        )
        await asyncio.sleep(pause_s)
    return number


async def rename_account(auth: Connection, *, account: int, name: str, pause_s: float = 0.0) -> int:
    """An account gets another printed name, as stemma_auth; answers the entry's number."""
    async with auth.transaction():
        number = await open_entry(auth, "open_account", subject=str(account))
        await asyncio.sleep(pause_s)
        await auth.execute("UPDATE people.accounts SET printed_name = $1 WHERE id = $2", name, account)
    return number


async def keep_scan(app: Connection, raw: str) -> int:
    """A scan is kept, as stemma_app; answers its number."""
    return int(
        await app.fetchval(
            "SELECT number FROM audit.keep_scan(1, 1, NULL, '', $1, 'F3K7PX2M9AT', NULL, 'accepted', 'ok', NULL, '{}', false)",
            raw,
        )
    )


async def plant_release(admin: Connection, lot: int) -> int:
    """A row of releases with nothing behind it, as the superuser with foreign keys asleep; the audit is awake."""
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        number = await open_entry(admin, "release_lot", subject=str(lot))
        await admin.execute(
            "INSERT INTO lab.releases (lot_id, signature_id, judgement_id, appointment_id, digest)"
            " VALUES ($1, $2, 1, 1, repeat('a', 64))",
            lot,
            next(_names),
        )
    return number


async def a_morning(database: Database) -> None:
    """Some accounts, scans, changed names and two releases."""
    async with (
        connected(database.url("stemma_auth")) as auth,
        connected(database.url("stemma_app")) as app,
        connected(database.admin_url) as admin,
    ):
        for n in range(4):
            await open_account(auth)
            await keep_scan(app, f"=A999926{n:06d}00")
        accounts = [row["id"] for row in await auth.fetch("SELECT id FROM people.accounts ORDER BY id LIMIT 2")]
        for account in accounts:
            await rename_account(auth, account=account, name="Changed 改")
        await plant_release(admin, 1)
        await plant_release(admin, 2)


@asynccontextmanager
async def audit_asleep(admin: Connection) -> AsyncIterator[None]:
    """As a superuser does who knows what he is about: every trigger of the tables in sight is off."""
    tables = await admin.fetch(
        "SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname IN ('lab', 'people', 'audit')"
    )
    names = [row["name"] for row in tables]
    for name in names:
        await admin.execute(f"ALTER TABLE {name} DISABLE TRIGGER ALL")
    try:
        yield
    finally:
        for name in names:
            await admin.execute(f"ALTER TABLE {name} ENABLE TRIGGER ALL")
