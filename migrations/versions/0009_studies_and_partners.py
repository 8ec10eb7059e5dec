"""Studies, the partners that take part, and the laboratories that test again."""

from alembic import op

from app.db.version import run_script_beside

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
