"""Accounts: opened, given roles, reset and closed by administrators; one's own factors by oneself."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.db import accounts, factors, sessions
from app.db.door import Desk
from app.db.secrets import HASHING, matching_step, new_totp_secret, seal_totp, totp_uri
from app.domain.acts import Act, Role
from app.domain.errors import BadInput, Conflict, NotPermitted
from app.domain.passwords import require_good
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.db.accounts import Account
    from app.db.door import Call
    from app.domain.acts import Actor
    from app.services.house import House

GENERATED_PASSWORD_BYTES = 15
ISSUER = "Stemma"
RESERVED = frozenset({"me", "new", "appointments", "training"})
"""User names that addresses of pages and of the API need for themselves."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as the outside knows it."""

    username: str
    printed_name: str
    language: str
    active: bool
    roles: tuple[Role, ...]
    opened_at: datetime | None = None
    factors_reset_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FactorsView:
    """An account with fresh factors, to be handed over once; a repeated request gets them no second time."""

    account: AccountView
    password: str | None = field(default=None, repr=False)
    totp_secret: str | None = field(default=None, repr=False)
    totp_uri: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OfferView:
    """A secret for an authenticator application; it counts once a code made with it has come back."""

    totp_secret: str = field(repr=False)
    totp_uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DoneView:
    """What was done to one's own factors."""

    username: str
    done: str


@dataclass(frozen=True, slots=True)
class PersonView:
    """An account with what it signs in with, and when it last did."""

    account: AccountView
    has_code: bool
    has_pin: bool
    has_badge: bool
    last_sign_in: datetime | None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has not ended. `is_this`: the one that asks."""

    session: int
    device: str
    started_at: datetime
    seen_at: datetime
    ends_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class OwnView:
    """Oneself: the account, and where one is signed in."""

    person: PersonView
    sessions: tuple[OpenSession, ...]


# -- by administrators -------------------------------------------------------------------------------------------------


async def list_accounts(house: House, actor: Actor, *, after: str, limit: int) -> list[AccountView]:
    """Accounts by name, at most `limit`, after the name `after`."""
    async with house.door.read(actor, Act.READ_ACCOUNTS, desk=Desk.PEOPLE) as reading:
        return [_view(each) for each in await accounts.listed(reading, after=after, limit=limit)]


async def list_people(
    house: House, actor: Actor, *, after: str, limit: int, state: str | None = None, sought: str | None = None
) -> list[PersonView]:
    """Accounts by name with what they sign in with. `state`: active or deactivated; `sought`: a part of either name."""
    async with house.door.read(actor, Act.READ_ACCOUNTS, desk=Desk.PEOPLE) as reading:
        found = await accounts.listed_with_badges(reading, after=after, limit=limit, state=state, sought=sought)
    return [_person(each) for each in found]


async def show_person(house: House, actor: Actor, *, username: str) -> PersonView:
    """One account. Raises NotFound."""
    async with house.door.read(actor, Act.READ_ACCOUNTS, desk=Desk.PEOPLE) as reading:
        return _person(await accounts.seen(reading, username=username))


async def open_account(
    house: House, call: Call, *, username: str, printed_name: str, roles: tuple[Role, ...], language: str
) -> FactorsView:
    """Open an account with first factors. Raises Conflict when the name is taken, or for an administrator's other role."""
    _grantable(roles)
    if username in RESERVED:
        raise BadInput(
            field="username",
            what=Text("Nothing was done."),
            why=Text("{username} is the name of a page.", username=username),
            remedy=Text("Choose another name."),
        )
    password, secret = secrets.token_urlsafe(GENERATED_PASSWORD_BYTES), new_totp_secret()
    with HASHING.turn():
        hashed = await HASHING.hashed(password)
    async with house.door.change(call, Act.OPEN_ACCOUNT, subject=username, desk=Desk.PEOPLE) as change:
        account_id = await accounts.insert(change, username=username, printed_name=printed_name, language=language)
        await accounts.set_first_factors(
            change,
            account_id=account_id,
            password_hash=hashed,
            totp_secret=seal_totp(house.totp_key, secret, account_id=account_id),
        )
        for role in dict.fromkeys(roles):
            await accounts.grant(change, account_id=account_id, role=role)
        opened = change.answers(FactorsView(_view(await accounts.find(change, username=username))))
    return _with_factors(opened, password=password, secret=secret)


async def grant_role(house: House, call: Call, *, username: str, role: Role) -> AccountView:
    """Give a role. The person's sessions end, so that what they may is what they signed in with."""
    _grantable((role,))
    async with house.door.change(call, Act.GRANT_ROLE, subject=username, reason=role.value, desk=Desk.PEOPLE) as change:
        _not_oneself(call, username)
        account = await accounts.find(change, username=username)
        if not account.active:
            raise _inactive(username)
        await accounts.grant(change, account_id=account.account_id, role=role)
        await sessions.end_all(change, account_id=account.account_id)
        return change.answers(_view(await accounts.find(change, username=username)))


