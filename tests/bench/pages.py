"""./stemma bench pages: the server's time for every page at 100,000 items, against 60 ms at the 95th percentile.

The application answers in this very process over a private PostgreSQL: no socket, so that what is measured is the
server's work. One lot is lived through in full; around it lie so many vials, donors, material lots, deviations, scans
and audit entries as a house has after years.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import asyncpg
from rich.console import Console
from rich.table import Table

from app.db.embedded import EmbeddedPostgres
from app.stage import VAR
from tests import life, world
from tests.bench.scan import seed
from tests.conftest import Database
from tests.web.browsing import Browser
from tests.web.pages import PAGES, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator

BAR_MS = 60.0
STATEMENTS_MOST = 12
ROUNDS = 40
WARM = 3
console = Console(stderr=True, highlight=False)

# The years before. Row triggers are off meanwhile: it is no laboratory.
YEARS = (
    """INSERT INTO lab.items (kind) SELECT 'person' FROM generate_series(1, {few})""",
    """INSERT INTO lab.persons (id, pseudonym) SELECT i.id, 'P-B' || i.id FROM lab.items i
       WHERE i.kind = 'person' AND NOT EXISTS (SELECT FROM lab.persons p WHERE p.id = i.id)""",
    """INSERT INTO lab.donors (id, relation, tested_person_id, genetic_source_id, recipient_id, recorded_by)
       SELECT p.id, 'autologous', p.id, p.id, p.id, {by} FROM lab.persons p
       WHERE NOT EXISTS (SELECT FROM lab.donors d WHERE d.id = p.id)""",
    """INSERT INTO lab.items (kind) SELECT 'lot' FROM generate_series(1, {few})""",
    """INSERT INTO lab.materials (name, description, grade, composition_complete, animal_serum, recorded_by)
       SELECT 'Bench material ' || n, '', 'gmp_ancillary', true, false, {by} FROM generate_series(1, 50) n""",
    """INSERT INTO lab.lots (id, name, kind, state, recorded_by) SELECT i.id, 'MAT-B' || i.id, 'material', 'approved', {by}
       FROM lab.items i WHERE i.kind = 'lot' AND NOT EXISTS (SELECT FROM lab.lots l WHERE l.id = i.id)""",
    """INSERT INTO lab.material_lots (id, material_id, supplier, supplier_lot, expires_on, received_at, recorded_by)
       SELECT l.id, (SELECT min(id) FROM lab.materials) + l.id % 50, 'Supplier', 'SL-' || l.id,
           current_date + (l.id % 900)::integer, now() - interval '30 days', {by}
       FROM lab.lots l WHERE l.kind = 'material' AND NOT EXISTS (SELECT FROM lab.material_lots m WHERE m.id = l.id)""",
    """INSERT INTO lab.deviations (number, item_id, what, class, rules, recorded_by)
       SELECT 'DV-B-' || l.id, l.id, 'something small', 'minor', '{{}}', {by} FROM lab.lots l WHERE l.kind = 'material' LIMIT {few} / 4""",
    """INSERT INTO lab.refusals (kind, act, subject, what, why, remedy, detail)
       SELECT 'conflict', 'passage', 'F' || n, '{{"en": "x"}}', '', '', '{{}}' FROM generate_series(1, {few}) n""",
    """INSERT INTO audit.entries (number, epoch, xid, at, actor_id, actor, roles, act, subject, reason, device, db_role, payload, hash)
       SELECT nextval('audit.numbers'), 1, '3'::xid8, now() - make_interval(secs => n), {by}, 'tess', 'technician', 'receive_material',
           'MAT-B' || n % {few}, '', 'bench', 'stemma_app', '', sha256(n::text::bytea) FROM generate_series(1, {many}) n""",
    """INSERT INTO audit.rows (seq, entry_number, tbl, key, op, payload, hash)
       SELECT nextval('audit.row_seqs'), number, 'lab.lots', (number % {few})::text, 'I', '', sha256(number::text::bytea)
       FROM audit.entries WHERE device = 'bench'""",
    """INSERT INTO lab.scans (number, epoch, xid, at, account_id, session_id, raw, verdict, reason, payload, hash)
       SELECT nextval('audit.numbers'), 1, '3'::xid8, now() - make_interval(secs => n), {scanner}, 0, 'V' || n, 'accepted', 'identified', '',
           sha256(n::text::bytea) FROM generate_series(1, {many}) n""",
)
AFTERWARDS = """
INSERT INTO audit.leaves (n, kind, number, hash)
SELECT (SELECT coalesce(max(n), -1) FROM audit.leaves) + row_number() OVER (ORDER BY number), 'entry', number, hash
FROM audit.entries WHERE device = 'bench';
"""


async def years(owner_url: str, *, items: int) -> None:
    """What a house has gathered."""
    connection = await asyncpg.connect(owner_url, server_settings={"session_replication_role": "replica"})
    by, scanner = [
        await connection.fetchval("SELECT id FROM people.accounts WHERE username = $1", name)
        for name in ("tess", "tom")
    ]
    await connection.execute("SELECT setval(pg_get_serial_sequence('lab.items', 'id'), max(id)) FROM lab.items")
    tables = [
        row[0]
        for row in await connection.fetch(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        )
    ]
    for table in tables:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    for statement in YEARS:
        await connection.execute(statement.format(few=max(items // 50, 1), many=items, by=by, scanner=scanner))
    await connection.execute(AFTERWARDS)
    for table in tables:
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        for (trigger,) in await connection.fetch(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal", table
        ):
            await connection.execute(f'ALTER TABLE {table} ENABLE ALWAYS TRIGGER "{trigger}"')
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def measured(lab: world.Lab, *, rounds: int) -> Iterator[dict[str, Any]]:
    """Every page, asked so often by whoever may."""
    names = names_of(await life.preparation(lab))
    browsers: dict[str, Browser] = {}
    rows = []
    for who, path in PAGES:
        if who not in browsers:
            browsers[who] = Browser(lab)
            await browsers[who].sign_in(who)
        there = path.format_map(names)
        took, size, status = [], 0, 0
        for turn in range(-WARM, rounds):
            began = time.perf_counter()
            answer = await browsers[who].get(there)
            if turn >= 0:
                took.append((time.perf_counter() - began) * 1000)
            size, status = len(answer.content), answer.status_code
        took.sort()
        row = {
            "page": path,
            "who": who,
            "status": status,
            "p50_ms": round(statistics.median(took), 1),
            "p95_ms": round(took[max(int(len(took) * 0.95) - 1, 0)], 1),
            "kilobytes": round(size / 1000, 1),
        }
        rows.append(row)
        console.print(f"[dim]{row['p95_ms']:7.1f} ms  {who:6} {there}[/]")
    for each in browsers.values():
        await each.http.aclose()
    return iter(rows)


async def _run(database: Database, *, items: int, rounds: int) -> dict[str, Any]:
    began = time.monotonic()
    await seed(database.admin_url, items=items)
    await years(database.admin_url, items=items)
    console.print(f"[dim]{items} items and their years in {time.monotonic() - began:.1f} s[/]")
    async with world.open_lab(database) as lab:
        pages = list(await measured(lab, rounds=rounds))
    slow = [each["page"] for each in pages if each["p95_ms"] > BAR_MS]
    failed = [each["page"] for each in pages if each["status"] != 200]
    return {
        "bench": "pages",
        "items": items,
        "rounds": rounds,
        "bar_ms": BAR_MS,
        "pages": pages,
        "slow": slow,
        "failed": failed,
    }


def run(*, items: int, rounds: int) -> dict[str, Any]:
    """Everything that the bench says, as one JSON object."""
    postgres = EmbeddedPostgres.open(VAR / "bench" / "pages", fast=True, tcp=True)
    for name in ("pages_template", "pages"):
        if name in postgres.databases():
            postgres.drop_database(name)
    postgres.create_database("pages")
    cast = world.make_template(postgres.admin_url("pages"), postgres.set_passwords(world.LOGIN_ROLES))
    try:
        return asyncio.run(_run(Database(name="pages", postgres=postgres, cast=cast), items=items, rounds=rounds))
    finally:
        postgres.stop()


def main() -> None:
    """For the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    answer = run(items=asked.items, rounds=asked.rounds)
    if asked.json:
        json.dump(answer, sys.stdout)
        print()
        return
    table = Table(
        title=f"pages at {asked.items} items, {asked.rounds} rounds; the bar is {BAR_MS:.0f} ms", title_justify="left"
    )
    for column in ("page", "who", "status", "p50 ms", "p95 ms", "kB"):
        table.add_column(column, justify="left" if column in {"page", "who"} else "right")
    for each in sorted(answer["pages"], key=lambda row: -row["p95_ms"]):
        table.add_row(*(str(each[name]) for name in ("page", "who", "status", "p50_ms", "p95_ms", "kilobytes")))
    Console().print(table)
    console.print(f"over the bar: {', '.join(answer['slow']) or 'none'}")


if __name__ == "__main__":
    main()
