"""The house is built: every table of the core."""

from alembic import op

from app.db.version import run_script_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
