"""./stemma bench rules: what judging costs, against reading the same dossier in one query, and a look-back over many lots.

One lot is lived through over HTTP and then grown to so many results, steps, materials and deviations as a rich batch
record has. Judging it as the release page does is held against one query that only reads its dossier, in turns of the
same run. Then a donor's lot is copied many times over, its cells frozen, and a positive marker is reported over HTTP:
everything is named, judged anew and held when the answer comes. The application answers in this very process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
from rich.console import Console
from sqlalchemy import event

from app.db import judging
from app.db.embedded import EmbeddedPostgres
from app.domain.acts import Act, Actor, Role
from app.domain.rulebook import Gate
from app.stage import VAR
from labels.codes import CodeKind, new_code
from tests import life, world
from tests.conftest import Database
from tests.world import ok

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STATEMENTS_MOST = 6
RATIO_MOST = 5.0
LOOKBACK_S = 5.0
LOTS = 1_000
ROUNDS = 60
RESULTS, STEPS, MATERIALS, DEVIATIONS = 60, 40, 30, 5
console = Console(stderr=True, highlight=False)

# A rich batch record: what the lived lot has, some more times. Row triggers are off meanwhile: it is no laboratory.
RICHER = (
    """INSERT INTO lab.steps (lot_id, kind, passage, performed_by, verified_by, workstation_session_id, started_at, ended_at,
           happened_anyway, viable_seeded, viable_harvested, dead_harvested, viability_percent, pd, cpdl, parameters, recorded_by, recorded_at)
       SELECT lot_id, kind, passage, performed_by, verified_by, workstation_session_id, started_at, ended_at, happened_anyway,
           viable_seeded, viable_harvested, dead_harvested, viability_percent, pd, cpdl, parameters, recorded_by, recorded_at
       FROM lab.steps s, generate_series(1, {steps}) n WHERE s.lot_id = {lot} ORDER BY n LIMIT greatest({steps} - (SELECT count(*) FROM lab.steps WHERE lot_id = {lot}), 0)""",
    """INSERT INTO lab.verifications (lot_id, step_id, verified_by, badge_id, scanned_item_id, scanned, recorded_by, recorded_at)
       SELECT s.lot_id, s.id, v.verified_by, v.badge_id, v.scanned_item_id, v.scanned, v.recorded_by, v.recorded_at FROM lab.steps s,
           (SELECT * FROM lab.verifications WHERE lot_id = {lot} AND step_id IS NOT NULL LIMIT 1) v
       WHERE s.lot_id = {lot} AND NOT EXISTS (SELECT FROM lab.verifications x WHERE x.step_id = s.id)""",
    """INSERT INTO lab.results (lot_id, sample_id, line_id, value_number, value_text, unit, method_version, instrument, analyst, measured_at, recorded_by)
       SELECT lot_id, sample_id, line_id, value_number, value_text, unit, method_version, instrument, analyst, measured_at, recorded_by
       FROM lab.results r, generate_series(1, {results}) n WHERE r.lot_id = {lot} ORDER BY n LIMIT greatest({results} - (SELECT count(*) FROM lab.results WHERE lot_id = {lot}), 0)""",
    """INSERT INTO lab.result_reviews (result_id, decision, remarks, signature_id, recorded_by)
       SELECT r.id, v.decision, v.remarks, v.signature_id, v.recorded_by FROM lab.results r,
           (SELECT v.* FROM lab.result_reviews v JOIN lab.results x ON x.id = v.result_id WHERE x.lot_id = {lot} LIMIT 1) v
       WHERE r.lot_id = {lot} AND NOT EXISTS (SELECT FROM lab.result_reviews x WHERE x.result_id = r.id)""",
    """CREATE TEMP TABLE more_materials AS SELECT n, nextval(pg_get_serial_sequence('lab.items', 'id')) AS lot,
           nextval(pg_get_serial_sequence('lab.items', 'id')) AS bottle, (SELECT id FROM lab.material_lots WHERE id IN (
               SELECT material_lot_id FROM lab.consumptions WHERE lot_id = {lot}) ORDER BY id LIMIT 1) AS of
       FROM generate_series(1, {materials} - (SELECT count(DISTINCT material_lot_id) FROM lab.consumptions WHERE lot_id = {lot})) n""",
    """INSERT INTO lab.items (id, kind) OVERRIDING SYSTEM VALUE SELECT lot, 'lot' FROM more_materials UNION ALL SELECT bottle, 'container' FROM more_materials""",
    """INSERT INTO lab.lots (id, name, kind, state, version, recorded_by) SELECT t.lot, 'MAT-R' || t.n, l.kind, l.state, l.version, l.recorded_by
       FROM more_materials t JOIN lab.lots l ON l.id = t.of""",
    """INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, release_id, signature_id, recorded_by, recorded_at)
       SELECT t.lot, h.seq, h.kind, h.from_state, h.act, h.to_state, h.release_id, h.signature_id, h.recorded_by, h.recorded_at
       FROM more_materials t JOIN lab.lot_history h ON h.lot_id = t.of""",
    """INSERT INTO lab.material_lots SELECT (jsonb_populate_record(m, jsonb_build_object('id', t.lot))).* FROM more_materials t JOIN lab.material_lots m ON m.id = t.of""",
    """INSERT INTO lab.containers (id, lot_id, kind, state, recorded_by) SELECT bottle, lot, 'bottle', 'in_use', (SELECT min(id) FROM people.accounts) FROM more_materials""",
    """INSERT INTO lab.consumptions (step_id, lot_id, container_id, material_lot_id, quantity, unit, used_at, recorded_by)
       SELECT u.step_id, u.lot_id, t.bottle, t.lot, u.quantity, u.unit, u.used_at, u.recorded_by FROM more_materials t,
           (SELECT * FROM lab.consumptions WHERE lot_id = {lot} ORDER BY id LIMIT 1) u""",
    """INSERT INTO lab.deviations (number, item_id, what, class, impact, assessment, rules, state, version, closed_signature_id, closed_at, recorded_by)
       SELECT 'DV-R-' || n, {lot}, 'a label was torn', 'minor', 'acceptable', 'no contact', '{{}}', 'closed', 2, (SELECT id FROM lab.signatures s WHERE n >= 0 ORDER BY id OFFSET n LIMIT 1), clock_timestamp(),
           (SELECT min(id) FROM people.accounts) FROM generate_series(1, {deviations}) n""",
)

# The same lot so many times more, of the same donation, with cells of its own.
COPIES = (
    """CREATE TEMP TABLE twin AS SELECT k, o.id AS old, nextval(pg_get_serial_sequence('lab.items', 'id')) AS new FROM generate_series(1, {lots}) k, (
           SELECT {lot}::bigint AS id UNION ALL SELECT id FROM lab.containers WHERE lot_id = {lot} UNION ALL SELECT id FROM lab.samples WHERE lot_id = {lot}
           UNION ALL SELECT id FROM lab.retains WHERE lot_id = {lot}) o""",
    "CREATE INDEX ON twin (old, k)",
    """CREATE TEMP TABLE step_twin AS SELECT k, s.id AS old, nextval(pg_get_serial_sequence('lab.steps', 'id')) AS new
       FROM generate_series(1, {lots}) k, lab.steps s WHERE s.lot_id = {lot}""",
    "CREATE INDEX ON step_twin (old, k)",
    """CREATE TEMP TABLE result_twin AS SELECT k, r.id AS old, nextval(pg_get_serial_sequence('lab.results', 'id')) AS new
       FROM generate_series(1, {lots}) k, lab.results r WHERE r.lot_id = {lot}""",
    "CREATE INDEX ON result_twin (old, k)",
    "ANALYZE twin, step_twin, result_twin",
    "INSERT INTO lab.items (id, kind) OVERRIDING SYSTEM VALUE SELECT t.new, i.kind FROM twin t JOIN lab.items i ON i.id = t.old",
    """INSERT INTO lab.lots SELECT (jsonb_populate_record(l, jsonb_build_object('id', t.new, 'name', l.name || '-' || t.k))).* FROM twin t JOIN lab.lots l ON l.id = t.old""",
    """INSERT INTO lab.lot_history (lot_id, seq, kind, from_state, act, to_state, release_id, signature_id, recorded_by, recorded_at)
       SELECT t.new, h.seq, h.kind, h.from_state, h.act, h.to_state, h.release_id, h.signature_id, h.recorded_by, h.recorded_at
       FROM twin t JOIN lab.lot_history h ON h.lot_id = t.old""",
    """INSERT INTO lab.steps OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(s, jsonb_build_object('id', y.new, 'lot_id', t.new))).*
       FROM step_twin y JOIN lab.steps s ON s.id = y.old JOIN twin t ON t.k = y.k AND t.old = {lot}""",
    """INSERT INTO lab.containers SELECT (jsonb_populate_record(c, jsonb_build_object('id', t.new, 'lot_id', l.new, 'step_id', y.new))).*
       FROM twin t JOIN lab.containers c ON c.id = t.old JOIN twin l ON l.k = t.k AND l.old = {lot} LEFT JOIN step_twin y ON y.k = t.k AND y.old = c.step_id""",
    """INSERT INTO lab.lineage (parent_id, child_id, step_id) SELECT coalesce(p.new, e.parent_id), t.new, y.new FROM twin t JOIN lab.lineage e ON e.child_id = t.old
       LEFT JOIN twin p ON p.k = t.k AND p.old = e.parent_id LEFT JOIN step_twin y ON y.k = t.k AND y.old = e.step_id""",
    """INSERT INTO lab.consumptions (step_id, lot_id, container_id, material_lot_id, quantity, unit, used_at, recorded_by)
       SELECT y.new, t.new, u.container_id, u.material_lot_id, u.quantity, u.unit, u.used_at, u.recorded_by
       FROM lab.consumptions u JOIN twin t ON t.old = u.lot_id LEFT JOIN step_twin y ON y.k = t.k AND y.old = u.step_id WHERE u.lot_id = {lot}""",
    """INSERT INTO lab.samples SELECT (jsonb_populate_record(s, jsonb_build_object('id', t.new, 'lot_id', l.new))).*
       FROM twin t JOIN lab.samples s ON s.id = t.old JOIN twin l ON l.k = t.k AND l.old = {lot}""",
    """INSERT INTO lab.retains SELECT (jsonb_populate_record(r, jsonb_build_object('id', t.new, 'lot_id', l.new))).*
       FROM twin t JOIN lab.retains r ON r.id = t.old JOIN twin l ON l.k = t.k AND l.old = {lot}""",
    """INSERT INTO lab.results OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(r, jsonb_build_object('id', y.new, 'lot_id', t.new, 'sample_id', s.new))).*
       FROM result_twin y JOIN lab.results r ON r.id = y.old JOIN twin t ON t.k = y.k AND t.old = {lot} JOIN twin s ON s.k = y.k AND s.old = r.sample_id""",
    """INSERT INTO lab.result_reviews (result_id, decision, remarks, signature_id, recorded_by)
       SELECT y.new, v.decision, v.remarks, v.signature_id, v.recorded_by FROM result_twin y JOIN lab.result_reviews v ON v.result_id = y.old""",
    """INSERT INTO lab.verifications (lot_id, step_id, verified_by, badge_id, scanned_item_id, scanned, recorded_by, recorded_at)
       SELECT t.new, y.new, v.verified_by, v.badge_id, v.scanned_item_id, v.scanned, v.recorded_by, v.recorded_at
       FROM step_twin y JOIN lab.verifications v ON v.step_id = y.old JOIN twin t ON t.k = y.k AND t.old = {lot}""",
    """INSERT INTO lab.labels (item_id, design, content_sha256, read_back, recorded_by, recorded_at)
       SELECT t.new, b.design, b.content_sha256, b.read_back, b.recorded_by, b.recorded_at FROM twin t JOIN lab.labels b ON b.item_id = t.old""",
    """INSERT INTO lab.label_counts (lot_id, printed, used, destroyed, returned, recorded_by, recorded_at)
       SELECT t.new, c.printed, c.used, c.destroyed, c.returned, c.recorded_by, c.recorded_at FROM twin t JOIN lab.label_counts c ON c.lot_id = t.old""",
)
UNCODED = "SELECT i.id FROM lab.items i WHERE NOT EXISTS (SELECT FROM lab.item_codes k WHERE k.item_id = i.id)"


@asynccontextmanager
async def quietly(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The superuser, with every row trigger off while the block lasts; codes are given to what has none."""
    connection = await asyncpg.connect(owner_url, server_settings={"session_replication_role": "replica"})
    triggers = await connection.fetch(
        "SELECT tgrelid::regclass::text AS tbl, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
    )
    for table in {each["tbl"] for each in triggers}:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    yield connection
    uncoded = [row[0] for row in await connection.fetch(UNCODED)]
    await connection.copy_records_to_table(
        "item_codes",
        schema_name="lab",
        columns=["code", "item_id", "scheme"],
        records=((new_code(CodeKind.LOT), item, "own") for item in uncoded),
    )
    for table in {each["tbl"] for each in triggers}:
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
    for each in triggers:
        await connection.execute(f'ALTER TABLE {each["tbl"]} ENABLE ALWAYS TRIGGER "{each["tgname"]}"')
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def judged_against_read(lab: world.Lab, *, lot: int, rounds: int) -> dict[str, Any]:
    """Judging as the release page does against one bare query of the dossier, in turns; how many statements it takes."""
    door = lab.app.state.house.door
    quinn = Actor(
        account_id=lab.id_of("quinn"),
        username="quinn",
        printed_name="Quinn",
        roles=frozenset({Role.QA_MANAGER}),
        session_id=None,
        device="bench",
    )
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    read_ms, judge_ms, kilobytes, verdicts = [], [], 0.0, 0
    async with door.read(quinn, Act.READ_LOT) as reading:
        engine = reading.connection.sync_engine
        for turn in range(-3, rounds):
            began = time.perf_counter()
            text = await reading.value("SELECT dossier.lot(:id)", id=lot)
            read_s = time.perf_counter() - began
            event.listen(engine, "before_cursor_execute", count)
            statements = 0
            began = time.perf_counter()
            _, judgement = await judging.judged(
                reading,
                kind="lot",
                subject_id=lot,
                gate=Gate.G6,
                at=await judging.now(reading),
                signer_id=quinn.account_id,
            )
            judge_s = time.perf_counter() - began
            event.remove(engine, "before_cursor_execute", count)
            if turn >= 0:
                read_ms.append(read_s * 1000)
                judge_ms.append(judge_s * 1000)
            kilobytes, verdicts = len(text) / 1000, len(judgement.verdicts)
    ratios = sorted(judge / read for judge, read in zip(judge_ms, read_ms, strict=True))
    return {
        "read_p50_ms": round(statistics.median(read_ms), 2),
        "judge_p50_ms": round(statistics.median(judge_ms), 2),
        "ratio": round(statistics.median(ratios), 2),
        "statements": statements,
        "verdicts": verdicts,
        "dossier_kilobytes": round(kilobytes, 1),
    }


