"""The audit: sought by person, act, subject, table and time; entries, records and items with everything done to them."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.audit import Sought
from app.domain.acts import ACT_NAMES, ROLE_NAMES, Act, Role, require
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import audit
from app.web.forms import FIRST_YEAR, LAST_YEAR
from app.web.refusals import CodeDep, PageRoute, no_such_page
from app.web.shell import render, the_facility
from labels.codes import CodeError, CodeScheme, parse

router = APIRouter(prefix="/audit", route_class=PageRoute)
PAGE = 50
WORDS_MOST = 120
SHOWN_MOST = 600
NumberDep = Annotated[int, Path(ge=1, lt=2**63)]
TABLE = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,60}")

OP_NAMES: Mapping[str, tuple[str, str, Text]] = {
    "I": ("go", "plus", Text("written")),
    "U": ("wait", "refresh", Text("changed")),
    "D": ("stop", "trash", Text("removed")),
}
TABLES = (
    "lab.lots",
    "lab.steps",
    "lab.containers",
    "lab.results",
    "lab.samples",
    "lab.deviations",
    "lab.holds",
    "lab.waivers",
    "lab.legacy_dossiers",
    "lab.signatures",
    "lab.releases",
    "lab.refusals",
    "lab.donors",
    "lab.consents",
    "lab.marker_results",
    "lab.donations",
    "lab.material_lots",
    "lab.labels",
    "lab.settings",
    "people.accounts",
    "people.grants",
    "people.credentials",
    "people.appointments",
    "people.qualifications",
    "lab.equipment_qualifications",
    "lab.documents",
    "lab.authorisations",
    "lab.responsibilities",
    "lab.area_classifications",
    "lab.monitoring_samples",
    "lab.monitoring_readings",
    "people.badges",
)
"""What is offered; the address takes any other."""


@router.get("")
async def search(
    request: Request,
    house: HouseDep,
    who: SignedInDep,
    person: str = "",
    act: str = "",
    subject: str = "",
    table: str = "",
    since: str = "",
    until: str = "",
    after: str = "",
) -> Response:
    """Entries, newest first. Who may only verify sees how far the log is sealed."""
    zone = (await the_facility(request)).zone
    asked = {
        "person": _visible(person),
        "act": act if act in set(Act) else "",
        "subject": _as_subject(_visible(subject)),
        "table": table if TABLE.fullmatch(table) else "",
        "since": since if _moment(since, zone) else "",
        "until": until if _moment(until, zone) else "",
    }
    sought = Sought(
        person=asked["person"] or None,
        act=asked["act"] or None,
        subject=asked["subject"] or None,
        table=asked["table"] or None,
        since=_moment(since, zone),
        until=_moment(until, zone),
    )
    found = await audit.search(house, who.actor, sought=sought, after=_number(after), limit=PAGE)
    return await render(
        request,
        "audit/list.html",
        who=who,
        found=found,
        asked=asked,
        is_asked=any(asked.values()),
        acts=sorted(ACT_NAMES, key=lambda each: each.value),
        tables=TABLES if asked["table"] in {"", *TABLES} else (asked["table"], *TABLES),
        state=await audit.log_state(house, who.actor),
        next=found[-1].number if len(found) == PAGE else None,
        **_names(),
    )


@router.get("/entry/{number}")
async def show_entry(
    request: Request, house: HouseDep, who: SignedInDep, number: NumberDep, after: str = "", proof: str = ""
) -> Response:
    """One entry: who, what, and every row before and after."""
    entry = await audit.show_entry(house, who.actor, number=number, after=_number(after) or 0)
    proved = await audit.verify_entry(house, who.actor, number=number) if proof else None
    return await render(
        request,
        "audit/entry.html",
        who=who,
        entry=entry,
        proved=proved,
        after=after,
        roles=[ROLE_NAMES[Role(each)] if each in set(Role) else each for each in entry.roles],
        **_names(),
    )


@router.get("/record/{table}/{key}")
async def show_record(
    request: Request, house: HouseDep, who: SignedInDep, table: str, key: str, before: str = ""
) -> Response:
    """Every version of one row, newest first."""
    require(who.actor, Act.READ_AUDIT)
    if not TABLE.fullmatch(table) or not key.isprintable() or len(key) > WORDS_MOST:
        raise no_such_page()
    found = await audit.show_record(house, who.actor, table=table, key=key, before=_number(before), limit=PAGE)
    return await render(request, "audit/record.html", who=who, found=found, **_names())


@router.get("/item/{code}")
async def show_item(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, after: str = "") -> Response:
    """Everything about an item, newest first."""
    found = await audit.show_item(house, who.actor, code=code, after=_number(after), limit=PAGE)
    return await render(
        request,
        "audit/item.html",
        who=who,
        found=found,
        kind_names=KIND_NAMES,
        next=found.entries[-1].number if len(found.entries) == PAGE else None,
        **_names(),
    )


# -- within ------------------------------------------------------------------------------------------------------------


def _names() -> dict[str, Any]:
    return {
        "act_name": lambda act: ACT_NAMES[Act(act)] if act in set(Act) else act,
        "ops": OP_NAMES,
        "shown": _shown,
    }


def _shown(value: object) -> str:
    """A column's value as it stands; of a very long one its beginning."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_MOST else f"{text[:SHOWN_MOST]}…"


def _visible(typed: str) -> str:
    return "".join(each for each in typed.strip()[:WORDS_MOST] if each.isprintable())


def _as_subject(typed: str) -> str:
    """A label's code as entries name it; anything else as it is."""
    try:
        code = parse(typed)
    except CodeError:
        return typed
    return str(code.value) if code.scheme is CodeScheme.OWN else typed


def _number(typed: str) -> int | None:
    is_number = typed.isascii() and typed.isdigit() and len(typed) < 19
    return int(typed) if is_number else None


def _moment(typed: str, zone: Any) -> datetime | None:
    try:
        read = datetime.fromisoformat(typed)
    except ValueError:
        return None
    if not FIRST_YEAR < read.year < LAST_YEAR:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=zone)
