"""The QA review of a batch record: what the quality authority's signature will rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import lots, reasons, reviews
from app.domain.acts import Act
from app.domain.errors import IllegalMove
from app.domain.facts import Decision
from app.domain.lots import STATE_NAMES, LotState
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class BatchReviewView:
    """A batch review as it was signed. `package_digest` is of everything that was reviewed."""

    lot: str
    name: str
    decision: Decision
    package_digest: str
    signature: int


async def review_batch(
    house: House, call: Call, *, lot: str, decision: Decision, remarks: str, ceremony: UUID
) -> BatchReviewView:
    """Review the whole record of a finished lot, signed. Whatever is recorded later needs a new review.

    Raises CeremonyRefused, Stale when the record changed since it was shown, IllegalMove while it is being made, Conflict
    while words are owed for a reason that was picked at the bench.
    """
    async with house.door.change(call, Act.REVIEW_BATCH, subject=lot) as change:
        change.ceremony = ceremony
        found = await lots.find(change, code=lot)
        if found.state in {LotState.PLANNED, LotState.IN_PROCESS}:
            raise IllegalMove(
                what=Text("The batch record was not reviewed."),
                why=Text(
                    "{lot} is {state}: its record is still being written.",
                    lot=found.name,
                    state=STATE_NAMES[found.state],
                ),
                remedy=Text("Review it when the lot is finished and stands in quarantine."),
                detail={"state": found.state.value},
            )
        await reasons.refuse_owed(change, lot_id=found.id)
        signature, digest = await reviews.review(
            change, lot_id=found.id, decision=decision.value, remarks=remarks, ceremony=ceremony
        )
        return change.answers(
            BatchReviewView(
                lot=found.code, name=found.name, decision=decision, package_digest=digest, signature=signature
            )
        )
