"""The house itself: equipment that is fit, rooms, documents, who is responsible."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    Numeric,
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
    instant,
    metadata,
    own_id,
    recorded_at,
    recorded_by,
    refers,
    text,
)

equipment_qualifications = Table(
    "equipment_qualifications",
    metadata,
    own_id(),
    refers("equipment_id", "lab.equipment.id", index=True),
    text("kind"),
    Column("done_on", Date, nullable=False),
    Column("due_on", Date),
    text("outcome"),
    Column("as_found_in_tolerance", Boolean),
    text("evidence"),
    text("done_by"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("kind IN ('installation','operational','performance','calibration','maintenance')", name="kind"),
    CheckConstraint("outcome IN ('passed','failed')", name="outcome"),
    CheckConstraint("due_on > done_on", name="interval"),
    CheckConstraint(
        "due_on IS NOT NULL OR outcome = 'failed' OR kind NOT IN ('performance','calibration')", name="due"
    ),
    CheckConstraint("kind <> 'calibration' OR as_found_in_tolerance IS NOT NULL", name="as_found"),
    schema=LAB,
)

documents = Table(
    "documents",
    metadata,
    own_id(),
    text("number"),
    Column("version", Integer, nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    text("title"),
    instant("effective_from"),
    Column("review_due", Date, nullable=False),
    text("file_name"),
    text("file_sha256"),
    refers("proposed_by", ACCOUNT),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    recorded_at(),
    UniqueConstraint("number", "version"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("cardinality(types) > 0", name="types"),
    CheckConstraint("file_sha256 ~ '^[0-9a-f]{64}$'", name="file"),
    schema=LAB,
)

area_classifications = Table(
    "area_classifications",
    metadata,
    own_id(),
    Column("room", Text, index=True),
    refers("workstation_id", "lab.equipment.id", nullable=True, index=True),
    text("grade"),
    Column("classified_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    text("evidence"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("(room IS NULL) <> (workstation_id IS NULL)", name="one_thing"),
    CheckConstraint(
        "grade IN ('A','B','C','D') OR (workstation_id IS NOT NULL AND grade IN ('isolator','closed'))", name="grade"
    ),
    CheckConstraint("due_on > classified_on", name="interval"),
    schema=LAB,
)

monitoring_samples = Table(
    "monitoring_samples",
    metadata,
    own_id(),
    refers("lot_id", LOT, index=True),
    refers("session_id", "lab.workstation_sessions.id", index=True),
    text("kind"),
    text("grade"),
    text("place"),
    instant("taken_at"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("kind IN ('settle','contact','glove','air','particles_05','particles_5')", name="kind"),
    CheckConstraint("grade IN ('A','B','C','D')", name="grade"),
    schema=LAB,
)

monitoring_readings = Table(
    "monitoring_readings",
    metadata,
    own_id(),
    refers("lot_id", LOT, index=True),
    refers("sample_id", "lab.monitoring_samples.id", index=True),
    Column("value", Numeric, nullable=False),
    text("organism", nullable=True),
    instant("read_at"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("value >= 0", name="not_negative"),
    schema=LAB,
)

authorisations = Table(
    "authorisations",
    metadata,
    own_id(),
    refers("process_id", "lab.process_versions.id", index=True),
    text("owner"),
    text("address"),
    text("classification"),
    instant("valid_from"),
    instant("valid_to"),
    refers("proposed_by", ACCOUNT),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    recorded_at(),
    CheckConstraint("valid_to > valid_from", name="interval"),
    schema=LAB,
)

responsibilities = Table(
    "responsibilities",
    metadata,
    own_id(),
    text("level"),
    refers("account_id", ACCOUNT),
    text("duties"),
    instant("from_at"),
    instant("until_at", nullable=True),
    instant("ended_at", nullable=True),
    refers("proposed_by", ACCOUNT),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    recorded_at(),
    CheckConstraint("level IN ('institution','study','facility')", name="level"),
    CheckConstraint("until_at > from_at", name="interval"),
    CheckConstraint("proposed_by <> account_id", name="by_another"),
    schema=LAB,
)
