"""Retains are kept of reagents too."""

from alembic import op

from app.db.version import run_script_beside

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
