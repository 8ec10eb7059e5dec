"""Whether this database is fit to be served by this code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db.version import newest_version
from app.domain.errors import Refusal
from app.rules import RULEBOOK_VERSION

if TYPE_CHECKING:
    from app.db.door import Door

LOOK = """
SELECT d.purpose, d.facility, d.time_zone,
    (SELECT version FROM lab.rulebooks ORDER BY id DESC LIMIT 1) AS rulebook,
    (SELECT count(*) FROM audit.entries e WHERE e.number > coalesce((SELECT max(number) FROM audit.leaves), 0)) AS unsealed,
    (SELECT extract(epoch FROM clock_timestamp() - max(at)) FROM audit.checkpoints) AS checkpoint_age_s,
    (SELECT max(size) FROM audit.checkpoints) AS sealed_size,
    current_setting('synchronous_commit') AS synchronous_commit
FROM lab.deployment d
"""


@dataclass(frozen=True, slots=True)
class Health:
    """What was found. `trouble` is empty when all is well."""

    purpose: str
    facility: str
    trouble: tuple[str, ...]
    unsealed: int
    sealed_size: int

    @property
    def well(self) -> bool:
        """Whether work may go on."""
        return not self.trouble

    def said(self) -> dict[str, object]:
        """For the answer."""
        return {
            "purpose": self.purpose,
            "trouble": list(self.trouble),
            "unsealed_entries": self.unsealed,
            "sealed_size": self.sealed_size,
            "schema": newest_version(),
        }


async def look(door: Door) -> Health:
    """One look; never raises for a database that is away."""
    try:
        row = await door.scan_row(LOOK)
    except (OSError, Refusal) as error:
        return Health("unknown", "", (f"the database does not answer: {error}",), 0, 0)
    if row is None:
        return Health("unknown", "", ("the database is not migrated: run ./stemma migrate",), 0, 0)
    trouble = []
    if row["rulebook"] != RULEBOOK_VERSION:
        trouble.append("the rule book in the code is not the one adopted in the database: run ./stemma migrate")
    if row["synchronous_commit"] in {"off", "local"}:
        trouble.append("synchronous_commit is off: acknowledged records could be lost")
    return Health(row["purpose"], row["facility"], tuple(trouble), row["unsealed"], row["sealed_size"] or 0)
