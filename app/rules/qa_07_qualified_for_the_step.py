"""QA-07: whoever makes a step was qualified for it, by a record that is older than the step."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain import settings
from app.domain.acts import Role
from app.domain.counterexamples import drop, empty, every, of_papers, part, setting, where, without
from app.domain.dossier import Dossier
from app.domain.facts import Qualification, StepKind, SubjectKind
from app.domain.making import certified
from app.domain.people import TOPIC_NAMES
from app.domain.processing import STEP_NAMES
from app.domain.rulebook import (
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    lacks,
    rule,
    shows,
    wants_waiver,
)
from app.domain.sources import GMP, GUIDELINE
from app.domain.text import Text

_WANTS = Outcome.NEEDS_WAIVER


@rule(
    "QA-07",
    Text("Whoever makes a step was qualified for it, gowning included"),
    cites=(
        Citation(
            GUIDELINE,
            "§2",
            Text("Those who prepare cells are trained for it."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            GMP,
            "chapter 3",
            Text("People are trained and assessed for their work; entering a clean area asks for qualified gowning."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G4, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    late_by_nature=("makers",),
    breaks=(
        Break(
            "a partner made it, and says nothing of its people",
            of_papers(only=("kind", "release"), covers=("equipment", "clean_area", "deviations")),
            outcome=Outcome.INDETERMINATE,
            also=("EXT-03",),
        ),
        Break("nobody was qualified for anything", empty("qualifications"), outcome=_WANTS),
        Break(
            "the gowning had run out before the fill",
            where("qualifications", "topic", "gowning", valid_to=datetime(2026, 10, 25, tzinfo=UTC)),
            outcome=_WANTS,
        ),
        Break("never trained in cryopreservation", drop("qualifications", "topic", "cryopreservation"), outcome=_WANTS),
        Break("somebody else was qualified", every("qualifications", account="tom"), outcome=_WANTS),
        Break(
            "qualified after the isolation",
            where("qualifications", "topic", "isolation", valid_from=datetime(2026, 10, 6, tzinfo=UTC)),
            outcome=_WANTS,
        ),
        Break(
            "the training was recorded after the work",
            every("qualifications", recorded_at=datetime(2026, 10, 30, tzinfo=UTC)),
            outcome=_WANTS,
        ),
        Break(
            "not qualified for the passage about to start",
            drop("qualifications", "topic", "passage"),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            outcome=_WANTS,
        ),
        Break(
            "somebody without training is about to start",
            part("plan", performed_by="tom"),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            outcome=_WANTS,
        ),
        Break(
            "who is about to start is unknown",
            part("plan", performed_by=None),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("who is qualified is unknown", without("qualifications"), outcome=Outcome.INDETERMINATE),
        Break(
            "what a fill asks for is not set",
            setting("qa07.topics", {"isolation": ["isolation"], "passage": ["passage"]}),
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def qualified_for_the_step(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge whoever is about to make the planned step (G4), or whoever made each step (G6), as of its beginning."""
    plan = dossier.plan
    if dossier.qualifications is None:
        yield lacks(
            dossier.subject, Text("It is not known who is qualified."), Text("Report this to whoever keeps the system.")
        )
    elif asked.gate is not Gate.G4:
        yield from certified(dossier, asked, "training")
        for step in (each for each in dossier.steps or () if each.partner is None):
            yield _judge(dossier, f"STEP-{step.id}", step.kind, step.performed_by, step.started_at)
        if not dossier.steps:
            yield lacks(dossier.subject, Text("No step is known."), Text("Record every step with whoever made it."))
    elif plan is None or plan.performed_by is None:
        yield lacks(
            dossier.subject,
            Text("It is not known who is about to make the step."),
            Text("Whoever makes it signs in and records it."),
        )
    else:
        yield _judge(dossier, dossier.subject, plan.kind, plan.performed_by, plan.at)


def _judge(dossier: Dossier, subject: str, kind: StepKind, person: str, at: datetime) -> Statement:
    wanted = settings.word_lists(dossier, "qa07.topics").get(kind.value)
    if not wanted:
        return lacks(
            subject,
            Text("It is not set what this step asks people to be qualified for: {step}.", step=STEP_NAMES[kind]),
            Text("Quality states it in the setting qa07.topics."),
        )
    held = {each.topic for each in dossier.qualifications or () if each.account == person and _held(each, at)}
    missing = tuple(topic for topic in wanted if topic not in held)
    if missing:
        return wants_waiver(
            subject,
            Text(
                "{step}: {person} was not qualified for {topics} by a record older than the step.",
                step=STEP_NAMES[kind],
                person=person,
                topics=tuple(TOPIC_NAMES.get(each, each) for each in missing),
            ),
            Text(
                "Somebody who is qualified makes it. Where it was made under supervision, the quality authority decides."
            ),
        )
    return shows(
        subject,
        Text(
            "{step}: {person} qualified for {topics}",
            step=STEP_NAMES[kind],
            person=person,
            topics=tuple(TOPIC_NAMES.get(each, each) for each in wanted),
        ),
    )


def _held(qualification: Qualification, at: datetime) -> bool:
    return qualification.valid_from <= at < qualification.valid_to and qualification.recorded_at <= at
