"""SCO-01: the study takes place in China and goes the way of technical filing, not of drug registration."""

from collections.abc import Iterator
from typing import Any

from app.domain.counterexamples import study_part, without
from app.domain.dossier import Dossier
from app.domain.facts import Site, SubjectKind
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
from app.domain.sources import GUIDELINE
from app.domain.studies import CHINA, DRUG_REGISTRATION, no_study
from app.domain.text import Text

_G7: dict[str, Any] = {"gate": Gate.G7, "kind": SubjectKind.STUDY}
_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY}
_ABROAD = (Site("First Hospital", "CN"), Site("Harbour Hospital", "SG"))

_TPR = ("TPR-01", "TPR-02", "TPR-04", "TPR-05", "TPR-06")


@rule(
    "SCO-01",
    Text("The study takes place in China and is not for the registration of a drug"),
    cites=(
        Citation(
            GUIDELINE,
            "§1",
            Text("The guideline is for studies inside China that do not serve the registration of a drug."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G7, Gate.G8),
    waiver=NEVER,
    breaks=(
        Break("for the registration of a drug", study_part(regulatory_path=DRUG_REGISTRATION), **_G8, also=("BOOK",)),
        Break("one of its sites lies abroad", study_part(sites=_ABROAD), **_G7, also=("BOOK",)),
        Break("one of its sites lies abroad when it starts", study_part(sites=_ABROAD), **_G8, also=("BOOK",)),
        Break(
            "where it takes place is not said",
            study_part(sites=()),
            **_G8,
            outcome=Outcome.INDETERMINATE,
            also=("BOOK",),
        ),
        Break(
            "which study it is about is unknown",
            without("study"),
            **_G8,
            outcome=Outcome.INDETERMINATE,
            also=("BOOK", "CB-12", "EXT-01", "EXT-02", "HGR-01", "ORG-01", "ORG-03", "ORG-04", *_TPR),
        ),
    ),
)
def study_in_china(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Ask for the path, and for the country of every site."""
    study = dossier.study
    if study is None:
        yield no_study(dossier)
        return
    if study.regulatory_path == DRUG_REGISTRATION:
        yield fails(
            study.number,
            Text("The study serves the registration of a drug."),
            Text("Such a study follows the rules of the medical products administration; take that way for it."),
        )
    if not study.sites:
        yield lacks(study.number, Text("It is not said where the study takes place."), Text("State every site."))
    for site in study.sites:
        if site.country == CHINA:
            yield shows(study.number, Text("{site} lies in China", site=site.name))
        else:
            yield fails(
                study.number,
                Text("{site} does not lie in China ({country}).", site=site.name, country=site.country),
                Text("What is done abroad follows the rules of that country, as a study of its own."),
            )
