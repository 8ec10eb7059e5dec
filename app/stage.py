"""Sets the stage: a private PostgreSQL, a fresh database, keys, the sealer and the web process, and strikes it again."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.db.bootstrap import bootstrap, read_people
from app.db.embedded import EmbeddedPostgres, free_port
from app.db.migrate import Deployment, migrate
from app.db.secrets import key_bytes, new_key
from app.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from app.db.bootstrap import Made, Newcomer

LOGIN_ROLES = ("stemma_app", "stemma_auth", "stemma_seal", "stemma_report")
VAR = ROOT / "var"


@dataclass
class Stage:
    """A whole Stemma on this machine, for the demo and for measuring. Everything it started, `strike` ends."""

    folder: Path
    purpose: str
    port: int
    postgres: EmbeddedPostgres
    database: str
    people: list[Made] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    vkey: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    def url(self, role: str) -> str:
        """A service role's address of the database."""
        return self.postgres.url(role=role, database=self.database)

    def start(
        self, arguments: Sequence[str], *, log: str, extra: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start one of our processes; its words go to a log in the folder."""
        with (self.folder / log).open("ab") as sink:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**_clean_environment(), **self.environment, **(extra or {})},
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def start_sealer(self) -> subprocess.Popen[bytes]:
        """The sealer, with its own role and key."""
        return self.start(
            ["-m", "app.workers.sealer"],
            log="sealer.log",
            extra={
                "STEMMA_SEAL_DATABASE_URL": self.url("stemma_seal"),
                "STEMMA_SEAL_KEY": str(self.folder / "seal.key"),
                "STEMMA_CHECKPOINTS": str(self.folder / "checkpoints"),
            },
        )

    def start_web(self) -> subprocess.Popen[bytes]:
        """The web process. It knows neither the seal's key nor the owner's password."""
        return self.start(web_arguments(host="127.0.0.1", port=self.port), log="web.log")

    def wait_until_live(self, *, within_s: float = 30.0) -> None:
        """Return when the page answers. Raises RuntimeError with the log's end when it does not."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if any(process.poll() is not None for process in self.processes):
                break
            if self._answers():
                return
            time.sleep(0.05)
        tail = (self.folder / "web.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"the web process did not come up; the end of its log:\n{tail}")

    def _answers(self) -> bool:
        with suppress(OSError):
            asked = urllib.request.urlopen(f"{self.address}/health", timeout=2)  # noqa: S310  our own loopback address
            with asked as answer:
                return bool(answer.status == 200)
        return False

    def strike(self) -> None:
        """End every process that was started here, then the database server."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.postgres.stop()


def web_arguments(*, host: str, port: int) -> list[str]:
    """How the web process is run: one process, uvloop, httptools."""
    return [
        "-m", "uvicorn", "app.main:build", "--factory", "--host", host, "--port", str(port),
        "--no-access-log", "--log-level", "warning", "--no-server-header", "--timeout-graceful-shutdown", "5",
    ]  # fmt: skip


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("STEMMA_")} | {
        name: os.environ[name] for name in ("STEMMA_SAMPLES", "STEMMA_PG_BIN") if name in os.environ
    }


def example_people() -> tuple[Newcomer, ...]:
    """The people of docs/people.example.toml, one for each role."""
    return read_people(ROOT / "docs" / "people.example.toml")


@contextmanager
def staged(
    *, name: str, purpose: str, people: Sequence[Newcomer], port: int | None = None, said: Callable[[str], None]
) -> Iterator[Stage]:
    """A fresh, marked database and everything around it; all of it ends with the context."""
    folder = VAR / name
    folder.mkdir(parents=True, exist_ok=True)
    said("private PostgreSQL")
    postgres = EmbeddedPostgres.open(VAR / "postgres", tcp=True)
    stage = Stage(folder=folder, purpose=purpose, port=port or free_port(), postgres=postgres, database="")
    try:
        for old in postgres.databases():
            if old.startswith(f"{name}_"):
                postgres.drop_database(old)
        stage.database = f"{name}_{int(time.time())}_{os.getpid()}"
        postgres.create_database(stage.database)
        said("a fresh database, marked " + purpose)
        _prepare(stage, people)
        yield stage
    finally:
        stage.strike()


def _prepare(stage: Stage, people: Sequence[Newcomer]) -> None:
    passwords = stage.postgres.set_passwords(LOGIN_ROLES)
    owner = stage.postgres.admin_url(stage.database)
    totp_key, identity_key = new_key(), new_key()

    async def prepare() -> list[Made]:
        await migrate(
            owner,
            deployment=Deployment(stage.purpose, f"Stemma {stage.purpose}", "Asia/Shanghai"),
            passwords=passwords,
            said=lambda _: None,
        )
        return list(await bootstrap(owner, people=people, totp_key=key_bytes(totp_key)))

    stage.people = asyncio.run(prepare())
    key = stage.folder / "seal.key"
    key.unlink(missing_ok=True)
    checkpoints = stage.folder / "checkpoints"
    shutil.rmtree(checkpoints, ignore_errors=True)
    checkpoints.mkdir()
    made = subprocess.run(
        [sys.executable, "-m", "app.workers.sealer", "--make-key", str(key), "--name", f"stemma.{stage.purpose}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    stage.vkey = made.stdout.strip().splitlines()[-1]
    (stage.folder / "seal.vkey").write_text(stage.vkey + "\n")
    stage.environment = {
        "STEMMA_DATABASE_URL": stage.url("stemma_app"),
        "STEMMA_AUTH_DATABASE_URL": stage.url("stemma_auth"),
        "STEMMA_REPORT_DATABASE_URL": stage.url("stemma_report"),
        "STEMMA_TOTP_KEY": totp_key,
        "STEMMA_IDENTITY_KEY": identity_key,
        "STEMMA_CHECKPOINT_VKEY": stage.vkey,
        "STEMMA_PURPOSE": stage.purpose,
        "STEMMA_COOKIE_SECURE": "false",
    }
    cast = [{"username": p.username, "printed_name": p.printed_name, "roles": list(p.roles), "password": p.password,
             "totp_secret": p.totp_secret} for p in stage.people]  # fmt: skip
    path = stage.folder / "accounts.json"
    path.write_text(json.dumps(cast, ensure_ascii=False, indent=1))
    path.chmod(0o600)
