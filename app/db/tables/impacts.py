"""What came to light later: the fact, everything downstream as it stood then, and how each was judged."""

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Table, UniqueConstraint

from app.db.tables.base import ITEM, LAB, facts, metadata, own_id, recorded_at, recorded_by, refers, text

impacts = Table(
    "impacts",
    metadata,
    own_id(),
    text("number", unique=True),
    text("kind"),
    refers("subject_id", ITEM, index=True),
    Column("entry", BigInteger, nullable=False),
    recorded_by(),
    recorded_at(),
    CheckConstraint(
        "kind IN ('donor_marker','consent_withdrawn','donation_ineligible','material_stopped','result_failed',"
        "'accreditation_ended','virus_found','legacy_withdrawn','partner_paper','growth_found','health_found')",
        name="kind",
    ),
    UniqueConstraint("entry", "kind", "subject_id", name="uq_impacts_entry_kind_subject_id"),
    schema=LAB,
)

impact_facts = Table(
    "impact_facts",
    metadata,
    own_id(),
    refers("impact_id", "lab.impacts.id", index=True),
    text("fact"),
    Column("fact_id", BigInteger, nullable=False),
    facts("says"),
    recorded_at(),
    CheckConstraint(
        "fact IN ('marker','consent','determination','material_lot','result','accreditation','virus_test','legacy',"
        "'partner_paper','monitoring_reading','history')",
        name="fact",
    ),
    schema=LAB,
)

impact_items = Table(
    "impact_items",
    metadata,
    own_id(),
    refers("impact_id", "lab.impacts.id"),
    refers("item_id", ITEM, index=True),
    text("kind"),
    text("state_then"),
    Column("containers", ARRAY(BigInteger), nullable=False),
    refers("recipient_id", "lab.persons.id", nullable=True),
    refers("hold_id", "lab.holds.id", nullable=True),
    recorded_at(),
    CheckConstraint("kind IN ('donation','preparation','bank','material')", name="kind"),
    UniqueConstraint("impact_id", "item_id", name="uq_impact_items_impact_id_item_id"),
    UniqueConstraint("hold_id"),
    schema=LAB,
)

impact_verdicts = Table(
    "impact_verdicts",
    metadata,
    own_id(),
    refers("impact_item_id", "lab.impact_items.id", index=True),
    text("gate"),
    text("rulebook"),
    text("asked"),
    facts("closing"),
    text("digest", nullable=True),
    recorded_by(),
    recorded_at(),
    CheckConstraint("asked IN ('book','rules_on_the_fact')", name="asked"),
    CheckConstraint("(asked = 'book') = (digest IS NOT NULL)", name="digest_of_a_dossier"),
    schema=LAB,
)
