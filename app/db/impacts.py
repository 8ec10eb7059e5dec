"""What came to light later. The holds are the database's own doing; here each affected lot is judged, and all of it read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.db import judging
from app.domain.dossier import Dossier, digest, parse, parse_onto
from app.domain.errors import NotFound
from app.domain.impacts import WHOLE_BOOK_MOST, Asked, ImpactKind, reads_the_fact
from app.domain.rulebook import Gate, Judgement, judge
from app.domain.text import Text
from app.rules import RULES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

OF_THIS_CHANGE = """
SELECT i.id, i.number, i.kind, i.subject_id, x.id AS impact_item_id, x.item_id, x.kind AS item_kind, clock_timestamp() AS at
FROM lab.impacts i JOIN lab.impact_items x ON x.impact_id = i.id WHERE i.entry = :entry
ORDER BY i.id, x.item_id = i.subject_id DESC, array_position(ARRAY['donation', 'bank', 'preparation', 'material'], x.kind), x.id DESC
"""
NUMBERS = "SELECT i.number FROM lab.impacts i WHERE i.entry = :entry ORDER BY i.id"
ON_DONORS = "SELECT lot_id, shared_by, shared, own FROM dossier.on_donors(CAST(:lots AS bigint[]))"
ON_MATERIAL = "SELECT lot_id, shared_by, shared, own FROM dossier.on_material(CAST(:lots AS bigint[]), :material_lot)"
KEEP = """
INSERT INTO lab.impact_verdicts (impact_item_id, gate, rulebook, asked, closing, digest, recorded_by)
SELECT v.impact_item_id, v.gate, v.rulebook, v.asked, v.closing, v.digest, :by
FROM jsonb_to_recordset(CAST(:verdicts AS jsonb))
    AS v(impact_item_id bigint, gate text, rulebook text, asked text, closing jsonb, digest text)
"""
_SHOWN = """
SELECT i.id, i.number, i.kind, i.entry, k.code AS subject, it.kind AS subject_kind,
    coalesce(p.pseudonym, l.name, dp.pseudonym) AS subject_name, i.recorded_at AS at, a.printed_name AS who,
    (SELECT jsonb_agg(f.says || jsonb_build_object('fact', f.fact) ORDER BY f.id) FROM lab.impact_facts f WHERE f.impact_id = i.id) AS facts,
    n.items, n.holding, n.released, n.recipients, n.unjudged
FROM lab.impacts i JOIN lab.items it ON it.id = i.subject_id JOIN people.accounts a ON a.id = i.recorded_by
LEFT JOIN lab.item_codes k ON k.item_id = i.subject_id AND k.scheme = 'own'
LEFT JOIN lab.persons p ON p.id = i.subject_id LEFT JOIN lab.lots l ON l.id = i.subject_id
LEFT JOIN lab.donations d ON d.id = i.subject_id LEFT JOIN lab.persons dp ON dp.id = d.donor_id
CROSS JOIN LATERAL (
    SELECT count(*) AS items, count(*) FILTER (WHERE h.id IS NOT NULL AND h.lifted_at IS NULL) AS holding,
        count(*) FILTER (WHERE h.lifted_at IS NULL AND h.id IS NOT NULL AND c.state IN ('released', 'conditionally_released', 'failed_after_release')) AS released,
        count(DISTINCT x.recipient_id) AS recipients,
        count(*) FILTER (WHERE NOT EXISTS (SELECT FROM lab.impact_verdicts v WHERE v.impact_item_id = x.id)) AS unjudged
    FROM lab.impact_items x LEFT JOIN lab.holds h ON h.id = x.hold_id LEFT JOIN lab.lots c ON c.id = x.item_id
    WHERE x.impact_id = i.id) AS n
"""
LIST = f"""{_SHOWN}
WHERE (CAST(:after AS bigint) IS NULL OR i.id < :after)
    AND (CAST(:kind AS text) IS NULL OR i.kind = :kind)
    AND (CAST(:item AS bigint) IS NULL OR i.subject_id = :item
         OR i.id IN (SELECT x.impact_id FROM lab.impact_items x WHERE x.item_id = :item))
