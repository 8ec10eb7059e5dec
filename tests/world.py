"""The cast, and the running application as they see it: over HTTP, against a real database."""

from __future__ import annotations

import asyncio
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import asyncpg
import httpx
import pyotp
from argon2 import PasswordHasher

from app.db import secrets
from app.db.badges import new_pin
from app.db.bootstrap import FirstAppointment, Newcomer, Stint, bootstrap
from app.db.door import driver_url
from app.db.migrate import Deployment, migrate
from app.db.secrets import key_bytes, new_key
from app.domain.acts import Role
from tests.standing import stand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from fastapi import FastAPI

LOGIN_ROLES = ("stemma_app", "stemma_auth", "stemma_seal", "stemma_report")
API = "/api/v1"

LINS_YEARS = (
    Stint(
        "Riverside Cell Bank", "QC manager", "stem_cell_quality_management", date(2017, 3, 1), date(2021, 6, 30), "E-1"
    ),
    Stint("This house", "QA manager", "stem_cell_quality_management", date(2021, 9, 1), None, "E-2"),
)
CAST = (
    Newcomer("tess", "Tess Tan", (Role.TECHNICIAN,)),
    Newcomer("tom", "Tom Tian", (Role.TECHNICIAN,)),
    Newcomer("vera", "Vera Wei", (Role.VERIFIER,)),
    Newcomer("ana", "Ana An", (Role.QC_ANALYST,)),
    Newcomer("rolf", "Rolf Rong", (Role.QC_REVIEWER,)),
    Newcomer("quinn", "Quinn Qiu", (Role.QA_MANAGER,)),
    Newcomer("quincy", "Quincy Qi", (Role.QA_MANAGER,), language="zh_CN"),
    Newcomer(
        "lin",
        "Dr Lin Qing",
        (),
        appointment=FirstAppointment("senior", "CERT-2019-0042", date(2031, 12, 31), LINS_YEARS),
    ),
    Newcomer("phil", "Dr Phil Fang", (Role.PHYSICIAN,)),
    Newcomer("hedda", "Hedda He", (Role.HEAD_OF_PRODUCTION,)),
    Newcomer("adam", "Adam Ao", (Role.ADMINISTRATOR,)),
)
ARRANGING = "SELECT audit.open(NULL, 'test', '', 'arrange', '', 'arranged by a test', '', NULL, NULL, NULL)"


def make_template(admin_url: str, passwords: Mapping[str, str]) -> dict[str, Any]:
    """Migrate an empty database, open the cast's accounts, and say their secrets, as JSON can keep them."""
    # A thread of its own: the caller may stand inside a running loop.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _make_template(admin_url, passwords)).result()


async def _make_template(admin_url: str, passwords: Mapping[str, str]) -> dict[str, Any]:
    quiet: list[str] = []
    await migrate(
        admin_url,
        deployment=Deployment("test", "Stemma test house", "Asia/Shanghai"),
        passwords=passwords,
        said=quiet.append,
    )
    totp_key = new_key()
    # A hash carries its own cost. The cast's is small, for they sign in some thousand times; every other hash is real.
    with patch.object(secrets, "HASHER", PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)):
        people = [replace(each, pin=new_pin()) for each in CAST]
        made = await bootstrap(admin_url, people=people, totp_key=key_bytes(totp_key))
    await stand(admin_url)
    return {
        "totp_key": totp_key,
        "identity_key": new_key(),
        "people": {
            each.username: {
                "account_id": each.account_id,
                "printed_name": each.printed_name,
                "password": each.password,
                "totp_secret": each.totp_secret,
                "badge": each.badge,
                "pin": each.pin,
            }
            for each in made
        },
    }


# -- HTTP --------------------------------------------------------------------------------------------------------------


def ok(response: httpx.Response) -> Any:
    """The answer of a request that worked."""
    assert response.is_success, (
        f"{response.request.method} {response.request.url}: {response.status_code} {response.text}"
    )
    return response.json() if response.content else None


