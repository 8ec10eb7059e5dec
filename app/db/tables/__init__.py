"""Every table of the house, one file an area; `metadata` holds them all."""

from app.db.tables import (
    audit,
    banks,
    bench,
    donors,
    genes,
    governance,
    house,
    impacts,
    items,
    laboratories,
    life,
    lots,
    papers,
    people,
    reagents,
    studies,
    suppliers,
)
from app.db.tables.base import metadata

__all__ = [
    "audit",
    "banks",
    "bench",
    "donors",
    "genes",
    "governance",
    "house",
    "impacts",
    "items",
    "laboratories",
    "life",
    "lots",
    "metadata",
    "papers",
    "people",
    "reagents",
    "studies",
    "suppliers",
]
