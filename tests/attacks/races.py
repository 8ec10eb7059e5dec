"""Races at the gate: a fact that forbids a release, and the release, at once, through the SQL that the service uses.

The release asks once more, just before it commits, whether the fact is committed already: a release that then commits
is illegal, for the fact stood before it. What the fact's own transaction sees of the release does not matter.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg

from tests.attacks.staged import triggers_asleep
from tests.world import ARRANGING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from tests.attacks.staged import Stage

PAIRS = 8
THINK_S = 0.003
# Everything that a release needs is made beforehand, so that a race is the race and nothing else.
PREPARE = """
SELECT made.id, first.id AS ceremony, second.id AS second, j.id AS judgement, made.donor_id, made.sample_id, made.line_id, made.result_id
FROM (
    SELECT l.id, l.donor_id, s.id AS sample_id, r.line_id, r.id AS result_id, dossier.lot(l.id) AS bytes
    FROM lab.lots l JOIN lab.samples s ON s.lot_id = l.id
    JOIN LATERAL (SELECT * FROM lab.results WHERE lot_id = l.id AND value_text = 'no growth') AS r ON true WHERE l.id = ANY ($1::bigint[]) OFFSET 0
) AS made, LATERAL pg_temp.ceremony_of(made.id, made.bytes) AS first(id), LATERAL pg_temp.ceremony_of(made.id, made.bytes) AS second(id),
    LATERAL pg_temp.judgement_of(made.id, made.bytes) AS j(id)
"""
FUNCTIONS = """
CREATE FUNCTION pg_temp.ceremony_of(p_lot bigint, p_bytes text) RETURNS uuid LANGUAGE sql AS $$
    INSERT INTO people.ceremonies (account_id, meaning, record_kind, record_id, record_version, digest, factors, expires_at)
    VALUES (pg_temp.who('lin'), 'released', 'lot', p_lot, 4, audit.sha256_hex(p_bytes), '{password,totp}', clock_timestamp() + interval '4 minutes 50 seconds')
    RETURNING id $$;
CREATE FUNCTION pg_temp.judgement_of(p_lot bigint, p_bytes text) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO lab.judgements (subject_kind, subject_id, gate, rulebook, dossier, digest, verdicts, blocks, recorded_by)
    VALUES ('lot', p_lot, 'G6', 'race', p_bytes, audit.sha256_hex(p_bytes), '[]', false, pg_temp.who('lin')) RETURNING id $$;
"""


@dataclass(frozen=True)
class Racer:
    """A lot about to be released, and what may be said against it."""

    lot: int
    ceremony: UUID
    second: UUID
    judgement: int
    donor: int
    sample: int
    line: int
    result: int


@dataclass
class Outcome:
    """How races of one kind ended. `illegal`: released although the fact was committed before."""

    kind: str
    released: int = 0
    refused: int = 0
    illegal: int = 0
    states: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{self.kind}: {self.released} released first, {self.refused} refused, {self.illegal} illegal, {dict(self.states)}"


async def line_up(stage: Stage, count: int) -> list[Racer]:
    """So many lots awaiting release, each with two live ceremonies and an honest judgement of its very bytes."""
    async with triggers_asleep(stage.hand):
        return await line_up_audited(stage, count)


async def line_up_audited(stage: Stage, count: int) -> list[Racer]:
    """The same with every row's audit: slower, and clean before the verifier."""
    await stage.hand.execute("SET plan_cache_mode = force_generic_plan")
    await stage.hand.execute(FUNCTIONS)
    lots = await stage.lots(count, whole=False)
    await stage.hand.execute("ANALYZE")
    async with stage.hand.transaction():
        await stage.hand.execute(ARRANGING)
        racers = [Racer(*row.values()) for row in await stage.hand.fetch(PREPARE, lots)]
    assert len(racers) == count, "each lot races once in a kind"
    return racers


