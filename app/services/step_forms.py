"""Forms at the bench: what a scan means for the step that is being written, and what the counts say so far.

A form holds the numbers of its scans. What they say is read back here, so nobody types what a scan knows; whether it
may be used is judged again when the step is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.db import bench, lots, settings, step_forms
from app.domain.acts import Act
from app.domain.bench import CLEARANCE, PROGRAMMES, Offer, offers
from app.domain.errors import NotFound
from app.domain.facts import StepKind
from app.domain.growth import CannotCompute
from app.domain.lots import STATE_NAMES, LotState
from app.domain.passages import Counts, Growth, grown
from app.domain.processing import next_passage
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from app.domain.views import respoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Reading
    from app.domain.acts import Actor
    from app.services.house import House

SCANS_LAST_HOURS = 24
VESSELS_AT_MOST = 500
PLACES = frozenset({"equipment", "shelf", "position"})
CELLS = frozenset({"flask", "vial", "bag", "container"})


class Part(StrEnum):
    """What a scanned thing is to the step."""

    VESSEL = "vessel"
    MATERIAL = "material"
    DONATION = "donation"
    PLACE = "place"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Taken:
    """One scan as the form holds it. `part` is NONE where it is refused or no part of this step; `why` says so then."""

    scan: int
    part: Part
    code: str
    kind: str
    name: str
    lot: str | None
    lot_name: str | None
    expires_at: datetime | None
    headline: Text
    why: Text
    next: Text


@dataclass(frozen=True, slots=True)
class VesselView:
    """A vessel with living cells of the lot; `cpdl` in population doublings."""

    code: str
    kind: str
    passage: int | None
    cpdl: Decimal | None


@dataclass(frozen=True, slots=True)
class StepFormView:
    """All that the form of a step needs. `here`: this lot is the one at the workstation."""

    kind: StepKind
    lot: str
    name: str
    state: LotState
    donor: str | None
    donation: str | None
    max_passage: int | None
    max_pdl: Decimal | None
    workstation: str | None
    workstation_name: str | None
    here: bool
    vessels: tuple[VesselView, ...]
    taken: tuple[Taken, ...]
    next_passage: int | None
    cpdl_start: Decimal | None
    programmes: tuple[Offer, ...]

    @property
    def ticked(self) -> frozenset[str]:
        """The codes of the vessels, and of the donation, that were scanned."""
        return frozenset(each.code for each in self.taken if each.part in {Part.VESSEL, Part.DONATION})

    @property
    def materials(self) -> tuple[Taken, ...]:
        """The materials that were scanned and may be used."""
        return tuple(each for each in self.taken if each.part is Part.MATERIAL)

    @property
    def refused(self) -> tuple[Taken, ...]:
        """What was scanned and is no part of this step."""
        return tuple(each for each in self.taken if each.part is Part.NONE)

    @property
    def place(self) -> Taken | None:
        """Where the vials go: the place that was scanned last."""
        return next((each for each in reversed(self.taken) if each.part is Part.PLACE), None)


@dataclass(frozen=True, slots=True)
class GrowthView:
    """What the counts say so far; None where it does not follow yet. `problem` where it cannot follow."""

    growth: Growth
    problem: Text | None


@dataclass(frozen=True, slots=True)
class MadeView:
    """A container that a step made."""

    code: str
    kind: str
    labelled: bool


@dataclass(frozen=True, slots=True)
class DoneView:
    """A step as it was kept. `pd` and `cpdl` are population doublings."""

    step: int
    kind: StepKind
    passage: int | None
    lot: str
    name: str
    workstation: str | None
    started_at: datetime
    ended_at: datetime | None
    viability_percent: Decimal | None
    pd: Decimal | None
    cpdl: Decimal | None
    expires_at: datetime | None
    verified_at: datetime | None
    made: tuple[MadeView, ...]


@dataclass(frozen=True, slots=True)
class LineView:
    """A workstation, and what a line clearance there asks. `lot` is there now, or nobody's cells are."""

    code: str
    name: str
    room: str
    lot: str | None
    lot_name: str | None
    donor: str | None
    checks: tuple[Offer, ...]


