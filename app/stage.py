"""Sets the stage: a private PostgreSQL, a fresh database, keys, the sealer and the web process, and strikes it again."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.db.badges import new_pin
from app.db.bootstrap import Made, Newcomer, bootstrap, read_people
from app.db.embedded import EmbeddedPostgres, Via, free_port
from app.db.migrate import Deployment, migrate
from app.db.secrets import key_bytes, new_key
from app.settings import ROOT
from app.workers.sealer import make_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


LOGIN_ROLES = ("stemma_app", "stemma_auth", "stemma_seal", "stemma_report")
VAR = ROOT / "var"
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""For glibc: what the hashing and drawing threads let go is given back, instead of being kept for each of them."""


class StageTakenError(RuntimeError):
    """Another process plays on this stage; the text says so in one sentence."""


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
        return self.postgres.url(role=role, database=self.database, via=Via.SOCKET)

    def start(
        self, arguments: Sequence[str], *, log: str, extra: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start one of our processes; its words go to a log in the folder."""
        with (self.folder / log).open("wb") as sink:
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

    def start_printing(self) -> subprocess.Popen[bytes]:
        """The sender of the print queue, with the application's role."""
        return self.start(["-m", "app.workers.printing"], log="printing.log", extra=FEW_ARENAS)

    def start_web(self) -> subprocess.Popen[bytes]:
        """The web process. It knows neither the seal's key nor the owner's password."""
        return self.start(web_arguments(host="127.0.0.1", port=self.port), log="web.log", extra=FEW_ARENAS)

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


def resident_mb(pid: int) -> float | None:
    """Memory that a process holds resident, in MB; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:")), None)


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("STEMMA_")} | {
        name: os.environ[name] for name in ("STEMMA_SAMPLES", "STEMMA_PG_BIN") if name in os.environ
    }


def example_people() -> tuple[Newcomer, ...]:
    """The people of docs/people.example.toml, one for each role, each with a badge and a PIN."""
    return tuple(replace(each, pin=new_pin()) for each in read_people(ROOT / "docs" / "people.example.toml"))


@contextmanager
def staged(
    *, name: str, purpose: str, people: Sequence[Newcomer], port: int | None = None, said: Callable[[str], None]
) -> Iterator[Stage]:
    """A fresh, marked database and everything around it; all of it ends with the context."""
    folder = VAR / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StageTakenError(f"a {name} is running from this folder already; end it first") from None
        with _set_up(folder, name=name, purpose=purpose, people=people, port=port, said=said) as stage:
            yield stage


@contextmanager
def _set_up(
    folder: Path, *, name: str, purpose: str, people: Sequence[Newcomer], port: int | None, said: Callable[[str], None]
) -> Iterator[Stage]:
    said("private PostgreSQL")
    postgres = EmbeddedPostgres.open(folder / "postgres", tcp=True)
    stage = Stage(folder=folder, purpose=purpose, port=port or free_port(), postgres=postgres, database="")
    try:
        template, kept = _template(stage, name=name, people=people, said=said)
        for old in postgres.databases():
            if old.startswith(f"{name}_run_"):
                postgres.drop_database(old)
        stage.database = f"{name}_run_{int(time.time())}_{os.getpid()}"
        postgres.create_database(stage.database, template=template)
        said(f"a fresh database, marked {purpose}")
        _equip(stage, kept)
        yield stage
    finally:
        stage.strike()


def _template(
    stage: Stage, *, name: str, people: Sequence[Newcomer], said: Callable[[str], None]
) -> tuple[str, dict[str, Any]]:
    """A migrated database with the people in it, made once for each state of the code, and its secrets."""
    fingerprint = _fingerprint(repr(people))
    template, path = f"{name}_template_{fingerprint}", stage.folder / "template.json"
    existing = stage.postgres.databases()
    if template in existing and path.exists():
        kept: dict[str, Any] = json.loads(path.read_text())
        if kept["template"] == template:
            return template, kept
    said("migrating a new database and opening its accounts")
    for old in existing:
        if old.startswith((f"{name}_template_", f"{name}_making")):
            stage.postgres.drop_database(old)
    making = f"{name}_making"
    stage.postgres.create_database(making)
    kept = {"template": template, "totp_key": new_key(), "identity_key": new_key()}
    made = asyncio.run(_make(stage, making, people=people, totp_key=key_bytes(kept["totp_key"])))
    kept["people"] = [asdict(each) for each in made]
    stage.postgres.run_sql(f'ALTER DATABASE "{making}" RENAME TO "{template}"')
    path.touch(mode=0o600)
    path.write_text(json.dumps(kept, ensure_ascii=False))
    return template, kept


async def _make(stage: Stage, database: str, *, people: Sequence[Newcomer], totp_key: bytes) -> list[Made]:
    owner = stage.postgres.admin_url(database)
    await migrate(
        owner,
        deployment=Deployment(stage.purpose, f"Stemma {stage.purpose}", "Asia/Shanghai"),
        passwords=stage.postgres.set_passwords(LOGIN_ROLES),
        said=lambda _: None,
    )
    return await bootstrap(owner, people=people, totp_key=totp_key)


def _fingerprint(*said: str) -> str:
    digest = hashlib.sha256("\n".join(said).encode())
    for folder in ("migrations", "app/db", "app/domain", "app/rules"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in {".py", ".sql"}:
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _equip(stage: Stage, kept: dict[str, Any]) -> None:
    stage.postgres.set_passwords(LOGIN_ROLES)
    stage.people = [Made(**{**each, "roles": tuple(each["roles"])}) for each in kept["people"]]
    key = stage.folder / "seal.key"
    key.unlink(missing_ok=True)
    checkpoints = stage.folder / "checkpoints"
    shutil.rmtree(checkpoints, ignore_errors=True)
    checkpoints.mkdir()
    stage.vkey = make_key(path=key, name=f"stemma.{stage.purpose}").vkey
    (stage.folder / "seal.vkey").write_text(stage.vkey + "\n")
    stage.environment = {
        "STEMMA_DATABASE_URL": stage.url("stemma_app"),
        "STEMMA_AUTH_DATABASE_URL": stage.url("stemma_auth"),
        "STEMMA_REPORT_DATABASE_URL": stage.url("stemma_report"),
        "STEMMA_TOTP_KEY": kept["totp_key"],
        "STEMMA_IDENTITY_KEY": kept["identity_key"],
        "STEMMA_PURPOSE": stage.purpose,
        "STEMMA_COOKIE_SECURE": "false",
    }
    path = stage.folder / "accounts.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(kept["people"], ensure_ascii=False, indent=1))
