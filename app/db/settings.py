"""A setting as it holds today, read outside a dossier: what a screen offers, never what a rule rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Reading

CURRENT = """
SELECT DISTINCT ON (name) name, value FROM lab.settings
WHERE name = ANY (CAST(:names AS text[])) AND valid_from <= clock_timestamp() ORDER BY name, version DESC
"""


async def current(reading: Reading, *names: str) -> Mapping[str, Any]:
    """The settings of these names that are there."""
    return {row.name: row.value for row in await reading.all(CURRENT, names=list(names))}
