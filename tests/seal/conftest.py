"""A server of their own for the tests of the seal: a transaction open anywhere in a cluster holds its seal back."""

from __future__ import annotations

import fcntl
import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from app.db.embedded import EmbeddedPostgres
from tests.conftest import RUN, copies_of, template_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Database


@contextmanager
def held_alone() -> Iterator[Path]:
    """The first folder that no other worker, of this run or of another, holds now."""
    for number in itertools.count():
        place = RUN / f"seal{number}"
        place.mkdir(parents=True, exist_ok=True)
        with (place / "held").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield place
            return


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server that nobody else uses; its own housekeeping, which opens transactions too, is off."""
    with held_alone() as place, EmbeddedPostgres.open(place / "pg", fast=True, tcp=True) as server:
        server.run_sql("ALTER SYSTEM SET autovacuum = off; SELECT pg_reload_conf()")
        yield server


# A fixture for the whole session is made once, for whoever asks first: what stands on the server is made here again.


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
    """The worker's own database."""
    return make_database()


@pytest.fixture
def fresh_database(make_database: Callable[[], Database]) -> Database:
    """A database for one test alone."""
    return make_database()
