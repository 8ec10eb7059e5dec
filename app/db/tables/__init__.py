"""Every table of the house, one file an area; `metadata` holds them all."""

from app.db.tables import audit, items, life, lots, people
from app.db.tables.base import metadata

__all__ = ["audit", "items", "life", "lots", "metadata", "people"]
