"""What must hold of every table, function and role, so that a new one cannot be forgotten."""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

if TYPE_CHECKING:
    from tests.conftest import Database

ROOT = Path(__file__).resolve().parents[2]
SQL = ROOT / "migrations" / "sql"
LOGIN = ("stemma_app", "stemma_auth", "stemma_seal", "stemma_report")

NOT_AUDITED = {
    "lab.scans": "each scan is its own hashed leaf",
    "lab.idempotency": "a cache of answers; the acts themselves are audited",
    "people.sessions": "touched on every use; signing in and out is audited",
    "people.login_attempts": "a counter for the throttle",
    "audit.entries": "the audit itself",
    "audit.rows": "the audit itself",
    "audit.leaves": "the audit itself",
    "audit.nodes": "the audit itself",
    "audit.checkpoints": "the audit itself",
    "audit.epochs": "the audit itself",
}
NO_LOCK = {
    "lab.deployment": "the house itself, never changed by whoever works in it",
    "lab.items": "a kind and a moment, never changed; reached through the row that names the item",
    "lab.persons": "a pseudonym, never changed; reached through donors and lots",
    "lab.donors": "itself a root; its facts are never changed, and a donation or a lot names it",
    "lab.donations": "itself a root; never changed, and a lot or an edge of the lineage, which lock, name it",
    "lab.lots": "itself a root: changing it takes its own row's lock",
    "lab.materials": "itself a root; never changed",
    "lab.material_lots": "never changed; a consumption, which locks, names it",
    "lab.recipes": "never changed; a reagent, which locks, names it",
    "lab.specifications": "itself a root; never changed",
    "lab.process_versions": "never changed; named when the lot begins",
    "lab.equipment": "never changed; a session, which locks, names it",
    "lab.impacts": "never changed; the items that it names, which lock, stand with it",
    "lab.line_clearances": "never changed; a session, which locks, names it",
    "lab.releases": "written by the gate alone, under the lot's own lock",
    "lab.judgements": "never changed; a release, which stands under the lot's lock, names it",
    "lab.signatures": "never changed; the row that stands on it locks",
    "people.accounts": "names never change; its state is locked when a ceremony is consumed",
    "people.proposals": "never changed; an appointment, which locks, names it",
    "people.meanings": "written by the migration alone",
    "lab.setting_proposals": "never changed; the setting's version, which locks, stands on it",
    "lab.pack_proposals": "never changed; the choice of a pack, which locks, stands on it",
}
PURE = {
    "audit.stamp(timestamp with time zone)": "an instant as text",
    "audit.sha256_hex(text)": "a digest",
    "lab.counted(bigint)": "a number as text",
}
PINNED = "search_path=pg_catalog, pg_temp"


