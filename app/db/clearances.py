"""Line clearances, and the sessions that they open and close: whose cells are at which workstation, since when."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic_core import to_jsonable_python

from app.domain.errors import Conflict
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Change, Reading

KEEP = """
INSERT INTO lab.line_clearances (workstation_id, phase, checks, performed_by, cleared_at, recorded_by)
VALUES (:workstation_id, :phase, CAST(:checks AS jsonb), :by, :cleared_at, :by) RETURNING id
"""
OPEN = """
INSERT INTO lab.workstation_sessions (workstation_id, lot_id, donor_id, during, planned, opening_clearance_id, recorded_by)
VALUES (:workstation_id, :lot_id, :donor_id, tstzrange(:since, NULL), true, :clearance_id, :by)
"""
RECORD = """
INSERT INTO lab.workstation_sessions (workstation_id, lot_id, donor_id, during, planned, recorded_by)
VALUES (:workstation_id, :lot_id, :donor_id, tstzrange(:since, :until, '[]'), false, :by) RETURNING id
"""
CLOSE = """
UPDATE lab.workstation_sessions
SET during = tstzrange(lower(during), greatest(CAST(:until AS timestamptz), lower(during) + interval '1 microsecond'), '[)'),
    closing_clearance_id = :clearance_id
WHERE id = :id AND upper_inf(during) RETURNING id
"""
OCCUPANT = """
SELECT w.id, w.lot_id, p.pseudonym AS donor, l.name AS lot, lower(w.during) AS since
FROM lab.workstation_sessions w JOIN lab.persons p ON p.id = w.donor_id JOIN lab.lots l ON l.id = w.lot_id
WHERE w.workstation_id = :workstation_id AND upper_inf(w.during) ORDER BY w.id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Occupant:
    """Whose cells are at a workstation."""

    id: int
    lot_id: int
    donor: str
    lot: str
    since: datetime


async def occupant(reading: Reading, *, workstation_id: int) -> Occupant | None:
    """Who is at the workstation now, if anybody."""
    row = await reading.one(OCCUPANT, workstation_id=workstation_id)
    return None if row is None else Occupant(**row._asdict())


async def keep(
    change: Change,
    *,
    workstation_id: int,
    phase: str,
    checks: Mapping[str, bool],
    cleared_at: datetime,
) -> int:
    """Keep a clearance that the actor performed. Its number."""
    clearance_id: int = await change.value(
        KEEP,
        workstation_id=workstation_id,
        phase=phase,
        checks=json.dumps(to_jsonable_python(checks), ensure_ascii=False),
        cleared_at=cleared_at,
        by=change.actor.account_id,
    )
    return clearance_id


async def open_session(
    change: Change, *, workstation_id: int, lot_id: int, donor_id: int, since: datetime, clearance_id: int
) -> None:
    """From now on this lot's donor alone is at the workstation. Raises Conflict when another came first."""
    await change.run(
        OPEN,
        workstation_id=workstation_id,
        lot_id=lot_id,
        donor_id=donor_id,
        since=since,
        clearance_id=clearance_id,
        by=change.actor.account_id,
    )


async def close_session(change: Change, *, session_id: int, until: datetime, clearance_id: int) -> None:
    """The line is clear again. Raises Conflict when somebody else cleared it meanwhile."""
    if await change.value(CLOSE, id=session_id, until=until, clearance_id=clearance_id) is None:
        raise Conflict(
            what=Text("The workstation was not cleared."),
            why=Text("Somebody else cleared it a moment ago."),
            remedy=Text("Look at the workstation as it stands now."),
        )


async def record_session(
    change: Change, *, workstation_id: int, lot_id: int, donor_id: int, since: datetime, until: datetime
) -> int:
    """These cells were at the workstation, cleared or not: a fact, whoever else was there. Its number."""
    session_id: int = await change.value(
        RECORD,
        workstation_id=workstation_id,
        lot_id=lot_id,
        donor_id=donor_id,
        since=since,
        until=until,
        by=change.actor.account_id,
    )
    return session_id
