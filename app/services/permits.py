"""Permits for human genetic resources: dated evidence that an authority gave, and may take back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from app.db import permits
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, Conflict
from app.domain.moments import require_past
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.door import Call
    from app.services.house import House

ALL = 200


@dataclass(frozen=True, slots=True)
class PermitView:
    """A permit: for banking, for samples that leave to third parties, or both."""

    number: str
    authority: str
    purposes: tuple[str, ...]
    scope: str
    valid_from: date
    valid_to: date | None
    evidence: str
    withdrawn_at: datetime | None
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PermitRecordedView:
    """The permit that was recorded or withdrawn."""

    number: str


async def record_permit(
    house: House,
    call: Call,
    *,
    number: str,
    authority: str,
    purposes: Sequence[str],
    scope: str,
    valid_from: date,
    valid_to: date | None,
    evidence: str,
) -> PermitRecordedView:
    """Record a permit. It counts from when it is recorded on. Raises BadInput, Conflict when its number is known."""
    async with house.door.change(call, Act.RECORD_PERMIT, subject=number) as change:
        if valid_to is not None and valid_to < valid_from:
            raise BadInput(
                field="valid_to",
                what=Text("Nothing was recorded."),
                why=Text("It would end before it begins."),
                remedy=Text("Give an end that is after its beginning."),
            )
        await permits.keep(
            change,
            number=number,
            authority=authority,
            purposes=sorted(set(purposes)),
            scope=scope,
            valid_from=valid_from,
            valid_to=valid_to,
            evidence=evidence,
        )
        return change.answers(PermitRecordedView(number))


async def withdraw_permit(house: House, call: Call, *, number: str, withdrawn_at: datetime) -> PermitRecordedView:
    """Record that the authority took a permit back. Raises Conflict when none of this number stands."""
    async with house.door.change(call, Act.WITHDRAW_PERMIT, subject=number) as change:
        require_past(withdrawn_at, now=change.at, field="withdrawn_at")
        if not await permits.withdraw(change, number=number, at=withdrawn_at):
            raise Conflict(
                what=Text("Nothing was withdrawn."),
                why=Text("No permit {number} stands.", number=number),
                remedy=Text("Look at the list of permits and name the one that was withdrawn."),
            )
        return change.answers(PermitRecordedView(number))


async def list_permits(house: House, actor: Actor) -> list[PermitView]:
    """Permits, the last recorded first."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        return [
            PermitView(**{**row._asdict(), "purposes": tuple(row.purposes)})
            for row in await permits.page(reading, limit=ALL)
        ]
