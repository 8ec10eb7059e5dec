"""Cell banks: whether a lot may do without one, and what an unbanked lot keeps back of its beginning."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from app.domain.donors import is_proved_autologous
from app.domain.dossier import Dossier
from app.domain.facts import Process, Retain, Step, StepKind
from app.domain.processing import growing_steps
from app.domain.text import Text


def comes_from_a_bank(dossier: Dossier) -> bool:
    """Whether a bank lot is known in the lineage. Unknown counts as none: then the stricter rules are asked."""
    return bool(dossier.banks)


def needs_a_bank_for(process: Process) -> tuple[Text, ...]:
    """What in this process makes a cell bank mandatory; empty where nothing does."""
    reasons = {
        Text("the cells are gene modified"): process.gene_modified,
        Text("the cells are expanded for long"): process.long_term_expansion,
        Text("clones are selected"): process.clone_selected,
        Text("the process is not short"): not process.short_cycle,
        Text("the manipulation is not low"): not process.low_manipulation,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def is_autologous_alone(dossier: Dossier) -> bool:
    """Whether every donor is known to be the recipient, and there is one."""
    return bool(dossier.donors) and all(is_proved_autologous(donor) for donor in dossier.donors or ())


def first_harvest(dossier: Dossier) -> Step | None:
    """The step that first harvests what the isolation began: the first passage, or the fill where there is none."""
    began = [step for step in growing_steps(dossier) if step.kind is StepKind.PASSAGE]
    fills = sorted(
        (step for step in dossier.steps or () if step.kind is StepKind.FILL),
        key=lambda step: (step.started_at, step.id),
    )
    return next(iter((*began, *fills)), None)


def harvested_by(step: Step) -> datetime:
    """The moment up to which this harvest can be sampled: its end, or its beginning where the end is unknown."""
    return step.ended_at or step.started_at


def is_described(retain: Retain) -> bool:
    """Whether it is known how much was kept, and where."""
    return retain.quantity is not None and bool((retain.unit or "").strip()) and bool((retain.place or "").strip())


def of_kind(retains: Iterable[Retain] | None, kind: str) -> tuple[Retain, ...]:
    """The retains of a kind of which something was kept, or may have been: a quantity of nothing is no retain."""
    return tuple(
        each for each in retains or () if each.kind == kind and (each.quantity is None or each.quantity > Decimal(0))
    )
