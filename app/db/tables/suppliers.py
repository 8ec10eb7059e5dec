"""Where materials come from: suppliers and their audits, what is stated of materials, the papers of their lots."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    Table,
)

from app.db.tables.base import LAB, SIGNATURE, instant, metadata, own_id, recorded_at, recorded_by, refers, text

material_statements = Table(
    "material_statements",
    metadata,
    own_id(),
    refers("material_id", "lab.materials.id", index=True),
    Column("animal_derived", Boolean),
    Column("human_derived", Boolean),
    text("selected_with", nullable=True),
    recorded_by(),
    recorded_at(),
    schema=LAB,
)

material_certificates = Table(
    "material_certificates",
    metadata,
    own_id(),
    refers("material_lot_id", "lab.material_lots.id", index=True),
    text("kind"),
    text("reference"),
    Column("pool_size", Integer),
    recorded_by(),
    recorded_at(),
    CheckConstraint(
        "kind IN ('analysis','marketing_licence','donor_pool','virus_inactivation','sterility','endotoxin','compatibility')",
        name="kind",
    ),
    CheckConstraint(
        "(kind = 'donor_pool' AND pool_size > 0) OR (kind <> 'donor_pool' AND pool_size IS NULL)", name="pool"
    ),
    CheckConstraint("btrim(reference) <> ''", name="named"),
    schema=LAB,
)

suppliers = Table(
    "suppliers",
    metadata,
    own_id(),
    text("name", unique=True),
    text("kind"),
    text("address"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("kind IN ('manufacturer','distributor')", name="kind"),
    schema=LAB,
)

supplier_audits = Table(
    "supplier_audits",
    metadata,
    own_id(),
    refers("supplier_id", "lab.suppliers.id", index=True),
    text("method"),
    Column("audited_on", Date, nullable=False),
    text("outcome"),
    text("findings"),
    text("evidence"),
    instant("valid_from"),
    instant("valid_to"),
    recorded_by(),
    recorded_at(),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    CheckConstraint("method IN ('on_site','remote','questionnaire')", name="method"),
    CheckConstraint("outcome IN ('qualified','qualified_with_conditions','not_qualified')", name="outcome"),
    CheckConstraint("valid_to > valid_from", name="interval"),
    schema=LAB,
)

material_lot_suppliers = Table(
    "material_lot_suppliers",
    metadata,
    own_id(),
    refers("material_lot_id", "lab.material_lots.id", index=True),
    refers("supplier_id", "lab.suppliers.id", index=True),
    recorded_by(),
    recorded_at(),
    schema=LAB,
)
