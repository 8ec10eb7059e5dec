"""Donors: whose material it is, and what their infection markers say."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from app.domain.facts import Donation, Donor, Marker, MarkerOutcome, Permit, Relation, Sampling, TissueDecision
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
        "use before all results": Text("use before all results are there"),
    }
)
"""The uses that a consent may cover, as they are kept. A consent form's other uses are written beside."""


ANSWERS: Mapping[str, Text] = MappingProxyType({"yes": Text("yes"), "no": Text("no"), "unknown": Text("not known")})
QUESTION_GROUPS: Mapping[str, Text] = MappingProxyType(
    {
        "infection": Text("risk of infection"),
        "travel": Text("where the person has been"),
        "prion": Text("prion disease"),
        "genetic": Text("hereditary disease"),
        "malignancy": Text("malignant disease"),
        "other": Text("other questions"),
    }
)
"""What a question of a donor's history is about, as it is kept."""
PERMIT_PURPOSES: Mapping[str, Text] = MappingProxyType(
    {"banking": Text("banking"), "third_party": Text("samples that leave to third parties")}
)
BIRTH_TESTS: Mapping[str, Text] = MappingProxyType(
    {
        "infant_genotype": Text("the infant's genotype"),
        "maternal_contamination": Text("the mother's cells among the infant's"),
    }
)


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
    """The donor as known at a moment: no later sample, and what was not yet reported and on record was pending."""
    return replace(
        donor,
        markers=tuple(
            each
            if each.known_at is None or each.known_at <= at
            else replace(each, outcome=MarkerOutcome.PENDING, reported_at=None)
            for each in donor.markers
            if each.sampled_at <= at
        ),
    )


@dataclass(frozen=True, slots=True)
class MarkerReading:
    """Everything that a donor's results say about one marker of the panel.

    `negative_since` is when the first negative result was known here; `unsettled` are results still open.
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
            or (each.outcome is MarkerOutcome.NEGATIVE and (each.known_at is None or each.known_at > at))
        ),
        negative_since=min(
            (
                each.known_at
                for each in results
                if each.outcome is MarkerOutcome.NEGATIVE and each.known_at is not None and each.known_at <= at
            ),
            default=None,
        ),
    )


# -- the tissue, the sample, the volumes -------------------------------------------------------------------------------


def decided_at(donation: Donation, at: datetime) -> TissueDecision | None:
    """What the donation's tissue was decided to be at a moment, by somebody other than who proposed it."""
    stood = [
        each
        for each in donation.tissue_decisions or ()
        if each.approved_at <= at and each.approved_by != each.proposed_by
    ]
    return max(stood, key=lambda each: (each.version, each.approved_at), default=None)


def days_from(donation: Donation, marker: Marker) -> Decimal:
    """How many days after the collection a sample was taken; fewer than none before it."""
    return Decimal((marker.sampled_at - donation.collected_at) / timedelta(days=1))


def without_markers(donor: Donor, unfit: Iterable[Marker]) -> Donor:
    """The donor without these results."""
    left_out = {each.id for each in unfit}
    return replace(donor, markers=tuple(each for each in donor.markers if each.id not in left_out))


def stated_for(donor: Donor, marker: Marker) -> Sampling | None:
    """What was last stated about the person at the moment of this sample; None where nothing was."""
    return next((each for each in reversed(donor.samplings or ()) if each.sampled_at == marker.sampled_at), None)


def dilution_percent(sampling: Sampling, *, blood_ml_per_kg: Decimal, plasma_ml_per_kg: Decimal) -> Decimal | None:
    """How much of the blood, or of its plasma, was not the person's own: the greater part. None without a weight.

    What was given, against what was given and the person's own volume together.
    """
    fluids = sampling.colloid_ml + sampling.crystalloid_ml
    given = sampling.blood_ml + fluids
    if given == 0:
        return Decimal(0)
    if sampling.weight_kg is None or sampling.weight_kg <= 0:
        return None
    of_blood = given / (given + sampling.weight_kg * blood_ml_per_kg)
    of_plasma = fluids / (fluids + sampling.weight_kg * plasma_ml_per_kg)
    return max(of_blood, of_plasma) * 100


def window_of(donation: Donation, windows: Mapping[str, Mapping[str, object]], at: datetime) -> tuple[Decimal, Decimal]:
    """The first and last day, counted from the collection, of a sample for this tissue. Raises KeyError without any."""
    decision = decided_at(donation, at)
    names = {donation.tissue.strip().casefold(), decision.name.casefold() if decision else ""}
    window = next((each for name, each in windows.items() if name.casefold() in names), None) or windows["other"]
    return Decimal(str(window["from"])), Decimal(str(window["to"]))


def negatives(donor: Donor, panels: Iterable[Mapping[str, tuple[str, ...]]], at: datetime) -> dict[str, list[Marker]]:
    """For each marker of the panels that is negative at a moment, the negative results that say so."""
    return {
        reading.marker: [
            each
            for each in donor.markers
            if same(each.analyte, reading.analyte)
            and same(each.marker, reading.marker)
            and each.outcome is MarkerOutcome.NEGATIVE
            and each.known_at is not None
            and each.known_at <= at
        ]
        for panel in panels
        for reading in read_panel(donor, panel, at)
        if reading.is_negative
    }


def permitted(
    permits: Iterable[Permit], purpose: str, at: datetime, *, utc_offset_hours: int, recorded_by: datetime | None = None
) -> list[Permit]:
    """The permits for this purpose that stood at a moment, on the facility's day, and were on record by then.

    `recorded_by` asks what was on record at another moment, to tell late paper from none.
    """
    day = (at + timedelta(hours=utc_offset_hours)).date()
    return [
        each
        for each in permits
        if purpose in each.purposes
        and each.valid_from <= day
        and (each.valid_to is None or day <= each.valid_to)
        and (each.withdrawn_at is None or each.withdrawn_at > at)
        and each.recorded_at <= (recorded_by or at)
    ]
