"""Whatever is changed in an export is found; what was not changed raises no alarm; without a check, changes slip through."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.verifier import verify
from tests.verifier.forge import Log, canonical, key_from, ordinary_log

KEY = key_from(1)
VKEY = verify.Key.parse(KEY.vkey)
Change = tuple[Path, int, int]
"""A file, a place in it, and what its byte is combined with."""
PROVED, TAMPERED, CONSISTENT = verify.Verdict.PROVED, verify.Verdict.TAMPERED, verify.Verdict.CONSISTENT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return ordinary_log().write(tmp_path / "export", KEY)


def verdict(folder: Path, *, keys: tuple[verify.Key, ...] = (VKEY,), kept: tuple[Path, ...] = ()) -> verify.Verdict:
    outside = [verify.Checkpoint.parse(path.read_bytes()) for path in kept]
    return verify.verify_export(folder, keys=keys, outside=outside).verdict


def lines(folder: Path, name: str) -> list[bytes]:
    return (folder / name).read_bytes().splitlines(keepends=True)


def count_again(folder: Path) -> None:
    """Make the manifest agree with the folder, as whoever changed the folder would."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for name in manifest["counts"]:
        if name == "checkpoints":
            manifest["counts"][name] = len(list((folder / name).iterdir()))
        else:
            manifest["counts"][name] = len(lines(folder, f"{name}.jsonl"))
    for name in manifest["tables"]:
        manifest["tables"][name] = len(lines(folder, f"tables/{name}.jsonl"))
    manifest["size"] = manifest["counts"]["leaves"]
    (folder / "manifest.json").write_text(canonical(manifest))


# --- no false alarm ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("acts", [1, 2, 3, 7, 12, 40])
def test_an_honest_export_is_proved(tmp_path: Path, acts: int) -> None:
    report = verify.verify_export(ordinary_log(acts=acts).write(tmp_path / "export", KEY), keys=[VKEY])
    assert (report.findings, report.warnings, report.verdict) == ([], [], PROVED)


def test_without_anything_from_outside_the_origin_is_not_proved(folder: Path) -> None:
    assert verdict(folder, keys=()) is CONSISTENT


def test_every_earlier_checkpoint_from_outside_proves_it_without_a_key(folder: Path) -> None:
    for kept in sorted((folder / "checkpoints").iterdir()):
        assert verdict(folder, keys=(), kept=(kept,)) is PROVED


def test_an_empty_log_is_consistent(tmp_path: Path) -> None:
    folder = Log().write(tmp_path / "export", KEY)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(canonical(manifest | {"origin": "", "vkeys": []}))
    assert verdict(folder, keys=()) is CONSISTENT


def test_oddities_are_told_and_are_no_alarm(tmp_path: Path) -> None:
    log = ordinary_log()
    entry = log.entry("migrate", db_role="postgres")
    log.entries[entry][4] = "2026-11-22T07:00:00.000000+00:00"
    log.seal()
    report = verify.verify_export(log.write(tmp_path / "export", KEY), keys=[VKEY])
    assert report.verdict is PROVED
    assert any("postgres" in each for each in report.warnings)
    assert any("clock" in each for each in report.warnings)


# --- single bytes -----------------------------------------------------------------------------------------------------


def changes(folder: Path, *, names: str, count: int, seed: int) -> list[Change]:
    """So many places and new values, evenly over all bytes of the files named."""
    chance = random.Random(seed)
    places = [(path, place) for path in sorted(folder.glob(names)) for place in range(path.stat().st_size)]
    return [(*chance.choice(places), chance.randrange(1, 256)) for _ in range(count)]


def missed(checker: types.ModuleType, folder: Path, wanted: list[Change]) -> Iterator[tuple[str, int, int]]:
    """Which changes a verifier does not find, each tried alone."""
    for path, place, difference in wanted:
        whole = path.read_bytes()
        path.write_bytes(whole[:place] + bytes([whole[place] ^ difference]) + whole[place + 1 :])
        if checker.verify_export(folder, keys=[checker.Key.parse(KEY.vkey)]).verdict != "tampered":
            yield path.name, place, difference
        path.write_bytes(whole)


@pytest.mark.parametrize("names", ["*.json*", "tables/*", "checkpoints/*"])
def test_every_changed_byte_is_found(folder: Path, names: str) -> None:
    assert list(missed(verify, folder, changes(folder, names=names, count=100, seed=1))) == []
    assert verdict(folder) is PROVED


