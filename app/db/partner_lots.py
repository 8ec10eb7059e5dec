"""Lots that partners made: who made them, the partners' papers and steps; a physician's request out of specification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.door import Change, Reading

NAME = """
INSERT INTO lab.partner_lots (lot_id, partner_id, lot_number, process, recorded_by)
VALUES (:lot_id, :partner_id, :lot_number, :process, :by)
"""
MAKER = """
SELECT p.name AS partner, m.lot_number, m.process, a.username AS recorded_by, m.recorded_at
FROM lab.partner_lots m JOIN lab.partners p ON p.id = m.partner_id JOIN people.accounts a ON a.id = m.recorded_by WHERE m.lot_id = :lot
"""
KEEP_PAPER = """
INSERT INTO lab.partner_papers (lot_id, kind, reference, conforms, covers, signed_by, signed_at, file_name, file_sha256, recorded_by)
VALUES (:lot_id, :kind, :reference, :conforms, CAST(:covers AS text[]), :signed_by, :signed_at, :file_name, :file_sha256, :by) RETURNING id
"""
PAPERS = """
SELECT d.id AS paper, d.kind, d.reference, d.conforms, d.covers, d.signed_by, d.signed_at, d.file_name, d.file_sha256, a.username AS recorded_by, d.recorded_at
FROM lab.partner_papers d JOIN people.accounts a ON a.id = d.recorded_by WHERE d.lot_id = :lot ORDER BY d.id DESC LIMIT 200
"""
PAPER_OF = "SELECT id FROM lab.partner_papers WHERE lot_id = :lot AND reference = :reference ORDER BY id DESC LIMIT 1"
KEEP_STEP = """
INSERT INTO lab.partner_steps (step_id, lot_id, workstation, one_donor, performed_by, verified_by, verified_at, cleared_at, cleared_by,
    clearance_verified_by, clearance_verified_at, page, recorded_by)
VALUES (:step_id, :lot_id, :workstation, :one_donor, :performed_by, :verified_by, :verified_at, :cleared_at, :cleared_by,
    :clearance_verified_by, :clearance_verified_at, :page, :by)
"""
STEPS = """
SELECT s.id AS step, s.kind, s.passage, s.started_at, s.ended_at, s.pd, s.cpdl, w.performed_by, w.verified_by, w.verified_at, w.workstation, w.one_donor,
    w.cleared_at, w.clearance_verified_by, w.page, a.username AS recorded_by, w.recorded_at
FROM lab.partner_steps w JOIN lab.steps s ON s.id = w.step_id JOIN people.accounts a ON a.id = w.recorded_by WHERE w.lot_id = :lot ORDER BY s.started_at, s.id
"""
LAST = """
SELECT kind, passage, cpdl, coalesce(ended_at, started_at) AS ended_at FROM lab.steps WHERE lot_id = :lot ORDER BY started_at DESC, id DESC LIMIT 1
"""
REQUEST = """
INSERT INTO lab.exceptional_requests (lot_id, reasons, risk_evaluation, risk_file_name, risk_file_sha256, committee, committee_decision,
    committee_decided_on, committee_reference, recorded_by)
VALUES (:lot_id, :reasons, :risk_evaluation, :risk_file_name, :risk_file_sha256, :committee, :committee_decision,
    :committee_decided_on, :committee_reference, :by) RETURNING id
"""
REQUESTS = """
SELECT r.id AS request, r.reasons, r.risk_evaluation, r.risk_file_name, r.committee, r.committee_decision, r.committee_decided_on,
    r.committee_reference, a.username AS requested_by, r.recorded_at, r.disposition, d.username AS decided_by, s.signed_at AS decided_at
FROM lab.exceptional_requests r JOIN people.accounts a ON a.id = r.recorded_by LEFT JOIN lab.signatures s ON s.id = r.signature_id
LEFT JOIN people.accounts d ON d.id = s.account_id WHERE r.lot_id = :lot ORDER BY r.id DESC LIMIT 100
"""
LOT_OF_REQUEST = """
SELECT k.code FROM lab.exceptional_requests r JOIN lab.item_codes k ON k.item_id = r.lot_id AND k.scheme = 'own' WHERE r.id = :id
"""
DECIDE = "SELECT gate.decide_exceptional_supply(:id, :ceremony)"


@dataclass(frozen=True, slots=True)
class LastStep:
    """The last step of a lot: how old its cells were then, and when it ended."""

    kind: str
    passage: int | None
    cpdl: Decimal | None
    ended_at: datetime


async def name(change: Change, *, lot_id: int, partner_id: int, lot_number: str, process: str) -> None:
    """Say which partner makes the lot. Raises Conflict when that is said already, or the number is another lot's."""
    await change.run(
        NAME,
        lot_id=lot_id,
        partner_id=partner_id,
        lot_number=lot_number,
        process=process,
        by=change.actor.account_id,
    )


async def maker(reading: Reading, *, lot: int) -> Row[Any] | None:
    """Who made the lot; None where this house does."""
    return await reading.one(MAKER, lot=lot)


async def keep_paper(change: Change, *, lot_id: int, values: Mapping[str, Any]) -> int:
    """A partner's paper. Its key."""
    key: int = await change.value(KEEP_PAPER, **values, lot_id=lot_id, by=change.actor.account_id)
    return key


async def papers(reading: Reading, *, lot: int) -> Sequence[Row[Any]]:
    """A partner's papers about the lot, the last first."""
    return await reading.all(PAPERS, lot=lot)


async def paper_of(reading: Reading, *, lot: int, reference: str) -> int | None:
    """The key of the paper of this reference; None where there is none about this lot."""
    found: int | None = await reading.value(PAPER_OF, lot=lot, reference=reference)
    return found


async def keep_step(change: Change, *, lot_id: int, step_id: int, values: Mapping[str, Any]) -> None:
    """How the partner's batch record tells a step."""
    await change.run(KEEP_STEP, **values, lot_id=lot_id, step_id=step_id, by=change.actor.account_id)


async def steps(reading: Reading, *, lot: int) -> Sequence[Row[Any]]:
    """The steps that the partner made, in their order."""
    return await reading.all(STEPS, lot=lot)


async def last_step(reading: Reading, *, lot: int) -> LastStep | None:
    """The step of the lot that began last; None where there is none."""
    row = await reading.one(LAST, lot=lot)
    return None if row is None else LastStep(**row._asdict())


async def request(change: Change, *, lot_id: int, values: Mapping[str, Any]) -> int:
    """A physician's request for a lot out of specification. Its key."""
    key: int = await change.value(REQUEST, **values, lot_id=lot_id, by=change.actor.account_id)
    return key


async def requests(reading: Reading, *, lot: int) -> Sequence[Row[Any]]:
    """Every request about the lot, the last first."""
    return await reading.all(REQUESTS, lot=lot)


async def lot_of_request(reading: Reading, *, request_id: int) -> str | None:
    """The code of the lot that a request is about; None where there is no such request."""
    found: str | None = await reading.value(LOT_OF_REQUEST, id=request_id)
    return found


async def decide(change: Change, *, request_id: int, ceremony: UUID) -> None:
    """Sign the decision about a request. Raises CeremonyRefused, Stale, Conflict."""
    await change.value(DECIDE, id=request_id, ceremony=ceremony)
