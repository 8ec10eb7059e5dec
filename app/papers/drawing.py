"""From kept facts to the bytes of a PDF. The same facts, language and version of Stemma give the same bytes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.papers import batch_summary, certificate, eligibility, rule_book
from app.papers.facts import BatchSummary, Certificate, Eligibility, Facts, Kind, Language, RuleBook, read
from app.papers.sheet import Sheet
from app.papers.typeface import lent
from app.papers.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.domain.text import Text

_UNNAMED = re.compile(r"[/+\s]+")
"""What a version has and a document number does not."""
PREFIXES = {Kind.CERTIFICATE: "CR", Kind.BATCH_SUMMARY: "BS", Kind.ELIGIBILITY: "DE", Kind.RULE_BOOK: "RB"}
TITLES: Mapping[Kind, Text] = {
    Kind.CERTIFICATE: certificate.TITLE,
    Kind.BATCH_SUMMARY: batch_summary.TITLE,
    Kind.ELIGIBILITY: eligibility.TITLE,
    Kind.RULE_BOOK: rule_book.TITLE,
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A paper. `number` is what it is called by, taken from the digest of what stands on it."""

    number: str
    pages: int
    pdf: bytes


def number_of(kind: Kind, language: Language, content: str, *, name: str) -> str:
    """The document number: what it is, what it is about, and the beginning of its content's SHA-256."""
    digest = hashlib.sha256(f"{kind.value} {language.value}\n{content}".encode()).hexdigest()
    return f"{PREFIXES[kind]}-{name}-{digest[:10].upper()}"


def draw(kind: Kind, language: Language, content: str) -> Drawn:
    """Draw a paper: once to see that every character shows, to count the pages and find the sections, then to keep.

    Raises MissingGlyph, ReadBackError, or pydantic's ValidationError for content of another shape.
    """
    facts = read(kind, content)
    name = _name(facts)
    number = number_of(kind, language, content, name=_UNNAMED.sub("-", name))
    voice = Voice(language, facts.made.zone)
    with lent():
        pages, places = 0, dict[str, int]()
        for _ in range(2):
            sheet = Sheet(voice=voice, made=facts.made, title=TITLES[kind], name=name, number=number, pages=pages)
            sheet.known.update(places)
            _lay_out(sheet, facts)
            pages, places = sheet.page, sheet.places
        return Drawn(number=number, pages=pages, pdf=sheet.finish())


def _name(facts: Facts) -> str:
    match facts:
        case Eligibility():
            return facts.donor
        case RuleBook():
            return facts.version
        case _:
            return facts.lot.name


def _lay_out(sheet: Sheet, facts: Facts) -> None:
    match facts:
        case Certificate():
            certificate.draw(sheet, facts)
        case BatchSummary():
            batch_summary.draw(sheet, facts)
        case Eligibility():
            eligibility.draw(sheet, facts)
        case RuleBook():
            rule_book.draw(sheet, facts)


def as_json(drawn: Drawn) -> dict[str, Any]:
    """What the child says before the bytes."""
    return {"number": drawn.number, "pages": drawn.pages}
