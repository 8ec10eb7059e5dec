"""Donations after they came: where each is kept, and how birth tissue is known to be the infant's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import donation_care, donations, items
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.moments import require_order, require_past
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call, Reading
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class StoredView:
    """Where a donation was put."""

    place: str
    name: str
    kind: str
    biohazard_labelled: bool
    stored_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class BirthTestView:
    """The infant's genotype by locus, or how much of the cells is the mother's, in percent."""

    kind: str
    method: str
    laboratory: str
    sampled_at: datetime
    reported_at: datetime
    profile: Mapping[str, tuple[str, ...]] | None
    maternal_percent: Decimal | None
    recorded_by: str


@dataclass(frozen=True, slots=True)
class TissueFound:
    """What the donation's tissue was last decided to be."""

    name: str
    name_zh: str
    version: int
    leukocyte_rich: bool
    birth_tissue: bool


@dataclass(frozen=True, slots=True)
class DonationCareView:
    """What a donation's page shows beside the donation. `tissue` is None where nobody has decided about it."""

    donation: str
    tissue: TissueFound | None
    storage: tuple[StoredView, ...]
    birth_tests: tuple[BirthTestView, ...]


async def store_donation(
    house: House, call: Call, *, code: str, place: str, biohazard_labelled: bool, stored_at: datetime
) -> DonationCareView:
    """Record where a donation was put. Raises NotFound for an unknown place, BadInput for a moment to come."""
    async with house.door.change(call, Act.STORE_DONATION, subject=code) as change:
        require_past(stored_at, now=change.at, field="stored_at")
        found = await donations.find(change, code=code)
        require_order(earlier=found.collected_at, later=stored_at, field="stored_at")
        where = await items.find(change, code=place, kind="equipment")
        await donation_care.store(
            change, donation=found.id, place=where.id, biohazard_labelled=biohazard_labelled, stored_at=stored_at
        )
        return change.answers(await _view(change, code=code))


async def record_birth_test(
    house: House,
    call: Call,
    *,
    code: str,
    method: str,
    laboratory: str,
    sampled_at: datetime,
    reported_at: datetime,
    profile: Mapping[str, Sequence[str]] | None,
    maternal_percent: Decimal | None,
) -> DonationCareView:
    """Record a test of birth tissue: a genotype, or the mother's part. Raises BadInput when it is neither or both."""
    async with house.door.change(call, Act.RECORD_BIRTH_TEST, subject=code) as change:
        require_past(sampled_at, now=change.at, field="sampled_at")
        require_past(reported_at, now=change.at, field="reported_at")
        require_order(earlier=sampled_at, later=reported_at, field="reported_at")
        if (profile is None) == (maternal_percent is None):
            raise BadInput(
                field="profile",
                what=Text("Nothing was recorded."),
                why=Text("A test gives a genotype or the mother's part, one of the two."),
                remedy=Text("Record each test on its own."),
                rule="DON-09",
            )
        found = await donations.find(change, code=code)
        await donation_care.test(
            change,
            donation=found.id,
            kind="infant_genotype" if profile is not None else "maternal_contamination",
            method=method,
            laboratory=laboratory,
            sampled_at=sampled_at,
            reported_at=reported_at,
            profile=profile,
            maternal_percent=maternal_percent,
        )
        return change.answers(await _view(change, code=code))


async def read_care(house: House, actor: Actor, *, code: str) -> DonationCareView:
    """What a donation's page shows beside the donation. Raises NotFound."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        return await _view(reading, code=code)


async def _view(reading: Reading, *, code: str) -> DonationCareView:
    found = await donations.find(reading, code=code)
    tissue = await donation_care.decision(reading, tissue=found.tissue)
    return DonationCareView(
        donation=found.code,
        tissue=None if tissue is None else TissueFound(**tissue._asdict()),
        storage=tuple(StoredView(**row._asdict()) for row in await donation_care.kept(reading, donation=found.id)),
        birth_tests=tuple(
            BirthTestView(
                **{
                    **row._asdict(),
                    "profile": row.profile and {name: tuple(each) for name, each in row.profile.items()},
                }
            )
            for row in await donation_care.tested(reading, donation=found.id)
        ),
    )
