"""Moments that people state: they lie in the past, and in the order in which things happen."""

from datetime import date, datetime, timedelta

from app.domain.errors import BadInput
from app.domain.text import Text

CLOCKS_DIFFER_BY = timedelta(minutes=2)
"""How far the clock of a workstation may run before the database's without a true record being refused."""
NOT_RECORDED = Text("Nothing was recorded.")


def require_past(moment: datetime | None, *, now: datetime, field: str) -> None:
    """Raises BadInput when the moment lies in the future. None is no moment."""
    if moment is not None and moment > now + CLOCKS_DIFFER_BY:
        raise BadInput(
            field=field,
            what=NOT_RECORDED,
            why=Text("{moment} is yet to come; it is {now}.", moment=moment, now=now),
            remedy=Text("Record it when it has happened, and check the clock of this device."),
        )


def require_order(*, earlier: datetime | None, later: datetime | None, field: str) -> None:
    """Raises BadInput at `field`, which states `later`, when that lies before what can only have come first."""
    if earlier is not None and later is not None and later < earlier:
        raise BadInput(
            field=field,
            what=NOT_RECORDED,
            why=Text("{later} lies before {earlier}: it can only have come after.", later=later, earlier=earlier),
            remedy=Text("Correct the times."),
        )


def require_past_day(day: date | None, *, today: date, field: str) -> None:
    """Raises BadInput when the day is yet to come where the laboratory lies. None is no day."""
    if day is not None and day > today:
        raise BadInput(
            field=field,
            what=NOT_RECORDED,
            why=Text("{day} is yet to come.", day=day),
            remedy=Text("Record it when it has been done."),
        )


def require_end(*, begins: date | datetime, ends: date | datetime | None, field: str) -> None:
    """Raises BadInput at `field` when what it states would end before it begins. None has no end."""
    if ends is not None and ends < begins:
        raise BadInput(
            field=field,
            what=NOT_RECORDED,
            why=Text("It would end before it begins."),
            remedy=Text("Give an end that is after its beginning."),
        )
