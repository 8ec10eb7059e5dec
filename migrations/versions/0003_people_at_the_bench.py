"""People at the bench: badges, second persons, timers, labels that are counted, assessments that are signed."""

from alembic import op

from app.db.version import run_script_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
