"""DON-05: for autologous material cross-contamination is assessed, and every measure is carried out by a control."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain import settings
from app.domain.assessments import CONTROL_NAMES, GROUP_NAMES, is_about_donor, is_about_work, named, stood
from app.domain.counterexamples import empty, every, inside, part, setting, without
from app.domain.donors import as_known_at, is_proved_autologous, read_panel
from app.domain.dossier import Dossier
from app.domain.facts import Assessment, Donor, LegacyAbout, MarkerOutcome, Mitigation, SubjectKind
from app.domain.processing import processing_began_at, too_late
from app.domain.rulebook import (
    NEVER,
    RELEASES,
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


def _without(control: str) -> tuple[Mitigation, ...]:
    measures = {each: f"measure of {each}" for each in CONTROL_NAMES if each not in {control, "medical_review"}}
    return tuple(Mitigation(measure, each) for each, measure in measures.items())


@rule(
    "DON-05",
    Text("Cross-contamination between donors was assessed, and every measure is carried out"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("For autologous use the risk of cross-contamination is evaluated, with preventive measures."),
            Standing.STATED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("Each measure is tied to what carries it out: place or time, storage, clothing, cleaning, waste."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G2, Gate.G4, Gate.G6),
    waiver=NEVER,
    legacy=(LegacyAbout.DONOR,),
    breaks=(
        Break(
            "nothing was assessed, though every test is negative",
            empty("assessments"),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
        Break(
            "nothing was assessed, and a step is about to start",
            empty("assessments"),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break("a lot that was made without an assessment", empty("assessments")),
        Break("nobody approved it", every("assessments", approved_by=None, approved_at=None)),
        Break("whoever proposed it approved it", every("assessments", approved_by="quinn")),
        Break(
            "it was approved after processing had begun",
            every("assessments", approved_at=datetime(2026, 10, 6, tzinfo=UTC)),
        ),
        Break(
            "it ran out before the step",
            every("assessments", valid_to=datetime(2026, 10, 20, tzinfo=UTC)),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break("it is superseded", every("assessments", superseded=True)),
        Break(
            "it is about another process version",
            part("process", version=5),
            also=(
                "CB-03",
                "ORG-05",
            ),
        ),
        Break("it assesses another rule", every("assessments", rule="MAT-02")),
        Break(
            "a measure that nothing carries out",
            every("assessments", mitigations=(*_without(""), Mitigation("we take care", "care"))),
        ),
        Break("no measure for the waste", every("assessments", mitigations=_without("waste"))),
        Break(
            "nothing kept apart in storage",
            every("assessments", mitigations=(Mitigation("one at a time", "time_slot"),)),
        ),
        Break(
            "HBV NAT is positive and only the process is assessed, before a step",
            inside("donors", "markers", only=("marker", "HBV NAT"), outcome=MarkerOutcome.POSITIVE),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break(
            "a donor of whom nothing is known, before a step",
            every("donors", markers=()),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break("it is about another donor", every("assessments", scope_kind="donor", scope="P-DONOR-2")),
        Break("whether anything was assessed is unknown", without("assessments"), outcome=Outcome.INDETERMINATE),
        Break(
            "which controls there are is not set",
            setting("don05.controls", {}),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the donors of a step are unknown",
            without("donors"),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            outcome=Outcome.INDETERMINATE,
            also=("CB-03", "DON-14"),
        ),
    ),
)
def cross_contamination_assessed(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the assessment that stood when processing began, and the one that stands now, by what was known then and now.

    Where every marker is negative one about the facility, the process version or the donor will do; before a process is
    named (G2) that of a process counts for nothing. Otherwise it is about this very donor.
    """
    if not dossier.donors:
        yield lacks(
            dossier.subject, Text("No donor is known."), Text("Register the donor before the donation is processed.")
        )
    if dossier.assessments is None:
        yield lacks(
            dossier.subject,
            Text("It is not known what was assessed."),
            Text("Report this to whoever keeps the system."),
        )
        return
    for donor in dossier.donors or ():
        if is_proved_autologous(donor):
            yield from _judge(dossier, asked, donor)
        else:
            yield does_not_apply(donor.pseudonym, Text("not proved autologous: judged as allogeneic"))


