"""Verifications by a second person: what waits for one, and the one way to write one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.domain.facts import StepKind
from app.domain.scans import KIND_NAMES
from app.domain.text import Text

if TYPE_CHECKING:
    from sqlalchemy import Row

    from app.db.door import Change, Reading

VERIFY = """
SELECT outcome, verification, at, late, lot_code, lot_name, kind, item_code
FROM people.verify(:what, :number, :verifier, :badge, :code, :scanned)
"""
STEP = """
SELECT 'step' AS what, s.id AS number, s.kind, s.passage, k.code AS lot, l.name, a.printed_name AS performed_by,
    coalesce(s.ended_at, s.started_at) AS at, w.code AS workstation, v.recorded_at AS verified_at
FROM lab.steps s JOIN lab.lots l ON l.id = s.lot_id JOIN people.accounts a ON a.id = s.performed_by
LEFT JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
LEFT JOIN lab.workstation_sessions t ON t.id = s.workstation_session_id
LEFT JOIN lab.item_codes w ON w.item_id = t.workstation_id AND w.scheme = 'own'
LEFT JOIN lab.verifications v ON v.step_id = s.id
"""
CLEARANCE = """
SELECT 'clearance' AS what, c.id AS number, c.phase AS kind, NULL::integer AS passage, k.code AS lot, l.name,
    a.printed_name AS performed_by, c.cleared_at AS at, w.code AS workstation, v.recorded_at AS verified_at
FROM lab.line_clearances c JOIN lab.workstation_sessions t ON c.id IN (t.opening_clearance_id, t.closing_clearance_id)
JOIN lab.lots l ON l.id = t.lot_id JOIN people.accounts a ON a.id = c.performed_by
LEFT JOIN lab.item_codes k ON k.item_id = l.id AND k.scheme = 'own'
LEFT JOIN lab.item_codes w ON w.item_id = c.workstation_id AND w.scheme = 'own'
LEFT JOIN lab.verifications v ON v.clearance_id = c.id
"""
# What waits for a lot; a closing clearance waits for nobody: the next opening is a clearance of its own.
WAITING = f"""
SELECT * FROM (
    {CLEARANCE} WHERE t.lot_id = :lot_id AND c.id = t.opening_clearance_id AND v.id IS NULL
    UNION ALL {STEP} WHERE s.lot_id = :lot_id AND v.id IS NULL AND NOT EXISTS (SELECT FROM lab.partner_steps p WHERE p.step_id = s.id)
) AS waiting ORDER BY at, what, number LIMIT 100
"""
ONE = {"step": f"{STEP} WHERE s.id = :number", "clearance": f"{CLEARANCE} WHERE c.id = :number ORDER BY t.id LIMIT 1"}


class Verified(StrEnum):
    """What a second person verifies."""

    STEP = "step"
    CLEARANCE = "clearance"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step or a line clearance for a second person to verify. `kind`: the step's, or the clearance's phase."""

    what: Verified
    number: int
    kind: str
    passage: int | None
    lot: str
    name: str
    workstation: str | None
    performed_by: str
    at: datetime
    verified_at: datetime | None
    expected: tuple[Text, ...]


EXPECTED: dict[str, tuple[Text, ...]] = {
    StepKind.ISOLATION: (KIND_NAMES["flask"], KIND_NAMES["donation"], KIND_NAMES["material_container"]),
    StepKind.PASSAGE: (KIND_NAMES["flask"], KIND_NAMES["material_container"]),
    StepKind.FILL: (KIND_NAMES["vial"], KIND_NAMES["flask"], KIND_NAMES["material_container"]),
    StepKind.CRYOPRESERVATION: (KIND_NAMES["vial"],),
    StepKind.THAW: (KIND_NAMES["flask"], KIND_NAMES["vial"], KIND_NAMES["material_container"]),
}


def expected(what: Verified, kind: str) -> tuple[Text, ...]:
    """What may be scanned, in words: which one it is, is for the verifier to find."""
    return (KIND_NAMES["workstation"],) if what is Verified.CLEARANCE else EXPECTED[kind]


async def verify(
    change: Change, *, what: Verified, number: int, verifier: int, badge: int, code: str, scanned: str
) -> Row[Any]:
    """Write the verification, unless the row's `outcome` says why not. Needs the desk for people."""
    row = await change.one(
        VERIFY, what=what.value, number=number, verifier=verifier, badge=badge, code=code, scanned=scanned
    )
    if row is None:
        raise RuntimeError("a verification always answers")
    return row


async def waiting(reading: Reading, *, lot_id: int) -> tuple[Waiting, ...]:
    """Opening clearances and steps of the lot that nobody verified, the oldest first; at most 100."""
    return tuple(_waiting(row) for row in await reading.all(WAITING, lot_id=lot_id))


async def one(reading: Reading, *, what: Verified, number: int) -> Waiting | None:
    """A step or a clearance, verified or not; None when there is none."""
    row = await reading.one(ONE[what.value], number=number)
    return None if row is None else _waiting(row)


def _waiting(row: Row[Any]) -> Waiting:
    facts = row._asdict()
    what = Verified(facts.pop("what"))
    return Waiting(what=what, expected=expected(what, row.kind), **facts)
