"""Judgements as they were kept: the bytes that were judged, every verdict, and the words of the rule book of that day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text
from app.locale import LANGUAGES, gettext_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row

    from app.db.door import Reading
    from app.domain.rulebook import Rule

_LINE = """
SELECT j.id, j.subject_kind, k.code AS subject, coalesce(l.name, p.pseudonym, k.code) AS name, j.gate, j.rulebook, j.digest,
    j.blocks, j.recorded_at AS at, a.username AS by, r.id AS release, s.kind AS step, s.passage
"""
_FROM = """
FROM lab.judgements j JOIN people.accounts a ON a.id = j.recorded_by
LEFT JOIN lab.item_codes k ON k.item_id = j.subject_id AND k.scheme = 'own'
LEFT JOIN lab.lots l ON l.id = j.subject_id LEFT JOIN lab.donations d ON d.id = j.subject_id
LEFT JOIN lab.persons p ON p.id = d.donor_id LEFT JOIN lab.releases r ON r.judgement_id = j.id
LEFT JOIN LATERAL (
    SELECT kind, passage FROM lab.steps WHERE j.subject_kind = 'step' AND lot_id = j.subject_id
      AND started_at = CAST(j.verdicts ->> 'at' AS timestamptz) ORDER BY id LIMIT 1) AS s ON true
"""
OF_ITEM = f"""{_LINE} {_FROM}
WHERE j.subject_id = :item AND j.subject_kind = ANY(CAST(:kinds AS text[]))
    AND (CAST(:after AS bigint) IS NULL OR j.id < :after)
ORDER BY j.id DESC LIMIT :limit
"""
ONE = f"""{_LINE}, j.verdicts, j.dossier, audit.sha256_hex(j.dossier) = j.digest AS agrees, b.content AS book
{_FROM} LEFT JOIN lab.rulebooks b ON b.version = j.rulebook
WHERE j.id = :number
"""
KIND = "SELECT subject_kind FROM lab.judgements WHERE id = :number"


def book_as_kept(rules: Iterable[Rule]) -> dict[str, Any]:
    """The words of the rule book, by rule, in every language that it speaks; what is kept with its version.

    `{rule: {title: {language: words}, gates: [gate], waiver: [role], cites: [{source, section, status, says}]}}`.
    """
    return {
        each.id: {
            "title": _in_every_language(each.title),
            "gates": sorted(gate.value for gate in each.gates),
            "waiver": [role.value for role in each.waiver],
            "cites": [
                {
                    "source": cite.source,
                    "section": cite.section,
                    "status": cite.status,
                    "says": _in_every_language(cite.paraphrase),
                }
                for cite in each.cites
            ],
        }
        for each in rules
    }


def _in_every_language(text: Text) -> dict[str, str]:
    return {language: text.translated(gettext_for(language)) for language in LANGUAGES}


async def of_item(
    reading: Reading, *, item_id: int, kinds: Sequence[str], after: int | None, limit: int
) -> Sequence[Row[Any]]:
    """What was judged of a thing and kept, newest first."""
    return await reading.all(OF_ITEM, item=item_id, kinds=list(kinds), after=after, limit=limit)


async def kind_of(reading: Reading, *, number: int) -> str:
    """What was judged: lot, step, bank_vial, donation or material_lot. Raises NotFound."""
    kind: str | None = await reading.value(KIND, number=number)
    if kind is None:
        raise NotFound(
            what=Text("There is no such judgement."),
            why=Text("No judgement has the number {number}.", number=number),
            remedy=Text("Look at what was judged of the lot, the donation or the material lot."),
        )
    return kind


async def one(reading: Reading, *, number: int) -> Row[Any]:
    """A judgement whole. `agrees`: whether the digest is that of the bytes. Raises NotFound."""
    row = await reading.one(ONE, number=number)
    if row is None:
        await kind_of(reading, number=number)
        raise RuntimeError("it was there a moment ago, and nothing is ever taken away")
    return row
