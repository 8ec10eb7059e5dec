"""What a rule is, and how a book of rules judges a dossier at a gate.

A rule yields statements. What they are decides the outcome: one failure fails it, one missing fact closes it as
indeterminate, and a rule that shows no evidence has judged nothing and cannot pass.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from app.domain.acts import Role
from app.domain.dossier import Dossier
from app.domain.errors import Blocked, Finding
from app.domain.facts import Legacy, LegacyAbout, Signer, SubjectKind
from app.domain.facts import Waiver as GrantedWaiver
from app.domain.legacy import accepted_for
from app.domain.packs import holds
from app.domain.text import JSON, Text


class Gate(StrEnum):
    """What a rule may close. `app/domain/rulebook.py` GATE_NAMES says each in words."""

    G1 = "G1"
    G2 = "G2"
    G3 = "G3"
    G4 = "G4"
    G5 = "G5"
    G6 = "G6"
    G7 = "G7"
    G8 = "G8"
    G9 = "G9"
    G10 = "G10"
    G11 = "G11"
    G12 = "G12"


GATE_NAMES: Mapping[Gate, Text] = MappingProxyType(
    {
        Gate.G1: Text("approval of a material lot for use"),
        Gate.G2: Text("acceptance of a donation into processing"),
        Gate.G3: Text("use of a bank lot"),
        Gate.G4: Text("start of a process step"),
        Gate.G5: Text("conditional release"),
        Gate.G6: Text("final release"),
        Gate.G7: Text("submission of the filing"),
        Gate.G8: Text("start of the study"),
        Gate.G9: Text("change from the exploratory to the confirmatory stage"),
        Gate.G10: Text("infusion"),
        Gate.G11: Text("continuation of the study"),
        Gate.G12: Text("close-out of the study"),
    }
)


RELEASES = frozenset({Gate.G5, Gate.G6})
"""The two signatures under which a lot is given out."""


class Outcome(StrEnum):
    PASS = "pass"  # noqa: S105  a verdict, not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    NEEDS_WAIVER = "needs_waiver"
    PASS_WITH_WAIVER = "pass_with_waiver"  # noqa: S105  as above
    PASS_WITH_LEGACY = "pass_with_legacy"  # noqa: S105  as above
    INDETERMINATE = "indeterminate"
    WAITS_FOR_SIGNER = "waits_for_signer"


OUTCOME_NAMES: Mapping[Outcome, Text] = MappingProxyType(
    {
        Outcome.PASS: Text("satisfied"),
        Outcome.FAIL: Text("not satisfied"),
        Outcome.NOT_APPLICABLE: Text("does not apply"),
        Outcome.NEEDS_WAIVER: Text("needs a waiver"),
        Outcome.PASS_WITH_WAIVER: Text("satisfied with a waiver"),
        Outcome.PASS_WITH_LEGACY: Text("satisfied with legacy evidence"),
        Outcome.INDETERMINATE: Text("cannot be told yet"),
        Outcome.WAITS_FOR_SIGNER: Text("waits for the signer"),
    }
)

CLOSING = frozenset({Outcome.FAIL, Outcome.NEEDS_WAIVER, Outcome.INDETERMINATE})


class Standing(StrEnum):
    """How well the citation is known: read in the source, put together from several, or still to be checked."""

    STATED = "stated"
    RECONSTRUCTED = "reconstructed"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Citation:
    source: str
    section: str
    paraphrase: Text
    status: Standing


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the rule beside the dossier: at which gate, at which moment, and of which signer."""

    gate: Gate
    at: datetime
    signer: Signer | None


