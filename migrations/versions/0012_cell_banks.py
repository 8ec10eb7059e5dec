"""Cell banks: their policy, tests, vials and storage."""

from alembic import op

from app.db.version import run_script_beside

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