# As if no race had been run: the same lots stand before the gate again, with ceremonies and judgements of this minute.
AGAIN = """
DELETE FROM lab.results WHERE value_text = 'growth';
DELETE FROM lab.marker_results WHERE outcome = 'positive';
DELETE FROM lab.impact_facts;
DELETE FROM lab.impact_items;
DELETE FROM lab.impacts;
DELETE FROM lab.holds;
DELETE FROM lab.deviations;
UPDATE lab.lots SET state = 'awaiting_release', version = 4 WHERE state = 'released';
DELETE FROM lab.lot_history WHERE to_state = 'released';
DELETE FROM lab.releases;
UPDATE people.appointments SET revoked_at = NULL, revoked_signature_id = NULL;
DELETE FROM lab.signatures WHERE meaning IN ('released', 'appointment_revoked');
UPDATE people.ceremonies SET issued_at = clock_timestamp(), expires_at = clock_timestamp() + interval '4 minutes 50 seconds', used_at = NULL
WHERE meaning = 'released';
UPDATE lab.judgements SET recorded_at = clock_timestamp();
ANALYZE;
"""
# What an earlier race left behind would refuse a release without any race; some lots drawn by lot are looked at.
LEFT_BEHIND = """
SELECT count(*) FROM (SELECT subject_id, dossier FROM lab.judgements WHERE rulebook = 'race' ORDER BY random() LIMIT 60) AS j
WHERE j.dossier IS DISTINCT FROM dossier.lot(j.subject_id)
"""


async def line_up_again(stage: Stage) -> None:
    """Undo all races, so that the same lots can be raced for in another kind."""
    async with triggers_asleep(stage.hand):
        await stage.hand.execute(AGAIN)
    assert await stage.hand.fetchval(LEFT_BEHIND) == 0, "an earlier race left something behind"


