"""What a rule may read about one subject: frozen facts, named as the dossier's canonical JSON names them.

`None` means unknown or not part of this subject; an empty tuple means known to be none. People are usernames.
Moments are aware datetimes, dates are dates, quantities are Decimals.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    STUDY = "study"
    BANK_VIAL = "bank_vial"


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
    THAW = "thaw"


class PassageConvention(StrEnum):
    PRIMARY_IS_P0 = "primary_is_p0"
    PRIMARY_IS_P1 = "primary_is_p1"


class LineKind(StrEnum):
    QUANTITATIVE = "quantitative"
    QUALITATIVE = "qualitative"


class Decision(StrEnum):
    ACCEPTED = "accepted"
    RETURNED = "returned"


class VectorType(StrEnum):
    """With what genes are changed."""

    LENTIVIRUS = "lentivirus"
    GAMMA_RETROVIRUS = "gamma_retrovirus"
    AAV = "aav"
    TRANSPOSON = "transposon"
    PLASMID = "plasmid"
    MRNA = "mrna"
    RNP = "rnp"
    BASE_EDITOR = "base_editor"


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
    vector_type: VectorType | None = None
    gene_editing: bool | None = None


@dataclass(frozen=True, slots=True)
class Determination:
    decision: Eligibility
    signed_at: datetime
    signed_by: str
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class TissueDecision:
    """What the quality authority decided a tissue to be, by a name and version of the house."""

    name: str
    version: int
    leukocyte_rich: bool
    birth_tissue: bool
    reason: str
    proposed_by: str
    approved_by: str
    approved_at: datetime


@dataclass(frozen=True, slots=True)
class BirthTest:
    """The infant's genotype (how many loci), or how much of the cells is the mother's, in percent."""

    kind: Literal["infant_genotype", "maternal_contamination"]
    method: str
    laboratory: str
    sampled_at: datetime
    reported_at: datetime
    loci: int
    maternal_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a donation was put, and whether it bore the sign for biohazard."""

    place: str
    place_kind: str
    biohazard_labelled: bool
    stored_at: datetime
    recorded_at: datetime


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
    tissue_decisions: tuple[TissueDecision, ...] | None = None
    birth_tests: tuple[BirthTest, ...] | None = None
    storage: tuple[Stored, ...] | None = None


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
    recorded_at: datetime


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
    recorded_at: datetime

    @property
    def known_at(self) -> datetime | None:
        """Since when the result is known here: it was reported and is on record. None while it is pending."""
        return None if self.reported_at is None else max(self.reported_at, self.recorded_at)


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a questionnaire; the answer that excludes, where one does, and what it is about."""

    code: str
    en: str
    zh: str
    group: str
    excludes: Literal["yes", "no"] | None


@dataclass(frozen=True, slots=True)
class History:
    """What a donor answered to a version of a questionnaire, and what a physician found."""

    questionnaire: str
    version: int
    questions: tuple[Question, ...]
    outdated: bool
    answers: Mapping[str, str] = field(hash=False)
    asked_at: datetime
    examined_at: datetime | None
    examined_by: str | None
    examination: Literal["suitable", "not_suitable"] | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Sampling:
    """What was given to the person within the hours before a blood sample: mL each, and the weight in kg."""

    sampled_at: datetime
    weight_kg: Decimal | None
    blood_ml: Decimal
    colloid_ml: Decimal
    crystalloid_ml: Decimal
    recorded_at: datetime


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
    kind: Literal["birth"] | None = None
    histories: tuple[History, ...] | None = None
    samplings: tuple[Sampling, ...] | None = None


@dataclass(frozen=True, slots=True)
class Component:
    name: str
    cas: str | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A paper of a material lot that somebody reviewed. `pool_size` is how many donors a pool of blood has."""

    kind: Literal[
        "analysis",
        "marketing_licence",
        "donor_pool",
        "virus_inactivation",
        "sterility",
        "endotoxin",
        "compatibility",
    ]
    reference: str
    pool_size: int | None
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class SupplierAudit:
    """An audit of a supplier, and who signed what it decides."""

    outcome: Literal["qualified", "qualified_with_conditions", "not_qualified"]
    audited_on: date
    evidence: str
    valid_from: datetime
    valid_to: datetime
    recorded_by: str
    signed_by: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier by its name, with its signed audits in the order in which they were written."""

    name: str
    kind: Literal["manufacturer", "distributor"]
    audits: tuple[SupplierAudit, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What went into a reagent, from which container, as it stood then."""

    material_lot: str
    container: str
    quantity: Decimal
    unit: str
    expires_on: date | None
    opened_until: datetime | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """How a reagent was prepared in house, and who verified that."""

    recipe: str
    version: int
    prepared_by: str
    prepared_at: datetime
    expires_at: datetime
    verified_by: str | None
    verified_at: datetime | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class VectorPart:
    """A plasmid or a bank of producer cells that a vector came of; `material_lot` where it is a material lot here."""

    role: Literal["plasmid", "producer_bank"]
    name: str
    part_lot: str
    material_lot: str | None
    selected_with: str | None


