"""Guided work at the bench: the line is cleared, cells are isolated, passaged, filled and frozen, a form for each.

What is scanned into a form is a scan like any other, and kept; the form carries the scans' numbers. A half-written form
is kept by the browser alone (steps.js, codes and counts only) until the step is recorded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.db.steps import MaterialUse
from app.domain.acts import Act, may, require
from app.domain.errors import Conflict, Refusal
from app.domain.facts import StepKind
from app.domain.passages import Counts
from app.domain.scans import KIND_NAMES, Purpose
from app.domain.text import Text
from app.locale import gettext_for, language_of
from app.requests import HouseDep, SignedInDep, token_of
from app.services import clearances, labels, printing, scans, step_forms, steps
from app.services.house import House
from app.services.labels import Language, Many
from app.services.printing import Media
from app.services.step_forms import DoneView, StepFormView
from app.services.steps import Bench
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.forms import form_call
from app.web.pages.bench import STEP_NAMES
from app.web.pages.labels import LANGUAGE_NAMES
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render, the_facility

router = APIRouter(prefix="/bench", route_class=PageRoute)

NumberDep = Annotated[int, Path(ge=1, le=9_223_372_036_854_775_807)]
SECONDS = "%Y-%m-%dT%H:%M:%S"
"""Times at the bench are kept to the second: a step may follow its clearance within the same minute."""
SCANS_AT_MOST = 400
CELLS_MOST = Decimal("1e13")
UNITS = {"mL": "mL", "µL": "µL", "g": "g", "mg": "mg", "U": "U", "piece": Text("piece")}
ACT_OF = {
    StepKind.ISOLATION: Act.ISOLATE,
    StepKind.PASSAGE: Act.PASSAGE,
    StepKind.FILL: Act.FILL,
    StepKind.CRYOPRESERVATION: Act.CRYOPRESERVE,
    StepKind.THAW: Act.THAW,
}
RECORD_NAMES = {
    StepKind.ISOLATION: Text("Record the isolation"),
    StepKind.PASSAGE: Text("Record the passage"),
    StepKind.FILL: Text("Record the fill"),
    StepKind.CRYOPRESERVATION: Text("Record the freezing"),
    StepKind.THAW: Text("Record the thaw"),
}
MANY_OF = {"flask": Many.FLASK, "vial": Many.VIAL, "bag": Many.BAG}
MEDIA_OF = {"flask": Media.CONTAINER, "vial": Media.TUBE, "bag": Media.BAG}
_COUNTED_ONCE = frozenset({StepKind.ISOLATION, StepKind.THAW})
AT = {"parents": "vessels", "place": "vessels"}
AT_HARVEST = AT | {"viable": "viable_harvested", "dead": "dead_harvested"}


# -- line clearance ----------------------------------------------------------------------------------------------------


@router.get("/clearance/{phase}")
async def ask_clearance(
    request: Request, house: HouseDep, who: SignedInDep, phase: Literal["before", "after"], lot: str = ""
) -> Response:
    """What is looked at before a lot comes to the line, or after it left."""
    require(who.actor, Act.CLEAR_LINE)
    return await _clearing(request, house, who, phase, await blank(request, lot=lot[:64] or None))


@router.post("/clearance/{phase}")
async def clear_line(
    request: Request, house: HouseDep, who: SignedInDep, phase: Literal["before", "after"]
) -> Response:
    """Keep that the line was found clear; before the work, a second person verifies it next."""
    entry = await read_entry(request)
    lot, found = entry.scanned("lot"), set(entry.several("checks"))
    line = await step_forms.read_line(house, who.actor, workstation_id=who.workstation_id)
    # What the house asks is written down, found in order or not; what was sent beside it is not.
    checks = {each.code: each.code in found for each in (line.checks if line else ())}
    try:
        call = entry.call(who)
        if line is None:
            raise _nowhere()
        kept = await once(
            clearances.clear_line(house, call, workstation=line.code, lot=lot, phase=phase, checks=checks)
        )
    except Refusal as refusal:
        return await _clearing(request, house, who, phase, entry.again(refusal))
    return see(f"/bench?verify=clearance-{kept['clearance']}" if phase == "before" else "/bench")


async def _clearing(
    request: Request, house: House, who: SignedIn, phase: Literal["before", "after"], form: FormView
) -> Response:
    line = await step_forms.read_line(house, who.actor, workstation_id=who.workstation_id)
    language = language_of(request)
    return await render(
        request,
        "steps/clearance.html",
        status=form.status,
        who=who,
        form=form,
        phase=phase,
        line=line,
        checks={each.code: each.named(language) for each in (line.checks if line else ())},
    )


def _nowhere() -> Conflict:
    return Conflict(
        what=Text("Nothing was recorded."),
        why=Text("This session works at no workstation."),
        remedy=Text("Scan the label on your workstation at the bench first."),
    )


# -- the form of a step ------------------------------------------------------------------------------------------------


@router.get("/steps/{kind}/{code}")
async def ask_step(request: Request, house: HouseDep, who: SignedInDep, kind: StepKind, code: CodeDep) -> Response:
    """The form of a step of this lot."""
    require(who.actor, ACT_OF[kind])
    zone = (await the_facility(request)).zone
    # The next whole second: what was verified a moment ago lies before it.
    form = await blank(request, started_at=f"{datetime.now(zone) + timedelta(seconds=1):{SECONDS}}")
    return await _stepping(request, who, form, await _view(house, who, kind, code, ()))


@router.post("/steps/{kind}/{code}/scan")
async def scan_into(request: Request, house: HouseDep, who: SignedInDep, kind: StepKind, code: CodeDep) -> Response:
    """One more scan into the form, or the form's scans read anew; answers with all that was scanned."""
    require(who.actor, ACT_OF[kind])
    entry = await read_entry(request)
    form_call(request, who, entry)
    numbers, raw = _numbers(entry), entry.secret("raw", most=scans.RAW_LENGTH_MAX + 1)
    last = None
    if raw.strip():
        kept = await scans.scan(
            house,
            token=token_of(request),
            raw=raw,
            key=entry.optional("scan_key", most=100),
            symbology=None,
            purpose=Purpose.USE,
        )
        last = kept.number
        numbers = (*(each for each in numbers if each != last), last)
    view = await _view(house, who, kind, code, numbers)
    return await render(request, "steps/_taken.html", who=who, form=entry.as_typed(), view=view, last=last, **_names())


