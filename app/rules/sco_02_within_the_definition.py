"""SCO-02: stem cells of a tissue, worked on outside the body and given back: no other technology is filed this way."""

from collections.abc import Iterator
from typing import Any

from app.domain.counterexamples import study_part, without
from app.domain.dossier import Dossier
from app.domain.facts import SubjectKind
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
    rule,
    shows,
)
from app.domain.sources import GUIDELINE, ORDER_818
from app.domain.studies import ADMINISTRATION_NAMES, CELL_CLASS_NAMES, CELL_SOURCE_NAMES, MANIPULATION_NAMES, no_study
from app.domain.text import Text

_G7: dict[str, Any] = {"gate": Gate.G7, "kind": SubjectKind.STUDY}
_TISSUE = "tissue_stem_cell"
_OTHER_GUIDE = Text("There is another guideline for it; file it under that one.")


@rule(
    "SCO-02",
    Text("The technology is a tissue stem cell therapy"),
    cites=(
        Citation(
            GUIDELINE,
            "§1",
            Text(
                "It is about stem cells of a tissue, of the patient or a donor, worked on ex vivo and given to a person."
            ),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            ORDER_818,
            "3",
            Text("A new biomedical technology works on human cells or molecules and is not yet in clinical use."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G7,),
    waiver=NEVER,
    breaks=(
        Break("made from pluripotent cells", study_part(cell_class="pluripotent_derived"), **_G7, also=("BOOK",)),
        Break("somatic cells", study_part(cell_class="somatic_cell"), **_G7, also=("BOOK",)),
        Break("exosomes", study_part(cell_class="cell_free"), **_G7, also=("BOOK",)),
        Break("nothing is done outside the body", study_part(manipulation="none"), **_G7, also=("BOOK",)),
        Break("neither infused nor implanted", study_part(administration="other"), **_G7, also=("BOOK",)),
        Break(
            "a filing of which the study is unknown",
            without("study"),
            **_G7,
            outcome=Outcome.INDETERMINATE,
            also=("BOOK", "EXT-01", "EXT-02", "SCO-01", "SCO-03", "ORG-01", "ORG-02", "TPR-01", "TPR-04"),
        ),
    ),
)
def within_the_definition(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Ask what the cells are, what is done with them, and how they are given."""
    study = dossier.study
    if study is None:
        yield no_study(dossier)
        return
    if study.cell_class != _TISSUE:
        problem = Text("It is about {cells}.", cells=CELL_CLASS_NAMES[study.cell_class])
        yield fails(study.number, problem, _OTHER_GUIDE)
    if study.manipulation == "none":
        yield fails(
            study.number,
            Text("The cells are not worked on outside the body."),
            Text("It is no technology of this guideline; ask the committees which rules it follows."),
        )
    if study.administration == "other":
        yield fails(
            study.number,
            Text("The cells are given in another way than by infusion, injection or implantation."),
            Text("It is no technology of this guideline; ask the committees which rules it follows."),
        )
    yield shows(
        study.number,
        Text(
            "{cells}, {source}; {manipulation}; {administration}",
            cells=CELL_CLASS_NAMES[study.cell_class],
            source=CELL_SOURCE_NAMES[study.cell_source],
            manipulation=MANIPULATION_NAMES[study.manipulation],
            administration=ADMINISTRATION_NAMES[study.administration],
        ),
    )
