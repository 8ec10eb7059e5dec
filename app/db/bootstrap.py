"""The first people of a house: written by the database's owner, audited, before anybody can sign in."""

from __future__ import annotations

import secrets
import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

import asyncpg

from app.db.badges import pin_text
from app.db.door import driver_url
from app.db.secrets import new_totp_secret, password_hash, seal_totp, totp_uri
from app.domain.acts import Role
from app.domain.passwords import require_good
from app.domain.pins import require_good as require_good_pin
from labels.codes import CodeKind, new_code

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

GENERATED_PASSWORD_BYTES = 15


@dataclass(frozen=True, slots=True)
class Stint:
    """A time spent in a post, with the evidence for it. `domain` as qa03.domains names it."""

    employer: str
    position: str
    domain: str
    from_on: date
    to_on: date | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class FirstAppointment:
    """The very first quality authority. Every later one is appointed by two people who sign."""

    title_level: str
    title_certificate: str
    certificate_valid_until: date | None
    experience: tuple[Stint, ...]
    from_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to open an account for. Without a password or a secret, one is made; with a PIN there is a badge too."""

    username: str
    printed_name: str
    roles: tuple[Role, ...]
    language: str = "en"
    password: str | None = field(default=None, repr=False)
    totp_secret: str | None = field(default=None, repr=False)
    pin: str | None = field(default=None, repr=False)
    appointment: FirstAppointment | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What to hand over to the person, once."""

    account_id: int
    username: str
    printed_name: str
    roles: tuple[str, ...]
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)
    totp_uri: str = field(repr=False)
    badge: str | None = None
    pin: str | None = field(default=None, repr=False)


class BootstrapError(ValueError):
    """The people as given cannot be written; the text says why. Nothing was."""


async def bootstrap(owner_url: str, *, people: Iterable[Newcomer], totp_key: bytes) -> list[Made]:
    """Open the accounts, in one audited transaction. `owner_url`: a superuser's, or the owner's.

    Raises BootstrapError when somebody is there already or an appointment is not the first, BadInput for a password
    that may not be taken, asyncpg.PostgresError as the database said it.
    """
    connection = await asyncpg.connect(driver_url(owner_url))
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT audit.open(NULL, 'bootstrap', '', 'bootstrap', '', 'first people', '', NULL, NULL, NULL)"
            )
            return [await _open_account(connection, newcomer, totp_key) for newcomer in people]
    finally:
        await connection.close()


async def _open_account(connection: asyncpg.Connection, newcomer: Newcomer, totp_key: bytes) -> Made:
    if Role.QUALITY_AUTHORITY in newcomer.roles:
        raise BootstrapError(f"{newcomer.username}: the quality authority is appointed, never granted")
    if await connection.fetchval("SELECT EXISTS (SELECT FROM people.accounts WHERE username = $1)", newcomer.username):
        raise BootstrapError(f"{newcomer.username}: there is such an account already")
    if newcomer.password is not None:
        require_good(newcomer.password, about=(newcomer.username, newcomer.printed_name), has_second_factor=True)
    password = newcomer.password or secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
    secret = newcomer.totp_secret or new_totp_secret()
    account_id: int = await connection.fetchval(
        "INSERT INTO people.accounts (username, printed_name, language) VALUES ($1, $2, $3) RETURNING id",
        newcomer.username,
        newcomer.printed_name,
        newcomer.language,
    )
    await connection.execute(
        "INSERT INTO people.credentials (account_id, password_hash, totp_secret) VALUES ($1, $2, $3)",
        account_id,
        password_hash(password),
        seal_totp(totp_key, secret, account_id=account_id),
    )
    await connection.executemany(
        "INSERT INTO people.grants (account_id, role) VALUES ($1, $2)",
        [(account_id, role.value) for role in newcomer.roles],
    )
    if newcomer.appointment is not None:
        await _appoint_first(connection, account_id, newcomer)
    badge = None if newcomer.pin is None else await _first_badge(connection, account_id, newcomer.pin, totp_key)
    return Made(
        account_id=account_id,
        username=newcomer.username,
        printed_name=newcomer.printed_name,
        roles=tuple(role.value for role in newcomer.roles),
        password=password,
        totp_secret=secret,
        totp_uri=totp_uri(secret, username=newcomer.username, issuer="Stemma"),
        badge=badge,
        pin=newcomer.pin,
    )


