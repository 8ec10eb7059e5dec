"""What stands on each paper: frozen facts, kept as JSON, from which the same paper can be drawn again.

Moments are aware, quantities are Decimals, people are named as they are printed. Nothing here identifies a donor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, InstanceOf, TypeAdapter
from pydantic_core import to_json

from app.domain.rulebook import Outcome, Standing
from app.domain.text import Text
from app.domain.views import spoken

Said = Annotated[
    InstanceOf[Text], BeforeValidator(lambda kept: Text.from_json(kept) if isinstance(kept, dict) else kept)
]
"""A text that any language can say."""


class Kind(StrEnum):
    """The papers that there are."""

    CERTIFICATE = "certificate"
    BATCH_SUMMARY = "batch_summary"
    ELIGIBILITY = "eligibility"
    RULE_BOOK = "rule_book"


class Language(StrEnum):
    """The language of a paper; its headings stand in the other one too."""

    ENGLISH = "en"
    CHINESE = "zh_CN"


class Conclusion(StrEnum):
    """What a reviewed result says of its line."""

    CONFORMS = "conforms"
    FAILS = "fails"
    NOT_REVIEWED = "not_reviewed"
    NOT_TESTED = "not_tested"


@dataclass(frozen=True, slots=True)
class Made:
    """Where, when and by whom the paper was made. `zone` is the name of the clock that it is written in."""

    facility: str
    zone: str
    purpose: str
    at: datetime
    by: str
    username: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature's manifestation. `roles` are those held at that moment; `statement` what was added by hand."""

    printed_name: str
    username: str
    roles: tuple[str, ...]
    meaning: str
    at: datetime
    statement: str
    digest: str
    number: int


@dataclass(frozen=True, slots=True)
class Appointed:
    """The appointment under which the quality authority signed. `title` is the professional title's level."""

    number: int
    title: str
    certificate: str
    certificate_valid_until: date | None
    from_at: datetime


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule comes from: the source's name is a catalogue sentence of its own."""

    source: str
    section: str


@dataclass(frozen=True, slots=True)
class Ruled:
    """One rule's answer."""

    rule: str
    title: Said
    outcome: Outcome
    cites: tuple[Citation, ...]
    waiver: int | None
    problems: tuple[Said, ...]
    legacy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waived:
    """A waiver that a verdict stands on."""

    number: int
    rule: str
    justification: str
    mitigations: str
    proposed_by: str
    approved_by: str
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class Tested:
    """A line of the specification with the result that answers it. `value` is None where nothing was measured."""

    test: str
    method: str
    low: Decimal | None
    high: Decimal | None
    unit: str | None
    expected: str | None
    safety: bool
    number: Decimal | None
    value: str | None
    sample: str | None
    analyst: str | None
    measured_at: datetime | None
    reviewed_by: str | None
    reviewed_at: datetime | None
    invalidated_by: str | None
    conclusion: Conclusion


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where an audit entry stands in the sealed record. `note` is the signed checkpoint, whole."""

    entry: int
    leaf: int
    size: int
    root: str
    epoch: int
    origin: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What a lot of cells is, and whose."""

    code: str
    name: str
    kind: str
    state: str
    product: str
    product_zh: str
    process: str
    specification: str
    donor: str
    relation: str
    recipient: str | None
    donation: str
    din: str | None
    tissue: str
    collected_at: datetime | None
    frozen_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Filled:
    """The vials of a lot; `stored` of them are there for use, on a certificate as they were at release.

    Passage and cells are of each vial; None where they differ or are not known.
    """

    vials: int
    stored: int
    passage: int | None
    cells: Decimal | None
    volume_ml: Decimal | None
    cpdl: Decimal | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A released lot, as it was judged and signed."""

    made: Made
    lot: Identity
    filled: Filled
    tests: tuple[Tested, ...]
    rulebook: str
    judgement: int
    release: int
    verdicts: tuple[Ruled, ...]
    waivers: tuple[Waived, ...]
    signed: Signed
    appointed: Appointed
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Step:
    """One process step. Counts are viable cells but for `dead`."""

    kind: str
    passage: int | None
    performed_by: str
    verified_by: str | None
    started_at: datetime
    ended_at: datetime | None
    workstation: str | None
    seeded: Decimal | None
    harvested: Decimal | None
    dead: Decimal | None
    viability_percent: Decimal | None
    pd: Decimal | None
    cpdl: Decimal | None
    happened_anyway: bool


@dataclass(frozen=True, slots=True)
class Used:
    """A material's use in a step."""

    material: str
    supplier: str
    supplier_lot: str
    lot: str
    container: str
    expires_on: date | None
    approved_at: datetime | None
    step: str | None
    passage: int | None
    quantity: Decimal | None
    unit: str | None
    used_at: datetime


