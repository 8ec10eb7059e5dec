"""Every table of the house, one file an area; `metadata` holds them all."""

from app.db.tables import audit, bench, items, life, lots, papers, people
from app.db.tables.base import metadata

__all__ = ["audit", "bench", "items", "life", "lots", "metadata", "papers", "people"]