async def _first_badge(connection: asyncpg.Connection, account_id: int, pin: str, totp_key: bytes) -> str:
    """A PIN, and the badge that it goes with. Its code."""
    hashed = password_hash(pin_text(totp_key, require_good_pin(pin), account_id=account_id))
    await connection.execute("UPDATE people.credentials SET pin_hash = $2 WHERE account_id = $1", account_id, hashed)
    item: int = await connection.fetchval("INSERT INTO lab.items (kind) VALUES ('badge') RETURNING id")
    code = new_code(CodeKind.BADGE)
    await connection.execute("INSERT INTO lab.item_codes (code, item_id, scheme) VALUES ($1, $2, 'own')", code, item)
    await connection.execute(
        "INSERT INTO people.badges (id, account_id, recorded_by) VALUES ($1, $2, $2)", item, account_id
    )
    return code


async def _appoint_first(connection: asyncpg.Connection, account_id: int, newcomer: Newcomer) -> None:
    stated = newcomer.appointment
    if stated is None:
        return
    if Role.ADMINISTRATOR in newcomer.roles:
        raise BootstrapError(f"{newcomer.username}: an administrator is no quality authority")
    if await connection.fetchval("SELECT EXISTS (SELECT FROM people.appointments)"):
        raise BootstrapError(
            f"{newcomer.username}: there is an appointment already; the next is made by two people who sign"
        )
    proposal_id: int = await connection.fetchval(
        "INSERT INTO people.proposals (account_id, title_level, title_certificate, certificate_valid_until, from_at,"
        " until_at, proposed_by) VALUES ($1, $2, $3, $4, coalesce($5, clock_timestamp()), $6, $1) RETURNING id",
        account_id,
        stated.title_level,
        stated.title_certificate,
        stated.certificate_valid_until,
        stated.from_at,
        stated.until_at,
    )
    await connection.executemany(
        "INSERT INTO people.experience (proposal_id, employer, position, domain, from_on, to_on, evidence)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [(proposal_id, s.employer, s.position, s.domain, s.from_on, s.to_on, s.evidence) for s in stated.experience],
    )
    await connection.execute(
        "INSERT INTO people.appointments (account_id, title_level, title_certificate, certificate_valid_until, from_at,"
        " until_at, proposal_id) SELECT account_id, title_level, title_certificate, certificate_valid_until, from_at,"
        " until_at, id FROM people.proposals WHERE id = $1",
        proposal_id,
    )


def read_people(path: Path) -> tuple[Newcomer, ...]:
    """The people of a TOML file: `[[people]]` with username, printed_name, roles; for one, `[people.appointment]`.

    Raises BootstrapError with what the file lacks.
    """
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8")).get("people", [])
        return tuple(_newcomer(each) for each in listed)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise BootstrapError(f"{path.name}: {error!r}") from error


def _newcomer(stated: dict[str, object]) -> Newcomer:
    facts = dict(stated)
    roles = facts.pop("roles", [])
    appointment = facts.pop("appointment", None)
    if not isinstance(roles, list) or not isinstance(appointment, dict | None):
        raise BootstrapError("roles is a list, appointment a table")
    first = None
    if appointment is not None:
        stints = tuple(Stint(**each) for each in appointment.pop("experience", []))
        first = FirstAppointment(experience=stints, **appointment)
    known = {"username", "printed_name", "language", "password", "totp_secret", "pin"}
    if unknown := facts.keys() - known:
        raise BootstrapError(f"unknown: {', '.join(sorted(unknown))}")
    return Newcomer(
        roles=tuple(Role(role) for role in roles),
        appointment=first,
        **{name: str(value) for name, value in facts.items()},
    )
