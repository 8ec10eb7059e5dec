"""Accounts, their secrets, what they may be, their sessions, and their proofs of identity."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.tables.base import ACCOUNT, PEOPLE, Instant, instant, metadata, own_id, recorded_at, refers, text

accounts = Table(
    "accounts",
    metadata,
    own_id(),
    text("username", unique=True),
    text("printed_name"),
    Column("state", Text, nullable=False, server_default="active"),
    Column("language", Text, nullable=False, server_default="en"),
    Column("version", Integer, nullable=False, server_default="1"),
    recorded_at(),
    CheckConstraint("state IN ('active', 'deactivated')", name="state"),
    CheckConstraint("username ~ '^[a-z][a-z0-9._-]{1,63}$'", name="username"),
    schema=PEOPLE,
)

credentials = Table(
    "credentials",
    metadata,
    Column("account_id", BigInteger, ForeignKey(ACCOUNT), primary_key=True, autoincrement=False),
    text("password_hash"),
    Column("totp_secret", LargeBinary),
    Column("totp_last_step", BigInteger, nullable=False, server_default="0"),
    text("pin_hash", nullable=True),
    Column("reset_at", Instant),
    recorded_at(),
    schema=PEOPLE,
)

grants = Table(
    "grants",
    metadata,
    own_id(),
    refers("account_id", ACCOUNT, index=True),
    text("role"),
    instant("revoked_at", nullable=True),
    recorded_at(),
    CheckConstraint("role <> 'quality_authority'", name="appointed_not_granted"),
    Index("uq_grants_live", "account_id", "role", unique=True, postgresql_where=sql("revoked_at IS NULL")),
    schema=PEOPLE,
)

sessions = Table(
    "sessions",
    metadata,
    own_id(),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    refers("account_id", ACCOUNT, index=True),
    text("device"),
    Column("workstation_id", BigInteger, ForeignKey("lab.items.id")),
    Column("started_at", Instant, nullable=False, server_default=func.clock_timestamp()),
    Column("seen_at", Instant, nullable=False, server_default=func.clock_timestamp()),
    instant("ends_at"),
    instant("ended_at", nullable=True),
    Column("second_factor", Boolean, nullable=False, server_default=sql("false")),
    text("csrf"),
    schema=PEOPLE,
)

login_attempts = Table(
    "login_attempts",
    metadata,
    own_id(),
    text("username"),
    text("source"),
    Column("at", Instant, nullable=False, server_default=func.clock_timestamp()),
    text("outcome"),
    Index("ix_login_attempts_username_at", "username", "at"),
    Index("ix_login_attempts_source_at", "source", "at"),
    schema=PEOPLE,
)

meanings = Table(
    "meanings",
    metadata,
    Column("meaning", Text, primary_key=True),
    Column("roles", ARRAY(Text), nullable=False),
    text("record_kind"),
    schema=PEOPLE,
)

ceremonies = Table(
    "ceremonies",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=func.gen_random_uuid()),
    refers("account_id", ACCOUNT, index=True),
    Column("meaning", Text, ForeignKey("people.meanings.meaning"), nullable=False),
    text("record_kind"),
    Column("record_id", BigInteger, nullable=False),
    Column("record_version", Integer, nullable=False),
    Column("statement", Text, nullable=False, server_default=""),
    text("digest"),
    Column("factors", ARRAY(Text), nullable=False),
    refers("session_id", "people.sessions.id", nullable=True),
    Column("issued_at", Instant, nullable=False, server_default=func.clock_timestamp()),
    Column("expires_at", Instant, nullable=False, server_default=sql("clock_timestamp() + interval '2 minutes'")),
    instant("used_at", nullable=True),
    instant("burned_at", nullable=True),
    text("burned_why", nullable=True),
    CheckConstraint("cardinality(factors) >= 2", name="two_factors"),
    CheckConstraint("expires_at <= issued_at + interval '5 minutes'", name="minutes_to_live"),
    CheckConstraint("used_at IS NULL OR burned_at IS NULL", name="used_or_burned"),
    schema=PEOPLE,
)

appointments = Table(
    "appointments",
    metadata,
    own_id(),
    refers("account_id", ACCOUNT, index=True),
    text("title_level"),
    text("title_certificate"),
    Column("certificate_valid_until", Date),
    instant("from_at"),
    instant("until_at", nullable=True),
    instant("revoked_at", nullable=True),
    Column("revoked_signature_id", BigInteger, ForeignKey("lab.signatures.id")),
    Column("first_signature_id", BigInteger, ForeignKey("lab.signatures.id")),
    Column("second_signature_id", BigInteger, ForeignKey("lab.signatures.id")),
    Column("proposal_id", BigInteger, ForeignKey("people.proposals.id"), unique=True),
    recorded_at(),
    CheckConstraint("until_at IS NULL OR until_at > from_at", name="interval"),
    CheckConstraint("first_signature_id IS NULL OR first_signature_id <> second_signature_id", name="two_signatures"),
    schema=PEOPLE,
)

proposals = Table(
    "proposals",
    metadata,
    own_id(),
    refers("account_id", ACCOUNT, index=True),
    text("title_level"),
    text("title_certificate"),
    Column("certificate_valid_until", Date),
    instant("from_at"),
    instant("until_at", nullable=True),
    refers("proposed_by", ACCOUNT),
    recorded_at(),
    schema=PEOPLE,
)

experience = Table(
    "experience",
    metadata,
    own_id(),
    refers("proposal_id", "people.proposals.id", index=True),
    text("employer"),
    text("position"),
    text("domain"),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date),
    text("evidence", nullable=True),
    schema=PEOPLE,
)

identity_people = Table(
    "people",
    metadata,
    Column("person_id", BigInteger, ForeignKey("lab.persons.id"), primary_key=True, autoincrement=False),
    Column("key_version", SmallInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    recorded_at(),
    schema="identity",
)

identity_lookups = Table(
    "lookups",
    metadata,
    own_id(),
    refers("person_id", "lab.persons.id", index=True),
    text("field"),
    Column("blind_index", LargeBinary, nullable=False),
    UniqueConstraint("field", "blind_index", "person_id"),
    schema="identity",
)

identity_reveals = Table(
    "reveals",
    metadata,
    own_id(),
    refers("person_id", "lab.persons.id", index=True),
    refers("account_id", ACCOUNT),
    text("purpose"),
    recorded_at(),
    schema="identity",
)
