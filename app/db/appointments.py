"""The quality authority: proposed, supported by two people who sign, revoked by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.door import Change, Reading

APPOINTEE = (
    "SELECT a.id, a.username, a.printed_name, a.state, people.roles_of(a.id) AS roles FROM people.accounts a"
    " WHERE a.username = :username"
)
PROPOSE = (
    "INSERT INTO people.proposals (account_id, title_level, title_certificate, certificate_valid_until, from_at,"
    " until_at, proposed_by) VALUES (:account, :title_level, :title_certificate, :certificate_valid_until, :from_at,"
    " :until_at, :by) RETURNING id"
)
EXPERIENCE = (
    "INSERT INTO people.experience (proposal_id, employer, position, domain, from_on, to_on, evidence)"
    " VALUES (:proposal, :employer, :position, :domain, :from_on, :to_on, :evidence)"
)
SUPPORT = "SELECT appointment, supports FROM gate.support_appointment(:proposal, :ceremony)"
REVOKE = "SELECT gate.revoke_appointment(:appointment, :ceremony)"
PROPOSALS = """
SELECT p.id, a.username AS account, a.printed_name, p.title_level, p.title_certificate, p.certificate_valid_until,
    p.from_at, p.until_at, b.username AS proposed_by, p.recorded_at AS proposed_at,
    (SELECT id FROM people.appointments WHERE proposal_id = p.id) AS appointment,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('employer', e.employer, 'position', e.position, 'domain', e.domain,
        'from_on', e.from_on, 'to_on', e.to_on, 'evidence', e.evidence) ORDER BY e.from_on, e.id), '[]')
        FROM people.experience e WHERE e.proposal_id = p.id) AS experience,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('by', s.printed_name, 'at', s.signed_at) ORDER BY s.id), '[]')
        FROM lab.signatures s WHERE s.meaning = 'appointment_supported' AND s.record_id = p.id) AS supports
FROM people.proposals p JOIN people.accounts a ON a.id = p.account_id JOIN people.accounts b ON b.id = p.proposed_by
WHERE CAST(:id AS bigint) IS NULL OR p.id = :id ORDER BY p.id DESC LIMIT 200
"""
APPOINTMENTS = """
SELECT m.id, a.username AS account, a.printed_name, m.proposal_id AS proposal, m.title_level, m.title_certificate,
    m.certificate_valid_until, m.from_at, m.until_at, m.revoked_at,
    (SELECT s.printed_name FROM lab.signatures s WHERE s.id = m.revoked_signature_id) AS revoked_by,
    a.state = 'active' AND m.revoked_at IS NULL AND m.from_at <= clock_timestamp()
        AND (m.until_at IS NULL OR m.until_at > clock_timestamp()) AS live
FROM people.appointments m JOIN people.accounts a ON a.id = m.account_id
WHERE CAST(:id AS bigint) IS NULL OR m.id = :id ORDER BY m.id DESC LIMIT 200
"""


@dataclass(frozen=True, slots=True)
class Stint:
    """A time spent in a post, and the evidence for it. `to_on` None: to this day."""

    employer: str
    position: str
    domain: str
    from_on: date
    to_on: date | None
    evidence: str | None


async def appointee(reading: Reading, *, username: str) -> Row[Any] | None:
    """Whom a proposal names: id, username, printed_name, state, roles."""
    return await reading.one(APPOINTEE, username=username)


async def propose(
    change: Change,
    *,
    account_id: int,
    title_level: str,
    title_certificate: str,
    certificate_valid_until: date | None,
    from_at: datetime,
    until_at: datetime | None,
    experience: Sequence[Stint],
) -> int:
    """A proposal with the experience that it stands on, all stated at once; its key."""
    proposal: int = await change.value(
        PROPOSE,
        account=account_id,
        title_level=title_level,
        title_certificate=title_certificate,
        certificate_valid_until=certificate_valid_until,
        from_at=from_at,
        until_at=until_at,
        by=change.actor.account_id,
    )
    await change.run_many(
        EXPERIENCE,
        [
            {
                "proposal": proposal,
                "employer": each.employer,
                "position": each.position,
                "domain": each.domain,
                "from_on": each.from_on,
                "to_on": each.to_on,
                "evidence": each.evidence,
            }
            for each in experience
        ],
    )
    return proposal


async def support(change: Change, *, proposal_id: int, ceremony: UUID) -> tuple[int, int | None]:
    """How many support it now, and the appointment that the second one made. Raises what the gate states."""
    row = await change.one(SUPPORT, proposal=proposal_id, ceremony=ceremony)
    if row is None:
        raise RuntimeError("the gate always answers")
    return row.supports, row.appointment


async def revoke(change: Change, *, appointment_id: int, ceremony: UUID) -> None:
    """End an appointment now. Raises what the gate states."""
    await change.run(REVOKE, appointment=appointment_id, ceremony=ceremony)


async def proposals(reading: Reading, *, proposal_id: int | None = None) -> Sequence[Row[Any]]:
    """Proposals, the newest first, or the one."""
    return await reading.all(PROPOSALS, id=proposal_id)


async def appointments(reading: Reading, *, appointment_id: int | None = None) -> Sequence[Row[Any]]:
    """Appointments, the newest first, or the one."""
    return await reading.all(APPOINTMENTS, id=appointment_id)