def _judge(dossier: Dossier, asked: Asked, donor: Donor) -> Iterator[Statement]:
    began = processing_began_at(dossier) or asked.at
    then = _fitting(dossier, as_known_at(donor, began), known_at=began, stood_at=began)
    now = _fitting(dossier, donor, known_at=asked.at, stood_at=asked.at)
    if not now and asked.gate in RELEASES:
        # Processing is over: what stood at the last step covers all of it, if it fits what is known today.
        last = max((step.started_at for step in dossier.steps or ()), default=asked.at)
        now = _fitting(dossier, donor, known_at=asked.at, stood_at=last)
    if not now:
        yield _nothing_fits(dossier, donor, asked.at)
        return
    if not then:
        yield too_late(
            dossier,
            "DON-05",
            subject=donor.pseudonym,
            problem=Text(
                "No assessment of cross-contamination that fits this donor stood when processing began at {began}.",
                began=began,
            ),
        )
        return
    # The measures of the one that stands are asked of it; of several, the one that comes closest speaks.
    yield from min((tuple(_measures(dossier, donor, each)) for each in now), key=_closing)


def _closing(said: tuple[Statement, ...]) -> int:
    return sum(each.remedy is not None for each in said)


def _fitting(dossier: Dossier, donor: Donor, *, known_at: datetime, stood_at: datetime) -> list[Assessment]:
    """Assessments that stood at a moment and reach this donor, by what was known of it at a moment."""
    standing = list(stood(dossier, "DON-05", stood_at))
    own = [each for each in standing if is_about_donor(each, donor)]
    return (
        own
        if _needs_its_own(dossier, donor, known_at)
        else [*own, *(each for each in standing if is_about_work(each, dossier))]
    )


def _needs_its_own(dossier: Dossier, donor: Donor, at: datetime) -> bool:
    panel = settings.word_lists(dossier, "don01.panel")
    return not all(reading.is_negative for reading in read_panel(donor, panel, at))


def _nothing_fits(dossier: Dossier, donor: Donor, at: datetime) -> Statement:
    if _needs_its_own(dossier, donor, at):
        return fails(
            donor.pseudonym,
            Text("A marker is positive or unknown, and no assessment of cross-contamination for this donor stands."),
            Text("Keep the material apart; assess the risk for this donor and have the quality authority approve it."),
        )
    return fails(
        donor.pseudonym,
        Text(
            "No approved assessment of cross-contamination stands for the facility, this process version or this donor."
        ),
        Text("Assess it with its measures and have the quality authority approve it, before anything is processed."),
    )


def _measures(dossier: Dossier, donor: Donor, assessment: Assessment) -> Iterator[Statement]:
    controls = settings.word_lists(dossier, "don05.controls")
    group_of = {control: group for group, known in controls.items() for control in known}
    cited = named(assessment)
    for each in assessment.mitigations:
        if each.control not in group_of or not each.measure.strip():
            yield fails(
                cited,
                Text(
                    "Nothing carries out this measure: {measure} ({control})",
                    measure=each.measure,
                    control=each.control,
                ),
                Text("A new version of the assessment ties every measure to a control of this house."),
            )
    missing = set(settings.words(dossier, "don05.required_groups")) - {
        group_of[each.control] for each in assessment.mitigations if each.control in group_of
    }
    for group in sorted(missing):
        yield fails(
            cited,
            Text("There is no measure for: {group}.", group=GROUP_NAMES.get(group, group)),
            Text("A new version of the assessment adds the measure and the control that carries it out."),
        )
    yield shows(
        donor.pseudonym,
        Text(
            "{assessment}: {count} measures, approved by {by} at {at}",
            assessment=cited,
            count=len(assessment.mitigations),
            by=assessment.approved_by or "",
            at=assessment.approved_at or "",
        ),
    )
