"""Labels: made from what is recorded, read back and compared before they may print, and counted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from app.db import labels, lots, materials, printing, reasons
from app.domain.acts import Act, Actor, require
from app.domain.errors import BadInput, Conflict, NotFound, Stale, in_words_of
from app.domain.text import Text
from labels.facts import DOTS_PER_MM, LabelFacts, LabelLanguage, content_sha256, design_name
from labels.words import SpokenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from sqlalchemy import Row

    from app.db.door import Call, Change, Door, Reading
    from app.services.house import House

AT_ONCE_MAX = 100
"""How many labels one request makes: each is drawn and read back, some twenty milliseconds a print head."""
TRIES = 3
LABELS_SHOWN = 20
Language = LabelLanguage


class Form(StrEnum):
    """How a label leaves: vectors for people, a picture of the printer's dots, or the printer's own job."""

    PDF = "pdf"
    PNG = "png"
    ZPL = "zpl"


class Many(StrEnum):
    """What is labelled many at a time: the containers that a step made, or that a receipt of material brought."""

    VIAL = "vial"
    FLASK = "flask"
    BAG = "bag"
    MATERIAL = "material"


MEDIA_TYPES = {Form.PDF: "application/pdf", Form.PNG: "image/png", Form.ZPL: "application/octet-stream"}


@dataclass(frozen=True, slots=True)
class LabelView:
    """A label that was made. `content_sha256` is of everything that stands on it; `reprint_of` of an earlier number.

    `copy` counts the labels of one item from 1 and, from 2 on, stands on the label; `printer` and `job` say where it
    waits to be printed, if it was sent to a printer.
    """

    number: int
    item: str
    design: str
    content_sha256: str
    read_back: str
    copy: int
    reprint_of: int | None
    reason: str | None
    printer: str | None
    job: int | None
    pdf: str
    png: str
    zpl: str


@dataclass(frozen=True, slots=True)
class LabelsView:
    """Labels that were made together. `left` more of the same kind still have none."""

    lot: str
    labels: tuple[LabelView, ...]
    left: int


@dataclass(frozen=True, slots=True)
class PastLabel:
    """A label that was made of an item, and how its printing stands where it went to a printer."""

    number: int
    design: str
    reason: str | None
    at: datetime
    by: str
    job: str | None
    printer: str | None


async def print_label(
    house: House,
    call: Call,
    *,
    code: str,
    language: Language,
    reason: str | None,
    printer: str | None = None,
    picked: str | None = None,
) -> LabelView:
    """Make the label of anything that carries one: drawn, read back, compared, counted; only then can it be fetched.

    A second label voids the first, whose code is the same: `copy 2` on the new one tells them apart, and the first
    comes back as destroyed when labels are counted. With `printer` it is queued there in the same transaction.
    `picked`: the code of a reason picked at the bench, in place of words, which are owed then.
    Raises BadInput where another was made before and no reason is given, or where a text cannot be printed;
    Conflict where the drawing does not read as meant.
    """
    async with house.door.change(call, _act_for(code), subject=code, reason=reason or picked or "") as change:
        found = await labels.item(change, code=code)
        if picked is not None:
            require(change.actor, Act.NOTE_REASON)  # whoever picks must be able to add the words
            reason = await _said(change, picked=picked, words=reason)
            await reasons.owe(change, item_id=found.id, act=_act_for(code), reason=picked)
        for _ in range(TRIES):
            facts = await labels.facts_of(change, item_id=found.id, kind=found.kind, code=found.code, language=language)
            target = await _printer(change, printer, [facts])
            earlier = (await labels.last(change, items=[found.id])).get(found.id)
            if earlier is not None and earlier.standing and reason is None:
                raise _has_one(earlier)
            copy = 1 if earlier is None else earlier.copy + 1
            said = await asyncio.to_thread(_read_back, [(facts, copy)], language, _head(target))
            await labels.lock(change, items=[found.id])
            now = (await labels.last(change, items=[found.id])).get(found.id)
            again = await labels.facts_of(change, item_id=found.id, kind=found.kind, code=found.code, language=language)
            if again == facts and (now and now.id) == (earlier and earlier.id):
                view = await _keep(change, found.id, facts, said[0], language, reason, earlier, target)
                return change.answers(view)
            # Drawn without a lock, so that nobody waits for a drawing; what changed meanwhile is drawn anew.
        raise _changing()


async def print_lot_labels(
    house: House, call: Call, *, code: str, kind: Many, language: Language, printer: str | None = None
) -> LabelsView:
    """Make the first label of every container of a kind that a lot has in hand, at most a hundred at once.

    Raises Conflict where every one has its label, and as `print_label`.
    """
    async with house.door.change(call, Act.PRINT_LABEL, subject=code) as change:
        lot = await (materials.find_lot if kind is Many.MATERIAL else lots.find)(change, code=code)
        for _ in range(TRIES):
            wanted = await labels.unlabelled(change, lot_id=lot.id, kind=kind.value)
            now, left = wanted[:AT_ONCE_MAX], len(wanted[AT_ONCE_MAX:])
            if not now:
                raise _all_labelled(code)
            facts = await _facts_of(change, kind, now, language)
            target = await _printer(change, printer, list(facts.values()))
            earlier = await labels.last(change, items=now)
            drawn = [(facts[each], earlier[each].copy + 1 if each in earlier else 1) for each in now]
            said = await asyncio.to_thread(_read_back, drawn, language, _head(target))
            await labels.lock(change, items=now)
            same = await labels.unlabelled(change, lot_id=lot.id, kind=kind.value) == wanted
            if same and await _facts_of(change, kind, now, language) == facts:
                made = [
                    await _keep(change, each, facts[each], text, language, None, earlier.get(each), target)
                    for each, text in zip(now, said, strict=True)
                ]
                return change.answers(LabelsView(lot=lot.code, labels=tuple(made), left=left))
        raise _changing()


async def _facts_of(change: Change, kind: Many, ids: Sequence[int], language: Language) -> Mapping[int, LabelFacts]:
    if kind is Many.MATERIAL:
        return await labels.facts_of_materials(change, ids=ids)
    return await labels.facts_of_cells(change, ids=ids, language=language)


async def labels_of(house: House, actor: Actor, *, code: str) -> list[PastLabel]:
    """The labels that were made of one item, newest first."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        found = await labels.item(reading, code=code)
        rows = await labels.of_item(reading, item_id=found.id, limit=LABELS_SHOWN)
    return [PastLabel(**row._asdict()) for row in rows]


