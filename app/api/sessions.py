"""Signing in over HTTP: a token for programs, the same as a cookie for browsers."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, SecretStr, StringConstraints, model_validator

from app.api.plumbing import API, CallDep, HouseDep, SignedInDep
from app.api.saying import said
from app.api.schemas import Body, Code
from app.requests import device_of, forget_token, keep_token, live_or_locked, same_origin, source_of, token_of
from app.services import sign_in
from app.services.sign_in import SessionView

router = APIRouter(prefix=f"{API}/session", tags=["session"])

Password = Annotated[SecretStr, Field(min_length=1, max_length=512)]
OneTimeCode = Annotated[str, StringConstraints(max_length=16)]


class SigningIn(Body):
    """Name, password, and for some roles the one-time code."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    password: Password
    totp: OneTimeCode | None = None


class Unlocking(Body):
    """The password of the person whose session it is, or their badge and PIN."""

    password: Password | None = None
    badge: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = None
    pin: Annotated[SecretStr, Field(min_length=1, max_length=64)] | None = None

    @model_validator(mode="after")
    def _proves_something(self) -> "Unlocking":
        if (self.password is None) == (self.badge is None or self.pin is None):
            raise ValueError("either the password, or badge and PIN")
        return self


class WorkingAt(Body):
    """The workstation's label."""

    code: Code


@router.post("", status_code=201)
async def begin_session(body: SigningIn, request: Request, response: Response, house: HouseDep) -> dict[str, Any]:
    """Sign in. The token is for `Authorization: Bearer`; browsers get it as a cookie that scripts cannot read."""
    same_origin(request)
    begun = await sign_in.sign_in(
        house,
        username=body.username,
        password=body.password.get_secret_value(),
        totp=body.totp or None,
        source=source_of(request),
        device=device_of(request),
        old_token=token_of(request),
    )
    keep_token(request, response, token=begun.token, ends_at=begun.ends_at)
    return {**said(request, begun.session), "token": begun.token, "csrf": begun.csrf}


@router.get("")
async def read_session(house: HouseDep, who: SignedInDep) -> SessionView:
    """Who is signed in here."""
    return await sign_in.who_am_i(house, who)


@router.delete("", status_code=204)
async def end_session(request: Request, response: Response, house: HouseDep) -> None:
    """Sign out, also from a locked screen."""
    await sign_in.sign_out(house, await live_or_locked(request))
    forget_token(request, response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


@router.post("/unlock")
async def unlock_session(body: Unlocking, request: Request, house: HouseDep) -> SessionView:
    """Go on after the screen locked itself."""
    who = await live_or_locked(request)
    source = source_of(request)
    if body.badge is not None and body.pin is not None:
        return await sign_in.unlock_by_badge(
            house, who, badge=body.badge, pin=body.pin.get_secret_value(), source=source
        )
    password = body.password.get_secret_value() if body.password is not None else ""
    return await sign_in.unlock(house, who, password=password, source=source)


@router.post("/workstation")
async def choose_workstation(body: WorkingAt, house: HouseDep, who: SignedInDep, call: CallDep) -> SessionView:
    """Say at which workstation this session works."""
    return await sign_in.work_at(house, call, who, code=body.code)
