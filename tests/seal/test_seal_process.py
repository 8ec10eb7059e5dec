"""The sealer as its own process: quick, alone, and not to be killed for good."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.db import seal
from app.db.verify import verify_database
from app.verifier.verify import Key, Verdict
from app.workers import sealer
from tests.seal import deeds
from tests.seal.deeds import connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Database

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "app.workers.sealer"]
NAME = "stemma/process"


def environment(database: Database, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "STEMMA_SEAL_DATABASE_URL": database.url("stemma_seal"),
        "STEMMA_SEAL_KEY": str(folder / "seal.key"),
        "STEMMA_CHECKPOINTS": os.pathsep.join([str(folder / "one"), str(folder / "two")]),
    }


@pytest.fixture
def key(tmp_path: Path) -> str:
    made = subprocess.run(
        [*COMMAND, "--make-key", tmp_path / "seal.key", "--name", NAME], cwd=ROOT, capture_output=True, text=True
    )
    assert (made.returncode, made.stderr) == (0, "")
    return made.stdout.strip()


@contextmanager
def running(database: Database, folder: Path) -> Iterator[subprocess.Popen[str]]:
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            COMMAND, cwd=ROOT, env=environment(database, folder), stdout=log, stderr=log, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


async def scanned_and_sealed(database: Database, *, within_s: float) -> seal.SealProof | None:
    async with connected(database.url("stemma_app")) as app:
        number = await deeds.keep_scan(app, "anything")
        return await seal.wait_for_seal(app, number=number, within_s=within_s)


async def test_it_seals_within_a_second_and_ends_when_told(fresh_database: Database, tmp_path: Path, key: str) -> None:
    clock = asyncio.get_running_loop().time
    with running(fresh_database, tmp_path) as process:
        assert await scanned_and_sealed(fresh_database, within_s=20) is not None
        began = clock()
        assert await scanned_and_sealed(fresh_database, within_s=5) is not None
        assert clock() - began < 1.0
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 0
    async with connected(fresh_database.url("stemma_report")) as report:
        found = await verify_database(report, keys=[Key.parse(key)])
        assert (found.findings, found.unsealed, found.verdict) == ([], 0, Verdict.PROVED)
    for folder in ("one", "two"):
        assert len(list((tmp_path / folder).glob("*/*.txt"))) == found.checkpoints


async def test_killed_or_cut_off_it_goes_on_where_it_was(fresh_database: Database, tmp_path: Path, key: str) -> None:
    for _ in range(2):
        with running(fresh_database, tmp_path) as process:
            assert await scanned_and_sealed(fresh_database, within_s=20) is not None
            async with connected(fresh_database.admin_url) as admin:
                await admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'stemma-sealer' AND datname = current_database()"
                )
            assert await scanned_and_sealed(fresh_database, within_s=20) is not None
            process.kill()
            process.wait()
        async with connected(fresh_database.url("stemma_app")) as app:
            await deeds.keep_scan(app, "while nobody seals")
            assert (await seal.seal_lag(app)).waiting_count == 1
    once = await sealer.seal_once(
        fresh_database.url("stemma_seal"), key=sealer.read_key(tmp_path / "seal.key"), outside=[]
    )
    async with connected(fresh_database.url("stemma_report")) as report:
        found = await verify_database(report, keys=[Key.parse(key)])
        assert (found.findings, found.unsealed, found.verdict, found.size) == ([], 0, Verdict.PROVED, once)


async def test_a_second_one_waits_and_takes_over(fresh_database: Database, tmp_path: Path, key: str) -> None:
    with running(fresh_database, tmp_path) as first:
        assert await scanned_and_sealed(fresh_database, within_s=20) is not None
        with running(fresh_database, tmp_path) as second:
            assert await scanned_and_sealed(fresh_database, within_s=20) is not None
            assert second.poll() is None
            first.kill()
            first.wait()
            assert await scanned_and_sealed(fresh_database, within_s=20) is not None


def test_what_is_not_set_or_wrong_is_said_and_ends_it(fresh_database: Database, tmp_path: Path, key: str) -> None:
    complete = environment(fresh_database, tmp_path)
    for missing in ("STEMMA_SEAL_DATABASE_URL", "STEMMA_SEAL_KEY"):
        without = {name: value for name, value in complete.items() if name != missing}
        ended = subprocess.run(COMMAND, cwd=ROOT, env=without, capture_output=True, text=True)
        assert ended.returncode == 2
        assert missing in ended.stderr
    (tmp_path / "seal.key").chmod(0o644)
    ended = subprocess.run(COMMAND, cwd=ROOT, env=complete, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "others can read" in ended.stderr
