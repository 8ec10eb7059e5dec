"""Seeing who a pseudonym is, over HTTP."""

from fastapi import APIRouter

from app.api.plumbing import API, CallDep, HouseDep
from app.api.schemas import Body, Code, Line
from app.services import identities
from app.services.identities import RevealView

router = APIRouter(prefix=f"{API}/donors", tags=["identity"])


class Revealing(Body):
    """Why somebody needs to know. It is kept, with who asked and when, before anything is shown."""

    purpose: Line


@router.post("/{code}/reveal")
async def reveal_identity(code: Code, body: Revealing, house: HouseDep, call: CallDep) -> RevealView:
    """Show who this is."""
    return await identities.reveal_identity(house, call, code=code, purpose=body.purpose)
