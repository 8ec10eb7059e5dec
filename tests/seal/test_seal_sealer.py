"""The sealer on a real database: nothing committed is left out, nothing is sealed twice, and it stops when it must."""

from __future__ import annotations

import asyncio
import random
import stat
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.db import seal
from app.db.verify import verify_database
from app.domain import merkle, seals
from app.verifier.verify import Verdict
from app.workers import sealer
from tests.seal import deeds
from tests.seal.deeds import KEY, VKEY, audit_asleep, connected
from tests.verifier.forge import EARLY

if TYPE_CHECKING:
    from tests.conftest import Database


async def seal_all(database: Database, *, folder: Path | None = None, key: sealer.SealKey = KEY) -> int:
    outside = [sealer.Outside(folder)] if folder else []
    return await sealer.seal_once(database.url("stemma_seal"), key=key, outside=outside)


async def verdict(database: Database) -> tuple[Verdict, list[dict[str, str]], int]:
    async with connected(database.url("stemma_report")) as report:
        found = await verify_database(report, keys=[VKEY])
    return found.verdict, found.findings, found.unsealed


# --- sealing ----------------------------------------------------------------------------------------------------------


async def test_everything_committed_is_sealed_once_and_proved(fresh_database: Database) -> None:
    await deeds.a_morning(fresh_database)
    size = await seal_all(fresh_database)
    async with connected(fresh_database.admin_url) as admin:
        counted = await admin.fetchval("SELECT (SELECT count(*) FROM audit.entries) + (SELECT count(*) FROM lab.scans)")
        assert size == counted
        assert await seal_all(fresh_database) == size
        assert await admin.fetchval("SELECT count(*) FROM audit.checkpoints") == 1
    assert await verdict(fresh_database) == (Verdict.PROVED, [], 0)


