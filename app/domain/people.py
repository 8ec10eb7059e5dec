"""People in a dossier: the quality authority's appointment, title and experience, and who had a hand in a lot."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from app.domain.dossier import Dossier
from app.domain.facts import Appointment, Experience, Signer
from app.domain.text import Text

DAYS_IN_A_YEAR = Decimal("365.25")

TITLE_NAMES: Mapping[str, Text] = {
    "senior": Text("senior"),
    "associate_senior": Text("associate senior"),
    "other": Text("another title"),
}

TOPIC_NAMES: Mapping[str, Text] = {
    "gowning": Text("gowning"),
    "line_clearance": Text("line clearance"),
    "isolation": Text("isolation"),
    "passage": Text("passage"),
    "fill": Text("fill"),
    "cryopreservation": Text("cryopreservation"),
    "thaw": Text("thaw"),
}
"""What people at the bench are trained for. A laboratory's setting may name further topics."""


def is_live(appointment: Appointment, at: datetime) -> bool:
    """Whether the appointment holds at the moment."""
    return (
        appointment.from_at <= at
        and (appointment.until_at is None or at < appointment.until_at)
        and (appointment.revoked_at is None or at < appointment.revoked_at)
    )


def signers_appointment(dossier: Dossier, signer: Signer, at: datetime) -> Appointment | None:
    """The live appointment under which the signer acts: the one named, and the signer's own."""
    return next(
        (
            each
            for each in dossier.appointments or ()
            if each.id == signer.appointment_id and each.account == signer.account and is_live(each, at)
        ),
        None,
    )


def counted_days(experience: Iterable[Experience], *, domains: Iterable[str], until: date) -> int:
    """Days of the union of the intervals in these domains for which evidence is on file, up to a day.

    Days in two posts at once count once; an interval without an end runs on. A first and a last day both count.
    """
    wanted = frozenset(domains)
    intervals = sorted(
        (each.from_on, min(each.to_on or until, until))
        for each in experience
        if each.domain in wanted and (each.evidence or "").strip()
    )
    days, counted_to = 0, date.min
    for begins, ends in intervals:
        if ends <= counted_to or ends < begins:
            continue
        days += (ends - begins).days + 1 if begins > counted_to else (ends - counted_to).days
        counted_to = ends
    return days


HANDS: Mapping[str, Text] = {
    "performed": Text("performed a step"),
    "verified": Text("verified a step"),
    "cleared": Text("cleared the line"),
    "verified_clearance": Text("verified a line clearance"),
    "tested": Text("tested a sample"),
    "reviewed_result": Text("reviewed a result"),
    "recorded": Text("recorded a step or a result, or took a sample"),
    "reviewed_batch": Text("reviewed the batch record"),
}


def hands_in(dossier: Dossier, account: str) -> tuple[Text, ...]:
    """What this person did for the lot, each once."""
    steps, results = dossier.steps or (), dossier.results or ()
    did = {
        "performed": any(step.performed_by == account for step in steps),
        "verified": any(step.verified_by == account for step in steps),
        "cleared": any(step.clearance_performed_by == account for step in steps),
        "verified_clearance": any(step.clearance_verified_by == account for step in steps),
        "tested": any(result.analyst == account for result in results),
        "reviewed_result": any(result.review is not None and result.review.by == account for result in results),
        "recorded": account in (dossier.recorders or ()),
        "reviewed_batch": dossier.batch_review is not None and dossier.batch_review.by == account,
    }
    return tuple(HANDS[hand] for hand, is_so in did.items() if is_so)
