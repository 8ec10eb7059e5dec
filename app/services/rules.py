"""The rule book, for whoever wants to read it: every rule, the settings it reads, and how what is open stands before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from app.db import judging, rounds, settings
from app.domain.acts import Act, Actor, may, require
from app.domain.errors import NotFound
from app.domain.reads import settings_read
from app.domain.rulebook import Gate, Outcome, Rule, Standing
from app.domain.settings_defaults import DEFAULTS
from app.domain.text import Text
from app.rules import BY_ID, RULEBOOK_VERSION, RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.db.door import Reading
    from app.services.house import House

FRESH = timedelta(minutes=1)
"""An answer about something open is asked anew when it is older."""
SETTINGS_KNOWN = frozenset(each.name for each in DEFAULTS)


@dataclass(frozen=True, slots=True)
class CitationView:
    """Where a rule comes from, and how well that is known."""

    source: str
    section: str
    says: Text
    status: Standing


@dataclass(frozen=True, slots=True)
class CounterexampleView:
    """What would close the rule, and how: at which gate, with which outcome."""

    says: Text
    gate: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule. `waiver`: the roles that may approve one; empty means never. `settings`: those that it reads.

    `legacy`: about what papers from before the guideline may show what lacks its record; empty means never.
    """

    id: str
    title: Text
    gates: tuple[str, ...]
    waiver: tuple[str, ...]
    cites: tuple[CitationView, ...]
    counterexamples: tuple[Text, ...]
    settings: tuple[str, ...]
    legacy: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleBookView:
    """The book and its version: a digest of the source that judges."""

    version: str
    rules: tuple[RuleView, ...]


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting as it holds now; `value` is JSON, None for one that this deployment lacks."""

    name: str
    version: int | None
    value: Any
    unit: str | None
    source: str
    valid_from: datetime | None


@dataclass(frozen=True, slots=True)
class SubjectView:
    """Something that stands before a gate, and what the rule last said of it; None where it was not asked yet."""

    code: str
    name: str
    state: str | None
    outcome: Outcome | None
    problem: Text | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    outcome: Outcome
    subjects: int


@dataclass(frozen=True, slots=True)
class StandsView:
    """What stands before one gate of a rule.

    `total` there are, `subjects` are shown, what closes first; of `left` the answer is older than was wanted.
    `oldest` is the age of the oldest answer counted.
    """

    gate: str
    kind: str
    total: int
    counts: tuple[OutcomeCount, ...]
    unasked: int
    left: int
    oldest: datetime | None
    subjects: tuple[SubjectView, ...]


@dataclass(frozen=True, slots=True)
class StateView:
    """How everything open stands before a rule, read at `at`. Nothing of it is recorded."""

    rule: str
    at: datetime
    gates: tuple[StandsView, ...]

    @property
    def left(self) -> int:
        """How many answers are older than was wanted."""
        return sum(each.left for each in self.gates)


@dataclass(frozen=True, slots=True)
class RulePage:
    """One rule in full. `state` is None for whoever may not read lots."""

    version: str
    rule: RuleView
    counterexamples: tuple[CounterexampleView, ...]
    settings: tuple[SettingView, ...]
    state: StateView | None


async def read_rules(_: House, actor: Actor) -> RuleBookView:
    """Every rule with its citations, gates, waiver, counterexamples and the names of its settings."""
    require(actor, Act.READ_RULES)
    return RuleBookView(version=RULEBOOK_VERSION, rules=tuple(_rule(each) for each in RULES))


async def read_rule(house: House, actor: Actor, *, rule_id: str, budget_s: float) -> RulePage:
    """One rule, its settings as they hold now, and how what is open stands before it. Raises NotFound."""
    found = _found(rule_id)
    names = settings_read(found, known=SETTINGS_KNOWN)
    async with house.door.read(actor, Act.READ_RULES) as reading:
        kept = {row.name: row for row in await settings.described(reading, *names)} if names else {}
        at = await judging.now(reading)
        state = None
        if may(actor, Act.READ_LOT):
            state = await _state(house, reading, found, at=at, older_than=at - FRESH, budget_s=budget_s)
    return RulePage(
        version=RULEBOOK_VERSION,
        rule=_rule(found),
        counterexamples=tuple(_counterexamples(found)),
        settings=tuple(_setting(name, kept.get(name)) for name in names),
        state=state,
    )


async def read_state(
    house: House, actor: Actor, *, rule_id: str, older_than: datetime | None, budget_s: float
) -> StateView:
    """How what is open stands before the rule; answers older than wanted are asked anew while the time lasts.

    Raises NotFound.
    """
    found = _found(rule_id)
    async with house.door.read(actor, Act.READ_LOT) as reading:
        at = await judging.now(reading)
        return await _state(
            house, reading, found, at=at, older_than=min(older_than or at - FRESH, at), budget_s=budget_s
        )


async def _state(
    house: House, reading: Reading, found: Rule, *, at: datetime, older_than: datetime, budget_s: float
) -> StateView:
    gates = [each for each in rounds.OPEN if each in found.gates]
    return StateView(
        rule=found.id,
        at=at,
        gates=tuple(
            [
                await _stands(house, reading, found, gate, older_than=older_than, budget_s=budget_s / len(gates))
                for gate in gates
            ]
        ),
    )


async def _stands(
    house: House, reading: Reading, found: Rule, gate: Gate, *, older_than: datetime, budget_s: float
) -> StandsView:
    total, subjects = await rounds.standing(reading, gate)
    left = await house.rounds.ask(reading, gate, subjects, older_than=older_than, budget_s=budget_s)
    views, oldest = [], None
    for each in subjects:
        asked = house.rounds.of(gate, each)
        answered = asked.answers.get(found.id) if asked else None
        at = asked.at if asked else None
        oldest = at if oldest is None or (at is not None and at < oldest) else oldest
        outcome, problem = (answered.outcome, answered.problem) if answered else (None, None)
        views.append(SubjectView(each.code, each.name, each.state, outcome, problem, at))
    outcomes = [each.outcome for each in views]
    return StandsView(
        gate=gate.value,
        kind=rounds.OPEN[gate][0],
        total=total,
        counts=tuple(OutcomeCount(each, outcomes.count(each)) for each in WORST_FIRST if each in outcomes),
        unasked=total - len(subjects) + outcomes.count(None),
        left=left,
        oldest=oldest,
        subjects=tuple(
            sorted(views, key=lambda each: WORST_FIRST.index(each.outcome) if each.outcome else len(WORST_FIRST))
        ),
    )


WORST_FIRST = (
    Outcome.FAIL,
    Outcome.INDETERMINATE,
    Outcome.NEEDS_WAIVER,
    Outcome.WAITS_FOR_SIGNER,
    Outcome.PASS_WITH_WAIVER,
    Outcome.PASS_WITH_LEGACY,
    Outcome.PASS,
    Outcome.NOT_APPLICABLE,
)


def _found(rule_id: str) -> Rule:
    if rule_id not in BY_ID:
        raise NotFound(
            what=Text("There is no rule {rule}.", rule=rule_id),
            why=Text("This rule book does not hold it."),
            remedy=Text("Search the rule book for its words."),
        )
    return BY_ID[rule_id]


@cache
def _rule(found: Rule) -> RuleView:
    # A rule never changes while the process lives.
    return RuleView(
        id=found.id,
        title=found.title,
        gates=tuple(sorted((gate.value for gate in found.gates), key=lambda gate: int(gate[1:]))),
        waiver=tuple(role.value for role in found.waiver),
        cites=tuple(CitationView(c.source, c.section, c.paraphrase, c.status) for c in found.cites),
        counterexamples=tuple(each.says for each in _counterexamples(found)),
        settings=settings_read(found, known=SETTINGS_KNOWN),
        legacy=tuple(each.value for each in found.legacy),
    )


def _counterexamples(found: Rule) -> Iterator[CounterexampleView]:
    for each in found.breaks:
        words = each.name  # marked where the rule is written
        yield CounterexampleView(Text(words), each.gate.value, each.outcome)


def _setting(name: str, row: Any) -> SettingView:
    if row is None:
        return SettingView(name, None, None, None, "", None)
    return SettingView(name, row.version, row.value, row.unit, row.source, row.valid_from)
