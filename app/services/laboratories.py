"""Laboratories outside: registered, accredited by papers, and whether each stands apart. Nothing is ever edited.

An accreditation that ended before its day is a record of its own; whatever was tested without it comes to light with it.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from app.db import equipment, impacts, institutions, laboratories
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.laboratories import ACCREDITATION_NAMES, BY_STATUTE
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call, Reading
    from app.services.house import House

SHOWN_AT_MOST = 500
NOT_RECORDED = Text("Nothing was recorded.")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Covered:
    """A test that an accreditation covers, by its method."""

    test: str
    method: str


@dataclass(frozen=True, slots=True)
class Accredited:
    """A paper that accredits a laboratory. Only a standing by statute has no end."""

    kind: str
    number: str
    scope: tuple[Covered, ...]
    valid_from: date
    valid_to: date | None
    file_name: str
    file_sha256: str


@dataclass(frozen=True, slots=True)
class Ended:
    """An accreditation that ended before its day. `accreditation` is its number as a record."""

    accreditation: int
    how: str
    ended_on: date
    why: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Declared:
    """Who says whether the laboratory stands apart from an institution and this facility, and on what evidence."""

    institution: str
    not_the_institution: bool
    not_the_facility: bool
    no_common_control: bool
    declared_by: str
    declared_on: date
    evidence: str


@dataclass(frozen=True, slots=True)
class LaboratoryRow:
    """A laboratory in the list; `accredited`: whether anything accredits it today."""

    laboratory: int
    name: str
    address: str
    accredited: bool
    reports: int


@dataclass(frozen=True, slots=True)
class AccreditationView:
    """A paper that accredits, as it was recorded."""

    accreditation: int
    kind: str
    number: str
    scope: tuple[Covered, ...]
    valid_from: date
    valid_to: date | None
    file_name: str
    file_sha256: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class EndView:
    """An accreditation that ended, as it was recorded."""

    ended: int
    kind: str
    number: str
    how: str
    ended_on: date
    why: str
    evidence: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class DeclarationView:
    """A declaration of independence, as it was recorded."""

    declaration: int
    institution: str
    not_the_institution: bool
    not_the_facility: bool
    no_common_control: bool
    declared_by: str
    declared_on: date
    evidence: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class LaboratoryView:
    """A laboratory with all that was recorded of it, the last first."""

    laboratory: int
    name: str
    address: str
    accredited: bool
    reports: int
    accreditations: tuple[AccreditationView, ...]
    ends: tuple[EndView, ...]
    declarations: tuple[DeclarationView, ...]


@dataclass(frozen=True, slots=True)
class LaboratoryKeptView:
    """Something that was recorded about a laboratory. `record` is its number."""

    laboratory: int
    record: int


async def register_laboratory(house: House, call: Call, *, name: str, address: str) -> LaboratoryKeptView:
    """Register a laboratory. Raises Conflict when the name is taken."""
    async with house.door.change(call, Act.REGISTER_LABORATORY, subject=name) as change:
        key = await laboratories.insert(change, name=name, address=address)
        return change.answers(LaboratoryKeptView(key, key))


async def accredit(house: House, call: Call, *, laboratory: int, accredited: Accredited) -> LaboratoryKeptView:
    """Record a paper that accredits the laboratory. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.STATE_LABORATORY, subject=f"laboratory {laboratory}") as change:
        await laboratories.one(change, laboratory_id=laboratory, day=await equipment.today(change))
        _require_whole(accredited)
        key = await laboratories.accredit(change, laboratory_id=laboratory, values=asdict(accredited))
        return change.answers(LaboratoryKeptView(laboratory, key))


async def end_accreditation(house: House, call: Call, *, laboratory: int, ended: Ended) -> LaboratoryKeptView:
    """Record that an accreditation ended; lots tested without it are held and judged in the same act.

    Raises NotFound, BadInput.
    """
    async with house.door.change(call, Act.STATE_LABORATORY, subject=f"laboratory {laboratory}") as change:
        await laboratories.one(change, laboratory_id=laboratory, day=await equipment.today(change))
        began = await laboratories.began_on(change, laboratory_id=laboratory, accreditation=ended.accreditation)
        if began is None:
            raise BadInput(
                field="accreditation",
                what=NOT_RECORDED,
                why=Text("The laboratory has no accreditation of this number."),
                remedy=Text("Choose one of the laboratory's page."),
            )
        if ended.ended_on < began:
            raise BadInput(
                field="ended_on",
                what=NOT_RECORDED,
                why=Text("It would end before it begins."),
                remedy=Text("Give an end that is after its beginning."),
            )
        await _require_happened(change, ended.ended_on, field="ended_on")
        values = asdict(ended)
        values["accreditation_id"] = values.pop("accreditation")
        key = await laboratories.end(change, laboratory_id=laboratory, values=values)
        await impacts.judge_what_came_to_light(change)
        return change.answers(LaboratoryKeptView(laboratory, key))


