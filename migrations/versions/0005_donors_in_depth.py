"""Donors in depth: histories, tissues, samples."""

from alembic import op

from app.db.version import run_script_beside

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
