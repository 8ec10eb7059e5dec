"""Results of QC: recorded by an analyst, reviewed by another, set aside only under an investigation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import impacts, items, partner_lots, results, samples
from app.domain.acts import Act
from app.domain.errors import BadInput, Conflict
from app.domain.facts import Decision, LineKind
from app.domain.measured import require_measurable
from app.domain.moments import require_past
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call, Reading
    from app.services.house import House

_DIGITS = 30
"""No instrument reports a number of more places than this, before or behind the point."""


@dataclass(frozen=True, slots=True)
class ResultView:
    """A result as it was kept. `result` is the number by which it is reviewed."""

    result: int
    lot: str
    sample: str
    test: str
    value: str
    unit: str | None
    measured_at: datetime


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value to be recorded, against the test of the lot's specification version that it answers."""

    test: str
    value: Decimal | str
    unit: str | None
    method_version: str
    instrument: str | None


@dataclass(frozen=True, slots=True)
class ResultsView:
    """Results of one sample that were kept together."""

    lot: str
    sample: str
    results: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review of a result, signed."""

    result: int
    lot: str
    test: str
    decision: Decision
    signature: int


@dataclass(frozen=True, slots=True)
class ReviewsView:
    """Results of a lot reviewed together, under one signature."""

    lot: str
    results: tuple[int, ...]
    decision: Decision
    signature: int


@dataclass(frozen=True, slots=True)
class InvalidationView:
    """A result set aside, and the investigation that did so."""

    result: int
    lot: str
    test: str
    deviation: str


async def record_result(
    house: House,
    call: Call,
    *,
    sample: str,
    test: str,
    value: Decimal | str,
    unit: str | None,
    method_version: str,
    instrument: str | None,
    measured_at: datetime,
    paper: str | None = None,
) -> ResultView:
    """Record what was measured, good or bad, against the line of the lot's specification version.

    `paper` is the reference of the partner's paper from which it was read. Raises BadInput for a test that the
    specification does not name, a value of the wrong sort, or a paper that is not on record about this lot.
    """
    async with house.door.change(call, Act.RECORD_RESULT, subject=sample) as change:
        taken = await samples.find(change, code=sample)
        require_past(measured_at, now=change.at, field="measured_at")
        line = await results.line_for(change, specification_id=taken.specification_id, test=test)
        measured = _of_the_line(line, value, unit=unit, field="value")
        result_id = await results.keep(
            change,
            lot_id=taken.lot_id,
            sample_id=taken.id,
            line_id=line.id,
            value=measured,
            unit=unit,
            method_version=method_version,
            instrument=instrument,
            measured_at=measured_at,
            paper_id=await _paper(change, lot_id=taken.lot_id, reference=paper),
        )
        await impacts.judge_what_came_to_light(change)
        return change.answers(
            ResultView(
                result=result_id,
                lot=taken.lot,
                sample=taken.code,
                test=line.test,
                value=str(measured),
                unit=unit,
                measured_at=measured_at,
            )
        )


async def record_results(
    house: House,
    call: Call,
    *,
    sample: str,
    measured: Sequence[Measurement],
    measured_at: datetime,
    paper: str | None = None,
) -> ResultsView:
    """Record what was measured on one sample at one time, good or bad: all of it or nothing.

    `paper` is the reference of the partner's paper from which all of it was read. Raises BadInput as `record_result` does.
    """
    async with house.door.change(call, Act.RECORD_RESULT, subject=sample) as change:
        taken = await samples.find(change, code=sample)
        require_past(measured_at, now=change.at, field="measured_at")
        paper_id = await _paper(change, lot_id=taken.lot_id, reference=paper)
        kept: list[int] = []
        for row, each in enumerate(measured):
            line = await results.line_for(change, specification_id=taken.specification_id, test=each.test)
            kept.append(
                await results.keep(
                    change,
                    lot_id=taken.lot_id,
                    sample_id=taken.id,
                    line_id=line.id,
                    value=_of_the_line(line, each.value, unit=each.unit, field=f"measured.{row}.value"),
                    unit=each.unit,
                    method_version=each.method_version,
                    instrument=each.instrument,
                    measured_at=measured_at,
                    paper_id=paper_id,
                )
            )
        await impacts.judge_what_came_to_light(change)
        return change.answers(ResultsView(lot=taken.lot, sample=taken.code, results=tuple(kept)))


async def review_result(
    house: House, call: Call, *, result: int, decision: Decision, remarks: str, ceremony: UUID
) -> ReviewView:
    """Accept a result or return it, signed. Raises CeremonyRefused, also for whoever measured it."""
    async with house.door.change(call, Act.REVIEW_RESULT, subject=f"result {result}") as change:
        change.ceremony = ceremony
        found = await results.find(change, result_id=result)
        signature = await results.review(
            change, result_id=result, decision=decision.value, remarks=remarks, ceremony=ceremony
        )
        await impacts.judge_what_came_to_light(change)
        return change.answers(
            ReviewView(result=result, lot=found.lot, test=found.test, decision=decision, signature=signature)
        )


async def review_results(
    house: House, call: Call, *, lot: str, decision: Decision, remarks: str, ceremony: UUID
) -> ReviewsView:
    """Accept or return all results of a lot that wait for review, by one signature over exactly these.

    Raises Stale when another arrived since they were shown, CeremonyRefused where one is the reviewer's own.
    """
    async with house.door.change(call, Act.REVIEW_RESULT, subject=lot) as change:
        change.ceremony = ceremony
        found = await items.find(change, code=lot, kind="lot")
        await results.lock_family(change, lot_id=found.id)
        await samples.lock_lot(change, lot_id=found.id)
        waiting = await results.waiting(change, lot_id=found.id)
        signature = await results.review_all(
            change, lot_id=found.id, waiting=waiting, decision=decision.value, remarks=remarks, ceremony=ceremony
        )
        await impacts.judge_what_came_to_light(change)
        return change.answers(
            ReviewsView(lot=found.code, results=tuple(waiting), decision=decision, signature=signature)
        )


async def invalidate_result(house: House, call: Call, *, result: int, deviation: str, reason: str) -> InvalidationView:
    """Set a result aside. The investigation that showed the test to be wrong must be of this lot and closed.

    Raises Conflict where it is not.
    """
    async with house.door.change(call, Act.INVALIDATE_RESULT, subject=f"result {result}", reason=reason) as change:
        found = await results.find(change, result_id=result)
        await samples.lock_lot(change, lot_id=found.lot_id)
        investigation = await results.investigation(change, number=deviation, lot_id=found.lot_id)
        if investigation is None or not investigation.of_this_lot or investigation.state != "closed":
            raise _not_investigated(deviation, investigation)
        await results.invalidate(change, result_id=result, deviation_id=investigation.id, reason=reason)
        return change.answers(InvalidationView(result=result, lot=found.lot, test=found.test, deviation=deviation))


async def _paper(reading: Reading, *, lot_id: int, reference: str | None) -> int | None:
    if reference is None:
        return None
    found = await partner_lots.paper_of(reading, lot=lot_id, reference=reference)
    if found is None:
        raise BadInput(
            field="paper",
            what=Text("The result was not recorded."),
            why=Text("No paper {reference} of a partner is on record about this lot.", reference=reference),
            remedy=Text("Record the partner's paper first, with its file."),
        )
    return found


def _of_the_line(line: results.Line, value: Decimal | str, *, unit: str | None, field: str) -> Decimal | str:
    if line.kind is LineKind.QUALITATIVE and isinstance(value, str):
        return value
    number = _number(value) if line.kind is LineKind.QUANTITATIVE else None
    if number is not None:
        require_measurable(number, test=line.test, unit=unit or line.unit, field=field)
        return number
    raise BadInput(
        field=field,
        what=Text("The result was not recorded."),
        why=Text("{test} is answered by a number.", test=line.test)
        if line.kind is LineKind.QUANTITATIVE
        else Text("{test} is answered in words.", test=line.test),
        remedy=Text("Enter the value as the specification asks for it."),
    )


def _number(value: Decimal | str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and -_DIGITS <= number.adjusted() <= _DIGITS else None


def _not_investigated(number: str, investigation: results.Investigation | None) -> Conflict:
    if investigation is None:
        why = Text("There is no deviation {number}.", number=number)
    elif not investigation.of_this_lot:
        why = Text("Deviation {number} does not concern this lot.", number=number)
    else:
        why = Text("Deviation {number} is still open.", number=number)
    return Conflict(
        what=Text("The result stands."),
        why=why,
        remedy=Text(
            "A result stands until an investigation of this lot has shown that the test, not the lot, was wrong."
        ),
        rule="REL-02",
        detail={"deviation": number},
    )
