"""GMP-02: open cells were handled in a clean area, and its monitoring in the session stayed within the action limits.

Plates grow for days: readings are late by nature, and a lot waits for the last of them. The classification is not.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from app.domain import settings
from app.domain.acts import Role
from app.domain.counterexamples import Edit, add, all_of, empty, every, inside, of_papers, setting, within, without
from app.domain.dossier import Dossier
from app.domain.equipment import day_of
from app.domain.facts import Deviation, Impact, LegacyAbout, Monitored, Reading, Severity, WorkSession
from app.domain.making import certified, made_elsewhere_alone
from app.domain.monitoring import GRADE_NAMES, GROWS, KIND_NAMES, classified, limit_of, wanted_of, worst
from app.domain.processing import too_late
from app.domain.rulebook import (
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    fails,
    lacks,
    rule,
    shows,
    undocumented,
    wants_waiver,
)
from app.domain.sources import CN_CELL_GMP, GMP, GUIDELINE
from app.domain.text import Text

_AFTER = datetime(2026, 11, 1, tzinfo=UTC)
_INVESTIGATED = Deviation(
    "DV-26-0077",
    Severity.MAJOR,
    "growth on a plate",
    Impact.ACCEPTABLE,
    "closed",
    ("GMP-02",),
    "quinn",
    datetime(2026, 11, 10, tzinfo=UTC),
)


def _read(kind: str, grade: str, value: int) -> Edit:
    """The plate of a kind and grade grew so many colonies."""

    def edited(session: WorkSession) -> WorkSession:
        return replace(
            session,
            monitored=tuple(
                replace(each, readings=(*each.readings, Reading(Decimal(value), None, _AFTER)))
                if (each.kind, each.grade) == (kind, grade)
                else each
                for each in session.monitored
            ),
        )

    return within("work_sessions", lambda found: tuple(edited(each) for each in found))


def _left_out(kind: str, grade: str) -> Edit:
    def kept(found: tuple[Monitored, ...]) -> tuple[Monitored, ...]:
        return tuple(each for each in found if (each.kind, each.grade) != (kind, grade))

    return within("work_sessions", lambda found: tuple(replace(each, monitored=kept(each.monitored)) for each in found))


def _classes(field: str, **changes: Any) -> Edit:
    return inside("work_sessions", field, **changes)


@rule(
    "GMP-02",
    Text("Open cells were handled in a clean area that stayed clean"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Good manufacturing practice holds for self-made preparations; they are made in a fit environment."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            CN_CELL_GMP,
            "premises",
            Text("Open handling is in grade A with a background of B; what is closed may stand in C or D."),
            Standing.UNVERIFIED,
        ),
        Citation(
            GMP,
            "annex on sterile products",
            Text("Clean areas are monitored in operation; what exceeds an action limit is investigated."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=(Role.QUALITY_AUTHORITY,),
    legacy=(LegacyAbout.LOT,),
    late_by_nature=("makers",),
    breaks=(
        Break(
            "a partner made it, and says nothing of its clean area",
            of_papers(only=("kind", "release"), covers=("equipment", "training", "deviations")),
            outcome=Outcome.INDETERMINATE,
            also=("EXT-03",),
        ),
        Break("a settle plate grew in grade A", _read("settle", "A", 1)),
        Break("a glove print grew", _read("glove", "A", 2)),
        Break(
            "growth in grade A that was investigated and found acceptable",
            all_of(_read("settle", "A", 1), add("deviations", _INVESTIGATED)),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "growth in grade A whose impact is not acceptable",
            all_of(_read("settle", "A", 1), add("deviations", replace(_INVESTIGATED, impact=Impact.UNACCEPTABLE))),
            also=("GMP-06",),
        ),
        Break("the background grew beyond its action limit", _read("settle", "B", 6), outcome=Outcome.NEEDS_WAIVER),
        Break(
            "plates are still in the incubator",
            inside("work_sessions", "monitored", readings=()),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("no glove print was taken", _left_out("glove", "A"), outcome=Outcome.INDETERMINATE),
        Break("nothing was monitored", every("work_sessions", monitored=()), outcome=Outcome.INDETERMINATE),
        Break("the room was of grade C", _classes("room_classes", grade="C")),
        Break("the classification had run out", _classes("workstation_classes", due_on=date(2026, 9, 30))),
        Break("the room was classified afterwards", _classes("room_classes", recorded_at=_AFTER)),
        Break(
            "the workstation was never classified",
            every("work_sessions", workstation_classes=()),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("no session at a workstation is known", empty("work_sessions"), outcome=Outcome.INDETERMINATE),
        Break("what was monitored is unknown", without("work_sessions"), outcome=Outcome.INDETERMINATE),
        Break("the action limits are not set", setting("gmp02.limits", {}), outcome=Outcome.INDETERMINATE),
    ),
)
def clean_area(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each session in which the lot's cells were handled: where it was, and what monitoring said."""
    yield from certified(dossier, asked, "clean_area")
    if not dossier.work_sessions and not made_elsewhere_alone(dossier):
        yield undocumented(
            dossier.subject,
            Text("No session at a workstation is known in which the cells were handled."),
            Text("Establish it from the bench record; quality assesses what cannot be established."),
        )
    for session in dossier.work_sessions or ():
        yield from _judge(dossier, session)


