"""QA-01: the institution has one quality authority appointed today, and no second."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from app.domain.counterexamples import empty, every, within, without
from app.domain.dossier import Dossier
from app.domain.people import is_live
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
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_ALL_SIGNER_RULES = ("QA-02", "QA-03", "QA-04")


@rule(
    "QA-01",
    Text("A quality authority is appointed"),
    cites=(Citation(GUIDELINE, "§2", Text("The institution designates a quality authority."), Standing.RECONSTRUCTED),),
    gates=(Gate.G5, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("nobody was ever appointed", empty("appointments"), also=_ALL_SIGNER_RULES),
        Break("the appointment was revoked", every("appointments", revoked_at=_LONG_AGO), also=_ALL_SIGNER_RULES),
        Break("the appointment ran out", every("appointments", until_at=_LONG_AGO), also=_ALL_SIGNER_RULES),
        Break(
            "the appointment begins tomorrow",
            every("appointments", from_at=datetime(2030, 1, 1, tzinfo=UTC)),
            also=_ALL_SIGNER_RULES,
        ),
        Break(
            "two people are appointed at once",
            within("appointments", lambda found: (*found, replace(found[0], id=2, account="lin"))),
        ),
        Break(
            "the appointments are unknown",
            without("appointments"),
            outcome=Outcome.INDETERMINATE,
            also=_ALL_SIGNER_RULES,
        ),
    ),
)
def authority_appointed(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Ask for exactly one live appointment at the moment of signing, whoever comes to sign."""
    if dossier.appointments is None:
        yield lacks(
            dossier.subject,
            Text("It is not known who is appointed."),
            Text("Report this to whoever keeps the system."),
        )
        return
    live = tuple(each for each in dossier.appointments if is_live(each, asked.at))
    for appointment in live:
        yield shows(appointment.account, Text("appointed quality authority since {since}", since=appointment.from_at))
    if len(live) > 1:
        yield fails(
            dossier.subject,
            Text(
                "{count} people are appointed quality authority at this moment: {people}.",
                count=len(live),
                people=tuple(each.account for each in live),
            ),
            Text("One alone is responsible: have every other appointment revoked."),
        )
    if not live:
        yield fails(
            dossier.subject,
            Text("Nobody is appointed quality authority at this moment."),
            Text("Two people entitled to it support the appointment of a qualified person."),
        )
