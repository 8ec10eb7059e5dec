"""Waivers: proposed by one person for one rule and one lot, material lot or donation, approved by another's signature."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

PROPOSE = """
INSERT INTO lab.waivers (rule, lot_id, donation_id, justification, mitigations, proposed_by, valid_from, valid_to, max_uses)
VALUES (:rule, :lot_id, :donation_id, :justification, :mitigations, :by, :valid_from, :valid_to, :max_uses) RETURNING id
"""
EXISTS = "SELECT rule FROM lab.waivers WHERE id = :id"
APPROVE = "SELECT gate.approve_waiver(:id, :ceremony)"
OF_SUBJECT = """
SELECT w.id AS waiver, w.rule, w.justification, w.mitigations, p.username AS proposed_by, s.printed_name AS approved_by,
    s.signed_at AS approved_at, w.valid_from, w.valid_to, w.max_uses
FROM lab.waivers w JOIN people.accounts p ON p.id = w.proposed_by LEFT JOIN lab.signatures s ON s.id = w.signature_id
WHERE w.lot_id = :id OR w.donation_id = :id ORDER BY w.id
"""
SUBJECT = """
SELECT i.kind, l.name, l.state, l.kind AS lot_kind FROM lab.items i LEFT JOIN lab.lots l ON l.id = i.id WHERE i.id = :id
"""


async def propose(
    change: Change,
    *,
    lot_id: int | None,
    donation_id: int | None,
    rule: str,
    justification: str,
    mitigations: str,
    valid_from: datetime,
    valid_to: datetime,
    max_uses: int,
) -> int:
    """A waiver that waits for approval. Its number."""
    waiver_id: int = await change.value(
        PROPOSE,
        lot_id=lot_id,
        donation_id=donation_id,
        rule=rule,
        justification=justification,
        mitigations=mitigations,
        by=change.actor.account_id,
        valid_from=valid_from,
        valid_to=valid_to,
        max_uses=max_uses,
    )
    return waiver_id


async def rule_of(reading: Reading, *, waiver_id: int) -> str:
    """The rule that the waiver is for. Raises NotFound where there is no waiver of this number."""
    rule: str | None = await reading.value(EXISTS, id=waiver_id)
    if rule is None:
        raise NotFound(
            what=Text("There is no waiver {number}.", number=waiver_id),
            why=Text("No waiver of this number was proposed."),
            remedy=Text("Open the lot and choose the waiver there."),
        )
    return rule


async def approve(change: Change, *, waiver_id: int, ceremony: UUID) -> int:
    """Approve it. The signature's number. Raises CeremonyRefused, also for whoever proposed it."""
    signature: int = await change.value(APPROVE, id=waiver_id, ceremony=ceremony)
    return signature


async def of_subject(reading: Reading, *, subject_id: int) -> Sequence[Row[Any]]:
    """Every waiver proposed for the lot, material lot or donation."""
    return await reading.all(OF_SUBJECT, id=subject_id)


async def subject(reading: Reading, *, item_id: int) -> Row[Any]:
    """What an item is: its kind, and name, state and kind of the lot that it is."""
    row = await reading.one(SUBJECT, id=item_id)
    if row is None:
        raise RuntimeError("an item was found and is gone")
    return row
