"""Clean areas: their classification, and what was monitored and read in each session."""

from collections.abc import Mapping
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.errors import Refusal
from app.domain.monitoring import GRADE_NAMES, GRADES, KIND_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import monitoring
from app.services.house import House
from app.services.monitoring import Area, Read, Taken
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render

router = APIRouter(prefix="/monitoring", route_class=PageRoute)
PAGE = 50
NAME = 120
MOST = 10**12

STATE_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "pending": ("wait", "hourglass", Text("not read yet")),
    "within": ("go", "check", Text("within the limit")),
    "above": ("stop", "alert-triangle", Text("above the action limit")),
    "no_limit": ("na", "minus", Text("no limit is set")),
}
ROOM_GRADES = {grade: GRADE_NAMES[grade] for grade in GRADES}


@router.get("")
async def list_sessions(
    request: Request, house: HouseDep, who: SignedInDep, which: str = "", after: int | None = None
) -> Response:
    """Sessions, the last opened first."""
    start = after if after is not None and 0 < after < 2**62 else None
    pending = which == "pending"
    found = await monitoring.list_sessions(house, who.actor, pending=pending, after=start, limit=PAGE)
    return await render(
        request,
        "monitoring/list.html",
        who=who,
        found=found,
        chosen="pending" if pending else None,
        choices={"pending": Text("not read yet")},
        next=found[-1].session if len(found) == PAGE else None,
    )


@router.get("/areas")
async def show_areas(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Rooms and workstations with their last classification."""
    return await _areas(request, house, who, await blank(request))


@router.post("/areas")
async def classify(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Record a classification."""
    require(who.actor, Act.CLASSIFY_AREA)
    entry = await read_entry(request)
    area = Area(entry.optional("room", most=NAME), entry.code("workstation"))
    given = {
        "grade": entry.one_of("grade", GRADE_NAMES),
        "classified_on": entry.day("classified_on"),
        "due_on": entry.day("due_on", ahead=True),
        "evidence": entry.text("evidence"),
    }
    try:
        await once(monitoring.classify_area(house, entry.call(who), area=area, **given))  # type: ignore[arg-type]
    except Refusal as refusal:
        return await _areas(request, house, who, entry.again(refusal, at={"area": "room"}))
    return see("/monitoring/areas")


@router.get("/{session:int}")
async def show_session(request: Request, house: HouseDep, who: SignedInDep, session: int) -> Response:
    """One session: what was taken, what was read, and the forms for more."""
    now = datetime.now(UTC)
    taking = await blank(request, prefix="take-", taken_at=now)
    return await _shown(request, house, who, session, taking, await blank(request, prefix="read-", read_at=now))


@router.post("/{session:int}/samples")
async def take(request: Request, house: HouseDep, who: SignedInDep, session: int) -> Response:
    """Record what was taken."""
    require(who.actor, Act.MONITOR_SESSION)
    entry = await read_entry(request)
    given = Taken(
        kind=entry.one_of("kind", KIND_NAMES),
        grade=entry.one_of("grade", ROOM_GRADES),
        place=entry.text("place", most=NAME),
        taken_at=entry.moment("taken_at"),
    )
    try:
        await once(monitoring.record_samples(house, entry.call(who), session=session, samples=[given]))
    except Refusal as refusal:
        reading = await blank(request, prefix="read-", read_at=datetime.now(UTC))
        return await _shown(request, house, who, session, entry.again(refusal, prefix="take-"), reading)
    return see(f"/monitoring/{session}")


@router.post("/{session:int}/readings")
async def read(request: Request, house: HouseDep, who: SignedInDep, session: int) -> Response:
    """Record what was read of one sample."""
    require(who.actor, Act.READ_MONITORING)
    entry = await read_entry(request)
    given = _read(entry)
    try:
        await once(monitoring.record_readings(house, entry.call(who), readings=[given]))
    except Refusal as refusal:
        taking = await blank(request, prefix="take-", taken_at=datetime.now(UTC))
        return await _shown(request, house, who, session, taking, entry.again(refusal, prefix="read-"))
    return see(f"/monitoring/{session}")


def _read(entry: Entry) -> Read:
    return Read(
        sample=entry.whole("sample", least=1),
        value=entry.amount("value", most=MOST),
        organism=entry.optional("organism", most=NAME),
        read_at=entry.moment("read_at"),
    )


async def _areas(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "monitoring/areas.html",
        status=form.status,
        who=who,
        found=await monitoring.list_areas(house, who.actor),
        form=form if may(who.actor, Act.CLASSIFY_AREA) else None,
        grades=GRADE_NAMES,
    )


async def _shown(
    request: Request, house: House, who: SignedIn, session: int, taking: FormView, reading: FormView
) -> Response:
    found = await monitoring.read_session(house, who.actor, session=session)
    names = {
        each.sample: Text(
            "{kind}, {grade}, {place}", kind=KIND_NAMES[each.kind], grade=GRADE_NAMES[each.grade], place=each.place
        )
        for each in found.samples
    }
    return await render(
        request,
        "monitoring/session.html",
        status=taking.status if taking.refusal else reading.status,
        who=who,
        found=found,
        names=names,
        kinds=KIND_NAMES,
        grades=ROOM_GRADES,
        state_marks=STATE_MARKS,
        taking=taking if may(who.actor, Act.MONITOR_SESSION) else None,
        reading=reading if may(who.actor, Act.READ_MONITORING) and names else None,
    )
