"""Lots that a partner made: who made them, what the partner's papers show, and of which steps that is asked."""

from collections.abc import Iterator
from datetime import date, datetime

from app.domain import settings
from app.domain.dossier import Dossier
from app.domain.equipment import day_of
from app.domain.facts import Maker, Partner, PartnerPaper, Step
from app.domain.partners import COVERED_NAMES
from app.domain.rulebook import Asked, Statement, does_not_apply, lacks, shows
from app.domain.text import Text


def steps_at_a_partner(dossier: Dossier) -> tuple[Step, ...]:
    """The steps that a partner made, in the order in which they began."""
    made = (step for step in dossier.steps or () if step.partner is not None)
    return tuple(sorted(made, key=lambda step: (step.started_at, step.id)))


def made_elsewhere_alone(dossier: Dossier) -> bool:
    """Whether there are steps, and a partner made every one."""
    return bool(dossier.steps) and all(step.partner is not None for step in dossier.steps or ())


def of_makers(dossier: Dossier) -> Iterator[Statement]:
    """What is to be said where no maker is named: that the lot was made here, or that this is not known."""
    if dossier.makers is None:
        yield lacks(
            dossier.subject,
            Text("It is not known whether a partner made the lot."),
            Text("Report this to whoever keeps the system."),
        )
    elif not dossier.makers and steps_at_a_partner(dossier):
        yield lacks(
            dossier.subject,
            Text("Steps were made by a partner, and which one made the lot is not on record."),
            Text("Report this to whoever keeps the system."),
        )
    elif not dossier.makers:
        yield does_not_apply(dossier.subject, Text("the lot was made in this house"))


def partner_of(dossier: Dossier, maker: Maker) -> Partner | None:
    """The maker with its assessments and agreements; None where these are not known."""
    return next((each for each in dossier.partners or () if each.name == maker.partner), None)


def last_paper(maker: Maker, kind: str, *, at: datetime) -> PartnerPaper | None:
    """The maker's paper of this kind that was recorded last, of those on record by then; None where there is none.

    One that speaks against the lot counts whenever it came, and stays the last until a paper that was recorded after it,
    and not signed before it, speaks for the lot: no date hides it.
    """
    sent = [each for each in maker.papers if each.kind == kind]
    found = [each for each in sent if each.recorded_at <= at and each.signed_at <= at]
    against = [each for each in sent if not each.conforms and not any(_answers(other, each) for other in found)]
    return max(against or found, key=lambda each: each.id, default=None)


def _answers(paper: PartnerPaper, against: PartnerPaper) -> bool:
    return paper.conforms and paper.id > against.id and paper.signed_at >= against.signed_at


def making_days(dossier: Dossier, asked: Asked) -> tuple[datetime, date, date]:
    """When the partner began, and the first and the last day of its work; the planned step, or now, where nothing is told."""
    offset = settings.number(dossier, "facility.utc_offset_hours")
    steps = steps_at_a_partner(dossier)
    if not steps:
        at = asked.at if dossier.plan is None else dossier.plan.at
        return at, day_of(at, utc_offset_hours=offset), day_of(at, utc_offset_hours=offset)
    began, ended = steps[0].started_at, max(step.ended_at or step.started_at for step in steps)
    return began, day_of(began, utc_offset_hours=offset), day_of(ended, utc_offset_hours=offset)


def certified(dossier: Dossier, asked: Asked, covered: str) -> Iterator[Statement]:
    """What the partner's own release says of its house, where a partner made steps of the lot. Nothing where none did."""
    steps = steps_at_a_partner(dossier)
    if not steps:
        return
    for name in dict.fromkeys(step.partner or "" for step in steps):
        maker = next((each for each in dossier.makers or () if each.partner == name), None)
        release = None if maker is None else last_paper(maker, "release", at=asked.at)
        if release is None or not release.conforms or covered not in release.covers:
            yield lacks(
                name,
                Text("{name}: its release does not state this: {what}.", name=name, what=COVERED_NAMES[covered]),
                Text("Ask the partner for a signed statement about this lot, and record it with its file."),
            )
            continue
        say = does_not_apply if made_elsewhere_alone(dossier) else shows
        yield say(
            name,
            Text(
                "made by {name}, whose release {reference}, signed by {by} at {at}, states: {what}",
                name=name,
                reference=release.reference,
                by=release.signed_by,
                at=release.signed_at,
                what=COVERED_NAMES[covered],
            ),
        )
