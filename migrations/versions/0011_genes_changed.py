"""Vectors, their genealogy, and the tests of gene-modified cells."""

from alembic import op

from app.db.version import run_script_beside

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
