"""ORG-03: one named leader answers for a study, licensed as a physician and of senior title."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from app.domain import settings
from app.domain.counterexamples import study_part, study_records
from app.domain.dossier import Dossier
from app.domain.facts import SubjectKind
from app.domain.people import TITLE_NAMES
from app.domain.rulebook import (
    NEVER,
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
)
from app.domain.sources import ORDER_818
from app.domain.studies import leader_on, no_study, today
from app.domain.text import Text

_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_PAST = date(2026, 11, 19)
_NAME = Text("The institution names a leader who is qualified; nobody is treated in the study without one.")


@rule(
    "ORG-03",
    Text("A licensed physician of senior title leads the study"),
    cites=(
        Citation(
            ORDER_818,
            "institutions",
            Text("Each study has a named leader, a licensed physician with a senior professional title."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G8, Gate.G10),
    waiver=NEVER,
    breaks=(
        Break("nobody is named", study_part(leaders=()), **_G8, outcome=Outcome.INDETERMINATE),
        Break("the leader left and nobody follows", study_records("leaders", to_on=_PAST), **_G8),
        Break(
            "the leader begins on a later day",
            study_records("leaders", from_on=date(2026, 11, 21)),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("the licence ran out", study_records("leaders", licence_valid_to=_PAST), **_G8),
        Break("the title is not a senior one", study_records("leaders", title_level="other"), **_G8),
        Break("the title's certificate ran out", study_records("leaders", title_valid_to=_PAST), **_G8),
        Break(
            "the leader was recorded after the moment judged",
            study_records("leaders", recorded_at=datetime(2026, 11, 21, tzinfo=UTC)),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def study_leader(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Ask who leads on the day, and whether licence and title hold on it."""
    study = dossier.study
    if study is None:
        yield no_study(dossier)
        return
    day = today(dossier, asked)
    leader = leader_on(study, at=asked.at, day=day)
    if leader is None:
        yield lacks(study.number, Text("Nobody is named as the study's leader on {day}.", day=day), _NAME)
        return
    against = []
    if leader.to_on is not None and leader.to_on < day:
        against.append(Text("{name} led the study until {day}.", name=leader.name, day=leader.to_on))
    if leader.licence_valid_to is not None and leader.licence_valid_to < day:
        against.append(Text("The licence of {name} ran out on {day}.", name=leader.name, day=leader.licence_valid_to))
    if leader.title_level not in settings.words(dossier, "org03.title_levels"):
        against.append(Text("{name} holds no senior title.", name=leader.name))
    if leader.title_valid_to is not None and leader.title_valid_to < day:
        against.append(
            Text("The title's certificate of {name} ran out on {day}.", name=leader.name, day=leader.title_valid_to)
        )
    for problem in against:
        yield fails(study.number, problem, _NAME)
    if not against:
        yield shows(
            study.number,
            Text(
                "{name} leads the study: licence {licence}, title {title}, by {evidence}",
                name=leader.name,
                licence=leader.licence_number,
                title=TITLE_NAMES[leader.title_level],
                evidence=leader.evidence,
            ),
        )