class Weight(StrEnum):
    SHOWS = "shows"
    IRRELEVANT = "irrelevant"
    FAILS = "fails"
    LATE = "late"
    LACKS = "lacks"
    UNDOCUMENTED = "undocumented"
    WANTS_WAIVER = "wants_waiver"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a rule says about the dossier. `remedy` stands with whatever closes."""

    weight: Weight
    subject: str
    says: Text
    remedy: Text | None = None


def shows(subject: str, says: Text) -> Statement:
    """State a fact that speaks for the rule."""
    return Statement(Weight.SHOWS, subject, says)


def does_not_apply(subject: str, why: Text) -> Statement:
    """State the fact for which the rule does not apply."""
    return Statement(Weight.IRRELEVANT, subject, why)


def fails(subject: str, problem: Text, remedy: Text) -> Statement:
    """State a violation that nobody can waive."""
    return Statement(Weight.FAILS, subject, problem, remedy)


def lacks(subject: str, problem: Text, remedy: Text) -> Statement:
    """State that a needed fact is missing or pending."""
    return Statement(Weight.LACKS, subject, problem, remedy)


def undocumented(subject: str, problem: Text, remedy: Text) -> Statement:
    """State that a record is missing. Papers from before the guideline may show it, of a rule that takes them."""
    return Statement(Weight.UNDOCUMENTED, subject, problem, remedy)


def wants_waiver(subject: str, problem: Text, remedy: Text) -> Statement:
    """State a violation that an approved waiver for this rule would open."""
    return Statement(Weight.WANTS_WAIVER, subject, problem, remedy)


def waits(subject: str, what: Text) -> Statement:
    """State that the answer depends on who signs."""
    return Statement(Weight.WAITS, subject, what, Text("It is answered when somebody comes to sign."))


Check: TypeAlias = Callable[[Dossier, Asked], Iterable[Statement]]


@dataclass(frozen=True, slots=True)
class Break:
    """A counterexample: a clean dossier edited so that the rule must refuse it.

    `also` names every other rule that must refuse it too. `at` moves the moment of judging; `signer` edits the signer.
    """

    name: str
    edit: Callable[[Dossier], Dossier] = lambda dossier: dossier
    gate: Gate = Gate.G6
    kind: SubjectKind = SubjectKind.LOT
    signer: Callable[[Signer], Signer] = lambda signer: signer
    at: Callable[[datetime], datetime] = lambda at: at
    outcome: Outcome = Outcome.FAIL
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One regulatory sentence. `waiver` names who may approve one; empty means never.

    `late_by_nature`: sections of the dossier, or one kind of record within a section (`donations.birth_tests`), whose
    evidence counts though it came after the work. Of all others late is as absent.
    `legacy`: about what papers from before the guideline may show what is late or undocumented; empty means never.
    """

    id: str
    title: Text
    cites: tuple[Citation, ...]
    gates: frozenset[Gate]
    waiver: tuple[Role, ...]
    breaks: tuple[Break, ...]
    check: Check
    late_by_nature: tuple[str, ...] = ()
    legacy: tuple[LegacyAbout, ...] = ()


NEVER: tuple[Role, ...] = ()


def rule(
    rule_id: str,
    title: Text,
    *,
    cites: tuple[Citation, ...],
    gates: Iterable[Gate],
    waiver: tuple[Role, ...],
    breaks: tuple[Break, ...],
    late_by_nature: tuple[str, ...] = (),
    legacy: tuple[LegacyAbout, ...] = (),
) -> Callable[[Check], Rule]:
    """Make a rule of a check function. What is asked of a release is asked of a conditional one too."""
    asked_at = frozenset(gates)
    if Gate.G6 in asked_at:
        asked_at |= {Gate.G5}
    return lambda check: Rule(rule_id, title, cites, asked_at, waiver, breaks, check, late_by_nature, legacy)


