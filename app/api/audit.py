"""Reading the audit over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.api.plumbing import API, ActorDep, HouseDep
from app.api.schemas import Code, Line, Moment, Name, Number
from app.db.audit import Proved, Sought
from app.services import audit
from app.services.audit import EntryLine, EntryView, ItemHistory, RecordHistory

router = APIRouter(prefix=f"{API}/audit", tags=["audit"])

Limit = Annotated[int, Query(ge=1, le=200)]
TableName = Annotated[str, Path(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,60}$")]


@router.get("")
async def search(
    house: HouseDep,
    actor: ActorDep,
    person: Name | None = None,
    act: Name | None = None,
    subject: Line | None = None,
    table: Name | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    after: Number | None = None,
    limit: Limit = 50,
) -> list[EntryLine]:
    """Entries, newest first."""
    sought = Sought(person=person, act=act, subject=subject, table=table, since=since, until=until)
    return await audit.search(house, actor, sought=sought, after=after, limit=limit)


@router.get("/entries/{number}")
async def show_entry(
    number: Number, house: HouseDep, actor: ActorDep, after: Annotated[int, Query(ge=0, lt=2**63)] = 0
) -> EntryView:
    """One entry with what it did to which rows."""
    return await audit.show_entry(house, actor, number=number, after=after)


@router.get("/entries/{number}/proof")
async def verify_entry(number: Number, house: HouseDep, actor: ActorDep) -> Proved:
    """The entry hashed anew, and its inclusion in the last checkpoint."""
    return await audit.verify_entry(house, actor, number=number)


@router.get("/records/{table}/{key}")
async def show_record(
    table: TableName,
    key: Line,
    house: HouseDep,
    actor: ActorDep,
    before: Number | None = None,
    limit: Limit = 50,
) -> RecordHistory:
    """Every version of one row."""
    return await audit.show_record(house, actor, table=table, key=key, before=before, limit=limit)


@router.get("/items/{code}")
async def show_item(
    code: Code, house: HouseDep, actor: ActorDep, after: Number | None = None, limit: Limit = 50
) -> ItemHistory:
    """Everything about an item."""
    return await audit.show_item(house, actor, code=code, after=after, limit=limit)
