"""Brings a database to today's house: roles, tables, functions, triggers, grants, and the tables that code owns."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import judgements
from app.db.door import sqlalchemy_url
from app.db.version import MIGRATIONS
from app.domain.acts import MEANINGS
from app.domain.lots import MOVES, TOWARDS_USE
from app.domain.settings_defaults import DEFAULTS
from app.rules import RULEBOOK_VERSION, RULES

LOCK = 7_301_001


@dataclass(frozen=True, slots=True)
class Deployment:
    """What this database is for. A demo or test database can never be served as production."""

    purpose: str
    facility: str
    time_zone: str


def alembic_config(connection: Connection) -> Config:
    """Alembic, told where the migrations are and which connection to use."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


async def migrate(
    owner_url: str,
    *,
    deployment: Deployment,
    passwords: Mapping[str, str] | None = None,
    said: Callable[[str], None] = print,
) -> None:
    """Lay down today's house in the database behind `owner_url` (a superuser, or a role that may create roles).

    Runs again without harm. `passwords` are set for the login roles named, where given.
    Raises asyncpg.PostgresError as the database said it.
    """
    connection = await asyncpg.connect(owner_url.replace("+asyncpg", ""))
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        said("roles")
        await _run(connection, sorted(MIGRATIONS.glob("sql/0*.sql")))
        for role, password in (passwords or {}).items():
            quoted = await connection.fetchval("SELECT quote_literal($1)", password)
            name = await connection.fetchval("SELECT quote_ident($1)", role)
            await connection.execute(f"ALTER ROLE {name} PASSWORD {quoted}")
        said("tables")
        await _upgrade(owner_url)
        said("functions, triggers, grants")
        async with connection.transaction():
            await _run(connection, sorted(MIGRATIONS.glob("sql/[1-9]*.sql")))
        said("tables that code owns")
        async with connection.transaction():
            await _reference(connection, deployment)
    finally:
        await connection.close()


async def _run(connection: asyncpg.Connection, scripts: list[Path]) -> None:
    for script in scripts:
        await connection.execute(script.read_text(encoding="utf-8"))


async def _upgrade(owner_url: str) -> None:
    engine = create_async_engine(sqlalchemy_url(owner_url), poolclass=pool.NullPool)

    def upgrade(connection: Connection) -> None:
        command.upgrade(alembic_config(connection), "head")

    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
        await connection.commit()
    await engine.dispose()


async def _reference(connection: asyncpg.Connection, deployment: Deployment) -> None:
    """Moves, meanings, settings, rule book: written as audited rows when they are not there yet."""
    await connection.execute(
        "SELECT audit.open(NULL, 'migration', '', 'migrate', '', 'today''s house', '', NULL, NULL, NULL)"
    )
    await connection.execute(
        "INSERT INTO lab.deployment (id, purpose, facility, time_zone) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING",
        deployment.purpose,
        deployment.facility,
        deployment.time_zone,
    )
    await connection.executemany(
        "INSERT INTO lab.lot_moves (kind, from_state, act, to_state, towards_use) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (kind, from_state, act) DO NOTHING",
        [
            (kind.value, state.value if state else "none", act.value, after.value, act in TOWARDS_USE)
            for (kind, state, act), after in MOVES.items()
        ],
    )
    await connection.executemany(
        "INSERT INTO people.meanings (meaning, roles, record_kind) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(m.value, sorted(role.value for role in s.roles), s.record.value) for m, s in MEANINGS.items()],
    )
    await connection.executemany(
        "INSERT INTO lab.settings (name, version, value, unit, source, valid_from)"
        " VALUES ($1, 1, $2::jsonb, $3, $4, '2026-05-01T00:00:00Z') ON CONFLICT (name, version) DO NOTHING",
        [(each.name, json.dumps(each.value, ensure_ascii=False), each.unit, each.source) for each in DEFAULTS],
    )
    # Which pack judges is chosen by signature: whoever migrates carries on what was, and begins with none.
    current = await connection.fetchrow("SELECT version, jurisdiction FROM lab.rulebooks ORDER BY id DESC LIMIT 1")
    if current is None or current["version"] != RULEBOOK_VERSION:
        await connection.execute(
            "INSERT INTO lab.rulebooks (version, jurisdiction, content) VALUES ($1, $2, $3::jsonb)",
            RULEBOOK_VERSION,
            current and current["jurisdiction"],
            json.dumps(judgements.book_as_kept(RULES), ensure_ascii=False),
        )


async def differences(owner_url: str) -> list[str]:
    """How the tables in the code differ from those in the migrated database; empty when they are in step."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from app.db.tables import metadata

    ours = {"lab", "people", "identity", "audit"}

    def compare(connection: Connection) -> list[str]:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name in ours,
                "compare_type": True,
                "compare_server_default": False,
            },
        )
        return [str(each) for each in compare_metadata(context, metadata)]

    engine = create_async_engine(sqlalchemy_url(owner_url), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found


def run(work: Awaitable[None]) -> None:
    """For the command line."""

    async def main() -> None:
        await work

    asyncio.run(main())
