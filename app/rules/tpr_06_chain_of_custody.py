"""TPR-06: every sample that was tested again came to the laboratory from hand to hand, within its temperatures."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain.counterexamples import Edit, all_of, study_records, within
from app.domain.dossier import Dossier
from app.domain.facts import Assessment, Mitigation, SubjectKind
from app.domain.reinspection import cells, says_custody
from app.domain.rulebook import NEVER, Asked, Break, Citation, Gate, Outcome, Standing, Statement, lacks, rule
from app.domain.sources import GUIDELINE
from app.domain.studies import no_study
from app.domain.text import Text

_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_FINAL = ("sample_kind", "final_formulation")
_WARM = study_records("reinspections", only=_FINAL, max_c=Decimal("11.4"))
_THEN = datetime(2026, 6, 2, 9, tzinfo=UTC)
_ASSESSMENT = Assessment(
    number="AS-26-0009",
    version=1,
    rule="TPR-06",
    title="A sample that grew warm",
    scope_kind="lot",
    scope="L0000000031",
    hazard="a germ dies of warmth, and is not found",
    mitigations=(Mitigation("recovery of spiked samples at 12 °C", "stability_data"),),
    conclusion="the tests speak for the lot",
    proposed_by="quinn",
    approved_by="rhea",
    approved_at=_THEN,
    valid_from=_THEN,
    valid_to=datetime(2028, 6, 2, 9, tzinfo=UTC),
    superseded=False,
)


def _assessed(**changes: Any) -> Edit:
    """An assessment that would speak for the excursion, but for these points."""
    return within("assessments", lambda known: (*(known or ()), replace(_ASSESSMENT, **changes)))


@rule(
    "TPR-06",
    Text("The way of each sample to the laboratory is known and was within its temperatures"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "A re-evaluation speaks for the cells only while it is sure which sample reached the laboratory, and how."
            ),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G8,),
    waiver=NEVER,
    breaks=(
        Break(
            "the sample grew too warm on the way",
            study_records("reinspections", only=_FINAL, max_c=Decimal("11.4")),
            **_G8,
        ),
        Break("the sample froze on the way", study_records("reinspections", only=_FINAL, min_c=Decimal("-0.5")), **_G8),
        Break("the papers tell of an excursion", study_records("reinspections", excursion="the lid stood open"), **_G8),
        Break(
            "who received the sample is not known",
            study_records("reinspections", only=_FINAL, received_by=None),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "no temperatures were measured",
            study_records("reinspections", min_c=None, max_c=None),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "no limits were set",
            study_records("reinspections", low_c=None),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("an excursion assessed for another lot", all_of(_WARM, _assessed(scope="L0000000077")), **_G8),
        Break("an excursion assessed for the process", all_of(_WARM, _assessed(scope_kind="process")), **_G8),
        Break("an excursion assessed by nobody else", all_of(_WARM, _assessed(approved_by="quinn")), **_G8),
        Break(
            "an excursion assessed after the moment judged",
            all_of(_WARM, _assessed(approved_at=datetime(2026, 11, 21, tzinfo=UTC))),
            **_G8,
        ),
    ),
)
def chain_of_custody(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the way of each sample; an excursion counts unless an approved assessment of its lot speaks for it."""
    if dossier.study is None:
        yield no_study(dossier)
        return
    reported = [each for each in cells(dossier, asked) if each.report is not None]
    if not reported:
        yield lacks(
            dossier.study.number,
            Text("No sample was sent to be tested again."),
            Text("Record the reports of the laboratory outside."),
        )
    for cell in reported:
        yield from says_custody(dossier, asked, cell)
