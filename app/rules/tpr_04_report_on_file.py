"""TPR-04: the signed report of everything that was tested again is on file."""

from collections.abc import Iterator
from typing import Any

from app.domain.counterexamples import study_records
from app.domain.dossier import Dossier
from app.domain.facts import SubjectKind
from app.domain.reinspection import cells, says_filed
from app.domain.rulebook import NEVER, Asked, Break, Citation, Gate, Outcome, Standing, Statement, lacks, rule
from app.domain.sources import GUIDELINE
from app.domain.studies import no_study
from app.domain.text import Text

_G7: dict[str, Any] = {"gate": Gate.G7, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}


@rule(
    "TPR-04",
    Text("The signed report of what was tested again is on file"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("A re-inspection report is provided."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G7, Gate.G8),
    waiver=NEVER,
    breaks=(
        Break(
            "a report without its file",
            study_records("reinspections", only=("sample_kind", "final_formulation"), file_name=None, file_sha256=None),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a report without its file, at filing",
            study_records("reinspections", file_name=None, file_sha256=None),
            **_G7,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nobody signed the report",
            study_records("reinspections", signatory=None),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def report_on_file(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the report of each cell by its file, the digest of the file and its signatory."""
    if dossier.study is None:
        yield no_study(dossier)
        return
    reported = [each for each in cells(dossier, asked) if each.report is not None]
    if not reported:
        yield lacks(
            dossier.study.number,
            Text("No report of anything tested again is on record."),
            Text("Record the reports of the laboratory outside."),
        )
    for cell in reported:
        yield from says_filed(dossier, asked, cell)
