"""Partners: who takes part in a study beside this house, how each was assessed, and what was agreed.

An assessment counts once the quality authority has signed it; nobody signs what they wrote down themselves.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import equipment, partners, settings, studies
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, NotFound
from app.domain.moments import require_end
from app.domain.partners import SECTION_NAMES
from app.domain.rows import require_once_each
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Call, Reading
    from app.services.house import House

SHOWN_AT_MOST = 500
DUTIES = "ext02.duties"
NOT_RECORDED = Text("Nothing was recorded.")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an assessment: its score of 100, and whether it is accepted."""

    section: str
    score: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: minor, major or critical; open until `closed_on`."""

    severity: str
    what: str
    capa_due_on: date | None
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class Assessed:
    """An assessment of a partner in its three parts."""

    assessed_on: date
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """A quality agreement: each duty with who has it, for one process version."""

    process: str
    process_version: int
    duties: dict[str, str]
    signed_on: date
    valid_to: date | None
    reference: str


@dataclass(frozen=True, slots=True)
class AssessmentView:
    """An assessment as it was recorded, and who signed it, if anybody did."""

    assessment: int
    assessed_on: date
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]
    evidence: str
    recorded_by: str
    recorded_at: datetime
    signed_by: str | None
    signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class AgreementView:
    """A quality agreement as it was recorded."""

    agreement: int
    process: str
    duties: dict[str, str]
    signed_on: date
    valid_to: date | None
    reference: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """A partner in the list; `waiting` assessments wait for their signature."""

    partner: int
    name: str
    kind: str
    address: str
    waiting: int


@dataclass(frozen=True, slots=True)
class PartnerView:
    """A partner with every assessment and agreement, the last first. `duties` are those that an agreement gives."""

    partner: int
    name: str
    kind: str
    address: str
    assessments: tuple[AssessmentView, ...]
    agreements: tuple[AgreementView, ...]
    duties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeptView:
    """Something that was recorded about a partner. `record` is its number."""

    partner: int
    record: int


async def register_partner(house: House, call: Call, *, name: str, kind: str, address: str) -> KeptView:
    """Register a partner. Raises Conflict when the name is taken."""
    async with house.door.change(call, Act.REGISTER_PARTNER, subject=name) as change:
        key = await partners.insert(change, name=name, kind=kind, address=address)
        return change.answers(KeptView(key, key))


async def assess_partner(house: House, call: Call, *, partner: int, assessed: Assessed) -> KeptView:
    """Record an assessment; it waits for the quality authority's signature. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.ASSESS_PARTNER, subject=f"partner {partner}") as change:
        await partners.one(change, partner_id=partner)
        await _require_possible(change, assessed)
        key = await partners.assess(
            change,
            partner_id=partner,
            assessed_on=assessed.assessed_on,
            sections=[asdict(each) for each in assessed.sections],
            findings=[
                {
                    "class": each.severity,
                    "what": each.what,
                    "capa_due_on": each.capa_due_on,
                    "closed_on": each.closed_on,
                }
                for each in assessed.findings
            ],
            evidence=assessed.evidence,
        )
        return change.answers(KeptView(partner, key))


async def decide_partner(house: House, call: Call, *, assessment: int, ceremony: UUID) -> KeptView:
    """Sign an assessment. Raises NotFound, CeremonyRefused, Stale, Conflict when it is signed already."""
    async with house.door.change(call, Act.DECIDE_PARTNER, subject=f"assessment of a partner {assessment}") as change:
        change.ceremony = ceremony
        partner = await partners.partner_of(change, assessment_id=assessment)
        if partner is None:
            raise NotFound(
                what=Text("There is no such assessment."),
                why=Text("No assessment of a partner has the number {number}.", number=assessment),
                remedy=Text("Choose one of the partner's page."),
            )
        await partners.decide(change, assessment_id=assessment, ceremony=ceremony)
        return change.answers(KeptView(partner, assessment))


