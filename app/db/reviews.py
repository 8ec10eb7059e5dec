"""The QA review of a whole batch record, signed on the very bytes that were reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from app.db.door import Change

SIGN = "SELECT gate.sign(:ceremony, 'batch_reviewed', :lot_id)"
KEEP = """
INSERT INTO lab.batch_reviews (lot_id, decision, package_digest, remarks, signature_id, recorded_by)
SELECT :lot_id, :decision, audit.sha256_hex(package.bytes), :remarks, :signature_id, :by
FROM dossier.record('batch', :lot_id) AS package RETURNING package_digest
"""


async def review(change: Change, *, lot_id: int, decision: str, remarks: str, ceremony: UUID) -> tuple[int, str]:
    """Sign the batch record as it stands. The signature's number and the digest of what was reviewed.

    Raises CeremonyRefused, Stale when the record changed since it was shown.
    """
    signature: int = await change.value(SIGN, ceremony=ceremony, lot_id=lot_id)
    digest: str = await change.value(
        KEEP,
        lot_id=lot_id,
        decision=decision,
        remarks=remarks,
        signature_id=signature,
        by=change.actor.account_id,
    )
    return signature, digest
