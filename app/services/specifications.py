"""Specification versions: defined by quality, never edited."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import specifications
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.facts import LineKind
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class SpecificationLine:
    """One test. Quantitative: limits, inclusive and in `unit`; qualitative: the result that is expected."""

    test: str
    method: str
    kind: LineKind
    low: Decimal | None
    high: Decimal | None
    unit: str | None
    expected: str | None
    safety: bool
    required: bool


@dataclass(frozen=True, slots=True)
class SpecificationVersion:
    """A version of a specification."""

    name: str
    version: int
    effective_from: datetime
    lines: tuple[SpecificationLine, ...]


async def define_specification(
    house: House, call: Call, *, specification: SpecificationVersion
) -> SpecificationVersion:
    """Define a specification version.

    Raises BadInput for a line without a limit or a test named twice, Conflict when name and version are taken.
    """
    for row, line in enumerate(specification.lines):
        _require_sound(line, row=row)
    _require_once_each(specification)
    subject = f"{specification.name} {specification.version}"
    async with house.door.change(call, Act.DEFINE_SPECIFICATION, subject=subject) as change:
        await specifications.insert(
            change,
            name=specification.name,
            version=specification.version,
            effective_from=specification.effective_from,
            lines=[{**asdict(line), "kind": line.kind.value} for line in specification.lines],
        )
        return change.answers(specification)


async def list_specifications(
    house: House, actor: Actor, *, after: tuple[str, int] | None, limit: int
) -> list[SpecificationVersion]:
    """Specification versions by name and version, after this one."""
    name, version = after or (None, 0)
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await specifications.page(reading, name=name, version=version, limit=limit)
        lines = await specifications.lines_of(reading, ids=[each.id for each in found])
        return [
            SpecificationVersion(
                name=each.name,
                version=each.version,
                effective_from=each.effective_from,
                lines=tuple(SpecificationLine(**{**line, "kind": LineKind(line["kind"])}) for line in lines[each.id]),
            )
            for each in found
        ]


def _require_sound(line: SpecificationLine, *, row: int) -> None:
    limits = (line.low, line.high)
    if line.low is not None and line.high is not None and line.high < line.low:
        raise BadInput(
            field=f"lines.{row}.high",
            what=Text("Nothing was defined."),
            why=Text("{test}: its limits do not make sense.", test=line.test),
            remedy=Text("Give the lower one first."),
        )
    if line.kind is LineKind.QUALITATIVE:
        is_sound = line.expected is not None and limits == (None, None)
    else:
        is_sound = line.expected is None and limits != (None, None) and line.unit is not None
    if not is_sound:
        raise BadInput(
            field=f"lines.{row}",
            what=Text("Nothing was defined."),
            why=Text("{test}: its limits do not make sense.", test=line.test),
            remedy=Text(
                "Give a quantitative test a unit and a low or a high limit, a qualitative one its expected result."
            ),
        )


def _require_once_each(specification: SpecificationVersion) -> None:
    tests = [line.test for line in specification.lines]
    twice = sorted({test for test in tests if tests.count(test) > 1})
    if twice:
        last = max(row for row, test in enumerate(tests) if test in twice)
        raise BadInput(
            field=f"lines.{last}.test",
            what=Text("Nothing was defined."),
            why=Text("Named more than once: {tests}.", tests=tuple(twice)),
            remedy=Text("Name each test once."),
        )
