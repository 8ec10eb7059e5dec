"""Where one can go: every area's entry in the bar. An area registers itself with one line here."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from app.domain.acts import Act, may
from app.domain.text import Text

if TYPE_CHECKING:
    from app.domain.acts import Actor


class Group(StrEnum):
    """Where an entry stands: in the bar itself, or in one of its two menus."""

    BAR = "bar"
    QUALITY = "quality"
    MORE = "more"


class Place(NamedTuple):
    """An entry of the bar: shown to whoever may do `act`, or one of `also`. `holds`: further paths of its pages."""

    path: str
    name: Text
    act: Act
    icon: str
    group: Group = Group.BAR
    also: tuple[Act, ...] = ()
    holds: tuple[str, ...] = ()

    def is_open_to(self, actor: Actor) -> bool:
        """Whether the entry is shown to this person."""
        return any(may(actor, act) for act in (self.act, *self.also))

    def leads_to(self, path: str) -> bool:
        """Whether the page at `path` belongs to this place."""
        return any(path == own or path.startswith(f"{own}/") for own in (self.path, *self.holds))


PLACES = (
    Place("/dashboard", Text("Dashboard"), Act.READ_DASHBOARD, "chart-line"),
    Place("/bench", Text("Bench"), Act.SCAN, "scan"),
    Place("/lots", Text("Lots"), Act.READ_LOT, "flask"),
    Place(
        "/donors",
        Text("Donors"),
        Act.READ_DONOR,
        "droplet",
        holds=("/donations", "/tissues", "/questionnaires", "/permits"),
    ),
    Place("/materials", Text("Materials"), Act.READ_MATERIAL, "package"),
    Place("/samples", Text("Samples and results"), Act.READ_LOT, "microscope", Group.QUALITY, holds=("/results",)),
    Place(
        "/deviations",
        Text("Deviations and holds"),
        Act.OPEN_DEVIATION,
        "alert-triangle",
        Group.QUALITY,
        holds=("/holds",),
    ),
    Place("/impacts", Text("What came to light"), Act.READ_LOT, "arrow-back-up", Group.QUALITY),
    Place("/assessments", Text("Assessments"), Act.READ_LOT, "file-check", Group.QUALITY),
    Place("/legacy", Text("Legacy dossiers"), Act.READ_LOT, "archive", Group.QUALITY),
    Place("/documents", Text("Documents"), Act.READ_LOT, "file-check", Group.QUALITY),
    Place("/monitoring", Text("Environmental monitoring"), Act.READ_LOT, "microscope", Group.QUALITY),
    Place("/audit", Text("Audit"), Act.READ_AUDIT, "history", Group.QUALITY),
    Place("/rules", Text("Rules"), Act.READ_RULES, "checklist", Group.QUALITY),
    Place("/items", Text("Items"), Act.READ_ITEM, "list-search", Group.MORE),
    Place("/banks", Text("Cell banks"), Act.READ_LOT, "snowflake", Group.MORE),
    Place("/equipment", Text("Equipment"), Act.READ_ITEM, "microscope", Group.MORE),
    Place("/mandates", Text("Who answers"), Act.READ_LOT, "user-check", Group.MORE),
    Place("/labels", Text("Labels"), Act.READ_ITEM, "barcode", Group.MORE),
    Place("/studies", Text("Studies"), Act.READ_STUDY, "file-check", Group.MORE),
    Place("/laboratories", Text("Laboratories outside"), Act.READ_STUDY, "microscope", Group.MORE),
    Place("/partners", Text("Partners"), Act.READ_STUDY, "user-check", Group.MORE, holds=("/shippers",)),
    Place(
        "/processes", Text("Processes"), Act.READ_LOT, "flask", Group.MORE, holds=("/specifications", "/two-step-plans")
    ),
    Place(
        "/people",
        Text("People"),
        Act.READ_ACCOUNTS,
        "user-check",
        Group.MORE,
        also=(Act.APPOINT_QUALITY_AUTHORITY,),
        holds=("/appointments",),
    ),
    Place("/administration", Text("Administration"), Act.OPEN_ACCOUNT, "shield-lock", Group.MORE),
)

GROUP_NAMES = {Group.QUALITY: Text("Quality"), Group.MORE: Text("More")}


def places_of(actor: Actor | None) -> dict[Group, list[Place]]:
    """What this person finds in the bar, by group; groups without an entry are left out."""
    shown: dict[Group, list[Place]] = {}
    for place in PLACES:
        if actor is not None and place.is_open_to(actor):
            shown.setdefault(place.group, []).append(place)
    return shown
