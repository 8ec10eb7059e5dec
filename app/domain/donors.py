"""Donors: whose material it is, and what their infection markers say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
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
SCOPE_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        "donation": Text("donation"),
        "testing": Text("testing for infections"),
        "processing": Text("processing"),
        "storage": Text("storage and banking"),
        "autologous use": Text("use for the donor"),
        "allogeneic use": Text("use for somebody else"),
        "gene modification": Text("gene modification"),
        "research": Text("research"),
        "commercial use": Text("commercial use"),
    }
)
"""The uses that a consent may cover, as they are kept. A consent form's other uses are written beside."""


class MarkerState(StrEnum):
    """How a marker stands once all its results are read together."""

    POSITIVE = "positive"
    OPEN = "open"
    NEGATIVE = "negative"
    MISSING = "missing"


MARKER_STATE_NAMES: Mapping[MarkerState, Text] = MappingProxyType(
    {
        MarkerState.POSITIVE: Text("positive"),
        MarkerState.OPEN: Text("open"),
        MarkerState.NEGATIVE: Text("negative"),
        MarkerState.MISSING: Text("not tested"),
    }
)


def is_proved_autologous(donor: Donor) -> bool:
    """Whether donor, person tested, genetic source and recipient are recorded as one and the same person."""
    return donor.relation is Relation.AUTOLOGOUS and (
        donor.pseudonym == donor.recipient == donor.genetic_source == donor.tested_person
    )


def as_known_at(donor: Donor, at: datetime) -> Donor:
    """The donor as known at a moment: no later sample, and what was not yet reported was pending."""
    return replace(
        donor,
        markers=tuple(
            each
            if each.reported_at is None or each.reported_at <= at
            else replace(each, outcome=MarkerOutcome.PENDING, reported_at=None)
            for each in donor.markers
            if each.sampled_at <= at
        ),
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


def state_of(reading: MarkerReading) -> MarkerState:
    """How the marker stands: a positive weighs more than what is open, and only a settled negative is one."""
    if reading.positives:
        return MarkerState.POSITIVE
    if reading.unsettled:
        return MarkerState.OPEN
    return MarkerState.NEGATIVE if reading.is_negative else MarkerState.MISSING


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
