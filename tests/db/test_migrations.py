"""Forward only: a database with records in it comes to today's house, and its whole audit still verifies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from app.db.migrate import Deployment, migrate
from app.db.verify import verify_database
from app.verifier.verify import Verdict
from tests import life, world

if TYPE_CHECKING:
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


async def test_the_house_of_the_first_version_comes_to_todays_with_its_records(fresh_database: Database) -> None:
    async with world.open_lab(fresh_database) as lab:
        lived = await life.preparation(lab, upto="frozen")
    await _back_to_the_first_version(fresh_database)
    await migrate(fresh_database.admin_url, deployment=TEST, said=lambda _: None)
    async with world.open_lab(fresh_database) as lab:
        taken = {"from": lived.vials[0], "purpose": "sterility"}
        world.ok(await lab.as_("tess").post(f"/lots/{lived.lot}/samples", taken))
    assert await findings(fresh_database) == []


async def _back_to_the_first_version(database: Database) -> None:
    """Undo by hand what later migrations did to the tables; the records stay as they are."""
    connection = await asyncpg.connect(database.admin_url)
    await connection.execute(
        "ALTER TABLE lab.containers DROP CONSTRAINT ck_containers_state;"
        "ALTER TABLE lab.containers ADD CONSTRAINT ck_containers_state"
        " CHECK (state IN ('in_use','stored','consumed','issued','destroyed'));"
        "UPDATE alembic_version SET version_num = '0001'"
    )
    await connection.close()


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
