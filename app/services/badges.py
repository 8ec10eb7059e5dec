"""Badges, which administrators issue and revoke, and PINs, which everybody sets for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.db import accounts, badges, factors
from app.db.door import Desk
from app.db.secrets import HASHING
from app.domain.acts import Act
from app.domain.errors import Conflict
from app.domain.pins import require_good
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call
    from app.domain.acts import Actor
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class BadgeView:
    """A live badge. `badge` is its code, to be printed on it."""

    username: str
    printed_name: str
    badge: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class BadgeRevokedView:
    """Whose badge is worth nothing any more."""

    username: str


@dataclass(frozen=True, slots=True)
class PinView:
    """Whose PIN was set."""

    username: str


async def issue_badge(house: House, call: Call, *, username: str) -> BadgeView:
    """Issue a badge; an earlier one is revoked. Raises NotFound, Conflict for a closed account."""
    async with house.door.change(call, Act.ISSUE_BADGE, subject=username, desk=Desk.PEOPLE) as change:
        account = await accounts.find(change, username=username)
        if not account.active:
            raise Conflict(
                what=Text("Nothing was done."),
                why=Text("The account {username} is closed.", username=username),
                remedy=Text("Open a new account if the person is back."),
            )
        code, issued_at = await badges.issue(change, account_id=account.account_id)
        return change.answers(BadgeView(account.username, account.printed_name, code, issued_at))


async def revoke_badge(house: House, call: Call, *, username: str) -> BadgeRevokedView:
    """Revoke a badge that was lost or given back. Raises Conflict when there is none."""
    async with house.door.change(call, Act.REVOKE_BADGE, subject=username, desk=Desk.PEOPLE) as change:
        account = await accounts.find(change, username=username)
        if not await badges.revoke(change, account_id=account.account_id):
            raise Conflict(
                what=Text("Nothing was done."),
                why=Text("{username} has no badge.", username=username),
                remedy=Text("Look at the account as it stands now."),
            )
        return change.answers(BadgeRevokedView(account.username))


async def badge_of(house: House, actor: Actor, *, username: str) -> BadgeView | None:
    """The live badge of an account, for those who keep accounts; None when there is none."""
    async with house.door.read(actor, Act.READ_ACCOUNTS) as reading:
        row = await badges.live(reading, username=username)
    return None if row is None else BadgeView(row.username, row.printed_name, row.badge, row.issued_at)


async def set_pin(house: House, call: Call, *, password: str, totp: str, pin: str, source: str) -> PinView:
    """Choose one's own PIN, having proved both factors. Raises BadInput for one that is tried first."""
    actor = call.actor
    digits = require_good(pin)
    proof = await factors.prove(
        house.door,
        call,
        Act.MANAGE_OWN_FACTORS,
        subject=actor.username,
        what=Text("Nothing was changed."),
        password=password,
        totp=totp,
        source=source,
        totp_key=house.totp_key,
    )
    with HASHING.turn():
        hashed = await HASHING.hashed(badges.pin_text(house.totp_key, digits, account_id=actor.account_id))
    async with house.door.change(
        call, Act.MANAGE_OWN_FACTORS, subject=actor.username, reason="pin", desk=Desk.PEOPLE
    ) as change:
        await factors.accept(change, proof)
        await badges.set_pin(change, account_id=actor.account_id, pin_hash=hashed)
        return change.answers(PinView(actor.username))
