"""Who is signed in behind a token."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.acts import Actor, Role

if TYPE_CHECKING:
    from app.db.door import Door

WHO = "SELECT * FROM people.who($1, make_interval(mins => $2))"

TOUCH = "SELECT people.touch($1)"


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