async def read_form(
    house: House, actor: Actor, *, kind: StepKind, lot: str, workstation_id: int | None, scans: Sequence[int]
) -> StepFormView:
    """The form of a step as these scans leave it. Raises NotFound for a lot of another sort."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await lots.find(reading, code=lot)
        place = None if workstation_id is None else await bench.workstation(reading, workstation_id=workstation_id)
        there = None if workstation_id is None else await bench.occupant(reading, workstation_id=workstation_id)
        vessels = await _living(reading, found, kind)
        taken = await _taken(reading, found, kind, vessels, scans)
        freezes = kind is StepKind.CRYOPRESERVATION
        programmes = offers((await settings.current(reading, PROGRAMMES)).get(PROGRAMMES)) if freezes else ()
    ticked = {each.code for each in taken if each.part is Part.VESSEL}
    parents = [each for each in vessels if each.code in ticked]
    return StepFormView(
        kind=kind,
        lot=found.code,
        name=found.name,
        state=found.state,
        donor=found.donor,
        donation=found.donation,
        max_passage=found.max_passage,
        max_pdl=found.max_pdl,
        workstation=place and place.code,
        workstation_name=place and place.name,
        here=there is not None and there.lot_id == found.id,
        vessels=vessels,
        taken=taken,
        next_passage=_passage(found, kind, parents),
        cpdl_start=_cpdl_start(kind, parents),
        programmes=programmes,
    )


def growth_of(form: StepFormView, counts: Counts) -> GrowthView:
    """Viability, doublings and their sum, as far as they follow from what was counted."""
    try:
        return GrowthView(grown(form.kind, counts, cpdl_start=form.cpdl_start), None)
    except CannotCompute as error:
        return GrowthView(Growth(None, None, None), error.why)


async def read_done(house: House, actor: Actor, *, number: int) -> DoneView:
    """A step as it was kept, with what it made. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        row = await step_forms.step(reading, number=number)
        if row is None:
            raise NotFound(
                what=Text("There is no step {number}.", number=number),
                why=Text("No step of this number was recorded."),
                remedy=Text("Open the lot and look at its timeline."),
            )
        made = await step_forms.made(reading, number=number, limit=VESSELS_AT_MOST)
    return DoneView(
        step=row.step,
        kind=StepKind(row.kind),
        passage=row.passage,
        lot=row.lot,
        name=row.name,
        workstation=row.workstation,
        started_at=row.started_at,
        ended_at=row.ended_at,
        viability_percent=row.viability_percent,
        pd=row.pd,
        cpdl=row.cpdl,
        expires_at=row.expires_at,
        verified_at=row.verified_at,
        made=tuple(MadeView(each.code, each.kind, each.labelled) for each in made),
    )


async def read_line(house: House, actor: Actor, *, workstation_id: int | None) -> LineView | None:
    """The workstation of this session with the checks of a clearance; None where none was chosen."""
    async with house.door.read(actor, Act.READ_ITEM) as reading:
        place = None if workstation_id is None else await bench.workstation(reading, workstation_id=workstation_id)
        if place is None or workstation_id is None:
            return None
        there = await bench.occupant(reading, workstation_id=workstation_id)
        asked = await settings.current(reading, CLEARANCE)
    return LineView(
        code=place.code,
        name=place.name,
        room=place.room,
        lot=there and there.lot,
        lot_name=there and there.name,
        donor=there and there.donor,
        checks=offers(asked.get(CLEARANCE)),
    )


async def _living(reading: Reading, lot: lots.Lot, kind: StepKind) -> tuple[VesselView, ...]:
    match kind:
        case StepKind.PASSAGE | StepKind.FILL:
            sort = "flask"
        case StepKind.CRYOPRESERVATION:
            sort = "vial"
        case StepKind.THAW:
            found = await step_forms.withdrawn(reading, lot_id=lot.id, limit=VESSELS_AT_MOST)
            return tuple(VesselView(row.code, row.kind, row.passage, row.cpdl) for row in found)
        case _:
            return ()
    found = await step_forms.living(reading, lot_id=lot.id, kind=sort, limit=VESSELS_AT_MOST)
    return tuple(VesselView(row.code, row.kind, row.passage, row.cpdl) for row in found)