@dataclass(frozen=True, slots=True)
class Cleared:
    """A line clearance."""

    workstation: str
    phase: str
    at: datetime
    performed_by: str
    verified_by: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A sample or a retain. `what` is its purpose, or the kind of retain."""

    code: str
    kind: str
    what: str
    source: str
    place: str | None
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Deviated:
    """A deviation with its assessment."""

    number: str
    severity: str
    what: str
    state: str
    impact: str | None
    assessment: str | None
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A hold, and how it was lifted."""

    on: str
    reason: str
    at: datetime
    by: str
    lifted_at: datetime | None
    lifted_by: str | None


@dataclass(frozen=True, slots=True)
class Labelled:
    """How many labels of one design were made for how many containers, and how many of them again."""

    design: str
    made: int
    items: int
    again: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The labels of a lot as they were counted."""

    printed: int
    used: int
    destroyed: int
    returned: int
    at: datetime
    by: str
    remark: str | None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The last review of the batch record."""

    decision: str
    remarks: str
    is_current: bool
    signed: Signed


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """Everything that was done with a lot, as the record says it at this moment. `digest` is of its dossier."""

    made: Made
    lot: Identity
    filled: Filled
    max_passage: int | None
    max_pdl: Decimal | None
    steps: tuple[Step, ...]
    used: tuple[Used, ...]
    clearances: tuple[Cleared, ...]
    taken: tuple[Taken, ...]
    tests: tuple[Tested, ...]
    deviations: tuple[Deviated, ...]
    holds: tuple[Held, ...]
    labels: tuple[Labelled, ...]
    counts: tuple[Counted, ...]
    reviewed: Reviewed | None
    digest: str


@dataclass(frozen=True, slots=True)
class Marked:
    """One infection marker's result."""

    analyte: str
    marker: str
    method: str
    kit_lot: str
    laboratory: str
    sampled_at: datetime
    reported_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Consented:
    """A consent and what it covers."""

    form_version: str
    scopes: tuple[str, ...]
    signed_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Matched:
    """Donor and recipient compared by identifiers, which are named and not told."""

    recipient: str
    identifiers: tuple[str, ...]
    verified_by: str
    second_by: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Determined:
    """What was determined, and the signature under it."""

    decision: str
    reason: str
    valid_until: datetime | None
    signed: Signed


@dataclass(frozen=True, slots=True)
class Eligibility:
    """A donation before the gate into processing. The verdicts are those that were signed, else those of this moment."""

    made: Made
    donation: str
    din: str | None
    donor: str
    relation: str
    tested_person: str
    genetic_source: str
    recipient: str | None
    tissue: str
    collected_at: datetime
    received_at: datetime
    volume_ml: Decimal | None
    markers: tuple[Marked, ...]
    consents: tuple[Consented, ...]
    matches: tuple[Matched, ...]
    determined: Determined | None
    rulebook: str
    verdicts: tuple[Ruled, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation in full. `status`: stated, reconstructed or unverified."""

    source: str
    section: str
    says: Said
    status: Standing


@dataclass(frozen=True, slots=True)
class WouldClose:
    """A counterexample in words: at which gate it is tried, and with which outcome the rule closes."""

    says: Said
    gate: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class SettingShown:
    """A setting as it holds; `value` is JSON as its readers take it, `version` None where the deployment lacks it."""

    name: str
    version: int | None
    value: Any
    unit: str | None
    source: str
    valid_from: datetime | None


@dataclass(frozen=True, slots=True)
class RuleShown:
    """One rule in full. `waiver`: the roles that may approve one; empty means never. `settings` by name."""

    id: str
    title: Said
    gates: tuple[str, ...]
    waiver: tuple[str, ...]
    cites: tuple[Cited, ...]
    counterexamples: tuple[WouldClose, ...]
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rule book as it judges at this moment. `digest` is SHA-256 over the source that judges."""

    made: Made
    version: str
    digest: str
    jurisdiction: str | None
    rules: tuple[RuleShown, ...]
    settings: tuple[SettingShown, ...]


Facts: TypeAlias = Certificate | BatchSummary | Eligibility | RuleBook
SHAPES: dict[Kind, type[Any]] = {
    Kind.CERTIFICATE: Certificate,
    Kind.BATCH_SUMMARY: BatchSummary,
    Kind.ELIGIBILITY: Eligibility,
    Kind.RULE_BOOK: RuleBook,
}


def kept(facts: Facts) -> str:
    """The facts as the JSON that is kept; texts stay translatable."""
    return to_json(spoken(facts, Text.to_json)).decode()


def read(kind: Kind, content: str) -> Facts:
    """The facts that `kept` wrote. Raises pydantic's ValidationError for anything else."""
    facts: Facts = TypeAdapter(SHAPES[kind]).validate_json(content)
    return facts
