"""Appointing the quality authority: one proposes, two sign; nobody appoints themselves."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from app.db import appointments, equipment, judging, settings
from app.db.appointments import Stint
from app.domain import facts
from app.domain.acts import Act, Role
from app.domain.dossier import SCHEMA, Dossier
from app.domain.errors import BadInput, Conflict, NotFound, NotPermitted
from app.domain.moments import CLOCKS_DIFFER_BY, require_past_day
from app.domain.people import DAYS_IN_A_YEAR, counted_days
from app.domain.rows import require_once_each
from app.domain.rulebook import Gate, Verdict, judge
from app.domain.text import Text
from app.rules import BY_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class CountedView:
    """How much experience counts: evidenced, in the right field, up to the day before; days that overlap once."""

    days: int
    needed_days: int
    domains: tuple[str, ...]

    @property
    def years(self) -> Decimal:
        """The same in years of 365.25 days."""
        return (Decimal(self.days) / DAYS_IN_A_YEAR).quantize(Decimal("0.01"))

    @property
    def suffices(self) -> bool:
        """Whether it is as much as is needed."""
        return self.days >= self.needed_days


@dataclass(frozen=True, slots=True)
class ProposalPage:
    """A proposal, and what QA-01, QA-02 and QA-03 would say were it an appointment from its beginning on."""

    proposal: ProposalView
    counted: CountedView
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class AppointmentPage:
    """An appointment, the proposal that it came from, and what QA-01, QA-02 and QA-03 say of it now."""

    appointment: AppointmentView
    proposal: ProposalView | None
    counted: CountedView
    verdicts: tuple[Verdict, ...]


SIGNER_RULES = ("QA-01", "QA-02", "QA-03")
_ASKED_SETTINGS = ("qa02.title_levels", "qa03.years", "qa03.domains")


async def show_proposal(house: House, actor: Actor, *, proposal: int) -> ProposalPage:
    """A proposal and how it would be judged. Raises NotFound."""
    async with house.door.read(actor, Act.READ_RULES) as reading:
        rows = await appointments.proposals(reading, proposal_id=proposal)
        if not rows:
            raise _nothing(Text("There is no proposal {number}.", number=proposal))
        found = _proposal(rows[0])
        kept = await settings.current(reading, *_ASKED_SETTINGS)
        now = await judging.now(reading)
    as_if = _as_fact(found.id, found, found.experience, revoked_at=None)
    at = max(now, found.from_at)
    return ProposalPage(found, _counted(kept, found.experience, until=found.from_at), _judged(kept, as_if, at=at))


async def show_appointment(house: House, actor: Actor, *, appointment: int) -> AppointmentPage:
    """An appointment and how it is judged at this moment. Raises NotFound."""
    async with house.door.read(actor, Act.READ_RULES) as reading:
        rows = await appointments.appointments(reading, appointment_id=appointment)
        if not rows:
            raise _nothing(Text("There is no appointment {number}.", number=appointment))
        found = AppointmentView(**rows[0]._asdict())
        behind = None if found.proposal is None else await appointments.proposals(reading, proposal_id=found.proposal)
        kept = await settings.current(reading, *_ASKED_SETTINGS)
        now = await judging.now(reading)
    proposal = _proposal(behind[0]) if behind else None
    experience = proposal.experience if proposal else ()
    fact = _as_fact(found.id, found, experience, revoked_at=found.revoked_at)
    return AppointmentPage(
        found, proposal, _counted(kept, experience, until=found.from_at), _judged(kept, fact, at=now)
    )


async def count_experience(
    house: House, actor: Actor, *, experience: Sequence[Stint], from_at: datetime | None
) -> CountedView:
    """How much of this experience would count, for somebody who writes it down."""
    async with house.door.read(actor, Act.READ_RULES) as reading:
        kept = await settings.current(reading, *_ASKED_SETTINGS)
        now = await judging.now(reading)
    return _counted(kept, experience, until=from_at or now)


def _nothing(what: Text) -> NotFound:
    return NotFound(what=what, why=Text("Nothing of this number is kept."), remedy=Text("Choose one of the list."))


def _as_fact(
    number: int, stated: ProposalView | AppointmentView, experience: Sequence[Stint], *, revoked_at: datetime | None
) -> facts.Appointment:
    return facts.Appointment(
        id=number,
        account=stated.account,
        from_at=stated.from_at,
        until_at=stated.until_at,
        revoked_at=revoked_at,
        title_level=stated.title_level,
        title_certificate=stated.title_certificate,
        certificate_valid_until=stated.certificate_valid_until,
        experience=tuple(_experience(each) for each in experience),
    )


def _experience(stint: Stint) -> facts.Experience:
    return facts.Experience(stint.employer, stint.position, stint.domain, stint.from_on, stint.to_on, stint.evidence)


def _counted(kept: Mapping[str, Any], experience: Sequence[Stint], *, until: datetime) -> CountedView:
    domains = tuple(kept.get("qa03.domains", ()))
    days = counted_days(
        [_experience(each) for each in experience], domains=domains, until=until.date() - timedelta(days=1)
    )
    needed = Decimal(str(kept.get("qa03.years", 0))) * DAYS_IN_A_YEAR
    return CountedView(days=days, needed_days=int(needed.to_integral_value(rounding="ROUND_CEILING")), domains=domains)


def _judged(kept: Mapping[str, Any], appointment: facts.Appointment, *, at: datetime) -> tuple[Verdict, ...]:
    """The book's own rules on a dossier that holds nothing but the appointment."""
    known = {
        name: facts.Setting(version=0, value=Decimal(str(value)) if isinstance(value, float) else value)
        for name, value in kept.items()
    }
    sections: dict[str, Any] = {each.name: None for each in fields(Dossier)}
    dossier = Dossier(
        **{
            **sections,
            "schema": SCHEMA,
            "kind": "lot",
            "subject": appointment.account,
            "name": appointment.account,
            "rulebook": "",
            "settings": known,
            "appointments": (appointment,),
        }
    )
    signer = facts.Signer(appointment.account, (Role.QUALITY_AUTHORITY.value,), appointment.id)
    rules = [BY_ID[each] for each in SIGNER_RULES]
    return judge(rules, dossier, gate=Gate.G6, at=at, signer=signer).verdicts


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
        _check_times(begins, until_at, experience, now=change.at, today=await equipment.today(change))
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


def _check_times(
    from_at: datetime, until_at: datetime | None, experience: Sequence[Stint], *, now: datetime, today: date
) -> None:
    if from_at < now - CLOCKS_DIFFER_BY:
        raise _wrong("from_at", Text("An appointment does not begin in the past."))
    if until_at is not None and until_at <= from_at:
        raise _wrong("until_at", Text("It would end before it begins."))
    for row, each in enumerate(experience):
        ends = f"experience.{row}.to_on"
        require_past_day(each.from_on, today=today, field=f"experience.{row}.from_on")
        if each.to_on is not None and each.to_on < each.from_on:
            raise _wrong(ends, Text("A time at {employer} ends before it begins.", employer=each.employer))
        require_past_day(each.to_on, today=today, field=ends)
    require_once_each([(each, each.employer) for each in experience], field="experience")


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
