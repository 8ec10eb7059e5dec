"""GMP-05: every critical step is verified by a second person who scanned the thing itself, and in time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from app.domain import settings
from app.domain.counterexamples import every, made_by_partner, nth, setting, where, without
from app.domain.dossier import Dossier
from app.domain.facts import LegacyAbout, Step
from app.domain.processing import STEP_NAMES, too_late
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
    undocumented,
)
from app.domain.sources import CN_CELL_GMP, GMP
from app.domain.testing import spoken
from app.domain.text import Text

_DAYS_BEFORE = datetime(2026, 9, 1, tzinfo=UTC)
_DAYS_LATER = datetime(2026, 10, 8, 11, 10, tzinfo=UTC)


@rule(
    "GMP-05",
    Text("Every critical step is verified by a second person"),
    cites=(
        Citation(
            GMP,
            "chapter 9",
            Text("Critical operations are checked by a second person when they are made, and both are named."),
            Standing.UNVERIFIED,
        ),
        Citation(
            CN_CELL_GMP,
            "production",
            Text("Identity is checked at each step at which material of another donor could be taken."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=NEVER,
    legacy=(LegacyAbout.LOT,),
    breaks=(
        Break("the same person performed and verified", nth("steps", 1, verified_by="tess")),
        Break(
            "the partner's record names one person for both",
            made_by_partner(nth("steps", 1, verified_by="Liu (Cell Works Ltd)")),
        ),
        Break(
            "the partner's record writes one person's name in two ways",
            made_by_partner(nth("steps", 1, verified_by="LIU  （Cell Works Ltd）")),
        ),
        Break(
            "the partner's record names no second person",
            made_by_partner(nth("steps", 1, verified_by=None, verified_at=None)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("verified before it began", nth("steps", 0, verified_at=_DAYS_BEFORE)),
        Break("verified days later", nth("steps", 0, verified_at=_DAYS_LATER)),
        Break(
            "a step that nobody verified",
            nth("steps", 2, verified_by=None, verified_at=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "no step was verified",
            every("steps", verified_by=None, verified_at=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("named, but without the scan", every("steps", verified_at=None), outcome=Outcome.INDETERMINATE),
        Break(
            "freezing that nobody verified",
            where("steps", "kind", "cryopreservation", verified_by=None, verified_at=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("nobody knows when a step ended", nth("steps", 3, ended_at=None), outcome=Outcome.INDETERMINATE),
        Break(
            "which steps are critical is not set", setting("gmp05.critical_steps", []), outcome=Outcome.INDETERMINATE
        ),
        Break("how soon is not set", setting("gmp05.within_hours", "soon"), outcome=Outcome.INDETERMINATE),
        Break(
            "the steps are unknown",
            without("steps"),
            outcome=Outcome.INDETERMINATE,
            also=("CB-04", "CB-05", "CB-06", "GMP-03", "GMP-04", "MAT-10", "ORG-05", "QA-05", "QA-07"),
        ),
    ),
)
def verified_by_a_second_person(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each critical step: somebody else verified it, within the hours that the setting allows."""
    critical = settings.words(dossier, "gmp05.critical_steps")
    within = timedelta(hours=float(settings.number(dossier, "gmp05.within_hours")))
    steps = [step for step in dossier.steps or () if step.kind in critical]
    if not steps:
        yield lacks(
            dossier.subject,
            Text("No critical step is known."),
            Text("Record every step, and have a second person verify it."),
        )
    for step in steps:
        yield _judge(dossier, step, asked, within)


def _judge(dossier: Dossier, step: Step, asked: Asked, within: timedelta) -> Statement:
    subject, kind = f"STEP-{step.id}", STEP_NAMES[step.kind]
    if step.partner is not None and (step.verified_by is None or step.verified_at is None):
        return lacks(
            subject,
            Text("{step}: the batch record of {partner} names no second person.", step=kind, partner=step.partner),
            Text("Ask the partner who verified it and when; what its record does not show stays unverified."),
        )
    if step.verified_by is None or step.verified_at is None or step.verified_at > asked.at:
        return undocumented(
            subject,
            Text("{step}: no second person verified it with badge, PIN and a scan of the thing itself.", step=kind),
            Text("A verifier who neither did it nor wrote it down verifies it at the bench."),
        )
    if spoken(step.verified_by) == spoken(step.performed_by):
        return fails(
            subject,
            Text("{step}: {person} performed it and verified it alone.", step=kind, person=step.performed_by),
            Text("Performing and verifying are two people's work; quality assesses what was done."),
        )
    if step.verified_at < step.started_at:
        return fails(
            subject,
            Text(
                "{step}: verified at {verified}, before it began at {began}.",
                step=kind,
                verified=step.verified_at,
                began=step.started_at,
            ),
            Text("What was not done yet cannot have been verified; quality assesses what the record shows."),
        )
    if step.ended_at is None:
        return lacks(
            subject,
            Text("{step}: it is not known when it ended, nor whether it was verified in time.", step=kind),
            Text("Establish it from the bench record; quality assesses what cannot be established."),
        )
    if step.verified_at > step.ended_at + within:
        return too_late(
            dossier,
            "GMP-05",
            subject=subject,
            problem=Text(
                "{step}: verified at {verified}, more than {hours} h after its end at {ended}.",
                step=kind,
                verified=step.verified_at,
                hours=round(within / timedelta(hours=1), 1),
                ended=step.ended_at,
            ),
        )
    return shows(subject, Text("{step}: verified by {person}", step=kind, person=step.verified_by))