class Lane:
    """Two connections of the application: one releases, the other says what forbids it."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.random = random.Random(seed)
        self.hesitates_s = THINK_S * 3 ** (seed // 1000 - 1)
        self.release: asyncpg.Connection
        self.fact: asyncpg.Connection

    async def open(self) -> None:
        self.release, self.fact = [await self.stage.as_role("stemma_app") for _ in range(2)]
        for connection in (self.release, self.fact):
            await connection.execute("SET plan_cache_mode = force_generic_plan")

    async def close(self) -> None:
        await self.release.close()
        await self.fact.close()

    async def think(self, up_to_s: float = THINK_S) -> None:
        await asyncio.sleep(self.random.random() * up_to_s)

    async def releasing(self, racer: Racer, ceremony: UUID, known: str, connection: asyncpg.Connection) -> str:
        """Sign the release; 'released', 'illegal', or the state with which it was refused."""
        lin = self.stage.id_of("lin")
        await self.think()
        try:
            async with connection.transaction():
                await connection.execute(
                    f"SELECT audit.open({lin}, 'lin', '', 'release_lot', '', '', 'race', NULL, NULL, NULL)"
                )
                await connection.fetchrow(
                    "SELECT * FROM gate.release($1, $2, $3)", racer.lot, ceremony, racer.judgement
                )
                await self.think()
                stood = bool(known) and await connection.fetchval(known, racer.lot)
        except asyncpg.PostgresError as error:
            return error.sqlstate or "unknown"
        return "illegal" if stood else "released"

    async def stating(self, statement: str, who: str, *values: Any) -> str:
        """Commit the fact; 'stated', or the state with which it was refused. Later in later rounds of a race."""
        await self.think(self.hesitates_s)
        try:
            async with self.fact.transaction():
                account = self.stage.id_of(who)
                await self.fact.execute(
                    f"SELECT audit.open({account}, '{who}', '', 'race', '', '', 'race', NULL, NULL, NULL)"
                )
                await self.fact.fetch(statement, *values)
                await self.think()
        except asyncpg.PostgresError as error:
            return error.sqlstate or "unknown"
        return "stated"


FAILING = (
    "INSERT INTO lab.results (lot_id, sample_id, line_id, value_text, method_version, analyst, measured_at, recorded_by)"
    " VALUES ($1, $2, $3, 'growth', 'SOP/1', $4, clock_timestamp(), $4)"
)
POSITIVE = (
    "INSERT INTO lab.marker_results (donor_id, analyte, marker, method, kit_lot, laboratory, sampled_at, reported_at, outcome, recorded_by)"
    " VALUES ($1, 'HIV', 'HIV NAT', 'PCR', 'K', 'L', clock_timestamp(), clock_timestamp(), 'positive', $2)"
)
DEVIATION = "INSERT INTO lab.deviations (number, item_id, what, class, rules, recorded_by) VALUES ('DV-' || nextval('lab.deviation_numbers'), $1, 'x', 'major', '{}', $2)"
KNOWN = {
    "a failing result": "SELECT EXISTS (SELECT FROM lab.results WHERE lot_id = $1 AND value_text = 'growth')",
    "a positive marker": (
        "SELECT EXISTS (SELECT FROM lab.marker_results m JOIN lab.lots l ON l.donor_id = m.donor_id WHERE l.id = $1 AND m.outcome = 'positive')"
    ),
    "a new deviation": "SELECT EXISTS (SELECT FROM lab.deviations WHERE item_id = $1)",
    "a revoked appointment": (
        "SELECT $1::bigint > 0 AND NOT EXISTS (SELECT FROM people.appointments WHERE revoked_at IS NULL)"
    ),
}


async def one_race(lane: Lane, racer: Racer, kind: str) -> tuple[str, str]:
    """What became of the release and of the fact."""
    ana, lot = lane.stage.id_of("ana"), racer.lot
    match kind:
        case "a failing result":
            fact = lane.stating(FAILING, "ana", lot, racer.sample, racer.line, ana)
        case "a positive marker":
            fact = lane.stating(POSITIVE, "ana", racer.donor, ana)
        case "a new deviation":
            fact = lane.stating(DEVIATION, "tess", lot, lane.stage.id_of("tess"))
        case _:
            fact = lane.releasing(racer, racer.second, "", lane.fact)
    release = lane.releasing(racer, racer.ceremony, KNOWN.get(kind, ""), lane.release)
    said, stated = await asyncio.gather(release, fact)
    return said, stated


async def run(stage: Stage, racers: list[Racer], kind: str, *, seed: int = 1) -> Outcome:
    """All of these races, eight pairs at a time."""
    outcome = Outcome(kind)
    waiting = iter(racers)

    async def race(lane: Lane) -> None:
        for racer in waiting:
            said, stated = await one_race(lane, racer, kind)
            if kind == "a second signer" and stated == "released":
                said, stated = ("illegal" if said == "released" else "released"), said
            count(outcome, said, stated)

    await _in_lanes(stage, race, seed)
    return outcome


def count(outcome: Outcome, said: str, stated: str) -> None:
    """Keep how one race ended. A fact that was refused forbids nothing, and counts as if it had not come."""
    outcome.states[f"{said}/{stated}"] += 1
    if said == "released":
        outcome.released += 1
    elif said == "illegal":
        outcome.illegal += 1
    else:
        outcome.refused += 1


async def _in_lanes(stage: Stage, race: Callable[[Lane], Awaitable[None]], seed: int) -> None:
    lanes = [Lane(stage, seed * 1000 + number) for number in range(PAIRS)]
    for lane in lanes:
        await lane.open()
    try:
        await asyncio.gather(*(race(lane) for lane in lanes))
    finally:
        for lane in lanes:
            await lane.close()


async def run_revocations(stage: Stage, racers: list[Racer], *, seed: int = 1) -> Outcome:
    """The one appointment is revoked while eight lots are being signed; then it is made again for the next eight."""
    outcome = Outcome("a revoked appointment")
    lanes = [Lane(stage, seed * 1000 + number) for number in range(PAIRS)]
    for lane in lanes:
        await lane.open()
    try:
        for first in range(0, len(racers), PAIRS):
            standing = await _standing(stage)
            heat = racers[first : first + PAIRS]
            said = await asyncio.gather(
                *(
                    lane.releasing(racer, racer.ceremony, KNOWN[outcome.kind], lane.release)
                    for lane, racer in zip(lanes, heat, strict=False)
                ),
                _revoked(lanes[0], standing),
            )
            for each in said[:-1]:
                count(outcome, each, said[-1])
    finally:
        for lane in lanes:
            await lane.close()
    return outcome


async def _standing(stage: Stage) -> tuple[int, UUID]:
    """The appointment, standing (again), and a live ceremony of Quinn's to revoke it."""
    appointment = await stage.value(
        "UPDATE people.appointments SET revoked_at = NULL, revoked_signature_id = NULL RETURNING id"
    )
    return appointment, await stage.ceremony("quinn", "appointment_revoked", "appointment", appointment)


async def _revoked(lane: Lane, standing: tuple[int, UUID]) -> str:
    appointment, ceremony = standing
    return await lane.stating("SELECT gate.revoke_appointment($1, $2)", "quinn", appointment, ceremony)
