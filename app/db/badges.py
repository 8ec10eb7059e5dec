"""Badge and PIN: who stands at a bench where somebody else may be signed in. Both are needed, and counted like passwords."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.db import factors
from app.db.door import Desk
from app.db.secrets import HASHING, keyed_digest
from app.domain.acts import Role, require
from app.domain.errors import BadInput, CeremonyRefused, NotPermitted
from app.domain.pins import LENGTH_MIN, normalised, require_good
from app.domain.text import Text
from labels.codes import CodeError, CodeKind, new_code, parse

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.door import Call, Change, Door, Reading
    from app.domain.acts import Act

BEGIN_ATTEMPT = "SELECT wait_s FROM people.begin_attempt($1, $2)"
HOLDER = "SELECT badge_id, is_live, account_id, username, printed_name, roles, pin_hash FROM people.badge_holder(:code)"
ISSUE = "SELECT badge, issued_at FROM people.issue_badge(:account, :code)"
REVOKE = "SELECT people.revoke_badge(:account)"
SET_PIN = "UPDATE people.credentials SET pin_hash = :pin WHERE account_id = :account"
LIVE = """
SELECT a.username, a.printed_name, k.code AS badge, b.recorded_at AS issued_at
FROM people.badges b JOIN people.accounts a ON a.id = b.account_id
JOIN lab.item_codes k ON k.item_id = b.id AND k.scheme = 'own'
WHERE a.username = :username AND b.revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """The person whose badge it is."""

    account_id: int
    username: str
    printed_name: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class BadgeProof:
    """Badge and PIN held, from this place. `accept` it in the change that it was given for."""

    person: Holder
    badge_id: int
    source: str


async def prove(
    door: Door, call: Call, act: Act, *, subject: str, what: Text, badge: str, pin: str, source: str, pin_key: bytes
) -> BadgeProof:
    """Whose live badge this is, their PIN held. It works as long whatever is wrong, and never says which.

    Raises NotPermitted and CeremonyRefused, which are kept; Locked while the throttle says wait; Busy; Replay when this very request,
    PIN included, was answered before. `what`: what did not happen when it fails.
    """
    try:
        require(call.actor, act)
    except NotPermitted as forbidden:
        await door.keep_refusal(call.actor, act, subject, forbidden)
        raise
    await factors.refuse_answered(door, call, act)
    code = read_badge(badge)
    # What is no badge, a flask scanned by mistake, proves nothing and counts as no attempt.
    row = await _examined(door, code=code, pin=pin, source=source, pin_key=pin_key) if code else None
    if row is None:
        refusal = CeremonyRefused(
            what=what,
            why=Text("The badge or the PIN does not match, or the badge is no longer good."),
            remedy=Text(
                "Scan your own badge and type your PIN again. Whoever has no PIN yet sets one after signing in."
            ),
            detail={"field": "pin"},
        )
        await door.keep_refusal(call.actor, act, subject, refusal)
        raise refusal
    return BadgeProof(person=_holder(row), badge_id=row.badge_id, source=source)


async def _examined(door: Door, *, code: str, pin: str, source: str, pin_key: bytes) -> Any | None:
    """The badge's row when its PIN holds. Counts the attempt first; raises Locked, Busy."""
    with HASHING.turn():
        async with door.look(desk=Desk.PEOPLE) as reading:
            row = await reading.one(HOLDER, code=code)
        # A badge of nobody is counted under its own code, so that guessing is slow there too.
        attempt = await door.scan_row(BEGIN_ATTEMPT, row.username if row else f"badge {code}", source)
        if attempt is None:
            raise RuntimeError("an attempt always answers")
        if attempt["wait_s"] > 0:
            raise factors.locked(attempt["wait_s"])
        bound = pin_text(pin_key, pin, account_id=row.account_id if row else 0)
        holds = await HASHING.matches(row.pin_hash if row is not None and row.is_live else None, bound)
    return row if holds else None


async def accept(change: Change, proof: BadgeProof) -> None:
    """The proof was used: earlier wrong attempts from this place no longer count. Needs the desk for people."""
    await factors.succeeded(change, username=proof.person.username, source=proof.source)


def read_badge(raw: str) -> str:
    """The badge's code as a scanner or a hand gave it; "" for what is no badge of ours."""
    try:
        code = parse(raw)
    except CodeError:
        return ""
    return code.value if code.kind is CodeKind.BADGE else ""


def pin_text(key: bytes, pin: str, *, account_id: int) -> str:
    """What is hashed for a PIN: so few digits are bound to the account and to a key outside the database."""
    digest = keyed_digest(key, purpose="pin", data=f"{account_id}:{normalised(pin)}".encode(errors="replace"))
    return digest.hex()


def new_pin() -> str:
    """A PIN by chance that may be taken: for people of demonstrations and tests."""
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(LENGTH_MIN))
        try:
            return require_good(pin)
        except BadInput:
            continue


async def issue(change: Change, *, account_id: int) -> tuple[str, datetime]:
    """A new badge, the old one revoked. Its code, and when it was issued."""
    code = new_code(CodeKind.BADGE)
    row = await change.one(ISSUE, account=account_id, code=code)
    if row is None:
        raise RuntimeError("issuing a badge always answers")
    return code, row.issued_at


async def revoke(change: Change, *, account_id: int) -> bool:
    """The account's badge is worth nothing from now on. False when there was none."""
    return await change.value(REVOKE, account=account_id) is not None


async def set_pin(change: Change, *, account_id: int, pin_hash: str) -> None:
    """A PIN that its owner chose, having proved password and one-time code."""
    await change.run(SET_PIN, account=account_id, pin=pin_hash)


async def live(reading: Reading, *, username: str) -> Any | None:
    """The live badge of this account as a row, or None."""
    return await reading.one(LIVE, username=username)


def _holder(row: Any) -> Holder:
    return Holder(row.account_id, row.username, row.printed_name, frozenset(Role(role) for role in row.roles))