@pytest.mark.parametrize("change", ["insert", "remove", "newline", "truncate"])
@pytest.mark.parametrize(
    "name", ["entries.jsonl", "rows.jsonl", "proofs.jsonl", "tables/lab.lots.jsonl", "manifest.json"]
)
def test_no_file_may_grow_or_shrink_by_a_byte(folder: Path, name: str, change: str) -> None:
    path = folder / name
    whole, middle = path.read_bytes(), path.stat().st_size // 2
    path.write_bytes(
        {
            "insert": whole[:middle] + b" " + whole[middle:],
            "remove": whole[:middle] + whole[middle + 1 :],
            "newline": whole + b"\n",
            "truncate": whole[:-1],
        }[change]
    )
    assert verdict(folder) is TAMPERED


def without_check(old: str, new: str) -> types.ModuleType:
    """The verifier with one check taken out of its source."""
    source = Path(verify.__file__).read_text()
    assert source.count(old) == 1
    toothless = types.ModuleType("toothless")
    sys.modules["toothless"] = toothless
    exec(compile(source.replace(old, new), "toothless.py", "exec"), toothless.__dict__)
    return toothless


@pytest.mark.parametrize(
    ("names", "old", "new"),
    [
        ("[ers]*s.jsonl", "return stored == computed", "return True"),
        ("checkpoints/*", "if known and not found.signed_by(known):", "if False:"),
        ("tables/*", "elif not goes_on(last, now):", "elif False:"),
        ("proofs.jsonl", "(leaf, size, root) != (place, last.size, last.root)", "leaf != place"),
    ],
    ids=["digests", "signatures", "tables", "proofs"],
)
def test_with_a_check_taken_out_changed_bytes_slip_through(folder: Path, names: str, old: str, new: str) -> None:
    assert any(missed(without_check(old, new), folder, changes(folder, names=names, count=500, seed=2)))


# --- lines and files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["entries", "rows", "scans", "leaves", "proofs", "epochs", "tables/lab.lots"])
def test_a_line_left_out_is_found(folder: Path, name: str) -> None:
    whole = lines(folder, f"{name}.jsonl")
    for place in range(len(whole)):
        (folder / f"{name}.jsonl").write_bytes(b"".join(whole[:place] + whole[place + 1 :]))
        count_again(folder)
        assert verdict(folder) is TAMPERED, place


@pytest.mark.parametrize("name", ["entries", "rows", "scans", "leaves", "tables/lab.lots"])
def test_lines_that_changed_places_are_found(folder: Path, name: str) -> None:
    whole = lines(folder, f"{name}.jsonl")
    for place in range(len(whole) - 1):
        turned = [*whole[:place], whole[place + 1], whole[place], *whole[place + 2 :]]
        (folder / f"{name}.jsonl").write_bytes(b"".join(turned))
        assert verdict(folder) is TAMPERED, place


@pytest.mark.parametrize("name", ["entries", "rows", "scans", "leaves", "proofs", "tables/lab.lots"])
def test_a_line_twice_is_found(folder: Path, name: str) -> None:
    whole = lines(folder, f"{name}.jsonl")
    (folder / f"{name}.jsonl").write_bytes(b"".join([whole[0], *whole]))
    count_again(folder)
    assert verdict(folder) is TAMPERED


def test_a_file_more_a_file_less_and_a_link_are_found(folder: Path, tmp_path: Path) -> None:
    (folder / "tables" / "lab.more.jsonl").write_bytes(b"")
    assert verdict(folder) is TAMPERED
    (folder / "tables" / "lab.more.jsonl").unlink()
    assert verdict(folder) is PROVED
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        aside = tmp_path / "aside"
        path.rename(aside)
        assert verdict(folder) is TAMPERED, path
        path.symlink_to(aside)
        assert verdict(folder) is TAMPERED, path
        path.unlink()
        aside.rename(path)
    assert verdict(folder) is PROVED


def test_a_row_of_the_table_that_no_change_left_so_is_found(folder: Path) -> None:
    path = folder / "tables" / "lab.results.jsonl"
    path.write_bytes(path.read_bytes().replace(b'\\"of\\": \\"1\\"', b'\\"of\\": \\"2\\"', 1))
    assert verdict(folder) is TAMPERED


# --- forgers who compute everything again --------------------------------------------------------------------------------


def forged_log() -> Log:
    """One measured value, long sealed, made better."""
    log = ordinary_log()
    record = next(row for row in log.rows if row[3] == "lab.results" and row[4] == "4:a")
    record[7] = json.dumps({"value": 1, "of": "4", "unit": None})
    return log


def later_columns(folder: Path, bend: Callable[[int, str], str]) -> verify.Report:
    """The verdict when every image of a table reads otherwise than its last change left it."""
    path = folder / "tables" / "lab.results.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert '"unit": null' in lines[0]["image"]
    bent = [line | {"image": bend(number, line["image"])} for number, line in enumerate(lines)]
    path.write_text("".join(map(canonical, bent)))
    return verify.verify_export(folder, keys=[VKEY])


