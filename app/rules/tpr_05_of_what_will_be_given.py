"""TPR-05: what was tested again is of the very bank, process and specification of the study."""

from collections.abc import Iterator
from typing import Any

from app.domain.counterexamples import part, study_records
from app.domain.dossier import Dossier
from app.domain.facts import SubjectKind
from app.domain.reinspection import cells, says_current
from app.domain.rulebook import NEVER, Asked, Break, Citation, Gate, Standing, Statement, lacks, rule
from app.domain.sources import GUIDELINE
from app.domain.studies import no_study
from app.domain.text import Text

_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_FINAL = ("sample_kind", "final_formulation")


@rule(
    "TPR-05",
    Text("What was tested again is what the study will give"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "What is re-evaluated is the cell bank and the final formulation of this very study; a new version is another."
            ),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G8, Gate.G11),
    waiver=NEVER,
    breaks=(
        Break(
            "the final formulation is of an earlier process version",
            study_records("reinspections", only=_FINAL, process="BM-MSC 3", stated_process="BM-MSC 3"),
            **_G8,
        ),
        Break(
            "the report names another process version than the lot's",
            study_records("reinspections", only=_FINAL, stated_process="BM-MSC 3"),
            **_G8,
        ),
        Break(
            "the lot is of an earlier specification",
            study_records("reinspections", only=_FINAL, specification="MSC-BM 1"),
            **_G8,
        ),
        Break("the lot follows no process that is known", study_records("reinspections", process=None), **_G8),
        Break(
            "the process was changed after the tests",
            part("process", version=5),
            **{**_G8, "also": ("BOOK", "EXT-02")},
        ),
        Break(
            "the process was changed after the tests, while the study runs",
            part("process", version=5),
            gate=Gate.G11,
            kind=SubjectKind.STUDY,
            also=("BOOK",),
        ),
    ),
)
def of_what_will_be_given(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the sample of each cell by its lot, and the lot by its process and specification version."""
    if dossier.study is None:
        yield no_study(dossier)
        return
    reported = [each for each in cells(dossier, asked) if each.report is not None]
    if not reported:
        yield lacks(
            dossier.study.number,
            Text("Nothing was tested again of what the study will give."),
            Text("Record the reports of the laboratory outside."),
        )
    for cell in reported:
        yield from says_current(dossier, asked, cell)
