"""What may be done with an item now, and where: one table for every kind. An area adds its own line here.

An entry is shown to whoever may do the act, while the item's and its lot's state allow it, and only if its page exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import Match

from app.domain.acts import ACT_NAMES, Act, may
from app.domain.lots import LotState
from app.domain.text import Text

if TYPE_CHECKING:
    from fastapi import Request

    from app.domain.acts import Actor
    from app.services.items import ItemView

CELLS = frozenset({"flask", "vial", "bag", "container"})
PLACED = frozenset({"equipment", "workstation", "shelf", "position"})
HERE = frozenset({None, "in_use", "stored"})
ANY_STATE = frozenset(
    {None, "in_use", "stored", "consumed", "retained", "sampled", "issued", "destroyed"},
)
EVERY = frozenset(
    {"person", "donation", "lot", "material_container", "sample", "retain", "badge", *CELLS, *PLACED},
)


@dataclass(frozen=True, slots=True)
class Doing:
    """An act on these kinds of items. Of `paths` the first that exists is taken: `{code}` the item, `{lot}` its lot.

    `lot_kinds` and `lot_states` empty: whatever the lot is, and without one too.
    """

    kinds: frozenset[str]
    act: Act
    icon: str
    paths: tuple[str, ...]
    name: Text | None = None
    states: frozenset[str | None] = ANY_STATE
    lot_kinds: frozenset[str] = frozenset()
    lot_states: frozenset[str] = frozenset()


_OF_CELLS = frozenset({"preparation", "bank"})
_OF_MATERIAL = frozenset({"material"})
_OPEN = frozenset({LotState.IN_PROCESS.value, LotState.QUARANTINE.value, LotState.AWAITING_RELEASE.value})

DOINGS: tuple[Doing, ...] = (
    Doing(frozenset({"lot", *CELLS, "sample", "retain"}), Act.READ_LOT, "flask", ("/lots/{lot}",),
          Text("Open the lot"), lot_kinds=_OF_CELLS),
    Doing(frozenset({"lot", "sample", "retain", *CELLS}), Act.READ_TRACE, "list-details", ("/lots/{lot}/lineage",),
          Text("See the lot's lineage"), lot_kinds=_OF_CELLS),
    Doing(frozenset({"lot"}), Act.CHECK_RELEASE, "signature", ("/lots/{lot}/release",), Text("Release page"),
          lot_kinds=_OF_CELLS),
    Doing(frozenset({"lot"}), Act.PROPOSE_WAIVER, "file-check", ("/lots/{lot}/waivers",), Text("Waivers of this lot"),
          lot_kinds=_OF_CELLS),
    Doing(frozenset({"lot", "material_container"}), Act.READ_MATERIAL, "package",
          ("/materials/lots/{lot}", "/material-lots/{lot}", "/materials/{lot}"), Text("Open the material lot"),
          lot_kinds=_OF_MATERIAL),
    Doing(frozenset({"person"}), Act.READ_DONOR, "droplet", ("/donors/{code}",), Text("Open the donor's record")),
    Doing(frozenset({"donation"}), Act.READ_DONOR, "droplet", ("/donations/{code}",), Text("Open the donation")),
    Doing(frozenset({"donation"}), Act.PLAN_LOT, "plus", ("/lots/new?donation={code}",), Text("Plan a lot from it")),
    Doing(CELLS, Act.TAKE_SAMPLE, "test-pipe", ("/lots/{lot}/sample?from={code}",), Text("Take a QC sample of it"),
          states=HERE, lot_kinds=_OF_CELLS, lot_states=_OPEN),
    Doing(CELLS, Act.TAKE_RETAIN, "archive", ("/lots/{lot}/retain?from={code}",), Text("Keep a retain of it"),
          states=HERE, lot_kinds=_OF_CELLS, lot_states=_OPEN),
    Doing(frozenset({"lot", "donation", "material_container", "sample", "retain", *CELLS}), Act.READ_ITEM, "zoom-question",
          ("/why/{code}",), Text("What stands against it")),
    Doing(frozenset({"sample"}), Act.READ_LOT, "microscope", ("/samples/{code}",), Text("Results of this sample")),
    Doing(frozenset({"workstation", "equipment"}), Act.READ_ITEM, "file-check", ("/equipment/{code}",),
          Text("What shows that it is fit")),
    Doing(frozenset({"workstation"}), Act.SCAN, "scan", ("/bench",), Text("Work here: scan its label at the bench")),
    Doing(EVERY, Act.PRINT_LABEL, "barcode", ("/items/{code}/label", "/labels/new?item={code}"),
          Text("Print its label")),
    Doing(EVERY, Act.PLACE_HOLD, "player-pause", ("/holds/new?item={code}", "/deviations/hold?item={code}"),
          Text("Place a hold")),
    Doing(EVERY, Act.OPEN_DEVIATION, "alert-triangle", ("/deviations/new?item={code}",), Text("Open a deviation")),
    Doing(EVERY, Act.READ_AUDIT, "history", ("/audit/item/{code}",), Text("Its history in the audit")),
    Doing(EVERY, Act.RECORD_ALREADY_HAPPENED, "history", ("/bench/already-happened?item={code}",),
          Text("Record what has already happened")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """An entry of the list: what it is called, and where it leads."""

    name: Text
    icon: str
    path: str


def ways(request: Request, actor: Actor, item: ItemView) -> tuple[Way, ...]:
    """What this person may do with this item as it stands."""
    found: list[Way] = []
    for each in DOINGS:
        if item.kind not in each.kinds or not may(actor, each.act) or item.state not in each.states:
            continue
        lot = item.lot
        if each.lot_kinds and (lot is None or lot.kind not in each.lot_kinds):
            continue
        if each.lot_states and (lot is None or lot.state not in each.lot_states):
            continue
        path = first_page(request, tuple(_filled(one, item) for one in each.paths))
        if path is not None:
            found.append(Way(name=each.name or ACT_NAMES[each.act], icon=each.icon, path=path))
    return tuple(found)


def first_page(request: Request, paths: tuple[str, ...]) -> str | None:
    """The first of these addresses behind which there is a page."""
    return next((path for path in paths if leads_somewhere(request, path)), None)


def leads_somewhere(request: Request, path: str) -> bool:
    """Whether a page of this application answers there."""
    scope = {"type": "http", "method": "GET", "path": path.partition("?")[0], "headers": [], "root_path": ""}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)


def _filled(path: str, item: ItemView) -> str:
    return path.replace("{code}", item.code).replace("{lot}", item.lot.code if item.lot else "")
