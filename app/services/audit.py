"""Reading the audit: who did what, when, to which record, and that it is what was sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.db import audit, items
from app.db.audit import Proved, Sought
from app.domain.acts import Act, Actor
from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from app.services.house import House

IMAGES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class EntryLine:
    """An entry in a list. `rows` counts to a hundred. `refused`: nothing was done, and that is the record."""

    number: int
    at: datetime
    actor: str
    printed_name: str | None
    act: str
    subject: str
    reason: str
    device: str
    rows: int
    refused: bool


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One column of a row, before and after. `is_secret`: its value is nowhere, only that it changed."""

    name: str
    before: Any
    after: Any
    changed: bool
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class ImageView:
    """What was done to one row: `op` is I, U or D; columns that changed stand first."""

    seq: int
    table: str
    key: str
    op: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class SealedView:
    """Where an entry stands in the sealed log; `size` None while it waits."""

    leaf: int | None
    size: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry whole. `next_after` leads to further images."""

    number: int
    epoch: int
    at: datetime
    actor: str
    printed_name: str | None
    roles: tuple[str, ...]
    act: str
    subject: str
    reason: str
    device: str
    session: int | None
    db_role: str
    hash: str
    sealed: SealedView
    images: tuple[ImageView, ...]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class VersionView:
    """A row as one act left it, and that act."""

    number: int
    at: datetime
    actor: str
    printed_name: str | None
    act: str
    reason: str
    image: ImageView


@dataclass(frozen=True, slots=True)
class RecordHistory:
    """Every version of one row, newest first. `next_before` leads to older ones."""

    table: str
    key: str
    versions: tuple[VersionView, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class ItemHistory:
    """Entries about an item, newest first."""

    code: str
    kind: str
    entries: tuple[EntryLine, ...]


@dataclass(frozen=True, slots=True)
class LogState:
    """The last checkpoint of the sealed log, and how far entries have come."""

    size: int
    at: datetime
    epoch: int
    note: str
    last_number: int


async def search(house: House, actor: Actor, *, sought: Sought, after: int | None, limit: int) -> list[EntryLine]:
    """Entries, newest first."""
    async with house.door.read(actor, Act.READ_AUDIT) as reading:
        return [_line(row) for row in await audit.search(reading, sought, after=after, limit=limit)]


async def show_entry(house: House, actor: Actor, *, number: int, after: int = 0) -> EntryView:
    """One entry with what it did to which rows, from the image after `after` on. Raises NotFound."""
    async with house.door.read(actor, Act.READ_AUDIT) as reading:
        row = await audit.entry(reading, number=number)
        if row is None:
            raise _nothing(Text("There is no entry {number}.", number=str(number)))
        images = await audit.images(reading, number=number, after=after, limit=IMAGES_SHOWN + 1)
    shown = images[:IMAGES_SHOWN]
    return EntryView(
        number=row.number,
        epoch=row.epoch,
        at=row.at,
        actor=row.actor,
        printed_name=row.printed_name,
        roles=tuple(each for each in row.roles.split(",") if each),
        act=row.act,
        subject=row.subject,
        reason=row.reason,
        device=row.device,
        session=row.session_id,
        db_role=row.db_role,
        hash=row.hash,
        sealed=SealedView(row.leaf, row.sealed_size, row.sealed_at),
        images=tuple(_image(each) for each in shown),
        next_after=shown[-1].seq if len(images) > IMAGES_SHOWN else None,
    )


async def show_record(
    house: House, actor: Actor, *, table: str, key: str, before: int | None, limit: int
) -> RecordHistory:
    """Every version of one row. Raises NotFound where none was ever kept."""
    async with house.door.read(actor, Act.READ_AUDIT) as reading:
        rows = await audit.history(reading, table=table, key=key, before=before, limit=limit + 1)
    if not rows:
        raise _nothing(Text("Nothing is kept of {table} {key}.", table=table, key=key))
    versions = tuple(
        VersionView(
            number=row.number,
            at=row.at,
            actor=row.actor,
            printed_name=row.printed_name,
            act=row.act,
            reason=row.reason,
            image=_image(audit.image(row)),
        )
        for row in rows[:limit]
    )
    return RecordHistory(table, key, versions, versions[-1].image.seq if len(rows) > limit else None)


async def show_item(house: House, actor: Actor, *, code: str, after: int | None, limit: int) -> ItemHistory:
    """Everything about an item: its rows, what was done for it, what stands on it. Raises NotFound."""
    async with house.door.read(actor, Act.READ_AUDIT) as reading:
        item = await items.find(reading, code=code)
        rows = await audit.of_item(reading, item_id=item.id, after=after, limit=limit)
    return ItemHistory(item.code, item.kind, tuple(_line(row) for row in rows))


async def log_state(house: House, actor: Actor) -> LogState | None:
    """How far the log is sealed; None before the first checkpoint."""
    async with house.door.read(actor, Act.VERIFY_AUDIT) as reading:
        row = await audit.state(reading)
    return None if row is None else LogState(**row._asdict())


async def verify_entry(house: House, actor: Actor, *, number: int) -> Proved:
    """Hash one entry and its images anew, and follow the proof to the last checkpoint. Raises NotFound."""
    async with house.door.read(actor, Act.VERIFY_AUDIT):
        pass  # whether one may is asked, and a refusal kept, as everywhere
    async with house.door.driver() as connection:
        proved = await audit.prove(connection, number=number)
    if proved is None:
        raise _nothing(Text("There is no entry {number}.", number=str(number)))
    return proved


def _nothing(what: Text) -> NotFound:
    return NotFound(
        what=what, why=Text("The audit keeps nothing of this name."), remedy=Text("Choose one of the entries.")
    )


def _line(row: Any) -> EntryLine:
    return EntryLine(**row._asdict(), refused=row.reason.startswith("refused: "))


def _image(image: audit.Image) -> ImageView:
    before, after = image.before or {}, image.after or {}
    names = list(dict.fromkeys([*after, *before]))
    fields = [
        FieldChange(
            name=name,
            before=before.get(name),
            after=after.get(name),
            changed=name in image.secrets or before.get(name) != after.get(name),
            is_secret=name in image.secrets,
        )
        for name in names
    ]
    return ImageView(
        image.seq, image.table, image.key, image.op, tuple(sorted(fields, key=lambda each: not each.changed))
    )
