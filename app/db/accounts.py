"""Accounts, their factors, what they may be. All of it at the desk for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.domain.acts import Role
from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

_COLUMNS = (
    "SELECT a.id, a.username, a.printed_name, a.language, a.state, a.recorded_at, people.roles_of(a.id) AS roles,"
    " c.reset_at FROM people.accounts a LEFT JOIN people.credentials c ON c.account_id = a.id"
)
FIND = f"{_COLUMNS} WHERE a.username = :username"
LIST = f"{_COLUMNS} WHERE a.username > :after ORDER BY a.username LIMIT :limit"
LOCK = "SELECT id FROM people.accounts WHERE id = :account FOR NO KEY UPDATE"
INSERT = (
    "INSERT INTO people.accounts (username, printed_name, language) VALUES (:username, :printed_name, :language)"
    " RETURNING id"
)
NEW_FACTORS = (
    "INSERT INTO people.credentials (account_id, password_hash, totp_secret, reset_at)"
    " VALUES (:account, :password, :totp, clock_timestamp())"
)
RESET = (
    "UPDATE people.credentials SET password_hash = :password, totp_secret = :totp, totp_last_step = 0,"
    " pin_hash = NULL, reset_at = clock_timestamp() WHERE account_id = :account"
)
SET_PASSWORD = "UPDATE people.credentials SET password_hash = :password WHERE account_id = :account"  # noqa: S105
SET_TOTP = "UPDATE people.credentials SET totp_secret = :totp, totp_last_step = :step WHERE account_id = :account"
GRANT = "INSERT INTO people.grants (account_id, role) VALUES (:account, :role)"
REVOKE = (
    "UPDATE people.grants SET revoked_at = clock_timestamp()"
    " WHERE account_id = :account AND role = :role AND revoked_at IS NULL RETURNING id"
)
DEACTIVATE = (
    "UPDATE people.accounts SET state = 'deactivated', version = version + 1"
    " WHERE id = :account AND state = 'active' RETURNING id"
)
SET_LANGUAGE = "UPDATE people.accounts SET language = :language, version = version + 1 WHERE id = :account"
_SEEN = """
SELECT a.id, a.username, a.printed_name, a.language, a.state, a.recorded_at, people.roles_of(a.id) AS roles, c.reset_at,
    c.totp_secret IS NOT NULL AS has_code, c.pin_hash IS NOT NULL AS has_pin,
    EXISTS (SELECT FROM people.badges b WHERE b.account_id = a.id AND b.revoked_at IS NULL) AS has_badge,
    (SELECT max(s.started_at) FROM people.sessions s WHERE s.account_id = a.id) AS last_sign_in
FROM people.accounts a LEFT JOIN people.credentials c ON c.account_id = a.id
"""
SEEN = f"{_SEEN} WHERE a.username = :username"
LIST_SEEN = f"""{_SEEN}
WHERE a.username > :after AND (CAST(:state AS text) IS NULL OR a.state = :state)
    AND (CAST(:like AS text) IS NULL OR a.username ILIKE :like OR a.printed_name ILIKE :like)
ORDER BY a.username LIMIT :limit
"""
SESSIONS = """
SELECT id, device, started_at, seen_at, ends_at FROM people.sessions
WHERE account_id = :account AND ended_at IS NULL AND ends_at > clock_timestamp() ORDER BY id DESC LIMIT 50
"""
END_SESSION = """
UPDATE people.sessions SET ended_at = clock_timestamp() WHERE id = :session AND account_id = :account AND ended_at IS NULL
RETURNING id
"""
UNLOCK = "INSERT INTO people.login_attempts (username, source, outcome) VALUES (:username, '', 'unlocked')"


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it stands. `factors_reset_at`: when somebody else last set its password and code."""

    account_id: int
    username: str
    printed_name: str
    language: str
    active: bool
    roles: tuple[Role, ...]
    opened_at: datetime
    factors_reset_at: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """An account with what it signs in with, and when it last did."""

    account: Account
    has_code: bool
    has_pin: bool
    has_badge: bool
    last_sign_in: datetime | None


async def find(reading: Reading, *, username: str) -> Account:
    """The account of this name. Raises NotFound."""
    row = await reading.one(FIND, username=username)
    if row is None:
        raise NotFound(
            what=Text("Nothing was done."),
            why=Text("There is no account {username}.", username=username),
            remedy=Text("Look the name up in the list of accounts."),
        )
    return _account(row)


