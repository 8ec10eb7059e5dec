"""QC's work: which samples wait for which tests, what was found, and what waits for a reviewer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.db import deviations, items, lots, qc, samples
from app.db.qc import Found
from app.domain import testing
from app.domain.acts import Act
from app.domain.facts import LineKind
from app.domain.lots import LotState
from app.domain.scans import KIND_NAMES
from app.domain.testing import Fit
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Reading
    from app.domain.acts import Actor
    from app.services.house import House

RESULTS_SHOWN = 400
LOTS_SHOWN = 50
DEVIATIONS_SHOWN = 200


class Which(StrEnum):
    """Which samples a list shows."""

    WAITING = "waiting"
    MINE = "mine"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class SampleLine:
    """A sample in a list. `missing` tests of its lot have no result that stands."""

    number: int
    code: str
    purpose: str
    taken_at: datetime
    taken_by: str
    lot: str
    name: str
    state: LotState
    missing: int


@dataclass(frozen=True, slots=True)
class ToReview:
    """A lot with results that nobody has reviewed; `own` of them were measured by whoever asks."""

    lot: str
    name: str
    results: int
    own: int
    since: datetime


@dataclass(frozen=True, slots=True)
class QcView:
    """The page of QC."""

    samples: tuple[SampleLine, ...]
    to_review: tuple[ToReview, ...]


@dataclass(frozen=True, slots=True)
class LineView:
    """A test that the lot's specification asks for; `limits` in words, with their unit."""

    line: int
    test: str
    method: str
    kind: LineKind
    limits: Text
    low: Decimal | None
    high: Decimal | None
    unit: str | None
    expected: str | None
    required: bool
    missing: bool
    version_last: str | None = None
    instrument_last: str | None = None


@dataclass(frozen=True, slots=True)
class TestsView:
    """A lot's tests: what its specification asks, what was found, newest first."""

    lot: str
    name: str
    state: LotState
    donor: str | None
    specification: str | None
    specification_version: int | None
    lines: tuple[LineView, ...]
    found: tuple[Found, ...]

    @property
    def missing(self) -> tuple[LineView, ...]:
        """The tests without a result that stands."""
        return tuple(each for each in self.lines if each.missing)

    @property
    def waiting(self) -> tuple[Found, ...]:
        """What waits for a review."""
        return tuple(each for each in self.found if each.review is None and not each.invalidated)

    @property
    def outside(self) -> tuple[Found, ...]:
        """What stands and does not lie within its limits."""
        return tuple(each for each in self.found if not each.invalidated and each.fit is not Fit.WITHIN)


@dataclass(frozen=True, slots=True)
class SampleView:
    """A sample with its lot's tests."""

    code: str
    source: str
    purpose: str
    taken_at: datetime
    tests: TestsView


@dataclass(frozen=True, slots=True)
class InvestigationsView:
    """One result, and the closed investigations of its lot under which it may be set aside."""

    tests: TestsView
    result: Found | None
    closed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan on QC's page names: a sample, or something that a sample may be taken of."""

    code: str
    kind: str
    lot: str | None


async def read_qc(house: House, actor: Actor, *, which: Which, after: int | None, limit: int) -> QcView:
    """Samples newest first, before the one of this number; and the lots whose results wait for a review."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await qc.samples(reading, which=which.value, account=actor.account_id, after=after, limit=limit)
        waiting = await qc.to_review(reading, account=actor.account_id, limit=LOTS_SHOWN)
    return QcView(
        samples=tuple(
            SampleLine(
                row.id,
                row.code,
                row.purpose,
                row.taken_at,
                row.taken_by,
                row.lot,
                row.name,
                LotState(row.state),
                row.missing,
            )
            for row in found
        ),
        to_review=tuple(ToReview(row.code, row.name, row.results, row.own, row.since) for row in waiting),
    )


async def read_sample(house: House, actor: Actor, *, code: str) -> SampleView:
    """A sample, what is still to be measured, and what was found. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        sample = await samples.find(reading, code=code)
        source = await qc.source(reading, sample_id=sample.id)
        tests = await _tests(reading, sample.lot)
        last = await qc.last_used(reading, lines=[each.line for each in tests.missing])
    tests = replace(tests, lines=tuple(_as_last(each, *last.get(each.line, (None, None))) for each in tests.lines))
    return SampleView(code=sample.code, source=source, purpose=sample.purpose, taken_at=sample.taken_at, tests=tests)


async def read_tests(house: House, actor: Actor, *, lot: str) -> TestsView:
    """A lot's tests and their results. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return await _tests(reading, lot)


async def read_investigations(house: House, actor: Actor, *, lot: str, result: int) -> InvestigationsView:
    """One result of the lot, and what it may be set aside under. Raises NotFound for the lot."""
    async with house.door.read(actor, Act.INVALIDATE_RESULT) as reading:
        tests = await _tests(reading, lot)
        found = await lots.find(reading, code=lot)
        closed = await deviations.page(reading, state="closed", lot_id=found.id, after=None, limit=DEVIATIONS_SHOWN)
    return InvestigationsView(
        tests=tests,
        result=next((each for each in tests.found if each.number == result), None),
        closed=tuple((row.number, row.what) for row in closed),
    )


async def scanned(house: House, actor: Actor, *, code: str) -> Scanned:
    """What this code is to QC. Raises NotFound."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        item = await items.find(reading, code=code)
        told = await items.describe(reading, item_id=item.id)
    kind = item.kind if item.kind in KIND_NAMES else ""
    return Scanned(code=item.code, kind=kind, lot=told.item.lot)


def _as_last(line: LineView, version: str | None, instrument: str | None) -> LineView:
    return replace(line, version_last=version, instrument_last=instrument)


async def _tests(reading: Reading, lot: str) -> TestsView:
    found = await lots.find(reading, code=lot)
    lines = await qc.lines(reading, lot_id=found.id)
    results = await qc.results(reading, lot_id=found.id, limit=RESULTS_SHOWN)
    return TestsView(
        lot=found.code,
        name=found.name,
        state=found.state,
        donor=found.donor,
        specification=found.specification,
        specification_version=found.specification_version,
        lines=tuple(_asked(row) for row in lines),
        found=results,
    )


def _asked(row: Any) -> LineView:
    return LineView(
        line=row.id,
        test=row.test,
        method=row.method,
        kind=LineKind(row.kind),
        limits=testing.limits(qc.line_of(row, unit=row.unit)),
        low=row.low,
        high=row.high,
        unit=row.unit,
        expected=row.expected,
        required=row.required,
        missing=row.missing,
    )
