"""Who answers for a level of the house, and which process versions it may run.

A responsibility is proposed by quality and accepted by the very person; a process version is authorised by the quality
authority. Neither reaches back: what was done before it was signed was done without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import mandates, settings
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, Conflict, NotPermitted
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call
    from app.services.house import House

LEVELS = "org06.levels"
NOT_PROPOSED = Text("Nothing was proposed.")


@dataclass(frozen=True, slots=True)
class AuthorisationContent:
    """Which process version the facility may run, whose it is, where, as what it is classified, and for how long."""

    process: str
    version: int
    owner: str
    address: str
    classification: str
    valid_from: datetime | None
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class AuthorisationView:
    """An authorisation as it stands: proposed, signed (and not yet in force), in_force or expired."""

    authorisation: int
    process: str
    version: int
    owner: str
    address: str
    classification: str
    valid_from: datetime
    valid_to: datetime
    proposed_by: str
    proposed_at: datetime
    signed_by: str | None
    signed_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class ResponsibilityView:
    """A responsibility as it stands: proposed, accepted (and yet to begin), answers, or ended."""

    responsibility: int
    level: str
    username: str
    person: str
    duties: str
    from_at: datetime
    until_at: datetime | None
    proposed_by: str
    proposed_at: datetime
    accepted_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class LevelView:
    """A level and who answers for it now; nobody: a vacancy."""

    level: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MandatesView:
    """The levels with who answers now, every responsibility, and every authorisation."""

    levels: tuple[LevelView, ...]
    responsibilities: tuple[ResponsibilityView, ...]
    authorisations: tuple[AuthorisationView, ...]


@dataclass(frozen=True, slots=True)
class MandateKept:
    """The number of what was proposed, signed or ended."""

    number: int
    signature: int | None = None


async def propose_authorisation(house: House, call: Call, *, content: AuthorisationContent) -> MandateKept:
    """Propose that the facility may run a process version. Raises BadInput, NotFound."""
    async with house.door.change(call, Act.PROPOSE_AUTHORISATION, subject=content.process) as change:
        begins = content.valid_from or change.at
        if content.valid_to <= begins:
            raise _ends_before("valid_to")
        number = await mandates.propose_authorisation(
            change,
            name=content.process,
            version=content.version,
            owner=content.owner,
            address=content.address,
            classification=content.classification,
            valid_from=begins,
            valid_to=content.valid_to,
        )
        return change.answers(MandateKept(number))


async def authorise_process(house: House, call: Call, *, number: int, ceremony: UUID) -> MandateKept:
    """Sign an authorisation. Nobody signs what they proposed. Raises CeremonyRefused, Stale, NotFound, Conflict."""
    async with house.door.change(call, Act.AUTHORISE_PROCESS, subject=f"authorisation {number}") as change:
        change.ceremony = ceremony
        await mandates.authorisation(change, number=number)
        return change.answers(MandateKept(number, await mandates.authorise(change, number=number, ceremony=ceremony)))


async def propose_responsibility(
    house: House,
    call: Call,
    *,
    level: str,
    username: str,
    duties: str,
    from_at: datetime | None,
    until_at: datetime | None,
) -> MandateKept:
    """Propose who answers for a level. Nobody proposes themselves. Raises NotPermitted, BadInput, NotFound."""
    async with house.door.change(call, Act.PROPOSE_RESPONSIBILITY, subject=level, reason=username) as change:
        if username == call.actor.username:
            raise NotPermitted(
                what=NOT_PROPOSED,
                why=Text("Nobody proposes a responsibility of their own."),
                remedy=Text("Ask another QA manager."),
                rule="ORG-06",
            )
        begins = from_at or change.at
        if until_at is not None and until_at <= begins:
            raise _ends_before("until_at")
        number = await mandates.propose_responsibility(
            change, level=level, username=username, duties=duties, from_at=begins, until_at=until_at
        )
        return change.answers(MandateKept(number))


async def accept_responsibility(house: House, call: Call, *, number: int, ceremony: UUID) -> MandateKept:
    """Accept one's own responsibility by signature. Raises CeremonyRefused for anybody else, Stale, Conflict."""
    async with house.door.change(call, Act.ACCEPT_RESPONSIBILITY, subject=f"responsibility {number}") as change:
        change.ceremony = ceremony
        await mandates.responsibility(change, number=number)
        return change.answers(MandateKept(number, await mandates.accept(change, number=number, ceremony=ceremony)))


async def end_responsibility(house: House, call: Call, *, number: int) -> MandateKept:
    """Record that a responsibility has ended. Raises NotFound, Conflict when it ended before."""
    async with house.door.change(call, Act.END_RESPONSIBILITY, subject=f"responsibility {number}") as change:
        await mandates.responsibility(change, number=number)
        if not await mandates.end(change, number=number):
            raise Conflict(
                what=Text("Nothing was recorded."),
                why=Text("Its end is recorded already."),
                remedy=Text("Read it again."),
            )
        return change.answers(MandateKept(number))


async def read_mandates(house: House, actor: Actor) -> MandatesView:
    """Who answers for what, and what the facility may run."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        borne = [ResponsibilityView(**row._asdict()) for row in await mandates.responsibilities(reading)]
        granted = [AuthorisationView(**row._asdict()) for row in await mandates.authorisations(reading)]
        levels: Sequence[str] = (await settings.current(reading, LEVELS)).get(LEVELS, ())
    now = {
        level: [each.person for each in borne if each.level == level and each.state == "answers"] for level in levels
    }
    return MandatesView(
        levels=tuple(LevelView(level, tuple(people)) for level, people in now.items()),
        responsibilities=tuple(borne),
        authorisations=tuple(granted),
    )


async def read_responsibility(house: House, actor: Actor, *, number: int) -> ResponsibilityView:
    """One responsibility. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return ResponsibilityView(**(await mandates.responsibility(reading, number=number))._asdict())


async def read_authorisation(house: House, actor: Actor, *, number: int) -> AuthorisationView:
    """One authorisation. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return AuthorisationView(**(await mandates.authorisation(reading, number=number))._asdict())


def _ends_before(field: str) -> BadInput:
    return BadInput(
        field=field,
        what=NOT_PROPOSED,
        why=Text("It would end before it begins."),
        remedy=Text("Give an end that is after its beginning."),
    )
