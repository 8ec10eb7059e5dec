"""Donors in depth: what tissues are, histories, samples, birth tissue, where it is kept, permits."""

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

tissue_types = Table(
    "tissue_types",
    metadata,
    own_id(),
    text("name"),
    Column("version", Integer, nullable=False),
    text("name_zh"),
    Column("leukocyte_rich", Boolean, nullable=False),
    Column("birth_tissue", Boolean, nullable=False),
    text("reason"),
    refers("proposed_by", ACCOUNT),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    recorded_at(),
    UniqueConstraint("name", "version"),
    schema=LAB,
)

sampling_statements = Table(
    "sampling_statements",
    metadata,
    own_id(),
    refers("donor_id", "lab.donors.id", index=True),
    instant("sampled_at"),
    Column("weight_kg", Numeric),
    Column("blood_ml", Numeric, nullable=False),
    Column("colloid_ml", Numeric, nullable=False),
    Column("crystalloid_ml", Numeric, nullable=False),
    recorded_by(),
    recorded_at(),
    CheckConstraint("least(blood_ml, colloid_ml, crystalloid_ml) >= 0 AND weight_kg > 0", name="not_negative"),
    schema=LAB,
)

questionnaires = Table(
    "questionnaires",
    metadata,
    own_id(),
    text("name"),
    Column("version", Integer, nullable=False),
    facts("questions"),
    text("source"),
    recorded_by(),
    recorded_at(),
    UniqueConstraint("name", "version"),
    schema=LAB,
)

health_histories = Table(
    "health_histories",
    metadata,
    own_id(),
    refers("donor_id", "lab.donors.id", index=True),
    refers("questionnaire_id", "lab.questionnaires.id"),
    facts("answers"),
    instant("asked_at"),
    instant("examined_at", nullable=True),
    text("examined_by", nullable=True),
    text("examination", nullable=True),
    text("findings", nullable=True),
    recorded_by(),
    recorded_at(),
    CheckConstraint("examination IN ('suitable','not_suitable')", name="examination"),
    CheckConstraint(
        "(examination IS NULL) = (examined_at IS NULL) AND (examination IS NULL) = (examined_by IS NULL)",
        name="examined",
    ),
    schema=LAB,
)

birth_tests = Table(
    "birth_tests",
    metadata,
    own_id(),
    refers("donation_id", "lab.donations.id", index=True),
    text("kind"),
    text("method"),
    text("laboratory"),
    instant("sampled_at"),
    instant("reported_at"),
    facts("profile", nullable=True),
    Column("maternal_percent", Numeric),
    recorded_by(),
    recorded_at(),
    CheckConstraint("kind IN ('infant_genotype','maternal_contamination')", name="kind"),
    CheckConstraint(
        "(kind = 'infant_genotype') = (profile IS NOT NULL)"
        " AND (kind = 'maternal_contamination') = (maternal_percent IS NOT NULL)",
        name="answers",
    ),
    CheckConstraint("maternal_percent BETWEEN 0 AND 100", name="percent"),
    CheckConstraint("reported_at >= sampled_at", name="order"),
    schema=LAB,
)

donation_storage = Table(
    "donation_storage",
    metadata,
    own_id(),
    refers("donation_id", "lab.donations.id", index=True),
    refers("place_id", "lab.equipment.id"),
    Column("biohazard_labelled", Boolean, nullable=False),
    instant("stored_at"),
    recorded_by(),
    recorded_at(),
    schema=LAB,
)

genetic_resource_permits = Table(
    "genetic_resource_permits",
    metadata,
    own_id(),
    text("number", unique=True),
    text("authority"),
    Column("purposes", ARRAY(Text), nullable=False),
    text("scope"),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    text("evidence"),
    instant("withdrawn_at", nullable=True),
    recorded_by(),
    recorded_at(),
    CheckConstraint("valid_to >= valid_from", name="interval"),
    CheckConstraint(
        "cardinality(purposes) > 0 AND purposes <@ '{banking,third_party}'::text[]",
        name="purposes",
    ),
    schema=LAB,
)
