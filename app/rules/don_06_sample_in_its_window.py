"""DON-06: the blood that was tested was taken within the window that goes with the donation's tissue."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain import settings
from app.domain.acts import Role
from app.domain.assessments import excuses, named
from app.domain.counterexamples import all_of, allogeneic, every, inside, setting, without
from app.domain.donors import days_from, negatives, window_of
from app.domain.dossier import Dossier
from app.domain.facts import Donation, Donor, SubjectKind
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
from app.domain.sources import EU_TISSUE_TESTS, US_DONORS
from app.domain.text import Text

_TOO_EARLY = datetime(2026, 9, 3, 8, tzinfo=UTC)
_AFTERWARDS = datetime(2026, 10, 4, 8, 30, tzinfo=UTC)


@rule(
    "DON-06",
    Text("Blood for the tests was taken within the window that goes with the donation"),
    cites=(
        Citation(
            US_DONORS,
            "1271.80(b)",
            Text("A sample is taken at recovery or within days of it; for marrow, up to a month before."),
            Standing.UNVERIFIED,
        ),
        Citation(
            EU_TISSUE_TESTS,
            "Annex II",
            Text("Samples of living donors are taken at the donation or within days of it."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G2, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break(
            "every sample was taken 31 days before the collection of marrow",
            inside("donors", "markers", sampled_at=_TOO_EARLY),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "the sample of one marker was taken too early",
            inside("donors", "markers", only=("marker", "HCV NAT"), sampled_at=_TOO_EARLY),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "marrow was sampled after the collection",
            inside("donors", "markers", only=("marker", "HIV NAT"), sampled_at=_AFTERWARDS),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "a tissue that has no window of its own, sampled eight days before",
            all_of(
                every("donations", tissue="skin"),
                inside("donations", "tissue_decisions", name="skin"),
                inside("donors", "markers", sampled_at=datetime(2026, 9, 26, 7, tzinfo=UTC)),
            ),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "an allogeneic donor's sample was taken too early",
            all_of(allogeneic, inside("donors", "markers", only=("marker", "anti-HTLV-I/II"), sampled_at=_TOO_EARLY)),
            outcome=Outcome.NEEDS_WAIVER,
            also=("DON-11",),
        ),
        Break(
            "the window ends before it begins",
            setting("don06.windows", {"other": {"from": 7, "to": -7}}),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "no window is set",
            setting("don06.windows", {"skin": {"from": -7, "to": 7}}),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the donations are unknown",
            without("donations"),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
            outcome=Outcome.INDETERMINATE,
            also=("DON-09", "DON-10", "DON-12"),
        ),
    ),
)
def sample_in_its_window(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """For each donation and each marker that is taken for negative, look for a sample within the window."""
    if not dossier.donors or not dossier.donations:
        yield lacks(
            dossier.subject,
            Text("The donor or the donation is not known."),
            Text("Trace the cells back to the donation that they came from."),
        )
    for donation in dossier.donations or ():
        for donor in dossier.donors or ():
            if donor.pseudonym == donation.donor:
                yield from _of_donation(dossier, asked, donor, donation)


def _of_donation(dossier: Dossier, asked: Asked, donor: Donor, donation: Donation) -> Iterator[Statement]:
    first, last = window_of(donation, settings.objects(dossier, "don06.windows"), asked.at)
    panels = [settings.word_lists(dossier, name) for name in ("don01.panel", "don02.panel")]
    tested = negatives(donor, panels, asked.at)
    if not tested:
        yield does_not_apply(donation.code, Text("no marker is taken for negative; other rules judge what is missing"))
        return
    outside = [
        marker
        for marker, results in tested.items()
        if not any(first <= days_from(donation, each) <= last for each in results)
    ]
    if not outside:
        yield shows(
            donation.code,
            Text(
                "{count} markers of samples within days {first} to {last} of the collection",
                count=len(tested),
                first=first,
                last=last,
            ),
        )
        return
    problem = Text(
        "The sample for {markers} was not taken within days {first} to {last} of the collection at {collected}.",
        markers=tuple(outside),
        first=first,
        last=last,
        collected=donation.collected_at,
    )
    began = processing_began_at(dossier) or asked.at
    if assessment := excuses(dossier, "DON-06", donor, began=began, at=asked.at):
        yield shows(
            donation.code,
            Text("{said} Assessed for this donor: {assessment}", said=problem, assessment=named(assessment)),
        )
        return
    yield wants_waiver(
        donation.code,
        problem,
        Text(
            "Test a sample that lies within the window. Where there is none: before processing an assessment about this "
            "donor, after it a waiver, both decided by the quality authority."
        ),
    )
