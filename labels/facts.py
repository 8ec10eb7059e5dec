"""What stands on each label, as plain facts: light to import, for whoever asks the database but draws nothing."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final, TypeAlias


class LabelLanguage(StrEnum):
    """The language of the few words on a label."""

    ENGLISH = "en"
    CHINESE = "zh"


class Use(StrEnum):
    """Whom the cells are for."""

    AUTOLOGOUS = "autologous"
    ALLOGENEIC = "allogeneic"


class Infection(StrEnum):
    """What the donor's markers say, as far as a label must warn."""

    NEGATIVE = "negative"
    NOT_EVALUATED = "not_evaluated"
    BIOHAZARD = "biohazard"


@dataclass(frozen=True, kw_only=True, slots=True)
class CellFacts:
    """What every container of cells says. `name` is the lot's, `donor` a pseudonym; `code` is our own."""

    code: str
    name: str
    use: Use
    infection: Infection = Infection.NEGATIVE


@dataclass(frozen=True, kw_only=True, slots=True)
class VialFacts(CellFacts):
    """A cryogenic vial. ``product`` is a short name, in either script; what does not fit of it is cut.

    ``cells`` are counted per vial and shown to three significant digits; ``vial_number`` counts within the lot;
    ``storage_celsius_max`` is the warmest temperature that the vial may be stored at.
    """

    design: ClassVar[str] = "vial-25x13"

    product: str
    passage_number: int
    cells: int
    frozen_on: date
    storage_celsius_max: int
    vial_number: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FlaskFacts(CellFacts):
    """A culture flask. ``seeded_at`` is a moment on the facility's clock."""

    design: ClassVar[str] = "flask-50x25"

    product: str
    passage_number: int
    donor: str
    seeded_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class BagFacts(CellFacts):
    """A bag of frozen product. ``recipient`` is the pseudonym of whom it is kept for, where that is known."""

    design: ClassVar[str] = "bag-100x50"

    product: str
    passage_number: int
    volume_ml: str
    cells: int
    donor: str
    recipient: str | None
    frozen_on: date
    expires_on: date | None
    storage_celsius_max: int
    facility: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleFacts(CellFacts):
    """A tube with a sample. ``purpose`` is free text and may be shortened."""

    design: ClassVar[str] = "sample-25x13"

    purpose: str
    taken_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RetainFacts(CellFacts):
    """A retained sample. ``kind`` is ``starting_material`` or ``final_product``."""

    design: ClassVar[str] = "retain-25x13"

    kind: str
    taken_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ReagentRetainFacts:
    """A retained sample of a material lot. ``taken_at`` is a moment on the facility's clock."""

    design: ClassVar[str] = "reagent-25x13"

    code: str
    material: str
    lot: str
    taken_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class DonationFacts:
    """A donation. ``din`` are the thirteen characters of its donation number; moments are on the facility's clock."""

    design: ClassVar[str] = "donation-50x25"

    code: str
    donor: str
    tissue: str
    din: str | None
    collected_at: datetime
    use: Use
    infection: Infection = Infection.NEGATIVE


@dataclass(frozen=True, kw_only=True, slots=True)
class MaterialFacts:
    """A container of a material. Its status is not among them: it changes, and paper would go on saying the old one."""

    design: ClassVar[str] = "material-50x25"

    code: str
    material: str
    lot: str
    supplier_lot: str
    expires_on: date | None
    container_number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceFacts:
    """A shelf or a position in one. ``kind`` is ``shelf`` or ``position``."""

    design: ClassVar[str] = "place-100x25"

    code: str
    kind: str
    name: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EquipmentFacts:
    """A workstation, incubator, freezer or other equipment."""

    design: ClassVar[str] = "equipment-100x25"

    code: str
    name: str
    kind: str
    room: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BadgeFacts:
    """A person's badge. Roles are not on it: they change, and a badge opens nothing by itself."""

    design: ClassVar[str] = "badge-54x86"

    code: str
    printed_name: str
    username: str
    facility: str
    issued_on: date


LabelFacts: TypeAlias = (
    VialFacts
    | FlaskFacts
    | BagFacts
    | SampleFacts
    | RetainFacts
    | ReagentRetainFacts
    | DonationFacts
    | MaterialFacts
    | PlaceFacts
    | EquipmentFacts
    | BadgeFacts
)

DOTS_PER_MM: Final = (8.0, 11.8, 12.0)
"""The print heads that we draw for: 203, 300 and 305 dots an inch, as makers round them."""


def design_name(facts: LabelFacts, *, language: LabelLanguage) -> str:
    """Return which design, in which language: ``vial-25x13-en``."""
    return f"{facts.design}-{language.value}"


def content_sha256(facts: LabelFacts, *, language: LabelLanguage, copy: int) -> str:
    """Return the digest, in hexadecimal, of everything that stands on the label; ``copy`` counts from 1."""
    said = {"design": design_name(facts, language=language), "copy": copy, **asdict(facts)}
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True, default=str).encode()).hexdigest()