@pytest.fixture(scope="module")
async def house(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The superuser, looking."""
    connection = await asyncpg.connect(database.admin_url)
    yield connection
    await connection.close()


async def column(house: asyncpg.Connection, query: str, *values: Any) -> set[str]:
    return {row[0] for row in await house.fetch(query, *values)}


TABLES = (
    "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_|^information_schema$' AND c.relname <> 'alembic_version'"
)
TRIGGERED = (
    "SELECT n.nspname || '.' || c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.tgname = $1 AND t.tgenabled = 'A'"
)


async def test_every_table_is_audited_or_exempt_by_name(house: asyncpg.Connection) -> None:
    tables = await column(house, TABLES)
    audited = await column(house, TRIGGERED, "z_keep_row")
    assert tables - audited == set(NOT_AUDITED)
    assert await column(house, TRIGGERED, "a_append_only") == tables
    assert await column(house, TRIGGERED, "a_no_truncate") == tables


def sources_of_verdicts() -> str:
    """Everything in SQL that says what a dossier holds, or what the gate objects to."""
    functions = re.split(
        r"(?=CREATE OR REPLACE FUNCTION )", "".join(file.read_text() for file in sorted(SQL.glob("*.sql")))
    )
    read = (
        "dossier.",
        "gate.objections",
        "gate.second_hands",
        "gate.verified_by_a_partner",
        "gate.legacy_shows",
        "gate.setting",
        "gate.experience_days",
        "gate.hours_to_verify",
        "gate.excludes",
        "lab.ancestry",
        "lab.with_parts",
        "lab.open_holds",
        "people.roles_of",
    )
    for name in read:
        assert any(each.startswith(f"CREATE OR REPLACE FUNCTION {name}") for each in functions), name
    return "".join(
        each for each in functions if each.startswith(tuple(f"CREATE OR REPLACE FUNCTION {name}" for name in read))
    )


async def test_every_table_that_changes_a_verdict_locks_its_root(house: asyncpg.Connection) -> None:
    named = set(re.findall(r"\b((?:lab|people|identity)\.[a-z_]+)\b(?!\()", sources_of_verdicts()))
    read = named & await column(house, TABLES)
    assert len(read) > 25, "the dossier reads more than that: the search is broken"
    locking = await column(house, TRIGGERED, "b_lock_root")
    assert read - locking == set(NO_LOCK) & read, "lock it in 90_triggers.sql, or say here why not"
    assert not set(NO_LOCK) & locking


async def test_what_is_excused_from_locking_never_changes(house: asyncpg.Connection) -> None:
    """An excuse that says "never changed" holds only while no login role may update the table."""
    for table, why in NO_LOCK.items():
        if "never changed" in why:
            for role in LOGIN:
                assert not await house.fetchval("SELECT has_any_column_privilege($1, $2, 'UPDATE')", role, table), (
                    table,
                    role,
                )


async def test_functions_run_with_a_pinned_path(house: asyncpg.Connection) -> None:
    functions = await house.fetch(
        "SELECT n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name, p.oid::regprocedure::text AS signature,"
        " prosecdef, coalesce(proconfig, '{}') AS config,"
        " (SELECT bool_or(has_function_privilege(r, p.oid, 'EXECUTE')) FROM unnest($1::text[]) AS r) AS open"
        " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('lab', 'people', 'identity', 'audit', 'dossier', 'gate')",
        list(LOGIN),
    )
    assert len(functions) > 60
    for each in functions:
        if each["open"] and each["signature"] not in PURE:
            assert each["prosecdef"], each["name"]
        if each["prosecdef"]:
            assert PINNED in each["config"], each["name"]
    strays = await column(
        house, "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
    assert not strays


async def test_login_roles_are_nobody(house: asyncpg.Connection, template: str) -> None:
    for role in LOGIN:
        flags = await house.fetchrow(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS great, rolcanlogin FROM pg_roles WHERE rolname = $1",
            role,
        )
        assert (flags["great"], flags["rolcanlogin"]) == (False, True)
    quiet = await column(
        house,
        "SELECT rolname FROM pg_roles WHERE rolname IN ('stemma_owner', 'stemma_audit', 'stemma_gate') AND NOT rolcanlogin AND NOT rolsuper",
    )
    assert len(quiet) == 3
    assert not await column(
        house, "SELECT member::regrole::text FROM pg_auth_members WHERE member::regrole::text LIKE 'stemma%'"
    )
    assert not await column(
        house,
        "SELECT objid::text FROM pg_shdepend WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND deptype = 'o' AND refobjid::regrole::text = ANY ($1)",
        list(LOGIN),
    )
    deletes = "SELECT c.oid::regclass::text FROM pg_class c, unnest($1::text[]) AS r WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text = ANY ('{lab,people,identity,audit}') AND has_table_privilege(r, c.oid, 'DELETE, TRUNCATE, TRIGGER, REFERENCES')"
    assert not await column(house, deletes, list(LOGIN))
    assert not await column(
        house,
        "SELECT nspname FROM pg_namespace, unnest($1::text[]) AS r WHERE has_schema_privilege(r, oid, 'CREATE') AND nspname !~ '^pg_temp'",
        list(LOGIN),
    )
    for right in ("CREATE", "TEMP"):
        assert not await house.fetchval("SELECT has_database_privilege('stemma_app', $1, $2)", template, right)


# -- only the door opens sessions and commits ---------------------------------------------------------------------------

OPENERS = {
    "create_async_engine",
    "create_engine",
    "create_pool",
    "async_sessionmaker",
    "sessionmaker",
    "AsyncSession",
    "Session",
}
METHODS = {"begin", "begin_nested", "commit", "rollback", "transaction"}
MAY_OPEN = {
    "app/db/door.py": "the door",
    "app/db/migrate.py": "the owner, before any door",
    "app/db/bootstrap.py": "the owner, before anybody can sign in",
    "app/db/audit_export.py": "one read-only moment for the export",
    "app/workers/sealer.py": "a process of its own, with its own role",
    "app/cli.py": "reports and owner's work from the command line",
    "app/demo/__main__.py": "the story of an attacker with the application's password",
}


def opened(source: str) -> Iterator[tuple[int, str]]:
    """Line and call of whatever in this source opens a session or ends a transaction."""
    modules = {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app")
        for alias in node.names
    }
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id in OPENERS:
            yield node.lineno, called.id
        elif isinstance(called, ast.Attribute):
            of = called.value.id if isinstance(called.value, ast.Name) else ""
            if (
                called.attr in OPENERS
                or (called.attr in METHODS and of not in modules)
                or (called.attr == "connect" and of == "asyncpg")
            ):
                yield node.lineno, f"{of}.{called.attr}"


def test_only_the_door_opens_sessions_and_commits() -> None:
    found = {
        str(file.relative_to(ROOT)): list(opened(file.read_text(encoding="utf-8")))
        for file in sorted((ROOT / "app").rglob("*.py"))
    }
    assert {name: calls for name, calls in found.items() if calls and name not in MAY_OPEN} == {}
    assert not set(MAY_OPEN) - {name for name, calls in found.items() if calls}, "an excuse that nobody needs any more"


@pytest.mark.parametrize(
    "source",
    [
        "async def f(engine):\n    async with engine.begin() as c: ...",
        "async def f(connection):\n    await connection.commit()",
        "import asyncpg\nasync def f():\n    await asyncpg.connect('x')",
        "from sqlalchemy.ext.asyncio import create_async_engine\ne = create_async_engine('x')",
        "async def f(house):\n    await house.door.connection.rollback()",
        "async def f(change):\n    async with change.connection.begin_nested(): ...",
    ],
)
def test_the_lint_bites(source: str) -> None:
    assert list(opened(source))


def test_the_lint_leaves_the_door_s_guests_alone() -> None:
    source = "from app.db import sessions\nasync def f(house, call, act):\n    async with house.door.change(call, act) as change:\n        await sessions.begin(change)"
    assert not list(opened(source))
