"""Labels: the print queue and its troubles, the labels of one item, and the count of a lot's labels."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.door import Call
from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.errors import NotFound, Refusal
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from app.locale import language_of
from app.requests import HouseDep, SignedInDep, WatchingDep
from app.services import items, label_counts, labels, printing, reasons
from app.services.house import House
from app.services.labels import AT_ONCE_MAX, Language, Many
from app.services.printing import TROUBLES, JobState, Media, PrinterView
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.pages.bench_acts import IN_WORDS
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from labels.codes import CodeKind
from labels.facts import DOTS_PER_MM

router = APIRouter(route_class=PageRoute)
PAGE = 100
MOST_COUNTED = 1_000_000

LANGUAGE_NAMES: Mapping[Language, Text] = {
    Language.ENGLISH: Text("English label"),
    Language.CHINESE: Text("Chinese label"),
}
MANY_NAMES: Mapping[Many, Text] = {
    Many.VIAL: Text("Vials"),
    Many.FLASK: Text("Flasks"),
    Many.BAG: Text("Bags"),
}
JOB_MARKS: Mapping[JobState, tuple[str, str, Text]] = {
    JobState.QUEUED: ("na", "clock", Text("waits")),
    JobState.SENDING: ("info", "arrow-right", Text("is being printed")),
    JobState.PRINTED: ("go", "check", Text("printed")),
    JobState.FAILED: ("stop", "x", Text("not printed")),
    JobState.UNKNOWN: ("stop", "question-mark", Text("printed or not?")),
    JobState.CANCELLED: ("na", "ban", Text("cancelled")),
}
MEDIA_NAMES: Mapping[Media, Text] = {
    Media.TUBE: Text("25 × 13 mm: vials, samples, retains"),
    Media.CONTAINER: Text("50 × 25 mm: flasks, donations, materials"),
    Media.BAG: Text("100 × 50 mm: bags"),
    Media.SIGN: Text("100 × 25 mm: workstations, shelves"),
    Media.CARD: Text("54 × 86 mm: badges"),
}
DOTS_NAMES = {str(each): Text("{dots} dots/mm", dots=str(each)) for each in DOTS_PER_MM}
MEDIA_OF: Mapping[CodeKind, Media] = {
    CodeKind.VIAL: Media.TUBE,
    CodeKind.SAMPLE_TUBE: Media.TUBE,
    CodeKind.RETAIN: Media.TUBE,
    CodeKind.FLASK: Media.CONTAINER,
    CodeKind.DONATION: Media.CONTAINER,
    CodeKind.MATERIAL_CONTAINER: Media.CONTAINER,
    CodeKind.BAG: Media.BAG,
    CodeKind.EQUIPMENT: Media.SIGN,
    CodeKind.SHELF: Media.SIGN,
    CodeKind.POSITION: Media.SIGN,
    CodeKind.BADGE: Media.CARD,
}


class Settling(StrEnum):
    """What a person may say of a print job."""

    RETRY = "retry"
    CANCEL = "cancel"
    PRINTED = "printed"
    NOT_PRINTED = "not-printed"


SETTLE = {
    Settling.RETRY: printing.try_again,
    Settling.CANCEL: printing.cancel,
    Settling.PRINTED: printing.say_printed,
    Settling.NOT_PRINTED: printing.say_not_printed,
}


# -- the queue ---------------------------------------------------------------------------------------------------------


@router.get("/labels")
async def read_queue(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Every printer with its queue, troubles first."""
    return await _queue(request, house, who, await blank(request), template="labels/queue.html")


@router.get("/labels/queue")
async def watch_queue(request: Request, house: HouseDep, who: WatchingDep) -> Response:
    """The queue alone, which the page asks for by itself every few seconds; that keeps no session awake."""
    return await _queue(request, house, who, await blank(request), template="labels/_queue.html")


