"""The sealer: its own process, with its own database role and a key that the web process cannot open.

    python -m app.workers.sealer --make-key PATH --name NAME     makes a key, prints its public half
    python -m app.workers.sealer [--once]                        seals until told to stop, or once

Environment: STEMMA_SEAL_DATABASE_URL (role stemma_seal), STEMMA_SEAL_KEY (path), STEMMA_CHECKPOINTS (folders outside
the database, joined as PATH is). One sealer works at a time; a second waits to take over.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.db import seal
from app.domain import merkle, seals

LOOK_EVERY_S = 0.25
SEAL_APART_S = 0.25  # A checkpoint holds all that committed meanwhile: a busy laboratory makes four a second, no more.
LEAVES_MAX = 5_000
LOCK = 0x5354_454D_4D41_0001
RETRY_S = 1.0
ONCE_WAITS_S = 60.0
STATEMENT_TIMEOUT_MS = 60_000
LOCK_TIMEOUT_MS = 2_000

log = structlog.get_logger("stemma.sealer")


class SealRefusedError(RuntimeError):
    """Sealing on would hide that something is wrong. A person must look; the text says at what."""


# --- the key ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SealKey:
    """The private key and the name that it signs under, which is the log's origin."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 bytes that everybody may know."""
        return self.private.public_key().public_bytes_raw()

    @property
    def vkey(self) -> str:
        """The public key as people keep it."""
        return seals.vkey(name=self.name, public=self.public)

    def sign(self, checkpoint: seals.Checkpoint) -> str:
        """The checkpoint's signed note."""
        signature = self.private.sign(checkpoint.body().encode())
        return checkpoint.note(key_id=seals.key_id(name=self.name, public=self.public), signature=signature)

    def text(self) -> str:
        """The private key as its file holds it."""
        seed = base64.b64encode(b"\x01" + self.private.private_bytes_raw()).decode()
        return f"PRIVATE+KEY+{self.name}+{seals.key_id(name=self.name, public=self.public).hex()}+{seed}\n"


def make_key(*, path: Path, name: str) -> SealKey:
    """Make a key and keep it in a new file that only its owner can read. Never overwrites. Raises SealRefusedError."""
    if not seals.is_key_name(name):
        raise SealRefusedError(f"a key's name has no blanks and no plus sign: {name!r}")
    key = SealKey(name, Ed25519PrivateKey.generate())
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key.text())
    except FileExistsError:
        raise SealRefusedError(f"{path} is there already: a key is never overwritten") from None
    return key


def read_key(path: Path) -> SealKey:
    """Read the key. Raises SealRefusedError when it is no key, or when others could read it too."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SealRefusedError(f"others can read {path}: chmod 600 it, and make a new key if it was shared")
        _, _, name, id_, seed = path.read_text().strip().split("+", 4)
        key = SealKey(name, Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed, validate=True)[1:]))
    except OSError as error:
        raise SealRefusedError(f"the key cannot be read: {error}") from None
    except ValueError:
        raise SealRefusedError(f"{path} holds no key: make one with --make-key") from None
    if seals.key_id(name=name, public=key.public).hex() != id_:
        raise SealRefusedError(f"{path} holds a key under another's name")
    return key


# --- folders outside the database -------------------------------------------------------------------------------------


class Outside:
    """A folder where checkpoints are kept out of the database's reach: one folder a day, one file a checkpoint."""

    def __init__(self, folder: Path) -> None:
        """Know the folder; nothing is made until something is kept."""
        self.folder = folder

    def keep(self, note: str) -> Path:
        """Write a checkpoint so that it is there whole or not at all. Raises OSError.

        Another checkpoint of the same epoch and size is never overwritten: it shows two histories. Raises
        SealRefusedError.
        """
        path = self.path_of(note)
        if not path.exists():
            write_whole(path, note)
        elif path.read_text() != note:
            raise SealRefusedError(
                f"{path} keeps another checkpoint of the same size: there are two histories of this log"
            )
        return path

    def path_of(self, note: str) -> Path:
        """Where a checkpoint is kept; within a day, names sort as checkpoints follow one another."""
        said = seals.read_note(note)
        return self.folder / said.at.strftime("%Y-%m-%d") / f"{said.epoch:04d}-{said.size:012d}.txt"

    def keep_missing(self, notes: Iterable[str]) -> int:
        """Write those that are not there; answers how many."""
        there = set(self.folder.glob("*/*.txt"))
        return len([self.keep(note) for note in notes if self.path_of(note) not in there])

    def keep_public_key(self, key: SealKey) -> None:
        """Write the public key beside the checkpoints, for whoever will verify them."""
        path = self.folder / f"key-{seals.key_id(name=key.name, public=key.public).hex()}.txt"
        if not path.exists():
            write_whole(path, key.vkey + "\n")

    def newest(self) -> str | None:
        """The note of the last checkpoint of the last day that has any."""
        for day in sorted(self.folder.glob("????-??-??"), reverse=True):
            if notes := sorted(day.glob("*.txt")):
                return notes[-1].read_text()
        return None


