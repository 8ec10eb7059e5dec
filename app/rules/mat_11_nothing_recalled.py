"""MAT-11: nothing stands in the lot that was recalled or rejected after it was used."""

from collections.abc import Iterator

from app.domain.acts import Role
from app.domain.counterexamples import all_of, nth
from app.domain.dossier import Dossier
from app.domain.lots import LotState
from app.domain.materials import materials_unknown
from app.domain.rulebook import (
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
    wants_waiver,
)
from app.domain.sources import GMP, GUIDELINE
from app.domain.text import Text


@rule(
    "MAT-11",
    Text("Nothing in the lot was recalled or rejected since it was used"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("What comes to light about a material reaches everything that was made with it."),
            Standing.RECONSTRUCTED,
        ),
        Citation(GMP, "chapter 10", Text("A recall reaches every lot that it touches."), Standing.UNVERIFIED),
    ),
    gates=(Gate.G3, Gate.G6, Gate.G10),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break(
            "recalled since", nth("materials", 0, recalled=True, state=LotState.RECALLED), outcome=Outcome.NEEDS_WAIVER
        ),
        Break("recalled, whatever its state says", nth("materials", 1, recalled=True), outcome=Outcome.NEEDS_WAIVER),
        Break("rejected since", nth("materials", 0, state=LotState.REJECTED)),
        Break(
            "one recalled and one rejected",
            all_of(nth("materials", 0, recalled=True), nth("materials", 1, state=LotState.REJECTED)),
        ),
    ),
)
def nothing_recalled(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Judge how each material lot stands today, and what went into it where it was prepared in house."""
    for material in dossier.materials or ():
        if material.recalled or material.state is LotState.RECALLED:
            yield wants_waiver(
                material.lot,
                Text("{name} was recalled after it was used.", name=material.name),
                Text("Quality assesses what the recall means for this lot; the quality authority alone may waive it."),
            )
        elif material.state is LotState.REJECTED:
            yield fails(
                material.lot,
                Text("{name} was rejected after it was used.", name=material.name),
                Text("Quality assesses what was made with it; the lot may be rejected."),
            )
        else:
            yield shows(material.lot, Text("{name} was not recalled", name=material.name))
    if not dossier.materials:
        yield materials_unknown(dossier)
