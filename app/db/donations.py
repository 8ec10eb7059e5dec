"""Donations: received into quarantine, and determined by signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db.items import Item, also_known_as, new_item
from app.domain.errors import Conflict, NotFound
from app.domain.text import Text
from labels.codes import CodeKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.door import Change, Reading

INSERT = """
INSERT INTO lab.donations (id, donor_id, tissue, collected_at, received_at, din, volume_ml, recorded_by)
VALUES (:id, :donor, :tissue, :collected_at, :received_at, :din, :volume_ml, :by)
"""
DESCEND = "INSERT INTO lab.lineage (parent_id, child_id) VALUES (:parent, :child)"
HOLDER = "SELECT o.code FROM lab.item_codes k JOIN lab.item_codes o ON o.item_id = k.item_id AND o.scheme = 'own' WHERE k.code = :code"
DONATION = """
SELECT d.id, w.code, p.pseudonym AS donor, c.code AS donor_code, o.relation, d.tissue, d.collected_at, d.received_at,
    d.din, d.volume_ml, t.decision, t.reason, t.valid_until, s.signed_at, s.printed_name AS signed_by
FROM lab.item_codes k JOIN lab.donations d ON d.id = k.item_id
JOIN lab.item_codes w ON w.item_id = d.id AND w.scheme = 'own' JOIN lab.persons p ON p.id = d.donor_id
JOIN lab.donors o ON o.id = d.donor_id
JOIN lab.item_codes c ON c.item_id = d.donor_id AND c.scheme = 'own'
LEFT JOIN LATERAL (SELECT * FROM lab.determinations x WHERE x.donation_id = d.id ORDER BY x.id DESC LIMIT 1) t ON true
LEFT JOIN lab.signatures s ON s.id = t.signature_id
WHERE k.code = :code
"""
LIST = """
SELECT k.code, p.pseudonym AS donor, d.tissue, d.din, d.received_at,
    (SELECT t.decision FROM lab.determinations t WHERE t.donation_id = d.id ORDER BY t.id DESC LIMIT 1) AS decision
FROM lab.donations d JOIN lab.persons p ON p.id = d.donor_id
JOIN lab.item_codes k ON k.item_id = d.id AND k.scheme = 'own'
WHERE (CAST(:after AS text) IS NULL OR d.id < (SELECT item_id FROM lab.item_codes WHERE code = :after))
    AND (CAST(:donor AS text) IS NULL OR d.donor_id = (SELECT item_id FROM lab.item_codes WHERE code = :donor))
ORDER BY d.id DESC LIMIT :limit
"""
SIGN = "SELECT gate.sign(:ceremony, 'eligibility_determined', :id)"
SIGNED_DIGEST = "SELECT digest FROM lab.signatures WHERE id = :id"
DETERMINE = """
INSERT INTO lab.determinations (donation_id, decision, reason, valid_until, signature_id, recorded_by)
VALUES (:id, :decision, :reason, :valid_until, :signature, :by)
"""


async def insert(
    change: Change,
    *,
    donor_id: int,
    tissue: str,
    collected_at: datetime,
    received_at: datetime,
    din: str | None,
    volume_ml: Decimal | None,
) -> Item:
    """A new donation of this donor. Raises Conflict when its donation number is known already."""
    item = await new_item(change, kind="donation", code_kind=CodeKind.DONATION)
    if din is not None:
        holder: str | None = await change.value(HOLDER, code=din)
        if holder is not None:
            raise Conflict(
                what=Text("The donation was not recorded."),
                why=Text("The donation number {din} belongs to {holder} already.", din=din, holder=holder),
                remedy=Text("Scan the number on the container again; if it is the same, call quality."),
            )
        await also_known_as(change, item_id=item.id, code=din, scheme="din")
    await change.run(
        INSERT,
        id=item.id,
        donor=donor_id,
        tissue=tissue,
        collected_at=collected_at,
        received_at=received_at,
        din=din,
        volume_ml=volume_ml,
        by=change.actor.account_id,
    )
    await change.run(DESCEND, parent=donor_id, child=item.id)
    return item


async def find(reading: Reading, *, code: str) -> Row[Any]:
    """The donation of this code with its last determination. Raises NotFound."""
    row = await reading.one(DONATION, code=code)
    if row is None:
        raise NotFound(
            what=Text("There is no donation {code}.", code=code),
            why=Text("This code is not a donation's."),
            remedy=Text("Scan the label of the donation, or its donation number."),
        )
    return row


async def page(reading: Reading, *, after: str | None, limit: int, donor: str | None = None) -> Sequence[Row[Any]]:
    """Donations, newest first, after the donation of this code; of one donor, or of all."""
    return await reading.all(LIST, after=after, limit=limit, donor=donor)


async def sign(change: Change, *, donation_id: int, ceremony: UUID) -> tuple[int, str]:
    """Consume the ceremony for the donation as it stands. The signature and the digest of what was signed.

    Raises CeremonyRefused or Stale.
    """
    signature: int = await change.value(SIGN, ceremony=ceremony, id=donation_id)
    digest: str = await change.value(SIGNED_DIGEST, id=signature)
    return signature, digest


async def determine(
    change: Change, *, donation_id: int, decision: str, reason: str, valid_until: datetime | None, signature: int
) -> None:
    """Write the determination that was signed. Raises NotPermitted when another decision was signed."""
    await change.run(
        DETERMINE,
        id=donation_id,
        decision=decision,
        reason=reason,
        valid_until=valid_until,
        signature=signature,
        by=change.actor.account_id,
    )