def test_a_column_added_since_is_no_alarm(folder: Path) -> None:
    report = later_columns(folder, lambda _, image: image.replace("{", '{"new": null, ', 1))
    assert (report.findings, report.verdict) == ([], PROVED)


@pytest.mark.parametrize(
    "bend",
    [
        lambda _, image: image.replace("{", '{"new": 0, ', 1),
        lambda number, image: image.replace("{", '{"new": null, ' if number else "{", 1),
        lambda _, image: image.replace('"unit": null', '"unIt": null'),
        lambda _, image: image.replace(', "unit": null', ""),
        lambda _, image: image.replace('"unit": null', '"unit":  null'),
        lambda _, image: image.replace('"unit": null', '"unit": null, "unit": null'),
        lambda _, image: image.replace('"unit": null', '"unit": false'),
        lambda _, image: image + " ",
    ],
    ids=["filled", "in some rows", "renamed", "gone", "second form", "twice", "other nothing", "longer"],
)
def test_columns_that_say_nothing_are_watched_all_the_same(folder: Path, bend: Callable[[int, str], str]) -> None:
    assert later_columns(folder, bend).verdict is TAMPERED


def test_a_forger_with_hashes_rebuilt_but_old_checkpoints_is_found(folder: Path, tmp_path: Path) -> None:
    forged = forged_log().write(tmp_path / "forged", KEY)
    shutil.rmtree(forged / "checkpoints")
    shutil.copytree(folder / "checkpoints", forged / "checkpoints")
    assert verdict(forged) is TAMPERED
    assert verdict(forged, keys=()) is TAMPERED


def test_a_forger_who_rebuilds_all_but_lacks_the_key_is_found_by_key_or_checkpoint(
    folder: Path, tmp_path: Path
) -> None:
    forged = forged_log().write(tmp_path / "forged", key_from(666))
    assert verdict(forged) is TAMPERED
    for kept in sorted((folder / "checkpoints").iterdir()):
        assert verdict(forged, keys=(), kept=(kept,)) is TAMPERED
    # And with nothing from outside nobody can know, which is what is said then.
    assert verdict(forged, keys=()) is CONSISTENT


def test_a_forger_who_has_the_key_is_found_by_a_checkpoint_after_the_forged_entry(folder: Path, tmp_path: Path) -> None:
    forged = forged_log().write(tmp_path / "forged", KEY)
    assert verdict(forged) is PROVED
    found = {verdict(forged, kept=(kept,)) for kept in sorted((folder / "checkpoints").iterdir())[2:]}
    assert found == {TAMPERED}


def test_a_log_cut_short_is_found_by_a_later_checkpoint(tmp_path: Path) -> None:
    whole = ordinary_log().write(tmp_path / "whole", KEY)
    log = Log()
    entry = log.entry("plan_lot")
    log.row(entry, "lab.lots", "1", {"id": 1})
    log.seal()
    cut = log.write(tmp_path / "cut", KEY)
    assert verdict(cut) is PROVED  # An honest log was as short once: only something kept from later can tell.
    last = max((whole / "checkpoints").iterdir())
    assert verdict(cut, kept=(last,)) is TAMPERED


def test_a_checkpoint_of_another_log_is_refused(folder: Path, tmp_path: Path) -> None:
    other = key_from(9, name="stemma/elsewhere")
    elsewhere = ordinary_log().write(tmp_path / "elsewhere", other)
    for kept in (elsewhere / "checkpoints").iterdir():
        assert verdict(folder, keys=(VKEY, verify.Key.parse(other.vkey)), kept=(kept,)) is TAMPERED


def test_a_checkpoint_that_nobody_signed_is_refused(folder: Path, tmp_path: Path) -> None:
    kept = min((folder / "checkpoints").iterdir())
    bent = tmp_path / "kept.txt"
    bent.write_text(kept.read_text().replace("epoch 1", "epoch 2"))
    assert verdict(folder, keys=(), kept=(bent,)) is TAMPERED


@pytest.mark.parametrize(
    "bend",
    [
        lambda log: log.rows[0].__setitem__(6, '{"id": 0}'),
        lambda log: log.rows[9].__setitem__(6, '{"id": 0}'),
        lambda log: log.rows[1].__setitem__(5, "U"),
        lambda log: log.rows[4].__setitem__(2, "999"),
        lambda log: log.rows[4].__setitem__(2, "2"),
        lambda log: log.rows[2].__setitem__(1, "1"),
        lambda log: log.entries[3].__setitem__(1, "03"),
        lambda log: log.entries[1].__setitem__(2, "9"),
        lambda log: log.entries[1].append("more"),
        lambda log: log.batches[0][1].reverse(),
        lambda log: log.batches.insert(0, log.batches.pop(1)),
        lambda log: log.batches[-1][1].pop(),
        lambda log: log.batches[1][1].append(log.batches[0][1][0]),
        lambda log: log.epochs.__setitem__(0, (2, log.epochs[0][1] + 1)),
        lambda log: log.epochs.__setitem__(0, (3, log.epochs[0][1])),
        lambda log: log.epochs.clear(),
        lambda log: log.tables.discard("lab.results"),
    ],
)
def test_even_with_the_key_no_impossible_history_can_be_written(tmp_path: Path, bend: object) -> None:
    """Before is not what was after, a row belongs to no entry, leaves stand in no legal order, epochs do not fit."""
    log = ordinary_log()
    assert callable(bend)
    bend(log)
    assert verdict(log.write(tmp_path / "export", KEY)) is TAMPERED


