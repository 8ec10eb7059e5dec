"""The units that are known here, by what is measured in them."""

from collections.abc import Sequence

from app.domain.errors import BadInput
from app.domain.text import Text

AMOUNTS = ("mL", "µL", "L", "g", "mg", "µg", "ng", "kg", "U", "IU", "piece", "vial", "flask", "bottle", "bag", "tube")
"""What is taken, kept or mixed: volumes, masses, activities and pieces."""
TITRES = (
    *("TU/mL", "IU/mL", "vg/mL", "GC/mL", "vp/mL", "copies/mL", "PFU/mL", "IFU/mL", "TCID50/mL"),
    *("mg/mL", "µg/mL", "µg/µL", "ng/µL", "mol/L", "mmol/L", "µmol/L", "nmol/L", "pmol/L"),
)
"""How much vector there is in a volume: particles, copies, mass or amount of substance."""


def known_unit(written: str, *, among: Sequence[str], field: str) -> str:
    """The unit as it is written here: `ul`, `μL` and `µL` are one. Raises BadInput for what is none of `among`."""
    alike = {_plain(each): each for each in among}
    found = alike.get(_plain(written))
    if found is None:
        raise BadInput(
            field=field,
            what=Text("Nothing was recorded."),
            why=Text("{unit} is no unit in which this is measured.", unit=written),
            remedy=Text("Choose one of: {units}.", units=tuple(among)),
        )
    return found


def _plain(unit: str) -> str:
    # A micro sign, the Greek letter and the u of a keyboard are one; so are a litre's two letters.
    return unit.strip().replace("µ", "u").replace("μ", "u").replace("L", "l").replace("㎖", "ml").replace(" ", "")