async def label_bytes(house: House, actor: Actor, *, code: str, form: Form, dots_per_mm: float) -> bytes:
    """The label made last for this item, drawn again. Only what was counted can be fetched.

    Raises NotFound where none was made, Stale where what it would say has changed since, BadInput for a print head that
    is not known.
    """
    if dots_per_mm not in DOTS_PER_MM:
        raise BadInput(
            field="dots_per_mm",
            what=Text("No label was drawn."),
            why=Text("No print head with {dots} dots/mm is known.", dots=dots_per_mm),
            remedy=Text("Choose one of: {known}.", known=tuple(str(each) for each in DOTS_PER_MM)),
        )
    act = Act.ISSUE_BADGE if _is_badge(code) else Act.READ_ITEM
    async with house.door.read(actor, act) as reading:
        found = await labels.item(reading, code=code)
        made = (await labels.last(reading, items=[found.id])).get(found.id)
        if made is None or made.cancelled:
            raise NotFound(
                what=Text("No label was made for {code}.", code=code),
                why=Text("Every label is counted before it is drawn."),
                remedy=Text("Make the label first."),
            )
        facts, language = await _as_made(reading, made, item_id=found.id, kind=found.kind, code=found.code)
    return await asyncio.to_thread(_drawn, facts, language, made.copy, form, dots_per_mm)


async def bytes_for_printer(door: Door, *, label: int, dots_per_mm: float) -> bytes:
    """The printer's job for a label that waits in its queue. Raises Stale where its facts have changed since."""
    async with door.look() as reading:
        made = await labels.by_number(reading, label=label)
        if made is None:
            raise RuntimeError("a job prints a label that was made")
        facts, language = await _as_made(reading, made, item_id=made.item_id, kind=made.kind, code=made.code)
    return await asyncio.to_thread(_drawn, facts, language, made.copy, Form.ZPL, dots_per_mm)


# -- within ------------------------------------------------------------------------------------------------------------


def _is_badge(code: str) -> bool:
    return code.startswith("G")


def _act_for(code: str) -> Act:
    """A badge is printed by whoever may issue one, and by nobody else."""
    return Act.ISSUE_BADGE if _is_badge(code) else Act.PRINT_LABEL


async def _as_made(
    reading: Reading, made: Row[Any], *, item_id: int, kind: str, code: str
) -> tuple[LabelFacts, LabelLanguage]:
    language = Language(made.design.rsplit("-", 1)[-1])
    facts = await labels.facts_of(reading, item_id=item_id, kind=kind, code=code, language=language)
    if content_sha256(facts, language=language, copy=made.copy) != made.content_sha256:
        raise Stale(
            what=Text("The label was not drawn."),
            why=Text("What it says has changed since it was made."),
            remedy=Text("Make a new label, state the reason, and destroy the first."),
        )
    return facts, language