def refused(response: httpx.Response, status: int, kind: str | None = None) -> dict[str, Any]:
    """The problem of a request that was refused as expected."""
    assert response.status_code == status, f"{response.request.url}: {response.status_code} {response.text}"
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    if kind is not None:
        assert problem["kind"] == kind, problem
    assert problem["what"], problem
    assert problem["why"], problem
    assert problem["remedy"], problem
    return problem


UNTOUCHED_S = 300.0
"""So long nobody locks a screen: whoever was away for longer signs in again, however slow the other tests are."""
WITH_FACTORS = frozenset({"verification", "ceremonies", "session", "unlock", "pin", "password", "totp"})
FORGIVEN = """
INSERT INTO people.login_attempts (username, source, outcome)
SELECT '?forgiven', place.source, 'ok' FROM (
    SELECT source, count(*) FILTER (WHERE outcome = 'tried') - count(*) FILTER (WHERE outcome = 'ok') AS wrong
    FROM people.login_attempts WHERE at > clock_timestamp() - interval '15 minutes' GROUP BY source
) AS place, generate_series(1, place.wrong)
"""


@dataclass
class Client:
    """Somebody at work: signed in at the first request, a fresh Idempotency-Key on every write."""

    lab: Lab
    name: str
    token: str | None = None
    _seen_at: float = 0.0
    _signing_in: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.request("GET", path, params={k: v for k, v in params.items() if v is not None})

    async def post(
        self,
        path: str,
        json: Any = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        return await self.request("POST", path, json=json, key=key, headers=headers, **more)

    async def delete(self, path: str) -> httpx.Response:
        return await self.request("DELETE", path)

    async def request(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {await self.signed_in()}", **(headers or {})}
        if method not in {"GET", "HEAD"}:
            sent.setdefault("Idempotency-Key", key or str(uuid.uuid4()))
            if path.rsplit("/", 1)[-1] in WITH_FACTORS:
                await self.lab.forgive_places()
        return await self.lab.http.request(
            method, path if path.startswith("/api") else API + path, headers=sent, **more
        )

    async def signed_in(self) -> str:
        async with self._signing_in:
            if self.token is None or time.monotonic() - self._seen_at > UNTOUCHED_S:
                self.token = await self.lab.sign_in(self.name)
            self._seen_at = time.monotonic()
            return self.token


class Lab:
    """The application in this process, the cast at its door, and the superuser's hand for arranging."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient, pool: asyncpg.Pool, cast: dict[str, Any]) -> None:
        self.app = app
        self.http = http
        self.cast = {name: dict(facts) for name, facts in cast["people"].items()}
        self._pool = pool
        self._clients: dict[str, Client] = {}

    def as_(self, name: str) -> Client:
        """Somebody of the cast, or of a test's own making (see `know`)."""
        return self._clients.setdefault(name, Client(self, name))

    def know(self, name: str, *, account_id: int, password: str, totp_secret: str, printed_name: str = "") -> Client:
        """Somebody whose account a test opened."""
        self.cast[name] = {
            "account_id": account_id,
            "printed_name": printed_name or name,
            "password": password,
            "totp_secret": totp_secret,
        }
        return self.as_(name)

    def id_of(self, name: str) -> int:
        return int(self.cast[name]["account_id"])

    def password(self, name: str) -> str:
        return str(self.cast[name]["password"])

    def badge(self, name: str) -> str:
        return str(self.cast[name]["badge"])

    def pin(self, name: str) -> str:
        return str(self.cast[name]["pin"])

    async def totp(self, name: str) -> str:
        """A one-time code that has not been used; what was used before is forgotten, so that no test has to wait."""
        await self.arrange("UPDATE people.credentials SET totp_last_step = 0 WHERE account_id = $1", self.id_of(name))
        return self.code_now(name)

    def code_now(self, name: str) -> str:
        """The code that the person's application shows now, used or not."""
        return pyotp.TOTP(self.cast[name]["totp_secret"]).now()

    async def forget_failures(self, name: str) -> None:
        """As an administrator who unlocks: what other tests got wrong in this name delays nobody."""
        await self.sql(
            "INSERT INTO people.login_attempts (username, source, outcome) VALUES ($1, '', 'unlocked')", name
        )

    async def succeeded_here(self, name: str) -> None:
        """As if the person had proved who they are: the wrong attempt before it slows nobody down at this place."""
        await self.forget_failures(name)
        await self.sql(
            "INSERT INTO people.login_attempts (username, source, outcome) VALUES ($1, '127.0.0.1', 'ok')", name
        )

    async def forgive_places(self) -> None:
        """All tests come from one place, and many get factors wrong: what they did there delays nobody else."""
        await self.sql(FORGIVEN)

    async def sign_in(self, name: str) -> str:
        """A new session's token, whatever other tests did to this name before."""
        await self.forget_failures(name)
        await self.forgive_places()
        response = await self.http.post(
            f"{API}/session",
            json={"username": name, "password": self.password(name), "totp": await self.totp(name)},
        )
        token = str(ok(response)["token"])
        await self.totp(name)  # what signing in used up is a code that a test may just have asked for
        return token

    async def record(self, name: str, kind: str, ref: str) -> dict[str, Any]:
        """A record as it is shown for signing."""
        found: dict[str, Any] = ok(await self.as_(name).get("/ceremonies/record", kind=kind, **_named(kind, ref)))
        return found

    async def try_to_sign(
        self,
        name: str,
        meaning: str,
        kind: str,
        ref: str | int,
        statement: str = "",
        *,
        digest: str | None = None,
        **factors: str,
    ) -> httpx.Response:
        """The answer to opening a ceremony on the record as it stands now, or as `digest` says it was shown."""
        shown = digest or (await self.record(name, kind, str(ref)))["digest"]
        body = {
            "meaning": meaning,
            "record": {"kind": kind, **_named(kind, str(ref))},
            "statement": statement,
            "digest": shown,
            "password": self.password(name),
            "totp": factors.get("totp") or await self.totp(name),
        }
        return await self.as_(name).post("/ceremonies", body | factors)

    async def sign(self, name: str, meaning: str, kind: str, ref: str | int, statement: str = "") -> str:
        """A live ceremony on the record as it stands now."""
        return str(ok(await self.try_to_sign(name, meaning, kind, ref, statement))["ceremony"])

    async def sql(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """As the superuser: for looking, and for tables that are not audited."""
        async with self._pool.acquire() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return rows

    async def value(self, statement: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        rows = await self.sql(statement, *values)
        return rows[0][0] if rows else None

    async def arrange(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """As the superuser, with an audit entry of its own, so that audited tables take it."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(ARRANGING)
            rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return rows


NO_COOKIES = CookieJar(DefaultCookiePolicy(allowed_domains=()))
"""The cast shares one client: a cookie in it would make the next sign-in end the last one's session."""
BY_CODE = frozenset({"lot", "batch", "results", "material_lot", "donation"})


def _named(kind: str, ref: str) -> dict[str, str]:
    return {"code": ref} if kind in BY_CODE else {"ref": ref}


@asynccontextmanager
async def open_lab(database: Any, **settings: Any) -> AsyncIterator[Lab]:
    """The application on this database (conftest.Database), its lifespan running. `settings` overrides any of them."""
    from app.main import build
    from app.settings import Settings

    app = build(
        Settings(
            **{
                "database_url": database.url("stemma_app"),
                "auth_database_url": database.url("stemma_auth"),
                "report_database_url": database.url("stemma_report"),
                "identity_key": database.cast["identity_key"],
                "totp_key": database.cast["totp_key"],
                "cookie_secure": False,
                "purpose": "test",
                "seal_wait_seconds": 0.2,
                "sessions_per_person_max": 0,  # the cast sits at many browsers at once
                **settings,
            }
        )
    )
    async with (
        app.router.lifespan_context(app),
        asyncpg.create_pool(driver_url(database.admin_url), min_size=1, max_size=4) as pool,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://lab.test", cookies=NO_COOKIES
        ) as http,
    ):
        yield Lab(app, http, pool, database.cast)
