"""Suppliers, their qualification, and reagents prepared in house."""

from alembic import op

from app.db.version import run_script_beside

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
