"""GMP-04: equipment was qualified and calibrated on the day on which it served, by records older than the step."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from app.domain import settings
from app.domain.acts import Role
from app.domain.counterexamples import Edit, all_of, every, inside, of_papers, setting, where, within, without
from app.domain.dossier import Dossier
from app.domain.equipment import KIND_NAMES, Trouble, Unfit, day_of, next_record, unfit
from app.domain.facts import Equipment, SubjectKind
from app.domain.making import certified
from app.domain.processing import STEP_NAMES, too_late
from app.domain.rulebook import (
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
    wants_waiver,
)
from app.domain.sources import GMP, GUIDELINE
from app.domain.text import Text

REQUIRED = "gmp04.required"
_STEP = SubjectKind.STEP
_AFTER = datetime(2026, 11, 1, 8, tzinfo=UTC)
_BEFORE_THE_FIRST_STEP = date(2026, 10, 4)


def _records(**changes: Any) -> Edit:
    return inside("equipment", "qualifications", **changes)


def _later(**changes: Any) -> Edit:
    """Every piece was looked at once more after the work."""

    def once_more(piece: Equipment) -> Equipment:
        last = replace(piece.qualifications[-1], id=piece.qualifications[-1].id + 1000, recorded_at=_AFTER)
        again = replace(last, done_on=date(2026, 11, 1), due_on=date(2027, 11, 1))
        return replace(piece, qualifications=(*piece.qualifications, replace(again, **changes)))

    return within("equipment", lambda found: tuple(once_more(each) for each in found))


@rule(
    "GMP-04",
    Text("Equipment was qualified and calibrated when it served"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Good manufacturing practice holds for self-made preparations; its equipment is suitable."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            GMP,
            "chapter 5",
            Text("Equipment is qualified, maintained and calibrated; what is overdue or out of order is not used."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G4, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    late_by_nature=("makers",),
    breaks=(
        Break(
            "a partner made it, and says nothing of its equipment",
            of_papers(only=("kind", "release"), covers=("clean_area", "training", "deviations")),
            outcome=Outcome.INDETERMINATE,
            also=("EXT-03",),
        ),
        Break("nothing was ever qualified", every("equipment", qualifications=())),
        Break("overdue on the day of the step", _records(due_on=_BEFORE_THE_FIRST_STEP)),
        Break("recorded only after the work", _records(recorded_at=_AFTER, as_found_in_tolerance=None)),
        Break("made only after the work", _records(done_on=date(2026, 10, 30), as_found_in_tolerance=None)),
        Break("the last one before the work failed", _records(outcome="failed")),
        Break(
            "overdue, and found out of tolerance afterwards",
            all_of(_records(due_on=_BEFORE_THE_FIRST_STEP), _later(as_found_in_tolerance=False)),
        ),
        Break(
            "overdue, and what was measured afterwards says nothing of how it was found",
            all_of(_records(due_on=_BEFORE_THE_FIRST_STEP), _later(as_found_in_tolerance=None)),
        ),
        Break(
            "overdue, and found in tolerance afterwards",
            all_of(_records(due_on=_BEFORE_THE_FIRST_STEP), _later(as_found_in_tolerance=True)),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "in date, and found out of tolerance at the next look",
            _later(as_found_in_tolerance=False),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "the cells were frozen in nothing that is known as fit",
            where("equipment", "kind", "tank", kind="other"),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("which equipment served is unknown", without("equipment"), outcome=Outcome.INDETERMINATE),
        Break("what equipment needs is not set", setting(REQUIRED, {}), outcome=Outcome.INDETERMINATE),
        Break("overdue today", _records(due_on=date(2026, 10, 25)), gate=Gate.G4, kind=_STEP),
        Break("never qualified, and about to serve", every("equipment", qualifications=()), gate=Gate.G4, kind=_STEP),
        Break(
            "out of service since its maintenance",
            _records(kind="maintenance", outcome="failed"),
            gate=Gate.G4,
            kind=_STEP,
        ),
        Break(
            "the paper is written only after the step is to begin",
            _records(recorded_at=_AFTER),
            gate=Gate.G4,
            kind=_STEP,
        ),
        Break(
            "no equipment is named for the step",
            every("equipment", planned=False),
            gate=Gate.G4,
            kind=_STEP,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def equipment_fit(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge what the planned step takes (G4), or what served in each step as of its beginning (G6).

    What was overdue fails, whatever is measured later; where it was then found in tolerance as it was, it may be waived.
    """
    if dossier.equipment is None:
        yield lacks(
            dossier.subject,
            Text("It is not known which equipment served."),
            Text("Report this to whoever keeps the system."),
        )
        return
    wanted = settings.word_lists(dossier, REQUIRED)
    if asked.gate is Gate.G4:
        yield from _planned(dossier, wanted)
        return
    if not dossier.steps:
        yield lacks(dossier.subject, Text("No step is known."), Text("Record every step with what it was made in."))
    yield from certified(dossier, asked, "equipment")
    for step in (each for each in dossier.steps or () if each.partner is None):
        pieces = [each for each in dossier.equipment if step.id in each.steps and each.kind in wanted]
        if not pieces:
            yield _nothing_named(f"STEP-{step.id}", STEP_NAMES[step.kind])
        for piece in pieces:
            yield _served(dossier, piece, wanted[piece.kind], step.started_at, f"STEP-{step.id}")


