"""DON-04: an autologous donor may be positive or untested only where the risk was assessed beforehand."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain import settings
from app.domain.acts import Role
from app.domain.assessments import is_about_donor, named, stood
from app.domain.counterexamples import add, all_of, drop_inside, every, inside, without
from app.domain.donors import MarkerReading, MarkerState, as_known_at, is_proved_autologous, read_panel, state_of
from app.domain.dossier import Dossier
from app.domain.facts import Assessment, Donor, MarkerOutcome, Mitigation, SubjectKind
from app.domain.processing import processing_began_at
from app.domain.rulebook import (
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    does_not_apply,
    lacks,
    rule,
    shows,
    wants_waiver,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_OF_THE_DONOR = Assessment(
    number="AS-26-0044",
    version=1,
    rule="DON-04",
    title="Autologous use although HBsAg is positive",
    scope_kind="donor",
    scope="P-DONOR-1",
    hazard="the donor's own infection returns with the cells",
    mitigations=(Mitigation("the donor's physician was told", "medical_review"),),
    conclusion="acceptable for this donor alone",
    proposed_by="phil",
    approved_by="rhea",
    approved_at=datetime(2026, 10, 20, 9, tzinfo=UTC),
    valid_from=datetime(2026, 10, 1, 9, tzinfo=UTC),
    valid_to=datetime(2027, 10, 1, 9, tzinfo=UTC),
    superseded=False,
)
_POSITIVE = inside("donors", "markers", only=("marker", "HBsAg"), outcome=MarkerOutcome.POSITIVE)
_WANTS = Outcome.NEEDS_WAIVER
_TOO_LITTLE = ("DON-05",)
"""What the clean dossier assesses about cross-contamination is about the process: too little for such a donor."""


@rule(
    "DON-04",
    Text("An autologous donor's positive or missing marker was assessed before processing"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("For autologous use the exclusion of donors may be relaxed."),
            Standing.STATED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("The same panel is tested; what is positive or left out is assessed and said."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G2, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("HBsAg of the patient is positive", _POSITIVE, outcome=_WANTS, also=_TOO_LITTLE),
        Break(
            "HBsAg of the patient is positive before processing",
            _POSITIVE,
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=_WANTS,
            also=_TOO_LITTLE,
        ),
        Break(
            "HIV NAT of the patient is inconclusive",
            inside("donors", "markers", only=("marker", "HIV NAT"), outcome=MarkerOutcome.INCONCLUSIVE),
            outcome=_WANTS,
            also=_TOO_LITTLE,
        ),
        Break(
            "syphilis of the patient is pending",
            inside("donors", "markers", only=("marker", "treponemal"), outcome=MarkerOutcome.PENDING, reported_at=None),
            outcome=_WANTS,
            also=_TOO_LITTLE,
        ),
        Break(
            "HCV of the patient was never tested",
            drop_inside("donors", "markers", ("analyte", "HCV")),
            outcome=_WANTS,
            also=_TOO_LITTLE,
        ),
        Break(
            "HCV NAT of the patient was reported after the isolation",
            inside("donors", "markers", only=("marker", "HCV NAT"), reported_at=datetime(2026, 10, 10, 9, tzinfo=UTC)),
            outcome=_WANTS,
            also=_TOO_LITTLE,
        ),
        Break(
            "HCV NAT of the patient was recorded after the isolation, of an earlier report",
            inside("donors", "markers", only=("marker", "HCV NAT"), recorded_at=datetime(2026, 10, 10, 9, tzinfo=UTC)),
            outcome=_WANTS,
            also=_TOO_LITTLE,
        ),
        Break(
            "assessed after processing had begun",
            all_of(_POSITIVE, add("assessments", _OF_THE_DONOR)),
            outcome=_WANTS,
            also=_TOO_LITTLE,
        ),
        Break(
            "only the process was assessed",
            all_of(_POSITIVE, every("assessments", rule="DON-04")),
            outcome=_WANTS,
            also=_TOO_LITTLE,
        ),
        Break(
            "the donors of a donation are unknown",
            without("donors"),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=Outcome.INDETERMINATE,
            also=("DON-01", "DON-02", "DON-05", "DON-06", "DON-08", "DON-10", "DON-11"),
        ),
    ),
)
def autologous_exceptions(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each autologous donor's panel, as known when processing began, or now where it has not."""
    if not dossier.donors:
        yield lacks(
            dossier.subject, Text("No donor is known."), Text("Register the donor before the donation is processed.")
        )
    panel = settings.word_lists(dossier, "don01.panel")
    began = processing_began_at(dossier) or asked.at
    for donor in dossier.donors or ():
        if not is_proved_autologous(donor):
            yield does_not_apply(donor.pseudonym, Text("not proved autologous: judged as allogeneic"))
            continue
        then = {(each.analyte, each.marker): each for each in read_panel(as_known_at(donor, began), panel, began)}
        for reading in read_panel(donor, panel, asked.at):
            yield _judge(dossier, asked, donor, reading, then.get((reading.analyte, reading.marker)), began)


def _judge(
    dossier: Dossier,
    asked: Asked,
    donor: Donor,
    reading: MarkerReading,
    then: MarkerReading | None,
    began: datetime,
) -> Statement:
    if reading.is_negative and then is not None and then.is_negative:
        return shows(
            donor.pseudonym,
            Text("{marker} negative, known since {known}", marker=reading.marker, known=reading.negative_since or ""),
        )
    # One stood when processing began, and one (it or a later version) stands now.
    stands = [each for each in stood(dossier, "DON-04", asked.at) if is_about_donor(each, donor)]
    stood_then = any(is_about_donor(each, donor) for each in stood(dossier, "DON-04", began))
    said = _said(reading, began)
    if stands and stood_then:
        return shows(
            donor.pseudonym,
            Text("{said} Assessed for this donor: {assessment}", said=said, assessment=named(stands[0])),
        )
    return wants_waiver(
        donor.pseudonym,
        said,
        Text(
            "Before processing: assess the risk for this donor and have the quality authority approve it. After it: the "
            "quality authority decides on a waiver."
        ),
    )


def _said(reading: MarkerReading, began: datetime) -> Text:
    match state_of(reading):
        case MarkerState.POSITIVE:
            return Text("{marker} is positive.", marker=reading.marker)
        case MarkerState.OPEN:
            return Text("{marker} is not settled.", marker=reading.marker)
        case MarkerState.MISSING:
            return Text("There is no result for {marker}.", marker=reading.marker)
        case MarkerState.NEGATIVE:
            return Text(
                "{marker} was not known to be negative when processing began at {began}.",
                marker=reading.marker,
                began=began,
            )