async def test_nothing_above_an_open_transaction_is_sealed_and_nothing_below_is_lost(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that began first commits last: a sealer going by what it sees would leave it out for ever."""
    async with (
        connected(fresh_database.url("stemma_auth")) as slow,
        connected(fresh_database.url("stemma_auth")) as quick,
    ):
        before = await seal_all(fresh_database)
        transaction = slow.transaction()
        await transaction.start()
        first = await deeds.open_entry(slow, "open_account")
        second = await deeds.open_account(quick)
        assert first < second
        with monkeypatch.context() as hasty:
            hasty.setattr(sealer, "ONCE_WAITS_S", 0.0)  # it would wait for the very transaction that is held open here
            assert await seal_all(fresh_database) == before
        await transaction.commit()
        assert await seal_all(fresh_database) == before + 2
    assert await verdict(fresh_database) == (Verdict.PROVED, [], 0)


async def writer(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    async with (
        connected(database.url("stemma_auth")) as auth,
        connected(database.url("stemma_app")) as app,
    ):
        for step in range(15):
            await deeds.keep_scan(app, f"{seed}-{step}")
            account = await auth.fetchval("SELECT id FROM people.accounts ORDER BY random() LIMIT 1")
            pause_s = chance.random() * 0.01
            await deeds.rename_account(auth, account=account, name=f"{seed} {step}", pause_s=pause_s)
            if chance.random() < 0.3:
                transaction = auth.transaction()
                await transaction.start()
                await deeds.open_entry(auth, "open_account")
                await transaction.rollback()


async def test_many_writers_at_once_while_the_sealer_works(fresh_database: Database) -> None:
    """Overlapping transactions on the same rows, some rolled back, scans between: every batch stays legal."""
    async with connected(fresh_database.url("stemma_auth")) as auth:
        for _ in range(3):
            await deeds.open_account(auth)
    done = asyncio.gather(*(writer(fresh_database, seed) for seed in range(6)))
    async with sealer.connected(fresh_database.url("stemma_seal")) as connection:
        working = sealer.Sealer(connection, key=KEY)
        await working.start()
        while not done.done():
            await working.seal()
            await asyncio.sleep(0.005)
        await done
        await working.seal()
    async with connected(fresh_database.admin_url) as admin:
        assert await admin.fetchval("SELECT count(*) FROM audit.checkpoints") > 5
    assert await verdict(fresh_database) == (Verdict.PROVED, [], 0)


async def test_a_long_batch_ends_between_two_transactions(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await seal_all(fresh_database)
    monkeypatch.setattr(sealer, "LEAVES_MAX", 3)
    async with (
        connected(fresh_database.url("stemma_app")) as app,
        connected(fresh_database.url("stemma_auth")) as auth,
    ):
        async with app.transaction():
            for number in range(9):
                await deeds.keep_scan(app, f"scan {number}")
        for _ in range(8):
            await deeds.open_account(auth)
    await seal_all(fresh_database)
    async with connected(fresh_database.admin_url) as admin:
        rows = await admin.fetch("SELECT size FROM audit.checkpoints WHERE size > $1 ORDER BY size", before)
        sizes = [row["size"] for row in rows]
    steps = [later - earlier for earlier, later in pairwise([before, *sizes])]
    assert sum(steps) == 17
    assert steps[0] == 9  # one transaction is never parted
    assert max(steps[1:]) <= 4
    assert await verdict(fresh_database) == (Verdict.PROVED, [], 0)


async def test_every_entry_and_scan_has_a_proof_that_holds(fresh_database: Database) -> None:
    await deeds.a_morning(fresh_database)
    await seal_all(fresh_database)
    async with connected(fresh_database.url("stemma_app")) as app:
        for row in await app.fetch("SELECT number, n, hash FROM audit.leaves"):
            proof = await seal.seal_proof(app, number=row["number"])
            assert proof is not None
            said = seals.read_note(proof.note)
            assert (proof.leaf, proof.size) == (row["n"], said.size)
            merkle.verify_inclusion(
                index=proof.leaf, size=proof.size, leaf=row["hash"], proof=proof.path, root=said.root
            )
        assert await seal.seal_proof(app, number=10**9) is None
        assert await seal.wait_for_seal(app, number=10**9, within_s=0.05) is None
        assert await seal.seal_lag(app) == seal.SealLag(waiting_count=0, oldest_s=0.0)
        number = await deeds.keep_scan(app, "late")
        assert await seal.seal_proof(app, number=number) is None
        lag = await seal.seal_lag(app)
        assert lag.waiting_count == 1
        assert 0 < lag.oldest_s < 60


# --- restores ---------------------------------------------------------------------------------------------------------


async def pretend_restored(admin: seal.Connection) -> None:
    """The unsealed entries again, as another cluster with far higher transaction numbers would have written them."""
    late = await admin.fetch(
        "SELECT number, xid::text, payload FROM audit.entries WHERE number NOT IN (SELECT number FROM audit.leaves)"
    )
    for row in late:
        xid = str(int(row["xid"]) + 2**40)
        old, new = f"{len(row['xid'])}:{row['xid']},", f"{len(xid)}:{xid},"
        await admin.execute(
            "UPDATE audit.entries SET xid = $2::text::xid8, payload = $3, hash = sha256(convert_to($3, 'UTF8'))"
            " WHERE number = $1",
            row["number"],
            xid,
            row["payload"].replace(old, new, 1),
        )


async def test_a_new_epoch_seals_all_that_another_cluster_left_unsealed(fresh_database: Database) -> None:
    """Restored entries bear transaction numbers of the cluster they come from, higher than any here."""
    await deeds.a_morning(fresh_database)
    await seal_all(fresh_database)
    async with connected(fresh_database.url("stemma_auth")) as auth:
        for _ in range(3):
            await deeds.open_account(auth)
    async with connected(fresh_database.admin_url) as admin:
        async with audit_asleep(admin):
            await pretend_restored(admin)
        assert await verdict(fresh_database) == (Verdict.PROVED, [], 3)
        before = await seal_all(fresh_database)
        async with admin.transaction():
            at = await admin.fetchval("SELECT clock_timestamp()")
            assert await seal.open_epoch(admin, reason="restored", at=at) == 2
        async with connected(fresh_database.url("stemma_auth")) as auth:
            await deeds.open_account(auth)
        assert await seal_all(fresh_database) == before + 4
        async with connected(fresh_database.url("stemma_auth")) as auth:
            await deeds.open_account(auth)
        assert await seal_all(fresh_database) == before + 5
        epochs = await admin.fetch("SELECT epoch FROM audit.checkpoints ORDER BY size")
        assert [row["epoch"] for row in epochs] == [1, 2, 2]
    assert await verdict(fresh_database) == (Verdict.PROVED, [], 0)


async def put_back(admin: seal.Connection) -> None:
    async with audit_asleep(admin):
        for table in ("checkpoints", "nodes", "leaves"):
            await admin.execute(f"DELETE FROM audit.{table}")


async def test_a_database_that_was_put_back_is_not_sealed_on_without_a_new_epoch(
    fresh_database: Database, tmp_path: Path
) -> None:
    await deeds.a_morning(fresh_database)
    await seal_all(fresh_database, folder=tmp_path)
    async with connected(fresh_database.admin_url) as admin:
        await put_back(admin)
        async with connected(fresh_database.url("stemma_auth")) as auth:
            await deeds.open_account(auth)
        with pytest.raises(sealer.SealRefusedError, match="put back to an earlier state"):
            await seal_all(fresh_database, folder=tmp_path)
        assert await admin.fetchval("SELECT count(*) FROM audit.leaves") == 0
        at = await admin.fetchval("SELECT clock_timestamp()")
        await seal.open_epoch(admin, reason="the server burned down", at=at)
    await seal_all(fresh_database, folder=tmp_path)
    assert await verdict(fresh_database) == (Verdict.PROVED, [], 0)


# --- stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        ("UPDATE audit.nodes SET hash = sha256('x')", "not the one that was signed"),
        ("DELETE FROM audit.nodes", "lacks its node"),
        ("DELETE FROM audit.leaves WHERE n = (SELECT max(n) FROM audit.leaves)", "leaves and the last checkpoint"),
        ("UPDATE audit.checkpoints SET note = replace(note, 'stemma/test', 'stemma/other')", "this log is"),
        ("UPDATE audit.checkpoints SET note = 'x'", "is none"),
        ("UPDATE audit.checkpoints SET root = sha256('x')", "not the one that was signed"),
    ],
)
async def test_it_refuses_to_seal_on_over_a_changed_tree(fresh_database: Database, harm: str, why: str) -> None:
    await deeds.a_morning(fresh_database)
    await seal_all(fresh_database)
    async with connected(fresh_database.admin_url) as admin:
        async with audit_asleep(admin):
            await admin.execute(harm)
        before = await admin.fetchval("SELECT count(*) FROM audit.checkpoints")
        with pytest.raises(sealer.SealRefusedError, match=why):
            await seal_all(fresh_database)
        assert await admin.fetchval("SELECT count(*) FROM audit.checkpoints") == before


async def test_one_sealer_works_at_a_time(fresh_database: Database) -> None:
    async with sealer.connected(fresh_database.url("stemma_seal")) as connection:
        assert await connection.fetchval("SELECT pg_try_advisory_lock($1)", sealer.LOCK)
        with pytest.raises(sealer.SealRefusedError, match="another sealer"):
            await seal_all(fresh_database)
    await seal_all(fresh_database)


# --- folders outside --------------------------------------------------------------------------------------------------


async def test_checkpoints_are_kept_outside_and_written_again_when_missing(
    fresh_database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "usb"
    for _ in range(3):
        await deeds.a_morning(fresh_database)
        await seal_all(fresh_database, folder=folder)
    kept = sorted(folder.glob("*/*.txt"))
    assert len(kept) == 3
    notes = {path: path.read_text() for path in kept}
    assert (folder / f"key-{VKEY.id.hex()}.txt").read_text() == KEY.vkey + "\n"
    kept[1].unlink()
    await seal_all(fresh_database, folder=folder)
    assert {path: path.read_text() for path in sorted(folder.glob("*/*.txt"))} == notes
    assert list(folder.rglob(".*")) == []


def test_a_checkpoint_kept_outside_is_never_overwritten(tmp_path: Path) -> None:
    outside = sealer.Outside(tmp_path)
    first, again = outside.keep(note_of(b"a", epoch=1)), outside.keep(note_of(b"a", epoch=1))
    assert first == again
    with pytest.raises(sealer.SealRefusedError, match="two histories"):
        outside.keep(note_of(b"b", epoch=1))
    assert first.read_text() == note_of(b"a", epoch=1)
    later = outside.keep(note_of(b"b", epoch=2))
    assert sorted(tmp_path.glob("*/*.txt")) == [first, later]
    assert outside.newest() == note_of(b"b", epoch=2)


def note_of(data: bytes, *, epoch: int) -> str:
    root = merkle.leaf_hash(data)
    return KEY.sign(seals.Checkpoint(origin=KEY.name, size=1, root=root, epoch=epoch, at=EARLY))


async def test_a_folder_that_cannot_be_written_stops_nothing_and_is_caught_up_later(
    fresh_database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "usb"
    folder.write_text("no folder at all")
    async with sealer.connected(fresh_database.url("stemma_seal")) as connection:
        working = sealer.Sealer(connection, key=KEY, outside=[sealer.Outside(folder)])
        await working.start()
        await deeds.a_morning(fresh_database)
        assert await working.seal() is not None
        folder.unlink()
        await deeds.a_morning(fresh_database)
        assert await working.seal() is not None
    assert len(list(folder.glob("*/*.txt"))) == 2


async def test_a_folder_of_another_log_is_refused(fresh_database: Database, tmp_path: Path) -> None:
    await deeds.a_morning(fresh_database)
    made = seals.Checkpoint(origin="stemma/elsewhere", size=1, root=bytes(32), epoch=1, at=EARLY)
    other = sealer.SealKey("stemma/elsewhere", KEY.private)
    sealer.Outside(tmp_path).keep(other.sign(made))
    with pytest.raises(sealer.SealRefusedError, match="another log"):
        await seal_all(fresh_database, folder=tmp_path)


# --- the key ----------------------------------------------------------------------------------------------------------


def test_a_key_is_made_for_its_owner_alone_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    made = sealer.make_key(path=path, name="stemma/lab-1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sealer.read_key(path).vkey == made.vkey
    before = path.read_text()
    with pytest.raises(sealer.SealRefusedError, match="never overwritten"):
        sealer.make_key(path=path, name="stemma/lab-1")
    assert path.read_text() == before


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak"])
def test_a_name_that_no_note_can_carry_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(sealer.SealRefusedError, match="no blanks"):
        sealer.make_key(path=tmp_path / "seal.key", name=name)
    assert not (tmp_path / "seal.key").exists()


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    made = sealer.make_key(path=path, name="stemma/lab-1")
    path.chmod(0o640)
    with pytest.raises(sealer.SealRefusedError, match="others can read"):
        sealer.read_key(path)
    path.chmod(0o600)
    path.write_text(made.text().replace("lab-1", "lab-2"))
    with pytest.raises(sealer.SealRefusedError, match="another's name"):
        sealer.read_key(path)
    path.write_text("nothing")
    with pytest.raises(sealer.SealRefusedError, match="holds no key"):
        sealer.read_key(path)
    with pytest.raises(sealer.SealRefusedError, match="cannot be read"):
        sealer.read_key(tmp_path / "none")
