"""Everything that carries a label: one identity space, one table of codes, one lineage."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType

from app.db.tables.base import (
    ITEM,
    LAB,
    LOT,
    SIGNATURE,
    Instant,
    facts,
    instant,
    item_id,
    metadata,
    own_id,
    recorded_at,
    recorded_by,
    refers,
    text,
)


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction number."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Name the type for DDL."""
        return "xid8"


ischema_names["xid8"] = Xid8  # so that reflection knows it too

items = Table(
    "items",
    metadata,
    own_id(),
    text("kind"),
    recorded_at(),
    CheckConstraint(
        "kind IN ('person','donation','lot','container','material_container','sample','retain',"
        "'equipment','shelf','position','badge')",
        name="kind",
    ),
    schema=LAB,
)

item_codes = Table(
    "item_codes",
    metadata,
    Column("code", Text, primary_key=True),
    refers("item_id", ITEM, index=True),
    Column("scheme", Text, nullable=False),
    recorded_at(),
    CheckConstraint("scheme IN ('own','din','supplier')", name="scheme"),
    Index("uq_item_codes_one_own", "item_id", unique=True, postgresql_where=sql("scheme = 'own'")),
    schema=LAB,
)

lineage = Table(
    "lineage",
    metadata,
    Column("parent_id", BigInteger, ForeignKey(ITEM), nullable=False),
    Column("child_id", BigInteger, ForeignKey(ITEM), nullable=False),
    refers("step_id", "lab.steps.id", nullable=True, index=True),
    PrimaryKeyConstraint("parent_id", "child_id"),
    Index("ix_lineage_child_id_parent_id", "child_id", "parent_id"),
    CheckConstraint("parent_id <> child_id", name="not_its_own_parent"),
    schema=LAB,
)

equipment = Table(
    "equipment",
    metadata,
    item_id(),
    text("name", unique=True),
    text("kind"),
    text("room"),
    recorded_by(),
    recorded_at(),
    schema=LAB,
)

containers = Table(
    "containers",
    metadata,
    item_id(),
    refers("lot_id", LOT, nullable=True, index=True),
    text("kind"),
    Column("state", Text, nullable=False, server_default="in_use"),
    Column("passage", Integer),
    Column("volume_ml", Numeric),
    Column("viable_cells", Numeric),
    Column("opened_until", Instant),
    Column("place_id", BigInteger, ForeignKey(ITEM)),
    refers("step_id", "lab.steps.id", nullable=True, index=True),
    Column("version", Integer, nullable=False, server_default="1"),
    recorded_by(),
    recorded_at(),
    CheckConstraint("state IN ('in_use','stored','consumed','retained','sampled','issued','destroyed')", name="state"),
    Index("ix_containers_opened_until", "opened_until", postgresql_where=sql("opened_until IS NOT NULL")),
    schema=LAB,
)

labels = Table(
    "labels",
    metadata,
    own_id(),
    refers("item_id", ITEM, index=True),
    text("design"),
    text("content_sha256"),
    text("read_back"),
    Column("reprint_of", BigInteger, ForeignKey("lab.labels.id")),
    text("reason", nullable=True),
    recorded_by(),
    recorded_at(),
    schema=LAB,
)

scans = Table(
    "scans",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("xid", Xid8(), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("account_id", BigInteger, nullable=False),
    Column("session_id", BigInteger, nullable=False),
    Column("workstation_id", BigInteger),
    text("raw"),
    text("code", nullable=True),
    Column("item_id", BigInteger),
    text("verdict"),
    text("reason"),
    text("key", nullable=True),
    text("payload"),
    Column("hash", LargeBinary, nullable=False),
    Index("uq_scans_key", "account_id", "key", unique=True, postgresql_where=sql("key IS NOT NULL")),
    schema=LAB,
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    text("act"),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("answer", JSONB),
    Column("at", Instant, nullable=False, server_default=func.clock_timestamp()),
    PrimaryKeyConstraint("account_id", "key"),
    schema=LAB,
)

refusals = Table(
    "refusals",
    metadata,
    own_id(),
    text("kind"),
    text("act"),
    text("subject"),
    text("what"),
    text("why"),
    text("remedy"),
    text("rule", nullable=True),
    Column("detail", JSONB, nullable=False),
    recorded_at(),
    schema=LAB,
)

settings = Table(
    "settings",
    metadata,
    own_id(),
    text("name"),
    Column("version", Integer, nullable=False),
    Column("value", JSONB, nullable=False),
    text("unit", nullable=True),
    text("source"),
    instant("valid_from"),
    recorded_at(),
    Column("proposal_id", BigInteger, ForeignKey("lab.setting_proposals.id"), unique=True),
    Column("signature_id", BigInteger, ForeignKey(SIGNATURE), unique=True),
    UniqueConstraint("name", "version"),
    CheckConstraint(
        "(proposal_id IS NULL) = (signature_id IS NULL) AND (version = 1 OR signature_id IS NOT NULL)", name="signed"
    ),
    schema=LAB,
)

rulebooks = Table(
    "rulebooks",
    metadata,
    own_id(),
    text("version", unique=True),
    text("jurisdiction", nullable=True),
    recorded_at(),
    facts("content", nullable=True),
    schema=LAB,
)

deployment = Table(
    "deployment",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    text("purpose"),
    text("facility"),
    text("time_zone"),
    recorded_at(),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("purpose IN ('production','demo','test')", name="purpose"),
    schema=LAB,
)
