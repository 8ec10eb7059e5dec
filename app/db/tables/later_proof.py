"""Proof that comes later than a study's first papers: of what is comparable, of cells at the end of production."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
)

from app.db.tables.base import (
    ACCOUNT,
    LAB,
    LOT,
    SIGNATURE,
    facts,
    metadata,
    own_id,
    recorded_at,
    recorded_by,
    refers,
    text,
)
from app.db.tables.studies import STUDY

SHA256 = "file_sha256 ~ '^[0-9a-f]{64}$'"

comparabilities = Table(
    "comparabilities",
    metadata,
    own_id(),
    refers("study_id", STUDY, index=True),
    refers("reinspection_id", "lab.reinspections.id"),
    refers("process_id", "lab.process_versions.id"),
    refers("specification_id", "lab.specifications.id"),
    Column("bank_ids", ARRAY(BigInteger), nullable=False),
    text("differences"),
    text("reasons"),
    text("committee_reference"),
    Column("committee_decided_on", Date, nullable=False),
    text("file_name"),
    text("file_sha256"),
    Column("valid_to", Date, nullable=False),
    refers("proposed_by", ACCOUNT),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    recorded_at(),
    Column("made_at", ARRAY(Text)),
    CheckConstraint("valid_to > committee_decided_on", name="interval"),
    CheckConstraint(
        "btrim(differences) <> '' AND btrim(reasons) <> '' AND btrim(committee_reference) <> ''", name="named"
    ),
    CheckConstraint(SHA256, name="file"),
    schema=LAB,
)

production_ends = Table(
    "production_ends",
    metadata,
    own_id(),
    refers("lot_id", LOT, index=True),
    Column("pdl_reached", Numeric, nullable=False),
    text("laboratory"),
    text("report_number"),
    Column("reported_on", Date, nullable=False),
    text("file_name"),
    text("file_sha256"),
    facts("tests"),
    refers("replaces_id", "lab.production_ends.id", nullable=True),
    text("why", nullable=True),
    recorded_by(),
    recorded_at(),
    UniqueConstraint("replaces_id"),
    CheckConstraint("pdl_reached > 0 AND pdl_reached < 1000", name="pdl"),
    CheckConstraint(SHA256, name="file"),
    CheckConstraint(
        "jsonb_typeof(tests) = 'array' AND tests <> '[]' AND NOT jsonb_path_exists(tests, '$[*] ? "
        '(!(@.test == "tumorigenicity_in_vitro" || @.test == "tumorigenicity_in_vivo" || @.test == "karyotype" || '
        '@.test == "adventitious_virus") || !(@.outcome == "passed" || @.outcome == "failed" || '
        '@.outcome == "inconclusive"))\')',
        name="tests",
    ),
    CheckConstraint("(replaces_id IS NULL) = (why IS NULL)", name="why"),
    schema=LAB,
)

follow_up_plans = Table(
    "follow_up_plans",
    metadata,
    own_id(),
    refers("study_id", STUDY, index=True),
    text("protocol_version"),
    Column("years", Numeric, nullable=False),
    text("reference"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("years > 0 AND years <= 100", name="years"),
    schema=LAB,
)
