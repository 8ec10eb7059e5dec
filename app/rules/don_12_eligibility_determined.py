"""DON-12: a responsible person has signed that the donor is eligible, before the material is processed."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain.counterexamples import empty, every, inside, without
from app.domain.dossier import Dossier
from app.domain.facts import Determination, Donation, Eligibility, LegacyAbout, SubjectKind
from app.domain.processing import processing_began_at, too_late
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
    undocumented,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_UNKNOWN = ("DON-06", "DON-07", "DON-09", "DON-10")


@rule(
    "DON-12",
    Text("The donor's eligibility was determined by signature before processing"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "A responsible person determines whether a donor is eligible; until then the material is quarantined."
            ),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G2, Gate.G3, Gate.G6),
    waiver=NEVER,
    legacy=(LegacyAbout.DONOR,),
    breaks=(
        Break("nobody has determined it", every("donations", determination=None), outcome=Outcome.INDETERMINATE),
        Break(
            "nobody has determined it before processing",
            every("donations", determination=None),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("found ineligible", inside("donations", "determination", decision=Eligibility.INELIGIBLE)),
        Break(
            "the determination ran out before processing",
            inside("donations", "determination", valid_until=datetime(2026, 10, 1, tzinfo=UTC)),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
        Break(
            "signed after the isolation",
            inside("donations", "determination", signed_at=datetime(2026, 10, 9, tzinfo=UTC)),
        ),
        Break("the lot has no donation", empty("donations"), outcome=Outcome.INDETERMINATE, also=_UNKNOWN),
        Break("its donations are unknown", without("donations"), outcome=Outcome.INDETERMINATE, also=_UNKNOWN),
    ),
)
def eligibility_determined(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each donation by the determination that stood when its processing began, or stands now."""
    if not dossier.donations:
        yield lacks(
            dossier.subject,
            Text("No donation is known."),
            Text("Trace the cells back to the donation that they came from."),
        )
    for donation in dossier.donations or ():
        if donation.determination is None:
            yield undocumented(
                donation.code,
                Text("The donor's eligibility has not been determined."),
                Text("A physician or the QA manager examines the donor's record and signs; until then: quarantine."),
            )
        else:
            yield _judge(dossier, asked, donation, donation.determination)


def _judge(dossier: Dossier, asked: Asked, donation: Donation, determination: Determination) -> Statement:
    needed_at = processing_began_at(dossier) or asked.at
    if determination.decision is Eligibility.INELIGIBLE:
        return fails(
            donation.code,
            Text("{by} found the donor ineligible.", by=determination.signed_by),
            Text("Reject the donation and what was made of it."),
        )
    if determination.signed_at > needed_at:
        return too_late(
            dossier,
            "DON-12",
            subject=donation.code,
            problem=Text(
                "Eligibility was signed at {signed}, after processing began at {began}.",
                signed=determination.signed_at,
                began=needed_at,
            ),
        )
    if determination.valid_until is not None and determination.valid_until <= needed_at:
        return fails(
            donation.code,
            Text("The determination was valid until {until}.", until=determination.valid_until),
            Text("Examine the donor anew; an expired determination carries no processing."),
        )
    return shows(
        donation.code,
        Text("found eligible by {by} at {signed}", by=determination.signed_by, signed=determination.signed_at),
    )
