"""For the second door: what the codes of an account name, what it touches, and what it hangs on."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.db import colleagues, equipment
from app.domain.happened import Unresolved, What
from app.domain.passages import Counts
from labels.codes import TEXT_LENGTH_MAX, CodeError, parse, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from app.db.door import Change, Reading
    from app.db.steps import MaterialUse
    from app.domain.facts import Severity

NOT_COUNTED = Counts()
AROUND = " \r\n\t\u3000"
"""What stands around a scanned or typed text and is no part of it."""

LOCK = """
SELECT lab.lock_touched(ARRAY(
    SELECT unnest(CAST(:ids AS bigint[])) UNION
    SELECT donation_id FROM lab.lots WHERE id = ANY (CAST(:ids AS bigint[])) AND donation_id IS NOT NULL))
"""
_KNOWN = """
i.id, i.kind, own.code, e.kind AS equipment, l.id AS lot_id, l.kind AS lot_kind, lk.code AS lot_code
FROM lab.items i JOIN lab.item_codes own ON own.item_id = i.id AND own.scheme = 'own'
LEFT JOIN lab.equipment e ON e.id = i.id
CROSS JOIN LATERAL lab.root_of_item(i.id) AS root
LEFT JOIN lab.lots l ON root.root_kind = 'lot' AND l.id = root.root_id
LEFT JOIN lab.item_codes lk ON lk.item_id = l.id AND lk.scheme = 'own'
"""
# A lot's name and a pseudonym stand on every page and label: people type them.
BY_CODE = f"""
WITH meant AS (
    SELECT given.said, (
        SELECT found.item_id FROM (
            SELECT item_id, 1 AS rank FROM lab.item_codes WHERE code = given.said
            UNION ALL SELECT id, 2 FROM lab.lots WHERE name = given.said
            UNION ALL SELECT id, 3 FROM lab.persons WHERE pseudonym = given.said
        ) AS found ORDER BY found.rank LIMIT 1) AS item_id
    FROM unnest(CAST(:codes AS text[])) AS given(said))
SELECT meant.said, known.* FROM meant JOIN (SELECT {_KNOWN}) AS known ON known.id = meant.item_id
"""
BY_ID = f"SELECT {_KNOWN} WHERE i.id = :id"
STEP_THEN = """
SELECT id FROM lab.steps WHERE lot_id = :lot_id AND started_at <= :at ORDER BY started_at DESC, id DESC LIMIT 1
"""
PRESENT = """
SELECT id FROM lab.containers WHERE lot_id = :lot_id AND state IN ('in_use', 'stored') ORDER BY id
"""
FACILITY = "SELECT id FROM lab.equipment WHERE kind = 'facility' ORDER BY id LIMIT 1"
FACILITY_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('stemma.facility', 0))"
FACILITY_NAME = """
SELECT d.facility, d.facility = '' OR EXISTS (SELECT FROM lab.equipment e WHERE e.name = d.facility) AS is_taken
FROM lab.deployment d
"""


@dataclass(frozen=True, slots=True)
class Known:
    """Something that an account names: `equipment` is its kind among equipment, `lot_*` the lot that it belongs to or is."""

    id: int
    kind: str
    code: str
    equipment: str | None
    lot_id: int | None
    lot_kind: str | None
    lot_code: str | None

    @property
    def is_of_cells(self) -> bool:
        """Whether it belongs to a lot of cells, or is one."""
        return self.lot_kind is not None and self.lot_kind != "material"

    @property
    def may_be_held(self) -> bool:
        """Whether it is put on hold: not where all work is done, for that would stop what it has no part in."""
        return self.equipment not in {"workstation", "facility"}


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody says has happened: the prose, and every fact as far as it is known.

    Codes are texts as they were scanned or typed, whatever they are. `performed_by` is a user name, or the words for a
    person who has none; None is whoever tells it.
    """

    what: What
    said: str
    severity: Severity
    occurred_at: datetime
    lot: str | None = None
    item: str | None = None
    ended_at: datetime | None = None
    performed_by: str | None = None
    verified_by: str | None = None
    workstation: str | None = None
    parents: tuple[str, ...] = ()
    materials: tuple[MaterialUse, ...] = ()
    counts: Counts = NOT_COUNTED
    flasks: int = 0
    vials: int = 0
    volume_ml: Decimal | None = None
    viable_cells_per_vial: Decimal | None = None
    place: str | None = None
    programme: str | None = None

    @property
    def containers_made(self) -> int:
        """How many new containers there are after it."""
        return self.vials if self.what is What.FILL else self.flasks


@dataclass(frozen=True, slots=True)
class Named:
    """What the account names as far as it is known. `touched` are item, lot, parents and materials of whatever kind,
    `where` workstation, place and the session's workstation.
    """

    lot: str | None
    parents: tuple[str, ...]
    materials: tuple[MaterialUse, ...]
    workstation: str | None
    place: Known | None
    performed_by: int | None
    verified_by: int | None
    touched: tuple[Known, ...]
    where: tuple[Known, ...]
    unresolved: tuple[Unresolved, ...]

    def lacks(self, field: str) -> bool:
        """Whether something was said in this field that names nothing of its kind."""
        return any(each.field == field for each in self.unresolved)

    @property
    def to_lock(self) -> list[int]:
        """Everything of which the account may write: what was touched, and its lots."""
        return [*(each.id for each in self.touched), *(each.lot_id for each in self.touched if each.lot_id is not None)]