@dataclass(frozen=True, slots=True)
class Vector:
    """What was stated of a material lot that is a vector, at one time. The titre is in `titre_unit`."""

    vector_type: VectorType
    titre: Decimal | None
    titre_unit: str | None
    parts: tuple[VectorPart, ...]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class VirusOutcome:
    outcome: Literal["negative", "positive", "inconclusive"]
    reported_at: datetime
    reference: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class VirusTest:
    """A test for replication-competent virus. Without an outcome it is pending.

    `cells_tested` of `cells_in_pool`; of a vector's supernatant the percent of it that was tested.
    """

    id: int
    sample: Literal["vector_supernatant", "producer_cells", "transduced_cells", "final_product"]
    assay: Literal["coculture", "rapid_pcr"]
    method: str
    laboratory: str
    cells_tested: Decimal | None
    cells_in_pool: Decimal | None
    supernatant_percent: Decimal | None
    sampled_at: datetime
    recorded_at: datetime
    outcomes: tuple[VirusOutcome, ...]


@dataclass(frozen=True, slots=True)
class OffTargetReport:
    """What was found of edits beside the place that a process version means."""

    id: int
    reference: str
    prediction: str
    assay: Literal["guide_seq", "circle_seq", "digenome_seq", "rhamp_seq", "whole_genome", "none"]
    assay_method: str
    sites_examined: int
    sites_above: int
    threshold_percent: Decimal
    highest_percent: Decimal
    aberrations: Literal["none_found", "found", "not_examined"]
    aberrations_method: str
    reported_on: date
    file_sha256: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Retain:
    code: str
    kind: Literal["starting_material", "final_product", "reagent"]
    quantity: Decimal | None = None
    unit: str | None = None
    place: str | None = None
    taken_at: datetime | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """A material lot. `supplier` is one of the known suppliers; `selected_with` the antibiotic that a vector was grown in.

    `storage_ok`: whether it arrived stored and cooled as its label asks.
    """

    lot: str
    name: str
    supplier_lot: str
    state: LotState
    composition: tuple[Component, ...] | None
    composition_complete: bool
    text: str
    expires_on: date | None
    coa_reviewed_at: datetime | None
    coa_recorded_at: datetime | None
    approved_at: datetime | None
    approved_by: str | None
    recalled: bool
    holds: tuple[Hold, ...]
    animal_serum: bool | None = None
    species: str | None = None
    origin_countries: tuple[str, ...] | None = None
    processed_in: str | None = None
    collected_on: date | None = None
    kind: Literal["reagent", "single_use", "vector", "prepared"] = "reagent"
    grade: str | None = None
    animal_derived: bool | None = None
    human_derived: bool | None = None
    selected_with: str | None = None
    received_at: datetime | None = None
    storage_ok: bool | None = None
    supplier: str | None = None
    certificates: tuple[Certificate, ...] | None = None
    prepared: Prepared | None = None
    vectors: tuple[Vector, ...] | None = None
    virus_tests: tuple[VirusTest, ...] | None = None
    retains: tuple[Retain, ...] | None = None

    @property
    def coa_known_at(self) -> datetime | None:
        """Since when the certificate of analysis is known to be reviewed: it was, and that is on record. None if unknown."""
        if self.coa_reviewed_at is None or self.coa_recorded_at is None:
            return None
        return max(self.coa_reviewed_at, self.coa_recorded_at)


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
    partner: str | None = None
    """The partner that made it, where one did: its people are then named as its batch record names them."""


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
class Neighbour:
    """A session of another lot that stands open in the room of the planned step's workstation."""

    lot: str
    workstation: str
    gene_modified: bool | None
    since: datetime


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
    neighbours: tuple[Neighbour, ...] | None = None


@dataclass(frozen=True, slots=True)
class Container:
    code: str
    kind: str
    state: str
    donors: tuple[str, ...]
    orphan: bool
    labels_verified: int
    place_kind: str | None = None


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
    paper: str | None = None
    """The partner's paper from which it was read, where it was not measured here."""


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


