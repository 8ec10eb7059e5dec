"""Donors: whose material it is, and what their infection markers say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from app.domain.facts import Donor, Marker, MarkerOutcome, Relation
from app.domain.text import Text

OUTCOME_NAMES: Mapping[MarkerOutcome, Text] = MappingProxyType(
    {
        MarkerOutcome.NEGATIVE: Text("negative"),
        MarkerOutcome.POSITIVE: Text("positive"),
        MarkerOutcome.INCONCLUSIVE: Text("inconclusive"),
        MarkerOutcome.PENDING: Text("pending"),
    }
)
IDENTIFIER_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "hospital_number": Text("hospital number"),
        "birth_date": Text("date of birth"),
        "name": Text("name of the person"),
        "national_id": Text("identity card number"),
        "wristband": Text("wristband"),
    }
)


def is_proved_autologous(donor: Donor) -> bool:
    """Whether donor, person tested, genetic source and recipient are recorded as one and the same person."""
    return donor.relation is Relation.AUTOLOGOUS and (
        donor.pseudonym == donor.recipient == donor.genetic_source == donor.tested_person
    )


@dataclass(frozen=True, slots=True)
class MarkerReading:
    """Everything that a donor's results say about one marker of the panel.

    `negative_since` is when the first negative result was reported; `unsettled` are results still open.
    """

    analyte: str
    marker: str
    positives: tuple[Marker, ...]
    unsettled: tuple[Marker, ...]
    negative_since: datetime | None

    @property
    def is_negative(self) -> bool:
        """Whether a negative result stands and nothing stands against it."""
        return self.negative_since is not None and not self.positives and not self.unsettled


def read_panel(donor: Donor, panel: Mapping[str, tuple[str, ...]], at: datetime) -> Iterator[MarkerReading]:
    """Each marker of the panel, then each marker outside it that was done for one of its analytes."""
    for analyte, names in panel.items():
        done = [each for each in donor.markers if same(each.analyte, analyte)]
        further = sorted({each.marker for each in done if not any(same(each.marker, name) for name in names)})
        for name in (*names, *further):
            yield _reading(analyte, name, [each for each in done if same(each.marker, name)], at)


def _settled(pending: Marker, results: list[Marker]) -> bool:
    """Whether the laboratory has since answered for the very sample that was pending."""
    return any(
        each.outcome is not MarkerOutcome.PENDING and each.id > pending.id and each.sampled_at == pending.sampled_at
        for each in results
    )


def same(one: str, other: str) -> bool:
    """Whether two names of a marker or analyte are one name."""
    return one.strip().casefold() == other.strip().casefold()


def _reading(analyte: str, name: str, results: list[Marker], at: datetime) -> MarkerReading:
    latest = max(results, key=lambda each: (each.sampled_at, each.id), default=None)
    return MarkerReading(
        analyte=analyte,
        marker=name,
        positives=tuple(each for each in results if each.outcome is MarkerOutcome.POSITIVE),
        unsettled=tuple(
            each
            for each in results
            if (each.outcome is MarkerOutcome.PENDING and not _settled(each, results))
            or (each.outcome is MarkerOutcome.INCONCLUSIVE and each is latest)
            or (each.outcome is MarkerOutcome.NEGATIVE and (each.reported_at is None or each.reported_at > at))
        ),
        negative_since=min(
            (
                each.reported_at
                for each in results
                if each.outcome is MarkerOutcome.NEGATIVE and each.reported_at is not None and each.reported_at <= at
            ),
            default=None,
        ),
    )
