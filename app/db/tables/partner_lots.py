"""Lots that partners made, their papers and steps; and a physician's request for a lot that is out of specification."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Table,
    Text,
    UniqueConstraint,
)

from app.db.tables.base import LAB, LOT, SIGNATURE, instant, metadata, own_id, recorded_at, recorded_by, refers, text
from app.db.tables.studies import PARTNER

PARTNER_LOT = "lab.partner_lots.lot_id"

partner_lots = Table(
    "partner_lots",
    metadata,
    Column("lot_id", BigInteger, ForeignKey(LOT), primary_key=True, autoincrement=False),
    refers("partner_id", PARTNER),
    text("lot_number"),
    text("process"),
    recorded_by(),
    recorded_at(),
    UniqueConstraint("partner_id", "lot_number"),
    schema=LAB,
)

partner_papers = Table(
    "partner_papers",
    metadata,
    own_id(),
    refers("lot_id", PARTNER_LOT, index=True),
    text("kind"),
    text("reference"),
    Column("conforms", Boolean, nullable=False),
    Column("covers", ARRAY(Text), nullable=False),
    text("signed_by"),
    instant("signed_at"),
    text("file_name"),
    text("file_sha256"),
    recorded_by(),
    recorded_at(),
    UniqueConstraint("id", "lot_id"),
    CheckConstraint("kind IN ('batch_record','analysis','release')", name="kind"),
    CheckConstraint(
        "covers <@ ARRAY['equipment','clean_area','training','deviations'] AND (kind = 'release' OR covers = '{}')",
        name="covers",
    ),
    CheckConstraint("file_sha256 ~ '^[0-9a-f]{64}$'", name="file"),
    schema=LAB,
)

partner_steps = Table(
    "partner_steps",
    metadata,
    Column("step_id", BigInteger, ForeignKey("lab.steps.id"), primary_key=True, autoincrement=False),
    refers("lot_id", PARTNER_LOT, index=True),
    text("workstation", nullable=True),
    Column("one_donor", Boolean),
    text("performed_by"),
    text("verified_by", nullable=True),
    instant("verified_at", nullable=True),
    instant("cleared_at", nullable=True),
    text("cleared_by", nullable=True),
    text("clearance_verified_by", nullable=True),
    instant("clearance_verified_at", nullable=True),
    text("page"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("(verified_by IS NULL) = (verified_at IS NULL)", name="verified"),
    CheckConstraint("(cleared_by IS NULL) = (cleared_at IS NULL)", name="cleared"),
    CheckConstraint("(clearance_verified_by IS NULL) = (clearance_verified_at IS NULL)", name="clearance_verified"),
    schema=LAB,
)

exceptional_requests = Table(
    "exceptional_requests",
    metadata,
    own_id(),
    refers("lot_id", LOT, index=True),
    text("reasons"),
    text("risk_evaluation"),
    text("risk_file_name"),
    text("risk_file_sha256"),
    text("committee"),
    text("committee_decision"),
    Column("committee_decided_on", Date, nullable=False),
    text("committee_reference"),
    recorded_by(),
    recorded_at(),
    text("disposition", nullable=True),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE)),
    CheckConstraint("committee_decision IN ('approved','refused')", name="committee_decision"),
    CheckConstraint("disposition IN ('oos_exceptional_supply','refused')", name="disposition"),
    CheckConstraint("(disposition IS NULL) = (signature_id IS NULL)", name="signed"),
    CheckConstraint("risk_file_sha256 ~ '^[0-9a-f]{64}$'", name="file"),
    schema=LAB,
)
