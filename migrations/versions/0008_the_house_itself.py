"""The house itself: equipment that is fit, rooms, documents, who is responsible."""

from alembic import op

from app.db.version import run_script_beside

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
