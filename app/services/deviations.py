"""Deviations: opened by whoever sees one, assessed by the QA manager, and closed by a signature that covers both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import colleagues, deviations, holds, items, lots
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, Conflict
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


@dataclass(frozen=True, slots=True)
class AssessedView:
    """A deviation with its assessment. A signature opened before is about an earlier `version` and closes nothing."""

    number: str
    version: int


@dataclass(frozen=True, slots=True)
class StatedView:
    """What was stated under it of a count of labels that does not come out."""

    count: int
    search: str
    mix_up_risk: str
    independent_evidence: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class CausedView:
    """A hold that stands on it."""

    hold: int
    item: str | None
    item_kind: str
    reason: str
    placed_at: datetime
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeviationPage:
    """A deviation with everything that hangs on it. `opened_by` is a printed name; `lot_code` leads to its lot."""

    deviation: DeviationView
    opened_by: str
    lot_code: str | None
    lot_kind: str | None
    holds: tuple[CausedView, ...]
    imbalances: tuple[StatedView, ...]


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


async def assess_deviation(house: House, call: Call, *, number: str, assessment: str) -> AssessedView:
    """State the assessment of an open deviation, in place of an earlier one. Raises Conflict where it is closed."""
    async with house.door.change(call, Act.ASSESS_DEVIATION, subject=number) as change:
        found = await deviations.find(change, number=number)
        version = await deviations.assess(change, deviation_id=found.id, assessment=assessment)
        if version is None:
            raise Conflict(
                what=Text("Nothing was changed."),
                why=Text("Deviation {number} is closed: its signature would not cover this.", number=number),
                remedy=Text("Open another deviation on the same item."),
            )
        return change.answers(AssessedView(number=found.number, version=version))


async def close_deviation(house: House, call: Call, *, number: str, ceremony: UUID) -> ClosedView:
    """Close a deviation. The impact on the cells is what was signed: none, acceptable or unacceptable.

    Raises CeremonyRefused, Stale when the deviation changed since it was shown, Conflict when it is closed already or
    not assessed yet.
    """
    async with house.door.change(call, Act.CLOSE_DEVIATION, subject=number) as change:
        change.ceremony = ceremony
        found = await deviations.find(change, number=number)
        signature = await deviations.close(change, deviation_id=found.id, ceremony=ceremony)
        return change.answers(ClosedView(number=found.number, signature=signature))


async def list_deviations(
    house: House,
    actor: Actor,
    *,
    state: str | None,
    lot: str | None,
    after: str | None,
    limit: int,
    severity: Severity | None = None,
    item: str | None = None,
    sought: str | None = None,
) -> list[DeviationView]:
    """Deviations, newest first. `sought` is any part of the number, of what happened, or of the lot's name."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot_id = None if lot is None else (await lots.find(reading, code=lot)).id
        item_id = None if item is None else (await items.find(reading, code=item)).id
        rows = await deviations.page(
            reading,
            state=state,
            lot_id=lot_id,
            after=after,
            limit=limit,
            severity=None if severity is None else severity.value,
            item_id=item_id,
            sought=sought,
        )
    return [_view(row) for row in rows]


async def show_deviation(house: House, actor: Actor, *, number: str) -> DeviationPage:
    """A deviation, the holds that stand on it, and what was stated under it. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await deviations.find(reading, number=number)
        row = await deviations.one(reading, number=number)
        place = await deviations.place_of(reading, number=number)
        caused = await holds.under(reading, deviation_id=found.id)
        stated = await deviations.imbalances_under(reading, deviation_id=found.id)
        names = await colleagues.printed_names(reading, usernames=[row.opened_by])
    return DeviationPage(
        deviation=_view(row),
        opened_by=names.get(row.opened_by, row.opened_by),
        lot_code=None if place is None else place.lot_code,
        lot_kind=None if place is None else place.lot_kind,
        holds=tuple(CausedView(**each._asdict()) for each in caused),
        imbalances=tuple(StatedView(**each._asdict()) for each in stated),
    )


def _view(row: Any) -> DeviationView:
    return DeviationView(**{**row._asdict(), "severity": Severity(row.severity), "rules": tuple(row.rules)})
