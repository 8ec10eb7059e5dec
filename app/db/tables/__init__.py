"""Every table of the house, one file an area; `metadata` holds them all."""

from app.db.tables import (
    audit,
    banks,
    bench,
    donors,
    governance,
    house,
    impacts,
    items,
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
    "governance",
    "house",
    "impacts",
    "items",
    "life",
    "lots",
    "metadata",
    "papers",
    "people",
    "reagents",
    "studies",
    "suppliers",
]