# --- forged proofs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bend",
    [
        lambda proofs: proofs[0]["path"].reverse(),
        lambda proofs: proofs[0]["path"].pop(),
        lambda proofs: proofs[0]["path"].append("00" * 32),
        lambda proofs: proofs[0]["path"].clear(),
        lambda proofs: proofs[0].update(leaf=proofs[1]["leaf"]),
        lambda proofs: proofs[0].update(path=proofs[1]["path"]),
        lambda proofs: proofs[0].update(leaf=proofs[1]["leaf"], path=proofs[1]["path"]),
        lambda proofs: proofs[0].update(number=proofs[0]["number"] - 1),
        lambda proofs: proofs[0].update(size=proofs[0]["size"] - 1),
        lambda proofs: proofs[0].update(size=0),
        lambda proofs: proofs[0].update(leaf=10**30),
        lambda proofs: proofs[0].update(path="0"),
        lambda proofs: proofs[0]["path"].__setitem__(0, proofs[0]["path"][0].upper()),
        lambda proofs: proofs.pop(0),
        lambda proofs: proofs.append(proofs[0]),
    ],
)
def test_a_forged_proof_is_found(folder: Path, bend: object) -> None:
    proofs = [json.loads(line) for line in lines(folder, "proofs.jsonl")]
    assert len(proofs) == 2
    assert callable(bend)
    bend(proofs)
    (folder / "proofs.jsonl").write_text("".join(map(canonical, proofs)))
    count_again(folder)
    assert verdict(folder) is TAMPERED


# --- hostile input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100000,
        b'{"payload":1}',
        b'{"payload":"\\ud800","hash":"' + b"0" * 64 + b'"}',
        b'{"n":' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b'{"hash":"' + b"0" * 64 + b'","payload":"99999999999:x,"}',
    ],
)
@pytest.mark.parametrize("name", ["entries", "rows", "scans", "leaves", "proofs", "epochs", "tables/lab.lots"])
def test_nonsense_is_a_finding_and_never_a_crash(folder: Path, name: str, line: bytes) -> None:
    (folder / f"{name}.jsonl").write_bytes(line + b"\n")
    assert verdict(folder) is TAMPERED


@pytest.mark.parametrize("content", [b"", b"{}", b"[]\n", b'{"tables":[1]}\n', b'{"tables":{"../../x":1}}\n', b"\xff"])
def test_a_nonsense_manifest_is_a_finding_and_never_a_crash(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)
    assert verdict(folder) is TAMPERED


# --- the command ------------------------------------------------------------------------------------------------------


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The one file, alone: no site packages, no path to the rest."""
    return subprocess.run(
        [sys.executable, "-I", "-S", verify.__file__, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_the_command_says_it_in_words_in_json_and_by_its_exit(folder: Path, tmp_path: Path) -> None:
    key_file = tmp_path / "key.txt"
    key_file.write_text(KEY.vkey + "\n")
    kept = min((folder / "checkpoints").iterdir())
    assert command(folder, "--key", KEY.vkey).returncode == 0
    assert command(folder, "--key-file", key_file).returncode == 0
    assert command(folder, "--checkpoint", kept).returncode == 0
    unproved = command(folder)
    assert unproved.returncode == 2
    assert "origin not proved" in unproved.stdout
    said = json.loads(command(folder, "--key", KEY.vkey, "--json").stdout)
    assert (said["verdict"], said["findings"], said["entries"]) == ("proved", [], 15)
    path = folder / "rows.jsonl"
    path.write_bytes(path.read_bytes().replace(b"lab.lots", b"lab.lotz", 1))
    tampered = command(folder, "--key", KEY.vkey)
    assert tampered.returncode == 1
    assert "rows.jsonl:1" in tampered.stdout


def test_what_cannot_be_read_is_not_checked(folder: Path, tmp_path: Path) -> None:
    for arguments in ([tmp_path / "none"], [folder, "--key", "x"], [folder, "--checkpoint", folder / "rows.jsonl"], []):
        ended = command(*arguments)
        assert ended.returncode == 3
        assert "not checked" in ended.stderr