async def listed(reading: Reading, *, after: str, limit: int) -> list[Account]:
    """Accounts in the order of their names, from the one after `after`."""
    return [_account(row) for row in await reading.all(LIST, after=after, limit=limit)]


async def insert(change: Change, *, username: str, printed_name: str, language: str) -> int:
    """A new account; its key. Raises Conflict when the name is taken."""
    account_id: int = await change.value(INSERT, username=username, printed_name=printed_name, language=language)
    return account_id


async def set_first_factors(change: Change, *, account_id: int, password_hash: str, totp_secret: bytes) -> None:
    """The factors of a new account. Whoever opened it knows them, so they cannot sign for a while, as after a reset."""
    await change.run(NEW_FACTORS, account=account_id, password=password_hash, totp=totp_secret)


async def reset_factors(change: Change, *, account_id: int, password_hash: str, totp_secret: bytes) -> None:
    """Factors set by somebody else: they cannot sign for a while."""
    await change.run(RESET, account=account_id, password=password_hash, totp=totp_secret)


async def set_password(change: Change, *, account_id: int, password_hash: str) -> None:
    """A password that its owner chose, having proved the old one."""
    await change.run(SET_PASSWORD, account=account_id, password=password_hash)


async def set_totp(change: Change, *, account_id: int, totp_secret: bytes, step: int) -> None:
    """A secret that its owner enrolled, having proved both old factors. `step`: of the code that proved the new one."""
    await change.run(SET_TOTP, account=account_id, totp=totp_secret, step=step)


async def grant(change: Change, *, account_id: int, role: Role) -> None:
    """A role from now on. Raises Conflict when it is held already, or when one of the two is the administrator's."""
    await change.run(LOCK, account=account_id)
    await change.run(GRANT, account=account_id, role=role.value)


async def revoke(change: Change, *, account_id: int, role: Role) -> bool:
    """No longer this role. False when it was not held."""
    return await change.value(REVOKE, account=account_id, role=role.value) is not None


async def deactivate(change: Change, *, account_id: int) -> bool:
    """Nobody signs in to it any more. False when it was so already."""
    return await change.value(DEACTIVATE, account=account_id) is not None


async def unlock(change: Change, *, username: str) -> None:
    """Earlier wrong attempts no longer count."""
    await change.run(UNLOCK, username=username)


async def seen(reading: Reading, *, username: str) -> Seen:
    """The account of this name with what it signs in with. Raises NotFound. Needs the desk for people."""
    row = await reading.one(SEEN, username=username)
    if row is None:
        await find(reading, username=username)
        raise RuntimeError("an account that is found is there")
    return _seen(row)


async def listed_with_badges(
    reading: Reading, *, after: str, limit: int, state: str | None, sought: str | None
) -> list[Seen]:
    """Accounts in the order of their names. `sought` is a part of either name. Needs the desk for people."""
    escaped = None if sought is None else sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    like = None if escaped is None else f"%{escaped}%"
    return [_seen(row) for row in await reading.all(LIST_SEEN, after=after, limit=limit, state=state, like=like)]


async def set_language(change: Change, *, account_id: int, language: str) -> None:
    """The language that its owner reads."""
    await change.run(SET_LANGUAGE, account=account_id, language=language)


async def open_sessions(reading: Reading, *, account_id: int) -> Sequence[Row[Any]]:
    """Its sessions that have not ended, newest first: id, device, started_at, seen_at, ends_at."""
    return await reading.all(SESSIONS, account=account_id)


async def end_session(change: Change, *, account_id: int, session_id: int) -> bool:
    """End one session of this account. False when there is none that is open."""
    return await change.value(END_SESSION, session=session_id, account=account_id) is not None


def _seen(row: Any) -> Seen:
    return Seen(_account(row), row.has_code, row.has_pin, row.has_badge, row.last_sign_in)


def _account(row: Any) -> Account:
    held = {Role(role) for role in row.roles}
    return Account(
        account_id=row.id,
        username=row.username,
        printed_name=row.printed_name,
        language=row.language,
        active=row.state == "active",
        roles=tuple(role for role in Role if role in held),
        opened_at=row.recorded_at,
        factors_reset_at=row.reset_at,
    )
