"""ORG-06: on every level a responsible person, who accepted in writing beforehand; no vacancy."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit, setting, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Facility, LegacyAbout, SubjectKind
from app.domain.mandates import LEVEL_NAMES, answered, covers
from app.domain.processing import too_late
from app.domain.rulebook import (
    NEVER,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    lacks,
    rule,
    shows,
    undocumented,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

LEVELS = "org06.levels"
_STEP = SubjectKind.STEP
_UNKNOWN = Outcome.INDETERMINATE
_STUDY: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",), "outcome": _UNKNOWN}


def _responsible(level: str | None = None, **changes: Any) -> Edit:
    def edited(facility: Facility) -> Facility:
        changed = (replace(each, **changes) if level in {None, each.level} else each for each in facility.responsible)
        return replace(facility, responsible=tuple(changed))

    return within("facility", edited)


def _nobody(facility: Facility) -> Facility:
    return replace(facility, responsible=())


@rule(
    "ORG-06",
    Text("On every level somebody answers, and accepted it beforehand"),
    cites=(
        Citation(
            GUIDELINE,
            "§2",
            Text("Institution, study and facility each have a responsible person, who accepts it in writing."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G4, Gate.G5, Gate.G6, Gate.G7, Gate.G8, Gate.G9, Gate.G10),
    waiver=NEVER,
    legacy=(LegacyAbout.LOT,),
    breaks=(
        Break("nobody answers for anything", within("facility", _nobody), outcome=_UNKNOWN),
        Break(
            "the facility's place was vacant at the last step",
            _responsible("facility", until_at=datetime(2026, 10, 20, tzinfo=UTC)),
            outcome=_UNKNOWN,
        ),
        Break(
            "the study's leader came only after the work",
            _responsible("study", from_at=datetime(2026, 11, 1, tzinfo=UTC)),
            outcome=_UNKNOWN,
        ),
        Break("nobody answers today", _responsible(until_at=datetime(2026, 11, 1, tzinfo=UTC)), outcome=_UNKNOWN),
        Break("accepted only after the work", _responsible(accepted_at=datetime(2026, 11, 1, tzinfo=UTC))),
        Break(
            "nobody answers for the facility, and a step is about to start",
            _responsible("facility", until_at=datetime(2026, 10, 20, tzinfo=UTC)),
            gate=Gate.G4,
            kind=_STEP,
            outcome=_UNKNOWN,
        ),
        Break(
            "nobody answers for the study on the day it is filed",
            _responsible("study", until_at=datetime(2026, 11, 1, tzinfo=UTC)),
            **{**_STUDY, "gate": Gate.G7},
        ),
        Break("nobody answers for the institution on the day the study starts",
              _responsible("institution", until_at=datetime(2026, 11, 1, tzinfo=UTC)), **_STUDY),
        Break("nobody answers on the day the stage changes", within("facility", _nobody), **{**_STUDY, "gate": Gate.G9}),
        Break("nobody answers on the day of an infusion", within("facility", _nobody), gate=Gate.G10, outcome=_UNKNOWN,
              also=("BOOK", "ORG-03", "ORG-04", "REL-10")),
        Break("who answers is unknown", without("facility"), outcome=_UNKNOWN),
        Break("which levels there are is not set", setting(LEVELS, []), outcome=_UNKNOWN),
    ),
)  # fmt: skip
def somebody_answers(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the planned step (G4), or every step there was and the moment of judging."""
    if dossier.facility is None:
        yield lacks(
            dossier.subject,
            Text("It is not known who answers for what."),
            Text("Report this to whoever keeps the system."),
        )
        return
    if asked.gate is Gate.G4 and dossier.plan is not None:
        moments = [(dossier.subject, dossier.plan.at)]
    else:
        moments = [(f"STEP-{step.id}", step.started_at) for step in dossier.steps or ()]
        moments.append((dossier.subject, asked.at))
    for level in settings.words(dossier, LEVELS):
        yield from _judge(dossier, dossier.facility, level, moments)


def _judge(
    dossier: Dossier, facility: Facility, level: str, moments: list[tuple[str, datetime]]
) -> Iterator[Statement]:
    named = LEVEL_NAMES.get(level, Text("{level}", level=level))
    names: dict[str, None] = {}
    for subject, at in moments:
        found = answered(facility.responsible, level, at)
        if found is not None:
            names[found.account] = None
        elif any(each.level == level and covers(each, at) for each in facility.responsible):
            yield too_late(
                dossier,
                "ORG-06",
                subject=subject,
                problem=Text("Whoever answers for {level} had not accepted it by {at}.", level=named, at=at),
            )
        else:
            # Who answers today is no matter of old papers.
            say = lacks if subject == dossier.subject else undocumented
            yield say(
                subject,
                Text("Nobody answered for {level} at {at}.", level=named, at=at),
                Text("Name a person, or a deputy, who accepts it before the next step; what was done is assessed."),
            )
    if names:
        yield shows(dossier.subject, Text("{level}: {people}", level=named, people=tuple(names)))
