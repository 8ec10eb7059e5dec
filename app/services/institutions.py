"""Institutions: hospitals and sponsors, with the grade and the committees that each was shown to have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from app.db import institutions
from app.domain.acts import Act, Actor
from app.domain.countries import COUNTRIES
from app.domain.errors import BadInput
from app.domain.studies import GRADE, GRADE_NAMES
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House

SHOWN_AT_MOST = 500
NOT_RECORDED = Text("Nothing was recorded.")


@dataclass(frozen=True, slots=True)
class Stated:
    """What an institution holds, or with `held` false holds no longer, from a day on."""

    kind: str
    held: bool
    says: str
    evidence: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class StatementView:
    """One statement as it was recorded."""

    statement: int
    kind: str
    held: bool
    says: str
    evidence: str
    valid_from: date
    valid_to: date | None
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class InstitutionView:
    """An institution with everything that was stated of it, the last first."""

    institution: int
    name: str
    country: str
    registration: str | None
    statements: tuple[StatementView, ...]


@dataclass(frozen=True, slots=True)
class RegisteredView:
    """An institution that was registered."""

    institution: int
    name: str


@dataclass(frozen=True, slots=True)
class StatedView:
    """A statement that was kept."""

    statement: int
    institution: int


async def register_institution(
    house: House, call: Call, *, name: str, country: str, registration: str | None
) -> RegisteredView:
    """Register an institution. Raises Conflict when the name is taken, BadInput for a country that is none."""
    async with house.door.change(call, Act.REGISTER_INSTITUTION, subject=name) as change:
        if country not in COUNTRIES:
            raise BadInput(
                field="country",
                what=NOT_RECORDED,
                why=Text("{country} is no country by the two letters of ISO 3166-1.", country=country),
                remedy=Text("Write the country's two letters, such as CN."),
            )
        key = await institutions.insert(change, name=name, country=country, registration=registration)
        return change.answers(RegisteredView(key, name))


async def state_institution(house: House, call: Call, *, institution: int, stated: Stated) -> StatedView:
    """State what an institution holds or holds no longer. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.STATE_INSTITUTION, subject=f"institution {institution}") as change:
        await institutions.one(change, institution_id=institution)
        if stated.kind == GRADE and stated.says not in GRADE_NAMES:
            raise BadInput(
                field="says",
                what=NOT_RECORDED,
                why=Text("{grade} is no grade that is known here.", grade=stated.says),
                remedy=Text("Choose one of: {grades}.", grades=tuple(GRADE_NAMES)),
            )
        if stated.valid_to is not None and stated.valid_to < stated.valid_from:
            raise BadInput(
                field="valid_to",
                what=NOT_RECORDED,
                why=Text("It would end before it begins."),
                remedy=Text("Give an end that is after its beginning."),
            )
        key = await institutions.state(
            change,
            institution_id=institution,
            kind=stated.kind,
            held=stated.held,
            says=stated.says,
            evidence=stated.evidence,
            valid_from=stated.valid_from,
            valid_to=stated.valid_to,
        )
        return change.answers(StatedView(key, institution))


async def list_institutions(house: House, actor: Actor) -> tuple[InstitutionView, ...]:
    """Every institution by name."""
    return await _read(house, actor, None)


async def read_institution(house: House, actor: Actor, *, institution: int) -> InstitutionView:
    """One institution. Raises NotFound."""
    return (await _read(house, actor, institution))[0]


async def _read(house: House, actor: Actor, institution: int | None) -> tuple[InstitutionView, ...]:
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        if institution is None:
            rows = await institutions.page(reading, limit=SHOWN_AT_MOST)
        else:
            rows = [await institutions.one(reading, institution_id=institution)]
        said = await institutions.statements(reading, ids=[row.id for row in rows])
    own: dict[int, list[StatementView]] = {}
    for each in said:
        values = each._asdict()
        own.setdefault(values.pop("institution_id"), []).append(StatementView(**values))
    return tuple(
        InstitutionView(row.id, row.name, row.country, row.registration, tuple(own.get(row.id, ()))) for row in rows
    )
