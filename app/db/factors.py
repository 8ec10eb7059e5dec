"""Whether somebody is who they say: counted before it is checked, checked in the same time whoever is named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db import sessions
from app.db.door import Call, Desk, Door, Replay
from app.db.secrets import HASHING, matching_step, open_totp
from app.domain.acts import Act, Role
from app.domain.errors import CeremonyRefused, Locked
from app.domain.text import Text

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.door import Change, Reading

FAILURES_THAT_END_A_SESSION = 5

BEGIN_ATTEMPT = "SELECT wait_s, failures FROM people.begin_attempt($1, $2)"
ANSWERED = "SELECT people.answered($1, $2, $3, $4) AS answer"
FIND = """
SELECT a.id, a.username, a.printed_name, a.state, a.language, people.roles_of(a.id) AS roles,
    c.password_hash, c.totp_secret, c.reset_at, (extract(epoch FROM clock_timestamp())::bigint / 30) AS step
FROM people.accounts a JOIN people.credentials c ON c.account_id = a.id WHERE a.username = :username
"""
SPEND = (
    "UPDATE people.credentials SET totp_last_step = :step WHERE account_id = :account AND totp_last_step < :step"
    " RETURNING account_id"
)
SUCCEEDED = "INSERT INTO people.login_attempts (username, source, outcome) VALUES (:username, :source, 'ok')"


@dataclass(frozen=True, slots=True)
class Person:
    """An account as its factors are checked. `step` is the database's count of 30-second steps."""

    account_id: int
    username: str
    printed_name: str
    active: bool
    language: str
    roles: frozenset[Role]
    reset_at: datetime | None
    password_hash: str
    totp_secret: bytes | None
    step: int


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found. `person` is None when the name, the password, or a one-time code that was given is wrong."""

    person: Person | None
    named: Person | None
    totp_step: int | None
    failures: int


@dataclass(frozen=True, slots=True)
class Proof:
    """Both factors held, from this place. `step`: the one-time code's, to be used up with `accept`."""

    person: Person
    step: int
    source: str


async def examine(
    door: Door, *, username: str, password: str, totp: str | None, source: str, totp_key: bytes
) -> Examined:
    """Count an attempt, then check the factors. Raises Locked while the throttle says wait, Busy when many wait.

    A code that holds is not spent yet: `spend` does that, in the change that it is given for.
    """
    with HASHING.turn():
        row = await door.scan_row(BEGIN_ATTEMPT, username, source)
        if row is None:
            raise RuntimeError("an attempt always answers")
        if row["wait_s"] > 0:
            raise locked(row["wait_s"])
        async with door.look(desk=Desk.PEOPLE) as reading:
            named = await person(reading, username=username)
        holds = await HASHING.matches(named.password_hash if named else None, password)
    holds = holds and named is not None and named.active
    step = None
    if holds and named is not None and totp and named.totp_secret is not None:
        secret = open_totp(totp_key, named.totp_secret, account_id=named.account_id)
        step = matching_step(secret, totp, step=named.step)
    right = holds and (not totp or step is not None)
    return Examined(person=named if right else None, named=named, totp_step=step, failures=row["failures"])


async def prove(
    door: Door,
    call: Call,
    act: Act,
    *,
    subject: str,
    what: Text,
    password: str,
    totp: str,
    source: str,
    totp_key: bytes,
) -> Proof:
    """Both factors of the person who is signed in, and of no one else. `what`: what did not happen when they fail.

    Raises CeremonyRefused, which is kept and after several wrong attempts ends the session; Locked; Busy; Replay when
    this very request, secrets included, was answered before.
    """
    actor = call.actor
    await refuse_answered(door, call, act)
    found = await examine(door, username=actor.username, password=password, totp=totp, source=source, totp_key=totp_key)
    if found.person is not None and found.totp_step is not None:
        return Proof(person=found.person, step=found.totp_step, source=source)
    ends = found.failures >= FAILURES_THAT_END_A_SESSION
    refusal = CeremonyRefused(
        what=what,
        why=Text("The password or the one-time code does not match."),
        remedy=Text("You were signed out after several wrong attempts. Sign in again.")
        if ends
        else Text("Type both again, with a fresh one-time code."),
        detail={"session_ended": ends},
    )
    await door.keep_refusal(actor, act, subject, refusal)
    if ends and actor.session_id is not None:
        async with door.change(
            Call(actor), Act.SIGN_OUT, subject=actor.username, reason="wrong factors", desk=Desk.PEOPLE
        ) as change:
            await sessions.end(change, session_id=actor.session_id)
    raise refusal


async def refuse_answered(door: Door, call: Call, act: Act) -> None:
    """Raise Replay when this very request, secrets included, was answered before: repeating it proves nothing anew."""
    if call.key is None:
        return
    kept = await door.scan_row(ANSWERED, call.actor.account_id, call.key, act.value, call.body_sha256)
    if kept is not None and kept["answer"] is not None:
        raise Replay(json.loads(kept["answer"]))


async def person(reading: Reading, *, username: str) -> Person | None:
    """The account of this name with its factors, or None. Needs the desk for people."""
    row = await reading.one(FIND, username=username)
    if row is None:
        return None
    return Person(
        account_id=row.id,
        username=row.username,
        printed_name=row.printed_name,
        active=row.state == "active",
        language=row.language,
        roles=frozenset(Role(role) for role in row.roles),
        reset_at=row.reset_at,
        password_hash=row.password_hash,
        totp_secret=row.totp_secret,
        step=row.step,
    )


async def accept(change: Change, proof: Proof) -> None:
    """Use up the code of a proof, and let earlier wrong attempts no longer count."""
    await spend(change, account_id=proof.person.account_id, step=proof.step)
    await succeeded(change, username=proof.person.username, source=proof.source)


async def spend(change: Change, *, account_id: int, step: int) -> None:
    """Use up a one-time code. Raises CeremonyRefused when it, or a later one, was used before."""
    if await change.value(SPEND, account=account_id, step=step) is None:
        raise CeremonyRefused(
            what=Text("Nothing was done."),
            why=Text("This one-time code was used before."),
            remedy=Text("Wait for the next code, at most half a minute."),
            detail={"code_used": True},
        )


async def succeeded(change: Change, *, username: str, source: str) -> None:
    """The attempt was right: earlier failures from this place no longer count."""
    await change.run(SUCCEEDED, username=username, source=source)


def locked(wait_s: int) -> Locked:
    """The throttle's answer. It is not kept: what led to it is, and a flood must not fill the record."""
    return Locked(
        what=Text("Nothing was checked."),
        why=Text("There were too many wrong attempts; the next is taken in {seconds} s.", seconds=wait_s),
        remedy=Text("Wait, then try again. If it was not you, tell quality at once; an administrator can unlock."),
        detail={"retry_after_s": wait_s},
    )
