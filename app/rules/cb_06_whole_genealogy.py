"""CB-06: without a bank the genealogy is whole: every step, what went into it, and passages without a gap."""

from collections.abc import Iterator
from dataclasses import replace

from app.domain.banking import comes_from_a_bank
from app.domain.counterexamples import Edit, drop, empty, nth, where
from app.domain.dossier import Dossier
from app.domain.facts import Consumption, Step, StepKind
from app.domain.processing import OPEN_HANDLING, STEP_NAMES, first_passage, growing_steps
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
    lacks,
    rule,
    shows,
)
from app.domain.sources import CN_CELL_GMP, GUIDELINE
from app.domain.text import Text

_UNKNOWN = Outcome.INDETERMINATE


def _no_fill(dossier: Dossier) -> Dossier:
    """The fill was never recorded, nor what it used."""
    fills = {step.id for step in dossier.steps or () if step.kind is StepKind.FILL}
    return replace(
        dossier,
        steps=tuple(step for step in dossier.steps or () if step.id not in fills),
        consumptions=tuple(each for each in dossier.consumptions or () if each.step_id not in fills),
    )


def _used_in(step_id: int) -> Edit:
    return drop("consumptions", "step_id", step_id)


@rule(
    "CB-06",
    Text("Where there is no bank the genealogy is whole, from the first step to the fill"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Without a cell bank the preparation is fully traceable from donor to recipient."),
            Standing.STATED,
        ),
        Citation(
            CN_CELL_GMP,
            "traceability",
            Text("What was used, how much of it and in which step stands in the record of each lot."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=NEVER,
    breaks=(
        Break("used, and nobody knows in which step", nth("consumptions", 0, step_id=None), outcome=_UNKNOWN),
        Break("used, and nobody knows how much", nth("consumptions", 1, quantity=None), outcome=_UNKNOWN),
        Break("used, and nobody knows in what unit", nth("consumptions", 2, unit=" "), outcome=_UNKNOWN),
        Break("used, and nobody knows from which container", nth("consumptions", 3, container=""), outcome=_UNKNOWN),
        Break("used in a step that is not recorded", nth("consumptions", 1, step_id=77), outcome=_UNKNOWN),
        Break("a passage in which nothing was used", _used_in(2), outcome=_UNKNOWN),
        Break("a fill in which nothing was used", _used_in(5), outcome=_UNKNOWN),
        Break("nothing was used at all", empty("consumptions"), outcome=_UNKNOWN, also=("MAT-06",)),
        Break("no fill is recorded", _no_fill, outcome=_UNKNOWN),
        Break(
            "filled from a passage that nobody made", where("steps", "kind", StepKind.FILL, passage=4), outcome=_UNKNOWN
        ),
    ),
)
def whole_genealogy(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Walk from the isolation to the fill. That one donor stands behind every container is REL-05's to judge."""
    if comes_from_a_bank(dossier):
        yield does_not_apply(dossier.subject, Text("from a cell bank, whose own genealogy stands behind it"))
        return
    if not dossier.steps or dossier.consumptions is None or dossier.process is None:
        yield lacks(
            dossier.subject,
            Text("The steps, what they used or the process version is not known."),
            Text("Record every step with what went into it."),
        )
        return
    gaps = (*_uses(dossier, dossier.consumptions), *_steps(dossier, dossier.steps), *_passages(dossier))
    yield from gaps or (
        shows(
            dossier.subject,
            Text(
                "{steps} steps and {uses} uses of material follow on each other without a gap",
                steps=len(dossier.steps),
                uses=len(dossier.consumptions),
            ),
        ),
    )


def _uses(dossier: Dossier, consumptions: tuple[Consumption, ...]) -> Iterator[Statement]:
    steps = {step.id for step in dossier.steps or ()}
    for each in consumptions:
        if each.step_id not in steps:
            yield _incomplete(each, Text("It was used, and it is not known in which step."))
        if each.quantity is None or not (each.unit or "").strip() or not each.container.strip():
            yield _incomplete(each, Text("It was used, and it is not known how much of it, or from which container."))


def _incomplete(use: Consumption, problem: Text) -> Statement:
    return lacks(
        use.material_lot, problem, Text("Establish it from the bench record, and record it as already happened.")
    )


def _steps(dossier: Dossier, steps: tuple[Step, ...]) -> Iterator[Statement]:
    supplied = {each.step_id for each in dossier.consumptions or ()}
    for step in steps:
        if step.kind in OPEN_HANDLING and step.id not in supplied:
            yield lacks(
                f"STEP-{step.id}",
                Text("{step}: nothing is recorded that went into it.", step=STEP_NAMES[step.kind]),
                Text("Establish what was used, and record it as already happened."),
            )


def _passages(dossier: Dossier) -> Iterator[Statement]:
    fills = [step for step in dossier.steps or () if step.kind is StepKind.FILL]
    made = {step.passage for step in growing_steps(dossier)}
    if not fills:
        yield lacks(dossier.subject, Text("No fill is recorded."), Text("Record the step that was not recorded."))
    for step in fills:
        first = first_passage(dossier.process.passage_convention) if dossier.process else 0
        wanted = set() if step.passage is None else set(range(first, step.passage + 1))
        if step.passage is None or not wanted <= made:
            yield lacks(
                f"STEP-{step.id}",
                Text(
                    "Filled from P{passage}, and not every passage up to it is recorded.",
                    passage="?" if step.passage is None else step.passage,
                ),
                Text("Find the step that was not recorded, and record it as already happened."),
            )
