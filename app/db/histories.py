"""Questionnaires in versions, and what donors answered and physicians found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from app.db.door import Change, Reading

DEFINE = """
INSERT INTO lab.questionnaires (name, version, questions, source, recorded_by)
SELECT :name, 1 + coalesce(max(version), 0), CAST(:questions AS jsonb), :source, :by FROM lab.questionnaires WHERE name = :name
RETURNING version
"""
COLUMNS = """
SELECT q.id, q.name, q.version, q.questions, q.source, a.username AS defined_by, q.recorded_at AS defined_at,
    NOT EXISTS (SELECT FROM lab.questionnaires n WHERE n.name = q.name AND n.version > q.version) AS is_current
FROM lab.questionnaires q JOIN people.accounts a ON a.id = q.recorded_by
"""
LIST = f"{COLUMNS} ORDER BY q.name, q.version DESC LIMIT :limit"
ONE = f"{COLUMNS} WHERE q.name = :name AND q.version = :version"
KEEP = """
INSERT INTO lab.health_histories (donor_id, questionnaire_id, answers, asked_at, examined_at, examined_by, examination,
    findings, recorded_by)
VALUES (:donor, :questionnaire, CAST(:answers AS jsonb), :asked_at, :examined_at, :examined_by, :examination, :findings, :by)
RETURNING id
"""
OF_DONOR = """
SELECT h.id, q.name AS questionnaire, q.version, q.questions, h.answers, h.asked_at, h.examined_at, h.examined_by,
    h.examination, h.findings, a.username AS recorded_by, h.recorded_at
FROM lab.health_histories h JOIN lab.questionnaires q ON q.id = h.questionnaire_id
JOIN people.accounts a ON a.id = h.recorded_by WHERE h.donor_id = :donor ORDER BY h.id DESC
"""


async def define(change: Change, *, name: str, questions: Sequence[Mapping[str, Any]], source: str) -> int:
    """The next version of a questionnaire. Its number. Raises Conflict when two define it at once."""
    version: int = await change.value(
        DEFINE,
        name=name,
        questions=json.dumps(list(questions), ensure_ascii=False),
        source=source,
        by=change.actor.account_id,
    )
    return version


async def page(reading: Reading, *, limit: int) -> Sequence[Row[Any]]:
    """Versions by name, the newest of each first."""
    return await reading.all(LIST, limit=limit)


async def one(reading: Reading, *, name: str, version: int) -> Row[Any]:
    """A version of a questionnaire. Raises NotFound."""
    row = await reading.one(ONE, name=name, version=version)
    if row is None:
        raise NotFound(
            what=Text("There is no questionnaire {name} in version {version}.", name=name, version=version),
            why=Text("No such version was defined."),
            remedy=Text("Choose one of the list of questionnaires."),
        )
    return row


async def keep(
    change: Change,
    *,
    donor: int,
    questionnaire: int,
    answers: Mapping[str, str],
    asked_at: datetime,
    examined_at: datetime | None,
    examined_by: str | None,
    examination: str | None,
    findings: str | None,
) -> int:
    """What a donor answered and a physician found. Its number."""
    key: int = await change.value(
        KEEP,
        donor=donor,
        questionnaire=questionnaire,
        answers=json.dumps(dict(answers), ensure_ascii=False),
        asked_at=asked_at,
        examined_at=examined_at,
        examined_by=examined_by,
        examination=examination,
        findings=findings,
        by=change.actor.account_id,
    )
    return key


async def of_donor(reading: Reading, *, donor: int) -> Sequence[Row[Any]]:
    """What was ever asked of a donor, the last recorded first."""
    return await reading.all(OF_DONOR, donor=donor)
