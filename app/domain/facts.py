"""What a rule may read about one subject: frozen facts, named as the dossier's canonical JSON names them.

`None` means unknown or not part of this subject; an empty tuple means known to be none. People are usernames.
Moments are aware datetimes, dates are dates, quantities are Decimals.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from app.domain.lots import LotKind, LotState


@dataclass(frozen=True, slots=True)
class Key:
    """A field's key in the canonical JSON where that is a word of Python."""

    name: str


class SubjectKind(StrEnum):
    LOT = "lot"
    DONATION = "donation"
    MATERIAL_LOT = "material_lot"
    STEP = "step"


class Relation(StrEnum):
    AUTOLOGOUS = "autologous"
    ALLOGENEIC = "allogeneic"


class MarkerOutcome(StrEnum):
    NEGATIVE = "negative"
    POSITIVE = "positive"
    INCONCLUSIVE = "inconclusive"
    PENDING = "pending"


class Eligibility(StrEnum):
    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"


class StepKind(StrEnum):
    ISOLATION = "isolation"
    PASSAGE = "passage"
    FILL = "fill"
    CRYOPRESERVATION = "cryopreservation"


class PassageConvention(StrEnum):
    PRIMARY_IS_P0 = "primary_is_p0"
    PRIMARY_IS_P1 = "primary_is_p1"


class LineKind(StrEnum):
    QUANTITATIVE = "quantitative"
    QUALITATIVE = "qualitative"


class Decision(StrEnum):
    ACCEPTED = "accepted"
    RETURNED = "returned"


class Severity(StrEnum):
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Impact(StrEnum):
    NONE = "none"
    ACCEPTABLE = "acceptable"
    UNACCEPTABLE = "unacceptable"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting's version in force and its value, as JSON (numbers with a point are Decimals)."""

    version: int
    value: Any  # JSON: its reader checks the shape


@dataclass(frozen=True, slots=True)
class Hold:
    id: int
    on: str
    reason: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Lot:
    code: str
    name: str
    kind: LotKind
    state: LotState
    version: int
    recipient: str | None
    expires_at: datetime | None
    frozen_at: datetime | None
    product: str | None


@dataclass(frozen=True, slots=True)
class Process:
    name: str
    version: int
    passage_convention: PassageConvention
    max_passage: int
    max_pdl: Decimal
    cell_source: str
    gene_modified: bool
    long_term_expansion: bool
    clone_selected: bool
    short_cycle: bool
    low_manipulation: bool


@dataclass(frozen=True, slots=True)
class Determination:
    decision: Eligibility
    signed_at: datetime
    signed_by: str
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Donation:
    code: str
    din: str | None
    donor: str
    tissue: str
    collected_at: datetime
    received_at: datetime
    determination: Determination | None
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class IdentityMatch:
    recipient: str
    identifiers: tuple[str, ...]
    verified_by: str
    second_by: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    form_version: str
    scopes: tuple[str, ...]
    signed_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Marker:
    id: int
    analyte: str
    marker: str
    method: str
    kit_lot: str
    laboratory: str
    sampled_at: datetime
    reported_at: datetime | None
    outcome: MarkerOutcome


@dataclass(frozen=True, slots=True)
class Donor:
    pseudonym: str
    relation: Relation
    tested_person: str
    genetic_source: str
    recipient: str | None
    identity_matches: tuple[IdentityMatch, ...]
    consents: tuple[Consent, ...]
    markers: tuple[Marker, ...]


@dataclass(frozen=True, slots=True)
class Component:
    name: str
    cas: str | None


@dataclass(frozen=True, slots=True)
class Material:
    lot: str
    name: str
    supplier_lot: str
    state: LotState
    composition: tuple[Component, ...] | None
    composition_complete: bool
    text: str
    expires_on: date | None
    coa_reviewed_at: datetime | None
    approved_at: datetime | None
    approved_by: str | None
    recalled: bool
    holds: tuple[Hold, ...]
    animal_serum: bool | None = None
    species: str | None = None
    origin_countries: tuple[str, ...] | None = None
    processed_in: str | None = None
    collected_on: date | None = None


