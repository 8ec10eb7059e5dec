"""Items and their codes: one lookup for anything that carries a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from labels.codes import CodeKind, new_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

FIND = (
    "SELECT i.id, i.kind, c.code FROM lab.item_codes k JOIN lab.items i ON i.id = k.item_id"
    " JOIN lab.item_codes c ON c.item_id = i.id AND c.scheme = 'own' WHERE k.code = :code"
)
# A lot's name and a pseudonym stand on every page and label: people type them.
FIND_BY_NAME = (
    "SELECT i.id, i.kind, c.code FROM (SELECT id FROM lab.lots WHERE name = :name"
    " UNION ALL SELECT id FROM lab.persons WHERE pseudonym = :name) AS named JOIN lab.items i ON i.id = named.id"
    " JOIN lab.item_codes c ON c.item_id = i.id AND c.scheme = 'own'"
)
NEW = "INSERT INTO lab.items (kind) VALUES (:kind) RETURNING id"
NEW_CODE = "INSERT INTO lab.item_codes (code, item_id, scheme) VALUES (:code, :item_id, :scheme)"


DESCRIBE = """
SELECT own.code, i.kind AS item_kind, coalesce(c.kind, e.kind) AS subkind, c.state, c.passage, c.opened_until,
    coalesce(p.pseudonym, e.name, l.name) AS name, place.code AS place, holder.name AS place_name,
    lk.code AS lot, l.name AS lot_name, l.kind AS lot_kind, l.state AS lot_state, l.expires_at AS lot_expires_at,
    coalesce(p.pseudonym, lp.pseudonym) AS donor, l.id AS lot_id, i.recorded_at,
    (SELECT count(*) FROM lab.labels b WHERE b.item_id = i.id) AS labels
FROM lab.items i
JOIN lab.item_codes own ON own.item_id = i.id AND own.scheme = 'own'
LEFT JOIN lab.containers c ON c.id = i.id
LEFT JOIN lab.equipment e ON e.id = i.id
LEFT JOIN lab.samples s ON s.id = i.id
LEFT JOIN lab.retains r ON r.id = i.id
LEFT JOIN lab.donations d ON d.id = i.id
LEFT JOIN lab.persons p ON p.id = coalesce(d.donor_id, i.id)
LEFT JOIN lab.lots l ON l.id = coalesce(c.lot_id, s.lot_id, r.lot_id, i.id)
LEFT JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own'
LEFT JOIN lab.persons lp ON lp.id = l.donor_id
LEFT JOIN lab.item_codes place ON place.item_id = c.place_id AND place.scheme = 'own'
LEFT JOIN lab.equipment holder ON holder.id = c.place_id
WHERE i.id = :id
"""
CODES = "SELECT code, scheme FROM lab.item_codes WHERE item_id = :id ORDER BY scheme, code"
HOLDS = """
SELECT h.reason, h.recorded_at AS since, k.code AS "on" FROM lab.holds h
JOIN lab.item_codes k ON k.item_id = h.item_id AND k.scheme = 'own'
WHERE h.lifted_at IS NULL AND h.item_id = ANY (CAST(:ids AS bigint[])) ORDER BY h.id
"""
FIND_SCHEME = "SELECT item_id FROM lab.item_codes WHERE code = :code AND scheme = :scheme"


@dataclass(frozen=True, slots=True)
class Item:
    """Anything that carries a label. `code` is our own code, eleven characters."""

    id: int
    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class Description:
    """Everything known of one item, in rows as they stand."""

    item: Row[Any]
    codes: Sequence[Row[Any]]
    holds: Sequence[Row[Any]]


async def new_item(change: Change, *, kind: str, code_kind: CodeKind) -> Item:
    """A new item with a fresh code of our own."""
    item_id: int = await change.value(NEW, kind=kind)
    code = new_code(code_kind)
    await change.run(NEW_CODE, code=code, item_id=item_id, scheme="own")
    return Item(id=item_id, kind=kind, code=code)


async def also_known_as(change: Change, *, item_id: int, code: str, scheme: str) -> None:
    """Another code for the same item: a DIN, or a supplier's. Raises Conflict when the code is taken."""
    await change.run(NEW_CODE, code=code, item_id=item_id, scheme=scheme)


async def find(reading: Reading, *, code: str, kind: str | None = None) -> Item:
    """The item of this code, already normalised. Raises NotFound, also when it is of another kind."""
    row = await reading.one(FIND, code=code) or await reading.one(FIND_BY_NAME, name=code)
    if row is None:
        raise _unknown(code)
    if kind is not None and row.kind != kind:
        raise NotFound(
            what=Text("{code} is not what is asked for here.", code=code),
            why=Text(
                "This is: {found}. What is needed: {wanted}.", found=KIND_NAMES[row.kind], wanted=KIND_NAMES[kind]
            ),
            remedy=Text("Scan the right label."),
        )
    return Item(id=row.id, kind=row.kind, code=row.code)


async def find_scanned(reading: Reading, *, code: str, scheme: str) -> int:
    """The key of the item of this code in this scheme: own, din or supplier. Raises NotFound."""
    found: int | None = await reading.value(FIND_SCHEME, code=code, scheme=scheme)
    if found is None:
        raise _unknown(code)
    return found


async def describe(reading: Reading, *, item_id: int) -> Description:
    """What the item is, where it is, and what stands against it."""
    row = await reading.one(DESCRIBE, id=item_id)
    if row is None:
        raise RuntimeError("an item always has a code of our own")
    return Description(
        item=row,
        codes=await reading.all(CODES, id=item_id),
        holds=await reading.all(HOLDS, ids=[item_id, row.lot_id or item_id]),
    )


def _unknown(code: str) -> NotFound:
    return NotFound(
        what=Text("There is no item {code}.", code=code),
        why=Text("This code is not known here."),
        remedy=Text("Scan the label again. If it is ours and still unknown, set the item aside and tell quality."),
    )
