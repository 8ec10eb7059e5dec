"""Appointing the quality authority: one proposes, two sign; nobody appoints themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from app.db import appointments
from app.db.appointments import Stint
from app.domain.acts import Act, Role
from app.domain.errors import BadInput, Conflict, NotFound, NotPermitted
from app.domain.moments import CLOCKS_DIFFER_BY
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.db.door import Call, Reading
    from app.domain.acts import Actor
    from app.services.house import House

TitleLevel = Literal["senior", "associate_senior", "other"]


@dataclass(frozen=True, slots=True)
class SupportView:
    """Somebody's signature under a proposal."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal as it will be signed. `appointment` once two have."""

    id: int
    account: str
    printed_name: str
    title_level: str
    title_certificate: str
    certificate_valid_until: date | None
    from_at: datetime
    until_at: datetime | None
    proposed_by: str
    proposed_at: datetime
    experience: tuple[Stint, ...]
    supports: tuple[SupportView, ...]
    appointment: int | None


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """An appointment. `proposal` leads to the experience and the two signatures; the very first has none."""

    id: int
    account: str
    printed_name: str
    proposal: int | None
    title_level: str
    title_certificate: str
    certificate_valid_until: date | None
    from_at: datetime
    until_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    live: bool


@dataclass(frozen=True, slots=True)
class AppointmentsView:
    """All that was ever proposed and appointed, the newest first."""

    appointments: tuple[AppointmentView, ...]
    proposals: tuple[ProposalView, ...]


async def list_appointments(house: House, actor: Actor) -> AppointmentsView:
    """Who is and was appointed, and what is proposed."""
    async with house.door.read(actor, Act.READ_RULES) as reading:
        return AppointmentsView(
            appointments=tuple(AppointmentView(**row._asdict()) for row in await appointments.appointments(reading)),
            proposals=tuple(_proposal(row) for row in await appointments.proposals(reading)),
        )


async def propose_appointment(
    house: House,
    call: Call,
    *,
    account: str,
    title_level: TitleLevel,
    title_certificate: str,
    certificate_valid_until: date | None,
    from_at: datetime | None,
    until_at: datetime | None,
    experience: Sequence[Stint],
) -> ProposalView:
    """Propose somebody as quality authority, from now or a later moment. Whether they qualify, QA-02 and QA-03 judge.

    Raises NotFound, NotPermitted for oneself, Conflict for an administrator, BadInput for times that do not follow.
    """
    async with house.door.change(call, Act.APPOINT_QUALITY_AUTHORITY, subject=account) as change:
        person = await appointments.appointee(change, username=account)
        if person is None or person.state != "active":
            raise NotFound(
                what=Text("Nothing was proposed."),
                why=Text("There is no open account {username}.", username=account),
                remedy=Text("Have an administrator open the account first."),
            )
        if person.id == call.actor.account_id:
            raise NotPermitted(
                what=Text("Nothing was proposed."),
                why=Text("Nobody proposes their own appointment."),
                remedy=Text("Ask somebody else who may."),
            )
        if Role.ADMINISTRATOR in person.roles:
            raise Conflict(
                what=Text("Nothing was proposed."),
                why=Text("An administrator holds no other role."),
                remedy=Text("Open an account of its own for it."),
            )
        begins = from_at or change.at
        _check_times(begins, until_at, experience, now=change.at)
        proposal_id = await appointments.propose(
            change,
            account_id=person.id,
            title_level=title_level,
            title_certificate=title_certificate,
            certificate_valid_until=certificate_valid_until,
            from_at=begins,
            until_at=until_at,
            experience=experience,
        )
        return change.answers(await _one_proposal(change, proposal_id))


async def support_appointment(house: House, call: Call, *, proposal: int, ceremony: UUID) -> ProposalView:
    """Sign for a proposal. The second signature, of another person, appoints."""
    async with house.door.change(call, Act.SUPPORT_APPOINTMENT, subject=str(proposal)) as change:
        change.ceremony = ceremony
        await appointments.support(change, proposal_id=proposal, ceremony=ceremony)
        return change.answers(await _one_proposal(change, proposal))


async def revoke_appointment(house: House, call: Call, *, appointment: int, ceremony: UUID) -> AppointmentView:
    """End an appointment at this moment."""
    async with house.door.change(call, Act.REVOKE_APPOINTMENT, subject=str(appointment)) as change:
        change.ceremony = ceremony
        await appointments.revoke(change, appointment_id=appointment, ceremony=ceremony)
        (row,) = await appointments.appointments(change, appointment_id=appointment)
        return change.answers(AppointmentView(**row._asdict()))


def _check_times(from_at: datetime, until_at: datetime | None, experience: Sequence[Stint], *, now: datetime) -> None:
    if from_at < now - CLOCKS_DIFFER_BY:
        raise _wrong("from_at", Text("An appointment does not begin in the past."))
    if until_at is not None and until_at <= from_at:
        raise _wrong("until_at", Text("It would end before it begins."))
    for each in experience:
        if each.from_on > now.date() or (each.to_on is not None and each.to_on < each.from_on):
            raise _wrong("experience", Text("A time at {employer} ends before it begins.", employer=each.employer))


def _wrong(field: str, why: Text) -> BadInput:
    return BadInput(field=field, what=Text("Nothing was proposed."), why=why, remedy=Text("Correct the dates."))


async def _one_proposal(reading: Reading, proposal_id: int) -> ProposalView:
    (row,) = await appointments.proposals(reading, proposal_id=proposal_id)
    return _proposal(row)


def _proposal(row: Any) -> ProposalView:
    facts = row._asdict()
    stints = tuple(
        Stint(
            **{
                **each,
                "from_on": date.fromisoformat(each["from_on"]),
                "to_on": date.fromisoformat(each["to_on"]) if each["to_on"] else None,
            }
        )
        for each in facts.pop("experience")
    )
    supports = tuple(
        SupportView(by=each["by"], at=datetime.fromisoformat(each["at"])) for each in facts.pop("supports")
    )
    return ProposalView(**facts, experience=stints, supports=supports)
