"""Steps of a process: which passage a step makes, what workstations it needs, what came late."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from app.domain.dossier import Dossier
from app.domain.facts import PassageConvention, Step, StepKind
from app.domain.rulebook import Statement, Weight, fails
from app.domain.text import Text

GROWING = frozenset({StepKind.ISOLATION, StepKind.THAW, StepKind.PASSAGE})
OPEN_HANDLING = frozenset({StepKind.ISOLATION, StepKind.PASSAGE, StepKind.FILL, StepKind.THAW})
"""Steps that handle open cells and so need a cleared workstation of their own."""

STEP_NAMES: Mapping[StepKind, Text] = MappingProxyType(
    {
        StepKind.ISOLATION: Text("isolation"),
        StepKind.PASSAGE: Text("passage"),
        StepKind.FILL: Text("fill"),
        StepKind.CRYOPRESERVATION: Text("cryopreservation"),
        StepKind.THAW: Text("thaw"),
    }
)


def first_passage(convention: PassageConvention) -> int:
    """The number that the primary culture bears under this convention."""
    return 0 if convention is PassageConvention.PRIMARY_IS_P0 else 1


def next_passage(*, kind: StepKind, parent_passage: int | None, convention: PassageConvention) -> int | None:
    """The passage number that cells bear after a step of this kind. None where it cannot be known."""
    if kind is StepKind.ISOLATION:
        return first_passage(convention)
    if kind in {StepKind.PASSAGE, StepKind.THAW}:  # cells that are seeded anew are one passage further
        return None if parent_passage is None else parent_passage + 1
    return parent_passage


def processing_began_at(dossier: Dossier) -> datetime | None:
    """When the first step began. None where no step is recorded."""
    return min((step.started_at for step in dossier.steps or ()), default=None)


def growing_steps(dossier: Dossier) -> Iterator[Step]:
    """The steps that make a passage, in the order in which they began."""
    steps = sorted(dossier.steps or (), key=lambda step: (step.started_at, step.id))
    return (step for step in steps if step.kind in GROWING)


def assessed_by(dossier: Dossier, rule: str) -> tuple[str, ...]:
    """Numbers of the closed deviations that assessed a breach of the rule."""
    return tuple(each.number for each in dossier.deviations or () if each.state == "closed" and rule in each.rules)


def too_late(dossier: Dossier, rule: str, *, subject: str, problem: Text) -> Statement:
    """State that evidence came after the act that it should have preceded. No later paper heals this.

    A closed deviation that assessed it is named, and the gate stays closed. Only what was done before the guideline may be
    shown by papers of that time, of a rule that takes them.
    """
    return replace(breached(dossier, rule, subject=subject, problem=problem), weight=Weight.LATE)


def breached(dossier: Dossier, rule: str, *, subject: str, problem: Text) -> Statement:
    """State that something was done that nothing recorded later makes good. A deviation that assessed it is named."""
    numbers = assessed_by(dossier, rule)
    says = Text("{problem} Assessed by deviation {numbers}.", problem=problem, numbers=numbers) if numbers else problem
    return fails(subject, says, Text("What was done before its evidence cannot be released; the lot may be rejected."))
