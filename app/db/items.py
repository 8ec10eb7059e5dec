"""Items and their codes: one lookup for anything that carries a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.errors import NotFound
from app.domain.text import Text
from labels.codes import CodeKind, new_code

if TYPE_CHECKING:
    from app.db.door import Change, Reading

FIND = (
    "SELECT i.id, i.kind, c.code FROM lab.item_codes k JOIN lab.items i ON i.id = k.item_id"
    " JOIN lab.item_codes c ON c.item_id = i.id AND c.scheme = 'own' WHERE k.code = :code"
)
NEW = "INSERT INTO lab.items (kind) VALUES (:kind) RETURNING id"
NEW_CODE = "INSERT INTO lab.item_codes (code, item_id, scheme) VALUES (:code, :item_id, :scheme)"


@dataclass(frozen=True, slots=True)
class Item:
    """Anything that carries a label. `code` is our own code, eleven characters."""

    id: int
    kind: str
    code: str


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
    row = await reading.one(FIND, code=code)
    if row is None:
        raise NotFound(
            what=Text("There is no item {code}.", code=code),
            why=Text("This code is not known here."),
            remedy=Text("Scan the label again. If it is ours and still unknown, set the item aside and tell quality."),
        )
    if kind is not None and row.kind != kind:
        raise NotFound(
            what=Text("{code} is not what is asked for here.", code=code),
            why=Text("It is a {found}, and a {wanted} is needed.", found=row.kind, wanted=kind),
            remedy=Text("Scan the right label."),
        )
    return Item(id=row.id, kind=row.kind, code=row.code)
