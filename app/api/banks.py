"""Cell banks over HTTP: vials, withdrawals, how places keep, and whether a process needs a bank."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Line, Moment, Name, Prose
from app.services import banks
from app.services.banks import (
    BankLine,
    BankView,
    ClassView,
    ExcursionView,
    PolicyContent,
    PolicyKept,
    PolicyView,
    StorageView,
    StoredView,
    WithdrawnView,
)

router = APIRouter(prefix=API, tags=["banks"])

Celsius = Annotated[Decimal, Field(ge=Decimal("-273.15"), le=Decimal(40), max_digits=8)]
Number = Annotated[int, Path(ge=1, le=9_223_372_036_854_775_807)]


class Withdrawal(Body):
    """A vial that leaves its bank."""

    vial: Code
    withdrawn_at: Moment


class PutAway(Body):
    """Vials and where they were put."""

    vials: Annotated[tuple[Code, ...], Field(min_length=1, max_length=1000)]
    place: Code
    stored_at: Moment


class StorageClass(Body):
    """How a place keeps what is in it: never warmer than this."""

    phase: Literal["vapour", "liquid", "mechanical"]
    warmest_celsius: Celsius
    site: Name
    evidence: Line


class Excursion(Body):
    """A time in which a place was too warm; without an end it goes on."""

    began_at: Moment
    ended_at: Moment | None = None
    warmest_celsius: Celsius
    what: Line


class Policy(Body):
    """Whether a process version works from a bank, and why."""

    process: Name
    process_version: Annotated[int, Field(ge=1, le=100_000)]
    needed: bool
    conditions: Annotated[tuple[Name, ...], Field(max_length=10)] = ()
    tiers: Annotated[tuple[Literal["master", "working"], ...], Field(max_length=2)] = ()
    reasons: Prose


class Signed(Body):
    """The proof of identity of whoever decides."""

    ceremony: UUID


@router.get("/banks")
async def list_banks(
    house: HouseDep,
    actor: ActorDep,
    after: Code | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[BankLine]:
    """Bank lots, newest first."""
    return await banks.list_banks(house, actor, after=after, limit=limit)


@router.get("/banks/{code}")
async def read_bank(code: Code, house: HouseDep, actor: ActorDep) -> BankView:
    """A bank with the map of its vials."""
    return await banks.read_bank(house, actor, code=code)


@router.post("/banks/{code}/storage", status_code=201)
async def put_away(code: Code, body: PutAway, house: HouseDep, call: CallDep) -> StoredView:
    """Put vials of a bank into a place."""
    return await banks.put_away(house, call, bank=code, vials=body.vials, place=body.place, stored_at=body.stored_at)


@router.post("/lots/{code}/withdrawals", status_code=201)
async def withdraw(code: Code, body: Withdrawal, house: HouseDep, call: CallDep) -> WithdrawnView:
    """Take a vial out of its bank for this lot."""
    return await banks.withdraw(house, call, lot=code, vial=body.vial, withdrawn_at=body.withdrawn_at)


@router.get("/storage")
async def list_storage(house: HouseDep, actor: ActorDep) -> list[StorageView]:
    """Tanks and freezers, and how each keeps what is in it."""
    return await banks.list_storage(house, actor)


@router.post("/storage/{code}/classes", status_code=201)
async def classify_storage(code: Code, body: StorageClass, house: HouseDep, call: CallDep) -> ClassView:
    """State how a place keeps what is in it."""
    return await banks.classify_storage(
        house,
        call,
        place=code,
        phase=body.phase,
        warmest_celsius=body.warmest_celsius,
        site=body.site,
        evidence=body.evidence,
    )


@router.post("/storage/{code}/excursions", status_code=201)
async def record_excursion(code: Code, body: Excursion, house: HouseDep, call: CallDep) -> ExcursionView:
    """Record that a place was too warm; what lay there is held."""
    return await banks.record_excursion(
        house,
        call,
        place=code,
        began_at=body.began_at,
        ended_at=body.ended_at,
        warmest_celsius=body.warmest_celsius,
        what=body.what,
    )


@router.get("/bank-policies")
async def list_policies(house: HouseDep, actor: ActorDep) -> list[PolicyView]:
    """Every decision about banks, the last proposed first."""
    return await banks.list_policies(house, actor)


@router.post("/bank-policies", status_code=201)
async def propose_policy(body: Policy, house: HouseDep, call: CallDep) -> PolicyKept:
    """Propose whether a process version works from a bank."""
    content = PolicyContent(
        process=body.process,
        process_version=body.process_version,
        needed=body.needed,
        conditions=body.conditions,
        tiers=body.tiers,
        reasons=body.reasons,
    )
    return await banks.propose_policy(house, call, content=content)


@router.get("/bank-policies/{number}")
async def read_policy(number: Number, house: HouseDep, actor: ActorDep) -> PolicyView:
    """One decision about banks."""
    return await banks.read_policy(house, actor, number=number)


@router.post("/bank-policies/{number}/sign")
async def decide_policy(number: Number, body: Signed, house: HouseDep, call: CallDep) -> PolicyKept:
    """Decide by signature."""
    return await banks.decide_policy(house, call, number=number, ceremony=body.ceremony)
