"""REL-08: a retain of the final product is kept."""

from collections.abc import Iterator
from decimal import Decimal

from app.domain.acts import Role
from app.domain.banking import is_described, of_kind
from app.domain.counterexamples import drop, empty, where, without
from app.domain.dossier import Dossier
from app.domain.rulebook import (
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    lacks,
    rule,
    shows,
    wants_waiver,
)
from app.domain.sources import CN_CELL_GMP
from app.domain.text import Text

_KIND = "final_product"


@rule(
    "REL-08",
    Text("A retain of the final product is kept"),
    cites=(
        Citation(
            CN_CELL_GMP,
            "retained samples",
            Text("Of each lot samples are retained; of small lots fewer, with a reason."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("no retain of the final product", drop("retains", "kind", _KIND), outcome=Outcome.NEEDS_WAIVER),
        Break(
            "a retain of the final product that holds nothing",
            where("retains", "kind", _KIND, quantity=Decimal(0)),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "nobody knows how much of the final product was kept",
            where("retains", "kind", _KIND, quantity=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nobody knows where the final product's retain is",
            where("retains", "kind", _KIND, place=" "),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("nothing at all was retained", empty("retains"), outcome=Outcome.NEEDS_WAIVER, also=("CB-04",)),
        Break("what was retained is unknown", without("retains"), outcome=Outcome.INDETERMINATE, also=("CB-04",)),
    ),
)
def final_product_retained(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Judge the retains of the final product: one of which it is known how much it is and where."""
    if dossier.retains is None:
        yield lacks(
            dossier.subject, Text("It is not known what was retained."), Text("Record every retain that was taken.")
        )
        return
    kept = of_kind(dossier.retains, _KIND)
    described = tuple(each for each in kept if is_described(each))
    for each in described:
        yield shows(
            each.code,
            Text(
                "{quantity} {unit} at {place}",
                quantity=each.quantity or 0,
                unit=each.unit or "",
                place=each.place or "",
            ),
        )
    if described:
        return
    for each in kept:
        yield lacks(
            each.code,
            Text("How much was retained or where it is is not known."),
            Text("Look at the retain and record what it is."),
        )
    if not kept:
        yield wants_waiver(
            dossier.subject,
            Text("No retain of the final product was kept."),
            Text("Take one while a container is left; of a small lot the quality authority decides, with a reason."),
        )
