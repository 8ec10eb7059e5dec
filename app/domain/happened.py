"""What somebody says has happened: which words keep it so that nothing of it is lost, and which moments cannot be."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.errors import BadInput
from app.domain.moments import CLOCKS_DIFFER_BY
from app.domain.text import JSON, Text

EARLIEST_YEAR = 2000
"""Before this year no record of such a laboratory begins: an earlier date is a slip of the pen or a clock's."""
SEPARATOR = "---"
REASON_WORDS_MAX = 120
"""Characters of the account that a hold's reason repeats."""


class What(StrEnum):
    """What happened."""

    ISOLATION = "isolation"
    PASSAGE = "passage"
    FILL = "fill"
    CRYOPRESERVATION = "cryopreservation"
    THAW = "thaw"
    MATERIAL_USE = "material_use"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A code or a name that names nothing of its kind here. `said` shows each hidden character as its escape."""

    field: str
    said: str


def in_words(said: str, *, facts: Mapping[str, JSON], unresolved: Iterable[Unresolved]) -> str:
    """The account as its deviation keeps it: the person's words, a line of three hyphens, then the facts.

    Each fact stands on a line of its own as `name: JSON`, those not known are left out, and `unresolved` maps fields
    to what was said there. JSON holds no line break, so the last line of hyphens parts words from facts.
    """
    strange: dict[str, JSON] = {}
    for each in unresolved:
        before = strange.get(each.field)
        strange[each.field] = [*(before if isinstance(before, list) else []), each.said]
    stated = {name: value for name, value in facts.items() if value not in (None, [])}
    if strange:
        stated["unresolved"] = strange
    return "\n".join(
        [said, SEPARATOR, *(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in stated.items())]
    )


def hold_reason(*, deviation: str, said: str) -> str:
    """Why it is held, in no language but the teller's own: the deviation's number and how the account begins."""
    words = " ".join(said.split())
    shown = words if len(words) <= REASON_WORDS_MAX else f"{words[:REASON_WORDS_MAX]}…"
    return f"{deviation}: {shown}"


def refuse_impossible_moments(*, occurred_at: datetime, ended_at: datetime | None, now: datetime) -> None:
    """Raise BadInput for a moment that is yet to come, lies before `EARLIEST_YEAR`, or an end before its beginning."""
    for field, moment in (("occurred_at", occurred_at), ("ended_at", ended_at)):
        if moment is None:
            continue
        if moment.year < EARLIEST_YEAR:
            raise _impossible(
                field,
                Text("{moment} lies before the year {year}.", moment=_as_given(moment), year=str(EARLIEST_YEAR)),
                Text("Correct the date. If nobody knows it, give the nearest that is known, and say so in your words."),
            )
        if moment > now + CLOCKS_DIFFER_BY:
            raise _impossible(
                field,
                Text("{moment} is yet to come; it is {now}.", moment=_as_given(moment), now=now),
                Text("Record it when it has happened, and check the clock of this device."),
            )
    if ended_at is not None and ended_at < occurred_at:
        raise _impossible(
            "ended_at",
            Text(
                "It would have ended at {ended}, before it began at {began}.",
                ended=_as_given(ended_at),
                began=_as_given(occurred_at),
            ),
            Text("Correct the times."),
        )


def _impossible(field: str, why: Text, remedy: Text) -> BadInput:
    return BadInput(field=field, what=Text("Nothing was recorded."), why=why, remedy=remedy)


def _as_given(moment: datetime) -> str:
    # In the zone in which it was given: at the ends of the calendar another zone has no such moment.
    return moment.isoformat(sep=" ", timespec="minutes")
