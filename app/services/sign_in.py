"""Signing in and out, and the screen that locks itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from app.db import badges, equipment, factors, sessions
from app.db.door import Call, Desk
from app.domain.acts import ROLE_NAMES, Act, Actor, Role
from app.domain.errors import CeremonyRefused, NotSignedIn, Refusal
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.factors import Examined
    from app.db.sessions import SignedIn
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class SessionView:
    """Who is signed in, as what, where. The session ends at `ends_at` at the latest."""

    username: str
    printed_name: str
    roles: tuple[Role, ...]
    language: str
    workstation: str | None
    workstation_name: str | None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just begun, with its token, which is told only here.

    `ended_elsewhere`: how many older sessions of the person were ended for it, because nobody has so many at once.
    """

    session: SessionView
    token: str
    csrf: str
    ends_at: datetime
    ended_elsewhere: int = 0


async def sign_in(
    house: House,
    *,
    username: str,
    password: str,
    totp: str | None,
    source: str,
    device: str,
    old_token: str | None = None,
) -> NewSession:
    """Begin a session. What was wrong is never said. A session that the same browser still had is ended.

    Raises NotSignedIn, Locked while the throttle says wait, Busy when many sign in at once.
    """
    username = username.strip().lower()
    found = await factors.examine(
        house.door, username=username, password=password, totp=totp, source=source, totp_key=house.totp_key
    )
    person = found.person
    needs_code = person is not None and not person.roles.isdisjoint(house.settings.second_factor_roles)
    if person is None or (needs_code and found.totp_step is None):
        await _refuse(house, found, device=device)
    actor = Actor(
        account_id=person.account_id,
        username=person.username,
        printed_name=person.printed_name,
        roles=person.roles,
        session_id=None,
        device=device,
    )
    old = await _session_of(house, old_token)
    async with house.door.change(Call(actor), Act.SIGN_IN, subject=person.username, desk=Desk.PEOPLE) as change:
        if found.totp_step is not None:
            await factors.spend(change, account_id=person.account_id, step=found.totp_step)
        if old is not None and old.actor.session_id is not None:
            await sessions.end(change, session_id=old.actor.session_id)
        begun = await sessions.begin(
            change,
            account_id=person.account_id,
            device=device,
            hours=house.settings.wall_session_days * 24
            if person.roles == {Role.DEVICE}
            else house.settings.session_hours,
            with_second_factor=found.totp_step is not None,
        )
        ended = 0
        if house.settings.sessions_per_person_max and person.roles != {Role.DEVICE}:
            ended = await sessions.end_oldest(
                change, account_id=person.account_id, keep=house.settings.sessions_per_person_max
            )
        await factors.succeeded(change, username=person.username, source=source)
    view = SessionView(
        username=person.username,
        printed_name=person.printed_name,
        roles=_in_order(person.roles),
        language=person.language,
        workstation=None,
        workstation_name=None,
        ends_at=begun.ends_at,
    )
    return NewSession(session=view, token=begun.token, csrf=begun.csrf, ends_at=begun.ends_at, ended_elsewhere=ended)


async def sign_out(house: House, who: SignedIn) -> None:
    """End this session, live or locked."""
    actor = who.actor
    async with house.door.change(Call(actor), Act.SIGN_OUT, subject=actor.username, desk=Desk.PEOPLE) as change:
        await sessions.end(change, session_id=_session_id(actor))


async def unlock(house: House, who: SignedIn, *, password: str, source: str) -> SessionView:
    """The same person goes on in the same session after the screen locked itself. Raises NotSignedIn, Locked, Busy."""
    actor = who.actor
    found = await factors.examine(
        house.door, username=actor.username, password=password, totp=None, source=source, totp_key=house.totp_key
    )
    if found.person is None:
        await _refuse(house, found, device=actor.device)
    async with house.door.change(
        Call(actor), Act.SIGN_IN, subject=actor.username, reason="unlocked", desk=Desk.PEOPLE
    ) as change:
        await sessions.wake(change, session_id=_session_id(actor))
        await factors.succeeded(change, username=actor.username, source=source)
    return await who_am_i(house, who)


