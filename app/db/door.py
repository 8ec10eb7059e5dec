"""The three ways to the database, and no fourth: `read` cannot write, `change` cannot go unrecorded, `keep_scan` appends.

Only this module opens transactions or commits; a lint with its own test holds the others to it.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from pydantic_core import to_jsonable_python
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.db.translate import refusal_of, unanswered, unavailable
from app.domain.acts import Act, Actor, require
from app.domain.errors import BadInput, Busy, Refusal
from app.domain.text import Text
from app.domain.views import spoken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Executable, Row

T = TypeVar("T")

OPEN = text(
    "SELECT outcome, number, at, answer FROM audit.open(:actor_id, :actor, :roles, :act, :subject, :reason,"
    " :device, :session_id, :key, :body)"
)
KEEP_ANSWER = text("SELECT audit.keep_answer(:actor_id, :key, CAST(:answer AS jsonb))")
KEEP_REFUSAL = text(
    "INSERT INTO lab.refusals (kind, act, subject, what, why, remedy, rule, detail)"
    " VALUES (:kind, :act, :subject, :what, :why, :remedy, :rule, CAST(:detail AS jsonb))"
)
BURN = text("SELECT gate.burn(:ceremony, :why)")


class Desk(StrEnum):
    """Which service role does the work: the laboratory's, or the one for accounts and factors."""

    LABORATORY = "laboratory"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, under which idempotency key, with which body: what a change is opened for."""

    actor: Actor
    key: str | None = None
    body_sha256: bytes = b""


class Replay(Exception):
    """This key was answered before; `answer` is what was said then."""

    def __init__(self, answer: Any) -> None:
        super().__init__("answered before")
        self.answer = answer


@dataclass(slots=True)
class Reading:
    """A session that cannot write."""

    connection: AsyncConnection

    async def all(self, statement: Executable | str, **values: Any) -> Sequence[Row[Any]]:
        """Every row."""
        return (await self.connection.execute(_statement(statement), values)).all()

    async def one(self, statement: Executable | str, **values: Any) -> Row[Any] | None:
        """The only row, or None."""
        return (await self.connection.execute(_statement(statement), values)).one_or_none()

    async def value(self, statement: Executable | str, **values: Any) -> Any:
        """The first column of the only row, or None."""
        return (await self.connection.execute(_statement(statement), values)).scalar_one_or_none()


@dataclass(slots=True)
class Change(Reading):
    """One act, one transaction, one audited entry. `at` is the moment that the database gave it."""

    actor: Actor
    entry: int
    at: datetime
    ceremony: UUID | None = None
    _answer: Any = field(default=None)

    async def run(self, statement: Executable | str, **values: Any) -> None:
        """Write, expecting nothing back."""
        await self.connection.execute(_statement(statement), values)

    async def run_many(self, statement: Executable | str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write many rows; none is fine too."""
        if rows:
            await self.connection.execute(_statement(statement), rows)

    def answers(self, value: T) -> T:
        """State what this change answers, so that the same key gets the same answer."""
        self._answer = value
        return value


def _statement(statement: Executable | str) -> Executable:
    return text(statement) if isinstance(statement, str) else statement


def sqlalchemy_url(url: str) -> str:
    """The same address as SQLAlchemy wants it."""
    return url if "+asyncpg" in url else url.replace("postgresql://", "postgresql+asyncpg://", 1)


def driver_url(url: str) -> str:
    """The same address as the driver wants it."""
    return url.replace("+asyncpg", "", 1)


