"""Materials: whether a beta-lactam antibiotic stands in one, and whether a lot may be used on a day."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache

from app.domain.beta_lactams import (
    CAS_NUMBERS,
    COMPANIONS,
    NAMES,
    NOT_MEANT,
    PATTERNS,
    RESISTANCE,
    UNDISCLOSED,
)
from app.domain.dossier import Dossier
from app.domain.facts import Component, Material
from app.domain.rulebook import Statement, lacks
from app.domain.text import Text

_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_HYPHENS = re.compile("[-\u2010-\u2015\u2212\ufe63\uff0d\u00b7\u30fb_]")
_LETTER_BEFORE, _LETTER_AFTER = r"(?<![a-z0-9])", r"(?![a-z0-9])"

GROUP_NAMES: Mapping[str, Text] = {
    "penicillin": Text("penicillin"),
    "cephalosporin": Text("cephalosporin"),
    "carbapenem": Text("carbapenem"),
    "monobactam": Text("monobactam"),
    "beta-lactam inhibitor of beta-lactamase": Text("beta-lactam inhibitor of beta-lactamase"),
    "beta-lactam": Text("beta-lactam"),
    "culture supplement that holds penicillin": Text("culture supplement that holds penicillin"),
}


@dataclass(frozen=True, slots=True)
class Match:
    """A name of the list that was found: the words as they stand in the text, and the group that they belong to."""

    words: str
    group: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a text says: antibiotics of the list, mixtures that hide what they are, and words worth a remark."""

    matches: tuple[Match, ...]
    undisclosed: tuple[str, ...]
    remarks: tuple[str, ...]


def look_at(text: str) -> Look:
    """Search one text, English or Chinese, for the list. Pure; the list is `beta_lactams`, with its date."""
    remarks = [*_found_words(text, COMPANIONS), *_resistance(text)]
    found: dict[str, Match] = {}
    for variant in _variants(text):
        for match in (*_by_pattern(variant), *_by_name(variant)):
            found.setdefault(squeezed(match.words), match)
    return Look(_longest(found.values()), tuple(_found_words(text, UNDISCLOSED)), tuple(dict.fromkeys(remarks)))


def look_at_composition(composition: Iterable[Component]) -> Look:
    """Search every component, by its CAS number and by its name."""
    components = tuple(composition)
    looks = [look_at(each.name) for each in components]
    by_number = (
        Match(f"CAS {each.cas.strip()}", CAS_NUMBERS[each.cas.strip()])
        for each in components
        if each.cas and each.cas.strip() in CAS_NUMBERS
    )
    return Look(
        (*by_number, *(match for look in looks for match in look.matches)),
        tuple(word for look in looks for word in look.undisclosed),
        tuple(word for look in looks for word in look.remarks),
    )


def squeezed(text: str) -> str:
    """Compatibility forms, lower case, no spaces, no hyphens: how names of the list are written."""
    return "".join(_HYPHENS.sub("", _plain(text)).split())


def is_in_date(expires_on: date | None, at: datetime, *, utc_offset_hours: Decimal) -> bool:
    """Whether a material may still be used: until the end of its last day where the facility stands."""
    if expires_on is None:
        return False
    return at.astimezone(timezone(timedelta(hours=float(utc_offset_hours)))).date() <= expires_on


def first_used_at(dossier: Dossier, material: Material) -> datetime | None:
    """When this material lot was used first, in the dossier's lot or in a reagent of it. None where no use is recorded."""
    used = [each.used_at for each in dossier.consumptions or () if each.material_lot == material.lot]
    prepared = [
        each.prepared.prepared_at
        for each in dossier.materials or ()
        if each.prepared is not None and any(part.material_lot == material.lot for part in each.prepared.parts)
    ]
    return min((*used, *prepared), default=None)


def materials_unknown(dossier: Dossier) -> Statement:
    """State that nobody recorded any material, of whatever rule it is asked."""
    return lacks(
        dossier.subject,
        Text("No material is recorded."),
        Text("Record every material that the process uses, with its composition."),
    )


def made_here(material: Material) -> Text:
    """The fact for which a rule about what suppliers deliver does not apply to what is prepared in house."""
    return Text("{name} is prepared in house: what went into it is judged", name=material.name)


def _plain(text: str) -> str:
    # A German sharp s is what many keyboards offer for beta, and folding its case would hide it.
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text.replace("ß", "β"))).casefold()


def _variants(text: str) -> Iterator[str]:
    """The text without hyphens, and with a space for each: a hyphen may join a name or part two."""
    plain = " ".join(_plain(text).split())
    for hyphen in ("", " "):
        yield _masked(" ".join(_HYPHENS.sub(hyphen, plain).split()))


def _masked(variant: str) -> str:
    for pattern in (*_not_meant(), *_resistances()):
        variant = pattern.sub(lambda found: "\x00" * len(found.group()), variant)
    return variant


def _by_pattern(variant: str) -> Iterator[Match]:
    for group, patterns in _patterns().items():
        for pattern in patterns:
            yield from (Match(found.group().strip(), group) for found in pattern.finditer(variant))


def _by_name(variant: str) -> Iterator[Match]:
    tight = variant.replace(" ", "")
    for group, names in NAMES.items():
        yield from (Match(name, group) for name in names if name in tight)


def _longest(matches: Iterable[Match]) -> tuple[Match, ...]:
    """Each place once: a name inside a longer one that was found too adds nothing."""
    every = tuple(matches)
    return tuple(
        match
        for match in every
        if not any(squeezed(match.words) in squeezed(other.words) for other in every if other is not match)
    )


def _found_words(text: str, words: Iterable[str]) -> Iterator[str]:
    tight = squeezed(text)
    return (word for word in words if word in tight)


def _resistance(text: str) -> Iterator[str]:
    plain = " ".join(_HYPHENS.sub(" ", _plain(text)).split())
    return (found.group() for pattern in _resistances() for found in pattern.finditer(plain))


@cache
def _patterns() -> Mapping[str, tuple[re.Pattern[str], ...]]:
    return {group: tuple(_bounded(each) for each in patterns) for group, patterns in PATTERNS.items()}


@cache
def _not_meant() -> tuple[re.Pattern[str], ...]:
    return tuple(_bounded(each) for each in NOT_MEANT)


@cache
def _resistances() -> tuple[re.Pattern[str], ...]:
    return tuple(_bounded(each) for each in RESISTANCE)


def _bounded(pattern: str) -> re.Pattern[str]:
    # Not \b: between a Chinese character and a Latin letter there is no word boundary.
    return re.compile(f"{_LETTER_BEFORE}(?:{pattern}){_LETTER_AFTER}")
