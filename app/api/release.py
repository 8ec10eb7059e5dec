"""The release gate over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.saying import said
from app.api.schemas import Body, Code
from app.db.door import Replay
from app.services import release

router = APIRouter(prefix=f"{API}/lots", tags=["release"])


class Releasing(Body):
    """What is released: the digest that was shown, and the proof of identity given for it."""

    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    ceremony: UUID


@router.get("/{code}/release-check")
async def read_judgement(code: Code, request: Request, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """How the lot stands before the release gate now; nothing is kept."""
    return JSONResponse(said(request, await release.live_judgement(house, actor, code=code)))


@router.post("/{code}/release-check")
async def check_release(code: Code, request: Request, house: HouseDep, call: CallDep) -> JSONResponse:
    """Judge the lot for release and keep the judgement."""
    return JSONResponse(said(request, await release.check_release(house, call, code=code)))


@router.post("/{code}/release", responses={202: {"description": "Released; its seal is pending."}})
async def release_lot(code: Code, body: Releasing, house: HouseDep, call: CallDep) -> JSONResponse:
    """Release the lot. 200 with the seal's proof, 202 while the seal is pending; the same key asks again."""
    try:
        done = await release.release_lot(house, call, code=code, digest=body.digest, ceremony=body.ceremony)
        answer: dict[str, Any] = said(None, done)
    except Replay as replay:
        answer = dict(replay.answer)
    seal = await release.seal_of(house, entry=answer["entry"], within_s=house.settings.seal_wait_seconds)
    status = 200 if seal.seal == "sealed" else 202
    return JSONResponse({**answer, "seal": seal.seal, "proof": said(None, seal)}, status)


@router.get("/{code}/release")
async def read_release(code: Code, house: HouseDep, actor: ActorDep) -> JSONResponse:
    """The release of this lot, with the seal over it, or null."""
    found = await release.release_of(house, actor, code=code)
    if found is None:
        return JSONResponse(None)
    seal = await release.seal_of(house, entry=found.entry, within_s=0)
    return JSONResponse({**said(None, found), "seal": seal.seal, "proof": said(None, seal)})
