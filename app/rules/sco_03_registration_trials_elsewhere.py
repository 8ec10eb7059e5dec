"""SCO-03: a study goes one of two ways; a registration trial is not filed by this guideline."""

from collections.abc import Iterator
from typing import Any

from app.domain.counterexamples import study_part
from app.domain.dossier import Dossier
from app.domain.facts import SubjectKind
from app.domain.rulebook import NEVER, Asked, Break, Citation, Gate, Standing, Statement, does_not_apply, fails, rule
from app.domain.sources import GUIDELINE
from app.domain.studies import DRUG_REGISTRATION, no_study
from app.domain.text import Text

_G7: dict[str, Any] = {"gate": Gate.G7, "kind": SubjectKind.STUDY}


@rule(
    "SCO-03",
    Text("A registration trial is not filed as a study of a new technology"),
    cites=(
        Citation(
            GUIDELINE,
            "§1",
            Text("A trial for the registration of a drug follows the rules of the medical products administration."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G7,),
    waiver=NEVER,
    breaks=(
        Break(
            "a registration trial brought for filing",
            study_part(regulatory_path=DRUG_REGISTRATION, ind_number="CXSL2600001"),
            **_G7,
            also=("BOOK", "SCO-01"),
        ),
        Break(
            "a study for filing that is a drug trial by its number as well",
            study_part(ind_number="CXSL2600001"),
            **_G7,
            also=("BOOK",),
        ),
    ),
)
def registration_trials_elsewhere(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """A study is on one path alone: with the number of a drug trial it is on the other."""
    study = dossier.study
    if study is None:
        yield no_study(dossier)
    elif study.regulatory_path == DRUG_REGISTRATION:
        yield fails(
            study.number,
            Text("A registration trial lies outside the scope of this guideline and is not filed by it."),
            Text("Submit it to the medical products administration. What is made for it is still made by GMP."),
        )
    elif study.ind_number is not None:
        yield fails(
            study.number,
            Text("The study has the number of a drug trial as well: {number}.", number=study.ind_number),
            Text("A study goes one way alone; clarify which, and file what is no drug trial as a study of its own."),
        )
    else:
        yield does_not_apply(study.number, Text("the study goes the way of technical filing and is no drug trial"))
