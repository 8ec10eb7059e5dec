"""0 illegal releases in 2,000 races of each kind; with the locks taken away the same races find some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks.races import line_up, run, run_revocations
from tests.attacks.staged import Stage, staged
from tests.attacks.test_teeth import Cut

if TYPE_CHECKING:
    from tests.conftest import Database

RACES = 2_000
KINDS = ("a failing result", "a positive marker", "a new deviation", "a second signer", "a revoked appointment")
HEAT = 500  # ceremonies live for minutes only, so lots are lined up a heat at a time


async def races(stage: Stage, kind: str, count: int) -> list[str]:
    """Run them all and answer what was illegal, with a line that says how they ended."""
    illegal, released, refused = 0, 0, 0
    states: dict[str, int] = {}
    for heat in range(0, count, HEAT):
        racers = await line_up(stage, min(HEAT, count - heat))
        run_kind = run_revocations(stage, racers, seed=heat) if kind == "a revoked appointment" else run(stage, racers, kind, seed=heat)
        outcome = await run_kind
        illegal, released, refused = illegal + outcome.illegal, released + outcome.released, refused + outcome.refused
        states = {state: states.get(state, 0) + outcome.states.get(state, 0) for state in states | outcome.states}
    print(f"{kind}: {illegal} illegal in {count} races, {released} released first, {refused} refused, {states}")
    return ["illegal"] * illegal + ["released"] * released + ["refused"] * refused


@pytest.mark.parametrize("kind", KINDS)
async def test_no_illegal_release(kind: str, fresh_database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    async with staged(fresh_database) as stage:
        with capsys.disabled():
            ended = await races(stage, kind, RACES)
        assert len(ended) == RACES
        assert ended.count("illegal") == 0
        assert ended.count("released") > RACES / 50, "the release hardly ever came first: this was no race"
        if kind != "a second signer":
            assert ended.count("refused") > RACES / 50, "the fact hardly ever came first: this was no race"
        twice = "SELECT count(*) FROM (SELECT lot_id FROM lab.releases GROUP BY lot_id HAVING count(*) > 1) AS twice"
        assert await stage.hand.fetchval(twice) == 0


NO_LOCKS = {
    "the lock of who states a fact": (Cut("lab.lock_root", "BEGIN\n", "BEGIN RETURN NEW;\n"),),
    "the locks of who judges": (Cut("lab.lock_for_judgement", "BEGIN\n", "BEGIN RETURN;\n"),),
}


@pytest.mark.parametrize("lock", NO_LOCKS)
@pytest.mark.parametrize("kind", ["a failing result", "a positive marker", "a revoked appointment"])
async def test_without_the_locks_there_are_illegal_releases(kind: str, lock: str, fresh_database: Database) -> None:
    async with staged(fresh_database) as stage:
        for cut in NO_LOCKS[lock]:
            source = await stage.hand.fetchval("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE oid::regproc::text = $1", cut.function)
            assert cut.words in source
            await stage.hand.execute(source.replace(cut.words, cut.instead, 1))
        ended = await races(stage, kind, 160)
        assert ended.count("illegal") > 0
