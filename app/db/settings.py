"""A setting as it holds today, read outside a dossier: what a screen offers, never what a rule rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Reading

CURRENT = """
SELECT DISTINCT ON (name) name, value FROM lab.settings
WHERE name = ANY (CAST(:names AS text[])) AND valid_from <= clock_timestamp() ORDER BY name, valid_from DESC, version DESC
"""


DESCRIBED = """
SELECT DISTINCT ON (name) name, version, value, unit, source, valid_from FROM lab.settings
WHERE name = ANY (CAST(:names AS text[])) AND valid_from <= clock_timestamp() ORDER BY name, valid_from DESC, version DESC
"""


async def current(reading: Reading, *names: str) -> Mapping[str, Any]:
    """The settings of these names that are there."""
    return {row.name: row.value for row in await reading.all(CURRENT, names=list(names))}


async def described(reading: Reading, *names: str) -> Sequence[Row[Any]]:
    """The settings of these names that are there, each with its version, unit, source and since when it holds."""
    return await reading.all(DESCRIBED, names=list(names))
