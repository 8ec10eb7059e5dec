"""Papers from before the guideline, and for which rules the quality authority accepted them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.tables.base import (
    ACCOUNT,
    ITEM,
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

legacy_dossiers = Table(
    "legacy_dossiers",
    metadata,
    own_id(),
    text("number", unique=True),
    text("about"),
    refers("item_id", ITEM, index=True),
    facts("papers"),
    Column("rules", ARRAY(Text), nullable=False),
    text("reasons"),
    instant("valid_from"),
    instant("valid_to"),
    refers("proposed_by", ACCOUNT),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    recorded_at(),
    CheckConstraint("about IN ('donor','lot')", name="about"),
    CheckConstraint("jsonb_typeof(papers) = 'array' AND papers <> '[]'", name="papers"),
    CheckConstraint("cardinality(rules) > 0", name="rules"),
    CheckConstraint(
        "NOT rules && '{MAT-03,MAT-05,TPR-01,TPR-02,TPR-03,TPR-04,TPR-05,TPR-06}'::text[]",
        name="never",
    ),
    CheckConstraint("valid_to > valid_from", name="span"),
    UniqueConstraint("id", "item_id"),
    schema=LAB,
)

legacy_withdrawals = Table(
    "legacy_withdrawals",
    metadata,
    own_id(),
    Column("dossier_id", BigInteger, nullable=False, unique=True),
    Column("item_id", BigInteger, nullable=False),
    text("reasons"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("btrim(reasons) <> ''", name="reasons"),
    ForeignKeyConstraint(
        ["dossier_id", "item_id"],
        ["lab.legacy_dossiers.id", "lab.legacy_dossiers.item_id"],
        name="fk_legacy_withdrawals_dossier_id",
    ),
    schema=LAB,
)
