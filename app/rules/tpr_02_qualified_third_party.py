"""TPR-02: whoever tested again was accredited for the very test on the day, and stands apart."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from app.domain.counterexamples import Edit, retested, setting, study_part, study_records, within
from app.domain.dossier import Dossier
from app.domain.facts import AccreditationEnd, AccreditedTest, Laboratory, Study, SubjectKind
from app.domain.reinspection import cells, says_qualified
from app.domain.rulebook import NEVER, Asked, Break, Citation, Gate, Outcome, Standing, Statement, lacks, rule
from app.domain.sources import GUIDELINE
from app.domain.studies import no_study
from app.domain.text import Text

_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_SUSPENDED = AccreditationEnd(1, "cnas", "CNAS L0001", "suspended", date(2026, 5, 1), datetime(2026, 6, 30, tzinfo=UTC))


def _with(laboratory: Laboratory, changes: dict[str, Any]) -> Laboratory:
    return replace(laboratory, **changes)


def _laboratory(**changes: Any) -> Edit:
    return study_records("laboratories", **changes)


def _inside(field: str, changes: dict[str, Any]) -> Edit:
    def edit(study: Study) -> Study:
        laboratories = tuple(
            _with(each, {field: tuple(replace(one, **changes) for one in getattr(each, field))})
            for each in study.laboratories
        )
        return replace(study, laboratories=laboratories)

    return within("study", edit)


def _accreditations(**changes: object) -> Edit:
    """Every accreditation is another."""
    return _inside("accreditations", changes)


def _declared(**changes: object) -> Edit:
    """Every declaration of independence is another."""
    return _inside("declarations", changes)


def _narrowed(study: Study) -> Study:
    (laboratory,) = study.laboratories
    (first,) = laboratory.accreditations
    later = replace(first, id=2, scope=first.scope[:1], valid_from=date(2026, 5, 1))
    return replace(study, laboratories=(replace(laboratory, accreditations=(first, later)),))


def _called(name: str) -> Edit:
    def edit(study: Study) -> Study:
        return replace(
            study,
            laboratories=tuple(replace(each, name=name) for each in study.laboratories),
            reinspections=tuple(replace(each, laboratory=name) for each in study.reinspections),
        )

    return within("study", edit)


@rule(
    "TPR-02",
    Text("Whoever tested again was qualified for it and stands apart"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("They are re-evaluated by a qualified third party."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G8,),
    waiver=NEVER,
    breaks=(
        Break(
            "the laboratory's scope lacks the test",
            _accreditations(scope=(AccreditedTest("sterility", "ChP 1101"),)),
            **_G8,
        ),
        Break("the scope has the test by another method", retested(only=("test", "sterility"), method="rapid"), **_G8),
        Break("the accreditation ended before the test", _accreditations(valid_to=date(2026, 4, 30)), **_G8),
        Break("accredited only after the test", _accreditations(valid_from=date(2026, 6, 1)), **_G8),
        Break("the accreditation had been suspended when it tested", _laboratory(ends=(_SUSPENDED,)), **_G8),
        Break("a later paper had narrowed the scope", within("study", _narrowed), **_G8),
        Break(
            "an accreditation that does not qualify",
            _accreditations(kind="other"),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "fewer accreditations are taken", setting("tpr02.kinds", ["nifdc"]), **_G8, outcome=Outcome.INDETERMINATE
        ),
        Break("no accreditation is on record", _laboratory(accreditations=()), **_G8, outcome=Outcome.INDETERMINATE),
        Break(
            "the accreditation was recorded after the moment judged",
            _accreditations(recorded_at=datetime(2026, 11, 21, tzinfo=UTC)),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("the institution's own laboratory", _called("First  HOSPITAL"), **_G8),
        Break("nobody declared its independence", _laboratory(declarations=()), **_G8, outcome=Outcome.INDETERMINATE),
        Break(
            "its independence is declared of another institution",
            _declared(institution="Second Hospital"),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("under common control", _declared(no_common_control=False), **_G8),
        Break("it is of the facility", _declared(not_the_facility=False), **_G8),
        Break("it is of the institution", _declared(not_the_institution=False), **_G8),
        Break(
            "its independence is declared on a later day",
            _declared(declared_on=date(2026, 11, 21)),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nothing was tested again",
            study_part(reinspections=()),
            **{**_G8, "also": ("BOOK", "TPR-01", "TPR-04", "TPR-05", "TPR-06")},
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def qualified_third_party(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the laboratory of each report that fills a cell, on the day on which it tested."""
    if dossier.study is None:
        yield no_study(dossier)
        return
    reported = [each for each in cells(dossier, asked) if each.report is not None]
    if not reported:
        yield lacks(
            dossier.study.number,
            Text("No laboratory has tested anything again."),
            Text("Record the reports of the laboratory outside."),
        )
    for cell in reported:
        yield from says_qualified(dossier, asked, cell)
