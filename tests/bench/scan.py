"""./stemma bench scan: an identifying scan against the floor, side by side in one run.

The scan is the whole thing: authenticated, authorised, resolved, judged, kept with its verdict as a hashed leaf,
committed. The floor is tests/bench/floor.py on the same server with a table of the same size.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import asyncpg
import httpx
import pyotp
from rich.console import Console
from rich.table import Table

from app.stage import Stage, example_people, staged
from labels.codes import CodeKind, new_code
from tests.bench.load import Round, measure

ROUNDS = 5
console = Console(stderr=True, highlight=False)

FLOOR = """
DROP SCHEMA IF EXISTS floor CASCADE;
CREATE SCHEMA floor;
CREATE TABLE floor.items (id bigint PRIMARY KEY, code text NOT NULL UNIQUE, kind text, lot text, expires_at timestamptz);
CREATE TABLE floor.scans (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),
    code text NOT NULL, item_id bigint);
GRANT USAGE ON SCHEMA floor TO stemma_app;
GRANT SELECT ON floor.items TO stemma_app;
GRANT SELECT, INSERT ON floor.scans TO stemma_app;
"""
SEEDED = ("lab.items", "lab.item_codes", "lab.containers", "lab.lots", "lab.lot_history", "lab.persons", "lab.donors")


async def seed(owner_url: str, *, items: int) -> list[str]:
    """Fill both sides with so many vials, a thousand to a lot. Row triggers are off meanwhile: it is no laboratory."""
    connection = await asyncpg.connect(owner_url)
    codes = [new_code(CodeKind.VIAL) for _ in range(items)]
    lots = max(items // 1000, 1)
    await connection.execute(FLOOR)
    for table in SEEDED:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    base = await connection.fetchval("SELECT coalesce(max(id), 0) + 1 FROM lab.items")
    account = await connection.fetchval("SELECT min(id) FROM people.accounts")
    ids = range(base + 2 * lots, base + 2 * lots + items)
    await connection.execute(
        "INSERT INTO lab.items (id, kind) OVERRIDING SYSTEM VALUE SELECT $1 + n, CASE WHEN n < $2 THEN 'lot' ELSE 'person' END"
        " FROM generate_series(0, 2 * $2 - 1) n",
        base,
        lots,
    )
    await connection.execute(
        "INSERT INTO lab.persons (id, pseudonym) SELECT $1 + $2 + n, 'B-' || n FROM generate_series(0, $2 - 1) n",
        base,
        lots,
    )
    await connection.execute(
        "INSERT INTO lab.donors (id, relation, tested_person_id, genetic_source_id, recorded_by)"
        " SELECT $1 + $2 + n, 'allogeneic', $1 + $2 + n, $1 + $2 + n, $3 FROM generate_series(0, $2 - 1) n",
        base,
        lots,
        account,
    )
    await connection.execute(
        "INSERT INTO lab.lots (id, name, kind, state, version, donor_id, recorded_by) SELECT $1 + n, 'BENCH-' || $1 + n,"
        " 'preparation', 'released', 1, $1 + $2 + n, $3 FROM generate_series(0, $2 - 1) n",
        base,
        lots,
        account,
    )
    await connection.copy_records_to_table(
        "items", schema_name="lab", columns=["id", "kind"], records=((i, "container") for i in ids)
    )
    await connection.copy_records_to_table(
        "item_codes",
        schema_name="lab",
        columns=["code", "item_id", "scheme"],
        records=((code, i, "own") for code, i in zip(codes, ids, strict=True)),
    )
    await connection.copy_records_to_table(
        "containers",
        schema_name="lab",
        columns=["id", "lot_id", "kind", "state", "recorded_by"],
        records=((i, base + n // 1000 % lots, "vial", "stored", account) for n, i in enumerate(ids)),
    )
    await connection.copy_records_to_table(
        "items",
        schema_name="floor",
        columns=["id", "code", "kind", "lot"],
        records=((i, code, "vial", f"BENCH-{n // 1000}") for n, (i, code) in enumerate(zip(ids, codes, strict=True))),
    )
    for table in SEEDED:
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        for (trigger,) in await connection.fetch(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal", table
        ):
            await connection.execute(f'ALTER TABLE {table} ENABLE ALWAYS TRIGGER "{trigger}"')
    await connection.execute(
        "VACUUM ANALYZE lab.items, lab.item_codes, lab.containers, lab.lots, lab.persons, floor.items"
    )
    await connection.close()
    return codes


def sign_in(stage: Stage) -> str:
    """A technician's token."""
    tess = next(person for person in stage.people if "technician" in person.roles)
    answer = httpx.post(
        f"{stage.address}/api/v1/session",
        json={"username": tess.username, "password": tess.password, "totp": pyotp.TOTP(tess.totp_secret).now()},
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.json()["token"])


