"""Forward only: a database with records in it comes to today's house, and its whole audit still verifies."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import asyncpg
from alembic import command
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.db.door import sqlalchemy_url
from app.db.migrate import Deployment, alembic_config, differences, migrate
from app.db.verify import verify_database
from app.db.version import MIGRATIONS
from app.verifier.verify import Verdict
from tests import life, world

if TYPE_CHECKING:
    from app.db.embedded import EmbeddedPostgres
    from tests.conftest import Database

TEST = Deployment(purpose="test", facility="Test", time_zone="Asia/Shanghai")


async def findings(database: Database) -> list[str]:
    connection = await asyncpg.connect(database.url("stemma_report"))
    try:
        report = await verify_database(connection)
    finally:
        await connection.close()
    assert report.rows > 100
    assert (report.verdict is Verdict.TAMPERED) == bool(report.findings_count)
    return [str(each) for each in report.findings]


async def test_the_house_of_the_first_version_comes_to_todays_with_its_records(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("making_of_old")
    try:
        url = postgres.admin_url("making_of_old")
        await _built(url, version="0001")
        connection = await asyncpg.connect(url)
        await connection.execute(RECORDS)
        await migrate(url, deployment=TEST, said=lambda _: None)
        assert await differences(url) == []
        kept = await connection.fetchrow(
            "SELECT c.state, c.volume_ml, a.username FROM lab.containers c JOIN people.accounts a ON a.id = c.recorded_by"
        )
        await connection.close()
        assert tuple(kept) == ("consumed", Decimal("1.50"), "tess")
    finally:
        postgres.drop_database("making_of_old")


RECORDS = """
INSERT INTO people.accounts (username, printed_name) VALUES ('tess', 'Tess');
INSERT INTO lab.items (kind) VALUES ('container');
INSERT INTO lab.containers (id, kind, state, volume_ml, recorded_by)
SELECT i.id, 'vial', 'consumed', 1.50, a.id FROM lab.items i, people.accounts a;
"""


async def _built(url: str, *, version: str) -> None:
    """The tables as an earlier version left them."""
    connection = await asyncpg.connect(url)
    await connection.execute((MIGRATIONS / "sql" / "01_roles.sql").read_text(encoding="utf-8"))
    await connection.close()
    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool)
    async with engine.connect() as opened:
        await opened.run_sync(lambda bound: command.upgrade(alembic_config(bound), version))
        await opened.commit()
    await engine.dispose()


async def test_a_column_that_was_added_breaks_no_chain_and_hides_no_change(fresh_database: Database) -> None:
    async with world.open_lab(fresh_database) as lab:
        lived = await life.preparation(lab, upto="isolated")
        await lab.sql("ALTER TABLE lab.containers ADD COLUMN colour text")
        assert await findings(fresh_database) == []

        await lab.arrange("UPDATE lab.containers SET colour = 'red' WHERE id = $1", await lived.id(lived.flasks[0]))
        assert await findings(fresh_database) == []

        connection = await asyncpg.connect(fresh_database.admin_url)
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("ALTER TABLE lab.containers DISABLE TRIGGER ALL")
        await connection.execute(
            "UPDATE lab.containers SET colour = 'blue' WHERE id = $1", await lived.id(lived.flasks[0])
        )
        await connection.close()
        (found,) = await findings(fresh_database)
        assert "is not what its last change left" in found
