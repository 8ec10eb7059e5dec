"""CB-05: no passage and no doubling beyond the limit of the process version."""

from collections.abc import Iterator
from decimal import Decimal

from app.domain.counterexamples import part, where, without
from app.domain.dossier import Dossier
from app.domain.facts import Plan, Process, StepKind, SubjectKind
from app.domain.processing import GROWING, STEP_NAMES, first_passage, growing_steps
from app.domain.rulebook import (
    NEVER,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    does_not_apply,
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_STEP = SubjectKind.STEP


@rule(
    "CB-05",
    Text("Passages and doublings stay within the process version's limit"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("The maximum passage is controlled, with and without a cell bank."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G4, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break(
            "the next passage is above the limit", part("plan", passage=6, parent_passage=5), gate=Gate.G4, kind=_STEP
        ),
        Break("the doublings are used up", part("plan", cpdl_start=Decimal(20)), gate=Gate.G4, kind=_STEP),
        Break(
            "nobody knows the next passage",
            part("plan", passage=None),
            gate=Gate.G4,
            kind=_STEP,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nobody knows the doublings",
            part("plan", cpdl_start=None),
            gate=Gate.G4,
            kind=_STEP,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the next passage does not follow its parent's",
            part("plan", parent_passage=4),
            gate=Gate.G4,
            kind=_STEP,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the process version is unknown",
            without("process"),
            gate=Gate.G4,
            kind=_STEP,
            outcome=Outcome.INDETERMINATE,
            also=("CB-01", "CB-01A", "CB-03", "DON-05", "GM-01", "ORG-05"),
        ),
        Break("a passage was made above the limit", part("process", max_passage=1)),
        Break("the doublings went above the limit", part("process", max_pdl=Decimal(2))),
        Break(
            "a passage without its doublings", where("steps", "passage", 2, cpdl=None), outcome=Outcome.INDETERMINATE
        ),
        Break(
            "a passage is missing between",
            where("steps", "passage", 1, passage=3),
            outcome=Outcome.INDETERMINATE,
            also=("CB-06",),
        ),
        Break(
            "the steps are unknown",
            without("steps"),
            outcome=Outcome.INDETERMINATE,
            also=("CB-04", "CB-06", "GMP-03", "GMP-04", "GMP-05", "MAT-10", "ORG-05", "QA-05", "QA-07"),
        ),
    ),
)
def maximum_passage(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the step planned now (G4), or every step that was made (G6)."""
    if dossier.process is None:
        yield lacks(
            dossier.subject,
            Text("The process version is not known, and so neither is its limit."),
            Text("Name the process version that the lot follows."),
        )
    elif asked.gate is Gate.G4:
        yield from _planned(dossier, dossier.process)
    else:
        yield from _made(dossier, dossier.process)


def _planned(dossier: Dossier, process: Process) -> Iterator[Statement]:
    plan = dossier.plan
    if plan is None:
        yield lacks(dossier.subject, Text("No step is planned."), Text("Plan the step with its passage."))
    elif plan.kind not in GROWING:
        yield does_not_apply(dossier.subject, Text("{step}: makes no passage", step=STEP_NAMES[plan.kind]))
    else:
        yield from _numbered(dossier, process, plan)
        yield _within(
            dossier.subject, process, plan.passage, _cpdl(plan.kind, plan.cpdl_start), about_to_grow=plan.kind
        )


def _numbered(dossier: Dossier, process: Process, plan: Plan) -> Iterator[Statement]:
    if plan.kind is StepKind.ISOLATION:
        expected: int | None = first_passage(process.passage_convention)
    else:
        expected = None if plan.parent_passage is None else plan.parent_passage + 1
    if expected is None or plan.passage != expected:
        yield _count_doubtful(dossier.subject, plan.passage)


def _made(dossier: Dossier, process: Process) -> Iterator[Statement]:
    steps = tuple(growing_steps(dossier))
    if not steps:
        yield lacks(
            dossier.subject,
            Text("No isolation and no passage is recorded."),
            Text("Record every step by which these cells came to be."),
        )
    for step in steps:
        yield _within(f"STEP-{step.id}", process, step.passage, _cpdl(step.kind, step.cpdl), about_to_grow=None)
    made = {step.passage for step in steps if step.passage is not None}
    # What was thawed goes on from its vial; that it does is CB-08's to judge.
    thawed = min((step.passage for step in steps if step.kind is StepKind.THAW and step.passage), default=None)
    first = first_passage(process.passage_convention) if thawed is None else thawed
    if made and made != set(range(first, max(made) + 1)):
        yield _count_doubtful(dossier.subject, max(made))


def _cpdl(kind: StepKind, cpdl: Decimal | None) -> Decimal | None:
    # The primary culture begins at zero: how many cells were seeded is not known.
    return Decimal(0) if kind is StepKind.ISOLATION and cpdl is None else cpdl


def _within(
    subject: str, process: Process, passage: int | None, cpdl: Decimal | None, *, about_to_grow: StepKind | None
) -> Statement:
    if passage is None or cpdl is None:
        return lacks(
            subject,
            Text("The passage or the cumulative doublings are not known."),
            Text("Record the counts of every passage, so that the cells' age is known."),
        )
    # Cells that stand at the limit may not grow further; cells that ended there are within it.
    above = passage > process.max_passage or (cpdl >= process.max_pdl if about_to_grow else cpdl > process.max_pdl)
    said = Text(
        "P{passage} with {cpdl} doublings; at most P{max_passage} and {max_pdl}",
        passage=passage,
        cpdl=cpdl,
        max_passage=process.max_passage,
        max_pdl=process.max_pdl,
    )
    if above:
        return fails(
            subject,
            said,
            Text("Harvest at this passage, or end the culture. A higher limit is a new process version with data."),
        )
    return shows(subject, said)


def _count_doubtful(subject: str, passage: int | None) -> Statement:
    return lacks(
        subject,
        Text(
            "The count of passages up to P{passage} is not without a gap.", passage="?" if passage is None else passage
        ),
        Text("Find the step that was not recorded, and record it as already happened."),
    )
