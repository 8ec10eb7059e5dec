"""Waivers: proposed by one person for one lot and one rule, approved by another's signature."""

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
INSERT INTO lab.waivers (rule, lot_id, justification, mitigations, proposed_by, valid_from, valid_to, max_uses)
VALUES (:rule, :lot_id, :justification, :mitigations, :by, :valid_from, :valid_to, :max_uses) RETURNING id
"""
EXISTS = "SELECT rule FROM lab.waivers WHERE id = :id"
APPROVE = "SELECT gate.approve_waiver(:id, :ceremony)"
OF_LOT = """
SELECT w.id AS waiver, w.rule, w.justification, w.mitigations, p.username AS proposed_by, s.printed_name AS approved_by,
    s.signed_at AS approved_at, w.valid_from, w.valid_to, w.max_uses
FROM lab.waivers w JOIN people.accounts p ON p.id = w.proposed_by LEFT JOIN lab.signatures s ON s.id = w.signature_id
WHERE w.lot_id = :lot_id ORDER BY w.id
"""


async def propose(
    change: Change,
    *,
    lot_id: int,
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


async def of_lot(reading: Reading, *, lot_id: int) -> Sequence[Row[Any]]:
    """Every waiver proposed for the lot."""
    return await reading.all(OF_LOT, lot_id=lot_id)