class LegacyAbout(StrEnum):
    """Of what papers from before the guideline may be laid before a rule."""

    DONOR = "donor"
    LOT = "lot"


@dataclass(frozen=True, slots=True)
class LegacyPaper:
    """An original paper: of which day, and its scan by name and SHA-256."""

    title: str
    dated: date
    file_name: str
    file_sha256: str
    pages: int


@dataclass(frozen=True, slots=True)
class Legacy:
    """Papers about a donor (by pseudonym) or a lot (by code), and for which rules the quality authority accepted them."""

    number: str
    about: LegacyAbout
    subject: str
    rules: tuple[str, ...]
    reasons: str
    papers: tuple[LegacyPaper, ...]
    proposed_by: str
    accepted_by: str | None
    accepted_at: datetime | None
    valid_from: datetime
    valid_to: datetime
    withdrawn_at: datetime | None = None


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
class Permit:
    """An authority's permit for human genetic resources: for what, from a day to another."""

    number: str
    authority: str
    purposes: tuple[str, ...]
    scope: str
    valid_from: date
    valid_to: date | None
    evidence: str
    withdrawn_at: datetime | None
    recorded_at: datetime


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
    """How a country stood for an animal disease, from a day to another, by which source, and when that was stated here."""

    id: int
    country: str
    disease: str
    category: Literal["negligible", "controlled", "undetermined", "prohibited"]
    valid_from: date
    valid_to: date | None
    source: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class AuthorityReply:
    """A written reply of an authority about one rule and one process version; `dated` is the letter's own day."""

    id: int
    authority: str
    reference: str
    dated: date
    rule: str
    process: str
    question: str
    answer: str
    ruling: Literal["permits", "refuses", "undecided"]
    file_sha256: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """That a vial was put into a place; it stays until the next."""

    place: str
    stored_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That a vial left its bank for a lot."""

    lot: str
    withdrawn_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class BankVial:
    """A vial of a bank: its age, where it lay, for what it left, and the steps in which it was thawed."""

    code: str
    state: str
    passage: int | None
    cpdl: Decimal | None
    stays: tuple[Stay, ...]
    withdrawals: tuple[Withdrawal, ...]
    thawed_in: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StorageClass:
    """How a place keeps what is in it: warmer than this it does not get. `site` as the house calls it."""

    id: int
    phase: Literal["vapour", "liquid", "mechanical"]
    warmest_celsius: Decimal
    site: str
    evidence: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Excursion:
    """A time in which a place was warmer than it should be. Without an end it goes on."""

    id: int
    began_at: datetime
    ended_at: datetime | None
    warmest_celsius: Decimal
    deviation: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StoragePlace:
    code: str
    name: str
    classes: tuple[StorageClass, ...]
    excursions: tuple[Excursion, ...]


@dataclass(frozen=True, slots=True)
class OwnBank:
    """What a bank lot is as a bank. A master bank is made of a donation, a working bank of a vial of a master bank."""

    tier: Literal["master", "working"] | None
    vials: tuple[BankVial, ...]
    places: tuple[StoragePlace, ...]


@dataclass(frozen=True, slots=True)
class BankPolicy:
    """What the quality authority decided about the banks of a process version."""

    id: int
    process: str
    version: int
    needed: bool
    conditions: tuple[str, ...]
    tiers: tuple[str, ...]
    reasons: str
    proposed_by: str
    approved_by: str | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlannedTest:
    """A slow test that may be pending at a first release, and what stands in for it meanwhile. `days` until it is read.

    `interim` is a test of the specification; of a test for replication-competent virus it is the rapid one of that virus.
    """

    test: str
    interim: str
    validation: str
    days: int
    if_positive: str


@dataclass(frozen=True, slots=True)
class TwoStepPlan:
    """What the quality authority decided about releasing lots of a process version in two steps."""

    version: int
    protocol: str
    protocol_version: str
    ethics_reference: str
    ethics_approved_on: date
    consent_clause: str
    pending: tuple[PlannedTest, ...]
    proposed_by: str
    approved_by: str
    approved_at: datetime


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A slow test of the lot that was begun; its result is read by `due_at`."""

    id: int
    line_id: int
    sample: str
    laboratory: str
    started_at: datetime
    due_at: datetime
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A physician knows that these tests of the lot are pending."""

    tests: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TwoSteps:
    """What is known of a release of the lot in two steps."""

    plans: tuple[TwoStepPlan, ...]
    under_way: tuple[UnderWay, ...]
    acknowledgements: tuple[Acknowledgement, ...]


@dataclass(frozen=True, slots=True)
class Bank:
    """A lot of a cell bank from which the cells came, and the vials of it that went into them.

    `lines` and `results`: what it was tested by; known where REL-03 asks the bank about viruses.
    """

    code: str
    name: str
    state: LotState
    tier: Literal["master", "working"] | None = None
    vials: tuple[BankVial, ...] | None = None
    lines: tuple[Line, ...] | None = None
    results: tuple[Result, ...] | None = None


@dataclass(frozen=True, slots=True)
class EquipmentQualification:
    """What was done to a piece of equipment to show that it is fit. `due_on` is the last day on which it counts."""

    id: int
    kind: Literal["installation", "operational", "performance", "calibration", "maintenance"]
    done_on: date
    due_on: date | None
    outcome: Literal["passed", "failed"]
    as_found_in_tolerance: bool | None
    evidence: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Equipment:
    """A piece of equipment, the steps in which it served, and whether the planned step takes it."""

    code: str
    name: str
    kind: str
    steps: tuple[int, ...]
    planned: bool
    qualifications: tuple[EquipmentQualification, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A version of a controlled document, approved by signature. `types` are what of the quality system it regulates."""

    number: str
    version: int
    types: tuple[str, ...]
    title: str
    effective_from: datetime
    proposed_by: str
    approved_by: str | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Responsibility:
    """Who answers for a level, from when to when, and when that person accepted it in writing."""

    level: Literal["institution", "study", "facility"]
    account: str
    from_at: Annotated[datetime, Key("from")]
    until_at: Annotated[datetime | None, Key("until")]
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Facility:
    """What stands in the house, whatever lot is judged."""

    documents: tuple[Document, ...]
    responsible: tuple[Responsibility, ...] = ()


