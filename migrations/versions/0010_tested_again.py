"""Laboratories outside and what they tested again before a study begins."""

from alembic import op

from app.db.version import run_script_beside

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
