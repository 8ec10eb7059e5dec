"""Which version of the tables this code expects. Apart from the migrations' machinery, which a server need not load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def newest_version() -> str:
    """The version that `migrate` leads to: the number that begins the last migration's name."""
    return max(file.stem.split("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def run_script_beside(migration: str, connection: Connection) -> None:
    """Run the SQL file that stands beside a migration and bears its name."""
    script = Path(migration).with_suffix(".sql").read_text(encoding="utf-8")
    driver = connection.connection.dbapi_connection
    if driver is None:
        raise RuntimeError("a migration needs a live connection")
    driver.run_async(lambda asyncpg: asyncpg.execute(script))
