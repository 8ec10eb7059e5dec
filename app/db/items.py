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
    (SELECT count(*) FROM lab.labels b WHERE b.item_id = i.id) AS labels,
    c.volume_ml, c.viable_cells, d.tissue, d.collected_at, d.received_at, d.din, s.purpose, r.kind AS retain_kind,
    r.quantity, r.unit, r.place AS kept_at, coalesce(s.taken_at, r.taken_at) AS taken_at, e.room,
    m.name AS material, ml.supplier_lot, ml.expires_on, o.relation
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
LEFT JOIN lab.donors o ON o.id = i.id
LEFT JOIN lab.material_lots ml ON ml.id = l.id
LEFT JOIN lab.materials m ON m.id = ml.material_id
WHERE i.id = :id
"""
CODES = "SELECT code, scheme FROM lab.item_codes WHERE item_id = :id ORDER BY scheme, code"
HOLDS = """
SELECT h.reason, h.recorded_at AS since, k.code AS "on" FROM lab.holds h
JOIN lab.item_codes k ON k.item_id = h.item_id AND k.scheme = 'own'
WHERE h.lifted_at IS NULL AND h.item_id = ANY (CAST(:ids AS bigint[])) ORDER BY h.id
"""
EQUIPMENT = """
SELECT k.code, i.kind AS item_kind, e.kind, e.name, e.room,
    EXISTS (SELECT FROM lab.holds h WHERE h.item_id = e.id AND h.lifted_at IS NULL) AS held
FROM lab.equipment e JOIN lab.items i ON i.id = e.id JOIN lab.item_codes k ON k.item_id = e.id AND k.scheme = 'own'
WHERE (CAST(:kind AS text) IS NULL OR e.kind = :kind)
    AND (CAST(:after AS text) IS NULL OR e.name > (SELECT x.name FROM lab.equipment x JOIN lab.item_codes y ON y.item_id = x.id WHERE y.code = :after))