@dataclass(frozen=True, slots=True)
class Evidence:
    subject: str
    says: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule answered. `waiver` is the id of the granted waiver that it cites, `legacy` numbers of legacy dossiers."""

    rule: str
    title: Text
    outcome: Outcome
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    missing: tuple[Text, ...]
    waiver: int | None = None
    legacy: tuple[str, ...] = ()

    @property
    def closes(self) -> bool:
        """Whether this verdict alone keeps the gate closed."""
        return self.outcome in CLOSING

    def to_json(self) -> dict[str, JSON]:
        """As it is kept with the judgement; the texts stay translatable."""
        return {
            "rule": self.rule,
            "title": self.title.to_json(),
            "outcome": self.outcome.value,
            "findings": [finding.to_json() for finding in self.findings],
            "evidence": [{"subject": each.subject, "says": each.says.to_json()} for each in self.evidence],
            "missing": [each.to_json() for each in self.missing],
            "waiver": self.waiver,
            "legacy": list(self.legacy),
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """Every verdict at one gate. The gate is open only where nothing closes and nothing waits."""

    subject: str
    gate: Gate
    at: datetime
    rulebook: str
    signer: str | None
    verdicts: tuple[Verdict, ...]

    @property
    def blocks(self) -> tuple[Verdict, ...]:
        """The verdicts that keep the gate closed, whoever signs."""
        return tuple(verdict for verdict in self.verdicts if verdict.closes)

    @property
    def waiting(self) -> tuple[Verdict, ...]:
        """The open questions: verdicts that depend on who signs."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome is Outcome.WAITS_FOR_SIGNER)

    @property
    def is_open(self) -> bool:
        """Whether the gate may be passed now."""
        return bool(self.verdicts) and not self.blocks and not self.waiting

    @property
    def waivers_cited(self) -> tuple[int, ...]:
        """The waivers that the judgement rests on, to be counted as used."""
        return tuple(verdict.waiver for verdict in self.verdicts if verdict.waiver is not None)

    def to_json(self) -> dict[str, JSON]:
        """As it is kept."""
        return {
            "subject": self.subject,
            "gate": self.gate.value,
            "at": self.at.isoformat(),
            "rulebook": self.rulebook,
            "signer": self.signer,
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }

    def refusal(self) -> Blocked:
        """The refusal that this judgement means. To be raised where `is_open` is false."""
        closed = self.blocks or self.waiting
        findings = tuple(finding for verdict in closed for finding in verdict.findings)
        return Blocked(
            what=Text("{gate}: refused for {subject}.", gate=GATE_NAMES[self.gate], subject=self.subject),
            why=Text("Not satisfied: {rules}.", rules=tuple(verdict.rule for verdict in closed)),
            remedy=Text("Each finding names what would help."),
            rule=closed[0].rule if closed else None,
            findings=findings,
            detail={
                "gate": self.gate.value,
                "subject": self.subject,
                "rules": [{"rule": verdict.rule, "outcome": verdict.outcome.value} for verdict in closed],
            },
        )


def judge(
    rules: Iterable[Rule],
    dossier: Dossier,
    *,
    gate: Gate,
    at: datetime,
    signer: Signer | None = None,
) -> Judgement:
    """Ask every rule of the gate that holds under the dossier's pack. There is no force and no override.

    A rule that raises closes the gate, and so does a gate for which the book has no rule.
    """
    asked = Asked(gate=gate, at=at, signer=signer)
    verdicts = tuple(
        _verdict(each, dossier, asked) for each in rules if gate in each.gates and holds(dossier.jurisdiction, each.id)
    )
    return Judgement(
        subject=dossier.subject,
        gate=gate,
        at=at,
        rulebook=dossier.rulebook,
        signer=signer.account if signer else None,
        verdicts=verdicts or (_no_rules(gate),),
    )


def _verdict(asked_rule: Rule, dossier: Dossier, asked: Asked) -> Verdict:
    try:
        said = tuple(asked_rule.check(dossier, asked)) or (_NOTHING_JUDGED,)
    except Exception as error:  # noqa: BLE001  whatever breaks a rule closes its gate, by name
        said = (_broke(error),)
    shown = _shown_by_papers(asked_rule, dossier, asked.at, said)
    left = tuple(each for each in said if each not in shown)
    outcome = _outcome(left, asked) if left else Outcome.PASS
    if shown and outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE}:
        outcome = Outcome.PASS_WITH_LEGACY
    waiver = _granted(asked_rule, dossier, asked.at) if outcome is Outcome.NEEDS_WAIVER else None
    return Verdict(
        rule=asked_rule.id,
        title=asked_rule.title,
        outcome=Outcome.PASS_WITH_WAIVER if waiver else outcome,
        findings=tuple(
            Finding(each.subject, each.says, each.remedy, asked_rule.id) for each in left if each.remedy is not None
        ),
        evidence=tuple(_legacy_evidence(each, papers) for each, papers in shown.items())
        + tuple(Evidence(each.subject, each.says) for each in left if each.weight in {Weight.SHOWS, Weight.IRRELEVANT})
        + ((_waiver_evidence(waiver),) if waiver else ()),
        missing=tuple(each.says for each in left if each.weight in {Weight.LACKS, Weight.UNDOCUMENTED}),
        waiver=waiver.id if waiver else None,
        legacy=tuple(dict.fromkeys(papers.number for papers in shown.values())),
    )


