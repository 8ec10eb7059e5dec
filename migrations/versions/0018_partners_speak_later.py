"""What a partner says against a lot after its release is a fact that comes to light."""

from alembic import op

from app.db.version import run_script_beside

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
