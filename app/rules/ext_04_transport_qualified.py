"""EXT-04: what was carried between partner, house and hospital went in a qualified shipper, within temperature and time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from app.domain import settings
from app.domain.acts import Role
from app.domain.counterexamples import CARRIED, Edit, empty, every, made_by_partner, within, without
from app.domain.dossier import Dossier
from app.domain.equipment import day_of
from app.domain.facts import Transport
from app.domain.making import of_makers, steps_at_a_partner
from app.domain.processing import too_late
from app.domain.rulebook import (
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    does_not_apply,
    fails,
    lacks,
    rule,
    shows,
    wants_waiver,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_BEFORE = datetime(2026, 10, 5, 6, tzinfo=UTC)
_SECONDS_AN_HOUR = Decimal(3600)
_JUSTIFY = Text("The quality authority may waive it by stability data for this very lot; else the lot is rejected.")
_ANYWAY = Text("What was carried unqualified cannot be released; the lot may be rejected.")


def _carried(**changes: Any) -> Edit:
    """The lot was carried once, well but for these points."""
    return within("transports", lambda _: (replace(CARRIED, **changes),))


@rule(
    "EXT-04",
    Text("What was carried between partner and house went in a qualified shipper"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Where others take part, the way between them is qualified: temperature, longest time, custody."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G6, Gate.G10),
    waiver=(Role.QUALITY_AUTHORITY,),
    late_by_nature=("makers",),
    breaks=(
        Break(
            "a partner made it, and how it came here is not on record",
            made_by_partner(empty("transports")),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a partner made it, and only the way there is on record",
            made_by_partner(every("transports", dispatched_at=_BEFORE, arrived_at=_BEFORE)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("the lot grew too warm on its way", _carried(max_c=Decimal("9.2")), outcome=Outcome.NEEDS_WAIVER),
        Break("the lot grew too cold on its way", _carried(min_c=Decimal(-1)), outcome=Outcome.NEEDS_WAIVER),
        Break(
            "the lot was under way for too long",
            _carried(arrived_at=datetime(2026, 10, 28, 6, 1, tzinfo=UTC)),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "the papers tell of an excursion", _carried(excursion="the lid stood open"), outcome=Outcome.NEEDS_WAIVER
        ),
        Break("nothing measured how warm it was", _carried(min_c=None, max_c=None), outcome=Outcome.INDETERMINATE),
        Break("the logger's file is missing", _carried(file_name=None), outcome=Outcome.INDETERMINATE),
        Break("the shipper's qualification had run out", _carried(valid_to=date(2026, 10, 26))),
        Break("the shipper was qualified after the journey", _carried(qualified_on=date(2026, 10, 28))),
        Break(
            "the qualification was recorded after the journey",
            _carried(qualification_recorded_at=datetime(2026, 10, 28, tzinfo=UTC)),
        ),
        Break("whether the lot was carried is unknown", without("transports"), outcome=Outcome.INDETERMINATE),
        Break(
            "a lot that grew too warm, before it is given",
            _carried(max_c=Decimal("9.2")),
            gate=Gate.G10,
            outcome=Outcome.NEEDS_WAIVER,
            also=("BOOK", "ORG-03", "ORG-04", "REL-10"),
        ),
    ),
)
def transport_qualified(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Judge each way of the lot by its shipper, its hours and its logger."""
    if dossier.transports is None:
        yield lacks(
            dossier.subject,
            Text("It is not known whether the lot was carried."),
            Text("Report this to whoever keeps the system."),
        )
        return
    if dossier.makers or steps_at_a_partner(dossier):
        yield from _way_here(dossier, dossier.transports)
    else:
        yield from (each for each in of_makers(dossier) if each.remedy is not None)
    if not dossier.transports and not dossier.makers:
        yield does_not_apply(
            dossier.subject, Text("it was carried nowhere: no transport between a partner and the house is recorded")
        )
    for each in dossier.transports:
        yield from _shipper(dossier, each)
        yield from _way(dossier, each)


def _way_here(dossier: Dossier, transports: tuple[Transport, ...]) -> Iterator[Statement]:
    """What a partner made came here after it was made, on some way or other."""
    yield from (each for each in of_makers(dossier) if each.remedy is not None)
    made = max((step.ended_at or step.started_at for step in steps_at_a_partner(dossier)), default=None)
    if not any(made is None or each.dispatched_at >= made for each in transports):
        yield lacks(
            dossier.subject,
            Text("A partner made the lot, and how it came here is not on record."),
            Text("Record the way from the partner: shipper, hours, logger and who handed it over."),
        )


def _shipper(dossier: Dossier, each: Transport) -> Iterator[Statement]:
    day = day_of(each.dispatched_at, utc_offset_hours=settings.number(dossier, "facility.utc_offset_hours"))
    if each.qualification_recorded_at > each.dispatched_at:
        yield too_late(
            dossier,
            "EXT-04",
            subject=dossier.subject,
            problem=Text("{shipper}: its qualification was recorded after the journey.", shipper=each.shipper),
        )
    elif not each.qualified_on <= day <= each.valid_to:
        yield fails(
            dossier.subject, Text("{shipper}: it was not qualified on {day}.", shipper=each.shipper, day=day), _ANYWAY
        )


def _way(dossier: Dossier, each: Transport) -> Iterator[Statement]:
    hours = Decimal((each.arrived_at - each.dispatched_at).total_seconds()) / _SECONDS_AN_HOUR
    if each.min_c is None or each.max_c is None or not each.file_name:
        yield lacks(
            dossier.subject,
            Text(
                "From {here} to {there}: what the logger measured is not on record.",
                here=each.from_place,
                there=each.to_place,
            ),
            Text("Read out the logger that travelled with the lot, and record the journey with its file."),
        )
    elif each.excursion or each.min_c < each.low_c or each.max_c > each.high_c:
        yield wants_waiver(
            dossier.subject,
            Text(
                "From {here} to {there}: {least} to {most} °C; the shipper keeps {low} to {high} °C.",
                here=each.from_place,
                there=each.to_place,
                least=each.min_c,
                most=each.max_c,
                low=each.low_c,
                high=each.high_c,
            ),
            _JUSTIFY,
        )
    elif hours > each.hours_max:
        yield wants_waiver(
            dossier.subject,
            Text(
                "From {here} to {there}: {hours} hours; the shipper is qualified for {most}.",
                here=each.from_place,
                there=each.to_place,
                hours=round(hours, 1),
                most=each.hours_max,
            ),
            _JUSTIFY,
        )
    else:
        yield shows(
            dossier.subject,
            Text(
                "from {here} to {there} in {shipper}: {least} to {most} °C, {hours} hours, {file}",
                here=each.from_place,
                there=each.to_place,
                shipper=each.shipper,
                least=each.min_c,
                most=each.max_c,
                hours=round(hours, 1),
                file=each.file_name,
            ),
        )
