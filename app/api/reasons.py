"""Reasons picked at the bench over HTTP."""

from fastapi import APIRouter, Request

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.saying import said
from app.api.schemas import Body, Number, Prose
from app.services import reasons
from app.services.reasons import NotedView

router = APIRouter(prefix=f"{API}/reasons", tags=["bench"])


class Note(Body):
    """The words."""

    note: Prose


@router.get("")
async def list_owed(request: Request, house: HouseDep, actor: ActorDep) -> list[dict[str, object]]:
    """What one still owes words for."""
    return [said(request, each) for each in await reasons.owed(house, actor)]


@router.post("/{reason}/note")
async def note_reason(reason: Number, body: Note, house: HouseDep, call: CallDep) -> NotedView:
    """Add the words to a reason that one picked."""
    return await reasons.note_reason(house, call, reason=reason, note=body.note)