async def revoke_role(house: House, call: Call, *, username: str, role: Role) -> AccountView:
    """Take a role away; the person's sessions end. Raises Conflict when it is not held."""
    _grantable((role,))
    async with house.door.change(
        call, Act.REVOKE_ROLE, subject=username, reason=role.value, desk=Desk.PEOPLE
    ) as change:
        _not_oneself(call, username)
        account = await accounts.find(change, username=username)
        if not await accounts.revoke(change, account_id=account.account_id, role=role):
            raise Conflict(
                what=Text("Nothing was done."),
                why=Text("{username} does not hold this role.", username=username),
                remedy=Text("Look at the roles that the account holds."),
            )
        await sessions.end_all(change, account_id=account.account_id)
        return change.answers(_view(await accounts.find(change, username=username)))


async def reset_factors(house: House, call: Call, *, username: str) -> FactorsView:
    """Give fresh factors to somebody who lost theirs. They sign in at once, and sign nothing for a day (a setting)."""
    password, secret = secrets.token_urlsafe(GENERATED_PASSWORD_BYTES), new_totp_secret()
    with HASHING.turn():
        hashed = await HASHING.hashed(password)
    async with house.door.change(call, Act.RESET_FACTORS, subject=username, desk=Desk.PEOPLE) as change:
        _not_oneself(call, username)
        account = await accounts.find(change, username=username)
        if not account.active:
            raise _inactive(username)
        await accounts.reset_factors(
            change,
            account_id=account.account_id,
            password_hash=hashed,
            totp_secret=seal_totp(house.totp_key, secret, account_id=account.account_id),
        )
        await sessions.end_all(change, account_id=account.account_id)
        await accounts.unlock(change, username=username)
        reset = change.answers(FactorsView(_view(await accounts.find(change, username=username))))
    return _with_factors(reset, password=password, secret=secret)


async def unlock_account(house: House, call: Call, *, username: str) -> AccountView:
    """Earlier wrong attempts no longer make the person wait."""
    async with house.door.change(call, Act.UNLOCK_ACCOUNT, subject=username, desk=Desk.PEOPLE) as change:
        account = await accounts.find(change, username=username)
        await accounts.unlock(change, username=username)
        return change.answers(_view(account))


async def deactivate_account(house: House, call: Call, *, username: str) -> AccountView:
    """Close an account; its sessions end at once. Its records and signatures stay. Raises Conflict when it is closed."""
    async with house.door.change(call, Act.DEACTIVATE_ACCOUNT, subject=username, desk=Desk.PEOPLE) as change:
        _not_oneself(call, username)
        account = await accounts.find(change, username=username)
        if not await accounts.deactivate(change, account_id=account.account_id):
            raise _inactive(username)
        await sessions.end_all(change, account_id=account.account_id)
        return change.answers(_view(await accounts.find(change, username=username)))


# -- by oneself --------------------------------------------------------------------------------------------------------


async def change_password(
    house: House, call: Call, *, old_password: str, totp: str, new_password: str, source: str
) -> DoneView:
    """Choose another password, having proved both factors. Other sessions end."""
    actor = call.actor
    require_good(new_password, about=(actor.username, actor.printed_name), has_second_factor=_needs_code(house, actor))
    proof = await _proved(house, call, password=old_password, totp=totp, source=source)
    with HASHING.turn():
        hashed = await HASHING.hashed(new_password)
    async with house.door.change(
        call, Act.MANAGE_OWN_FACTORS, subject=actor.username, reason="password", desk=Desk.PEOPLE
    ) as change:
        await factors.accept(change, proof)
        await accounts.set_password(change, account_id=actor.account_id, password_hash=hashed)
        await sessions.end_all(change, account_id=actor.account_id, keep=actor.session_id)
        return change.answers(DoneView(actor.username, "password"))


async def show_oneself(house: House, actor: Actor) -> OwnView:
    """One's own account, and where one is signed in."""
    async with house.door.read(actor, Act.MANAGE_OWN_FACTORS, desk=Desk.PEOPLE) as reading:
        person = _person(await accounts.seen(reading, username=actor.username))
        rows = await accounts.open_sessions(reading, account_id=actor.account_id)
    return OwnView(
        person,
        tuple(
            OpenSession(
                session=row.id,
                device=row.device,
                started_at=row.started_at,
                seen_at=row.seen_at,
                ends_at=row.ends_at,
                is_this=row.id == actor.session_id,
            )
            for row in rows
        ),
    )


