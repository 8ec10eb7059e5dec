"""What came to light later, and what it touches."""

from alembic import op

from app.db.version import run_script_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
