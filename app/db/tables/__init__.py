"""Every table of the house, one file an area; `metadata` holds them all."""

from app.db.tables import (
    audit,
    bench,
    donors,
    governance,
    house,
    impacts,
    items,
    legacy,
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
    "bench",
    "donors",
    "governance",
    "house",
    "impacts",
    "items",
    "legacy",
    "life",
    "lots",
    "metadata",
    "papers",
    "people",
    "reagents",
    "studies",
    "suppliers",
]
