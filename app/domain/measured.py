"""What cannot have been measured: less than nothing of what is counted, and more than all of a whole."""

from decimal import Decimal

from app.domain.errors import BadInput
from app.domain.text import Text

ALL_PERCENT = Decimal(100)
SHARES = ("viability", "活率")
"""Words in the name of a test by which its percent are a part of a whole, and no recovery or change."""
COUNTED = frozenset(
    (
        "%",
        "cells",
        "cell",
        "CFU",
        "EU",
        "IU",
        "copies",
        "particles",
        "colonies",
        "pg",
        "ng",
        "µg",
        "mg",
        "g",
        "µL",
        "mL",
    )
)
"""What stands before a unit's stroke where there is none of it or some. Degrees, logarithms and differences are others."""


def least_of(unit: str | None) -> Decimal | None:
    """Nothing, where less than nothing cannot be measured in this unit; None where it can."""
    counted = (unit or "").replace("μ", "µ").partition("/")[0].strip()
    return Decimal(0) if counted in COUNTED else None


def require_measurable(number: Decimal, *, test: str, unit: str | None, field: str) -> None:
    """Raises BadInput for what cannot have been measured."""
    least, is_share = least_of(unit), any(word in test.casefold() for word in SHARES)
    if least is not None and number < least:
        why = Text("{test}: less than nothing cannot have been measured.", test=test)
    elif is_share and unit == "%" and number > ALL_PERCENT:
        why = Text("{test}: more than all of the cells cannot have been found.", test=test)
    else:
        return
    raise BadInput(field=field, what=Text("The result was not recorded."), why=why, remedy=Text("Correct the number."))
