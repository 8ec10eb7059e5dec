"""Partners: registered once, assessed and signed, bound by agreements, named in studies."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.door import Change, Reading

INSERT = """
INSERT INTO lab.partners (name, kind, address, recorded_by) VALUES (:name, :kind, :address, :by) RETURNING id
"""
LIST = """
SELECT p.id, p.name, p.kind, p.address,
    (SELECT count(*) FROM lab.partner_assessments a WHERE a.partner_id = p.id AND a.signature_id IS NULL) AS waiting
FROM lab.partners p WHERE CAST(:id AS bigint) IS NULL OR p.id = :id ORDER BY lower(p.name), p.id LIMIT :limit
"""
ASSESSMENTS = """
SELECT a.id AS assessment, a.assessed_on, a.sections, a.findings, a.evidence, p.username AS recorded_by, a.recorded_at,
    g.printed_name AS signed_by, g.signed_at
FROM lab.partner_assessments a JOIN people.accounts p ON p.id = a.recorded_by
LEFT JOIN lab.signatures g ON g.id = a.signature_id WHERE a.partner_id = :id ORDER BY a.id DESC
"""
AGREEMENTS = """
SELECT q.id AS agreement, v.name || ' ' || v.version AS process, q.duties, q.signed_on, q.valid_to, q.reference,
    p.username AS recorded_by, q.recorded_at
FROM lab.quality_agreements q JOIN lab.process_versions v ON v.id = q.process_id
JOIN people.accounts p ON p.id = q.recorded_by WHERE q.partner_id = :id ORDER BY q.id DESC
"""
ASSESS = """
INSERT INTO lab.partner_assessments (partner_id, assessed_on, sections, findings, evidence, recorded_by)
VALUES (:id, :assessed_on, CAST(:sections AS jsonb), CAST(:findings AS jsonb), :evidence, :by) RETURNING id
"""
AGREE = """
INSERT INTO lab.quality_agreements (partner_id, process_id, duties, signed_on, valid_to, reference, recorded_by)
VALUES (:id, :process_id, CAST(:duties AS jsonb), :signed_on, :valid_to, :reference, :by) RETURNING id
"""
NAME = "INSERT INTO lab.study_partners (study_id, partner_id, recorded_by) VALUES (:study_id, :id, :by) RETURNING id"
NAMED = "SELECT id FROM lab.partners WHERE name = :name"
OF_ASSESSMENT = "SELECT partner_id FROM lab.partner_assessments WHERE id = :id"
DECIDE = "SELECT gate.decide_partner(:id, :ceremony)"


async def insert(change: Change, *, name: str, kind: str, address: str) -> int:
    """A new partner. Raises Conflict when the name is taken."""
    key: int = await change.value(INSERT, name=name, kind=kind, address=address, by=change.actor.account_id)
    return key


async def page(reading: Reading, *, limit: int) -> Sequence[Row[Any]]:
    """Partners by name."""
    return await reading.all(LIST, id=None, limit=limit)


async def one(reading: Reading, *, partner_id: int) -> Row[Any]:
    """One partner. Raises NotFound."""
    found = await reading.one(LIST, id=partner_id, limit=1)
    if found is None:
        raise NotFound(
            what=Text("There is no such partner."),
            why=Text("No partner has the number {number}.", number=partner_id),
            remedy=Text("Choose one of the list, or register it."),
        )
    return found


async def assessments(reading: Reading, *, partner_id: int) -> Sequence[Row[Any]]:
    """Every assessment of a partner, the last first."""
    return await reading.all(ASSESSMENTS, id=partner_id)


async def agreements(reading: Reading, *, partner_id: int) -> Sequence[Row[Any]]:
    """Every quality agreement with a partner, the last first."""
    return await reading.all(AGREEMENTS, id=partner_id)


async def assess(
    change: Change,
    *,
    partner_id: int,
    assessed_on: date,
    sections: Sequence[Mapping[str, Any]],
    findings: Sequence[Mapping[str, Any]],
    evidence: str,
) -> int:
    """An assessment that waits for its signature. Its key."""
    key: int = await change.value(
        ASSESS,
        id=partner_id,
        assessed_on=assessed_on,
        sections=json.dumps(list(sections)),
        findings=json.dumps(list(findings), ensure_ascii=False, default=str),
        evidence=evidence,
        by=change.actor.account_id,
    )
    return key


async def agree(
    change: Change,
    *,
    partner_id: int,
    process_id: int,
    duties: Mapping[str, str],
    signed_on: date,
    valid_to: date | None,
    reference: str,
) -> int:
    """A quality agreement as it was signed. Its key."""
    key: int = await change.value(
        AGREE,
        id=partner_id,
        process_id=process_id,
        duties=json.dumps(dict(duties), ensure_ascii=False),
        signed_on=signed_on,
        valid_to=valid_to,
        reference=reference,
        by=change.actor.account_id,
    )
    return key


async def name(change: Change, *, study_id: int, partner_id: int) -> int:
    """A partner takes part in a study. Raises Conflict when that is said already."""
    key: int = await change.value(NAME, study_id=study_id, id=partner_id, by=change.actor.account_id)
    return key


async def id_of(reading: Reading, *, name: str) -> int | None:
    """The key of the partner of this name; None where there is none."""
    found: int | None = await reading.value(NAMED, name=name)
    return found


async def partner_of(reading: Reading, *, assessment_id: int) -> int | None:
    """Whose assessment it is; None where there is no such one."""
    found: int | None = await reading.value(OF_ASSESSMENT, id=assessment_id)
    return found


async def decide(change: Change, *, assessment_id: int, ceremony: UUID) -> int:
    """Sign an assessment. Raises CeremonyRefused, Stale, Conflict."""
    signature: int = await change.value(DECIDE, id=assessment_id, ceremony=ceremony)
    return signature
