"""What the house is governed by: proposals to change a setting, the rule pack that was chosen, authorities' replies."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Table, Text

from app.db.tables.base import (
    ACCOUNT,
    LAB,
    SIGNATURE,
    facts,
    instant,
    metadata,
    own_id,
    recorded_at,
    recorded_by,
    refers,
    text,
)

setting_proposals = Table(
    "setting_proposals",
    metadata,
    own_id(),
    Column("name", Text, nullable=False, index=True),
    facts("value"),
    text("unit", nullable=True),
    text("source"),
    text("why"),
    instant("valid_from"),
    refers("proposed_by", ACCOUNT),
    recorded_at(),
    schema=LAB,
)

pack_proposals = Table(
    "pack_proposals",
    metadata,
    own_id(),
    text("pack"),
    text("why"),
    refers("proposed_by", ACCOUNT),
    recorded_at(),
    schema=LAB,
)

pack_choices = Table(
    "pack_choices",
    metadata,
    own_id(),
    text("pack"),
    Column("proposal_id", BigInteger, ForeignKey("lab.pack_proposals.id"), nullable=False, unique=True),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), nullable=False, unique=True),
    recorded_at(),
    schema=LAB,
)

authority_replies = Table(
    "authority_replies",
    metadata,
    own_id(),
    text("authority"),
    text("reference"),
    Column("dated", Date, nullable=False),
    text("rule"),
    refers("process_id", "lab.process_versions.id", index=True),
    text("question"),
    text("answer"),
    text("ruling"),
    text("file_name"),
    text("file_sha256"),
    text("file_place"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("ruling IN ('permits','refuses','undecided')", name="ruling"),
    CheckConstraint("file_sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    schema=LAB,
)