def spent(server: int) -> float:
    """Processor seconds of this process and of the server's: what a busy machine does not stretch."""
    total, tick = time.process_time(), os.sysconf("SC_CLK_TCK")
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            rest = stat.read_text().rpartition(")")[2].split()
            if int(rest[1]) == server:
                total += sum(int(ticks) for ticks in rest[11:13]) / tick
    return total


async def looked_back(lab: world.Lab, lived: life.Life, *, lots: int) -> dict[str, Any]:
    """A positive marker of the donor behind so many lots: how long until all are named, judged anew and held."""
    positive = {**life.markers()[0], "outcome": "positive"}
    server = await lab.value("SELECT pg_backend_pid()")
    server = int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])
    worked, began = spent(server), time.perf_counter()
    ok(await lab.as_("ana").post(f"/donors/{lived.donor}/markers", {"markers": [positive]}))
    took, worked = time.perf_counter() - began, spent(server) - worked
    held = await lab.value(
        "SELECT count(*) FROM lab.lots l WHERE l.donor_id = $1 AND EXISTS"
        " (SELECT FROM lab.holds h WHERE h.item_id = l.id AND h.lifted_at IS NULL)",
        await lived.id(lived.donor),
    )
    judged = await lab.value("SELECT count(*) FROM lab.impact_verdicts")
    return {
        "lots": lots + 1,
        "held": held,
        "judged": judged,
        "seconds": round(took, 2),
        "cpu_seconds": round(worked, 2),
    }


