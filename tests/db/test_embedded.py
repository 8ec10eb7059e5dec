"""The private PostgreSQL: who may enter, what survives, and what it leaves alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import embedded, embedded_account
from app.db.embedded import ADMIN_ROLE, EmbeddedPostgres, Via, free_port
from app.db.embedded_account import EmbeddedPostgresError, find_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = "tess"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres.open(tmp_path_factory.mktemp("pg"), fast=True)
    try:
        server.run_sql(f"create role {ROLE} login")
        server.set_passwords([ROLE])
        server.create_database("lab")
        yield server
    finally:
        EmbeddedPostgres.open(server.root, fast=True, tcp=False).remove()


def _connect(server: EmbeddedPostgres, *, url: str) -> subprocess.CompletedProcess[str]:
    """Connect with nothing but what the address says: no password file, no variable, no prompt."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return subprocess.run(
        [server.binaries / "psql", "-X", "-w", "-A", "-t", "-d", url, "-c", "select current_user"],
        env=environment | {"PGPASSFILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


def _postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def _reopen(server: EmbeddedPostgres) -> EmbeddedPostgres:
    return EmbeddedPostgres.open(server.root, fast=True)


# -- who may enter -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("via", Via)
@pytest.mark.parametrize("role", [ADMIN_ROLE, ROLE])
def test_only_the_right_password_enters(server: EmbeddedPostgres, role: str, via: Via) -> None:
    right = server.url(role=role, database="lab", via=via)
    wrong = server.url(role=role, database="lab", via=via, password="wrong")
    absent = wrong.replace(":wrong@", "@")

    assert _connect(server, url=right).stdout == f"{role}\n"
    assert "password authentication failed" in _connect(server, url=wrong).stderr
    assert "no password supplied" in _connect(server, url=absent).stderr


def test_every_way_in_asks_by_scram(server: EmbeddedPostgres) -> None:
    assert server.run_sql("select distinct auth_method from pg_hba_file_rules") == ["scram-sha-256"]


def test_both_drivers_take_the_addresses(server: EmbeddedPostgres) -> None:
    async def ask(via: Via) -> tuple[object, object]:
        plain = await asyncpg.connect(server.url(role=ROLE, database="lab", via=via))
        engine = create_async_engine(server.url(role=ROLE, database="lab", via=via, driver="postgresql+asyncpg"))
        try:
            async with engine.connect() as connection:
                through_engine = (await connection.execute(text("select current_user"))).scalar_one()
            return await plain.fetchval("select inet_server_addr() is null"), through_engine
        finally:
            await plain.close()
            await engine.dispose()

    assert asyncio.run(ask(Via.SOCKET)) == (True, ROLE)
    assert asyncio.run(ask(Via.TCP)) == (False, ROLE)


def test_tcp_listens_on_this_machine_only(server: EmbeddedPostgres) -> None:
    assert server.run_sql("show listen_addresses") == ["127.0.0.1"]


def test_secrets_socket_and_data_are_closed_to_others(server: EmbeddedPostgres) -> None:
    modes = {
        path: stat.S_IMODE(path.stat().st_mode)
        for path in (server.root / "passwords.json", server.socket_directory, server.home, server.data)
    }
    assert list(modes.values()) == [0o600, 0o700, 0o700, 0o700]
    assert (server.root / "passwords.json").stat().st_uid == os.geteuid()


def test_a_role_without_a_kept_password_has_no_address(server: EmbeddedPostgres) -> None:
    with pytest.raises(EmbeddedPostgresError, match="set_passwords"):
        server.url(role="olga", database="lab")


@pytest.mark.parametrize("name", ["lab; drop database lab", 'lab"', "", "Lab", "1lab", "l" * 64])
def test_names_that_are_no_names_are_refused(server: EmbeddedPostgres, name: str) -> None:
    for act in (server.create_database, server.drop_database, lambda name: server.set_passwords([name])):
        with pytest.raises(EmbeddedPostgresError, match="no name"):
            act(name)
    assert server.databases() == ["lab"]


# -- what it is --------------------------------------------------------------------------------------------------------


def test_the_settings_that_others_rely_on(server: EmbeddedPostgres) -> None:
    names = ("jit", "timezone", "data_checksums", "synchronous_commit", "server_encoding", "shared_buffers", "fsync")
    settings = {name: server.run_sql(f"show {name}")[0] for name in names}
    # fsync is off because this server was opened fast; a commit is acknowledged no earlier for that.
    assert list(settings.values()) == ["off", "UTC", "on", "on", "UTF8", "64MB", "off"]
    assert int(server.run_sql("show max_connections")[0]) >= 100


def test_a_new_database_knows_letters_beyond_ascii(server: EmbeddedPostgres) -> None:
    assert server.run_sql("select lower('ÄΩ'), '间充质' ~ '^[[:alpha:]]+$'", database="lab") == ["äω|t"]


def test_databases_are_made_copied_listed_and_dropped(server: EmbeddedPostgres) -> None:
    server.run_sql("create table kept (fact text); insert into kept values ('here')", database="lab")
    server.create_database("copy", template="lab")
    assert server.databases() == ["copy", "lab"]
    assert server.run_sql("select fact from kept", database="copy") == ["here"]

    with _session(server, database="copy"):
        server.drop_database("copy")
    server.drop_database("copy")
    assert server.databases() == ["lab"]
    server.run_sql("drop table kept", database="lab")


@contextlib.contextmanager
def _session(server: EmbeddedPostgres, *, database: str, statement: str = "select pg_sleep(60)") -> Iterator[None]:
    """Somebody at work in a database; the block begins when the server has begun on the statement."""
    psql = str(server.binaries / "psql")
    command = [psql, "-X", "-q", "-d", server.admin_url(database), "-c", statement]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
        at_work = f"select 1 from pg_stat_activity where datname = '{database}' and state = 'active'"
        deadline = time.monotonic() + 10
        while not server.run_sql(at_work):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        try:
            yield
        finally:
            client.kill()


def test_what_a_program_says_when_it_fails_is_kept(server: EmbeddedPostgres) -> None:
    with pytest.raises(EmbeddedPostgresError, match='relation "nowhere" does not exist'):
        server.run_sql("select * from nowhere")
    assert "PostgreSQL database dump complete" in server.run("pg_dump", "lab")


def test_free_port_can_be_listened_on() -> None:
    ports = {free_port() for _ in range(5)}
    assert all(1024 < port < 65536 and embedded._is_free(port) for port in ports)


def test_a_version_that_is_not_there_is_refused_with_the_remedy() -> None:
    with pytest.raises(EmbeddedPostgresError, match=r"PostgreSQL 12 not found.*STEMMA_PG_BIN"):
        find_binaries(major=12)


def test_the_folder_that_the_environment_names_is_the_only_one_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMMA_PG_BIN", str(tmp_path))
    with pytest.raises(EmbeddedPostgresError):
        find_binaries()
    for name in ("initdb", "postgres"):
        (tmp_path / name).symlink_to("/bin/true")
    with pytest.raises(EmbeddedPostgresError):
        find_binaries()


# -- what survives -----------------------------------------------------------------------------------------------------


def test_kill_loses_no_committed_row_and_changes_no_address(server: EmbeddedPostgres) -> None:
    server.run_sql("create table vial (code text); insert into vial values ('V1')", database="lab")
    before = server.url(role=ROLE, database="lab"), server.admin_url("lab", via=Via.SOCKET)
    with _session(server, database="lab"):
        server.kill()
    assert not server.alive()
    assert server._processes() == []

    again = _reopen(server)
    assert again.alive()
    assert again.run_sql("select code from vial", database="lab") == ["V1"]
    assert (again.url(role=ROLE, database="lab"), again.admin_url("lab", via=Via.SOCKET)) == before
    again.run_sql("drop table vial", database="lab")


def test_orphans_of_a_killed_postmaster_do_not_bar_the_start(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "ORPHANS_LEAVE_WITHIN_S", 0.5)
    busy = "do $$ begin loop perform 1; end loop; end $$"  # Never looks up to see that its postmaster is gone.
    with _session(server, database="lab", statement=busy):
        os.kill(_postmaster(server), signal.SIGKILL)
        time.sleep(0.2)
        orphans = server._processes()
        assert orphans
        assert _reopen(server).alive()
        assert not set(orphans) & set(server._processes())


@pytest.mark.parametrize("leftover", ["stranger", "zombie", "nobody", "no number"])
def test_a_pid_file_left_behind_does_not_bar_the_start(server: EmbeddedPostgres, leftover: str) -> None:
    server.stop()
    # A process of the very account that PostgreSQL runs as, which PostgreSQL alone would take for itself.
    command = ["sleep", "60"] if leftover == "stranger" else ["true"]
    account = server.data.stat()
    with subprocess.Popen(command, user=account.st_uid if os.geteuid() == 0 else None) as process:
        if leftover == "nobody":
            process.wait()
        time.sleep(0.05)
        number = "soon" if leftover == "no number" else str(process.pid)
        pid_file = server.data / "postmaster.pid"
        pid_file.write_text(f"{number}\n{server.data}\n1700000000\n{server.port}\n{server.socket_directory}\n")
        os.chown(pid_file, account.st_uid, account.st_gid)
        lock = server.socket_directory / f".s.PGSQL.{server.port}.lock"
        lock.write_text(f"{number}\n")
        try:
            assert not server.alive()
            server.stop()
            assert process.poll() is None or leftover != "stranger"
            assert _reopen(server).alive()
        finally:
            process.kill()


def test_a_restart_keeps_passwords_and_addresses(server: EmbeddedPostgres) -> None:
    passwords = server.set_passwords([ROLE, "quinn"])
    address = server.url(role=ROLE, database="lab")
    server.stop()
    assert not server.alive()

    again = _reopen(server)
    assert again.set_passwords([ROLE, "quinn"]) == passwords
    assert again.url(role=ROLE, database="lab") == address
    assert _connect(again, url=address).stdout == f"{ROLE}\n"

    # A role that is made later gets the password that was kept for it.
    again.run_sql("create role quinn login")
    assert _connect(again, url=again.url(role="quinn", database="lab")).returncode != 0
    again.set_passwords(["quinn"])
    assert _connect(again, url=again.url(role="quinn", database="lab")).stdout == "quinn\n"


def test_a_port_taken_meanwhile_is_given_up(server: EmbeddedPostgres) -> None:
    server.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", server.port))
        squatter.listen()
        again = _reopen(server)
    assert again.port != server.port
    assert _connect(again, url=again.url(role=ROLE, database="lab", via=Via.TCP)).stdout == f"{ROLE}\n"


def test_joining_never_weakens_what_was_asked(server: EmbeddedPostgres) -> None:
    _reopen(server).stop()
    up = EmbeddedPostgres.open(server.root, fast=True, tcp=False)
    assert up.run_sql("show listen_addresses") == [""]
    assert "host=" in up.admin_url("lab")
    with pytest.raises(EmbeddedPostgresError, match="without TCP"):
        EmbeddedPostgres.open(server.root, fast=True, tcp=True)
    with pytest.raises(EmbeddedPostgresError, match="without fsync"):
        EmbeddedPostgres.open(server.root, fast=False, tcp=False)
    assert up.alive()
    up.stop()
    with EmbeddedPostgres.open(server.root, fast=False) as durable:
        assert durable.run_sql("show fsync") == ["on"]
        assert EmbeddedPostgres.open(server.root, fast=True).run_sql("show fsync") == ["on"]
    assert not durable.alive()
    _reopen(server)


def test_data_without_its_password_is_refused_and_left_alone(server: EmbeddedPostgres) -> None:
    _reopen(server).stop()
    kept = server.root / "passwords.json"
    aside = kept.rename(server.root / "aside")
    with pytest.raises(EmbeddedPostgresError, match=r"passwords\.json is missing"):
        _reopen(server)
    aside.rename(kept)
    assert _reopen(server).databases() == ["lab"]


OPEN_AND_LEAVE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from app.db.embedded import EmbeddedPostgres
server = EmbeddedPostgres.open(Path(sys.argv[1]), fast=True)
server.create_database(sys.argv[3])
print(server.port, server.data.stat().st_uid, server.run_sql("select sum(n) from generate_series(1, 4) n")[0])
"""


def test_two_may_open_the_same_root_at_once_and_the_server_outlives_both(tmp_path: Path) -> None:
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_AND_LEAVE, tmp_path, Path.cwd(), name], stdout=subprocess.PIPE, text=True
        )
        for name in ("first", "second")
    ]
    said = [opener.communicate(timeout=60)[0] for opener in openers]
    server = EmbeddedPostgres.open(tmp_path, fast=True)
    try:
        assert said[0] == said[1] == f"{server.port} {server.data.stat().st_uid} 10\n"
        assert server.databases() == ["first", "second"]
    finally:
        server.remove()
    assert not server.home.exists()
    assert not server.socket_directory.exists()
    assert not tmp_path.exists()


def test_a_root_and_a_folder_for_temporary_files_with_long_paths_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("a" * 120) / ("b" * 120)
    long.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    server = EmbeddedPostgres.open(long / "pg", fast=True, tcp=False)
    try:
        assert len(os.fsencode(server.socket_directory / f".s.PGSQL.{server.port}.lock")) <= 103
        assert server.run_sql("select 1") == ["1"]
    finally:
        server.remove()


# -- accounts ----------------------------------------------------------------------------------------------------------

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to hand over to another account")


@as_root
def test_root_hands_over_and_opens_up_nothing_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = pwd.getpwall()
    closed = Path(tempfile.mkdtemp())  # 0700, as root's own home is.
    apart = Path(tempfile.mkdtemp())
    apart.chmod(0o711)
    found = find_binaries()
    package = found.parents[1]
    shutil.copytree(found.parent, closed / package.name / found.parent.name, symlinks=True)
    if (libraries := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(libraries, closed / libraries.name)
    monkeypatch.setenv("STEMMA_PG_BIN", str(closed / package.name / found.parent.name / "bin"))
    monkeypatch.setattr(embedded_account, "APART", apart)
    server = EmbeddedPostgres.open(closed / "project" / "var" / "pg", fast=True)
    try:
        assert server.binaries.is_relative_to(apart)
        assert server.home.is_relative_to(apart)
        assert server.run_sql("select 1") == ["1"]
        wrong = server.url(role=ADMIN_ROLE, database="postgres", password="wrong", via=Via.SOCKET)
        assert "password authentication failed" in _connect(server, url=wrong).stderr
        assert EmbeddedPostgres.open(server.root, fast=True).data == server.data
        status = Path(f"/proc/{_postmaster(server)}/status").read_text()
        assert f"Uid:\t{server.data.stat().st_uid}\t" in status
        assert server.data.stat().st_uid != 0
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.root.parent.stat().st_mode) == 0o755
        assert pwd.getpwall() == accounts
    finally:
        server.remove()
        shutil.rmtree(closed)
        shutil.rmtree(apart)


def _python_for(account: pwd.struct_passwd) -> str | None:
    """An interpreter, new enough, that the account can run; root's own may lie in root's home."""
    ask = "import sys; sys.exit(sys.version_info < (3, 11))"
    for python in (sys.executable, *(f"/usr/bin/python3{minor}" for minor in ("", ".11", ".12", ".13"))):
        with contextlib.suppress(OSError):
            if subprocess.run([python, "-c", ask], user=account.pw_uid, cwd="/", check=False).returncode == 0:
                return python
    return None


@as_root
def test_an_ordinary_account_needs_nobody(server: EmbeddedPostgres) -> None:
    account = pwd.getpwnam("nobody")
    python = _python_for(account)
    if python is None:
        pytest.skip("no Python 3.11 or newer that an ordinary account can run")
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o700)
        there = folder / "app" / "db"
        there.mkdir(parents=True)
        for module in (embedded, embedded_account):
            shutil.copy(module.__file__, there)
        os.chown(folder, account.pw_uid, account.pw_gid)
        done = subprocess.run(
            [python, "-c", OPEN_AND_LEAVE, folder / "pg", folder, "lab"],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            cwd="/",
            env={"PATH": os.environ["PATH"], "STEMMA_PG_BIN": str(server.binaries)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[1:] == [str(account.pw_uid), "10"]
        theirs = EmbeddedPostgres.open(folder / "pg", fast=True)
        assert theirs.databases() == ["lab"]
        theirs.remove()
    finally:
        shutil.rmtree(folder)
