"""Deviations: opened by whoever sees one, assessed and closed by the QA manager's signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import deviations, items, lots
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.facts import Severity
from app.domain.text import Text
from app.rules import BY_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class OpenedView:
    """A deviation that was just opened."""

    number: str
    item: str
    severity: Severity
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClosedView:
    """A deviation closed by signature."""

    number: str
    signature: int


@dataclass(frozen=True, slots=True)
class DeviationView:
    """A deviation as it stands. `lot` is the name of the lot that its item belongs to."""

    number: str
    item: str | None
    item_kind: str
    lot: str | None
    what: str
    severity: Severity
    impact: str | None
    assessment: str | None
    rules: tuple[str, ...]
    state: str
    version: int
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str | None


async def open_deviation(
    house: House, call: Call, *, item: str, what: str, severity: Severity, rules: Sequence[str]
) -> OpenedView:
    """Open a deviation on anything that carries a label. Raises BadInput for a rule that the book does not hold."""
    async with house.door.change(call, Act.OPEN_DEVIATION, subject=item) as change:
        found = await items.find(change, code=item)
        strange = tuple(each for each in rules if each not in BY_ID)
        if strange:
            raise BadInput(
                field="rules",
                what=Text("The deviation was not opened."),
                why=Text("The rule book has no rule {rules}.", rules=strange),
                remedy=Text("Leave the rules out if you do not know them; quality names them later."),
            )
        _, number = await deviations.open_one(change, item_id=found.id, what=what, severity=severity.value, rules=rules)
        return change.answers(OpenedView(number=number, item=found.code, severity=severity, rules=tuple(rules)))


async def close_deviation(house: House, call: Call, *, number: str, assessment: str, ceremony: UUID) -> ClosedView:
    """Close a deviation. The impact on the cells is what was signed: none, acceptable or unacceptable.

    Raises CeremonyRefused, Stale when the deviation changed since it was shown, Conflict when it is closed already.
    """
    async with house.door.change(call, Act.CLOSE_DEVIATION, subject=number) as change:
        change.ceremony = ceremony
        found = await deviations.find(change, number=number)
        signature = await deviations.close(change, deviation_id=found.id, ceremony=ceremony, assessment=assessment)
        return change.answers(ClosedView(number=found.number, signature=signature))


async def list_deviations(
    house: House, actor: Actor, *, state: str | None, lot: str | None, after: str | None, limit: int
) -> list[DeviationView]:
    """Deviations, newest first."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot_id = None if lot is None else (await lots.find(reading, code=lot)).id
        rows = await deviations.page(reading, state=state, lot_id=lot_id, after=after, limit=limit)
    return [
        DeviationView(**{**row._asdict(), "severity": Severity(row.severity), "rules": tuple(row.rules)})
        for row in rows
    ]