class Lending:
    """A few connections of the driver, lent one at a time. Unlike a general pool it resets nothing and starts no task
    when one comes back: what is lent runs single statements, each its own transaction.
    """

    def __init__(self, url: str, *, size: int) -> None:
        """Nothing connects before the first use."""
        self._url = url
        self._idle: list[asyncpg.Connection] = []
        self._places = asyncio.Semaphore(size)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for as long as the block lasts. One that broke, or was left in doubt, is not lent again."""
        async with self._places:
            while self._idle and self._idle[-1].is_closed():
                self._idle.pop()
            lent = self._idle.pop() if self._idle else await self._connected()
            try:
                yield lent
            except (Refusal, asyncpg.PostgresError):
                self._take_back(lent)
                raise
            except BaseException:
                lent.terminate()
                raise
            self._take_back(lent)

    async def _connected(self) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(self._url)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise unavailable() from error

    def _take_back(self, lent: asyncpg.Connection) -> None:
        if lent.is_in_transaction():
            lent.terminate()
        elif not lent.is_closed():
            self._idle.append(lent)

    async def close(self) -> None:
        """Let every idle connection go."""
        while self._idle:
            await self._idle.pop().close()


class Scanning:
    """Single statements on the driver's connection, each its own transaction."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        """For as long as the door lends the connection."""
        self._connection = connection

    async def row(self, statement: str, *values: Any) -> asyncpg.Record | None:
        """The only row of a prepared statement."""
        try:
            return await self._connection.fetchrow(statement, *values)
        except asyncpg.PostgresError as error:
            raise refusal_of(error) from error
        except (OSError, asyncpg.InterfaceError) as error:
            raise unanswered() from error

    async def keep_scan(self, *values: Any) -> asyncpg.Record:
        """Append one scan with its verdict; see audit.keep_scan for the values, in its order."""
        row = await self.row(KEEP_SCAN, *values)
        if row is None:
            raise RuntimeError("a kept scan always answers")
        return row


