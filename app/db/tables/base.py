"""What every table shares: one metadata, names for constraints, the columns that recur."""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Identity, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

LAB = "lab"
PEOPLE = "people"
IDENTITY = "identity"
AUDIT = "audit"

ITEM = "lab.items.id"
LOT = "lab.lots.id"
ACCOUNT = "people.accounts.id"
SIGNATURE = "lab.signatures.id"

Instant = DateTime(timezone=True)


def own_id() -> Column[int]:
    """A key the database draws; nobody can supply it."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def item_id() -> Column[int]:
    """The key of something that carries a label: it *is* the item's key."""
    return Column("id", BigInteger, ForeignKey(ITEM), primary_key=True, autoincrement=False)


def refers(name: str, to: str, *, nullable: bool = False, index: bool = False) -> Column[int]:
    """A reference to another row by key."""
    return Column(name, BigInteger, ForeignKey(to), nullable=nullable, index=index)


def text(name: str, *, nullable: bool = False, unique: bool = False) -> Column[str]:
    """A text column; text is never cut to a length by the database."""
    return Column(name, Text, nullable=nullable, unique=unique)


def facts(name: str, *, nullable: bool = False) -> Column[Any]:
    """A JSON document whose shape the domain owns."""
    kind: TypeEngine[Any] = JSONB(none_as_null=True)
    return Column(name, kind, nullable=nullable)


def instant(name: str, *, nullable: bool = False) -> Column[Any]:
    """An aware point in time."""
    return Column(name, Instant, nullable=nullable)


def recorded_at() -> Column[Any]:
    """When the record was made, by the database's clock: never supplied."""
    return Column("recorded_at", Instant, nullable=False, server_default=func.clock_timestamp())


def recorded_by() -> Column[int]:
    """Whose act made the record."""
    return refers("recorded_by", ACCOUNT)
