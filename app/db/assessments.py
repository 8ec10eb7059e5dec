"""Assessments: proposed in numbered versions, each about one thing, approved by another person's signature."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import items
from app.domain.assessments import DONOR, LOT, MATERIAL, PROCESS
from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

NUMBER = """
SELECT 'AS-' || to_char(clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment), 'YY')
    || '-' || lab.counted(nextval('lab.assessment_numbers'))
"""
PROPOSE = """
INSERT INTO lab.assessments (number, version, rule, title, scope_kind, scope_id, hazard, mitigations, conclusion,
    proposed_by, valid_from, valid_to)
VALUES (:number, :version, :rule, :title, :scope_kind, :scope_id, :hazard, CAST(:mitigations AS jsonb), :conclusion,
    :by, :valid_from, :valid_to)
RETURNING id
"""
COLUMNS = """
SELECT a.id AS assessment, a.number, a.version, a.rule, a.title, a.scope_kind, CASE a.scope_kind
        WHEN 'donor' THEN (SELECT p.pseudonym FROM lab.persons p WHERE p.id = a.scope_id)
        WHEN 'lot' THEN (SELECT l.name FROM lab.lots l WHERE l.id = a.scope_id)
        WHEN 'process' THEN (SELECT v.name || ' ' || v.version FROM lab.process_versions v WHERE v.id = a.scope_id)
        WHEN 'material' THEN (SELECT m.name FROM lab.materials m WHERE m.id = a.scope_id) END AS scope,
    a.hazard, a.mitigations, a.conclusion, p.username AS proposed_by, a.recorded_at AS proposed_at,
    s.printed_name AS approved_by, s.signed_at AS approved_at, a.valid_from, a.valid_to,
    CASE WHEN EXISTS (SELECT FROM lab.assessments n WHERE n.number = a.number AND n.version > a.version
                      AND n.signature_id IS NOT NULL) THEN 'superseded'
         WHEN a.signature_id IS NULL THEN 'proposed' WHEN a.valid_to <= clock_timestamp() THEN 'expired'
         WHEN a.valid_from > clock_timestamp() THEN 'approved' ELSE 'in_force' END AS state
FROM lab.assessments a JOIN people.accounts p ON p.id = a.proposed_by LEFT JOIN lab.signatures s ON s.id = a.signature_id
"""
LIST = f"""
{COLUMNS}
WHERE (CAST(:rule AS text) IS NULL OR a.rule = :rule) AND (CAST(:after AS bigint) IS NULL OR a.id < :after)
ORDER BY a.id DESC LIMIT :limit
"""
VERSIONS = f"{COLUMNS} WHERE a.number = :number ORDER BY a.version DESC"
ONE = f"{COLUMNS} WHERE a.id = :id"
SUBJECT = "SELECT scope_id FROM lab.assessments WHERE number = :number ORDER BY version DESC LIMIT 1"
PROCESS_ID = "SELECT id FROM lab.process_versions WHERE name = :name AND version = :version"
MATERIAL_ID = "SELECT id FROM lab.materials WHERE name = :name"
APPROVE = "SELECT gate.approve_assessment(:id, :ceremony)"


async def scope_id(reading: Reading, *, kind: str, name: str, version: int | None) -> int | None:
    """The key of what an assessment is about: donors and lots by code or name, the rest by name. Raises NotFound."""
    if kind in {DONOR, LOT}:
        return (await items.find(reading, code=name, kind="person" if kind == DONOR else "lot")).id
    found: int | None = None
    if kind == PROCESS:
        found = await reading.value(PROCESS_ID, name=name, version=version or 0)
    elif kind == MATERIAL:
        found = await reading.value(MATERIAL_ID, name=name)
    if found is None:
        raise NotFound(
            what=Text("The assessment was not proposed."),
            why=Text("There is nothing called {name} that it could be about.", name=name),
            remedy=Text("Choose what it is about as the list names it."),
        )
    return found


async def new_number(change: Change) -> str:
    """The next number for people, such as AS-26-0004."""
    number: str = await change.value(NUMBER)
    return number


async def propose(
    change: Change,
    *,
    number: str,
    version: int,
    rule: str,
    title: str,
    scope_kind: str,
    scope: int | None,
    hazard: str,
    mitigations: Sequence[Mapping[str, str]],
    conclusion: str,
    valid_from: datetime,
    valid_to: datetime,
) -> int:
    """A version that waits for approval. Its key. Raises Conflict when somebody else proposed this version meanwhile."""
    key: int = await change.value(
        PROPOSE,
        number=number,
        version=version,
        rule=rule,
        title=title,
        scope_kind=scope_kind,
        scope_id=scope,
        hazard=hazard,
        mitigations=json.dumps(list(mitigations), ensure_ascii=False),
        conclusion=conclusion,
        by=change.actor.account_id,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    return key


async def versions(reading: Reading, *, number: str) -> Sequence[Row[Any]]:
    """Every version of an assessment, the newest first. Raises NotFound."""
    rows = await reading.all(VERSIONS, number=number)
    if not rows:
        raise _nothing(number)
    return rows


async def one(reading: Reading, *, assessment_id: int) -> Row[Any]:
    """One version. Raises NotFound."""
    row = await reading.one(ONE, id=assessment_id)
    if row is None:
        raise _nothing(str(assessment_id))
    return row


async def subject_of(reading: Reading, *, number: str) -> int | None:
    """The key of what all versions of this number are about; None for the facility."""
    found: int | None = await reading.value(SUBJECT, number=number)
    return found


async def page(reading: Reading, *, rule: str | None, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Versions, the last proposed first, from the one after `after`."""
    return await reading.all(LIST, rule=rule, after=after, limit=limit)


async def approve(change: Change, *, assessment_id: int, ceremony: UUID) -> int:
    """Approve it. The signature's number. Raises CeremonyRefused, also for whoever proposed it; Conflict."""
    signature: int = await change.value(APPROVE, id=assessment_id, ceremony=ceremony)
    return signature


def _nothing(ref: str) -> NotFound:
    return NotFound(
        what=Text("There is no assessment {ref}.", ref=ref),
        why=Text("No assessment of this number was proposed."),
        remedy=Text("Choose one of the list of assessments."),
    )
