"""What is recorded of a donation after it came: where it is kept, and the tests of birth tissue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy import Row

    from app.db.door import Change, Reading

STORE = """
INSERT INTO lab.donation_storage (donation_id, place_id, biohazard_labelled, stored_at, recorded_by)
VALUES (:donation, :place, :biohazard_labelled, :stored_at, :by)
"""
KEPT = """
SELECT k.code AS place, e.name, e.kind, s.biohazard_labelled, s.stored_at, a.username AS recorded_by
FROM lab.donation_storage s JOIN lab.equipment e ON e.id = s.place_id JOIN people.accounts a ON a.id = s.recorded_by
JOIN lab.item_codes k ON k.item_id = s.place_id AND k.scheme = 'own' WHERE s.donation_id = :donation ORDER BY s.id DESC
"""
TEST = """
INSERT INTO lab.birth_tests (donation_id, kind, method, laboratory, sampled_at, reported_at, profile, maternal_percent, recorded_by)
VALUES (:donation, :kind, :method, :laboratory, :sampled_at, :reported_at, CAST(:profile AS jsonb), :maternal_percent, :by)
"""
TESTED = """
SELECT b.kind, b.method, b.laboratory, b.sampled_at, b.reported_at, b.profile, b.maternal_percent, a.username AS recorded_by
FROM lab.birth_tests b JOIN people.accounts a ON a.id = b.recorded_by WHERE b.donation_id = :donation ORDER BY b.id DESC
"""
DECISION = """
SELECT t.name, t.name_zh, t.version, t.leukocyte_rich, t.birth_tissue FROM lab.tissue_types t
WHERE t.signature_id IS NOT NULL AND lower(btrim(:tissue)) IN (lower(t.name), lower(t.name_zh)) ORDER BY t.id DESC LIMIT 1
"""


async def store(change: Change, *, donation: int, place: int, biohazard_labelled: bool, stored_at: datetime) -> None:
    """It was put there."""
    await change.run(
        STORE,
        donation=donation,
        place=place,
        biohazard_labelled=biohazard_labelled,
        stored_at=stored_at,
        by=change.actor.account_id,
    )


async def kept(reading: Reading, *, donation: int) -> Sequence[Row[Any]]:
    """Where it was put, the last recorded first."""
    return await reading.all(KEPT, donation=donation)


async def test(
    change: Change,
    *,
    donation: int,
    kind: str,
    method: str,
    laboratory: str,
    sampled_at: datetime,
    reported_at: datetime,
    profile: Mapping[str, Sequence[str]] | None,
    maternal_percent: Decimal | None,
) -> None:
    """A test of birth tissue."""
    await change.run(
        TEST,
        donation=donation,
        kind=kind,
        method=method,
        laboratory=laboratory,
        sampled_at=sampled_at,
        reported_at=reported_at,
        profile=None if profile is None else json.dumps({name: list(each) for name, each in profile.items()}),
        maternal_percent=maternal_percent,
        by=change.actor.account_id,
    )


async def tested(reading: Reading, *, donation: int) -> Sequence[Row[Any]]:
    """The tests of birth tissue, the last recorded first."""
    return await reading.all(TESTED, donation=donation)


async def decision(reading: Reading, *, tissue: str) -> Row[Any] | None:
    """What a tissue of this name was last decided to be; None where nobody has."""
    return await reading.one(DECISION, tissue=tissue)
