"""What grows on a plate later comes to light, and what is learnt later of a donor's health."""

from alembic import op

from app.db.version import run_script_beside

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
