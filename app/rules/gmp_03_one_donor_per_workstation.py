"""GMP-03: one donor at a workstation at a time, and a line clearance before that a second person verified.

No step begins before its opening clearance is verified. A closing clearance that nobody verified closes nothing: the
next opening is cleared and verified anew, and a lot is judged by the clearances that opened its own steps.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain.counterexamples import every, inside_plan_session, made_by_partner, nth, part, without
from app.domain.dossier import Dossier
from app.domain.facts import LegacyAbout, OpenSession, Plan, Step, SubjectKind
from app.domain.processing import OPEN_HANDLING, STEP_NAMES, too_late
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
    undocumented,
)
from app.domain.sources import CN_CELL_GMP, GUIDELINE
from app.domain.testing import spoken
from app.domain.text import Text

_STEP = SubjectKind.STEP
_LATER = datetime(2030, 1, 1, tzinfo=UTC)


def _planned(name: str, outcome: Outcome = Outcome.FAIL, **session: object) -> Break:
    return Break(name, inside_plan_session(**session), gate=Gate.G4, kind=_STEP, outcome=outcome)


@rule(
    "GMP-03",
    Text("One donor at a workstation, and the line cleared before"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Good manufacturing practice holds for self-made preparations; cross-contamination is prevented."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            CN_CELL_GMP,
            "production",
            Text("Material of different donors is not handled in one open area at the same time."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G4, Gate.G6),
    waiver=NEVER,
    legacy=(LegacyAbout.LOT,),
    breaks=(
        _planned("another donor is at the workstation", donor="P-DONOR-2"),
        _planned("the clearance is yet to come", clearance_at=_LATER),
        _planned("the line was not cleared", Outcome.INDETERMINATE, clearance_at=None),
        _planned(
            "nobody verified the clearance",
            Outcome.INDETERMINATE,
            clearance_verified_by=None,
            clearance_verified_at=None,
        ),
        _planned("the clearance is verified only later", clearance_verified_at=_LATER),
        _planned("the same person cleared and verified", clearance_verified_by="tess"),
        Break("somebody else is at work there", part("plan", other_open_sessions=1), gate=Gate.G4, kind=_STEP),
        Break(
            "nobody opened the workstation",
            part("plan", workstation_open_session=None),
            gate=Gate.G4,
            kind=_STEP,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "no workstation named",
            part("plan", workstation=None),
            gate=Gate.G4,
            kind=_STEP,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the donor is not known",
            part("plan", donor=None),
            gate=Gate.G4,
            kind=_STEP,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("a step at another donor's workstation", nth("steps", 0, session_donor="P-DONOR-2")),
        Break("a step without a clearance", nth("steps", 0, clearance_before_at=None)),
        Break(
            "the partner's record does not say whose the workstation was",
            made_by_partner(nth("steps", 0, session_donor=None)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("a step cleared afterwards", nth("steps", 0, clearance_before_at=_LATER)),
        Break(
            "cleared and verified by one person",
            every("steps", clearance_performed_by="tess", clearance_verified_by="tess"),
        ),
        Break(
            "the partner's record writes one person's name in two ways",
            made_by_partner(every("steps", clearance_verified_by="liu (CELL WORKS Ltd)")),
        ),
        Break(
            "a clearance nobody verified",
            every("steps", clearance_verified_by=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("a step at no known workstation", nth("steps", 0, workstation=None), outcome=Outcome.INDETERMINATE),
        Break("a clearance verified after the step began", nth("steps", 0, clearance_verified_at=_LATER)),
        Break(
            "the steps are unknown",
            without("steps"),
            outcome=Outcome.INDETERMINATE,
            also=("CB-04", "CB-05", "CB-06", "GMP-04", "GMP-05", "MAT-10", "ORG-05", "QA-05", "QA-07"),
        ),
    ),
)
def one_donor_per_workstation(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the workstation of the step planned now (G4), or of every open step that was made (G6)."""
    if asked.gate is Gate.G4:
        yield from _plan(dossier)
    else:
        yield from _steps(dossier)


