"""One private PostgreSQL for the whole run; one migrated, peopled template; a copy for each worker, or for a test."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import pytest
from hypothesis import settings

from app.db.embedded import EmbeddedPostgres
from tests import world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

# How long one example takes says something of the machine's other work, nothing of ours.
settings.register_profile("stemma", deadline=None)
settings.load_profile("stemma")

SLOW = {
    "test_hostile_text_through_every_form": 60,
    "test_no_illegal_release": 90,
    "test_no_form_and_no_body_takes_what_cannot_be": 60,
    "test_nothing_serious_stands_in_anybodys_way": 55,
    "test_a_whole_life": 40,
    "test_nothing_that_was_typed_runs": 40,
    "test_nothing_answered_is_lost": 30,
    "test_killed_at_any_moment_no_label_is_printed_twice_and_none_is_lost_silently": 20,
    "test_a_newcomer_finishes_the_lot_in_four_turns": 10,
    "test_a_serum_from_definition_to_rejection": 20,
    "test_what_happens_appears_by_itself": 20,
    "test_old_numbers_are_never_shown_as_live": 18,
}
"""Tests that take long, and about how many seconds each on a quiet machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every worker begins with its share of what takes long, so that none is left with it at the end.

    To each its share is an equal slice, in order (`--dist worksteal`); whoever is done takes from another's end.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    piles: list[list[pytest.Item]] = [[] for _ in range(workers)]
    loads = [0] * workers
    slow = [each for each in items if _seconds(each)]
    for each in sorted(slow, key=_seconds, reverse=True):
        lightest = loads.index(min(loads))
        piles[lightest].append(each)
        loads[lightest] += _seconds(each)
    rest = [each for each in items if not _seconds(each)]
    if any(len(pile) > len(items) // workers for pile in piles):
        return
    ordered: list[pytest.Item] = []
    for number, pile in enumerate(piles):
        share = (len(items) - len(ordered)) // (workers - number) - len(pile)
        ordered += pile + rest[:share]
        rest = rest[share:]
    items[:] = ordered


def _seconds(item: pytest.Item) -> int:
    return SLOW.get(getattr(item, "originalname", item.name), 0)


ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / "var" / "test"


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for folder in ("migrations", "app/db", "app/domain", "app/rules", "tests/world.py", "tests/standing.py"):
        path = ROOT / folder
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix in {".py", ".sql"}:
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def template_of(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database with the cast in it; made once per server and state of the code."""
    name = f"template_{_fingerprint()}"
    place = postgres.root.parent
    with (place / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cast = place / f"{name}.json"
        if name not in postgres.databases() or not cast.exists():
            for old in postgres.databases():
                if old.startswith("making_") or _is_left_behind(old) or _is_unused_template(place, old):
                    postgres.drop_database(old)
            postgres.create_database(f"making_{name}")
            passwords = postgres.set_passwords(world.LOGIN_ROLES)
            made = world.make_template(postgres.admin_url(f"making_{name}"), passwords)
            postgres.run_sql(f'ALTER DATABASE "making_{name}" RENAME TO "{name}"')
            cast.write_text(json.dumps(made))
        _use(place, name)
    return name


_USED: list[TextIO] = []
"""Kept open, and so locked, until this process ends: another run must not drop the template that this one copies."""


def pytest_unconfigure() -> None:
    """Nobody copies from a template any more."""
    for used in _USED:
        used.close()


def _use(place: Path, name: str) -> None:
    used = (place / f"{name}.used").open("w")
    fcntl.flock(used, fcntl.LOCK_SH)
    _USED.append(used)


def _is_unused_template(place: Path, name: str) -> bool:
    """Whether this is the template of another state of the code, and no run that goes on uses it."""
    if not name.startswith("template_"):
        return False
    with (place / f"{name}.used").open("w") as used:
        try:
            fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _is_left_behind(name: str) -> bool:
    """Whether a test run that has ended left this database."""
    found = re.fullmatch(r"test_\w+?_(\d+)_\d+", name)
    return found is not None and not Path(f"/proc/{found[1]}").exists()


@dataclass(frozen=True)
class Database:
    """One database of the run and the addresses of its roles."""

    name: str
    postgres: EmbeddedPostgres
    cast: dict[str, Any]

    @property
    def admin_url(self) -> str:
        """As the superuser: for arranging, never for what is tested."""
        return self.postgres.admin_url(self.name)

    def url(self, role: str) -> str:
        """As a service role."""
        return self.postgres.url(role=role, database=self.name)


@contextmanager
def copies_of(postgres: EmbeddedPostgres, template: str) -> Iterator[Callable[[], Database]]:
    """What makes fresh copies of the template; they are dropped at the end."""
    made: list[str] = []
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw")
    cast = json.loads((postgres.root.parent / f"{template}.json").read_text())

    def make() -> Database:
        name = f"test_{worker}_{os.getpid()}_{len(made)}"
        postgres.create_database(name, template=template)
        made.append(name)
        return Database(name=name, postgres=postgres, cast=cast)

    try:
        yield make
    finally:
        for name in made:
            postgres.drop_database(name)


@pytest.fixture(scope="session")
def postgres() -> EmbeddedPostgres:
    """The run's server; it is left running for the next run, and found again by it."""
    return EmbeddedPostgres.open(RUN / "pg", fast=True, tcp=True)


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """The name of the database that is copied."""
    return template_of(postgres)


@pytest.fixture(scope="session")
def make_database(postgres: EmbeddedPostgres, template: str) -> Iterator[Callable[[], Database]]:
    """Makes fresh copies of the template."""
    with copies_of(postgres, template) as make:
        yield make


@pytest.fixture(scope="session")
def database(make_database: Callable[[], Database]) -> Database:
    """The worker's own database; tests in it use things of their own making."""
    return make_database()


@pytest.fixture
def fresh_database(make_database: Callable[[], Database]) -> Iterator[Database]:
    """A database for one test alone. Dropped at once: what has reached the disk by then takes ten times as long."""
    database = make_database()
    yield database
    database.postgres.drop_database(database.name)


@pytest.fixture(scope="session")
async def lab(database: Database) -> AsyncIterator[world.Lab]:
    """The running application in this process, over HTTP, with everybody signed in."""
    async with world.open_lab(database) as opened:
        yield opened
