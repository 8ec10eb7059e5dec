"""How countries stand for animal diseases: stated with a source, never edited; what is stated later counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from app.db import animal_diseases
from app.domain.acts import Act, Actor
from app.domain.animal_serum import disease_of
from app.domain.countries import require_countries
from app.domain.errors import BadInput
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class DiseaseStatusView:
    """How a country stands for an animal disease, as somebody stated it."""

    status: int
    country: str
    disease: str
    category: str
    valid_from: date
    valid_to: date | None
    source: str
    stated_by: str
    stated_at: datetime


async def state_disease_status(
    house: House,
    call: Call,
    *,
    country: str,
    disease: str,
    category: str,
    valid_from: date,
    valid_to: date | None,
    source: str,
) -> DiseaseStatusView:
    """State how a country stands for an animal disease, from a day on. Nothing is edited: what is stated later supersedes.

    Raises BadInput for a country that there is not, or days out of order.
    """
    require_countries((country,), field="country")
    if valid_to is not None and valid_to < valid_from:
        raise BadInput(
            field="valid_to",
            what=Text("Nothing was recorded."),
            why=Text("It would end before it begins."),
            remedy=Text("Correct the days."),
        )
    async with house.door.change(call, Act.STATE_DISEASE_STATUS, subject=f"{country} {disease}") as change:
        await animal_diseases.state_status(
            change,
            country=country,
            disease=disease_of(disease),
            category=category,
            valid_from=valid_from,
            valid_to=valid_to,
            source=source,
        )
        (stated,) = await animal_diseases.statuses(change, country=country, after=None, limit=1)
        return change.answers(_status(stated))


async def list_disease_status(
    house: House, actor: Actor, *, country: str | None, after: int | None, limit: int
) -> list[DiseaseStatusView]:
    """What was stated, newest first; `country` by its two letters."""
    async with house.door.read(actor, Act.READ_MATERIAL) as reading:
        found = await animal_diseases.statuses(reading, country=country, after=after, limit=limit)
        return [_status(each) for each in found]


def _status(row: Any) -> DiseaseStatusView:
    return DiseaseStatusView(
        status=row.id,
        country=row.country,
        disease=row.disease,
        category=row.category,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        source=row.source,
        stated_by=row.stated_by,
        stated_at=row.stated_at,
    )
