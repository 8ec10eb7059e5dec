"""DON-07: cells for others wait until the window period is closed, by a second test or by nucleic acid tests at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from app.domain import settings
from app.domain.acts import Role
from app.domain.counterexamples import Edit, all_of, allogeneic, inside, setting, without
from app.domain.donors import days_from, is_proved_autologous, same, window_of
from app.domain.dossier import Dossier
from app.domain.facts import Donation, Donor, Marker, MarkerOutcome
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
from app.domain.sources import EU_TISSUE_TESTS
from app.domain.text import Text

_BEFORE_THE_WINDOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


def _nucleic_acid(**changes: object) -> Edit:
    return all_of(allogeneic, *(inside("donors", "markers", only=("marker", each), **changes) for each in _NAMES))


_NAMES = ("HIV NAT", "HBV NAT", "HCV NAT")


@rule(
    "DON-07",
    Text("The window period of an allogeneic donor is closed"),
    cites=(
        Citation(
            EU_TISSUE_TESTS,
            "Annex II",
            Text(
                "What is stored for others is tested again after half a year, or by nucleic acid tests at the donation."
            ),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G3, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    late_by_nature=("donors",),  # the second test comes half a year after the donation
    breaks=(
        Break(
            "no nucleic acid test, and no second test",
            _nucleic_acid(marker="HIV p24", analyte="other"),
            outcome=Outcome.NEEDS_WAIVER,
            also=("DON-01",),
        ),
        Break(
            "the nucleic acid tests are of a sample from before the window",
            _nucleic_acid(sampled_at=_BEFORE_THE_WINDOW),
            outcome=Outcome.NEEDS_WAIVER,
            also=("DON-06", "DON-11"),
        ),
        Break(
            "the nucleic acid test for HCV is inconclusive",
            all_of(
                allogeneic,
                inside("donors", "markers", only=("marker", "HCV NAT"), outcome=MarkerOutcome.INCONCLUSIVE),
            ),
            outcome=Outcome.NEEDS_WAIVER,
            also=("DON-01",),
        ),
        Break(
            "a nucleic acid test that this setting asks for was not done",
            all_of(allogeneic, setting("don07.nat", {"HIV": ["HIV RNA"], "HBV": ["HBV NAT"], "HCV": ["HCV NAT"]})),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "the setting leaves out HCV",
            all_of(allogeneic, setting("don07.nat", {"HIV": ["HIV NAT"], "HBV": ["HBV NAT"]})),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the donors are unknown",
            without("donors"),
            outcome=Outcome.INDETERMINATE,
            also=(
                "CB-03",
                "DON-01",
                "DON-02",
                "DON-04",
                "DON-05",
                "DON-06",
                "DON-08",
                "DON-10",
                "DON-11",
                "DON-14",
                "GMP-03",
                "REL-05",
            ),
        ),
    ),
)
def window_period_closed(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each donation for others by its own sample, or by one taken long enough afterwards.

    The second test is late by nature: it counts whenever it is reported, for what is released after it.
    """
    if not dossier.donors or not dossier.donations:
        yield lacks(
            dossier.subject,
            Text("The donor or the donation is not known."),
            Text("Trace the cells back to the donation that they came from."),
        )
    for donor in dossier.donors or ():
        if is_proved_autologous(donor):
            yield does_not_apply(
                donor.pseudonym,
                Text("autologous: donor, person tested, genetic source and recipient are one person"),
            )
            continue
        for donation in dossier.donations or ():
            if donation.donor == donor.pseudonym:
                yield from _of_donation(dossier, asked, donor, donation)


def _of_donation(dossier: Dossier, asked: Asked, donor: Donor, donation: Donation) -> Iterator[Statement]:
    nucleic = settings.word_lists(dossier, "don07.nat")
    absent = tuple(each for each in ("HIV", "HBV", "HCV") if not nucleic.get(each))
    if absent:
        yield lacks(
            dossier.subject,
            Text("The panel in force leaves out {analytes}.", analytes=absent),
            Text("Restore the setting don07.nat: these three infections have a window period."),
        )
    panel = settings.word_lists(dossier, "don01.panel")
    first, last = window_of(donation, settings.objects(dossier, "don06.windows"), asked.at)
    days = settings.number(dossier, "don07.retest_days")
    for analyte, names in nucleic.items():
        own = [each for each in _negative(donor, analyte, asked.at) if any(same(each.marker, name) for name in names)]
        at_once = [each for each in own if first <= days_from(donation, each) <= last]
        again = _tested_again(donor, analyte, panel.get(analyte, ()), donation, days=int(days), at=asked.at)
        if at_once:
            yield shows(
                donation.code,
                Text("{marker} negative of the donation's own sample", marker=at_once[0].marker),
            )
        elif again is not None:
            yield shows(
                donation.code,
                Text("{analyte}: tested again at {at}, negative", analyte=analyte, at=again.sampled_at),
            )
        else:
            yield wants_waiver(
                donation.code,
                Text(
                    "{analyte}: no nucleic acid test of the donation's own sample is negative, and the donor was not "
                    "tested again {days} days after it.",
                    analyte=analyte,
                    days=days,
                ),
                Text("Keep the cells in quarantine and test the donor again, or have the kept sample tested."),
            )


def _negative(donor: Donor, analyte: str, at: datetime) -> list[Marker]:
    return [
        each
        for each in donor.markers
        if same(each.analyte, analyte)
        and each.outcome is MarkerOutcome.NEGATIVE
        and each.known_at is not None
        and each.known_at <= at
    ]


def _tested_again(
    donor: Donor, analyte: str, names: tuple[str, ...], donation: Donation, *, days: int, at: datetime
) -> Marker | None:
    """The last of the second tests, where every marker of the infection was tested again and none was positive."""
    since = donation.collected_at + timedelta(days=days)
    later = [each for each in _negative(donor, analyte, at) if each.sampled_at >= since]
    if not names or not all(any(same(each.marker, name) for each in later) for name in names):
        return None
    return max(later, key=lambda each: each.sampled_at)