_SEVEREST_FIRST = (
    (Weight.FAILS, Outcome.FAIL),
    (Weight.LATE, Outcome.FAIL),
    (Weight.LACKS, Outcome.INDETERMINATE),
    (Weight.UNDOCUMENTED, Outcome.INDETERMINATE),
    (Weight.WANTS_WAIVER, Outcome.NEEDS_WAIVER),
    (Weight.WAITS, Outcome.WAITS_FOR_SIGNER),
    (Weight.IRRELEVANT, Outcome.NOT_APPLICABLE),
    (Weight.SHOWS, Outcome.PASS),
)


def _outcome(said: tuple[Statement, ...], asked: Asked) -> Outcome:
    weights = {each.weight for each in said}
    outcome = next(outcome for weight, outcome in _SEVEREST_FIRST if weight in weights)
    # With a signer before it, nothing is left to wait for.
    return Outcome.INDETERMINATE if outcome is Outcome.WAITS_FOR_SIGNER and asked.signer else outcome


_PAPER = frozenset({Weight.LATE, Weight.UNDOCUMENTED})


def _shown_by_papers(
    asked_rule: Rule, dossier: Dossier, at: datetime, said: tuple[Statement, ...]
) -> Mapping[Statement, Legacy]:
    """What only lacks its record, and of which papers from before the guideline were accepted. No fact is healed so."""
    if not asked_rule.legacy or not dossier.legacy:
        return {}
    papers = accepted_for(dossier, rule=asked_rule.id, about=asked_rule.legacy, at=at)
    return {each: papers[each.subject] for each in said if each.weight in _PAPER and each.subject in papers}


def _legacy_evidence(statement: Statement, papers: Legacy) -> Evidence:
    return Evidence(
        statement.subject,
        Text(
            "Legacy evidence {number}: {problem} Shown by papers from before the guideline: {titles}. {reasons} Accepted "
            "by {by} at {at}, valid until {until}.",
            number=papers.number,
            problem=statement.says,
            titles=tuple(f"{each.title} ({each.dated})" for each in papers.papers),
            reasons=papers.reasons,
            by=papers.accepted_by or "",
            at=papers.accepted_at or "",
            until=papers.valid_to,
        ),
    )


def _granted(asked_rule: Rule, dossier: Dossier, at: datetime) -> GrantedWaiver | None:
    if asked_rule.waiver == NEVER:
        return None
    return next(
        (
            waiver
            for waiver in dossier.waivers or ()
            if waiver.rule == asked_rule.id
            and waiver.approved_by is not None
            and waiver.approved_by != waiver.proposed_by
            and waiver.valid_from <= at < waiver.valid_to
            and waiver.used < waiver.max_uses
        ),
        None,
    )


def _waiver_evidence(waiver: GrantedWaiver) -> Evidence:
    return Evidence(
        f"WAIVER-{waiver.id}",
        Text(
            "waived: {justification}; mitigated by: {mitigations}; approved by {by}, valid until {until}",
            justification=waiver.justification,
            mitigations=waiver.mitigations,
            by=waiver.approved_by or "",
            until=waiver.valid_to,
        ),
    )


def _broke(error: Exception) -> Statement:
    return lacks(
        "BOOK",
        Text("The rule could not be evaluated: {error}", error=f"{type(error).__name__}: {error}"),
        Text("Report this to whoever keeps the rule book; the gate stays closed until the rule answers."),
    )


_NOTHING_JUDGED = lacks(
    "BOOK",
    Text("The rule found nothing to judge."),
    Text("Report this to whoever keeps the rule book; the gate stays closed until the rule answers."),
)


def _no_rules(gate: Gate) -> Verdict:
    problem = Text("The rule book has no rule for this gate.")
    return Verdict(
        rule="BOOK",
        title=Text("A gate has rules"),
        outcome=Outcome.INDETERMINATE,
        findings=(Finding(gate.value, problem, Text("The gate stays closed until its rules are written."), "BOOK"),),
        evidence=(),
        missing=(problem,),
    )
