"""Proof that comes later, and papers that are withdrawn."""

from alembic import op

from app.db.version import run_script_beside

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