ORDER BY e.name LIMIT :limit
"""
# Each part is asked by an index of the item's own key, however many items there are.
STORY = """
SELECT told.at, told.what, told.detail, a.printed_name AS by_name FROM (
    SELECT c.recorded_at AS at, 'made' AS what, c.recorded_by AS by,
        jsonb_build_object('step', st.kind, 'passage', c.passage) AS detail
        FROM lab.containers c LEFT JOIN lab.steps st ON st.id = c.step_id WHERE c.id = :id
    UNION ALL SELECT received_at, 'received', recorded_by, '{}' FROM lab.donations WHERE id = :id
    UNION ALL SELECT taken_at, 'taken', taken_by, '{}' FROM lab.samples WHERE id = :id
    UNION ALL SELECT taken_at, 'taken', recorded_by, '{}' FROM lab.retains WHERE id = :id
    UNION ALL SELECT recorded_at, 'defined', recorded_by, '{}' FROM lab.equipment WHERE id = :id
    UNION ALL SELECT recorded_at, 'registered', recorded_by, '{}' FROM lab.donors WHERE id = :id
    UNION ALL SELECT recorded_at, 'moved', recorded_by, jsonb_build_object('act', act, 'state', to_state)
        FROM lab.lot_history WHERE lot_id = :id
    UNION ALL SELECT recorded_at, 'label', recorded_by, jsonb_build_object('reason', reason, 'again', reprint_of IS NOT NULL)
        FROM lab.labels WHERE item_id = :id
    UNION ALL SELECT recorded_at, 'hold', recorded_by, jsonb_build_object('reason', reason) FROM lab.holds WHERE item_id = :id
    UNION ALL SELECT h.lifted_at, 'hold_lifted', s.account_id, jsonb_build_object('reason', h.reason)
        FROM lab.holds h JOIN lab.signatures s ON s.id = h.lifted_signature_id WHERE h.item_id = :id
    UNION ALL SELECT recorded_at, 'deviation', recorded_by, jsonb_build_object('number', number, 'what', what)
        FROM lab.deviations WHERE item_id = :id
    UNION ALL (SELECT u.used_at, 'used', u.recorded_by, jsonb_build_object('lot', l.name, 'quantity', u.quantity::text, 'unit', u.unit)
        FROM lab.consumptions u JOIN lab.lots l ON l.id = u.lot_id WHERE u.container_id = :id ORDER BY u.id DESC LIMIT :limit)
    UNION ALL (SELECT DISTINCT coalesce(st.ended_at, st.started_at), 'into', st.performed_by,
        jsonb_build_object('step', st.kind, 'passage', st.passage, 'lot', l.name)
        FROM lab.lineage x JOIN lab.steps st ON st.id = x.step_id JOIN lab.lots l ON l.id = st.lot_id WHERE x.parent_id = :id LIMIT :limit)
    UNION ALL (SELECT s.taken_at, 'sampled', s.taken_by, jsonb_build_object('code', k.code)
        FROM lab.lineage x JOIN lab.samples s ON s.id = x.child_id JOIN lab.item_codes k ON k.item_id = s.id AND k.scheme = 'own'
        WHERE x.parent_id = :id LIMIT :limit)
    UNION ALL (SELECT r.taken_at, 'retained', r.recorded_by, jsonb_build_object('code', k.code)
        FROM lab.lineage x JOIN lab.retains r ON r.id = x.child_id JOIN lab.item_codes k ON k.item_id = r.id AND k.scheme = 'own'
        WHERE x.parent_id = :id LIMIT :limit)
) AS told LEFT JOIN people.accounts a ON a.id = told.by ORDER BY told.at DESC, told.what LIMIT :limit
"""
OWN_TABLES = (
    "lab.items",
    "lab.persons",
    "lab.donors",
    "lab.donations",
    "lab.lots",
    "lab.material_lots",
    "lab.containers",
    "lab.samples",
    "lab.retains",
    "lab.equipment",
)
HISTORY = """
WITH own(tbl, key) AS (
    SELECT named, CAST(:id AS text) FROM unnest(CAST(:tables AS text[])) AS named
    UNION ALL SELECT 'lab.labels', id::text FROM lab.labels WHERE item_id = CAST(:id AS bigint)
    UNION ALL SELECT 'lab.holds', id::text FROM lab.holds WHERE item_id = CAST(:id AS bigint)
    UNION ALL SELECT 'lab.deviations', id::text FROM lab.deviations WHERE item_id = CAST(:id AS bigint)
), touched AS (
    SELECT r.entry_number, array_agg(DISTINCT r.tbl) AS tables FROM own JOIN audit.rows r ON r.tbl = own.tbl AND r.key = own.key
    WHERE r.entry_number < coalesce(CAST(:before AS bigint), 9223372036854775807)
    GROUP BY r.entry_number ORDER BY r.entry_number DESC LIMIT :limit
)
SELECT e.number, e.at, e.act, e.reason, coalesce(a.printed_name, e.actor) AS by_name, t.tables
FROM touched t JOIN audit.entries e ON e.number = t.entry_number LEFT JOIN people.accounts a ON a.id = e.actor_id
ORDER BY e.number DESC
"""
# Names of lots, people and equipment as they stand on pages and labels; letters count the same, small or large.
NAMED = """
SELECT k.code FROM (
    SELECT id FROM lab.lots WHERE name = ANY (CAST(:names AS text[]))
    UNION ALL SELECT id FROM lab.persons WHERE pseudonym = ANY (CAST(:names AS text[]))
    UNION ALL SELECT id FROM lab.equipment WHERE name = ANY (CAST(:names AS text[]))
) AS named JOIN lab.item_codes k ON k.item_id = named.id AND k.scheme = 'own' ORDER BY k.code LIMIT 1
"""
CODE_OF = "SELECT code FROM lab.item_codes WHERE item_id = :id AND scheme = 'own'"
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


async def named(reading: Reading, *, name: str) -> str | None:
    """The code of the lot, person or equipment that goes by this name."""
    names = list(dict.fromkeys((name, name.upper(), name.strip())))
    found: str | None = await reading.value(NAMED, names=names)
    return found


async def own_code(reading: Reading, *, item_id: int) -> str:
    """The code of ours that the item bears."""
    code: str = await reading.value(CODE_OF, id=item_id)
    return code


async def story(reading: Reading, *, item_id: int, limit: int) -> Sequence[Row[Any]]:
    """What was done with the item, newest first, as its records tell it."""
    return await reading.all(STORY, id=item_id, limit=limit)


async def history(reading: Reading, *, item_id: int, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """The audit entries that wrote a row of the item, newest first."""
    return await reading.all(HISTORY, id=str(item_id), tables=list(OWN_TABLES), before=before, limit=limit)


async def equipment(reading: Reading, *, kind: str | None, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Equipment, shelves and positions by name, after the one of this code."""
    return await reading.all(EQUIPMENT, kind=kind, after=after, limit=limit)


def _unknown(code: str) -> NotFound:
    return NotFound(
        what=Text("There is no item {code}.", code=code),
        why=Text("This code is not known here."),
        remedy=Text("Scan the label again. If it is ours and still unknown, set the item aside and tell quality."),
    )
