"""GM-08: while genes are changed in a room, no cells whose genes are not changed stand open in it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from app.domain.counterexamples import Edit, all_of, gene_modified, part, without
from app.domain.dossier import Dossier
from app.domain.facts import Neighbour, SubjectKind
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
    does_not_apply,
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import CN_CELL_GMP
from app.domain.text import Text

_SINCE = datetime(2026, 10, 26, 8, tzinfo=UTC)
_G4: dict[str, Any] = {"gate": Gate.G4, "kind": SubjectKind.STEP}


def _beside(*, changed: bool | None, workstation: str = "E0000000008") -> Edit:
    """Another lot stands open in the room."""
    return part("plan", neighbours=(Neighbour("L0000000077", workstation, changed, _SINCE),))


@rule(
    "GM-08",
    Text("Vector work and cells whose genes are not changed never stand open together"),
    cites=(
        Citation(
            CN_CELL_GMP,
            "premises",
            Text("Work with vectors is kept apart from other products, in space or in time."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G4,),
    waiver=NEVER,
    breaks=(
        Break("vector work beside cells that are not changed", _beside(changed=True), **_G4),
        Break("cells that are not changed beside vector work", all_of(gene_modified, _beside(changed=False)), **_G4),
        Break("at the very workstation", _beside(changed=True, workstation="E0000000001"), **_G4),
        Break(
            "nobody knows whether the neighbour's genes are changed",
            _beside(changed=None),
            **_G4,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nobody knows what stands open in the room",
            part("plan", neighbours=None),
            **_G4,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the process is not known",
            all_of(_beside(changed=True), without("process")),
            **_G4,
            outcome=Outcome.INDETERMINATE,
            also=("CB-01", "CB-01A", "CB-03", "CB-05", "DON-05", "GM-01", "ORG-05"),
        ),
    ),
)
def vector_work_apart(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Compare the process of the step with that of every other lot that stands open in its room."""
    plan, process = dossier.plan, dossier.process
    if plan is None:
        yield lacks(dossier.subject, Text("No step is planned."), Text("Plan the step with its workstation."))
        return
    if plan.kind not in OPEN_HANDLING:
        yield does_not_apply(dossier.subject, Text("{step}: opens no container", step=STEP_NAMES[plan.kind]))
        return
    if plan.neighbours is None or (process is None and plan.neighbours):
        yield lacks(
            dossier.subject,
            Text("It is not known what else stands open in the room, or whether genes are changed here."),
            Text("Scan the workstation, and name the process version that the lot follows."),
        )
        return
    changes = process is not None and process.gene_modified
    for each in plan.neighbours:
        if each.gene_modified is None:
            yield lacks(
                each.workstation,
                Text(
                    "It is not known whether genes are changed in lot {lot}, which stands open since {since}.",
                    lot=each.lot,
                    since=each.since,
                ),
                Text("Name the process version that it follows, or wait until it is finished and the line is cleared."),
            )
        elif each.gene_modified != changes:
            yield fails(
                each.workstation,
                Text(
                    "Lot {lot} stands open in the room since {since}: one of the two is vector work.",
                    lot=each.lot,
                    since=each.since,
                ),
                Text("Finish there and clear the line, or take a workstation in another room."),
            )
    if not changes and not any(each.gene_modified for each in plan.neighbours):
        yield does_not_apply(dossier.subject, Text("no vector work stands open in the room, and this is none"))
    elif changes and all(each.gene_modified for each in plan.neighbours):
        yield shows(dossier.subject, Text("nothing else than vector work stands open in the room"))