async def declare_independence(house: House, call: Call, *, laboratory: int, declared: Declared) -> LaboratoryKeptView:
    """Record what somebody declares of its independence. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.STATE_LABORATORY, subject=f"laboratory {laboratory}") as change:
        await laboratories.one(change, laboratory_id=laboratory, day=await equipment.today(change))
        await _require_happened(change, declared.declared_on, field="declared_on")
        values = asdict(declared)
        institution = await institutions.id_of(change, name=values.pop("institution"))
        if institution is None:
            raise BadInput(
                field="institution",
                what=NOT_RECORDED,
                why=Text("No institution called {name} is registered.", name=declared.institution),
                remedy=Text("Register the institution first, or choose one of the list."),
            )
        values["institution_id"] = institution
        key = await laboratories.declare(change, laboratory_id=laboratory, values=values)
        return change.answers(LaboratoryKeptView(laboratory, key))


async def list_laboratories(house: House, actor: Actor) -> tuple[LaboratoryRow, ...]:
    """Every laboratory by name."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        rows = await laboratories.page(reading, day=await equipment.today(reading), limit=SHOWN_AT_MOST)
    return tuple(LaboratoryRow(row.id, row.name, row.address, bool(row.accredited), row.reports) for row in rows)


async def read_laboratory(house: House, actor: Actor, *, laboratory: int) -> LaboratoryView:
    """One laboratory with all that was recorded of it. Raises NotFound."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        day = await equipment.today(reading)
        row = await laboratories.one(reading, laboratory_id=laboratory, day=day)
        papers = await laboratories.accreditations(reading, laboratory_id=laboratory)
        ended = await laboratories.ends(reading, laboratory_id=laboratory)
        declared = await laboratories.declarations(reading, laboratory_id=laboratory)
    return LaboratoryView(
        laboratory=row.id,
        name=row.name,
        address=row.address,
        accredited=bool(row.accredited),
        reports=row.reports,
        accreditations=tuple(
            AccreditationView(**{**each._asdict(), "scope": tuple(Covered(**one) for one in each.scope)})
            for each in papers
        ),
        ends=tuple(EndView(**each._asdict()) for each in ended),
        declarations=tuple(DeclarationView(**each._asdict()) for each in declared),
    )


# -- within ------------------------------------------------------------------------------------------------------------


def _require_whole(accredited: Accredited) -> None:
    tests = [(each.test, each.method) for each in accredited.scope]
    if not tests or len(set(tests)) != len(tests):
        raise BadInput(
            field="scope",
            what=NOT_RECORDED,
            why=Text("Its scope names no test, or one by the same method twice."),
            remedy=Text("Write each test with its method once, as the paper has it."),
        )
    if accredited.valid_to is None and accredited.kind != BY_STATUTE:
        raise BadInput(
            field="valid_to",
            what=NOT_RECORDED,
            why=Text("This kind of accreditation has an end: {kind}.", kind=ACCREDITATION_NAMES[accredited.kind]),
            remedy=Text("Write until which day the paper says that it is valid."),
        )
    if accredited.valid_to is not None and accredited.valid_to < accredited.valid_from:
        raise BadInput(
            field="valid_to",
            what=NOT_RECORDED,
            why=Text("It would end before it begins."),
            remedy=Text("Give an end that is after its beginning."),
        )
    if not SHA256.fullmatch(accredited.file_sha256):
        raise BadInput(
            field="file_sha256",
            what=NOT_RECORDED,
            why=Text("This is no SHA-256: 64 digits of 0 to 9 and a to f."),
            remedy=Text("Compute it from the very file."),
        )


async def _require_happened(reading: Reading, day: date, *, field: str) -> None:
    if day > await equipment.today(reading):
        raise BadInput(
            field=field,
            what=NOT_RECORDED,
            why=Text("{day} is yet to come.", day=day),
            remedy=Text("Record it when it has been done."),
        )
