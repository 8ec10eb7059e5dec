"""A live database, changed behind the application's back by a superuser with every trigger asleep: it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.db.verify import verify_database
from app.verifier.verify import Checkpoint, Report, Verdict
from app.workers import sealer
from tests.seal import deeds
from tests.seal.deeds import KEY, VKEY, audit_asleep, connected
from tests.verifier.forge import key_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Database


async def seal_all(database: Database) -> int:
    return await sealer.seal_once(database.url("stemma_seal"), key=KEY, outside=[])


async def checked(database: Database) -> Report:
    async with connected(database.url("stemma_report")) as report:
        return await verify_database(report, keys=[VKEY])


@pytest.fixture(scope="module")
async def morning(make_database: Callable[[], Database]) -> Database:
    """One database that every test below leaves as it found it."""
    database = make_database()
    for _ in range(2):
        await deeds.a_morning(database)
        await seal_all(database)
    return database


HARMS = {
    "a person renamed": "UPDATE people.accounts SET printed_name = 'Nobody' WHERE id = (SELECT min(id) FROM people.accounts)",
    "a release removed": "DELETE FROM lab.releases WHERE id = (SELECT max(id) FROM lab.releases)",
    "a release planted": "INSERT INTO lab.releases (lot_id, signature_id, judgement_id, appointment_id, digest)"
    " VALUES (7, 70007, 1, 1, 'x')",
    "an entry's text": "UPDATE audit.entries SET payload = replace(payload, 'tess', 'adam') WHERE number ="
    " (SELECT max(number) FROM audit.entries)",
    "an entry's text and hash": "UPDATE audit.entries SET payload = replace(payload, 'tess', 'adam'),"
    " hash = sha256(convert_to(replace(payload, 'tess', 'adam'), 'UTF8'))"
    " WHERE number = (SELECT max(number) FROM audit.entries)",
    "an entry's column alone": "UPDATE audit.entries SET actor = 'adam' WHERE number = (SELECT max(number) FROM audit.entries)",
    "an entry's time alone": "UPDATE audit.entries SET at = at + interval '1 microsecond' WHERE number ="
    " (SELECT max(number) FROM audit.entries)",
    "an entry removed": "DELETE FROM audit.entries WHERE number = (SELECT max(number) FROM audit.entries)",
    "a row image": "UPDATE audit.rows SET payload = replace(payload, 'Changed', 'Chanced') WHERE payload LIKE '%Changed%'",
    "a row image's column": "UPDATE audit.rows SET op = 'D' WHERE seq = (SELECT max(seq) FROM audit.rows)",
    "a row image to another entry": "UPDATE audit.rows SET entry_number = (SELECT min(number) FROM audit.entries)"
    " WHERE seq = (SELECT max(seq) FROM audit.rows)",
    "a row image removed": "DELETE FROM audit.rows WHERE seq = (SELECT max(seq) FROM audit.rows)",
    "a scan's verdict": "UPDATE lab.scans SET verdict = 'refused' WHERE number = (SELECT max(number) FROM lab.scans)",
    "a scan's place": "UPDATE lab.scans SET workstation_id = 4711 WHERE number = (SELECT max(number) FROM lab.scans)",
    "a scan's raw text": "UPDATE lab.scans SET raw = raw || ' ' WHERE number = (SELECT max(number) FROM lab.scans)",
    "a scan removed": "DELETE FROM lab.scans WHERE number = (SELECT max(number) FROM lab.scans)",
    "a leaf": "UPDATE audit.leaves SET hash = sha256('x') WHERE n = 3",
    "a leaf removed": "DELETE FROM audit.leaves WHERE n = (SELECT max(n) FROM audit.leaves)",
    "leaves exchanged": "UPDATE audit.leaves SET n = CASE n WHEN 2 THEN -3 ELSE -2 END WHERE n IN (2, 3);"
    " UPDATE audit.leaves SET n = -n WHERE n < 0",
    "a node": "UPDATE audit.nodes SET hash = sha256('x') WHERE level = 2 AND idx = 0",
    "a node removed": "DELETE FROM audit.nodes WHERE level = 1 AND idx = 1",
    "a node too many": "INSERT INTO audit.nodes VALUES (40, 0, sha256('x'))",
    "a checkpoint's root": "UPDATE audit.checkpoints SET root = sha256('x') WHERE size = (SELECT min(size) FROM audit.checkpoints)",
    "a checkpoint's note": "UPDATE audit.checkpoints SET note = replace(note, 'Z', 'Y') WHERE size ="
    " (SELECT min(size) FROM audit.checkpoints)",
    "the last checkpoint removed": "DELETE FROM audit.checkpoints WHERE size = (SELECT max(size) FROM audit.checkpoints)",
    "an epoch planted": "INSERT INTO audit.epochs (epoch, reason, previous_size, previous_root) VALUES (2, 'x', 1, sha256('x'))",
}
TABLES = (
    "people.accounts",
    "lab.releases",
    "lab.scans",
    *tuple(f"audit.{name}" for name in ("entries", "rows", "leaves", "nodes", "checkpoints", "epochs")),
)


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
async def test_what_was_changed_is_found(morning: Database, harm: str) -> None:
    async with connected(morning.admin_url) as admin:
        for table in TABLES:
            await admin.execute(f"CREATE TABLE IF NOT EXISTS public.{table.replace('.', '_')} AS TABLE {table}")
        async with audit_asleep(admin):
            before = await checked(morning)
            assert (before.findings, before.verdict) == ([], Verdict.PROVED)
            await admin.execute(harm)
            after = await checked(morning)
            for table in TABLES:
                await admin.execute(f"DELETE FROM {table}")
                await admin.execute(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE public.{table.replace('.', '_')}"
                )
    assert after.verdict is Verdict.TAMPERED
    assert after.findings


async def test_what_waits_for_its_seal_is_counted_and_no_alarm(fresh_database: Database) -> None:
    await deeds.a_morning(fresh_database)
    await seal_all(fresh_database)
    await deeds.a_morning(fresh_database)
    report = await checked(fresh_database)
    assert (report.findings, report.verdict) == ([], Verdict.PROVED)
    assert report.unsealed == 12
    assert any("wait for their seal" in each for each in report.warnings)


async def test_another_key_and_a_later_checkpoint_are_not_this_database(fresh_database: Database) -> None:
    await deeds.a_morning(fresh_database)
    await seal_all(fresh_database)
    async with connected(fresh_database.url("stemma_report")) as report:
        stranger = key_from(5, name=KEY.name)
        other = await verify_database(report, keys=[type(VKEY).parse(stranger.vkey)])
        assert other.verdict is Verdict.TAMPERED
        nothing = await verify_database(report)
        assert nothing.verdict is Verdict.CONSISTENT
        kept = Checkpoint.parse((await report.fetchval("SELECT note FROM audit.checkpoints")).encode())
        assert (await verify_database(report, outside=[kept])).verdict is Verdict.PROVED
    await deeds.a_morning(fresh_database)
    async with connected(fresh_database.url("stemma_report")) as report:
        later = Checkpoint(**{**kept.__dict__, "size": kept.size + 1})
        assert (await verify_database(report, outside=[later])).verdict is Verdict.TAMPERED


async def test_who_wrote_past_the_services_is_told(fresh_database: Database) -> None:
    await deeds.a_morning(fresh_database)
    await seal_all(fresh_database)
    report = await checked(fresh_database)
    assert any("stemma_admin" in each for each in report.warnings)
