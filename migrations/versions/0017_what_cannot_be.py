"""What cannot be is refused."""

from alembic import op

from app.db.version import run_script_beside

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