async def named(reading: Reading, account: Account, *, workstation_id: int | None) -> Named:
    """What every code and name of the account means here; `workstation_id` is where the session works."""
    found = await known(reading, said=[code for _, code in _codes(account)])
    unresolved: list[Unresolved] = []

    def fitting(field: str, code: str | None) -> Known | None:
        words = shown(code)
        if code is None or words is None:
            return None
        thing = found.get(code)
        if thing is not None and _FITS[field](thing):
            return thing
        unresolved.append(Unresolved(field, words))
        return None

    item, lot = fitting("item", account.item), fitting("lot", account.lot)
    parents = [thing for code in account.parents if (thing := fitting("parents", code)) is not None]
    materials = [
        replace(use, container=thing.code)
        for use in account.materials
        if (thing := fitting("materials", use.container)) is not None
    ]
    workstation, place = fitting("workstation", account.workstation), fitting("place", account.place)
    people: dict[str, int | None] = {}
    for field, name in (("performed_by", account.performed_by), ("verified_by", account.verified_by)):
        said = shown(name)
        people[field] = None if said is None else await colleagues.id_of(reading, username=said)
        if said is not None and people[field] is None:
            unresolved.append(Unresolved(field, said))
    here = None if workstation_id is None else await by_id(reading, item_id=workstation_id)
    # A lot that was said and cannot be read is not guessed from what else was said.
    of_item = item.lot_code if item is not None and item.is_of_cells and not shown(account.lot) else None
    return Named(
        lot=of_item if lot is None else lot.code,
        parents=tuple(dict.fromkeys(each.code for each in parents)),
        materials=tuple(materials),
        workstation=None if workstation is None else workstation.code,
        place=place,
        performed_by=people["performed_by"],
        verified_by=people["verified_by"],
        touched=once(found.get(code) for field, code in _codes(account) if field in _TOUCHED),
        where=once([*(found.get(code) for field, code in _codes(account) if field not in _TOUCHED), here]),
        unresolved=tuple(unresolved),
    )


def _codes(account: Account) -> list[tuple[str, str]]:
    """Every code that was said with its field, the nearest to what happened first."""
    said = [
        ("item", account.item),
        ("lot", account.lot),
        *(("parents", code) for code in account.parents),
        *(("materials", use.container) for use in account.materials),
        ("workstation", account.workstation),
        ("place", account.place),
    ]
    return [(field, code) for field, code in said if code is not None]


def once(things: Iterable[Known | None]) -> tuple[Known, ...]:
    """Each thing once, in the order in which it came."""
    return tuple(dict.fromkeys(each for each in things if each is not None))


def shown(said: str | None) -> str | None:
    """The text with what does not show as escapes; None where nothing shows at all."""
    text = unicodedata.normalize("NFC", said or "").strip(AROUND)
    pieces = [text[start : start + TEXT_LENGTH_MAX] for start in range(0, len(text), TEXT_LENGTH_MAX)]
    return "".join(printable(each) for each in pieces) or None


async def known(reading: Reading, *, said: Iterable[str]) -> dict[str, Known]:
    """What each of these scanned or typed texts names. One that cannot be read, or names nothing, is left out."""
    codes = {text: code for text in said if (code := _code(text)) is not None}
    if not codes:
        return {}
    rows = await reading.all(BY_CODE, codes=list(dict.fromkeys(codes.values())))
    found = {row.said: Known(*tuple(row)[1:]) for row in rows}
    return {text: found[code] for text, code in codes.items() if code in found}


async def by_id(reading: Reading, *, item_id: int) -> Known | None:
    """The item of this key."""
    row = await reading.one(BY_ID, id=item_id)
    return None if row is None else Known(*tuple(row))


async def lock(change: Change, *, ids: Collection[int]) -> None:
    """Lock the roots of these items, and of the lots' donations, in the one order."""
    await change.run(LOCK, ids=list(ids))


async def facility(change: Change) -> Known:
    """The facility itself as a piece of equipment, made at its first need and never twice."""
    item_id = await change.value(FACILITY)
    if item_id is None:
        await change.run(FACILITY_ALONE)
        item_id = await change.value(FACILITY) or await _new_facility(change)
    found = await by_id(change, item_id=item_id)
    if found is None:
        raise RuntimeError("equipment always has a code of our own")
    return found


async def _new_facility(change: Change) -> int:
    row = await change.one(FACILITY_NAME)
    if row is None:
        raise RuntimeError("a database is always deployed for a facility")
    # Equipment may bear the facility's name already; the facility then goes by its name and the act's number.
    name = f"{row.facility} ({change.entry})" if row.is_taken else row.facility
    return (await equipment.insert(change, name=name, kind="facility", room="–")).id


async def step_then(reading: Reading, *, lot_id: int, at: datetime) -> int | None:
    """The last step that had begun at a moment."""
    found: int | None = await reading.value(STEP_THEN, lot_id=lot_id, at=at)
    return found


async def present(reading: Reading, *, lot_id: int) -> list[int]:
    """The lot's containers that still hold something."""
    return [row.id for row in await reading.all(PRESENT, lot_id=lot_id)]


def _code(said: str) -> str | None:
    try:
        return parse(said).value
    except CodeError:
        return None


_TOUCHED = frozenset({"item", "lot", "parents", "materials"})
_FITS: Mapping[str, Callable[[Known], bool]] = {
    "item": lambda _: True,
    "lot": lambda thing: thing.kind == "lot" and thing.is_of_cells,
    "parents": lambda thing: thing.kind == "container",
    "materials": lambda thing: thing.kind == "material_container",
    "workstation": lambda thing: thing.equipment == "workstation",
    "place": lambda thing: thing.kind in {"equipment", "shelf", "position"},
}
