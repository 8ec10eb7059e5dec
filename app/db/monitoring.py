"""Clean areas and what is monitored in them: classifications, samples of a session, readings."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

NUMBERS_END = 2**63
"""No record has such a number."""
CLASSIFY = """
INSERT INTO lab.area_classifications (room, workstation_id, grade, classified_on, due_on, evidence, recorded_by)
VALUES (:room, :workstation, :grade, :classified_on, :due_on, :evidence, :by) RETURNING id
"""
AREAS = """
SELECT DISTINCT ON (coalesce(c.room, ''), coalesce(c.workstation_id, 0)) c.id AS classification, c.room, k.code AS workstation,
    e.name AS workstation_name, c.grade, c.classified_on, c.due_on, c.evidence, a.printed_name AS recorded_by, c.recorded_at,
    c.due_on < (clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment))::date AS is_past
FROM lab.area_classifications c JOIN people.accounts a ON a.id = c.recorded_by LEFT JOIN lab.equipment e ON e.id = c.workstation_id
LEFT JOIN lab.item_codes k ON k.item_id = e.id AND k.scheme = 'own'
ORDER BY coalesce(c.room, ''), coalesce(c.workstation_id, 0), c.classified_on DESC, c.id DESC LIMIT 1000
"""
SESSION = """
SELECT w.id AS session, w.lot_id, l.name AS lot_name, lk.code AS lot, k.code AS workstation, e.name AS workstation_name, e.room,
    lower(w.during) AS since, upper(w.during) AS until
FROM lab.workstation_sessions w JOIN lab.lots l ON l.id = w.lot_id JOIN lab.equipment e ON e.id = w.workstation_id
JOIN lab.item_codes k ON k.item_id = e.id AND k.scheme = 'own' JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own'
"""
ONE = f"{SESSION} WHERE w.id = :id"
LIST = f"""
WITH shown AS ({SESSION} WHERE (CAST(:after AS bigint) IS NULL OR w.id < :after)
    AND (NOT CAST(:pending AS boolean) OR EXISTS (SELECT FROM lab.monitoring_samples m WHERE m.session_id = w.id
        AND NOT EXISTS (SELECT FROM lab.monitoring_readings r WHERE r.sample_id = m.id)))
    ORDER BY w.id DESC LIMIT :limit)
SELECT s.*, (SELECT count(*) FROM lab.monitoring_samples m WHERE m.session_id = s.session) AS samples,
    (SELECT count(*) FROM lab.monitoring_samples m WHERE m.session_id = s.session
        AND NOT EXISTS (SELECT FROM lab.monitoring_readings r WHERE r.sample_id = m.id)) AS pending
FROM shown s ORDER BY s.session DESC
"""
SAMPLES = """
SELECT m.id AS sample, m.kind, m.grade, m.place, m.taken_at, a.printed_name AS recorded_by, (
    SELECT coalesce(jsonb_agg(jsonb_build_object('value', r.value::text, 'organism', r.organism, 'read_at', r.read_at,
        'by', p.printed_name) ORDER BY r.id), '[]')
    FROM lab.monitoring_readings r JOIN people.accounts p ON p.id = r.recorded_by WHERE r.sample_id = m.id) AS readings
FROM lab.monitoring_samples m JOIN people.accounts a ON a.id = m.recorded_by WHERE m.session_id = :id ORDER BY m.id
"""
KEEP_SAMPLE = """
INSERT INTO lab.monitoring_samples (lot_id, session_id, kind, grade, place, taken_at, recorded_by)
VALUES (:lot_id, :session_id, :kind, :grade, :place, :taken_at, :by) RETURNING id
"""
TAKEN = """
SELECT m.id, m.lot_id, m.session_id, m.taken_at FROM lab.monitoring_samples m WHERE m.id = ANY (CAST(:ids AS bigint[]))
"""
KEEP_READING = """
INSERT INTO lab.monitoring_readings (lot_id, sample_id, value, organism, read_at, recorded_by)
VALUES (:lot_id, :sample_id, :value, :organism, :read_at, :by)
"""


async def classify(
    change: Change,
    *,
    room: str | None,
    workstation_id: int | None,
    grade: str,
    classified_on: date,
    due_on: date,
    evidence: str,
) -> int:
    """What a room or a workstation was found to be. The record's number."""
    number: int = await change.value(
        CLASSIFY,
        room=room,
        workstation=workstation_id,
        grade=grade,
        classified_on=classified_on,
        due_on=due_on,
        evidence=evidence,
        by=change.actor.account_id,
    )
    return number


async def areas(reading: Reading) -> Sequence[Row[Any]]:
    """Every area with its last classification."""
    return await reading.all(AREAS)


async def session(reading: Reading, *, session_id: int) -> Row[Any]:
    """A session at a workstation. Raises NotFound."""
    row = await reading.one(ONE, id=session_id) if 0 < session_id < NUMBERS_END else None
    if row is None:
        raise NotFound(
            what=Text("There is no session {number}.", number=session_id),
            why=Text("Nobody opened a workstation under this number."),
            remedy=Text("Choose one of the list of sessions."),
        )
    return row


async def sessions(reading: Reading, *, pending: bool, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Sessions, the last opened first, with how much was taken in each and how much is not read yet."""
    return await reading.all(LIST, pending=pending, after=after, limit=limit)


async def samples(reading: Reading, *, session_id: int) -> Sequence[Row[Any]]:
    """What was taken in a session, with its readings."""
    return await reading.all(SAMPLES, id=session_id)


async def keep_sample(
    change: Change, *, lot_id: int, session_id: int, kind: str, grade: str, place: str, taken_at: datetime
) -> int:
    """One plate, print or count. Its number."""
    number: int = await change.value(
        KEEP_SAMPLE,
        lot_id=lot_id,
        session_id=session_id,
        kind=kind,
        grade=grade,
        place=place,
        taken_at=taken_at,
        by=change.actor.account_id,
    )
    return number


async def taken(reading: Reading, *, ids: Sequence[int]) -> Mapping[int, Row[Any]]:
    """Samples by number, as far as they are there."""
    return {row.id: row for row in await reading.all(TAKEN, ids=[each for each in ids if 0 < each < NUMBERS_END])}


async def keep_readings(change: Change, rows: Sequence[Mapping[str, Any]]) -> None:
    """What was read of them."""
    await change.run_many(KEEP_READING, [{**row, "by": change.actor.account_id} for row in rows])