@dataclass(frozen=True, slots=True)
class Authorisation:
    """That the facility may run a process version, signed by another than who proposed it."""

    id: int
    process: str
    proposed_by: str
    approved_by: str | None
    approved_at: datetime | None
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class InstitutionStatement:
    """What an institution was said to hold, or to hold no longer, from a day on."""

    kind: Literal["grade", "academic_committee", "ethics_committee"]
    held: bool
    says: str
    evidence: str
    valid_from: date
    valid_to: date | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Institution:
    name: str
    country: str
    registration: str | None
    statements: tuple[InstitutionStatement, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a study takes place. `country` in the two letters of ISO 3166-1."""

    name: str
    country: str


@dataclass(frozen=True, slots=True)
class StudyVersion:
    """A version of what the study is. `substantial`: whether its protocol is approved and filed anew."""

    version: int
    protocol_version: str
    substantial: bool
    recorded_at: datetime
    gene_modified: bool | None = None


@dataclass(frozen=True, slots=True)
class StudyLeader:
    """Who leads a study, from a day on until somebody else does or until `to_on`."""

    id: int
    name: str
    licence_number: str
    licence_valid_to: date | None
    title_level: Literal["senior", "associate_senior", "other"]
    title_certificate: str
    title_valid_to: date | None
    from_on: Annotated[date, Key("from")]
    to_on: Annotated[date | None, Key("to")]
    evidence: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class CommitteeDecision:
    id: int
    committee: Literal["academic", "ethics"]
    decision: Literal["approved", "refused", "withdrawn"]
    protocol_version: str
    decided_on: date
    valid_to: date | None
    reference: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Filing:
    id: int
    filing_number: str
    authority: str
    protocol_version: str
    filed_on: date
    reference: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class SponsorAgreement:
    id: int
    sponsor: str
    protocol_jointly_set: bool
    signed_on: date
    valid_to: date | None
    reference: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PartnerSection:
    """A part of a partner's assessment: what was looked at, its score of 100, and whether it is accepted."""

    section: Literal["qualification", "facilities", "quality_system"]
    score: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class PartnerFinding:
    """What was found against a partner; open until `closed_on`."""

    severity: Annotated[Severity, Key("class")]
    what: str
    capa_due_on: date | None
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class PartnerAssessment:
    id: int
    assessed_on: date
    sections: tuple[PartnerSection, ...]
    findings: tuple[PartnerFinding, ...]
    evidence: str
    recorded_by: str
    signed_by: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class QualityAgreement:
    """Who does what, by an agreement with a partner about one process version."""

    id: int
    process: str
    duties: Mapping[str, str] = field(hash=False)
    signed_on: date
    valid_to: date | None
    reference: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Partner:
    name: str
    kind: Literal["preparation", "collection", "testing", "transport", "technical_support"]
    assessments: tuple[PartnerAssessment, ...]
    agreements: tuple[QualityAgreement, ...]


@dataclass(frozen=True, slots=True)
class AccreditedTest:
    """A test that an accreditation covers, by its method."""

    test: str
    method: str


@dataclass(frozen=True, slots=True)
class Accreditation:
    """A laboratory's accreditation as a paper says it. Without `valid_to` it is a standing by statute."""

    id: int
    kind: Literal["cma", "cnas", "nifdc", "other"]
    number: str
    scope: tuple[AccreditedTest, ...]
    valid_from: date
    valid_to: date | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class AccreditationEnd:
    """An accreditation that ended before its day, by its kind and number."""

    id: int
    kind: Literal["cma", "cnas", "nifdc", "other"]
    number: str
    how: Literal["lapsed", "suspended", "withdrawn"]
    ended_on: date
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class IndependenceDeclaration:
    """Who says whether a laboratory stands apart from an institution and from this facility."""

    id: int
    institution: str
    not_the_institution: bool
    not_the_facility: bool
    no_common_control: bool
    declared_by: str
    declared_on: date
    evidence: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Laboratory:
    name: str
    accreditations: tuple[Accreditation, ...]
    ends: tuple[AccreditationEnd, ...]
    declarations: tuple[IndependenceDeclaration, ...]


@dataclass(frozen=True, slots=True)
class RetestedItem:
    """What a report says of one test. Not applicable only by a written statement in the report."""

    test: Literal["sterility", "mycoplasma", "endotoxin", "exogenous_viruses"]
    method: str
    limit_text: str
    limit_value: Decimal | None
    outcome: Literal["passed", "failed", "inconclusive", "not_applicable"]
    found: str | None
    value: Decimal | None
    unit: str | None
    statement: str | None
    tested_on: date


@dataclass(frozen=True, slots=True)
class Reinspection:
    """A laboratory's report about a sample of one lot, with the sample's way to it. `replaced_at`: by a corrected record."""

    id: int
    laboratory: str
    sample_kind: Literal["bank", "starting_harvest", "final_formulation"]
    lot: str
    lot_kind: str
    process: str | None
    specification: str | None
    stated_process: str
    report_number: str
    signatory: str | None
    file_name: str | None
    file_sha256: str | None
    taken_at: datetime
    handed_over_by: str | None
    received_at: datetime
    received_by: str | None
    low_c: Decimal | None
    high_c: Decimal | None
    min_c: Decimal | None
    max_c: Decimal | None
    excursion: str | None
    reported_on: date
    replaced_at: datetime | None
    recorded_at: datetime
    tests: tuple[RetestedItem, ...]
    banks: tuple[str, ...] | None = None
    made_at: str | None = None
    """The partner that made the lot; empty where this house did, None where that is not known."""


@dataclass(frozen=True, slots=True)
class FollowUpPlan:
    """For how many years a protocol says that each subject is followed."""

    id: int
    protocol_version: str
    years: Decimal
    reference: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class EndTest:
    """One test of cells at the end of production."""

    test: Literal["tumorigenicity_in_vitro", "tumorigenicity_in_vivo", "karyotype", "adventitious_virus"]
    method: str
    outcome: Literal["passed", "failed", "inconclusive"]
    found: str


@dataclass(frozen=True, slots=True)
class ProductionEnd:
    """A report about cells that were grown on to `pdl_reached` doublings. `replaced_at`: by a corrected record."""

    id: int
    lot: str
    process: str
    pdl_reached: Decimal
    laboratory: str
    report_number: str
    reported_on: date
    file_name: str
    file_sha256: str
    tests: tuple[EndTest, ...]
    replaced_at: datetime | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Comparability:
    """A signed document: why a report stands for these versions and banks. `report` is the report's id."""

    id: int
    report: int
    process: str
    specification: str
    banks: tuple[str, ...]
    differences: str
    committee_reference: str
    committee_decided_on: date
    file_name: str
    valid_to: date
    proposed_by: str
    signed_by: str
    signed_at: datetime
    made_at: tuple[str, ...] | None = None
    """The sites to which it was compared, as of `Study.made_at`; None of one that was proposed before sites were."""


@dataclass(frozen=True, slots=True)
class Transport:
    """A lot on its way between partner, house and hospital; the shipper as it was qualified. In degrees Celsius."""

    id: int
    partner: str
    shipper: str
    low_c: Decimal
    high_c: Decimal
    hours_max: Decimal
    qualified_on: date
    valid_to: date
    qualification_recorded_at: datetime
    from_place: str
    to_place: str
    dispatched_at: datetime
    arrived_at: datetime
    handed_over_by: str
    received_by: str
    min_c: Decimal | None
    max_c: Decimal | None
    file_name: str | None
    excursion: str | None


@dataclass(frozen=True, slots=True)
class Study:
    """A clinical study as its last version has it, with everything that was recorded about it."""

    number: str
    version: int
    title: str
    regulatory_path: Literal["technical_filing", "drug_registration"]
    ind_number: str | None
    stage: Literal["exploratory", "confirmatory"]
    risk_level: Literal["ordinary", "high"]
    cell_class: Literal["tissue_stem_cell", "pluripotent_derived", "somatic_cell", "cell_free"]
    cell_source: Literal["autologous", "allogeneic"]
    manipulation: Literal["ex_vivo_cell", "ex_vivo_gene", "none"]
    administration: Literal["infused", "implanted", "other"]
    sites: tuple[Site, ...]
    protocol_version: str
    institution: Institution
    sponsor: Institution
    versions: tuple[StudyVersion, ...]
    leaders: tuple[StudyLeader, ...]
    decisions: tuple[CommitteeDecision, ...]
    filings: tuple[Filing, ...]
    agreements: tuple[SponsorAgreement, ...]
    partners: tuple[Partner, ...]
    house: str | None = None
    reinspections: tuple[Reinspection, ...] = ()
    laboratories: tuple[Laboratory, ...] = ()
    comparabilities: tuple[Comparability, ...] = ()
    production_ends: tuple[ProductionEnd, ...] = ()
    follow_ups: tuple[FollowUpPlan, ...] = ()
    made_at: tuple[str, ...] | None = None
    """The partners that make what the study gives; an empty name is this house. None where that is not known."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What grade a room or a workstation was found to have. `due_on` is the last day on which it counts."""

    id: int
    grade: Literal["A", "B", "C", "D", "isolator", "closed"]
    classified_on: date
    due_on: date
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """What a plate or a counter said: colonies, or particles in a cubic metre."""

    value: Decimal
    organism: str | None
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Monitored:
    """A plate, a print or a count of particles in a session. Without a reading it is pending."""

    id: int
    kind: Literal["settle", "contact", "glove", "air", "particles_05", "particles_5"]
    grade: Literal["A", "B", "C", "D"]
    place: str
    taken_at: datetime
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class WorkSession:
    """A lot's session at a workstation, what that and its room were classified as, and what was monitored in it."""

    id: int
    workstation: str
    room: str
    since: datetime
    until: datetime | None
    workstation_classes: tuple[Classification, ...]
    room_classes: tuple[Classification, ...]
    monitored: tuple[Monitored, ...]


@dataclass(frozen=True, slots=True)
class PartnerPaper:
    """A partner's paper about a lot that it made. What its release `covers` are words of `partners.COVERED_NAMES`."""

    id: int
    kind: Literal["batch_record", "analysis", "release"]
    reference: str
    conforms: bool
    covers: tuple[str, ...]
    signed_by: str
    signed_at: datetime
    file_name: str
    file_sha256: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Maker:
    """The partner that made a lot: its number there, the process version as its papers call it, and those papers."""

    partner: str
    lot_number: str
    process: str
    papers: tuple[PartnerPaper, ...]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ExceptionalRequest:
    """That a treating physician asks for a lot out of specification, and what the quality authority decided about it."""

    id: int
    requested_by: str
    reasons: str
    risk_evaluation: str
    risk_file_sha256: str
    committee: str
    committee_decision: Literal["approved", "refused"]
    committee_decided_on: date
    committee_reference: str
    recorded_at: datetime
    disposition: Literal["oos_exceptional_supply", "refused"] | None
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class LateInformation:
    """What came to light about the donor afterwards and names this lot, its bank or its donation, and who decided.

    `hold` is whether it placed one here; `named` are recipients whom the impact names, of `recipients` in all.
    """

    number: str
    kind: Literal["donor_marker", "health_found", "consent_withdrawn", "donation_ineligible"]
    on: str
    state_then: str
    recorded_at: datetime
    hold: bool
    lifted_at: datetime | None
    lifted_by: str | None
    lifted_as: str | None
    reasons: str | None
    named: tuple[str, ...]
    recipients: int
