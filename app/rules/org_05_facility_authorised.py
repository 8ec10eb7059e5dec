"""ORG-05: the facility was authorised to run this process version when it ran it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain.acts import Role
from app.domain.counterexamples import empty, every, without
from app.domain.dossier import Dossier
from app.domain.facts import SubjectKind
from app.domain.making import made_elsewhere_alone, steps_at_a_partner
from app.domain.mandates import authorised
from app.domain.processing import STEP_NAMES, assessed_by
from app.domain.rulebook import (
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
    wants_waiver,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_STEP = SubjectKind.STEP
_WANTS = Outcome.NEEDS_WAIVER


@rule(
    "ORG-05",
    Text("The facility is authorised for this process version"),
    cites=(
        Citation(
            GUIDELINE,
            "§2",
            Text("The preparation facility, the third level, runs the processes for which it is fit and authorised."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G4, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("nobody authorised it", empty("authorisations"), outcome=_WANTS),
        Break("another version is authorised", every("authorisations", process="BM-MSC 3"), outcome=_WANTS),
        Break(
            "authorised after the first step",
            every("authorisations", approved_at=datetime(2026, 10, 6, tzinfo=UTC)),
            outcome=_WANTS,
        ),
        Break(
            "it had run out before the fill",
            every("authorisations", valid_to=datetime(2026, 10, 25, tzinfo=UTC)),
            outcome=_WANTS,
        ),
        Break("whoever proposed it signed it", every("authorisations", approved_by="quinn"), outcome=_WANTS),
        Break(
            "not authorised, and a step is about to start",
            empty("authorisations"),
            gate=Gate.G4,
            kind=_STEP,
            outcome=_WANTS,
        ),
        Break("what is authorised is unknown", without("authorisations"), outcome=Outcome.INDETERMINATE),
    ),
)
def facility_authorised(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the planned step (G4), or each step as of its beginning (G6)."""
    if dossier.authorisations is None or dossier.process is None:
        yield lacks(
            dossier.subject,
            Text("It is not known which process this is, or for which the facility is authorised."),
            Text("Report this to whoever keeps the system."),
        )
        return
    process = f"{dossier.process.name} {dossier.process.version}"
    if asked.gate is Gate.G4 and dossier.plan is not None:
        yield _judge(dossier, dossier.subject, process, dossier.plan.at)
        return
    if made_elsewhere_alone(dossier):
        yield does_not_apply(
            dossier.subject,
            Text(
                "made by {partner}, and not in this facility: the assessment of the partner and the agreement about this "
                "process version are asked for instead",
                partner=steps_at_a_partner(dossier)[0].partner or "",
            ),
        )
    for step in (each for each in dossier.steps or () if each.partner is None):
        yield _judge(dossier, f"STEP-{step.id}", process, step.started_at, STEP_NAMES[step.kind])
    if not dossier.steps:
        yield lacks(dossier.subject, Text("No step is known."), Text("Record every step with what it was made in."))


def _judge(dossier: Dossier, subject: str, process: str, at: datetime, step: Text | None = None) -> Statement:
    found = authorised(dossier.authorisations or (), process, at)
    if found is not None:
        return shows(
            subject,
            Text("{process}: authorised by {by} at {at}", process=process, by=found.approved_by or "", at=at),
        )
    numbers = assessed_by(dossier, "ORG-05")
    problem = Text(
        "{process}: no authorisation of this process version stood at {at} ({step}).",
        process=process,
        at=at,
        step=step or Text("the step about to start"),
    )
    return wants_waiver(
        subject,
        Text("{problem} Assessed by deviation {numbers}.", problem=problem, numbers=numbers) if numbers else problem,
        Text(
            "Have the quality authority authorise the process version before it is run. What was run before is assessed, "
            "and the quality authority decides about this one lot."
        ),
    )
