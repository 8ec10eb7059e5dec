"""Settings, rule packs and authorities' written replies over HTTP."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.saying import said
from app.api.schemas import Body, Day, Line, Moment, Name, Number, Prose
from app.services import governance
from app.services.governance import (
    PackChosenView,
    PackProposedView,
    Reply,
    ReplyFiledView,
    ReplyView,
    SettingApprovedView,
    SettingProposedView,
)

router = APIRouter(prefix=API, tags=["governance"])

SettingName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+\.[a-z0-9_]+$", max_length=80)]


class NewSettingValue(Body):
    """The value that a setting shall have, with its unit, where it comes from, why, and from when (else when signed)."""

    value: Any
    unit: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None
    source: Line
    why: Prose
    valid_from: Moment | None = None


class Approval(Body):
    """The proof of identity of whoever signs."""

    ceremony: UUID


class NewPack(Body):
    """The rule pack by which the house shall be judged, and why."""

    pack: Name
    why: Prose


class NewReply(Body):
    """An authority's written reply: what was asked and answered, about which rule and process version, and its paper."""

    authority: Line
    reference: Line
    dated: Day
    rule: Name
    process: Name
    process_version: Annotated[int, Field(ge=1, le=100_000)]
    question: Prose
    answer: Prose
    ruling: Literal["permits", "refuses", "undecided"]
    file_name: Line
    file_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    file_place: Line


@router.get("/settings")
async def list_settings(request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """Every setting as it holds now: value, unit, source, since when, which rules read it."""
    return JSONResponse(said(request, await governance.list_settings(house, actor)))


@router.get("/settings/{name}")
async def read_setting(name: SettingName, request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """One setting with its versions and the changes that wait."""
    return JSONResponse(said(request, await governance.read_setting(house, actor, name=name)))


@router.post("/settings/{name}/proposals", status_code=201)
async def propose_setting(
    name: SettingName, body: NewSettingValue, house: HouseDep, call: CallDep
) -> SettingProposedView:
    """Propose a change; it holds when the quality authority has signed it."""
    return await governance.propose_setting(
        house,
        call,
        name=name,
        value=body.value,
        unit=body.unit,
        source=body.source,
        why=body.why,
        valid_from=body.valid_from,
    )


@router.post("/settings/proposals/{proposal}/approve")
async def approve_setting(proposal: Number, body: Approval, house: HouseDep, call: CallDep) -> SettingApprovedView:
    """Let a change take effect by signature."""
    return await governance.approve_setting(house, call, proposal=proposal, ceremony=body.ceremony)


@router.get("/packs")
async def read_packs(request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """Which rule pack judges this house, which there are, which were chosen, which wait."""
    return JSONResponse(said(request, await governance.read_packs(house, actor)))


@router.post("/packs/proposals", status_code=201)
async def propose_pack(body: NewPack, house: HouseDep, call: CallDep) -> PackProposedView:
    """Propose by whose rules the house is judged."""
    return await governance.propose_pack(house, call, pack=body.pack, why=body.why)


@router.post("/packs/proposals/{proposal}/choose")
async def choose_pack(proposal: Number, body: Approval, house: HouseDep, call: CallDep) -> PackChosenView:
    """Choose a proposed pack by signature."""
    return await governance.choose_pack(house, call, proposal=proposal, ceremony=body.ceremony)


@router.get("/authority-replies")
async def list_replies(
    house: HouseDep,
    actor: ActorDep,
    after: Annotated[int | None, Query(ge=1, le=9_223_372_036_854_775_807)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[ReplyView]:
    """Authorities' written replies, the last filed first."""
    return await governance.list_replies(house, actor, after=after, limit=limit)


@router.post("/authority-replies", status_code=201)
async def file_reply(body: NewReply, house: HouseDep, call: CallDep) -> ReplyFiledView:
    """File an authority's written reply about one rule and one process version."""
    return await governance.file_reply(house, call, reply=Reply(**body.model_dump()))


@router.get("/authority-replies/{reply}")
async def read_reply(reply: Number, house: HouseDep, actor: ActorDep) -> ReplyView:
    """One reply."""
    return await governance.read_reply(house, actor, reply=reply)
