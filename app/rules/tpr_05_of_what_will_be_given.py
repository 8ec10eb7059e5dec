"""TPR-05: what was tested again is of the very bank, process and specification of the study."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from app.domain.counterexamples import PARTNER, Edit, all_of, gene_modified, part, study_part, study_records, without
from app.domain.dossier import Dossier
from app.domain.facts import Comparability, SubjectKind
from app.domain.reinspection import cells, says_current
from app.domain.rulebook import NEVER, Asked, Break, Citation, Gate, Outcome, Standing, Statement, lacks, rule
from app.domain.sources import GUIDELINE
from app.domain.studies import no_study
from app.domain.text import Text

_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_UNKNOWN = Outcome.INDETERMINATE
_FINAL = ("sample_kind", "final_formulation")
_DOCUMENT: dict[str, Any] = {
    "id": 1,
    "report": 2,
    "process": "BM-MSC 4",
    "specification": "MSC-BM 2",
    "banks": (),
    "differences": "another centrifuge",
    "committee_reference": "AC-26-7",
    "committee_decided_on": date(2026, 6, 1),
    "file_name": "comparability.pdf",
    "valid_to": date(2028, 6, 1),
    "proposed_by": "quinn",
    "signed_by": "lin",
    "signed_at": datetime(2026, 6, 3, 9, tzinfo=UTC),
}


def compared(report_names: str = "BM-MSC 3", **changes: Any) -> Edit:
    """The final formulation is of version 3, and a document that was signed says why it stands for version 4."""
    return all_of(
        study_records("reinspections", only=_FINAL, process="BM-MSC 3", stated_process=report_names),
        study_part(comparabilities=(Comparability(**{**_DOCUMENT, **changes}),)),
    )


def _moved(compared_to: tuple[str, ...] | None) -> Edit:
    """A partner makes what the study gives; of its own the harvest alone was tested, and a document was signed."""
    return all_of(
        study_records("reinspections", made_at=PARTNER),
        study_records("reinspections", only=_FINAL, made_at=""),
        study_part(made_at=(PARTNER,), comparabilities=(Comparability(**_DOCUMENT, made_at=compared_to),)),
    )


def _compared(name: str, **changes: Any) -> Break:
    return Break(name, compared(**changes), **_G8)


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
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "A new version or bank is tested again, unless the academic committee decides and the quality authority signs "
                "that it is comparable."
            ),
            Standing.UNVERIFIED,
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
        _compared("a document of comparability to another version than the study's", process="BM-MSC 5"),
        _compared("a document of comparability to another specification", specification="MSC-BM 1"),
        _compared("a document of comparability about another report", report=1),
        _compared("a document of comparability to a bank that the study does not name", banks=("L0000000009",)),
        _compared("a document of comparability that is valid no longer", valid_to=date(2026, 6, 30)),
        _compared("a document of comparability signed after the moment", signed_at=datetime(2030, 1, 1, tzinfo=UTC)),
        _compared("a document of comparability signed by whoever proposed it", signed_by="quinn"),
        _compared("a document of comparability before its committee decided", committee_decided_on=date(2030, 1, 1)),
        _compared("a document of comparability about a report that names another version than its lot's",
                  report_names="BM-MSC 2"),
        Break(
            "the final formulation was made of another bank",
            all_of(gene_modified, study_records("reinspections", only=_FINAL, banks=("L0000000008",))),
            **_G8,
        ),
        Break(
            "nobody knows of which bank the final formulation was made",
            all_of(gene_modified, study_records("reinspections", only=_FINAL, banks=None)),
            **_G8,
        ),
        Break(
            "nobody knows of which bank a lot of an earlier version was made, and a document of comparability",
            all_of(compared(), study_records("reinspections", only=_FINAL, banks=None)),
            **_G8,
        ),
        Break(
            "nobody knows which banks the study gives, and a document of comparability",
            all_of(compared(), without("banks")),
            **{**_G8, "also": ("BOOK", "TPR-01")},
        ),
        Break(
            "nobody knows of which bank the lot was made, and the study names none",
            study_records("reinspections", only=_FINAL, banks=None),
            **_G8,
            outcome=_UNKNOWN,
        ),
        Break(
            "the lot was made of a bank, and the study names none",
            study_records("reinspections", only=_FINAL, banks=("L0000000009",)),
            **_G8,
        ),
        Break(
            "it was made by a partner, and what the study gives is made here",
            study_records("reinspections", only=_FINAL, made_at=PARTNER),
            **_G8,
        ),
        Break(
            "a partner makes it as well, and nothing that it made was tested",
            study_part(made_at=("", PARTNER)),
            **_G8,
        ),
        Break("a document of comparability from before the partner made it", _moved(None), **_G8),
        Break("a document of comparability to this house alone, and a partner makes it", _moved(("",)), **_G8),
        Break("nobody knows who makes what the study gives", study_part(made_at=None), **_G8, outcome=_UNKNOWN),
        Break(
            "nobody knows who made the lot",
            study_records("reinspections", only=_FINAL, made_at=None),
            **_G8,
            outcome=_UNKNOWN,
        ),
        Break("the lot follows no process that is known", study_records("reinspections", process=None), **_G8),
        Break(
            "the process was changed after the tests",
            part("process", version=5),
            **{**_G8, "also": ("BOOK", "CB-12", "EXT-02")},
        ),
        Break(
            "the process was changed after the tests, while the study runs",
            part("process", version=5),
            gate=Gate.G11,
            kind=SubjectKind.STUDY,
            also=("BOOK",),
        ),
    ),
)  # fmt: skip
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
