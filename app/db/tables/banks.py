"""Cell banks: their tier and policy, which vial left for which lot, and how and where vials are kept."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
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

CONTAINER = "lab.containers.id"
PLACE = "lab.equipment.id"

bank_lots = Table(
    "bank_lots",
    metadata,
    Column("lot_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False, server_default=sql("'bank'")),
    text("tier"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("kind = 'bank'", name="kind"),
    CheckConstraint("tier IN ('master','working')", name="tier"),
    ForeignKeyConstraint(["lot_id", "kind"], ["lab.lots.id", "lab.lots.kind"]),
    schema=LAB,
)

withdrawals = Table(
    "withdrawals",
    metadata,
    own_id(),
    Column("vial_id", BigInteger, ForeignKey(CONTAINER), nullable=False, unique=True),
    refers("bank_id", LOT, index=True),
    refers("lot_id", LOT, index=True),
    instant("withdrawn_at"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("bank_id <> lot_id", name="for_another"),
    schema=LAB,
)

vial_places = Table(
    "vial_places",
    metadata,
    own_id(),
    refers("vial_id", CONTAINER, index=True),
    refers("place_id", PLACE, index=True),
    instant("stored_at"),
    recorded_by(),
    recorded_at(),
    schema=LAB,
)

storage_classes = Table(
    "storage_classes",
    metadata,
    own_id(),
    refers("place_id", PLACE, index=True),
    text("phase"),
    Column("warmest_celsius", Numeric, nullable=False),
    text("site"),
    text("evidence"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("phase IN ('vapour','liquid','mechanical')", name="phase"),
    CheckConstraint("warmest_celsius BETWEEN -273.15 AND 40", name="warmest"),
    schema=LAB,
)

storage_excursions = Table(
    "storage_excursions",
    metadata,
    own_id(),
    refers("place_id", PLACE, index=True),
    instant("began_at"),
    instant("ended_at", nullable=True),
    Column("warmest_celsius", Numeric, nullable=False),
    text("what"),
    refers("deviation_id", "lab.deviations.id"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("ended_at >= began_at", name="interval"),
    schema=LAB,
)

bank_policies = Table(
    "bank_policies",
    metadata,
    own_id(),
    refers("process_id", "lab.process_versions.id"),
    Column("version", Integer, nullable=False),
    Column("needed", Boolean, nullable=False),
    Column("conditions", ARRAY(Text), nullable=False),
    Column("tiers", ARRAY(Text), nullable=False),
    text("reasons"),
    refers("proposed_by", ACCOUNT),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    recorded_at(),
    UniqueConstraint("process_id", "version"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint(
        "conditions <@ ARRAY['long_term_expansion','gene_modified','clone_selected','autologous','short_cycle',"
        "'low_manipulation']",
        name="conditions",
    ),
    CheckConstraint("tiers <@ ARRAY['master','working'] AND needed = (cardinality(tiers) > 0)", name="tiers"),
    schema=LAB,
)
