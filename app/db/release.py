"""The release gate as the application may use it: lock, and one function that alone writes a release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from sqlalchemy import Row

    from app.db.door import Change, Reading

LOCK = "SELECT lab.lock_for_judgement(:lot_id)"
RELEASE = "SELECT release, signature, signed_at FROM gate.release(:lot_id, :ceremony, :judgement)"
CONDITIONAL = "SELECT release, signature, signed_at FROM gate.conditionally_release(:lot_id, :ceremony, :judgement)"
HEAD = "SELECT name, kind, state, version FROM lab.lots WHERE id = :lot_id"
KEPT = """
SELECT l.name, r.id AS release, s.id AS signature, s.printed_name AS signed_by, s.signed_at, r.digest,
    r.judgement_id AS judgement,
    (SELECT entry_number FROM audit.rows WHERE tbl = 'lab.releases' AND key = r.id::text ORDER BY seq LIMIT 1) AS entry
FROM lab.releases r JOIN lab.signatures s ON s.id = r.signature_id JOIN lab.lots l ON l.id = r.lot_id
WHERE r.lot_id = :lot_id AND s.meaning = :meaning ORDER BY r.id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class LotHead:
    """A lot's name and where it stands."""

    name: str
    kind: str
    state: str
    version: int


@dataclass(frozen=True, slots=True)
class Released:
    """What the gate wrote."""

    release: int
    signature: int
    signed_at: datetime


async def lock(change: Change, *, lot_id: int) -> None:
    """Lock everything that can change the verdict. Raises Stale when it grew meanwhile, Busy when it takes too long."""
    await change.run(LOCK, lot_id=lot_id)


async def lot_head(reading: Reading, *, lot_id: int) -> LotHead:
    """Name, kind, state, version. Raises NotFound for a material lot, which is approved and never released."""
    row = await reading.one(HEAD, lot_id=lot_id)
    if row is None or row.kind == "material":
        raise NotFound(
            what=Text("There is no preparation or bank lot of this code."),
            why=Text("A material lot is approved for use; only preparations and bank lots are released."),
            remedy=Text("Scan the lot's own label."),
        )
    return LotHead(row.name, row.kind, row.state, row.version)


async def release(change: Change, *, lot_id: int, ceremony: UUID, judgement: int) -> Released:
    """The gate. Raises the refusal that it states."""
    row = await change.one(RELEASE, lot_id=lot_id, ceremony=ceremony, judgement=judgement)
    if row is None:
        raise RuntimeError("the gate always answers")
    return Released(row.release, row.signature, row.signed_at)


async def conditionally_release(change: Change, *, lot_id: int, ceremony: UUID, judgement: int) -> Released:
    """The gate of the first release of two. Raises the refusal that it states."""
    row = await change.one(CONDITIONAL, lot_id=lot_id, ceremony=ceremony, judgement=judgement)
    if row is None:
        raise RuntimeError("the gate always answers")
    return Released(row.release, row.signature, row.signed_at)


async def kept_release(reading: Reading, *, lot_id: int, meaning: str = "released") -> Row[Any] | None:
    """The release of this lot with its signature; by `meaning` the first one of two."""
    return await reading.one(KEPT, lot_id=lot_id, meaning=meaning)
