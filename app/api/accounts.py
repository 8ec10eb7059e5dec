"""Accounts over HTTP: administrators', and one's own factors."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field, SecretStr, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep, SecretCallDep
from app.api.schemas import Body, Name
from app.domain.acts import Role
from app.requests import source_of
from app.services import accounts
from app.services.accounts import AccountView, DoneView, FactorsView, OfferView

router = APIRouter(prefix=f"{API}/accounts", tags=["accounts"])

Username = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]{1,63}$")]
Password = Annotated[SecretStr, Field(min_length=1, max_length=512)]
OneTimeCode = Annotated[str, StringConstraints(min_length=1, max_length=16)]


class NewAccount(Body):
    """Who gets an account, and as what."""

    username: Username
    printed_name: Name
    roles: tuple[Role, ...] = ()
    language: Literal["en", "zh_CN"] = "en"


class RoleOf(Body):
    """A role to give."""

    role: Role


class NewPassword(Body):
    """Both factors as they are, and the password to be."""

    password: Password
    totp: OneTimeCode
    new_password: Password


class NewTotp(Body):
    """Both factors as they are, the secret that was offered, and a code made with it."""

    password: Password
    totp: OneTimeCode
    new_secret: Annotated[str, StringConstraints(pattern=r"^[A-Z2-7]{32}$")]
    new_code: OneTimeCode


@router.get("")
async def list_accounts(
    house: HouseDep,
    actor: ActorDep,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[AccountView]:
    """Accounts by name."""
    return await accounts.list_accounts(house, actor, after=after, limit=limit)


@router.post("", status_code=201)
async def open_account(body: NewAccount, house: HouseDep, call: CallDep) -> FactorsView:
    """Open an account. Its first factors are told once, here."""
    return await accounts.open_account(
        house,
        call,
        username=body.username,
        printed_name=body.printed_name,
        roles=body.roles,
        language=body.language,
    )


@router.post("/me/password")
async def change_password(body: NewPassword, request: Request, house: HouseDep, call: SecretCallDep) -> DoneView:
    """Choose another password."""
    return await accounts.change_password(
        house,
        call,
        old_password=body.password.get_secret_value(),
        totp=body.totp,
        new_password=body.new_password.get_secret_value(),
        source=source_of(request),
    )


@router.post("/me/totp/offer")
async def offer_totp(house: HouseDep, actor: ActorDep) -> OfferView:
    """A fresh secret to put into an authenticator."""
    return await accounts.offer_totp(house, actor)


@router.post("/me/totp")
async def change_totp(body: NewTotp, request: Request, house: HouseDep, call: SecretCallDep) -> DoneView:
    """Use another authenticator from now on."""
    return await accounts.change_totp(
        house,
        call,
        password=body.password.get_secret_value(),
        totp=body.totp,
        new_secret=body.new_secret,
        new_code=body.new_code,
        source=source_of(request),
    )


@router.post("/{username}/roles")
async def grant_role(username: Username, body: RoleOf, house: HouseDep, call: CallDep) -> AccountView:
    """Give a role."""
    return await accounts.grant_role(house, call, username=username, role=body.role)


@router.delete("/{username}/roles/{role}")
async def revoke_role(username: Username, role: Role, house: HouseDep, call: CallDep) -> AccountView:
    """Take a role away."""
    return await accounts.revoke_role(house, call, username=username, role=role)


@router.post("/{username}/reset-factors")
async def reset_factors(username: Username, house: HouseDep, call: CallDep) -> FactorsView:
    """Give fresh factors, told once, here; they cannot sign for a while."""
    return await accounts.reset_factors(house, call, username=username)


@router.post("/{username}/unlock")
async def unlock_account(username: Username, house: HouseDep, call: CallDep) -> AccountView:
    """Forget wrong attempts."""
    return await accounts.unlock_account(house, call, username=username)


@router.post("/{username}/deactivate")
async def deactivate_account(username: Username, house: HouseDep, call: CallDep) -> AccountView:
    """Close an account."""
    return await accounts.deactivate_account(house, call, username=username)
