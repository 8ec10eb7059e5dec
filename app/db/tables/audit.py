"""The audit: entries, row images, leaves, the tree above them, signed checkpoints."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
)

from app.db.tables.base import AUDIT, Instant, metadata, refers, text
from app.db.tables.items import Xid8

entries = Table(
    "entries",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("xid", Xid8(), nullable=False, index=True),
    Column("at", Instant, nullable=False, index=True),
    Column("actor_id", BigInteger),
    text("actor"),
    text("roles"),
    text("act"),
    text("subject"),
    text("reason"),
    text("device"),
    Column("session_id", BigInteger),
    text("idem_key", nullable=True),
    text("db_role"),
    text("payload"),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_entries_actor_number", "actor", "number"),
    Index("ix_entries_act_number", "act", "number"),
    Index("ix_entries_subject_number", "subject", "number"),
    schema=AUDIT,
)

rows = Table(
    "rows",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    refers("entry_number", "audit.entries.number", index=True),
    text("tbl"),
    text("key"),
    text("op"),
    text("payload"),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_rows_tbl_key_seq", "tbl", "key", "seq"),
    Index("ix_rows_tbl_entry_number", "tbl", "entry_number"),
    CheckConstraint("op IN ('I','U','D')", name="op"),
    schema=AUDIT,
)

leaves = Table(
    "leaves",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    text("kind"),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("kind IN ('entry','scan')", name="kind"),
    schema=AUDIT,
)

nodes = Table(
    "nodes",
    metadata,
    Column("level", SmallInteger, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "idx"),
    schema=AUDIT,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("horizon", Xid8(), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Instant, nullable=False, server_default=func.clock_timestamp()),
    schema=AUDIT,
)

epochs = Table(
    "epochs",
    metadata,
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("opened_at", Instant, nullable=False, server_default=func.clock_timestamp()),
    text("reason"),
    Column("previous_size", BigInteger, nullable=False),
    Column("previous_root", LargeBinary),
    schema=AUDIT,
)
