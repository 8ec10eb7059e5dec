"""The command line as its user meets it: its own process, its exit code, its words."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from app.db.embedded import free_port
from app.db.secrets import new_key
from tests.conftest import ROOT

PICTURES = ROOT / "tests" / "samples"


def _run(*arguments, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STEMMA_")}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *map(str, arguments)],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_decode_prints_one_json_object_a_line(tmp_path):
    pictures = sorted(each for each in PICTURES.rglob("*") if each.suffix in {".png", ".jpg", ".webp"})[:3]
    garbage = tmp_path / "garbage.png"
    garbage.write_bytes(b"not a picture")
    done = _run("decode", "--json", *pictures, garbage)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(each["file"]).name for each in lines] == [each.name for each in [*pictures, garbage]]
    assert all({"text", "symbology"} <= code.keys() for each in lines for code in each["codes"])
    assert any(each["codes"] for each in lines)
    assert lines[-1]["codes"] == []
    assert done.returncode == 1  # one file could not be read


@pytest.fixture(scope="module")
def sealed(make_database):
    """A database with a life in it, sealed by a key of its own; its address, key and checkpoints."""
    database = make_database()
    folder = ROOT / "var" / "test" / f"cli-{database.name}"
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "seal.key"
    key.unlink(missing_ok=True)
    made = subprocess.run(
        [sys.executable, "-m", "app.workers.sealer", "--make-key", str(key), "--name", "cli.test"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "app.workers.sealer", "--once"],
        cwd=ROOT, check=True, capture_output=True,
        env={**os.environ, "STEMMA_SEAL_DATABASE_URL": database.url("stemma_seal"), "STEMMA_SEAL_KEY": str(key)},
    )  # fmt: skip
    return database, made.stdout.strip().splitlines()[-1], folder


def test_verify_says_what_is_proved(sealed):
    database, vkey, _ = sealed
    report = database.url("stemma_report")
    proved = _run("verify", "--key", vkey, STEMMA_REPORT_DATABASE_URL=report)
    assert proved.returncode == 0, proved.stdout + proved.stderr
    unproved = _run("verify", STEMMA_REPORT_DATABASE_URL=report)
    assert unproved.returncode == 2
    assert "origin not proved" in unproved.stdout


def test_verify_finds_a_changed_row(make_database, sealed):
    database, vkey, _ = sealed
    database.postgres.run_sql(
        "ALTER TABLE people.accounts DISABLE TRIGGER ALL;"
        "UPDATE people.accounts SET printed_name = 'Mallory' WHERE username = 'tess';",
        database=database.name,
    )
    try:
        found = _run("verify", "--key", vkey, STEMMA_REPORT_DATABASE_URL=database.url("stemma_report"))
    finally:
        database.postgres.run_sql(
            "UPDATE people.accounts SET printed_name = 'Tess Tan' WHERE username = 'tess';"
            "ALTER TABLE people.accounts ENABLE TRIGGER ALL;",
            database=database.name,
        )
    assert found.returncode == 1, found.stdout
    assert "people.accounts" in found.stdout


def test_an_export_is_checked_by_the_one_file_verifier_alone(sealed, tmp_path):
    database, vkey, _ = sealed
    folder = tmp_path / "export"
    done = _run("export", folder, "--key", vkey, STEMMA_REPORT_DATABASE_URL=database.url("stemma_report"))
    assert done.returncode == 0, done.stdout + done.stderr
    alone = tmp_path / "verify.py"
    alone.write_bytes((ROOT / "app" / "verifier" / "verify.py").read_bytes())
    checked = subprocess.run(
        [sys.executable, "-I", str(alone), str(folder), "--key", vkey], cwd=tmp_path, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("purpose", ["production", "demo"])
def test_a_database_is_served_only_for_what_it_is_marked(database, purpose):
    settings = {
        "STEMMA_DATABASE_URL": database.url("stemma_app"),
        "STEMMA_AUTH_DATABASE_URL": database.url("stemma_auth"),
        "STEMMA_IDENTITY_KEY": database.cast["identity_key"],
        "STEMMA_TOTP_KEY": database.cast["totp_key"],
        "STEMMA_PURPOSE": purpose,
    }
    done = _run("serve", "--port", "0", **settings)  # serve is for production whatever the environment says
    assert done.returncode != 0
    assert "marked 'test' and is not served as 'production'" in done.stdout + done.stderr


def test_an_address_that_is_not_set_is_said_plainly():
    done = _run("verify")
    assert done.returncode == 1
    assert "STEMMA_REPORT_DATABASE_URL is not set" in done.stdout


def test_serve_names_what_is_not_set():
    done = _run("serve")
    assert done.returncode == 1
    assert "STEMMA_DATABASE_URL, STEMMA_AUTH_DATABASE_URL, STEMMA_IDENTITY_KEY, STEMMA_TOTP_KEY" in done.stdout


def test_the_way_to_production_as_the_docs_tell_it(postgres, template, tmp_path):
    name = f"test_production_{os.getpid()}"
    postgres.create_database(name)
    port = free_port()
    secret = new_key()
    # The roles and their passwords belong to the cluster that the other tests use: the same are set again.
    settings = {
        "STEMMA_OWNER_DATABASE_URL": postgres.admin_url(name),
        "STEMMA_DATABASE_URL": postgres.url(role="stemma_app", database=name),
        "STEMMA_AUTH_DATABASE_URL": postgres.url(role="stemma_auth", database=name),
        "STEMMA_IDENTITY_KEY": secret,
        "STEMMA_TOTP_KEY": secret,
        "STEMMA_FACILITY": "A hospital",
    }
    server = None
    try:
        assert (migrated := _run("migrate", **settings)).returncode == 0, migrated.stdout + migrated.stderr
        assert _run("migrate", **settings).returncode == 0  # again, without harm
        people = tmp_path / "people.toml"
        people.write_text('[[people]]\nusername = "adam"\nprinted_name = "Adam Qi"\nroles = ["administrator"]\n')
        made = _run("user", "bootstrap", "--file", people, **settings)
        assert made.returncode == 0, made.stdout + made.stderr
        assert '"username": "adam"' in made.stdout
        again = _run("user", "bootstrap", "--file", people, **settings)
        assert again.returncode != 0
        clean = {name: value for name, value in os.environ.items() if not name.startswith("STEMMA_")}
        server = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
            cwd=ROOT, env={**clean, **settings}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        health = _answer(f"http://127.0.0.1:{port}/health")
        assert health["purpose"] == "production"
        assert health["trouble"] == []
    finally:
        if server is not None:
            server.terminate()
            server.communicate(timeout=15)
        postgres.drop_database(name)


def _answer(url):
    for _ in range(150):
        try:
            return httpx.get(url, timeout=2).json()
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer")
