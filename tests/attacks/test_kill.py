"""kill -9 of the database and of the application under load: what was answered is there, and nothing happened twice."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import asyncpg
import pytest

from app.db.verify import verify_database
from tests.attacks.crashes import CHANGES, SCANS, Load, Victim, make_victim
from tests.attacks.races import line_up_audited
from tests.attacks.staged import staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CYCLES = 10
LOTS = 100
WORK_S = 0.6
ANSWERS = 40


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """A server of this module's own: it is killed."""
    root: Path = tmp_path_factory.mktemp("crash")
    made = make_victim(root)
    try:
        yield made
    finally:
        made.kill_application()
        made.postgres.remove()


async def test_nothing_answered_is_lost(victim: Victim, capsys: pytest.CaptureFixture[str]) -> None:
    victim.start_application()
    await victim.wait_until_up()
    load = Load(victim)
    await load.sign_in("tess", "quinn")
    async with load.client() as http:
        first = load.another("change")
        await load.ask(http, first)
        assert first.answer is not None
        load.code = first.answer["code"]
    async with staged(victim) as stage:
        load.to_release = await line_up_audited(stage, LOTS)
    for cycle in range(CYCLES):
        stop = asyncio.Event()
        workers = [asyncio.create_task(load.work(kind, stop)) for kind in ["scan"] * SCANS + ["change"] * CHANGES]
        workers.append(asyncio.create_task(load.release(stop)))
        before = load.answered
        for _ in range(40):  # until the load is a load, on a slow machine too
            await asyncio.sleep(WORK_S / 4)
            if load.answered - before > ANSWERS:
                break
        # By turns the server, the application, and both at once.
        if cycle % 3 != 1:
            victim.postgres.kill()
        if cycle % 3 != 0:
            victim.kill_application()
        stop.set()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        victim.restart_postgres()
        hand = await asyncpg.connect(victim.admin_url)
        assert await load.lost(hand) == [], cycle
        if victim.process is None:
            victim.start_application()
        await victim.wait_until_up()
        await load.ask_again()
        assert await load.lost(hand) == [], cycle
        await hand.close()
    report = await asyncpg.connect(victim.url("stemma_report"))
    found = await verify_database(report)
    await report.close()
    assert found.findings == []
    assert load.answered > CYCLES * ANSWERS
    assert load.released
    with capsys.disabled():
        print(
            f"\n{CYCLES} kills: 0 lost of {load.answered} answers and {len(load.released)} releases; {found.entries} entries, {found.scans} scans verified"
        )


WRITE = "INSERT INTO lab.refusals (kind, act, subject, what, why, remedy, detail) VALUES ('k', 'a', $1, 'w', 'w', 'r', '{}')"


async def _write(victim: Victim, kept: list[str], start: int) -> None:
    """Commit as fast as the server answers, and remember what it said was committed."""
    connection = await asyncpg.connect(victim.url("stemma_app"))
    await connection.execute("SET synchronous_commit = off")
    number = start
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        while True:
            number += 1
            async with connection.transaction():
                await connection.execute("SELECT audit.open(NULL, 'writer', '', 'a', '', '', '', NULL, NULL, NULL)")
                await connection.execute(WRITE, f"write {number}")
            kept.append(f"write {number}")
    connection.terminate()


async def _losses(victim: Victim) -> tuple[int, int]:
    """Writers with durability off, a kill, a restart: how many writes were acknowledged, and how many of them are gone."""
    kept: list[str] = []
    writers = [asyncio.create_task(_write(victim, kept, start * 1_000_000)) for start in range(4)]
    await asyncio.sleep(0.7)
    await asyncio.to_thread(victim.postgres.kill)
    await asyncio.gather(*writers, return_exceptions=True)
    victim.restart_postgres()
    hand = await asyncpg.connect(victim.admin_url)
    there = {row["subject"] for row in await hand.fetch("SELECT subject FROM lab.refusals WHERE kind = 'k'")}
    await hand.close()
    return len(kept), len(set(kept) - there)


async def test_without_the_assertion_durability_is_lost(victim: Victim) -> None:
    """Teeth. With it, a writer that turned durability off gets no acknowledgement at all."""
    victim.kill_application()
    assert await _losses(victim) == (0, 0)
    hand = await asyncpg.connect(victim.admin_url)
    await hand.execute("ALTER TABLE audit.entries DISABLE TRIGGER z_must_be_durable")
    await hand.close()
    for _ in range(5):
        acknowledged, lost = await _losses(victim)
        assert acknowledged > 0
        if lost:
            return
    pytest.fail("five kills with durability off lost nothing: this harness would not notice a loss")