@dataclass(frozen=True, slots=True)
class Consumption:
    material_lot: str
    container: str
    step_id: int | None
    used_at: datetime
    quantity: Decimal | None
    unit: str | None
    expires_on: date | None
    opened_until: datetime | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    id: int
    kind: StepKind
    passage: int | None
    performed_by: str
    verified_by: str | None
    started_at: datetime
    ended_at: datetime | None
    recorded_at: datetime
    happened_anyway: bool
    workstation: str | None
    session_donor: str | None
    clearance_before_at: datetime | None
    clearance_performed_by: str | None
    clearance_verified_by: str | None
    viable_seeded: Decimal | None
    viable_harvested: Decimal | None
    viability_percent: Decimal | None
    pd: Decimal | None
    cpdl: Decimal | None
    verified_at: datetime | None = None
    clearance_verified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    donor: str
    lot: str
    since: datetime
    clearance_at: datetime | None
    clearance_performed_by: str | None
    clearance_verified_by: str | None
    clearance_verified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenedContainer:
    """A container of a material that stands open, and until when it may be used."""

    container: str
    material_lot: str
    opened_until: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """The step about to be started. `cpdl_start` are the doublings that its cells have behind them."""

    kind: StepKind
    passage: int | None
    cpdl_start: Decimal | None
    parent_passage: int | None
    workstation: str | None
    workstation_open_session: OpenSession | None
    other_open_sessions: int
    materials: tuple[str, ...]
    donor: str | None
    at: datetime
    performed_by: str | None = None
    opened: tuple[OpenedContainer, ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    code: str
    kind: str
    state: str
    donors: tuple[str, ...]
    orphan: bool
    labels_verified: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a specification: limits are inclusive and in `unit`."""

    id: int
    test: str
    method: str
    kind: LineKind
    low: Decimal | None
    high: Decimal | None
    unit: str | None
    expected: str | None
    safety: bool
    required: bool


@dataclass(frozen=True, slots=True)
class Specification:
    name: str
    version: int
    effective_from: datetime
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Review:
    decision: Decision
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """A measured value. `invalidated_by` is the number of the deviation under which it was set aside."""

    id: int
    line_id: int | None
    test: str
    sample: str
    value_number: Decimal | None
    value_text: str | None
    unit: str | None
    method_version: str
    instrument: str | None
    analyst: str
    measured_at: datetime
    invalidated: bool
    review: Review | None
    invalidated_by: str | None = None


@dataclass(frozen=True, slots=True)
class Retain:
    code: str
    kind: Literal["starting_material", "final_product"]
    quantity: Decimal | None = None
    unit: str | None = None
    place: str | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deviation:
    number: str
    severity: Annotated[Severity, Key("class")]
    what: str
    impact: Impact | None
    state: Literal["open", "closed"]
    rules: tuple[str, ...]
    closed_by: str | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiver:
    id: int
    rule: str
    justification: str
    mitigations: str
    proposed_by: str
    approved_by: str | None
    valid_from: datetime
    valid_to: datetime
    max_uses: int
    used: int


@dataclass(frozen=True, slots=True)
class BatchReview:
    decision: Decision
    by: str
    at: datetime
    package_digest: str


@dataclass(frozen=True, slots=True)
class Experience:
    employer: str
    position: str
    domain: str
    from_on: Annotated[date, Key("from")]
    to_on: Annotated[date | None, Key("to")]
    evidence: str | None


@dataclass(frozen=True, slots=True)
class Appointment:
    """The appointment of a quality authority, from a moment on until another or until it is revoked."""

    id: int
    account: str
    from_at: Annotated[datetime, Key("from")]
    until_at: Annotated[datetime | None, Key("until")]
    revoked_at: datetime | None
    title_level: str | None
    title_certificate: str | None
    certificate_valid_until: date | None
    experience: tuple[Experience, ...]


@dataclass(frozen=True, slots=True)
class Signer:
    """Who is about to sign: the roles held now and the live appointment, if there is one."""

    account: str
    roles: tuple[str, ...]
    appointment_id: int | None


@dataclass(frozen=True, slots=True)
class Mitigation:
    """A preventive measure, and what in this house carries it out. `control` is one of the words of a setting."""

    measure: str
    control: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """An approved risk assessment. `scope` names what it is about as people do; the facility has no name of its own."""

    number: str
    version: int
    rule: str
    title: str
    scope_kind: Literal["facility", "process", "donor", "lot", "material"]
    scope: str | None
    hazard: str
    mitigations: tuple[Mitigation, ...]
    conclusion: str
    proposed_by: str
    approved_by: str | None
    approved_at: datetime | None
    valid_from: datetime
    valid_to: datetime
    superseded: bool


@dataclass(frozen=True, slots=True)
class LabelCount:
    """What somebody counted at the end; `printed` is what had been printed by then."""

    printed: int
    used: int
    destroyed: int
    returned: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LabelImbalance:
    """What was stated, under a deviation, where the labels do not come out."""

    deviation: str
    search: str
    mix_up_risk: str
    independent_evidence: str
    counted_at: datetime
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a lot: how many were made, when last, and the last count."""

    printed: int
    last_printed_at: datetime | None
    count: LabelCount | None
    imbalances: tuple[LabelImbalance, ...]


@dataclass(frozen=True, slots=True)
class Qualification:
    account: str
    topic: str
    valid_from: datetime
    valid_to: datetime
    evidence: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class DiseaseStatus:
    """How a country stood for an animal disease, from a day to another, by which source."""

    id: int
    country: str
    disease: str
    category: Literal["negligible", "controlled", "undetermined", "prohibited"]
    valid_from: date
    valid_to: date | None
    source: str


@dataclass(frozen=True, slots=True)
class Bank:
    """A lot of a cell bank from which the cells came."""

    code: str
    name: str
    state: LotState