def _judge(dossier: Dossier, session: WorkSession) -> Iterator[Statement]:
    offset = settings.number(dossier, "facility.utc_offset_hours")
    day = day_of(session.since, utc_offset_hours=offset)
    station = classified(session.workstation_classes, at=session.since, day=day)
    room = classified(session.room_classes, at=session.since, day=day)
    if station is None or room is None:
        yield _unclassified(dossier, session)
        return
    allowed = settings.word_lists(dossier, "gmp02.allowed")
    where = Text("{station} in {room}", station=GRADE_NAMES[station], room=GRADE_NAMES[room])
    if room not in allowed.get(station, ()):
        yield fails(
            session.workstation,
            Text("Open cells were handled in {where}, in room {name}.", where=where, name=session.room),
            Text("Quality investigates what it means for the cells; the lot may be rejected."),
        )
    else:
        yield shows(session.workstation, Text("{where}, since {since}", where=where, since=session.since))
    yield from _monitoring(dossier, session, station, room)


def _unclassified(dossier: Dossier, session: WorkSession) -> Statement:
    if not session.workstation_classes or not session.room_classes:
        return undocumented(
            session.workstation,
            Text("It is not known of what grade the workstation, or its room {room}, is.", room=session.room),
            Text("Have the area classified before cells are handled in it; quality assesses what was done before."),
        )
    return too_late(
        dossier,
        "GMP-02",
        subject=session.workstation,
        problem=Text(
            "No classification of the workstation and of room {room} stood on {day}.",
            room=session.room,
            day=session.since,
        ),
    )


def _monitoring(dossier: Dossier, session: WorkSession, station: str, room: str) -> Iterator[Statement]:
    limits = settings.numbers(dossier, "gmp02.limits")
    required = settings.word_lists(dossier, "gmp02.required").get(station, ())
    taken = {(each.kind, each.grade) for each in session.monitored}
    for kind, grade in wanted_of(required, room_grade=room):
        if (kind, grade) not in taken:
            yield undocumented(
                session.workstation,
                Text("{kind}, {grade}: none was taken.", kind=KIND_NAMES.get(kind, kind), grade=GRADE_NAMES[grade]),
                Text("Record what was taken; quality assesses what was not monitored."),
            )
    for each in session.monitored:
        yield _reading(dossier, each, limit_of(limits, each.kind, each.grade))


def _reading(dossier: Dossier, each: Monitored, limit: Decimal | None) -> Statement:
    subject = f"EM-{each.id}"
    value = worst(each)
    named = Text(
        "{kind}, {grade}, {place}", kind=KIND_NAMES[each.kind], grade=GRADE_NAMES[each.grade], place=each.place
    )
    if value is None:
        return lacks(subject, Text("{what}: no reading yet.", what=named), Text("QC reads it when its time is over."))
    if limit is None or value <= limit:
        return shows(subject, Text("{what}: {value}", what=named, value=value))
    says = Text("{what}: {value}, above the action limit of {limit}.", what=named, value=value, limit=limit)
    if each.grade == "A" and each.kind in GROWS and not _investigated(dossier):
        return fails(
            subject,
            says,
            Text("Growth in grade A speaks against the lot: quality investigates, identifies and decides."),
        )
    return wants_waiver(
        subject, says, Text("Quality investigates where it came from; the quality authority decides about this lot.")
    )


def _investigated(dossier: Dossier) -> bool:
    return any(
        each.state == "closed" and "GMP-02" in each.rules and each.impact in {Impact.NONE, Impact.ACCEPTABLE}
        for each in dossier.deviations or ()
    )
