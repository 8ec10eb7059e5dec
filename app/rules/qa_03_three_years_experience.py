"""QA-03: the quality authority had three years in the quality management of stem cell preparation when appointed."""

from collections.abc import Iterator
from datetime import date, timedelta

from app.domain import settings
from app.domain.counterexamples import every, inside
from app.domain.dossier import Dossier
from app.domain.facts import Appointment, Experience
from app.domain.people import DAYS_IN_A_YEAR, counted_days, signers_appointment
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


def _post(from_on: date, to_on: date, domain: str = "stem_cell_quality_management") -> Experience:
    return Experience("Hospital One", "QA manager", domain, from_on, to_on, "letter of 2026-01-05")


@rule(
    "QA-03",
    Text("The quality authority had three years of experience when appointed"),
    cites=(
        Citation(
            GUIDELINE,
            "§2",
            Text("The quality authority has at least three years in quality management of stem cell preparation."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G5, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break(
            "two posts at once counted twice",
            every(
                "appointments",
                experience=(
                    _post(date(2020, 1, 1), date(2021, 12, 31)),
                    _post(date(2020, 1, 1), date(2021, 12, 31)),
                ),
            ),
        ),
        Break(
            "general pharmaceutical quality assurance",
            inside("appointments", "experience", domain="pharmaceutical_quality_assurance"),
        ),
        Break(
            "years gathered after the appointment",
            inside("appointments", "experience", from_on=date(2025, 6, 1), to_on=None),
        ),
        Break("no evidence", inside("appointments", "experience", evidence=None)),
        Break("no experience on record", every("appointments", experience=()), outcome=Outcome.INDETERMINATE),
    ),
)
def three_years_experience(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Count the days of the union of evidenced intervals in the right field, up to the day before the appointment."""
    if asked.signer is None:
        yield waits(dossier.subject, Text("the experience of whoever comes to sign"))
        return
    appointment = signers_appointment(dossier, asked.signer, asked.at)
    if appointment is None:
        yield lacks(
            asked.signer.account,
            Text("The signer holds no live appointment, so no experience is on record."),
            Text("Only the appointed quality authority signs."),
        )
    elif not appointment.experience:
        yield lacks(
            appointment.account,
            Text("No experience is on record with the appointment."),
            Text("File the posts held, with their evidence, with a new appointment."),
        )
    else:
        yield _judge(dossier, appointment)


def _judge(dossier: Dossier, appointment: Appointment) -> Statement:
    needed_days = settings.number(dossier, "qa03.years") * DAYS_IN_A_YEAR
    counted = counted_days(
        appointment.experience,
        domains=settings.words(dossier, "qa03.domains"),
        until=appointment.from_at.date() - timedelta(days=1),
    )
    said = Text("{counted} days of evidenced experience, {needed} needed", counted=counted, needed=needed_days)
    if counted < needed_days:
        return fails(appointment.account, said, Text("Appoint somebody whose experience suffices and is evidenced."))
    return shows(appointment.account, said)
