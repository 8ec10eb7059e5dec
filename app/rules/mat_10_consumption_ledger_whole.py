"""MAT-10: the ledger of what was consumed is whole, also where a bank stands behind the lot."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from app.domain.banking import comes_from_a_bank
from app.domain.counterexamples import all_of, allogeneic, empty, nth
from app.domain.dossier import Dossier
from app.domain.facts import Consumption, Step
from app.domain.processing import OPEN_HANDLING, STEP_NAMES
from app.domain.rulebook import (
    NEVER,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import GMP, GUIDELINE
from app.domain.text import Text

_UNKNOWN = Outcome.INDETERMINATE


@rule(
    "MAT-10",
    Text("The ledger of consumed materials is whole"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Each use of a material is recorded, so that cells lead to materials and materials to cells."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            GMP,
            "chapter 8",
            Text("Batch, quantity and step of every material stand in the record."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=NEVER,
    breaks=(
        Break("used before its step began", nth("consumptions", 0, used_at=datetime(2026, 10, 4, 9, tzinfo=UTC))),
        Break("used after its step had ended", nth("consumptions", 0, used_at=datetime(2026, 10, 6, 9, tzinfo=UTC))),
        Break("less than nothing was used", nth("consumptions", 1, quantity=Decimal(-1))),
        Break(
            "cells of a bank: used, and nobody knows in which step",
            all_of(allogeneic, nth("consumptions", 0, step_id=None)),
            outcome=_UNKNOWN,
        ),
        Break(
            "cells of a bank: used, and nobody knows how much",
            all_of(allogeneic, nth("consumptions", 1, quantity=None)),
            outcome=_UNKNOWN,
        ),
        Break(
            "cells of a bank: used, and nobody knows from which container",
            all_of(allogeneic, nth("consumptions", 2, container=" ")),
            outcome=_UNKNOWN,
        ),
        Break(
            "cells of a bank: nothing was used at all",
            all_of(allogeneic, empty("consumptions")),
            outcome=_UNKNOWN,
            also=("MAT-06",),
        ),
    ),
)
def consumption_ledger_whole(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Read the ledger against the steps. Gaps of a lot without a bank are CB-06's to name; what cannot be true is said here."""
    if dossier.consumptions is None or dossier.steps is None:
        yield lacks(
            dossier.subject,
            Text("The steps or what they used is not known."),
            Text("Record every step with what went into it."),
        )
        return
    steps = {step.id: step for step in dossier.steps}
    found = [
        *(problem for use in dossier.consumptions for problem in _impossible(use, steps.get(use.step_id or 0))),
        *(_gaps(dossier, steps) if comes_from_a_bank(dossier) else ()),
    ]
    yield from found or (
        shows(dossier.subject, Text("{uses} uses of material, each within its step", uses=len(dossier.consumptions))),
    )


def _impossible(use: Consumption, step: Step | None) -> Iterator[Statement]:
    if use.quantity is not None and use.quantity <= 0:
        yield fails(
            use.material_lot,
            Text("A use of {quantity} {unit} is no use.", quantity=use.quantity, unit=use.unit or ""),
            Text("Quality establishes what was used and assesses it by a deviation."),
        )
    if step is not None and (use.used_at < step.started_at or (step.ended_at and use.used_at > step.ended_at)):
        yield fails(
            use.material_lot,
            Text(
                "It was used at {at}, outside the step that it was used in: {step}.",
                at=use.used_at,
                step=STEP_NAMES[step.kind],
            ),
            Text("Quality establishes what was used when and assesses it by a deviation."),
        )


def _gaps(dossier: Dossier, steps: dict[int, Step]) -> Iterator[Statement]:
    for use in dossier.consumptions or ():
        if (
            use.step_id not in steps
            or use.quantity is None
            or not (use.unit or "").strip()
            or not use.container.strip()
        ):
            yield lacks(
                use.material_lot,
                Text("It was used, and its step, quantity, unit or container is not known."),
                Text("Establish it from the bench record, and record it as already happened."),
            )
    supplied = {each.step_id for each in dossier.consumptions or ()}
    for step in steps.values():
        if step.kind in OPEN_HANDLING and step.id not in supplied:
            yield lacks(
                f"STEP-{step.id}",
                Text("{step}: nothing is recorded that went into it.", step=STEP_NAMES[step.kind]),
                Text("Establish what was used, and record it as already happened."),
            )
