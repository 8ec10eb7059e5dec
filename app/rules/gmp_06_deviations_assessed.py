"""GMP-06: every deviation of the lot is assessed, and none speaks against it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from app.domain.acts import Role
from app.domain.counterexamples import Edit, of_papers, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Deviation, Impact, Severity
from app.domain.making import certified
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
    wants_waiver,
)
from app.domain.sources import GMP
from app.domain.text import Text

_OPEN = Deviation(
    number="DV-26-0001",
    severity=Severity.MINOR,
    what="incubator door stood open",
    impact=None,
    state="open",
    rules=(),
    closed_by=None,
    closed_at=None,
)
_CLOSED = replace(
    _OPEN, state="closed", impact=Impact.NONE, closed_by="quinn", closed_at=datetime(2026, 11, 1, tzinfo=UTC)
)


def _with(deviation: Deviation) -> Edit:
    return within("deviations", lambda deviations: (*deviations, deviation))


@rule(
    "GMP-06",
    Text("Every deviation is assessed and none speaks against the lot"),
    cites=(
        Citation(
            GMP,
            "chapter 10",
            Text("Deviations and results outside limits are investigated and assessed before release."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=(Role.QUALITY_AUTHORITY,),
    late_by_nature=("makers",),
    breaks=(
        Break(
            "a partner made it, and says nothing of its deviations",
            of_papers(only=("kind", "release"), covers=("equipment", "clean_area", "training")),
            outcome=Outcome.INDETERMINATE,
            also=("EXT-03",),
        ),
        Break("a critical deviation is open", _with(replace(_OPEN, severity=Severity.CRITICAL))),
        Break(
            "a major deviation is open", _with(replace(_OPEN, severity=Severity.MAJOR)), outcome=Outcome.NEEDS_WAIVER
        ),
        Break("a minor deviation is open", _with(_OPEN), outcome=Outcome.NEEDS_WAIVER),
        Break("an assessment found it unacceptable", _with(replace(_CLOSED, impact=Impact.UNACCEPTABLE))),
        Break(
            "closed without saying what it means for the cells",
            _with(replace(_CLOSED, impact=None)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("closed by nobody", _with(replace(_CLOSED, closed_by=None)), outcome=Outcome.INDETERMINATE),
        Break("whether there are deviations is unknown", without("deviations"), outcome=Outcome.INDETERMINATE),
    ),
)
def deviations_assessed(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each deviation by its class, its state and what its assessment says of the cells."""
    yield from certified(dossier, asked, "deviations")
    if dossier.deviations is None:
        yield lacks(
            dossier.subject,
            Text("It is not known whether there are deviations."),
            Text("Report this to whoever keeps the system."),
        )
    elif not dossier.deviations:
        yield shows(dossier.subject, Text("no deviation"))
    for deviation in dossier.deviations or ():
        yield _judge(deviation, asked)


def _judge(deviation: Deviation, asked: Asked) -> Statement:
    if deviation.impact is Impact.UNACCEPTABLE:
        return fails(
            deviation.number,
            Text("Its effect on the cells was found unacceptable: {what}", what=deviation.what),
            Text("Reject the lot."),
        )
    if deviation.state == "open":
        return _open(deviation)
    if (
        deviation.impact is None
        or deviation.closed_by is None
        or deviation.closed_at is None
        or deviation.closed_at > asked.at
    ):
        return lacks(
            deviation.number,
            Text("The assessment does not say what it means for the cells: {what}", what=deviation.what),
            Text("The QA manager assesses the effect on the cells and signs."),
        )
    return shows(
        deviation.number,
        Text(
            "assessed by {by} at {at}: {impact}",
            by=deviation.closed_by,
            at=deviation.closed_at,
            impact=_impact(deviation.impact),
        ),
    )


def _open(deviation: Deviation) -> Statement:
    problem = Text("It is not assessed yet: {what}", what=deviation.what)
    remedy = Text("Investigate what happened and what it means for the cells; the QA manager assesses it.")
    if deviation.severity is Severity.CRITICAL:
        return fails(deviation.number, problem, remedy)
    return wants_waiver(deviation.number, problem, remedy)


def _impact(impact: Impact) -> Text:
    return Text("no effect on the cells") if impact is Impact.NONE else Text("acceptable effect on the cells")