async def _taken(
    reading: Reading, lot: lots.Lot, kind: StepKind, vessels: tuple[VesselView, ...], scans: Sequence[int]
) -> tuple[Taken, ...]:
    if not scans:
        return ()
    living = frozenset(each.code for each in vessels)
    kept = {
        number: _as_taken(number, verdict, respoken(said, lambda text: text), lot=lot, kind=kind, living=living)
        for number, verdict, said in await step_forms.scans(reading, numbers=scans, hours=SCANS_LAST_HOURS)
    }
    # In the order in which they were scanned; of a thing that was scanned twice, the last word on it.
    last = {kept[number].code: kept[number] for number in scans if number in kept}
    bottles = [each.code for each in last.values() if each.kind == "material_container"]
    names = await step_forms.material_names(reading, codes=bottles) if bottles else {}
    return tuple(replace(each, name=names.get(each.code, each.name)) for each in last.values())


def _as_taken(
    number: int, verdict: str, said: dict[str, Any], *, lot: lots.Lot, kind: StepKind, living: frozenset[str]
) -> Taken:
    item, its_lot = said.get("item") or {}, said.get("lot") or {}
    code, sort = item.get("code") or said["code"], item.get("kind") or ""
    part, why = Part.NONE, said["why"]
    if verdict == "accepted":
        part, why = _part(kind, lot, code, sort, its_lot, living)
    expires = its_lot.get("expires_at")
    return Taken(
        scan=number,
        part=part,
        code=code,
        kind=sort,
        name=item.get("name") or "",
        lot=its_lot.get("code"),
        lot_name=its_lot.get("name"),
        expires_at=datetime.fromisoformat(expires) if expires else None,
        headline=said["headline"] if verdict != "accepted" else KIND_NAMES.get(sort, Text("{kind}", kind=sort)),
        why=why,
        next=said["next"] if verdict != "accepted" else Text("Set it apart, and scan what belongs to this step."),
    )


def _part(
    kind: StepKind, lot: lots.Lot, code: str, sort: str, its_lot: dict[str, Any], living: frozenset[str]
) -> tuple[Part, Text]:
    nothing = Text("It may be used here.")
    if code in living:
        return Part.VESSEL, nothing
    if sort == "material_container" and kind is not StepKind.CRYOPRESERVATION:
        return Part.MATERIAL, nothing
    if sort == "donation" and kind is StepKind.ISOLATION:
        if code == lot.donation:
            return Part.DONATION, nothing
        return Part.NONE, Text("It is not the donation of which {lot} is made.", lot=lot.name)
    if sort in PLACES and kind is StepKind.CRYOPRESERVATION:
        return Part.PLACE, nothing
    if sort in CELLS and its_lot.get("code") not in {None, lot.code}:
        return Part.NONE, Text("It belongs to {other}, not to {lot}.", other=its_lot.get("name") or "", lot=lot.name)
    state = its_lot.get("state")
    if sort in CELLS and state:
        return Part.NONE, Text(
            "{lot} is {state}; this vessel takes no part in this step.",
            lot=lot.name,
            state=STATE_NAMES[LotState(state)],
        )
    return Part.NONE, Text("It takes no part in this step.")


def _passage(lot: lots.Lot, kind: StepKind, parents: list[VesselView]) -> int | None:
    if lot.passage_convention is None or (kind is not StepKind.ISOLATION and not parents):
        return None
    known = [each.passage for each in parents if each.passage is not None]
    return next_passage(kind=kind, parent_passage=max(known, default=None), convention=lot.passage_convention)


def _cpdl_start(kind: StepKind, parents: list[VesselView]) -> Decimal | None:
    if kind is StepKind.ISOLATION:
        return Decimal(0)
    levels = [each.cpdl for each in parents]
    return None if not levels or None in levels else max(each for each in levels if each is not None)
