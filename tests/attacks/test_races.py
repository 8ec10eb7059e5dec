"""0 illegal releases in 2,000 races of each kind; with the locks taken away the same races find some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks.races import Outcome, Racer, line_up, line_up_again, run, run_revocations
from tests.attacks.staged import Stage, staged

if TYPE_CHECKING:
    from tests.conftest import Database

RACES = 2_000
FEW = 120
SECOND_SIGNER = "a second signer"
MARKER = "a positive marker"
FACTS = ("a failing result", MARKER, "a new deviation", "a revoked appointment")
KINDS = (*FACTS, SECOND_SIGNER)
TWICE = "SELECT count(*) FROM (SELECT lot_id FROM lab.releases GROUP BY lot_id HAVING count(*) > 1) AS twice"


async def race(stage: Stage, racers: list[Racer], kind: str, *, seed: int = 1) -> Outcome:
    """All lots raced for in one kind, from a clean start."""
    await line_up_again(stage)
    if kind == "a revoked appointment":
        return await run_revocations(stage, racers, seed=seed)
    return await run(stage, racers, kind, seed=seed)


async def races_until_illegal(stage: Stage, racers: list[Racer], kind: str) -> Outcome:
    """Races of one kind until some of a round were illegal, at most five rounds: how they meet is left to chance."""
    outcome = await race(stage, racers, kind)
    for seed in range(2, 6):
        if outcome.illegal:
            break
        outcome = await race(stage, racers, kind, seed=seed)
    return outcome


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
            if kind != SECOND_SIGNER:
                assert outcome.refused > RACES / 50, "the fact hardly ever came first: this was no race"
            assert await stage.hand.fetchval(TWICE) == 0


# --- with teeth -------------------------------------------------------------------------------------------------------

STATES = "the lock of who states a fact"
JUDGES = "the locks of who judges"
MOVES = "the table of moves"
LOOK_BACK = "the look-back"
NO_LOCKS = {STATES: "lab.lock_one", JUDGES: "lab.lock_for_judgement"}
RELEASE_AGAIN = (
    "INSERT INTO lab.lot_moves (kind, from_state, act, to_state, towards_use)"
    " SELECT kind, to_state, act, to_state, towards_use FROM lab.lot_moves"
    " WHERE act = 'release' AND from_state = 'awaiting_release' RETURNING kind"
)


async def take_away(stage: Stage, defence: str) -> None:
    """A lock is asked for and not taken; or a released lot may be released; or a marker holds nothing downstream."""
    if defence == MOVES:
        assert await stage.value(RELEASE_AGAIN)
        return
    if defence == LOOK_BACK:
        await stage.hand.execute("DROP TRIGGER y_comes_to_light ON lab.marker_results")
        return
    source = await stage.hand.fetchval(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE oid::regproc::text = $1", NO_LOCKS[defence]
    )
    assert "BEGIN\n" in source
    await stage.hand.execute(source.replace("BEGIN\n", "BEGIN RETURN;\n", 1))


@pytest.mark.parametrize("lock", NO_LOCKS)
async def test_without_the_locks_there_are_illegal_releases(lock: str, fresh_database: Database) -> None:
    """Either lock, taken away alone, lets every fact come too late to be seen; a marker, once it holds nothing either."""
    async with staged(fresh_database) as stage:
        racers = await line_up(stage, FEW)
        await take_away(stage, lock)
        outcome = await race(stage, racers, MARKER)
        assert outcome.illegal == 0, outcome
        await take_away(stage, LOOK_BACK)
        for kind in FACTS:
            outcome = await races_until_illegal(stage, racers, kind)
            assert outcome.illegal > 0, outcome


async def test_without_the_look_back_the_locks_suffice(fresh_database: Database) -> None:
    """The other way round: a marker that holds nothing is still seen by who releases."""
    async with staged(fresh_database) as stage:
        racers = await line_up(stage, FEW)
        await take_away(stage, LOOK_BACK)
        outcome = await race(stage, racers, MARKER)
        assert outcome.illegal == 0, outcome
        assert min(outcome.released, outcome.refused) > 0, "this was no race"
        assert await stage.hand.fetchval("SELECT count(*) FROM lab.holds") == 0
        await take_away(stage, STATES)
        outcome = await races_until_illegal(stage, racers, MARKER)
        assert outcome.illegal > 0, outcome


@pytest.mark.parametrize(("first", "then"), [(JUDGES, MOVES), (MOVES, JUDGES)], ids=["locks", "moves"])
async def test_a_second_signer_meets_two_defences(first: str, then: str, fresh_database: Database) -> None:
    """With the locks the second reads a changed dossier; without them the lot's state has no such move. Each suffices."""
    async with staged(fresh_database) as stage:
        racers = await line_up(stage, FEW)
        await take_away(stage, first)
        outcome = await race(stage, racers, SECOND_SIGNER)
        assert (outcome.released, outcome.illegal) == (FEW, 0), outcome
        assert await stage.hand.fetchval(TWICE) == 0
        await take_away(stage, then)
        outcome = await races_until_illegal(stage, racers, SECOND_SIGNER)
        assert outcome.illegal > 0, outcome
        assert await stage.hand.fetchval(TWICE) == outcome.illegal
