"""Databases in which lots await release, for attacks and races; written by the superuser, never by what is tested."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from tests.world import ARRANGING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from tests.conftest import Database

SQL = Path(__file__).with_name("staged.sql").read_text(encoding="utf-8")
BY_QUINN = "SELECT audit.open(id, username, '', 'arrange', '', 'arranged by a test', '', NULL, NULL, NULL) FROM people.accounts WHERE username = 'quinn'"
STAGE = (
    "CREATE TEMP TABLE IF NOT EXISTS stage AS SELECT * FROM pg_temp.stage()",
    (
        "SELECT pg_temp.lot(CASE WHEN $2 THEN stage.whole ELSE stage.short END, stage) AS id"
        " FROM stage, generate_series(1, $1) ORDER BY generate_series"
    ),
)


@dataclass(frozen=True)
class Stage:
    """The superuser's connection to a staged database, with the functions of staged.sql."""

    hand: asyncpg.Connection
    database: Database

    async def lots(self, count: int, *, whole: bool = True) -> list[int]:
        """Preparations awaiting release: autologous and whole, or (quicker) allogeneic, with what the gate asks."""
        async with self.hand.transaction():
            await self.hand.execute(ARRANGING)
            await self.hand.execute(STAGE[0])
            return [row["id"] for row in await self.hand.fetch(STAGE[1], count, whole)]

    async def ceremony(self, who: str, meaning: str, kind: str, record: int, statement: str = "") -> UUID:
        """A live ceremony, as if opened a moment ago."""
        return await self.value("SELECT pg_temp.ceremony($1, $2, $3, $4, $5)", who, meaning, kind, record, statement)

    async def value(self, statement: str, *values: Any) -> Any:
        """One audited statement; its first column."""
        async with self.hand.transaction():
            await self.hand.execute(BY_QUINN)
            return await self.hand.fetchval(statement, *values)

    def id_of(self, name: str) -> int:
        """An account of the cast."""
        return int(self.database.cast["people"][name]["account_id"])

    async def as_role(self, role: str) -> asyncpg.Connection:
        """A connection as a login role, with the password that the service has."""
        return await asyncpg.connect(self.database.url(role))


@asynccontextmanager
async def staged(database: Database) -> AsyncIterator[Stage]:
    """Open the superuser's hand on this database."""
    hand = await asyncpg.connect(database.admin_url)
    try:
        await hand.execute(SQL)
        yield Stage(hand, database)
    finally:
        await hand.close()


@asynccontextmanager
async def triggers_asleep(hand: asyncpg.Connection) -> AsyncIterator[None]:
    """Ten thousand lots are staged without their audit; every trigger is then exactly as it was."""
    found = await hand.fetch(
        "SELECT t.tgrelid::regclass::text AS tbl, t.tgname, t.tgenabled::text AS how FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE NOT t.tgisinternal AND n.nspname IN ('lab', 'people')"
    )
    for tbl in {each["tbl"] for each in found}:
        await hand.execute(f"ALTER TABLE {tbl} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        for each in found:
            how = {"A": "ENABLE ALWAYS", "O": "ENABLE"}[each["how"]]
            await hand.execute(f'ALTER TABLE {each["tbl"]} {how} TRIGGER "{each["tgname"]}"')
