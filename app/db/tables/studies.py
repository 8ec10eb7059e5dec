"""Studies: what each is, who leads it, who approved and filed it, and the institutions that take part."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, ForeignKey, Integer, Table, UniqueConstraint

from app.db.tables.base import LAB, LOT, SIGNATURE, facts, metadata, own_id, recorded_at, recorded_by, refers, text

STUDY = "lab.studies.id"
INSTITUTION = "lab.institutions.id"

institutions = Table(
    "institutions",
    metadata,
    own_id(),
    text("name", unique=True),
    text("country"),
    text("registration", nullable=True),
    recorded_by(),
    recorded_at(),
    CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
    schema=LAB,
)

institution_statements = Table(
    "institution_statements",
    metadata,
    own_id(),
    refers("institution_id", INSTITUTION, index=True),
    text("kind"),
    Column("held", Boolean, nullable=False),
    text("says"),
    text("evidence"),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    recorded_by(),
    recorded_at(),
    CheckConstraint("kind IN ('grade','academic_committee','ethics_committee')", name="kind"),
    CheckConstraint("kind <> 'grade' OR says IN ('tertiary_a','tertiary_b','secondary','other')", name="grade"),
    CheckConstraint("valid_to >= valid_from", name="interval"),
    schema=LAB,
)

studies = Table(
    "studies",
    metadata,
    own_id(),
    text("number", unique=True),
    recorded_by(),
    recorded_at(),
    schema=LAB,
)

study_versions = Table(
    "study_versions",
    metadata,
    own_id(),
    refers("study_id", STUDY),
    Column("version", Integer, nullable=False),
    text("title"),
    text("regulatory_path"),
    text("ind_number", nullable=True),
    text("stage"),
    text("risk_level"),
    text("cell_class"),
    text("cell_source"),
    text("manipulation"),
    text("administration"),
    facts("sites"),
    refers("institution_id", INSTITUTION),
    refers("sponsor_id", INSTITUTION),
    refers("process_id", "lab.process_versions.id"),
    refers("specification_id", "lab.specifications.id"),
    text("protocol_version"),
    Column("substantial", Boolean, nullable=False),
    text("why"),
    recorded_by(),
    recorded_at(),
    UniqueConstraint("study_id", "version"),
    CheckConstraint("regulatory_path IN ('technical_filing','drug_registration')", name="regulatory_path"),
    CheckConstraint("stage IN ('exploratory','confirmatory')", name="stage"),
    CheckConstraint("risk_level IN ('ordinary','high')", name="risk_level"),
    CheckConstraint(
        "cell_class IN ('tissue_stem_cell','pluripotent_derived','somatic_cell','cell_free')", name="cell_class"
    ),
    CheckConstraint("cell_source IN ('autologous','allogeneic')", name="cell_source"),
    CheckConstraint("manipulation IN ('ex_vivo_cell','ex_vivo_gene','none')", name="manipulation"),
    CheckConstraint("administration IN ('infused','implanted','other')", name="administration"),
    CheckConstraint("version > 1 OR substantial", name="first"),
    schema=LAB,
)

study_leaders = Table(
    "study_leaders",
    metadata,
    own_id(),
    refers("study_id", STUDY, index=True),
    text("name"),
    text("licence_number"),
    Column("licence_valid_to", Date),
    text("title_level"),
    text("title_certificate"),
    Column("title_valid_to", Date),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date),
    text("evidence"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("title_level IN ('senior','associate_senior','other')", name="title_level"),
    CheckConstraint("to_on >= from_on", name="interval"),
    schema=LAB,
)

committee_decisions = Table(
    "committee_decisions",
    metadata,
    own_id(),
    refers("study_id", STUDY, index=True),
    text("committee"),
    text("decision"),
    text("protocol_version"),
    Column("decided_on", Date, nullable=False),
    Column("valid_to", Date),
    text("reference"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("committee IN ('academic','ethics')", name="committee"),
    CheckConstraint("decision IN ('approved','refused','withdrawn')", name="decision"),
    CheckConstraint("valid_to >= decided_on", name="interval"),
    schema=LAB,
)

study_filings = Table(
    "study_filings",
    metadata,
    own_id(),
    refers("study_id", STUDY, index=True),
    text("filing_number"),
    text("authority"),
    text("protocol_version"),
    Column("filed_on", Date, nullable=False),
    text("reference"),
    recorded_by(),
    recorded_at(),
    schema=LAB,
)

sponsor_agreements = Table(
    "sponsor_agreements",
    metadata,
    own_id(),
    refers("study_id", STUDY, index=True),
    refers("sponsor_id", INSTITUTION),
    Column("protocol_jointly_set", Boolean, nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("valid_to", Date),
    text("reference"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("valid_to >= signed_on", name="interval"),
    schema=LAB,
)

study_banks = Table(
    "study_banks",
    metadata,
    own_id(),
    refers("study_id", STUDY),
    refers("lot_id", LOT),
    recorded_by(),
    recorded_at(),
    UniqueConstraint("study_id", "lot_id"),
    schema=LAB,
)

PARTNER = "lab.partners.id"

partners = Table(
    "partners",
    metadata,
    own_id(),
    text("name", unique=True),
    text("kind"),
    text("address"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("kind IN ('preparation','collection','testing','transport','technical_support')", name="kind"),
    schema=LAB,
)

partner_assessments = Table(
    "partner_assessments",
    metadata,
    own_id(),
    refers("partner_id", PARTNER, index=True),
    Column("assessed_on", Date, nullable=False),
    facts("sections"),
    facts("findings"),
    text("evidence"),
    recorded_by(),
    recorded_at(),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    schema=LAB,
)

quality_agreements = Table(
    "quality_agreements",
    metadata,
    own_id(),
    refers("partner_id", PARTNER, index=True),
    refers("process_id", "lab.process_versions.id"),
    facts("duties"),
    Column("signed_on", Date, nullable=False),
    Column("valid_to", Date),
    text("reference"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("valid_to >= signed_on", name="interval"),
    schema=LAB,
)

study_partners = Table(
    "study_partners",
    metadata,
    own_id(),
    refers("study_id", STUDY),
    refers("partner_id", PARTNER),
    recorded_by(),
    recorded_at(),
    UniqueConstraint("study_id", "partner_id"),
    schema=LAB,
)
