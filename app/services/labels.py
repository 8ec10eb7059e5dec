"""Labels: made from what is recorded, read back and compared before they may print, and counted."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.db import labels
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, Conflict, NotFound, Stale, in_words_of
from app.domain.text import Text
from labels.words import SpokenError

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from sqlalchemy import Row

    from app.db.door import Call
    from app.services.house import House
    from labels.vial import LabelLanguage, VialFacts

STORAGE_CELSIUS_MAX = -150
"""The warmest that a vial may be stored at: the vapour above liquid nitrogen."""
DOTS_PER_MM = (8.0, 11.8, 12.0)


class Language(StrEnum):
    """The language of the few words on a label."""

    ENGLISH = "en"
    CHINESE = "zh"


class Form(StrEnum):
    """How a label leaves: vectors for people, a picture of the printer's dots, or the printer's own job."""

    PDF = "pdf"
    PNG = "png"
    ZPL = "zpl"


MEDIA_TYPES = {Form.PDF: "application/pdf", Form.PNG: "image/png", Form.ZPL: "application/octet-stream"}


@dataclass(frozen=True, slots=True)
class LabelView:
    """A label that was made. `content_sha256` is of everything that stands on it; `reprint_of` of an earlier number."""

    number: int
    item: str
    design: str
    content_sha256: str
    read_back: str
    reprint_of: int | None
    reason: str | None
    pdf: str
    png: str
    zpl: str


@dataclass(frozen=True, slots=True)
class VialContent:
    """Everything that stands on a vial's label, and in which language."""

    code: str
    name: str
    product: str
    passage_number: int
    cells: int
    frozen_on: date
    relation: str
    vial_number: int
    language: Language

    @property
    def design(self) -> str:
        """Which design, in which language."""
        return f"vial-25x13-{self.language.value}"

    @property
    def sha256(self) -> str:
        """The digest of everything on the label."""
        facts = [self.design, self.code, self.name, self.product, self.passage_number, self.cells]
        facts += [self.frozen_on.isoformat(), self.relation, self.vial_number, STORAGE_CELSIUS_MAX]
        return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


async def print_label(house: House, call: Call, *, code: str, language: Language, reason: str | None) -> LabelView:
    """Make the label of a vial: drawn, read back, compared, and counted; only then can it be fetched.

    Raises BadInput where another was made before and no reason is given, or where a text cannot be printed;
    Conflict where the drawing does not read as meant.
    """
    async with house.door.change(call, Act.PRINT_LABEL, subject=code, reason=reason or "") as change:
        vial = await labels.vial(change, code=code)
        earlier = await labels.last(change, item_id=vial.id)
        if earlier is not None and reason is None:
            raise BadInput(
                field="reason",
                what=Text("No label was made."),
                why=Text("This vial has a label already, number {number}.", number=earlier.id),
                remedy=Text("State why another is needed, and destroy the first."),
            )
        content = _content(vial, language=language)
        read_back = await asyncio.to_thread(_read_back, content)
        number = await labels.insert(
            change,
            item_id=vial.id,
            design=content.design,
            content_sha256=content.sha256,
            read_back=read_back,
            reprint_of=earlier and earlier.id,
            reason=reason,
        )
        address = f"/api/v1/items/{vial.code}/label"
        return change.answers(
            LabelView(
                number=number,
                item=vial.code,
                design=content.design,
                content_sha256=content.sha256,
                read_back=read_back,
                reprint_of=earlier and earlier.id,
                reason=reason,
                pdf=f"{address}.pdf",
                png=f"{address}.png",
                zpl=f"{address}.zpl",
            )
        )


async def label_bytes(house: House, actor: Actor, *, code: str, form: Form, dots_per_mm: float) -> bytes:
    """The label made last for this vial, drawn again. Only what was counted can be fetched.

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
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        vial = await labels.vial(reading, code=code)
        made = await labels.last(reading, item_id=vial.id)
    if made is None:
        raise NotFound(
            what=Text("No label was made for {code}.", code=code),
            why=Text("Every label is counted before it is drawn."),
            remedy=Text("Make the label first."),
        )
    content = _content(vial, language=Language(made.design.rsplit("-", 1)[-1]))
    if content.sha256 != made.content_sha256:
        raise Stale(
            what=Text("The label was not drawn."),
            why=Text("What it says has changed since it was made."),
            remedy=Text("Make a new label, state the reason, and destroy the first."),
        )
    return await asyncio.to_thread(_drawn, content, form, dots_per_mm)


def _content(vial: Row[Any], *, language: Language) -> VialContent:
    cells: Decimal | None = vial.viable_cells
    if cells is None or vial.passage is None:
        raise Conflict(
            what=Text("No label was made."),
            why=Text("It is not recorded how many cells are in this vial, or of which passage they are."),
            remedy=Text("Call quality: a vial whose content is not known is kept apart."),
        )
    return VialContent(
        code=vial.code,
        name=vial.name,
        product=vial.product_zh if language is Language.CHINESE else vial.product,
        passage_number=vial.passage,
        cells=int(cells),
        frozen_on=vial.frozen_on,
        relation=vial.relation,
        vial_number=vial.number,
        language=language,
    )


def _read_back(content: VialContent) -> str:
    """Draw every form once; each is read back while it is drawn. What the symbol says."""
    try:
        return _draw_all(content)
    except SpokenError as error:
        if error.code == "read_back":
            raise Conflict(**in_words_of(error)) from error
        raise BadInput(field="label", **in_words_of(error)) from error


def _draw_all(content: VialContent) -> str:
    from labels import vial

    facts, language = _facts(content)
    vial.vial_pdf(facts, language=language)
    said = {vial.vial_dots(facts, dots_per_mm=each, language=language).text for each in DOTS_PER_MM}
    (text,) = said
    return text


def _drawn(content: VialContent, form: Form, dots_per_mm: float) -> bytes:
    from labels import vial

    facts, language = _facts(content)
    if form is Form.PDF:
        return vial.vial_pdf(facts, language=language)
    dots = vial.vial_dots(facts, dots_per_mm=dots_per_mm, language=language)
    return dots.png_bytes() if form is Form.PNG else dots.zpl_bytes()


def _facts(content: VialContent) -> tuple[VialFacts, LabelLanguage]:
    from labels import vial  # typefaces, encoder and reader are needed by whoever prints, not by every process

    return vial.VialFacts(
        code=content.code,
        name=content.name,
        product=content.product,
        passage_number=content.passage_number,
        cells=content.cells,
        frozen_on=content.frozen_on,
        use=vial.VialUse(content.relation),
        storage_celsius_max=STORAGE_CELSIUS_MAX,
        vial_number=content.vial_number,
    ), vial.LabelLanguage(content.language.value)