class Door:
    """Opens sessions as the application's role, and as the authentication role for accounts and factors."""

    def __init__(self, *, database_url: str, auth_database_url: str, pool_size: int = 8) -> None:
        """Nothing connects before the first use."""
        options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 10}
        self._engines: dict[Desk, AsyncEngine] = {
            Desk.LABORATORY: create_async_engine(sqlalchemy_url(database_url), **options),
            Desk.PEOPLE: create_async_engine(sqlalchemy_url(auth_database_url), **{**options, "pool_size": 3}),
        }
        self._lending = Lending(driver_url(database_url), size=pool_size)

    async def close(self) -> None:
        """Let every connection go."""
        await self._lending.close()
        for engine in self._engines.values():
            await engine.dispose()

    @asynccontextmanager
    async def _connected(self, desk: Desk) -> AsyncIterator[AsyncConnection]:
        try:
            connection = await self._engines[desk].connect()
        except (OSError, DBAPIError) as error:
            raise unavailable() from error
        try:
            yield connection
        finally:
            await connection.close()

    # -- read ------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def read(self, actor: Actor, act: Act, *, desk: Desk = Desk.LABORATORY) -> AsyncIterator[Reading]:
        """A READ ONLY session for somebody who may do this. Raises NotPermitted, which is kept."""
        try:
            require(actor, act)
        except Refusal as refusal:
            await self.keep_refusal(actor, act, "", refusal)
            raise
        async with self.look(desk=desk) as reading:
            yield reading

    @asynccontextmanager
    async def look(self, *, desk: Desk = Desk.LABORATORY) -> AsyncIterator[Reading]:
        """A READ ONLY session of the house itself: who is signed in, health, metrics."""
        async with self._connected(desk) as connection:
            readonly = await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            try:
                yield Reading(readonly)
            except DBAPIError as error:
                raise refusal_of(error) from error

    # -- change ----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def change(
        self, call: Call, act: Act, *, subject: str = "", reason: str = "", desk: Desk = Desk.LABORATORY
    ) -> AsyncIterator[Change]:
        """One audited transaction, committed before the caller goes on.

        A Refusal undoes the work and is itself kept. Raises Refusal, or Replay when the key was answered before.
        """
        opened: Change | None = None
        try:
            require(call.actor, act)
            async with self._connected(desk) as connection, connection.begin():
                opened = await self._opened(connection, call, act, subject=subject, reason=reason)
                yield opened
                if call.key is not None:
                    kept = to_jsonable_python(spoken(opened._answer, Text.to_json))  # noqa: SLF001
                    answer = json.dumps(kept, ensure_ascii=False)
                    await opened.run(KEEP_ANSWER, actor_id=call.actor.account_id, key=call.key, answer=answer)
        except Refusal as refusal:
            await self.keep_refusal(call.actor, act, subject, refusal, ceremony=opened.ceremony if opened else None)
            raise
        except DBAPIError as error:
            said = refusal_of(error)
            await self.keep_refusal(call.actor, act, subject, said, ceremony=opened.ceremony if opened else None)
            raise said from error

    async def _opened(self, connection: AsyncConnection, call: Call, act: Act, *, subject: str, reason: str) -> Change:
        actor = call.actor
        row = (
            await connection.execute(
                OPEN,
                {
                    "actor_id": actor.account_id,
                    "actor": actor.username,
                    "roles": ",".join(sorted(actor.roles)),
                    "act": act.value,
                    "subject": subject,
                    "reason": reason,
                    "device": actor.device,
                    "session_id": actor.session_id,
                    "key": call.key,
                    "body": call.body_sha256,
                },
            )
        ).one()
        match row.outcome:
            case "replay" if row.answer is None:
                raise Busy(
                    what=Text("This request is being worked on."),
                    why=Text("The same key was sent a moment ago and has no answer yet."),
                    remedy=Text("Ask again in a second with the same key."),
                )
            case "replay":
                raise Replay(row.answer)
            case "mismatch":
                raise BadInput(
                    field="Idempotency-Key",
                    what=Text("Nothing was done."),
                    why=Text("This idempotency key was used before for another request."),
                    remedy=Text("Send a new key with a new request."),
                )
        return Change(connection=connection, actor=actor, entry=row.number, at=row.at)

    async def keep_refusal(
        self, actor: Actor, act: Act, subject: str, refusal: Refusal, *, ceremony: UUID | None = None
    ) -> None:
        """A refusal is a record. A proof of identity that was part of it is spent."""
        kept = refusal.to_json()
        detail = {"detail": refusal.detail, "findings": kept["findings"], "texts": {k: kept[k] for k in _SAID}}
        async with self._connected(Desk.LABORATORY) as connection, connection.begin():
            await self._opened(connection, Call(actor), act, subject=subject, reason=f"refused: {refusal.kind}")
            await connection.execute(
                KEEP_REFUSAL,
                {
                    "kind": refusal.kind,
                    "act": act.value,
                    "subject": subject,
                    "what": str(refusal.what),
                    "why": str(refusal.why),
                    "remedy": str(refusal.remedy),
                    "rule": refusal.rule,
                    "detail": json.dumps(to_jsonable_python(detail), ensure_ascii=False),
                },
            )
            if ceremony is not None:
                await connection.execute(BURN, {"ceremony": ceremony, "why": refusal.kind})

    # -- scan ------------------------------------------------------------------------------------------------------

    async def scan_row(self, statement: str, *values: Any) -> asyncpg.Record | None:
        """One prepared statement on the driver's own connection: one round trip, its own transaction."""
        async with self.scanning() as scanning:
            return await scanning.row(statement, *values)

    @asynccontextmanager
    async def scanning(self) -> AsyncIterator[Scanning]:
        """The driver's connection for the two statements of a scan."""
        async with self._lending.connection() as connection:
            yield Scanning(connection)

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[asyncpg.Connection]:
        """The driver's own connection, outside any transaction: for reading proofs while no transaction is held."""
        async with self._lending.connection() as connection:
            yield connection


_SAID = ("what", "why", "remedy")
KEEP_SCAN = (
    "SELECT number, at, replayed, verdict, reason, payload, raw"
    " FROM audit.keep_scan($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)
