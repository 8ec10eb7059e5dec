"""A laboratory at work that is killed: its own server with fsync on, the application as a process, and people who retry."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pyotp

from app.db.embedded import EmbeddedPostgres, free_port
from tests import world
from tests.attacks.invariants import RELEASED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.attacks.races import Racer

SETTLED = "SELECT id, state FROM lab.lots WHERE state IN ('released', 'approved')"
ROOT = Path(__file__).resolve().parents[2]
SCANS = 6
CHANGES = 4


@dataclass
class Victim:
    """A server and an application that can be killed and started again."""

    postgres: EmbeddedPostgres
    name: str
    cast: dict[str, Any]
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def admin_url(self) -> str:
        return self.postgres.admin_url(self.name)

    def url(self, role: str) -> str:
        return self.postgres.url(role=role, database=self.name)

    def start_application(self) -> None:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "STEMMA_DATABASE_URL": self.url("stemma_app"),
            "STEMMA_AUTH_DATABASE_URL": self.url("stemma_auth"),
            "STEMMA_IDENTITY_KEY": self.cast["identity_key"],
            "STEMMA_TOTP_KEY": self.cast["totp_key"],
            "STEMMA_PURPOSE": "test",
            "STEMMA_COOKIE_SECURE": "false",
        }
        command = (
            sys.executable,
            "-m",
            "uvicorn",
            "app.main:build",
            "--factory",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        )
        self.process = subprocess.Popen(
            (*command, "--log-level", "critical"),
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill_application(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def restart_postgres(self) -> None:
        """As an operator would."""
        EmbeddedPostgres.open(self.postgres.root, fast=False)

    async def wait_until_up(self) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as http:
            for _ in range(600):
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get("/health")).is_success:
                        return
                await asyncio.sleep(0.05)
        raise TimeoutError("the application does not come up")


def make_victim(root: Path) -> Victim:
    """A migrated database with the cast in it, on a server that writes to the disk what it says it has written."""
    postgres = EmbeddedPostgres.open(root, fast=False)
    postgres.create_database("crash")
    passwords = postgres.set_passwords(world.LOGIN_ROLES)
    cast = world.make_template(postgres.admin_url("crash"), passwords)
    postgres.set_passwords(world.LOGIN_ROLES)
    return Victim(postgres, "crash", cast, free_port())


@dataclass
class Asked:
    """One request under its key, and the answer once there was one."""

    path: str
    body: Mapping[str, Any]
    who: str
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: dict[str, Any] | None = None


@dataclass
class Load:
    """People who scan and who record, each under keys of their own; who got no answer asks again."""

    victim: Victim
    code: str = ""
    asked: list[Asked] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    to_release: list[Racer] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    _serial: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def answered(self) -> int:
        return sum(each.answer is not None for each in self.asked)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.victim.port}/api/v1", timeout=5)

    async def sign_in(self, *names: str) -> None:
        for name in names:  # each at a bench of their own: who signs in at another's ends that session
            person = self.victim.cast["people"][name]
            body = {"username": name, "password": person["password"], "totp": pyotp.TOTP(person["totp_secret"]).now()}
            async with self.client() as http:
                self.tokens[name] = (await http.post("/session", json=body)).raise_for_status().json()["token"]

    def another(self, kind: str) -> Asked:
        number = next(self._serial)
        if kind == "scan":
            asked = Asked("/scans", {"raw": self.code if number % 3 else f"no-such-code-{number}"}, "tess")
        else:
            asked = Asked("/equipment", {"name": f"Freezer {number}", "kind": "freezer", "room": "A-1"}, "quinn")
        self.asked.append(asked)
        return asked

    async def ask(self, http: httpx.AsyncClient, asked: Asked) -> None:
        """Send it; whatever is not a plain success is no answer."""
        headers = {"Authorization": f"Bearer {self.tokens[asked.who]}", "Idempotency-Key": asked.key}
        response = await http.post(asked.path, json=asked.body, headers=headers)
        if response.is_success:
            asked.answer = response.json()

    async def work(self, kind: str, stop: asyncio.Event) -> None:
        """Ask for one thing after another until told to stop."""
        async with self.client() as http:
            while not stop.is_set():
                with contextlib.suppress(httpx.HTTPError):
                    await self.ask(http, self.another(kind))

    async def release(self, stop: asyncio.Event) -> None:
        """Release one lot after another through the gate, and remember which were acknowledged."""
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            connection = await asyncpg.connect(self.victim.url("stemma_app"))
            lin = self.victim.cast["people"]["lin"]["account_id"]
            while self.to_release and not stop.is_set():
                racer = self.to_release.pop()
                async with connection.transaction():
                    await connection.execute(
                        f"SELECT audit.open({lin}, 'lin', '', 'release_lot', '', '', '', NULL, NULL, NULL)"
                    )
                    await connection.fetchrow(
                        "SELECT * FROM gate.release($1, $2, $3)", racer.lot, racer.ceremony, racer.judgement
                    )
                self.released.append(racer.lot)

    async def ask_again(self) -> None:
        """Every request that got no answer is sent again under its key, until all have one."""
        async with self.client() as http:
            for _ in range(200):
                waiting = [each for each in self.asked if each.answer is None]
                if not waiting:
                    return
                for each in waiting:
                    with contextlib.suppress(httpx.HTTPError):
                        await self.ask(http, each)
                await asyncio.sleep(0.02)
        raise TimeoutError(f"{len(waiting)} requests never got an answer")

    async def lost(self, hand: asyncpg.Connection) -> list[str]:
        """Answers that the database does not bear out, and keys with more than one effect."""
        answered = [each for each in self.asked if each.answer is not None]
        scans = [each for each in answered if each.path == "/scans"]
        changes = [each for each in answered if each.path == "/equipment"]
        kept = {row["key"] for row in await hand.fetch("SELECT key FROM lab.scans WHERE key IS NOT NULL")}
        named = {
            row["name"]: row["code"]
            for row in await hand.fetch(
                "SELECT e.name, k.code FROM lab.equipment e JOIN lab.item_codes k ON k.item_id = e.id AND k.scheme = 'own'"
            )
        }
        missing = [f"scan {each.key}" for each in scans if each.key not in kept]
        missing += [
            f"{each.body['name']}"
            for each in changes
            if named.get(each.body["name"]) != (each.answer or {}).get("code")
        ]
        twice = await hand.fetch(
            "SELECT idem_key FROM audit.entries WHERE idem_key IS NOT NULL GROUP BY idem_key HAVING count(*) > 1"
            " UNION ALL SELECT key FROM lab.scans WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1"
        )
        states = dict(await hand.fetch("SELECT id, state FROM lab.lots WHERE id = ANY ($1)", self.released))
        missing += [f"release of {lot}" for lot in self.released if states.get(lot) != "released"]
        illegal = [row[0] for row in await hand.fetch(RELEASED, [lot for lot, state in await hand.fetch(SETTLED)])]
        return missing + illegal + [f"key {row[0]} had two effects" for row in twice]
