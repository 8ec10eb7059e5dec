"""Papers from before the guideline, and for which rules they are accepted."""

from alembic import op

from app.db.version import run_script_beside

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
