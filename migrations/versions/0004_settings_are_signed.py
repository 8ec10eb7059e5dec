"""Settings that only a signed change alters; rule packs; authorities' written replies."""

from alembic import op

from app.db.version import run_script_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
