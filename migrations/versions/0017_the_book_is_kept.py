"""The words of the rule book are kept with its version, so that a judgement can be read when the book is another."""

from alembic import op

from app.db.version import run_script_beside

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Forward only."""
    run_script_beside(__file__, op.get_bind())