def _plan(dossier: Dossier) -> Iterator[Statement]:
    plan = dossier.plan
    if plan is None:
        yield lacks(dossier.subject, Text("No step is planned."), Text("Plan the step with its workstation."))
    elif plan.kind not in OPEN_HANDLING:
        yield does_not_apply(dossier.subject, Text("{step}: opens no container", step=STEP_NAMES[plan.kind]))
    elif plan.workstation is None or plan.donor is None or plan.workstation_open_session is None:
        yield lacks(
            dossier.subject,
            Text("The donor, the workstation or its line clearance is not known."),
            Text("Scan the workstation, clear the line and have the clearance verified."),
        )
    else:
        yield from _occupied(plan, plan.workstation, plan.workstation_open_session)


def _occupied(plan: Plan, workstation: str, session: OpenSession) -> Iterator[Statement]:
    if session.donor != plan.donor or plan.other_open_sessions:
        yield fails(
            workstation,
            Text("Donor {donor} is at this workstation since {since}.", donor=session.donor, since=session.since)
            if session.donor != plan.donor
            else Text("Another lot is open at this workstation."),
            Text("Finish there and clear the line, or take another workstation."),
        )
    yield from _people(
        workstation,
        session.clearance_performed_by,
        session.clearance_verified_by if session.clearance_verified_at is not None else None,
    )
    if session.clearance_at is None:
        yield lacks(
            workstation,
            Text("The line has not been cleared."),
            Text("Clear the line and have it verified before the step."),
        )
    elif session.clearance_at > plan.at:
        yield fails(
            workstation,
            Text("The line clearance at {at} is not before the step.", at=session.clearance_at),
            Text("Clear the line and have it verified before the step."),
        )
    elif session.clearance_verified_at is not None and session.clearance_verified_at > plan.at:
        yield fails(
            workstation,
            Text("The line clearance was verified at {at}, not before the step.", at=session.clearance_verified_at),
            Text("Begin the step once a second person has verified the line clearance."),
        )
    else:
        yield shows(workstation, Text("line cleared {at}", at=session.clearance_at))


def _people(subject: str, performed_by: str | None, verified_by: str | None) -> Iterator[Statement]:
    if performed_by is None or verified_by is None:
        yield lacks(
            subject,
            Text("The line clearance was not verified by a second person."),
            Text("A second person verifies the clearance with their own eyes."),
        )
    elif spoken(performed_by) == spoken(verified_by):
        yield fails(
            subject,
            Text("{person} cleared the line and verified it alone.", person=performed_by),
            Text("Performing and verifying are two people's work; quality assesses what was done."),
        )


def _steps(dossier: Dossier) -> Iterator[Statement]:
    donors = dossier.donors or ()
    if not dossier.steps or len(donors) != 1:
        yield lacks(
            dossier.subject,
            Text("The steps or their one donor are not known."),
            Text("Record every step with its workstation and its line clearance."),
        )
        return
    for step in dossier.steps:
        if step.kind in OPEN_HANDLING:
            yield from _made(dossier, step, donors[0].pseudonym)


def _made(dossier: Dossier, step: Step, donor: str) -> Iterator[Statement]:
    subject = f"STEP-{step.id}"
    if step.workstation is None or step.session_donor is None:
        yield undocumented(
            subject,
            Text("It is not known at which workstation the step was made, or whose it was then."),
            Text("Establish it from the bench record; quality assesses what cannot be established."),
        )
    elif step.session_donor != donor:
        yield fails(
            subject,
            Text(
                "Workstation {workstation} was donor {donor}'s then.",
                workstation=step.workstation,
                donor=step.session_donor,
            ),
            Text("Quality investigates whether cells of two donors met; the lot may be rejected."),
        )
    cleared_at = step.clearance_before_at
    if cleared_at is None:
        yield too_late(dossier, "GMP-03", subject=subject, problem=Text("No line clearance stands before the step."))
        return
    verified_at = step.clearance_verified_at
    yield from _people(
        subject, step.clearance_performed_by, step.clearance_verified_by if verified_at is not None else None
    )
    if cleared_at > step.started_at:
        yield too_late(
            dossier,
            "GMP-03",
            subject=subject,
            problem=Text(
                "The line was cleared at {cleared}, after the step began at {began}.",
                cleared=cleared_at,
                began=step.started_at,
            ),
        )
    elif verified_at is not None and verified_at > step.started_at:
        yield too_late(
            dossier,
            "GMP-03",
            subject=subject,
            problem=Text(
                "The line clearance was verified at {verified}, after the step began at {began}.",
                verified=verified_at,
                began=step.started_at,
            ),
        )
    else:
        yield shows(subject, Text("line cleared {at}", at=cleared_at))
