"""Release in two steps: plans proposed and signed, tests that are under way, and what the physician knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import equipment, items, release, samples, two_steps
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, Conflict
from app.domain.moments import require_past, require_past_day
from app.domain.text import Text
from app.domain.two_steps import TEST_NAMES

if TYPE_CHECKING:
    from app.db.door import Call, Reading
    from app.services.house import House

DAYS_MOST = 60


@dataclass(frozen=True, slots=True)
class LateTest:
    """A test that may be pending, the reviewed one in its place, how that was validated, and what is done if it fails."""

    test: str
    interim: str
    validation: str
    days: int
    if_positive: str


@dataclass(frozen=True, slots=True)
class PlanContent:
    """What a plan says: protocol, ethics committee, consent, and the tests that come late. None takes the plan back."""

    process: str
    process_version: int
    protocol: str
    protocol_version: str
    ethics_reference: str
    ethics_approved_on: date
    consent_clause: str
    pending: tuple[LateTest, ...]


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as it stands: proposed, decided or superseded."""

    plan: int
    process: str
    process_version: int
    version: int
    protocol: str
    protocol_version: str
    ethics_reference: str
    ethics_approved_on: date
    consent_clause: str
    pending: tuple[LateTest, ...]
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class PlanKept:
    """The number of a plan that was proposed or signed."""

    number: int
    signature: int | None = None


@dataclass(frozen=True, slots=True)
class BegunView:
    """A test that is under way, and by when its result is read."""

    number: int
    lot: str
    sample: str
    test: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class AcknowledgedView:
    """What the physician acknowledged as pending."""

    number: int
    lot: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PendingView:
    """A test of which no result stands. `interim_stands`: the one in its place was reviewed and found nothing."""

    test: str
    name: str
    interim: str
    validation: str
    days: int
    if_positive: str
    sample: str | None
    laboratory: str | None
    started_at: datetime | None
    due_at: datetime | None
    interim_stands: bool


@dataclass(frozen=True, slots=True)
class KnownView:
    """What a physician acknowledged, and when."""

    tests: tuple[str, ...]
    remarks: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SampleView:
    """A sample on which a test may be begun."""

    code: str
    purpose: str
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class TwoStepsView:
    """What is pending of a lot, what physicians know of it, and its samples."""

    lot: str
    name: str
    state: str
    pending: tuple[PendingView, ...]
    known: tuple[KnownView, ...]
    samples: tuple[SampleView, ...]


async def propose_plan(house: House, call: Call, *, content: PlanContent) -> PlanKept:
    """Propose which tests may come late. Raises BadInput for a test twice or none that may, NotFound."""
    async with house.door.change(call, Act.PROPOSE_TWO_STEP_PLAN, subject=content.process) as change:
        tests = [each.test for each in content.pending]
        strange = next((each for each in tests if each not in TEST_NAMES or tests.count(each) > 1), None)
        if strange is not None:
            raise BadInput(
                field="pending",
                what=Text("Nothing was proposed."),
                why=Text("{test} may not come late, or stands twice.", test=strange),
                remedy=Text("Choose one of: {tests}.", tests=tuple(TEST_NAMES.values())),
            )
        require_past_day(content.ethics_approved_on, today=await equipment.today(change), field="ethics_approved_on")
        number = await two_steps.propose(
            change,
            process=content.process,
            process_version=content.process_version,
            protocol=content.protocol,
            protocol_version=content.protocol_version,
            ethics_reference=content.ethics_reference,
            ethics_approved_on=content.ethics_approved_on,
            consent_clause=content.consent_clause,
            pending=[
                {
                    "test": each.test,
                    "interim": each.interim,
                    "validation": each.validation,
                    "days": each.days,
                    "if_positive": each.if_positive,
                }
                for each in content.pending
            ],
        )
        return change.answers(PlanKept(number))


