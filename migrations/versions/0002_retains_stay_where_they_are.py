"""A vial kept as a retain, or handed over for tests, is neither used up nor for use."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATES = "'in_use','stored','consumed','retained','sampled','issued','destroyed'"


def upgrade() -> None:
    """Forward only. What earlier versions recorded as used up stays recorded so."""
    op.drop_constraint(op.f("ck_containers_state"), "containers", schema="lab", type_="check")
    op.create_check_constraint(op.f("ck_containers_state"), "containers", f"state IN ({STATES})", schema="lab")
