"""ORG-01: a study is conducted by a grade A tertiary hospital that has an academic and an ethics committee."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from app.domain.counterexamples import Edit, study_part, within
from app.domain.dossier import Dossier
from app.domain.facts import Institution, Study, SubjectKind
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
from app.domain.sources import ORDER_818
from app.domain.studies import (
    ACADEMIC_COMMITTEE,
    CHINA,
    ETHICS_COMMITTEE,
    GRADE,
    GRADE_NAMES,
    HELD_NAMES,
    TERTIARY_A,
    no_study,
    stated,
    today,
)
from app.domain.text import Text

_G7: dict[str, Any] = {"gate": Gate.G7, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_LATER = datetime(2026, 11, 21, tzinfo=UTC)
_REMEDY = Text("Only an institution that is all of it conducts a study: find such a one, or record what shows it.")


def _stated(kind: str, **changes: object) -> Edit:
    """What is stated of one kind is another."""

    def edit(study: Study) -> Study:
        statements = tuple(
            replace(each, **changes) if each.kind == kind else each  # type: ignore[arg-type]
            for each in study.institution.statements
        )
        return replace(study, institution=replace(study.institution, statements=statements))

    return within("study", edit)


def _unstated(study: Study) -> Study:
    return replace(study, institution=replace(study.institution, statements=()))


@rule(
    "ORG-01",
    Text("The study's institution is a grade A tertiary hospital with both committees"),
    cites=(
        Citation(
            ORDER_818,
            "institutions",
            Text("A study is conducted by a grade A tertiary hospital with an academic and an ethics committee."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G7, Gate.G8),
    waiver=NEVER,
    breaks=(
        Break("a hospital of grade B", _stated(GRADE, says="tertiary_b"), **_G7),
        Break("the grade was taken away", _stated(GRADE, held=False), **_G8),
        Break(
            "the ethics committee's registration ran out", _stated(ETHICS_COMMITTEE, valid_to=date(2026, 11, 19)), **_G8
        ),
        Break("the academic committee was dissolved", _stated(ACADEMIC_COMMITTEE, held=False), **_G8),
        Break(
            "the ethics committee begins after the study",
            _stated(ETHICS_COMMITTEE, valid_from=date(2026, 12, 1)),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the grade was recorded after the moment judged",
            _stated(GRADE, recorded_at=_LATER),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("nothing is known of the institution", within("study", _unstated), **_G7, outcome=Outcome.INDETERMINATE),
        Break(
            "a hospital abroad",
            study_part(institution=Institution("Harbour Hospital", "SG", None, ())),
            **{**_G8, "also": ("BOOK", "TPR-02")},
        ),
    ),
)
def study_institution(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Ask for the grade and both committees, as they stand on the day."""
    study = dossier.study
    if study is None:
        yield no_study(dossier)
        return
    institution, day = study.institution, today(dossier, asked)
    if institution.country != CHINA:
        yield fails(institution.name, Text("{name} is no hospital in China.", name=institution.name), _REMEDY)
        return
    for kind in (GRADE, ACADEMIC_COMMITTEE, ETHICS_COMMITTEE):
        found = stated(institution, kind, at=asked.at, day=day)
        what = HELD_NAMES[kind]
        if found is None:
            yield lacks(
                institution.name,
                Text("{name}: nothing is recorded of {what} for {day}.", name=institution.name, what=what, day=day),
                Text("Record it with its evidence and its validity."),
            )
        elif not found.held or (found.valid_to is not None and found.valid_to < day):
            until = found.valid_from if not found.held else found.valid_to or day
            yield fails(
                institution.name,
                Text("{name}: {what} stands no longer, since {until}.", name=institution.name, what=what, until=until),
                _REMEDY,
            )
        elif kind == GRADE and found.says != TERTIARY_A:
            yield fails(
                institution.name,
                Text("{name} is of another grade: {grade}.", name=institution.name, grade=GRADE_NAMES[found.says]),
                _REMEDY,
            )
        else:
            says = GRADE_NAMES[found.says] if kind == GRADE else Text("{says}", says=found.says)
            yield shows(
                institution.name,
                Text("{what}: {says}, by {evidence}", what=what, says=says, evidence=found.evidence),
            )
