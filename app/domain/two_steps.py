"""Release in two steps: which tests of a lot a signed plan lets come late, and what stands in for each meanwhile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from app.domain import settings
from app.domain.dossier import Dossier
from app.domain.facts import Line, PlannedTest, TwoStepPlan, UnderWay, VirusTest
from app.domain.lots import LotState
from app.domain.processing import processing_began_at
from app.domain.testing import Fit, fit, is_accepted, spoken, standing_results
from app.domain.text import Text

CONSENT = "use before all results"
"""The scope under which a patient consents to be given cells of which results are pending (`donors.SCOPE_NAMES`)."""
VIRUS = "replicating_virus"
RAPID = "rapid_pcr"
"""What stands in for a culture for replication-competent virus."""
CELLS = ("transduced_cells", "final_product")

TEST_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "sterility": Text("sterility"),
        "mycoplasma": Text("mycoplasma"),
        VIRUS: Text("replication-competent virus"),
    }
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A test whose result is not there, as the plan has it. One of `line` and `virus` is named."""

    planned: PlannedTest
    line: Line | None = None
    under_way: UnderWay | None = None
    virus: VirusTest | None = None

    @property
    def name(self) -> str:
        """The test as the record names it."""
        return self.line.test if self.line else self.planned.test

    @property
    def started_at(self) -> datetime | None:
        """When it was begun; None where nobody recorded that."""
        if self.virus is not None:
            return self.virus.sampled_at
        return self.under_way.started_at if self.under_way else None

    @property
    def due_at(self) -> datetime | None:
        """By when its result is there."""
        if self.virus is not None:
            return self.virus.sampled_at + timedelta(days=self.planned.days)
        return self.under_way.due_at if self.under_way else None

    @property
    def recorded_at(self) -> datetime | None:
        """When it was recorded that it was begun."""
        if self.virus is not None:
            return self.virus.recorded_at
        return self.under_way.recorded_at if self.under_way else None

    @property
    def is_late(self) -> bool:
        """Whether it takes longer than the plan gives it."""
        begun, due = self.started_at, self.due_at
        return begun is not None and due is not None and due > begun + timedelta(days=self.planned.days)


def signed_plans(dossier: Dossier) -> tuple[TwoStepPlan, ...]:
    """The plans that somebody other than their proposer signed, in the order of their versions."""
    plans = dossier.two_steps.plans if dossier.two_steps else ()
    return tuple(
        sorted((each for each in plans if each.approved_by != each.proposed_by), key=lambda each: each.version)
    )


def plan_in_force(dossier: Dossier) -> TwoStepPlan | None:
    """The plan that was signed when processing began. None without one, and where nothing was processed."""
    began = processing_began_at(dossier)
    stood = [each for each in signed_plans(dossier) if began is not None and each.approved_at <= began]
    return stood[-1] if stood else None


def planned_tests(dossier: Dossier) -> Iterator[PlannedTest]:
    """What the plan in force lets come late, as far as the setting and the plan that was signed last still do.

    Of a lot that was given out all of it is owed, whatever changed since. Raises SettingUnusable.
    """
    plan = plan_in_force(dossier)
    if plan is None:
        return
    given_out = dossier.lot is not None and dossier.lot.state is LotState.CONDITIONALLY_RELEASED
    last = signed_plans(dossier)[-1]
    allowed = settings.words(dossier, "rel06.may_be_pending")
    yield from (each for each in plan.pending if given_out or (each.test in allowed and stands_in(last, each)))


def stands_in(last: TwoStepPlan, each: PlannedTest) -> bool:
    """Whether the plan that was signed last lets the test come late as this one does: it may give it more time, no less."""
    return any(
        one.test == each.test
        and one.days >= each.days
        and spoken(one.interim) == spoken(each.interim)
        and spoken(one.validation) == spoken(each.validation)
        for one in last.pending
    )


def pending(dossier: Dossier) -> tuple[Pending, ...]:
    """Every test that the plan lets come late and of which no result stands. Raises SettingUnusable."""
    return tuple(found for planned in planned_tests(dossier) for found in _pending(dossier, planned))


def _pending(dossier: Dossier, planned: PlannedTest) -> Iterator[Pending]:
    if planned.test == VIRUS:
        full = settings.words(dossier, "gm05.assays")
        for each in dossier.virus_tests or ():
            if each.sample in CELLS and each.assay in full and not each.outcomes:
                yield Pending(planned, virus=each)
        return
    names = {spoken(name) for name in settings.word_lists(dossier, "rel03.safety_set").get(planned.test, ())}
    for line in dossier.specification.lines if dossier.specification else ():
        if line.required and line.safety and spoken(line.test) in names and not standing_results(dossier, line):
            yield Pending(planned, line=line, under_way=_begun(dossier, line))


def _begun(dossier: Dossier, line: Line) -> UnderWay | None:
    """The last test begun for the line, after whatever was measured for it and set aside since."""
    measured = [each.measured_at for each in dossier.results or () if each.line_id == line.id]
    begun = [
        each
        for each in (dossier.two_steps.under_way if dossier.two_steps else ())
        if each.line_id == line.id and all(each.started_at > at for at in measured)
    ]
    return max(begun, key=lambda each: each.id, default=None)


def may_wait(dossier: Dossier, line: Line) -> Text | None:
    """In words, that the result of this line comes after a first release; None where it does not. Raises SettingUnusable."""
    for each in pending(dossier):
        if each.line is line and each.under_way is not None:
            return Text(
                "pending by the plan: begun {began}, due {due}",
                began=each.under_way.started_at,
                due=each.under_way.due_at,
            )
    return None


def virus_may_wait(dossier: Dossier, test: VirusTest) -> Text | None:
    """In words, that this culture for virus comes after a first release; None where it does not. Raises SettingUnusable."""
    for each in pending(dossier):
        if each.virus is not None and each.virus.id == test.id and interim_stands(dossier, each):
            due = each.due_at or each.virus.sampled_at
            return Text("pending by the plan: begun {began}, due {due}", began=each.virus.sampled_at, due=due)
    return None


def interim_stands(dossier: Dossier, each: Pending) -> bool:
    """Whether the test in the pending one's place was made of the same sample, reviewed, and found nothing.

    Of virus the sample is of the same kind and was not taken before. Another sample's finding counts against it.
    """
    if each.virus is not None:
        begun = each.virus
        rapid = [one for one in dossier.virus_tests or () if one.sample == begun.sample and one.assay == RAPID]
        found = any(outcome.outcome == "positive" for one in rapid for outcome in one.outcomes)
        return not found and any(_last(one) == "negative" and one.sampled_at >= begun.sampled_at for one in rapid)
    if each.under_way is None:
        return False
    sample, wanted = each.under_way.sample, spoken(each.planned.interim)
    lines = [
        line
        for line in (dossier.specification.lines if dossier.specification else ())
        if line is not each.line and line.required and line.safety and spoken(line.test) == wanted
    ]
    results = [(line, result) for line in lines for result in standing_results(dossier, line)]
    return any(one.sample == sample for _, one in results) and all(
        fit(line, one) is Fit.WITHIN and is_accepted(one) for line, one in results
    )


def _last(test: VirusTest) -> str | None:
    last = max(test.outcomes, key=lambda each: each.recorded_at, default=None)
    return last.outcome if last else None
