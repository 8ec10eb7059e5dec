"""Who is signed in behind a token; sessions begin, sleep, wake and end."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.acts import Actor, Role

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

    from app.db.door import Change, Door

WHO = "SELECT * FROM people.who($1, make_interval(mins => $2))"

TOUCH = "SELECT people.touch($1)"
INSERT = """
INSERT INTO people.sessions (token_sha256, account_id, device, ends_at, second_factor, csrf)
VALUES (:token, :account, :device, clock_timestamp() + make_interval(hours => :hours), :second_factor, :csrf)
RETURNING id, ends_at
"""
END = "UPDATE people.sessions SET ended_at = clock_timestamp() WHERE id = :session AND ended_at IS NULL"
END_ALL = (
    "UPDATE people.sessions SET ended_at = clock_timestamp()"
    " WHERE account_id = :account AND ended_at IS NULL AND id IS DISTINCT FROM CAST(:keep AS bigint)"
)
END_OLDEST = """
UPDATE people.sessions SET ended_at = clock_timestamp() WHERE ended_at IS NULL AND id IN (
    SELECT id FROM people.sessions WHERE account_id = :account AND ended_at IS NULL AND ends_at > clock_timestamp()
    ORDER BY id DESC OFFSET :keep) RETURNING id
"""
WAKE = "UPDATE people.sessions SET seen_at = clock_timestamp() WHERE id = :session AND ended_at IS NULL"
WORK_AT = "UPDATE people.sessions SET workstation_id = :workstation WHERE id = :session AND ended_at IS NULL"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and the person behind it. `state` is live, idle or ended."""

    actor: Actor
    state: str
    language: str
    csrf: str
    workstation_id: int | None


def token_digest(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


async def who(door: Door, *, token: str, idle_minutes: int) -> SignedIn | None:
    """The session of this token, or None when there is none. One round trip on the driver's connection."""
    row = await door.scan_row(WHO, token_digest(token), idle_minutes)
    if row is None:
        return None
    if row["touch_due"] and row["session_state"] == "live":
        await door.scan_row(TOUCH, row["session_id"])
    return _signed_in(row)


async def looking_on(door: Door, *, token: str, idle_minutes: int) -> SignedIn | None:
    """As `who`, for what a screen asks by itself: it keeps no session awake."""
    row = await door.scan_row(WHO, token_digest(token), idle_minutes)
    return None if row is None else _signed_in(row)


def _signed_in(row: asyncpg.Record) -> SignedIn:
    return SignedIn(
        actor=Actor(
            account_id=row["account_id"],
            username=row["username"],
            printed_name=row["printed_name"],
            roles=frozenset(Role(role) for role in row["roles"]),
            session_id=row["session_id"],
            device=row["device"],
        ),
        state=row["session_state"],
        language=row["language"],
        csrf=row["csrf"],
        workstation_id=row["workstation_id"],
    )


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session. The token is told once; the database keeps its digest."""

    session_id: int
    token: str
    csrf: str
    ends_at: datetime


async def begin(change: Change, *, account_id: int, device: str, hours: int, with_second_factor: bool) -> Begun:
    """A session under a fresh token of 256 random bits."""
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    row = await change.one(
        INSERT,
        token=token_digest(token),
        account=account_id,
        device=device,
        hours=hours,
        second_factor=with_second_factor,
        csrf=csrf,
    )
    if row is None:
        raise RuntimeError("an insert always answers")
    return Begun(session_id=row.id, token=token, csrf=csrf, ends_at=row.ends_at)


async def end(change: Change, *, session_id: int) -> None:
    """End one session; nothing happens when it has ended."""
    await change.run(END, session=session_id)


async def end_all(change: Change, *, account_id: int, keep: int | None = None) -> None:
    """End every session of an account, but for the one to keep."""
    await change.run(END_ALL, account=account_id, keep=keep)


async def end_oldest(change: Change, *, account_id: int, keep: int) -> int:
    """End the oldest sessions of an account until `keep` are left. How many were ended."""
    return len(await change.all(END_OLDEST, account=account_id, keep=keep))


async def wake(change: Change, *, session_id: int) -> None:
    """A locked session goes on."""
    await change.run(WAKE, session=session_id)


async def work_at(change: Change, *, session_id: int, workstation_id: int | None) -> None:
    """Where the person of this session works now."""
    await change.run(WORK_AT, session=session_id, workstation=workstation_id)
