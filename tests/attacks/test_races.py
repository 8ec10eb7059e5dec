"""0 illegal releases in 2,000 races of each kind; with the locks taken away the same races find some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks.races import Outcome, Racer, line_up, line_up_again, run, run_revocations
from tests.attacks.staged import Stage, staged

if TYPE_CHECKING:
    from tests.conftest import Database

RACES = 2_000
KINDS = ("a failing result", "a positive marker", "a new deviation", "a second signer", "a revoked appointment")
TWICE = "SELECT count(*) FROM (SELECT lot_id FROM lab.releases GROUP BY lot_id HAVING count(*) > 1) AS twice"


async def race(stage: Stage, racers: list[Racer], kind: str) -> Outcome:
    """All lots raced for in one kind, from a clean start."""
    await line_up_again(stage)
    return await (run_revocations(stage, racers) if kind == "a revoked appointment" else run(stage, racers, kind))


async def test_no_illegal_release(fresh_database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    async with staged(fresh_database) as stage:
        racers = await line_up(stage, RACES)
        for kind in KINDS:
            outcome = await race(stage, racers, kind)
            with capsys.disabled():
                print(f"\n{outcome}")
            assert outcome.illegal == 0
            assert outcome.released + outcome.refused == RACES
            assert outcome.released > RACES / 50, "the release hardly ever came first: this was no race"
            if kind != "a second signer":
                assert outcome.refused > RACES / 50, "the fact hardly ever came first: this was no race"
            assert await stage.hand.fetchval(TWICE) == 0


NO_LOCKS = {"the lock of who states a fact": "lab.lock_one", "the locks of who judges": "lab.lock_for_judgement"}


@pytest.mark.parametrize("lock", NO_LOCKS)
async def test_without_the_locks_there_are_illegal_releases(lock: str, fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        racers = await line_up(stage, 120)
        source = await stage.hand.fetchval(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE oid::regproc::text = $1", NO_LOCKS[lock]
        )
        assert "BEGIN\n" in source
        await stage.hand.execute(source.replace("BEGIN\n", "BEGIN RETURN;\n", 1))
        for kind in ("a failing result", "a positive marker", "a revoked appointment"):
            outcome = await race(stage, racers, kind)
            assert outcome.illegal > 0, outcome