async def _run(database: Database, *, lots: int, rounds: int) -> dict[str, Any]:
    async with world.open_lab(database) as lab:
        rich = await life.preparation(lab, upto="tested")
        many = await life.preparation(lab, upto="tested")
        async with quietly(database.admin_url) as owner:
            for statement in RICHER:
                await owner.execute(
                    statement.format(
                        lot=await rich.lot_id(),
                        results=RESULTS,
                        steps=STEPS,
                        materials=MATERIALS,
                        deviations=DEVIATIONS,
                    )
                )
            for statement in COPIES:
                await owner.execute(statement.format(lot=await many.lot_id(), lots=lots))
        judged = await judged_against_read(lab, lot=await rich.lot_id(), rounds=rounds)
        console.print(f"[dim]{judged}[/]")
        lookback = await looked_back(lab, many, lots=lots)
        console.print(f"[dim]{lookback}[/]")
    return {
        "bench": "rules",
        "lot": {"results": RESULTS, "steps": STEPS, "materials": MATERIALS, "deviations": DEVIATIONS},
        "judging": judged,
        "lookback": lookback,
        "bars": {"statements": STATEMENTS_MOST, "ratio": RATIO_MOST, "lookback_s": LOOKBACK_S},
        "met": judged["statements"] <= STATEMENTS_MOST
        and judged["ratio"] <= RATIO_MOST
        and lookback["seconds"] <= LOOKBACK_S
        and lookback["held"] == lookback["judged"] == lookback["lots"],
    }


def run(*, lots: int, rounds: int) -> dict[str, Any]:
    """Everything that the bench says, as one JSON object."""
    postgres = EmbeddedPostgres.open(VAR / "bench" / "rules", fast=True, tcp=True)
    try:
        if "rules" in postgres.databases():
            postgres.drop_database("rules")
        postgres.create_database("rules")
        cast = world.make_template(postgres.admin_url("rules"), postgres.set_passwords(world.LOGIN_ROLES))
        return asyncio.run(_run(Database(name="rules", postgres=postgres, cast=cast), lots=lots, rounds=rounds))
    finally:
        postgres.stop()


def main() -> None:
    """For the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lots", type=int, default=LOTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    answer = run(lots=asked.lots, rounds=asked.rounds)
    json.dump(answer, sys.stdout, indent=None if asked.json else 1)
    print()


if __name__ == "__main__":
    main()
