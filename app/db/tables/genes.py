"""Gene modification: what vectors are and came of, tests for replication-competent virus, off-target reports."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Integer,
    Numeric,
    Table,
    UniqueConstraint,
)

from app.db.tables.base import LAB, LOT, instant, metadata, own_id, recorded_at, recorded_by, refers, text

_TYPES = "vector_type IN ('lentivirus','gamma_retrovirus','aav','transposon','plasmid','mrna','rnp','base_editor')"

vector_statements = Table(
    "vector_statements",
    metadata,
    own_id(),
    refers("vector_lot_id", "lab.material_lots.id", index=True),
    text("vector_type"),
    Column("titre", Numeric),
    text("titre_unit", nullable=True),
    recorded_by(),
    recorded_at(),
    UniqueConstraint("id", "vector_lot_id"),
    CheckConstraint(_TYPES, name="vector_type"),
    CheckConstraint("titre > 0", name="titre"),
    CheckConstraint("(titre IS NULL) = (titre_unit IS NULL)", name="unit"),
    schema=LAB,
)

vector_parts = Table(
    "vector_parts",
    metadata,
    own_id(),
    Column("statement_id", vector_statements.c.id.type, nullable=False, index=True),
    Column("vector_lot_id", vector_statements.c.id.type, nullable=False),
    text("role"),
    refers("part_lot_id", "lab.material_lots.id", nullable=True, index=True),
    text("name"),
    text("part_lot"),
    text("selected_with", nullable=True),
    recorded_by(),
    recorded_at(),
    ForeignKeyConstraint(
        ["statement_id", "vector_lot_id"],
        ["lab.vector_statements.id", "lab.vector_statements.vector_lot_id"],
        name="fk_vector_parts_statement_id",
    ),
    CheckConstraint("role IN ('plasmid','producer_bank')", name="role"),
    CheckConstraint("part_lot_id <> vector_lot_id", name="other"),
    CheckConstraint("btrim(name) <> '' AND btrim(part_lot) <> ''", name="named"),
    schema=LAB,
)

virus_tests = Table(
    "virus_tests",
    metadata,
    own_id(),
    refers("lot_id", LOT, index=True),
    text("sample"),
    text("assay"),
    text("method"),
    text("laboratory"),
    Column("cells_tested", Numeric),
    Column("cells_in_pool", Numeric),
    Column("supernatant_percent", Numeric),
    instant("sampled_at"),
    recorded_by(),
    recorded_at(),
    UniqueConstraint("id", "lot_id"),
    CheckConstraint(
        "sample IN ('vector_supernatant','producer_cells','transduced_cells','final_product')", name="sample"
    ),
    CheckConstraint("assay IN ('coculture','rapid_pcr')", name="assay"),
    CheckConstraint("cells_tested > 0 AND cells_in_pool >= cells_tested", name="cells"),
    CheckConstraint("supernatant_percent > 0 AND supernatant_percent <= 100", name="supernatant"),
    CheckConstraint(
        "(sample = 'vector_supernatant') = (supernatant_percent IS NOT NULL)"
        " AND (sample = 'vector_supernatant') = (cells_tested IS NULL)",
        name="amount",
    ),
    CheckConstraint("cells_tested IS NOT NULL OR cells_in_pool IS NULL", name="pool"),
    schema=LAB,
)

virus_test_outcomes = Table(
    "virus_test_outcomes",
    metadata,
    own_id(),
    Column("lot_id", virus_tests.c.id.type, nullable=False),
    Column("test_id", virus_tests.c.id.type, nullable=False, index=True),
    text("outcome"),
    instant("reported_at"),
    text("reference"),
    recorded_by(),
    recorded_at(),
    ForeignKeyConstraint(
        ["test_id", "lot_id"],
        ["lab.virus_tests.id", "lab.virus_tests.lot_id"],
        name="fk_virus_test_outcomes_test_id",
    ),
    CheckConstraint("outcome IN ('negative','positive','inconclusive')", name="outcome"),
    CheckConstraint("btrim(reference) <> ''", name="named"),
    schema=LAB,
)

off_target_reports = Table(
    "off_target_reports",
    metadata,
    own_id(),
    refers("process_id", "lab.process_versions.id", index=True),
    text("reference"),
    text("prediction"),
    text("assay"),
    text("assay_method"),
    Column("sites_examined", Integer, nullable=False),
    Column("sites_above", Integer, nullable=False),
    Column("threshold_percent", Numeric, nullable=False),
    Column("highest_percent", Numeric, nullable=False),
    text("aberrations"),
    text("aberrations_method"),
    Column("reported_on", Date, nullable=False),
    text("file_sha256"),
    recorded_by(),
    recorded_at(),
    CheckConstraint(
        "assay IN ('guide_seq','circle_seq','digenome_seq','rhamp_seq','whole_genome','none')", name="assay"
    ),
    CheckConstraint("aberrations IN ('none_found','found','not_examined')", name="aberrations"),
    CheckConstraint("sites_examined >= 0 AND sites_above >= 0 AND sites_above <= sites_examined", name="sites"),
    CheckConstraint(
        "threshold_percent > 0 AND threshold_percent <= 100 AND highest_percent >= 0 AND highest_percent <= 100",
        name="percent",
    ),
    CheckConstraint("file_sha256 ~ '^[0-9a-f]{64}$'", name="file_sha256"),
    schema=LAB,
)