async def decide_plan(house: House, call: Call, *, number: int, ceremony: UUID) -> PlanKept:
    """Sign it. Nobody decides what they proposed. Raises CeremonyRefused, Stale, NotFound, Conflict."""
    async with house.door.change(call, Act.DECIDE_TWO_STEP_PLAN, subject=f"two-step plan {number}") as change:
        change.ceremony = ceremony
        await two_steps.plan(change, number=number)
        return change.answers(PlanKept(number, await two_steps.decide(change, number=number, ceremony=ceremony)))


async def list_plans(house: House, actor: Actor) -> list[PlanView]:
    """Every plan, the last proposed first."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        rows = await two_steps.plans(reading)
    return [_plan(row) for row in rows]


async def read_plan(house: House, actor: Actor, *, number: int) -> PlanView:
    """One plan. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return _plan(await two_steps.plan(reading, number=number))


async def begin_test(
    house: House, call: Call, *, sample: str, test: str, laboratory: str, started_at: datetime, due_at: datetime
) -> BegunView:
    """Record that a slow test is under way on a sample. Raises BadInput for moments out of order, NotFound."""
    async with house.door.change(call, Act.BEGIN_TEST, subject=sample) as change:
        taken = await samples.find(change, code=sample)
        require_past(started_at, now=change.at, field="started_at")
        if due_at <= started_at:
            raise BadInput(
                field="due_at",
                what=Text("Nothing was recorded."),
                why=Text("It would end before it begins."),
                remedy=Text("Give an end that is after its beginning."),
            )
        line_id, name = await two_steps.line_of(change, lot_id=taken.lot_id, test=test)
        number = await two_steps.begin(
            change,
            lot_id=taken.lot_id,
            sample_id=taken.id,
            line_id=line_id,
            laboratory=laboratory,
            started_at=started_at,
            due_at=due_at,
        )
        return change.answers(BegunView(number, taken.lot, taken.code, name, due_at))


async def acknowledge(house: House, call: Call, *, lot: str, tests: tuple[str, ...], remarks: str) -> AcknowledgedView:
    """The treating physician acknowledges what is pending: all of it, as it stands now.

    Raises Conflict where other tests are pending than were shown.
    """
    async with house.door.change(call, Act.ACKNOWLEDGE_PENDING, subject=lot, reason=remarks) as change:
        found = await items.find(change, code=lot, kind="lot")
        await samples.lock_lot(change, lot_id=found.id)
        pending = sorted({row.test for row in await two_steps.pending(change, lot_id=found.id)})
        if not pending or set(tests) != set(pending):
            raise Conflict(
                what=Text("Nothing was acknowledged."),
                why=Text("Pending are: {tests}.", tests=tuple(TEST_NAMES.get(each, each) for each in pending))
                if pending
                else Text("Nothing is pending that the plan lets come late."),
                remedy=Text("Read the lot's page as it stands now."),
                rule="REL-06",
            )
        number = await two_steps.acknowledge(change, lot_id=found.id, tests=pending, remarks=remarks)
        return change.answers(AcknowledgedView(number, found.code, tuple(pending)))


async def read_two_steps(house: House, actor: Actor, *, code: str) -> TwoStepsView:
    """What is pending of a lot, and who knows of it. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await items.find(reading, code=code, kind="lot")
        return await _view(reading, lot_id=found.id, code=found.code)


async def _view(reading: Reading, *, lot_id: int, code: str) -> TwoStepsView:
    head = await release.lot_head(reading, lot_id=lot_id)
    return TwoStepsView(
        lot=code,
        name=head.name,
        state=head.state,
        pending=tuple(PendingView(**row._asdict()) for row in await two_steps.pending(reading, lot_id=lot_id)),
        known=tuple(
            KnownView(**{**row._asdict(), "tests": tuple(row.tests)})
            for row in await two_steps.known(reading, lot_id=lot_id)
        ),
        samples=tuple(SampleView(**row._asdict()) for row in await two_steps.samples(reading, lot_id=lot_id)),
    )


def _plan(row: Any) -> PlanView:
    pending = tuple(LateTest(**each) for each in row.pending)
    return PlanView(**{**row._asdict(), "pending": pending})
