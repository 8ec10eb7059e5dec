"""Badges and PINs over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field, SecretStr

from app.api.accounts import OneTimeCode, Password, Username
from app.api.plumbing import API, ActorDep, CallDep, HouseDep, SecretCallDep
from app.api.schemas import Body
from app.domain.errors import NotFound
from app.domain.text import Text
from app.requests import source_of
from app.services import badges
from app.services.badges import BadgeRevokedView, BadgeView, PinView

router = APIRouter(prefix=f"{API}/accounts", tags=["accounts"])

Pin = Annotated[SecretStr, Field(min_length=1, max_length=64)]


class NewPin(Body):
    """Both factors as they are, and the PIN to be: six to eight digits."""

    password: Password
    totp: OneTimeCode
    pin: Pin


@router.post("/me/pin")
async def set_pin(body: NewPin, request: Request, house: HouseDep, call: SecretCallDep) -> PinView:
    """Choose one's own PIN."""
    return await badges.set_pin(
        house,
        call,
        password=body.password.get_secret_value(),
        totp=body.totp,
        pin=body.pin.get_secret_value(),
        source=source_of(request),
    )


@router.post("/{username}/badge", status_code=201)
async def issue_badge(username: Username, house: HouseDep, call: CallDep) -> BadgeView:
    """Issue a badge; an earlier one is worth nothing from now on."""
    return await badges.issue_badge(house, call, username=username)


@router.get("/{username}/badge")
async def read_badge(username: Username, house: HouseDep, actor: ActorDep) -> BadgeView:
    """The account's live badge."""
    found = await badges.badge_of(house, actor, username=username)
    if found is None:
        raise NotFound(
            what=Text("Nothing was found."),
            why=Text("{username} has no badge.", username=username),
            remedy=Text("An administrator issues one."),
        )
    return found


@router.delete("/{username}/badge")
async def revoke_badge(username: Username, house: HouseDep, call: CallDep) -> BadgeRevokedView:
    """Revoke the account's badge."""
    return await badges.revoke_badge(house, call, username=username)