async def choose_language(house: House, call: Call, *, language: str) -> DoneView:
    """Choose the language of one's pages, from the next sign-in on also elsewhere."""
    actor = call.actor
    async with house.door.change(
        call, Act.MANAGE_OWN_FACTORS, subject=actor.username, reason="language", desk=Desk.PEOPLE
    ) as change:
        await accounts.set_language(change, account_id=actor.account_id, language=language)
        return change.answers(DoneView(actor.username, "language"))


async def end_session(house: House, call: Call, *, session: int) -> DoneView:
    """End a session of one's own. Raises Conflict when it has ended, or is somebody else's."""
    actor = call.actor
    async with house.door.change(
        call, Act.MANAGE_OWN_FACTORS, subject=actor.username, reason="session ended", desk=Desk.PEOPLE
    ) as change:
        if not await accounts.end_session(change, account_id=actor.account_id, session_id=session):
            raise Conflict(
                what=Text("Nothing was done."),
                why=Text("You have no such open session."),
                remedy=Text("Look at your sessions as they stand now."),
            )
        return change.answers(DoneView(actor.username, "session"))


async def offer_totp(house: House, actor: Actor) -> OfferView:
    """A fresh secret to enrol. Nothing is kept until `change_totp` gets a code made with it."""
    async with house.door.read(actor, Act.MANAGE_OWN_FACTORS, desk=Desk.PEOPLE):
        secret = new_totp_secret()
    return OfferView(secret, uri_of(actor, secret))


def uri_of(actor: Actor, secret: str) -> str:
    """The address by which an authenticator takes this secret for oneself."""
    return totp_uri(secret, username=actor.username, issuer=ISSUER)


async def change_totp(
    house: House, call: Call, *, password: str, totp: str, new_secret: str, new_code: str, source: str
) -> DoneView:
    """Enrol another authenticator, having proved both factors and one code of the new secret. Other sessions end."""
    actor = call.actor
    proof = await _proved(house, call, password=password, totp=totp, source=source)
    new_step = matching_step(new_secret, new_code, step=proof.person.step)
    if new_step is None:
        raise BadInput(
            field="new_code",
            what=Text("Nothing was changed."),
            why=Text("The code was not made with the new secret."),
            remedy=Text("Enter the secret in the authenticator again, and type the code that it shows now."),
        )
    async with house.door.change(
        call, Act.MANAGE_OWN_FACTORS, subject=actor.username, reason="one-time code", desk=Desk.PEOPLE
    ) as change:
        await factors.accept(change, proof)
        sealed = seal_totp(house.totp_key, new_secret, account_id=actor.account_id)
        await accounts.set_totp(change, account_id=actor.account_id, totp_secret=sealed, step=max(proof.step, new_step))
        await sessions.end_all(change, account_id=actor.account_id, keep=actor.session_id)
        return change.answers(DoneView(actor.username, "totp"))


async def _proved(house: House, call: Call, *, password: str, totp: str, source: str) -> factors.Proof:
    return await factors.prove(
        house.door,
        call,
        Act.MANAGE_OWN_FACTORS,
        subject=call.actor.username,
        what=Text("Nothing was changed."),
        password=password,
        totp=totp,
        source=source,
        totp_key=house.totp_key,
    )


# -- shared ------------------------------------------------------------------------------------------------------------


def _grantable(roles: Iterable[Role]) -> None:
    if Role.QUALITY_AUTHORITY in roles:
        raise BadInput(
            field="role",
            what=Text("Nothing was done."),
            why=Text("The quality authority is appointed by two people who sign; nobody grants that role."),
            remedy=Text("Propose an appointment."),
        )


def _not_oneself(call: Call, username: str) -> None:
    if call.actor.username == username:
        raise NotPermitted(
            what=Text("Nothing was done."),
            why=Text("Nobody changes their own account in this way."),
            remedy=Text("Ask another administrator."),
        )


def _inactive(username: str) -> Conflict:
    return Conflict(
        what=Text("Nothing was done."),
        why=Text("The account {username} is closed.", username=username),
        remedy=Text("Open a new account if the person is back."),
    )


def _needs_code(house: House, actor: Actor) -> bool:
    return not actor.roles.isdisjoint(house.settings.second_factor_roles)


def _with_factors(view: FactorsView, *, password: str, secret: str) -> FactorsView:
    uri = totp_uri(secret, username=view.account.username, issuer=ISSUER)
    return replace(view, password=password, totp_secret=secret, totp_uri=uri)


def _person(seen: accounts.Seen) -> PersonView:
    return PersonView(_view(seen.account), seen.has_code, seen.has_pin, seen.has_badge, seen.last_sign_in)


def _view(account: Account) -> AccountView:
    return AccountView(
        username=account.username,
        printed_name=account.printed_name,
        language=account.language,
        active=account.active,
        roles=account.roles,
        opened_at=account.opened_at,
        factors_reset_at=account.factors_reset_at,
    )