async def record_agreement(house: House, call: Call, *, partner: int, agreed: Agreed) -> KeptView:
    """Record a quality agreement. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.RECORD_QUALITY_AGREEMENT, subject=f"partner {partner}") as change:
        await partners.one(change, partner_id=partner)
        process_id = await studies.process_id(change, name=agreed.process, version=agreed.process_version)
        if process_id is None:
            raise NotFound(
                what=NOT_RECORDED,
                why=Text("There is no {name}.", name=f"{agreed.process} {agreed.process_version}"),
                remedy=Text("Choose a process by name and version as it is defined."),
            )
        await _require_happened(change, agreed.signed_on, field="signed_on")
        if agreed.valid_to is not None and agreed.valid_to < agreed.signed_on:
            raise BadInput(
                field="valid_to",
                what=NOT_RECORDED,
                why=Text("It would end before it begins."),
                remedy=Text("Give an end that is after its beginning."),
            )
        key = await partners.agree(
            change,
            partner_id=partner,
            process_id=process_id,
            duties=agreed.duties,
            signed_on=agreed.signed_on,
            valid_to=agreed.valid_to,
            reference=agreed.reference,
        )
        return change.answers(KeptView(partner, key))


async def name_partner(house: House, call: Call, *, number: str, partner: str) -> KeptView:
    """Say that a partner takes part in a study. Raises NotFound, BadInput, Conflict when it is said already."""
    async with house.door.change(call, Act.REGISTER_STUDY, subject=number) as change:
        study = await studies.find(change, number=number)
        found = await partners.id_of(change, name=partner)
        if found is None:
            raise BadInput(
                field="partner",
                what=NOT_RECORDED,
                why=Text("No partner called {name} is registered.", name=partner),
                remedy=Text("Register the partner first, or choose one of the list."),
            )
        key = await partners.name(change, study_id=study.id, partner_id=found)
        return change.answers(KeptView(found, key))


async def list_partners(house: House, actor: Actor) -> tuple[PartnerRow, ...]:
    """Every partner by name."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        rows = await partners.page(reading, limit=SHOWN_AT_MOST)
    return tuple(PartnerRow(row.id, row.name, row.kind, row.address, row.waiting) for row in rows)


async def read_partner(house: House, actor: Actor, *, partner: int) -> PartnerView:
    """One partner with every assessment and agreement. Raises NotFound."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        row = await partners.one(reading, partner_id=partner)
        assessed = await partners.assessments(reading, partner_id=partner)
        agreed = await partners.agreements(reading, partner_id=partner)
        duties = (await settings.current(reading, DUTIES)).get(DUTIES, [])
    return PartnerView(
        partner=row.id,
        name=row.name,
        kind=row.kind,
        address=row.address,
        assessments=tuple(
            AssessmentView(
                **{
                    **each._asdict(),
                    "sections": tuple(Section(**one) for one in each.sections),
                    "findings": tuple(_finding(one) for one in each.findings),
                }
            )
            for each in assessed
        ),
        agreements=tuple(AgreementView(**each._asdict()) for each in agreed),
        duties=tuple(duties),
    )


def _finding(kept: Mapping[str, str | None]) -> Finding:
    due, closed = kept["capa_due_on"], kept["closed_on"]
    return Finding(
        severity=kept["class"] or "",
        what=kept["what"] or "",
        capa_due_on=date.fromisoformat(due) if due else None,
        closed_on=date.fromisoformat(closed) if closed else None,
    )


async def _require_possible(reading: Reading, assessed: Assessed) -> None:
    await _require_happened(reading, assessed.assessed_on, field="assessed_on")
    if sorted(each.section for each in assessed.sections) != sorted(SECTION_NAMES):
        raise BadInput(
            field="sections",
            what=NOT_RECORDED,
            why=Text("An assessment has three parts, each once: {parts}.", parts=tuple(SECTION_NAMES.values())),
            remedy=Text("State a score and a decision for each part."),
        )
    require_once_each([(each, each.what) for each in assessed.findings], field="findings")
    for row, each in enumerate(assessed.findings):
        if each.closed_on is not None:
            await _require_happened(reading, each.closed_on, field=f"findings.{row}.closed_on")
        require_end(begins=assessed.assessed_on, ends=each.closed_on, field=f"findings.{row}.closed_on")
        require_end(begins=assessed.assessed_on, ends=each.capa_due_on, field=f"findings.{row}.capa_due_on")


async def _require_happened(reading: Reading, day: date, *, field: str) -> None:
    if day > await equipment.today(reading):
        raise BadInput(
            field=field,
            what=NOT_RECORDED,
            why=Text("{day} is yet to come.", day=day),
            remedy=Text("Record it when it has been done."),
        )