def _planned(dossier: Dossier, wanted: Mapping[str, tuple[str, ...]]) -> Iterator[Statement]:
    if dossier.plan is None:
        yield lacks(dossier.subject, Text("No step is planned."), Text("Plan the step with its workstation."))
        return
    plan = dossier.plan
    pieces = [each for each in dossier.equipment or () if each.planned and each.kind in wanted]
    if not pieces:
        yield _nothing_named(dossier.subject, STEP_NAMES[plan.kind])
    for piece in pieces:
        against = _against(dossier, piece, wanted[piece.kind], plan.at)
        for each in against:
            yield fails(
                piece.code,
                _says(piece, each),
                Text("Take another that is fit; have this one made fit, and recorded, before it serves again."),
            )
        if not against:
            yield _fit(piece, piece.code)


def _served(dossier: Dossier, piece: Equipment, wanted: tuple[str, ...], at: datetime, step: str) -> Statement:
    against = _against(dossier, piece, wanted, at)
    found = {kind: next_record(piece.qualifications, kind, at=at, day=_day(dossier, at)) for kind in wanted}
    if against:
        first = next((each for each in against if each.trouble is Trouble.FAILED), against[0])
        later = [found.get(each.kind) for each in against]
        if first.trouble is not Trouble.FAILED and all(
            each is not None and each.outcome == "passed" and each.as_found_in_tolerance for each in later
        ):
            return wants_waiver(
                step,
                Text("{problem} It was found in tolerance afterwards.", problem=_says(piece, first)),
                Text("The QA manager assesses the deviation; the quality authority decides about this lot."),
            )
        return too_late(dossier, "GMP-04", subject=step, problem=_says(piece, first))
    out = next((each for each in found.values() if each is not None and each.as_found_in_tolerance is False), None)
    if out is not None:
        return wants_waiver(
            step,
            Text(
                "{piece} was found out of tolerance on {day}, at the first look after it served ({evidence}).",
                piece=piece.name,
                day=out.done_on,
                evidence=out.evidence,
            ),
            Text("Quality investigates what it means for the cells; the quality authority decides about this lot."),
        )
    return _fit(piece, step)


def _against(dossier: Dossier, piece: Equipment, wanted: tuple[str, ...], at: datetime) -> tuple[Unfit, ...]:
    return tuple(unfit(piece.qualifications, wanted, at=at, day=_day(dossier, at)))


def _day(dossier: Dossier, at: datetime) -> date:
    return day_of(at, utc_offset_hours=settings.number(dossier, "facility.utc_offset_hours"))


def _says(piece: Equipment, unfit_for: Unfit) -> Text:
    what = KIND_NAMES.get(unfit_for.kind, unfit_for.kind)
    match unfit_for.trouble:
        case Trouble.NEVER:
            return Text("{piece}: no {what} stood recorded before the step.", piece=piece.name, what=what)
        case Trouble.OVERDUE:
            return Text("{piece}: {what} was due on {day}.", piece=piece.name, what=what, day=unfit_for.due_on or "")
        case Trouble.FAILED:
            return Text("{piece}: the last record, {what}, found it unfit.", piece=piece.name, what=what)


def _fit(piece: Equipment, subject: str) -> Statement:
    return shows(subject, Text("{piece} ({code}) was fit", piece=piece.name, code=piece.code))


def _nothing_named(subject: str, step: Text) -> Statement:
    return lacks(
        subject,
        Text("{step}: no equipment is named that is known to be fit.", step=step),
        Text("Establish from the bench record what it was made in; quality assesses what cannot be established."),
    )
