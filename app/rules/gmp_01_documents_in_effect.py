"""GMP-01: the quality system stands: for each of its mandatory parts a document is in effect."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit, setting, within, without
from app.domain.documents import TYPE_NAMES, in_effect
from app.domain.dossier import Dossier
from app.domain.facts import Facility, SubjectKind
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
from app.domain.sources import GMP, GUIDELINE
from app.domain.text import Text

MANDATORY = "gmp01.mandatory"
_STEP = SubjectKind.STEP


def _documents(**changes: Any) -> Edit:
    def edited(facility: Facility) -> Facility:
        return replace(facility, documents=tuple(replace(each, **changes) for each in facility.documents))

    return within("facility", edited)


def _superseded_by_less(facility: Facility) -> Facility:
    last = facility.documents[-1]
    return replace(facility, documents=(*facility.documents, replace(last, version=last.version + 1, types=("other",))))


def _break(name: str, edit: Edit, outcome: Outcome = Outcome.FAIL) -> Break:
    return Break(name, edit, gate=Gate.G4, kind=_STEP, outcome=outcome)


@rule(
    "GMP-01",
    Text("Every mandatory part of the quality system has a document in effect"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Good manufacturing practice holds for self-made preparations as well."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            GMP,
            "chapter 8",
            Text("Documents are approved by quality before they take effect; only versions in effect are worked by."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G4, Gate.G8),
    waiver=NEVER,
    breaks=(
        _break("there are no documents", within("facility", lambda facility: replace(facility, documents=()))),
        _break("nothing regulates recalls", _documents(types=("procedures", "environmental_monitoring", "equipment"))),
        _break("nobody approved them", _documents(approved_by=None, approved_at=None)),
        _break("whoever wrote them approved them", _documents(approved_by="quinn")),
        _break("approved only after the step is to begin", _documents(approved_at=datetime(2026, 11, 1, tzinfo=UTC))),
        _break("approved, and not in effect yet", _documents(effective_from=datetime(2026, 12, 1, tzinfo=UTC))),
        _break("a later version no longer regulates what the earlier one did", within("facility", _superseded_by_less)),
        Break(
            "what stands in the house is unknown",
            without("facility"),
            gate=Gate.G4,
            kind=_STEP,
            outcome=Outcome.INDETERMINATE,
            also=("ORG-06",),
        ),
        _break("what is mandatory is not set", setting(MANDATORY, []), Outcome.INDETERMINATE),
    ),
)
def documents_in_effect(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge what was in effect when the step begins, or at the moment that is judged."""
    if dossier.facility is None:
        yield lacks(
            dossier.subject,
            Text("It is not known which documents are in effect."),
            Text("Report this to whoever keeps the system."),
        )
        return
    at = asked.at if dossier.plan is None else dossier.plan.at
    standing = in_effect(dossier.facility.documents, at)
    for wanted in settings.words(dossier, MANDATORY):
        found = [each for each in standing if wanted in each.types]
        named = TYPE_NAMES.get(wanted, Text("{kind}", kind=wanted))
        if found:
            yield shows(
                dossier.subject,
                Text(
                    "{kind}: {documents}",
                    kind=named,
                    documents=tuple(f"{each.number} v{each.version}" for each in found),
                ),
            )
        else:
            yield fails(
                dossier.subject,
                Text("No document about {kind} was approved and in effect at {at}.", kind=named, at=at),
                Text("Propose the document and have quality approve it; no step begins before it is in effect."),
            )
