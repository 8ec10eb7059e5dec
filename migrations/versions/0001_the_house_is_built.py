"""The house is built: every table of the core."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Forward only."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.dbapi_connection
    if driver is None:
        raise RuntimeError("a migration needs a live connection")
    driver.run_async(lambda asyncpg: asyncpg.execute(script))
