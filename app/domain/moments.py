"""Moments that people state: they lie in the past, and in the order in which things happen."""

from datetime import datetime, timedelta

from app.domain.errors import BadInput
from app.domain.text import Text

CLOCKS_DIFFER_BY = timedelta(minutes=2)
"""How far the clock of a workstation may run before the database's without a true record being refused."""


def require_past(moment: datetime | None, *, now: datetime, field: str) -> None:
    """Raises BadInput when the moment lies in the future. None is no moment."""
    if moment is not None and moment > now + CLOCKS_DIFFER_BY:
        raise BadInput(
            field=field,
            what=Text("Nothing was recorded."),
            why=Text("{moment} is yet to come; it is {now}.", moment=moment, now=now),
            remedy=Text("Record it when it has happened, and check the clock of this device."),
        )


def require_order(*, earlier: datetime | None, later: datetime | None, field: str, before: str) -> None:
    """Raises BadInput when what `field` states lies before what `before` states."""
    if earlier is not None and later is not None and later < earlier:
        raise BadInput(
            field=field,
            what=Text("Nothing was recorded."),
            why=Text("{field} lies before {before}.", field=field, before=before),
            remedy=Text("Correct the times."),
        )
