"""Release in two steps, where it is allowed."""

from alembic import op

from app.db.version import run_script_beside

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