ORDER BY i.id DESC LIMIT :limit
"""
ONE = f"{_SHOWN} WHERE i.number = :number"
ITEMS = """
SELECT x.id, k.code, x.kind, coalesce(l.name, dp.pseudonym) AS name, x.state_then, l.state AS state_now, p.pseudonym AS recipient,
    x.hold_id AS hold, h.lifted_at, cardinality(x.containers) AS containers, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('code', ck.code, 'kind', c.kind, 'state', c.state, 'place', e.name) ORDER BY c.id), '[]')
        FROM lab.containers c JOIN lab.item_codes ck ON ck.item_id = c.id AND ck.scheme = 'own' LEFT JOIN lab.equipment e ON e.id = c.place_id
        WHERE c.id = ANY (x.containers)) AS vials,
    v.gate, v.asked, v.closing, v.recorded_at AS judged_at, v.digest, v.rulebook
FROM lab.impact_items x LEFT JOIN lab.item_codes k ON k.item_id = x.item_id AND k.scheme = 'own'
LEFT JOIN lab.lots l ON l.id = x.item_id LEFT JOIN lab.donations d ON d.id = x.item_id LEFT JOIN lab.persons dp ON dp.id = d.donor_id
LEFT JOIN lab.persons p ON p.id = x.recipient_id LEFT JOIN lab.holds h ON h.id = x.hold_id
LEFT JOIN LATERAL (SELECT * FROM lab.impact_verdicts v WHERE v.impact_item_id = x.id ORDER BY v.id DESC LIMIT 1) v ON true
WHERE x.impact_id = :impact AND x.id > :after ORDER BY x.id LIMIT :limit
"""
BEARING_ON = """
SELECT i.number, i.kind, i.recorded_at AS at, coalesce(h.id IS NOT NULL AND h.lifted_at IS NULL, false) AS holding
FROM lab.impacts i LEFT JOIN lab.impact_items x ON x.impact_id = i.id AND x.item_id = :item LEFT JOIN lab.holds h ON h.id = x.hold_id
WHERE i.subject_id = :item OR x.id IS NOT NULL ORDER BY i.id DESC LIMIT 20
"""


async def judge_what_came_to_light(change: Change) -> None:
    """Judge everything that this change's facts were found to touch, and keep each verdict beside its hold.

    The database has held all of it already. It is judged as of now: the fact was recorded since the change began. So
    many as `WHOLE_BOOK_MOST` are judged by the whole book, each on its own dossier; of more, every lot is judged by the
    rules that read the fact, over what these read.
    """
    found = await change.all(OF_THIS_CHANGE, entry=change.entry)
    verdicts: list[dict[str, Any]] = []
    for impact in dict.fromkeys(row.id for row in found):
        touched = [row for row in found if row.id == impact]
        kind = ImpactKind(touched[0].kind)
        if len(touched) <= WHOLE_BOOK_MOST or not _is_read_alone(kind, touched[0].item_kind):
            verdicts += [each async for each in _by_the_book(change, touched[:WHOLE_BOOK_MOST])]
        else:
            verdicts += [
                each
                async for each in _by_the_book(
                    change, [row for row in touched if row.item_kind in {"donation", "material"}]
                )
            ]
            verdicts += [each async for each in _by_rules_on_the_fact(change, kind, touched)]
    if verdicts:
        await change.run(KEEP, verdicts=json.dumps(verdicts, ensure_ascii=False), by=change.actor.account_id)


async def of_this_change(change: Change) -> tuple[str, ...]:
    """The numbers of what came to light by this change."""
    return tuple(row.number for row in await change.all(NUMBERS, entry=change.entry))


_JUDGED_AT = {
    "donation": ("donation", Gate.G2),
    "preparation": ("lot", Gate.G6),
    "bank": ("lot", Gate.G6),
    "material": ("material_lot", Gate.G1),
}


async def _by_the_book(change: Change, touched: Sequence[Row[Any]]) -> AsyncIterator[dict[str, Any]]:
    for row in touched:
        kind, gate = _JUDGED_AT[row.item_kind]
        dossier, judgement = await judging.judged(change, kind=kind, subject_id=row.item_id, gate=gate, at=row.at)
        yield _kept(row.impact_item_id, judgement, asked=Asked.BOOK, digest=digest(dossier))


_BY_THE_BOOK_ALONE = frozenset(
    {
        ImpactKind.RESULT_FAILED,
        ImpactKind.ACCREDITATION_ENDED,
        ImpactKind.LEGACY_WITHDRAWN,
        ImpactKind.PARTNER_PAPER,
        ImpactKind.GROWTH_FOUND,
    }
)
"""Facts that only a whole dossier tells of."""
_OF_MATERIALS = frozenset({ImpactKind.MATERIAL_STOPPED, ImpactKind.VIRUS_FOUND})


def _is_read_alone(kind: ImpactKind, first: str) -> bool:
    """Whether rules can be asked about the fact alone. Virus can where a vector holds it, which is then named first."""
    if kind is ImpactKind.VIRUS_FOUND:
        return first == "material"
    return kind not in _BY_THE_BOOK_ALONE


async def _by_rules_on_the_fact(
    change: Change, kind: ImpactKind, touched: Sequence[Row[Any]]
) -> AsyncIterator[dict[str, Any]]:
    rules = [each for each in RULES if reads_the_fact(each.id, kind)]
    lots = {row.item_id: row.impact_item_id for row in touched if row.item_kind in {"preparation", "bank"}}
    rows = await (
        change.all(ON_MATERIAL, lots=list(lots), material_lot=touched[0].subject_id)
        if kind in _OF_MATERIALS
        else change.all(ON_DONORS, lots=list(lots))
    )
    shared: dict[int, Dossier] = {}
    for row in rows:
        if row.shared is not None:
            shared[row.shared_by] = parse(row.shared.encode())
        dossier = parse_onto(shared[row.shared_by], row.own.encode())
        judgement = judge(rules, dossier, gate=Gate.G6, at=touched[-1].at)
        yield _kept(lots[row.lot_id], judgement, asked=Asked.RULES_ON_THE_FACT, digest=None)


def _kept(impact_item_id: int, judgement: Judgement, *, asked: Asked, digest: str | None) -> dict[str, Any]:
    return {
        "impact_item_id": impact_item_id,
        "gate": judgement.gate.value,
        "rulebook": judgement.rulebook,
        "asked": asked.value,
        "digest": digest,
        "closing": [
            {
                "rule": verdict.rule,
                "title": verdict.title.to_json(),
                "outcome": verdict.outcome.value,
                "findings": [each.to_json() for each in verdict.findings],
            }
            for verdict in judgement.blocks
        ],
    }


async def page(
    reading: Reading, *, after: int | None, limit: int, kind: str | None, item_id: int | None
) -> Sequence[Row[Any]]:
    """Impacts, newest first; those of one kind, or that an item is named in or gave rise to."""
    return await reading.all(LIST, after=after, limit=limit, kind=kind, item=item_id)


async def one(reading: Reading, *, number: str) -> Row[Any]:
    """An impact with its counts. Raises NotFound."""
    row = await reading.one(ONE, number=number)
    if row is None:
        raise NotFound(
            what=Text("There is no impact {number}.", number=number),
            why=Text("Nothing that came to light bears this number."),
            remedy=Text("Choose one of the list."),
        )
    return row


async def items(reading: Reading, *, impact: int, after: int, limit: int) -> Sequence[Row[Any]]:
    """What it touches, in the order in which it was held, each with its containers and its last verdict."""
    return await reading.all(ITEMS, impact=impact, after=after, limit=limit)


async def bearing_on(reading: Reading, *, item_id: int) -> Sequence[Row[Any]]:
    """The impacts in which an item is named, or that came to light about it."""
    return await reading.all(BEARING_ON, item=item_id)
