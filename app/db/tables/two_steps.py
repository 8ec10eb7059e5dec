"""Release in two steps: the plan, the tests that are under way, and what a physician knows of them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.tables.base import (
    ACCOUNT,
    LAB,
    LOT,
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

two_step_plans = Table(
    "two_step_plans",
    metadata,
    own_id(),
    refers("process_id", "lab.process_versions.id"),
    Column("version", Integer, nullable=False),
    text("protocol"),
    text("protocol_version"),
    text("ethics_reference"),
    Column("ethics_approved_on", Date, nullable=False),
    text("consent_clause"),
    facts("pending"),
    refers("proposed_by", ACCOUNT),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    recorded_at(),
    UniqueConstraint("process_id", "version"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("jsonb_typeof(pending) = 'array'", name="pending"),
    schema=LAB,
)

tests_under_way = Table(
    "tests_under_way",
    metadata,
    own_id(),
    refers("lot_id", LOT, index=True),
    refers("sample_id", "lab.samples.id"),
    refers("line_id", "lab.specification_lines.id"),
    text("laboratory"),
    instant("started_at"),
    instant("due_at"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("due_at > started_at", name="due"),
    schema=LAB,
)

pending_acknowledgements = Table(
    "pending_acknowledgements",
    metadata,
    own_id(),
    refers("lot_id", LOT, index=True),
    Column("tests", ARRAY(Text), nullable=False),
    text("remarks"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("cardinality(tests) > 0", name="tests"),
    schema=LAB,
)