@router.post("/steps/{kind}/{code}/growth")
async def show_growth(request: Request, house: HouseDep, who: SignedInDep, kind: StepKind, code: CodeDep) -> Response:
    """What the counts say so far. Counts that cannot be read yet are left out: somebody is typing."""
    entry = await read_entry(request)
    view = await _view(house, who, kind, code, _numbers(entry))
    counts = _counts(entry, kind, optional=True)
    return await render(
        request, "steps/_growth.html", who=who, view=view, found=step_forms.growth_of(view, counts), kinds=StepKind
    )


@router.post("/steps/{kind}/{code}")
async def record_step(request: Request, house: HouseDep, who: SignedInDep, kind: StepKind, code: CodeDep) -> Response:
    """Record the step as the form states it."""
    entry = await read_entry(request)
    view = await _view(house, who, kind, code, _numbers(entry))
    asked, counted = _asked(entry, view), _counts(entry, kind, optional=True)
    try:
        call = entry.call(who)
        if view.workstation is None and kind is not StepKind.CRYOPRESERVATION:
            raise _nowhere()
        kept = await once(_recording(house, call, asked, view))
    except Refusal as refusal:
        at = AT if kind in _COUNTED_ONCE else AT_HARVEST
        form = entry.again(refusal, at=at)
        return await _stepping(request, who, form, view, counted=counted, anyway=_anyway(request, who, view, asked))
    return see(f"/bench/done/{kept['step']}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A step's form as it was read."""

    bench: Bench
    counts: Counts
    made: int
    volume_ml: Decimal
    viable_cells_each: Decimal
    p0_pd_estimated: Decimal | None
    programme: str
    place: str


def _programme(entry: Entry, view: StepFormView) -> str:
    known = tuple(each.code for each in view.programmes)
    return entry.one_of("programme", known) if known else entry.text("programme")


def _asked(entry: Entry, view: StepFormView) -> Asked:
    kind = view.kind
    started, ended = entry.moment("started_at"), entry.optional_moment("ended_at")
    uses = tuple(_use(entry, each.code) for each in view.materials)
    is_fill, is_freeze = kind is StepKind.FILL, kind is StepKind.CRYOPRESERVATION
    made = {StepKind.FILL: ("vials", 1000)}.get(kind, ("flasks", 200))
    asked = Asked(
        bench=Bench(
            workstation=None if is_freeze else view.workstation,
            parents=tuple(each.code for each in view.vessels if each.code in view.ticked),
            materials=uses,
            started_at=started,
            ended_at=ended or max(started, datetime.now(UTC)),
            counter=None if is_freeze else entry.code("counter"),
        ),
        counts=_counts(entry, kind, optional=False),
        made=0 if is_freeze else entry.whole(made[0], least=1, most=made[1]),
        volume_ml=entry.amount("volume_ml", most=Decimal(1000)) if is_fill else Decimal(0),
        viable_cells_each=entry.amount("viable_cells_per_vial", most=CELLS_MOST) if is_fill else Decimal(0),
        p0_pd_estimated=entry.optional_amount("p0_pd_estimated", most=Decimal(100))
        if kind is StepKind.ISOLATION
        else None,
        programme=_programme(entry, view) if is_freeze else "",
        place=view.place.code if view.place else "",
    )
    if kind is StepKind.ISOLATION and view.donation not in view.ticked:
        entry.problem("vessels", Text("The donation was not scanned."), Text("Scan the label of the donation."))
    if not (is_freeze or uses or entry.flag("no_materials")):
        entry.problem(
            "no_materials",
            Text("No material was scanned."),
            Text("Scan each container that was used, or say that none was."),
        )
    if is_freeze and not asked.place:
        entry.problem("vessels", Text("No place was scanned."), Text("Scan the freezer, shelf or position."))
    return asked


def _recording(house: House, call: Any, asked: Asked, view: StepFormView) -> Any:
    match view.kind:
        case StepKind.ISOLATION:
            return steps.isolate(
                house,
                call,
                lot=view.lot,
                bench=asked.bench,
                counts=asked.counts,
                flasks=asked.made,
                p0_pd_estimated=asked.p0_pd_estimated,
            )
        case StepKind.THAW:
            return steps.thaw(house, call, lot=view.lot, bench=asked.bench, counts=asked.counts, flasks=asked.made)
        case StepKind.PASSAGE:
            return steps.passage(house, call, lot=view.lot, bench=asked.bench, counts=asked.counts, flasks=asked.made)
        case StepKind.FILL:
            return steps.fill(
                house,
                call,
                lot=view.lot,
                bench=asked.bench,
                counts=asked.counts,
                vials=asked.made,
                volume_ml=asked.volume_ml,
                viable_cells_per_vial=asked.viable_cells_each,
            )
        case StepKind.CRYOPRESERVATION:
            return steps.cryopreserve(
                house, call, lot=view.lot, bench=asked.bench, place=asked.place, programme=asked.programme
            )


def _use(entry: Entry, code: str) -> MaterialUse:
    quantity = entry.amount(f"quantity-{code}", most=Decimal("1e9"))
    return MaterialUse(code, quantity, entry.one_of(f"unit-{code}", UNITS))


def _counts(entry: Entry, kind: StepKind, *, optional: bool) -> Counts:
    read = _unless_unreadable if optional else _required
    match kind:
        case StepKind.ISOLATION | StepKind.THAW:
            return Counts(None, read(entry, "viable"), read(entry, "dead"))
        case StepKind.PASSAGE:
            return Counts(read(entry, "viable_seeded"), read(entry, "viable_harvested"), read(entry, "dead_harvested"))
        case StepKind.FILL:
            return Counts(None, read(entry, "viable_harvested"), read(entry, "dead_harvested"))
        case StepKind.CRYOPRESERVATION:
            return Counts()


def _required(entry: Entry, name: str) -> Decimal | None:
    return entry.amount(name, most=CELLS_MOST)


def _unless_unreadable(entry: Entry, name: str) -> Decimal | None:
    found = entry.optional_amount(name, most=CELLS_MOST)
    return None if name in entry.problems else found


def _numbers(entry: Entry) -> tuple[int, ...]:
    """The numbers of the scans that the form holds; what is no number is no scan."""
    good = [int(each) for each in entry.every("scan") if re.fullmatch(r"[1-9][0-9]{0,17}", each, re.ASCII)]
    return tuple(dict.fromkeys(good))[:SCANS_AT_MOST]


async def _view(house: House, who: SignedIn, kind: StepKind, lot: str, numbers: tuple[int, ...]) -> StepFormView:
    return await step_forms.read_form(
        house, who.actor, kind=kind, lot=lot, workstation_id=who.workstation_id, scans=numbers
    )


def _anyway(request: Request, who: SignedIn, view: StepFormView, asked: Asked) -> str:
    """The address of the second door, with all that the form knows already filled in, in the writer's language."""
    if not may(who.actor, Act.RECORD_ALREADY_HAPPENED):
        return ""
    say = gettext_for(language_of(request))
    counts = asked.counts
    known = {
        Text("Viable cells seeded"): counts.viable_seeded,
        Text("Viable cells"): counts.viable_harvested,
        Text("Dead cells"): counts.dead_harvested,
        Text("What is made"): Decimal(asked.made),
    }
    said = [f"{name.translated(say)}: {value:f}" for name, value in known.items() if value]
    said += [f"{each.container}: {each.quantity} {each.unit}" for each in asked.bench.materials]
    codes = asked.bench.parents or tuple(code for code in (view.donation,) if code is not None and code in view.ticked)
    said += [", ".join(codes)] if codes else []
    query = {
        "what": view.kind.value,
        "lot": view.lot,
        "item": codes[0] if codes else view.lot,
        "occurred_at": asked.bench.started_at.isoformat(),
        "account": "; ".join(said),
    }
    return f"/bench/already-happened?{urlencode(query)}"


async def _stepping(
    request: Request,
    who: SignedIn,
    form: FormView,
    view: StepFormView,
    *,
    counted: Counts | None = None,
    anyway: str = "",
) -> Response:
    programmes: Mapping[str, str] = {}
    if view.kind is StepKind.CRYOPRESERVATION:
        language = language_of(request)
        programmes = {each.code: each.named(language) for each in view.programmes}
    return await render(
        request,
        "steps/step.html",
        status=form.status,
        who=who,
        form=form,
        view=view,
        anyway=anyway,
        last=None,
        found=step_forms.growth_of(view, counted or Counts()),
        record_name=RECORD_NAMES[view.kind],
        programmes=programmes,
        **_names(),
    )


def _names() -> dict[str, Any]:
    return {"step_names": STEP_NAMES, "kind_names": KIND_NAMES, "units": UNITS, "kinds": StepKind}


# -- after a step ------------------------------------------------------------------------------------------------------


@router.get("/done/{number}")
async def show_done(request: Request, house: HouseDep, who: SignedInDep, number: NumberDep) -> Response:
    """What the step made, its labels, and the second person who verifies it."""
    done = await step_forms.read_done(house, who.actor, number=number)
    return await _doing_after(request, house, who, done, await blank(request, language=_language(request)))


@router.post("/done/{number}/labels")
async def print_labels(request: Request, house: HouseDep, who: SignedInDep, number: NumberDep) -> Response:
    """Make the labels of what the step made, and send them to the printer that was chosen."""
    entry = await read_entry(request)
    done = await step_forms.read_done(house, who.actor, number=number)
    language, printer = entry.choice("language", Language), entry.code("printer")
    kind = done.made[0].kind if done.made else ""
    try:
        call = entry.call(who)
        if kind not in MANY_OF:
            raise Conflict(
                what=Text("No label was made."),
                why=Text("This step made nothing that bears a label."),
                remedy=Text("Print labels on the page of the item."),
            )
        await once(
            labels.print_lot_labels(house, call, code=done.lot, kind=MANY_OF[kind], language=language, printer=printer)
        )
    except Refusal as refusal:
        return await _doing_after(request, house, who, done, entry.again(refusal))
    return see(f"/bench/done/{number}")


async def _doing_after(request: Request, house: House, who: SignedIn, done: DoneView, form: FormView) -> Response:
    kind = done.made[0].kind if done.made else ""
    found = await printing.list_printers(house, who.actor) if kind in MEDIA_OF else []
    return await render(
        request,
        "steps/done.html",
        status=form.status,
        who=who,
        done=done,
        form=form,
        unlabelled=sum(not each.labelled for each in done.made),
        printers={each.code: f"{each.name}, {each.room}" for each in found if each.media is MEDIA_OF.get(kind)},
        language_names=LANGUAGE_NAMES,
        may_print=may(who.actor, Act.PRINT_LABEL) and kind in MANY_OF,
        **_names(),
    )


def _language(request: Request) -> str:
    return (Language.CHINESE if language_of(request).startswith("zh") else Language.ENGLISH).value
