"""Animal serum: species, diseases, and how a country stood for a disease on a day."""

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType

from app.domain.facts import DiseaseStatus
from app.domain.text import Text

BSE = "BSE"

SPECIES_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "bovine": Text("cattle"),
        "ovine": Text("sheep"),
        "caprine": Text("goat"),
        "cervine": Text("deer"),
        "porcine": Text("pig"),
        "equine": Text("horse"),
        "leporine": Text("rabbit"),
        "murine": Text("mouse or rat"),
        "avian": Text("bird"),
        "piscine": Text("fish"),
    }
)
"""The species that serum may come from. One that is not named here stays closed: nobody knows which diseases matter."""

DISEASE_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        BSE: Text("BSE, bovine spongiform encephalopathy"),
        "scrapie": Text("scrapie"),
        "FMD": Text("foot-and-mouth disease"),
        "bluetongue": Text("bluetongue"),
        "LSD": Text("lumpy skin disease"),
        "rinderpest": Text("rinderpest"),
        "PPR": Text("peste des petits ruminants"),
        "VS": Text("vesicular stomatitis"),
        "ASF": Text("African swine fever"),
        "CSF": Text("classical swine fever"),
        "AHS": Text("African horse sickness"),
        "HPAI": Text("highly pathogenic avian influenza"),
    }
)
"""Diseases that are often asked about; any other may be named in words."""

CATEGORY_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "negligible": Text("negligible risk"),
        "controlled": Text("controlled risk"),
        "undetermined": Text("undetermined risk"),
        "prohibited": Text("import prohibited"),
    }
)
_FROM_BEST_TO_WORST = tuple(CATEGORY_NAMES)


def disease_of(name: str) -> str:
    """A disease as it is kept: by its known short name, however that is written, else in the words given."""
    plain = " ".join(name.split())
    known = {each.casefold(): each for each in DISEASE_NAMES}
    return known.get(plain.casefold(), plain)


def standing_on(statuses: Iterable[DiseaseStatus], *, country: str, disease: str, day: date) -> DiseaseStatus | None:
    """How the country stood on that day; None where nobody stated it.

    What was stated later supersedes what was stated before, from its first day on: also when it has ended by then. Of
    several that still stand side by side, the worst counts.
    """
    begun = [
        each
        for each in statuses
        if each.country == country and each.disease.casefold() == disease.casefold() and each.valid_from <= day
    ]
    standing = [
        each
        for each in begun
        if not any(other.id > each.id and other.valid_from >= each.valid_from for other in begun)
        and (each.valid_to is None or day <= each.valid_to)
    ]
    return max(standing, key=lambda each: (_FROM_BEST_TO_WORST.index(each.category), each.id), default=None)