async def unlock_by_badge(house: House, who: SignedIn, *, badge: str, pin: str, source: str) -> SessionView:
    """The same person goes on, having scanned their badge and typed their PIN.

    Raises CeremonyRefused for a wrong one and for anybody else's, which is kept; Locked, Busy.
    """
    actor, what = who.actor, Text("The screen stays locked.")
    proof = await badges.prove(
        house.door,
        Call(actor),
        Act.SIGN_IN,
        subject=actor.username,
        what=what,
        badge=badge,
        pin=pin,
        source=source,
        pin_key=house.totp_key,
    )
    async with house.door.change(
        Call(actor), Act.SIGN_IN, subject=actor.username, reason="unlocked by badge", desk=Desk.PEOPLE
    ) as change:
        if proof.person.account_id != actor.account_id:
            raise CeremonyRefused(
                what=what,
                why=Text(
                    "This is the badge of {holder}; the screen is {owner}'s.",
                    holder=proof.person.printed_name,
                    owner=actor.printed_name,
                ),
                remedy=Text("{owner} unlocks it, or somebody else signs in.", owner=actor.printed_name),
                detail={"field": "badge"},
            )
        await sessions.wake(change, session_id=_session_id(actor))
        await badges.accept(change, proof)
    return await who_am_i(house, who)


async def work_at(house: House, call: Call, who: SignedIn, *, code: str) -> SessionView:
    """This session works at the workstation of this code from now on. Raises NotFound for anything else."""
    async with house.door.read(call.actor, Act.READ_ITEM) as reading:
        item = await equipment.workstation(reading, code=code)
    view = await who_am_i(house, replace(who, workstation_id=item.id))
    async with house.door.change(call, Act.SIGN_IN, subject=code, reason="works here", desk=Desk.PEOPLE) as change:
        await sessions.work_at(change, session_id=_session_id(call.actor), workstation_id=item.id)
        return change.answers(view)


async def who_am_i(house: House, who: SignedIn) -> SessionView:
    """Who is signed in behind this session."""
    code = name = None
    if who.workstation_id is not None:
        async with house.door.look() as reading:
            code, name = await equipment.label_of(reading, item_id=who.workstation_id)
    return SessionView(
        username=who.actor.username,
        printed_name=who.actor.printed_name,
        roles=_in_order(who.actor.roles),
        language=who.language,
        workstation=code,
        workstation_name=name,
    )


async def _refuse(house: House, found: Examined, *, device: str) -> NoReturn:
    named = found.named
    refusal: Refusal = NotSignedIn(
        what=Text("You are not signed in."),
        why=Text("The name, the password or the one-time code does not match."),
        remedy=_again(_in_order(house.settings.second_factor_roles)),
    )
    claimed = Actor(
        account_id=named.account_id if named else 0,
        username=named.username if named else "nobody",
        printed_name=named.printed_name if named else "",
        roles=named.roles if named else frozenset(),
        session_id=None,
        device=device,
    )
    await house.door.keep_refusal(claimed, Act.SIGN_IN, claimed.username, refusal)
    raise refusal


def _again(need_code: tuple[Role, ...]) -> Text:
    if not need_code:
        return Text("Type them again, with a fresh one-time code.")
    return Text(
        "Type them again, with a fresh one-time code. Always needed by: {roles}.",
        roles=tuple(ROLE_NAMES[role] for role in need_code),
    )


async def _session_of(house: House, token: str | None) -> SignedIn | None:
    if token is None:
        return None
    found = await sessions.who(house.door, token=token, idle_minutes=house.settings.session_idle_minutes)
    return found if found is not None and found.state != "ended" else None


def _session_id(actor: Actor) -> int:
    if actor.session_id is None:
        raise RuntimeError("somebody signed in has a session")
    return actor.session_id


def _in_order(roles: frozenset[Role]) -> tuple[Role, ...]:
    return tuple(role for role in Role if role in roles)