def side_by_side(stage: Stage, *, floor_port: int, token: str, codes: Sequence[str], seconds: float) -> dict[str, Any]:
    """Rounds at 1 and 8 clients, floor and scan in turn. `ratio` is the median over the rounds of scan to the floor of
    the same round, so that a disk that dozes off in one of them decides nothing; `ratio_of_medians` stands beside it.
    """
    sides = {
        "floor": (f"http://127.0.0.1:{floor_port}/api/v1/scans", {}),
        "scan": (f"{stage.address}/api/v1/scans", {"authorization": f"Bearer {token}"}),
    }
    taken: dict[tuple[str, int], list[Round]] = {}
    for clients in (1, 8):
        for turn in range(-1, ROUNDS):
            for side, (url, headers) in sides.items():
                length = 1.0 if turn < 0 else seconds
                found = asyncio.run(measure(url, codes=codes, clients=clients, seconds=length, headers=headers))
                if turn >= 0:
                    taken.setdefault((side, clients), []).append(found)
                    console.print(
                        f"[dim]{side:5} {clients} clients {found.requests_per_s:8.0f} /s  p50 {found.p50_ms:.2f} ms[/]"
                    )
    result: dict[str, Any] = {}
    for clients in (1, 8):
        rate = {side: statistics.median(r.requests_per_s for r in taken[side, clients]) for side in sides}
        result[f"c{clients}"] = {
            "floor_per_s": round(rate["floor"], 1),
            "scan_per_s": round(rate["scan"], 1),
            "ratio": round(
                statistics.median(
                    scan.requests_per_s / floor.requests_per_s
                    for floor, scan in zip(taken["floor", clients], taken["scan", clients], strict=True)
                ),
                3,
            ),
            "ratio_of_medians": round(rate["scan"] / rate["floor"], 3),
            **{f"{side}_{name}": round(statistics.median(getattr(r, name) for r in taken[side, clients]), 3)
               for side in sides for name in ("p50_ms", "p95_ms", "p99_ms")},
            "errors": sum(r.errors for side in sides for r in taken[side, clients]),
        }  # fmt: skip
    return result


def run(*, items: int, seconds: float, growth: bool) -> dict[str, Any]:
    """Everything that the bench says, as one JSON object."""
    random.seed(7)
    answer: dict[str, Any] = {"bench": "scan", "items": items, "rounds": ROUNDS, "seconds": seconds}
    answer |= _sized(items=items, seconds=seconds)
    if growth:
        small, large = (_sized(items=size, seconds=seconds) for size in (10_000, 1_000_000))
        answer["growth"] = {
            f"c{clients}": {
                "p50_ms_10k": small[f"c{clients}"]["scan_p50_ms"],
                "p50_ms_1m": large[f"c{clients}"]["scan_p50_ms"],
                # against each run's own floor, so that the machine's mood cancels out
                "cost_ratio": round(small[f"c{clients}"]["ratio"] / large[f"c{clients}"]["ratio"], 3),
                "p50_ratio": round(large[f"c{clients}"]["scan_p50_ms"] / small[f"c{clients}"]["scan_p50_ms"], 3),
            }
            for clients in (1, 8)
        }
    return answer


def _sized(*, items: int, seconds: float) -> dict[str, Any]:
    from app.db.embedded import free_port

    with staged(
        name="bench", purpose="test", people=example_people(), said=lambda text: console.print(f"[dim]{text}[/]")
    ) as stage:
        began = time.monotonic()
        codes = asyncio.run(seed(stage.postgres.admin_url(stage.database), items=items))
        console.print(f"[dim]{items} items in {time.monotonic() - began:.1f} s[/]")
        stage.start_sealer()
        stage.start_web()
        floor_port = free_port()
        stage.start(
            [
                "-m",
                "uvicorn",
                "tests.bench.floor:app",
                "--port",
                str(floor_port),
                "--no-access-log",
                "--log-level",
                "warning",
            ],
            log="floor.log",
            extra={"STEMMA_BENCH_FLOOR_URL": stage.url("stemma_app")},
        )
        stage.wait_until_live()
        _wait(f"http://127.0.0.1:{floor_port}/health")
        return side_by_side(stage, floor_port=floor_port, token=sign_in(stage), codes=codes, seconds=seconds)


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(url, timeout=1).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")


def main() -> None:
    """For the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    answer = run(items=asked.items, seconds=asked.seconds, growth=asked.growth)
    if asked.json:
        json.dump(answer, sys.stdout)
        print()
        return
    table = Table(
        title=f"scan against the floor, {asked.items} items, medians of {ROUNDS} rounds", title_justify="left"
    )
    for column in ("clients", "floor /s", "scan /s", "ratio (at least 0.5)", "scan p50 ms", "p99 ms", "errors"):
        table.add_column(column, justify="right")
    for clients in (1, 8):
        row = answer[f"c{clients}"]
        table.add_row(
            str(clients),
            *(
                str(row[name])
                for name in ("floor_per_s", "scan_per_s", "ratio", "scan_p50_ms", "scan_p99_ms", "errors")
            ),
        )
    Console().print(table)
    if "growth" in answer:
        print(json.dumps(answer["growth"], indent=1))


if __name__ == "__main__":
    main()