async def _printer(change: Change, code: str | None, facts: Sequence[LabelFacts]) -> printing.Printer | None:
    """The printer of this code, if one is named. Raises BadInput where it holds labels of another size."""
    if code is None:
        return None
    found = await printing.printer(change, code=code)
    for each in facts:
        if each.design.rsplit("-", 1)[-1] != found.media:
            raise BadInput(
                field="printer",
                what=Text("No label was made."),
                why=Text(
                    "{printer} holds labels of {media} mm; this one is {size} mm.",
                    printer=found.name,
                    media=found.media.replace("x", " × "),
                    size=each.design.rsplit("-", 1)[-1].replace("x", " × "),
                ),
                remedy=Text("Choose a printer that holds labels of this size."),
            )
    return found


def _head(target: printing.Printer | None) -> float:
    """The print head to try a label on: its printer's, else the coarsest. Every later drawing is read back anew."""
    return min(DOTS_PER_MM) if target is None else target.dots_per_mm


async def _keep(
    change: Change,
    item_id: int,
    facts: LabelFacts,
    read_back: str,
    language: LabelLanguage,
    reason: str | None,
    earlier: Row[Any] | None,
    target: printing.Printer | None,
) -> LabelView:
    copy = 1 if earlier is None else earlier.copy + 1
    reprint_of = earlier.id if earlier is not None and earlier.standing else None
    digest = content_sha256(facts, language=language, copy=copy)
    design = design_name(facts, language=language)
    number = await labels.insert(
        change,
        item_id=item_id,
        design=design,
        content_sha256=digest,
        read_back=read_back,
        reprint_of=reprint_of,
        reason=reason,
    )
    job = None if target is None else await printing.queue(change, label=number, printer_id=target.id)
    address = f"/api/v1/items/{facts.code}/label"
    return LabelView(
        number=number,
        item=facts.code,
        design=design,
        content_sha256=digest,
        read_back=read_back,
        copy=copy,
        reprint_of=reprint_of,
        reason=reason,
        printer=None if target is None else target.name,
        job=job,
        pdf=f"{address}.pdf",
        png=f"{address}.png",
        zpl=f"{address}.zpl",
    )


async def _said(change: Change, *, picked: str, words: str | None) -> str:
    if words is not None:
        raise BadInput(
            field="reason",
            what=Text("No label was made."),
            why=Text("Another label has one reason: in words, or one that was picked."),
            remedy=Text("Give one of them."),
        )
    return await reasons.said(change, picked)


def _has_one(earlier: Row[Any]) -> BadInput:
    return BadInput(
        field="reason",
        what=Text("No label was made."),
        why=Text("This has a label already, number {number}.", number=earlier.id),
        remedy=Text("State why another is needed, and destroy the first."),
    )


def _all_labelled(code: str) -> Conflict:
    return Conflict(
        what=Text("No label was made for {code}.", code=code),
        why=Text("Every container of this kind that is in hand has its label."),
        remedy=Text("To replace a label, print it alone and state the reason."),
    )


def _changing() -> Conflict:
    return Conflict(
        what=Text("No label was made."),
        why=Text("What it would say was being changed by somebody else."),
        remedy=Text("Look at what it says now, then print again."),
    )


def _read_back(wanted: Sequence[tuple[LabelFacts, int]], language: LabelLanguage, head: float) -> list[str]:
    """Draw each in the dots of a head; each is read back while it is drawn. What the symbols say."""
    from labels import designs  # typeface, encoder and reader are needed by whoever prints, not by every process

    try:
        return [designs.draw(facts, language=language, copy=copy).dots(dots_per_mm=head).text for facts, copy in wanted]
    except SpokenError as error:
        if error.code == "read_back":
            raise Conflict(**in_words_of(error)) from error
        raise BadInput(field="label", **in_words_of(error)) from error


def _drawn(facts: LabelFacts, language: LabelLanguage, copy: int, form: Form, dots_per_mm: float) -> bytes:
    from labels import designs

    drawing = designs.draw(facts, language=language, copy=copy)
    if form is Form.PDF:
        return drawing.pdf()
    dots = drawing.dots(dots_per_mm=dots_per_mm)
    return dots.png_bytes() if form is Form.PNG else dots.zpl_bytes()
