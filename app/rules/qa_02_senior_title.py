"""QA-02: the quality authority who signs holds a senior professional title."""

from collections.abc import Iterator
from datetime import date

from app.domain import settings
from app.domain.counterexamples import every
from app.domain.dossier import Dossier
from app.domain.facts import Appointment
from app.domain.people import TITLE_NAMES, signers_appointment
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
    waits,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text


@rule(
    "QA-02",
    Text("The quality authority holds a senior title"),
    cites=(
        Citation(GUIDELINE, "§2", Text("The quality authority holds a senior professional title."), Standing.STATED),
        Citation(
            GUIDELINE,
            "§2",
            Text("Whether an associate senior title suffices is not known; unless a setting says so, it does not."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G5, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("an associate senior title", every("appointments", title_level="associate_senior")),
        Break("another title", every("appointments", title_level="other")),
        Break("no title on record", every("appointments", title_level=None), outcome=Outcome.INDETERMINATE),
        Break("no certificate", every("appointments", title_certificate=None), outcome=Outcome.INDETERMINATE),
        Break("the certificate ran out", every("appointments", certificate_valid_until=date(2026, 1, 1))),
    ),
)
def senior_title(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the title in the appointment under which the signer acts, on the day of signing."""
    if asked.signer is None:
        yield waits(dossier.subject, Text("the title of whoever comes to sign"))
        return
    appointment = signers_appointment(dossier, asked.signer, asked.at)
    if appointment is None:
        yield lacks(
            asked.signer.account,
            Text("The signer holds no live appointment, so no title is on record."),
            Text("Only the appointed quality authority signs."),
        )
    else:
        yield from _judge(dossier, asked, appointment)


def _judge(dossier: Dossier, asked: Asked, appointment: Appointment) -> Iterator[Statement]:
    accepted = settings.words(dossier, "qa02.title_levels")
    if appointment.title_level is None or not (appointment.title_certificate or "").strip():
        yield lacks(
            appointment.account,
            Text("The title or its certificate is not on record."),
            Text("File the certificate with a new appointment."),
        )
    elif appointment.title_level not in accepted:
        yield fails(
            appointment.account,
            Text(
                "The title is {level}; accepted: {accepted}.",
                level=_named(appointment.title_level),
                accepted=tuple(_named(each) for each in accepted),
            ),
            Text("Appoint somebody who holds such a title."),
        )
    elif appointment.certificate_valid_until is not None and appointment.certificate_valid_until < asked.at.date():
        yield fails(
            appointment.account,
            Text("The certificate was valid until {date}.", date=appointment.certificate_valid_until),
            Text("Renew the certificate and appoint anew."),
        )
    else:
        yield shows(
            appointment.account,
            Text(
                "title {level}, certificate {certificate}",
                level=_named(appointment.title_level),
                certificate=appointment.title_certificate or "",
            ),
        )


def _named(level: str) -> Text | str:
    return TITLE_NAMES.get(level, level)
