"""What is issued to a patient, and what a partner made."""

from alembic import op

from app.db.version import run_script_beside

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