def write_whole(path: Path, text: str) -> None:
    """Write a file so that after a power cut it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with fresh.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


# --- sealing ----------------------------------------------------------------------------------------------------------


class Sealer:
    """Turns what committed into leaves and signs checkpoints over them, on one connection."""

    def __init__(self, connection: seal.Connection, *, key: SealKey, outside: Sequence[Outside] = ()) -> None:
        """Know the parts; `start` looks whether all is well."""
        self.connection = connection
        self.key = key
        self.outside = list(outside)
        self.last: seal.Kept | None = None
        self.tree = merkle.Frontier()
        self.unwritten: dict[Path, list[str]] = {}

    async def start(self) -> None:
        """Take up the log where it stands. Raises SealRefusedError when it is not the log that was signed."""
        self.last = await seal.last_checkpoint(self.connection)
        leaves = await self.connection.fetchval("SELECT coalesce(max(n) + 1, 0) FROM audit.leaves")
        size = self.last.size if self.last else 0
        if leaves != size:
            raise SealRefusedError(f"there are {leaves} leaves and the last checkpoint is over {size}")
        try:
            self.tree = await seal.frontier(self.connection, size=size)
        except merkle.ProofError as error:
            raise SealRefusedError(str(error)) from None
        if self.last:
            self._compare_with_signed(self.last)
        epoch = await seal.current_epoch(self.connection)
        for folder in self.outside:
            with self._alarm(folder):
                await self._compare_with_outside(folder, epoch)
                folder.keep_public_key(self.key)
                notes = [note for _, note in await seal.checkpoints_since(self.connection, size=0)]
                folder.keep_missing(notes)

    def _compare_with_signed(self, last: seal.Kept) -> None:
        try:
            said = seals.read_note(last.note)
        except seals.NotACheckpointError:
            raise SealRefusedError("the last checkpoint in the database is none") from None
        if (said.size, said.root, said.epoch) != (last.size, last.root, last.epoch) or self.tree.root() != said.root:
            raise SealRefusedError(
                "the tree in the database is not the one that was signed: verify it before sealing on"
            )
        if said.origin != self.key.name:
            raise SealRefusedError(f"this log is {said.origin}, and the key signs {self.key.name}")

    async def _compare_with_outside(self, folder: Outside, epoch: int) -> None:
        """A database that knows less than a folder outside was put back. That needs a new epoch, opened by a person."""
        newest = folder.newest()
        if newest is None:
            return
        said = seals.read_note(newest)
        if said.origin != self.key.name:
            raise SealRefusedError(f"{folder.folder} keeps checkpoints of another log, {said.origin}")
        here = await self.connection.fetchval("SELECT note FROM audit.checkpoints WHERE size = $1", said.size)
        if here != newest and said.epoch >= epoch:
            raise SealRefusedError(
                f"{folder.folder} keeps a checkpoint of {said.size} leaves that this database does not know: "
                "it was put back to an earlier state. Open a new epoch, saying why, before sealing on"
            )

    @contextlib.contextmanager
    def _alarm(self, folder: Outside) -> Iterator[None]:
        """A folder that cannot be written stops nothing, and is said aloud."""
        try:
            yield
        except OSError as error:
            log.error("checkpoint_not_kept_outside", folder=str(folder.folder), error=str(error))  # noqa: TRY400  the error says it all

    async def seal(self) -> seals.Checkpoint | None:
        """Seal what waits, in one transaction; None when nothing does."""
        tree = merkle.Frontier(self.tree.size, list(self.tree.hashes))
        async with self.connection.transaction(isolation="repeatable_read"):
            batch = await seal.waiting(self.connection, last=self.last, leaves_max=LEAVES_MAX)
            if not batch.leaves:
                return None
            nodes = [node for leaf in batch.leaves for node in tree.append(leaf.hash)]
            await seal.keep_batch(self.connection, first=self.tree.size, leaves=batch.leaves, nodes=nodes)
            made = seals.Checkpoint(
                origin=self.key.name, size=tree.size, root=tree.root(), epoch=batch.epoch, at=datetime.now(UTC)
            )
            kept = seal.Kept(made.size, made.epoch, made.root, batch.horizon, self.key.sign(made))
            await seal.keep_checkpoint(self.connection, kept=kept)
        self.tree, self.last = tree, kept
        self._publish(kept.note)
        return made

    def _publish(self, note: str) -> None:
        """Only after commit, or a folder could keep what the database never did."""
        for folder in self.outside:
            late = self.unwritten.setdefault(folder.folder, [])
            late.append(note)
            with self._alarm(folder):
                while late:
                    folder.keep(late[0])
                    late.pop(0)


# --- the process ------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[seal.Connection]:
    """A connection that cannot hang for ever."""
    connection = await asyncpg.connect(
        url.replace("postgresql+asyncpg://", "postgresql://"),
        timeout=10,
        server_settings={
            "application_name": "stemma-sealer",
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "synchronous_commit": "on",
        },
    )
    try:
        yield connection
    finally:
        with contextlib.suppress(Exception):
            await connection.close(timeout=2)


async def sealing(url: str, *, key: SealKey, outside: Sequence[Outside], stop: asyncio.Event) -> None:
    """Seal on one connection until told to stop, or until the connection is lost."""
    async with connected(url) as connection:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
            log.info("another_sealer_works")
            if await _within(stop, RETRY_S):
                return
        soon = asyncio.Event()
        await connection.add_listener(seal.SEAL_SOON_CHANNEL, lambda *_: soon.set())
        sealer = Sealer(connection, key=key, outside=outside)
        await sealer.start()
        log.info("sealing", origin=key.name, size=sealer.tree.size, key=key.vkey)
        while not stop.is_set():
            soon.clear()
            if await sealer.seal() is not None:
                await _within(stop, SEAL_APART_S)
            else:
                await _either(stop, soon, LOOK_EVERY_S)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


async def _either(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    tasks = [asyncio.create_task(one.wait()), asyncio.create_task(other.wait())]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def run(url: str, *, key: SealKey, outside: Sequence[Outside]) -> None:
    """Seal until SIGTERM or SIGINT, coming back whenever the database does. Raises SealRefusedError."""
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    while not stop.is_set():
        try:
            await sealing(url, key=key, outside=outside, stop=stop)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("database_away", error=f"{type(error).__name__}: {error}")
            await _within(stop, RETRY_S)


async def seal_once(url: str, *, key: SealKey, outside: Sequence[Outside]) -> int:
    """Seal everything committed up to now; answers the log's size. Raises SealRefusedError.

    A transaction that is still open anywhere in the cluster is waited for, at most ONCE_WAITS_S.
    """
    clock = asyncio.get_running_loop().time
    async with connected(url) as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
            raise SealRefusedError("another sealer works on this database")
        sealer = Sealer(connection, key=key, outside=outside)
        await sealer.start()
        now = await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        until = clock() + ONCE_WAITS_S
        while True:
            passed = await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8", now)
            while await sealer.seal() is not None:
                pass
            if passed or clock() >= until:
                return sealer.tree.size
            await asyncio.sleep(LOOK_EVERY_S / 10)


def outside_from(folders: str) -> list[Outside]:
    """The folders that one environment variable names."""
    return [Outside(Path(each)) for each in folders.split(os.pathsep) if each]


def main(arguments: Sequence[str] | None = None, *, environment: Mapping[str, str] = os.environ) -> int:
    """Do what the command line says; 1 when a person must look."""
    parser = argparse.ArgumentParser(prog="python -m app.workers.sealer", description=__doc__)
    parser.add_argument("--make-key", type=Path, metavar="PATH")
    parser.add_argument("--name", help="the log's name, which the key signs under")
    parser.add_argument("--once", action="store_true", help="seal what waits, then end")
    given = parser.parse_args(arguments)
    try:
        if given.make_key:
            if not given.name:
                parser.error("--make-key needs --name")
            print(make_key(path=given.make_key, name=given.name).vkey)
            return 0
        missing = [name for name in ("STEMMA_SEAL_DATABASE_URL", "STEMMA_SEAL_KEY") if not environment.get(name)]
        if missing:
            parser.error(f"not set: {', '.join(missing)}")
        key = read_key(Path(environment["STEMMA_SEAL_KEY"]))
        outside = outside_from(environment.get("STEMMA_CHECKPOINTS", ""))
        url = environment["STEMMA_SEAL_DATABASE_URL"]
        if given.once:
            print(asyncio.run(seal_once(url, key=key, outside=outside)))
        else:
            asyncio.run(run(url, key=key, outside=outside))
    except SealRefusedError as refused:
        print(f"sealer: {refused}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
