"""Reasons picked at the bench: what was picked stands at once, the words are owed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.db import settings
from app.domain.bench import REASONS, Offer, offers
from app.domain.errors import BadInput, Conflict, NotFound, NotPermitted
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Change, Reading
    from app.domain.acts import Act

OWE = """
INSERT INTO lab.bench_reasons (item_id, lot_id, act, reason, recorded_by)
SELECT :item_id, coalesce(CAST(:lot_id AS bigint), (SELECT l.id FROM lab.root_of_item(:item_id) AS r
    JOIN lab.lots l ON r.root_kind = 'lot' AND l.id = r.root_id)), :act, :reason, :by RETURNING id
"""
OWED = """
SELECT b.id, b.act, b.reason, b.recorded_at AS at, k.code AS item, l.name AS lot FROM lab.bench_reasons b
LEFT JOIN lab.item_codes k ON k.item_id = b.item_id AND k.scheme = 'own' LEFT JOIN lab.lots l ON l.id = b.lot_id
WHERE b.note IS NULL AND b.recorded_by = :account ORDER BY b.id LIMIT 40
"""
OWED_FOR = """
SELECT count(*) AS owed, min(a.printed_name) AS by FROM lab.bench_reasons b JOIN people.accounts a ON a.id = b.recorded_by
WHERE b.lot_id = :lot_id AND b.note IS NULL
"""
LOCK = "SELECT id, recorded_by, note, reason, act FROM lab.bench_reasons WHERE id = :id FOR UPDATE"
NOTE = "UPDATE lab.bench_reasons SET note = :note, noted_at = :at, noted_by = :by WHERE id = :id"


@dataclass(frozen=True, slots=True)
class Owed:
    """A reason whose words are owed."""

    id: int
    act: str
    reason: str
    at: datetime
    item: str | None
    lot: str | None


async def offered(reading: Reading) -> tuple[Offer, ...]:
    """The reasons that may be picked."""
    return offers((await settings.current(reading, REASONS)).get(REASONS))


async def said(reading: Reading, picked: str) -> str:
    """The English words of the reason of this code, picked or scanned. Raises BadInput for a code that is none."""
    for each in await offered(reading):
        if each.code.casefold() == picked.strip().casefold():
            return each.en
    raise BadInput(
        field="picked",
        what=Text("Nothing was done."),
        why=Text("There is no such reason to pick."),
        remedy=Text("Pick one of the list, or say the reason in words."),
    )


async def owe(change: Change, *, item_id: int, act: Act, reason: str, lot_id: int | None = None) -> int:
    """Note that the actor picked this reason and owes the words. The lot is the item's unless another is named."""
    number: int = await change.value(
        OWE, item_id=item_id, lot_id=lot_id, act=act.value, reason=reason, by=change.actor.account_id
    )
    return number


async def owed(reading: Reading, *, account_id: int) -> tuple[Owed, ...]:
    """What this person still owes words for, the oldest first; at most 40."""
    return tuple(Owed(**row._asdict()) for row in await reading.all(OWED, account=account_id))


async def refuse_owed(reading: Reading, *, lot_id: int) -> None:
    """Raise Conflict while words are owed for the lot."""
    row = await reading.one(OWED_FOR, lot_id=lot_id)
    if row is not None and row.owed:
        raise Conflict(
            what=Text("The batch record was not reviewed."),
            why=Text("Words are still owed for {count} reasons picked at the bench.", count=row.owed),
            remedy=Text("{person} adds them at the bench; then review the record.", person=row.by),
            detail={"owed": row.owed},
        )


async def note(change: Change, *, number: int, words: str) -> tuple[str, str]:
    """Add the words to a reason; its code and act. Raises NotFound, NotPermitted for another's, Conflict when there."""
    row = await change.one(LOCK, id=number)
    if row is None:
        raise NotFound(
            what=Text("Nothing was kept."),
            why=Text("There is no reason {number}.", number=number),
            remedy=Text("Look at the list of words that you owe."),
        )
    if row.recorded_by != change.actor.account_id:
        raise NotPermitted(
            what=Text("Nothing was kept."),
            why=Text("Somebody else picked this reason."),
            remedy=Text("Whoever picked it adds the words."),
        )
    if row.note is not None:
        raise Conflict(
            what=Text("Nothing was kept."),
            why=Text("The words are there already."),
            remedy=Text("Record a correction instead."),
        )
    await change.run(NOTE, id=number, note=words, at=change.at, by=change.actor.account_id)
    return row.reason, row.act