@router.post("/labels/jobs/{number}/{said}")
async def settle(request: Request, house: HouseDep, who: SignedInDep, number: int, said: Settling) -> Response:
    """Try again, cancel, or say whether the label came out."""
    entry = await read_entry(request)
    try:
        await once(SETTLE[said](house, entry.call(who), number=number))
    except Refusal as refusal:
        return await _queue(request, house, who, entry.again(refusal), template="labels/queue.html")
    return see("/labels")


@router.get("/labels/printers/new")
async def new_printer(request: Request, who: SignedInDep) -> Response:
    """The form for a printer."""
    require(who.actor, Act.DEFINE_PRINTER)
    return await _printer_form(request, who, await blank(request))


@router.post("/labels/printers/new")
async def define_printer(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Define a printer."""
    entry = await read_entry(request)
    name, room, address = entry.text("name", most=120), entry.text("room", most=120), entry.text("address")
    dots, media = entry.one_of("dots_per_mm", DOTS_NAMES), entry.choice("media", Media)
    try:
        call = entry.call(who)
        await once(
            printing.define_printer(
                house, call, name=name, room=room, address=address, dots_per_mm=float(dots), media=media
            )
        )
    except Refusal as refusal:
        return await _printer_form(request, who, entry.again(refusal))
    return see("/labels")


async def _queue(request: Request, house: House, who: SignedIn, form: FormView, *, template: str) -> Response:
    return await render(
        request,
        template,
        status=form.status,
        who=who,
        form=form,
        printers=await printing.list_printers(house, who.actor),
        jobs=await printing.open_jobs(house, who.actor),
        done=await printing.list_jobs(house, who.actor, printer=None, state=JobState.PRINTED, after=None, limit=8),
        marks=JOB_MARKS,
        troubles=TROUBLES,
        media_names=MEDIA_NAMES,
    )


async def _printer_form(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "labels/printer.html",
        status=form.status,
        who=who,
        form=form,
        dots_names=DOTS_NAMES,
        media_names=MEDIA_NAMES,
    )


# -- one item ----------------------------------------------------------------------------------------------------------


@router.get("/items/{code}/labels")
async def read_labels(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The labels of one item, and a form that makes one."""
    return await _labels_of(request, house, who, code, await blank(request))


@router.post("/items/{code}/labels")
async def print_label(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Make a label, and queue it where a printer was chosen."""
    entry = await read_entry(request)
    language, printer, reason = entry.choice("language", Language), entry.code("printer"), entry.optional("reason")
    picked = entry.optional("picked")
    try:
        call = entry.call(who)
        await once(
            labels.print_label(
                house,
                call,
                code=code,
                language=language,
                reason=reason,
                printer=printer,
                picked=None if picked == IN_WORDS else picked,
            )
        )
    except Refusal as refusal:
        form = entry.again(refusal, of="printer" if printer and isinstance(refusal, NotFound) else "")
        return await _labels_of(request, house, who, code, form)
    return see(f"/items/{code}/labels")


async def _labels_of(request: Request, house: House, who: SignedIn, code: str, form: FormView) -> Response:
    item = await items.read_item(house, who.actor, raw=code)
    made = await labels.labels_of(house, who.actor, code=item.code)
    kind = CodeKind(item.code[0])
    wanted = Act.ISSUE_BADGE if kind is CodeKind.BADGE else Act.PRINT_LABEL
    has_label = any(each.job != JobState.CANCELLED for each in made)
    offered = await reasons.offered(house, who.actor) if has_label and may(who.actor, Act.NOTE_REASON) else ()
    return await render(
        request,
        "labels/item.html",
        status=form.status,
        who=who,
        form=form,
        item=item,
        made=made,
        has_label=has_label,
        picks={each.code: each.named(language_of(request)) for each in offered}
        | ({IN_WORDS: Text("In my own words")} if offered else {}),
        may_print=may(who.actor, wanted) and kind in MEDIA_OF,
        printers=printers_for(await printing.list_printers(house, who.actor), MEDIA_OF.get(kind)),
        language_names=LANGUAGE_NAMES,
        marks=JOB_MARKS,
    )


def printers_for(printers: list[PrinterView], media: Media | None) -> dict[str, str]:
    """Printers by code with what a choice says of them; only those with this media, or all."""
    return {
        each.code: f"{each.name}, {each.room} ({each.media.value.replace('x', ' × ')} mm)"
        for each in printers
        if media is None or each.media is media
    }


# -- one lot -----------------------------------------------------------------------------------------------------------


@router.get("/lots/{code}/labels")
async def read_lot_labels(
    request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, after: int | None = None
) -> Response:
    """The labels of a lot, the count, and what is needed where it does not come out."""
    return await _lot(request, house, who, code, after=after)


@router.post("/lots/{code}/labels/print")
async def print_lot_labels(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Make the first label of every container of a kind."""
    entry = await read_entry(request)
    kind, language, printer = entry.choice("kind", Many), entry.choice("language", Language), entry.code("printer")
    try:
        call = entry.call(who)
        await once(labels.print_lot_labels(house, call, code=code, kind=kind, language=language, printer=printer))
    except Refusal as refusal:
        of = "printer" if printer and isinstance(refusal, NotFound) else ""
        return await _lot(request, house, who, code, making=entry.again(refusal, of=of, prefix="print-"))
    return see(f"/lots/{code}/labels")


@router.post("/lots/{code}/labels/count")
async def count_labels(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Keep a count."""
    entry = await read_entry(request)
    used, destroyed = entry.whole("used", most=MOST_COUNTED), entry.whole("destroyed", most=MOST_COUNTED)
    returned, remark = entry.whole("returned", most=MOST_COUNTED), entry.optional("remark")
    try:
        await once(_counted(house, entry, who, code, used=used, destroyed=destroyed, returned=returned, remark=remark))
    except Refusal as refusal:
        return await _lot(request, house, who, code, counting=entry.again(refusal, prefix="count-"))
    return see(f"/lots/{code}/labels")


@router.post("/lots/{code}/labels/imbalance")
async def explain_imbalance(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """State what was done about a count that does not come out."""
    entry = await read_entry(request)
    deviation = entry.text("deviation")
    search, risk = entry.prose("search"), entry.prose("mix_up_risk")
    evidence = entry.prose("independent_evidence")
    try:
        call: Call = entry.call(who)
        await once(
            label_counts.explain_imbalance(
                house,
                call,
                code=code,
                deviation=deviation,
                search=search,
                mix_up_risk=risk,
                independent_evidence=evidence,
            )
        )
    except Refusal as refusal:
        return await _lot(request, house, who, code, explaining=entry.again(refusal, of="deviation", prefix="explain-"))
    return see(f"/lots/{code}/labels")


async def _counted(house: House, entry: Entry, who: SignedIn, code: str, **counted: Any) -> object:
    return await label_counts.count_labels(house, entry.call(who), code=code, **counted)


async def _lot(
    request: Request,
    house: House,
    who: SignedIn,
    code: str,
    *,
    after: int | None = None,
    making: FormView | None = None,
    counting: FormView | None = None,
    explaining: FormView | None = None,
) -> Response:
    lot = await label_counts.show_labels(house, who.actor, code=code, after=after, limit=PAGE)
    count = lot.counts[0] if lot.counts else None
    stated = [each for each in lot.imbalances if count is not None and each.count == count.number]
    refused = next((each for each in (making, counting, explaining) if each is not None), None)
    return await render(
        request,
        "labels/lot.html",
        status=refused.status if refused else 200,
        who=who,
        lot=lot,
        count=count,
        stated=stated,
        next=lot.labels[-1].number if len(lot.labels) == PAGE else None,
        making=making or await blank(request, prefix="print-", kind=Many.VIAL.value),
        counting=counting or await blank(request, prefix="count-"),
        explaining=explaining or await blank(request, prefix="explain-"),
        printers=printers_for(await printing.list_printers(house, who.actor), None),
        language_names=LANGUAGE_NAMES,
        many_names=MANY_NAMES,
        kind_names=KIND_NAMES,
        marks=JOB_MARKS,
        at_once=AT_ONCE_MAX,
    )
