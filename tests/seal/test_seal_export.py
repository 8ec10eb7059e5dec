"""An export of a real database: proved when honest, waiting for its seal, and every changed byte of it found."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import types
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.db import seal
from app.db.audit_export import write_export
from app.domain.errors import Busy, Conflict
from app.verifier import verify
from app.workers import sealer
from tests.seal import deeds
from tests.seal.deeds import KEY, VKEY, connected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Database

CHANGES = 1_000
Change = tuple[Path, int, int]
"""A file, a place in it, and what its byte is combined with."""


async def seal_all(database: Database) -> int:
    return await sealer.seal_once(database.url("stemma_seal"), key=KEY, outside=[])


async def export(database: Database, folder: Path, *, within_s: float = 5.0) -> Path:
    async with connected(database.url("stemma_report")) as report:
        await write_export(report, folder=folder, vkeys=[KEY.vkey], within_s=within_s)
    return folder


@dataclass(frozen=True)
class Honest:
    """One export, as it was written, and one earlier checkpoint that somebody kept."""

    folder: Path
    kept: verify.Checkpoint


@pytest.fixture(scope="module")
async def honest(make_database: Callable[[], Database], tmp_path_factory: pytest.TempPathFactory) -> Honest:
    database = make_database()
    for _ in range(3):
        await deeds.a_morning(database)
        await seal_all(database)
    async with connected(database.admin_url) as admin:
        at = await admin.fetchval("SELECT clock_timestamp()")
        await seal.open_epoch(admin, reason="restored", at=at)
    await deeds.a_morning(database)
    await seal_all(database)
    folder = await export(database, tmp_path_factory.mktemp("honest") / "export")
    kept = min((folder / "checkpoints").iterdir())
    return Honest(folder, verify.Checkpoint.parse(kept.read_bytes()))


@pytest.fixture
def folder(honest: Honest, tmp_path: Path) -> Path:
    return shutil.copytree(honest.folder, tmp_path / "export")


def test_an_honest_export_is_proved(honest: Honest) -> None:
    report = verify.verify_export(honest.folder, keys=[VKEY])
    assert (report.findings, report.verdict) == ([], verify.Verdict.PROVED)
    assert report.entries >= 32
    assert report.scans == 16
    assert verify.verify_export(honest.folder, outside=[honest.kept]).verdict is verify.Verdict.PROVED
    assert verify.verify_export(honest.folder).verdict is verify.Verdict.CONSISTENT


def test_every_release_has_its_proof(honest: Honest) -> None:
    proofs = [json.loads(line) for line in (honest.folder / "proofs.jsonl").read_text().splitlines()]
    assert len(proofs) == 8
    assert len(list((honest.folder / "checkpoints").iterdir())) == 4


def test_no_secret_is_in_it(honest: Honest) -> None:
    whole = b"".join(path.read_bytes() for path in honest.folder.rglob("*") if path.is_file())
    assert b"$argon2" not in whole


# --- single bytes -----------------------------------------------------------------------------------------------------

KINDS = {
    "rows": "tables/*",
    "audit rows": "[ers]*s.jsonl",
    "proofs": "[lpem]*.json*",
    "checkpoints": "checkpoints/*",
}


def changes(folder: Path, *, names: str, count: int, seed: int) -> list[Change]:
    """So many places and differences, evenly over all bytes of the files named."""
    chance = random.Random(seed)
    places = [(path, place) for path in sorted(folder.glob(names)) for place in range(path.stat().st_size)]
    return [(*chance.choice(places), chance.randrange(1, 256)) for _ in range(count)]


def missed(checker: types.ModuleType, folder: Path, wanted: list[Change]) -> Iterator[tuple[str, int, int]]:
    """Which changes a verifier does not find, each tried alone.

    What is computed of the same bytes alone is computed once: all but one of them are the same in every try.
    """
    for pure in ("image_of", "signature_holds"):
        if not hasattr(getattr(checker, pure), "cache_info"):
            setattr(checker, pure, cache(getattr(checker, pure)))
    for path, place, difference in wanted:
        whole = path.read_bytes()
        path.write_bytes(whole[:place] + bytes([whole[place] ^ difference]) + whole[place + 1 :])
        if checker.verify_export(folder, keys=[checker.Key.parse(KEY.vkey)]).verdict != "tampered":
            yield path.name, place, difference
        path.write_bytes(whole)


@pytest.mark.parametrize("names", KINDS.values(), ids=KINDS.keys())
def test_every_one_of_a_thousand_changed_bytes_is_found(folder: Path, names: str) -> None:
    wanted = changes(folder, names=names, count=CHANGES // len(KINDS), seed=26)
    assert len(wanted) == 250
    assert list(missed(verify, folder, wanted)) == []
    assert verify.verify_export(folder, keys=[VKEY]).verdict is verify.Verdict.PROVED


@pytest.mark.parametrize(
    ("names", "old", "new"),
    [
        ("scans.jsonl", "return stored == computed", "return True"),
        (KINDS["checkpoints"], "if known and not found.signed_by(known):", "if False:"),
        (KINDS["rows"], "elif not goes_on(last, now):", "elif False:"),
        ("proofs.jsonl", "(leaf, size, root) != (place, last.size, last.root)", "leaf != place"),
    ],
    ids=["digests", "signatures", "images", "proofs"],
)
def test_with_a_check_taken_out_changed_bytes_slip_through(folder: Path, names: str, old: str, new: str) -> None:
    source = Path(verify.__file__).read_text()
    assert source.count(old) == 1
    toothless = types.ModuleType("toothless")
    sys.modules["toothless"] = toothless
    exec(compile(source.replace(old, new), "toothless.py", "exec"), toothless.__dict__)
    assert any(missed(toothless, folder, changes(folder, names=names, count=500, seed=26)))


# --- sealed first -----------------------------------------------------------------------------------------------------


async def test_what_is_not_sealed_is_not_exported(fresh_database: Database, tmp_path: Path) -> None:
    await deeds.a_morning(fresh_database)
    with pytest.raises(Busy):
        await export(fresh_database, tmp_path / "export", within_s=0.2)
    assert list(tmp_path.iterdir()) == []


async def test_it_waits_for_the_seal(fresh_database: Database, tmp_path: Path) -> None:
    await deeds.a_morning(fresh_database)
    exporting = asyncio.create_task(export(fresh_database, tmp_path / "export"))
    await asyncio.sleep(0.15)
    assert not exporting.done()
    await seal_all(fresh_database)
    report = verify.verify_export(await exporting, keys=[VKEY])
    assert report.verdict is verify.Verdict.PROVED


async def test_it_is_of_one_moment_though_people_work_on(fresh_database: Database, tmp_path: Path) -> None:
    """Writers and sealer go on while it is written; it finds a moment at which all was sealed."""
    await deeds.a_morning(fresh_database)
    stop = asyncio.Event()

    async def people() -> None:
        async with connected(fresh_database.url("stemma_auth")) as auth:
            while not stop.is_set():
                await deeds.rename_account(auth, account=1, name="again")
                await asyncio.sleep(0.05)

    working = asyncio.create_task(people())
    sealing = asyncio.create_task(sealer.sealing(fresh_database.url("stemma_seal"), key=KEY, outside=[], stop=stop))
    try:
        for n in range(3):
            folder = await export(fresh_database, tmp_path / f"export{n}", within_s=20)
            report = verify.verify_export(folder, keys=[VKEY])
            assert (report.findings, report.verdict) == ([], verify.Verdict.PROVED)
    finally:
        stop.set()
        await asyncio.gather(working, sealing)


async def test_a_folder_that_is_there_is_left_alone(fresh_database: Database, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    with pytest.raises(Conflict):
        await export(fresh_database, tmp_path / "export")
    assert list((tmp_path / "export").iterdir()) == []
