"""Papers from before the guideline: filed about a donor or a lot, accepted for named rules by another person's signature."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

NUMBER = """
SELECT 'LD-' || to_char(clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment), 'YY')
    || '-' || lab.counted(nextval('lab.legacy_numbers'))
"""
PROPOSE = """
INSERT INTO lab.legacy_dossiers (number, about, item_id, papers, rules, reasons, valid_from, valid_to, proposed_by)
VALUES (:number, :about, :item_id, CAST(:papers AS jsonb), CAST(:rules AS text[]), :reasons, :valid_from, :valid_to, :by)
RETURNING id
"""
COLUMNS = """
SELECT d.id AS dossier, d.number, d.about, k.code AS item, coalesce(p.pseudonym, l.name) AS subject, d.papers, d.rules,
    d.reasons, d.valid_from, d.valid_to, a.username AS proposed_by, d.recorded_at AS proposed_at,
    s.printed_name AS accepted_by, s.signed_at AS accepted_at, wa.printed_name AS withdrawn_by, w.recorded_at AS withdrawn_at,
    w.reasons AS withdrawn_why,
    CASE WHEN w.id IS NOT NULL THEN 'withdrawn' WHEN d.signature_id IS NULL THEN 'proposed' WHEN d.valid_to <= clock_timestamp() THEN 'expired'
         WHEN d.valid_from > clock_timestamp() THEN 'accepted' ELSE 'in_force' END AS state
FROM lab.legacy_dossiers d JOIN people.accounts a ON a.id = d.proposed_by LEFT JOIN lab.signatures s ON s.id = d.signature_id
JOIN lab.item_codes k ON k.item_id = d.item_id AND k.scheme = 'own'
LEFT JOIN lab.persons p ON p.id = d.item_id LEFT JOIN lab.lots l ON l.id = d.item_id
LEFT JOIN lab.legacy_withdrawals w ON w.dossier_id = d.id LEFT JOIN people.accounts wa ON wa.id = w.recorded_by
"""
LIST = f"""
{COLUMNS}
WHERE (CAST(:item_id AS bigint) IS NULL OR d.item_id = :item_id) AND (CAST(:after AS bigint) IS NULL OR d.id < :after)
ORDER BY d.id DESC LIMIT :limit
"""
ONE = f"{COLUMNS} WHERE d.number = :number"
NUMBER_OF = "SELECT number FROM lab.legacy_dossiers WHERE id = :id"
# When the work was done that old papers may show: the first donation of a donor, or the first step of a lot.
DONE = """
SELECT CASE WHEN i.kind = 'person' THEN (SELECT min(d.collected_at) FROM lab.donations d WHERE d.donor_id = i.id)
            ELSE (SELECT min(s.started_at) FROM lab.steps s WHERE s.lot_id = i.id) END AS done_at,
    (clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment))::date AS today
FROM lab.items i WHERE i.id = :item_id
"""
IS_DONOR = "SELECT count(*) > 0 FROM lab.donors WHERE id = :item_id"
WITHDRAW = """
INSERT INTO lab.legacy_withdrawals (dossier_id, item_id, reasons, recorded_by)
SELECT d.id, d.item_id, :reasons, :by FROM lab.legacy_dossiers d WHERE d.id = :id
"""
ACCEPT = "SELECT gate.accept_legacy(:id, :ceremony)"


async def new_number(change: Change) -> str:
    """The next number for people, such as LD-26-0004."""
    number: str = await change.value(NUMBER)
    return number


async def propose(
    change: Change,
    *,
    number: str,
    about: str,
    item_id: int,
    papers: Sequence[Mapping[str, Any]],
    rules: Sequence[str],
    reasons: str,
    valid_from: datetime,
    valid_to: datetime,
) -> int:
    """Papers that wait for the quality authority. Their key."""
    key: int = await change.value(
        PROPOSE,
        number=number,
        about=about,
        item_id=item_id,
        papers=json.dumps(list(papers), ensure_ascii=False),
        rules=list(rules),
        reasons=reasons,
        valid_from=valid_from,
        valid_to=valid_to,
        by=change.actor.account_id,
    )
    return key


async def page(reading: Reading, *, item_id: int | None, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Dossiers, the last proposed first; about one donor or lot, or about all."""
    return await reading.all(LIST, item_id=item_id, after=after, limit=limit)


async def one(reading: Reading, *, number: str) -> Row[Any]:
    """One dossier. Raises NotFound."""
    row = await reading.one(ONE, number=number)
    if row is None:
        raise _nothing(number)
    return row


async def number_of(reading: Reading, *, dossier_id: int) -> str:
    """The number of a dossier. Raises NotFound."""
    number: str | None = await reading.value(NUMBER_OF, id=dossier_id)
    if number is None:
        raise _nothing(str(dossier_id))
    return number


async def done(reading: Reading, *, item_id: int) -> Row[Any]:
    """`done_at`: when what the papers are about was first done, None where nothing is recorded; and `today` here."""
    row = await reading.one(DONE, item_id=item_id)
    if row is None:
        raise RuntimeError("an item was found and is gone")
    return row


async def is_donor(reading: Reading, *, item_id: int) -> bool:
    """Whether a person is a donor."""
    found: bool = await reading.value(IS_DONOR, item_id=item_id)
    return found


async def accept(change: Change, *, dossier_id: int, ceremony: UUID) -> int:
    """Accept it. The signature's number. Raises CeremonyRefused, also for whoever proposed it; Conflict."""
    signature: int = await change.value(ACCEPT, id=dossier_id, ceremony=ceremony)
    return signature


async def withdraw(change: Change, *, dossier_id: int, reasons: str) -> None:
    """Withdraw it. Raises Conflict when it is withdrawn already."""
    await change.run(WITHDRAW, id=dossier_id, reasons=reasons, by=change.actor.account_id)


def _nothing(ref: str) -> NotFound:
    return NotFound(
        what=Text("There is no legacy dossier {ref}.", ref=ref),
        why=Text("No papers of this number were filed."),
        remedy=Text("Choose one of the list of legacy dossiers."),
    )
