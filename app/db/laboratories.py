"""Laboratories outside: registered once; accreditations, their ends and declarations of independence are added to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

INSERT = "INSERT INTO lab.laboratories (name, address, recorded_by) VALUES (:name, :address, :by) RETURNING id"
LIST = """
SELECT o.id, o.name, o.address, (SELECT max(coalesce(a.valid_to, 'infinity'::date)) FROM lab.laboratory_accreditations a
    WHERE a.laboratory_id = o.id AND a.valid_from <= CAST(:day AS date) AND NOT EXISTS (
        SELECT FROM lab.accreditation_ends e JOIN lab.laboratory_accreditations x ON x.id = e.accreditation_id
        WHERE x.laboratory_id = a.laboratory_id AND (x.kind, x.number) = (a.kind, a.number) AND a.valid_from <= e.ended_on)) >= CAST(:day AS date) AS accredited,
    (SELECT count(*) FROM lab.reinspections r WHERE r.laboratory_id = o.id) AS reports
FROM lab.laboratories o WHERE CAST(:id AS bigint) IS NULL OR o.id = :id ORDER BY lower(o.name), o.id LIMIT :limit
"""
ACCREDITATIONS = """
SELECT a.id AS accreditation, a.kind, a.number, a.scope, a.valid_from, a.valid_to, a.file_name, a.file_sha256,
    p.username AS recorded_by, a.recorded_at
FROM lab.laboratory_accreditations a JOIN people.accounts p ON p.id = a.recorded_by WHERE a.laboratory_id = :id ORDER BY a.id DESC
"""
ENDS = """
SELECT e.id AS ended, a.kind, a.number, e.how, e.ended_on, e.why, e.evidence, p.username AS recorded_by, e.recorded_at
FROM lab.accreditation_ends e JOIN lab.laboratory_accreditations a ON a.id = e.accreditation_id
JOIN people.accounts p ON p.id = e.recorded_by WHERE e.laboratory_id = :id ORDER BY e.id DESC
"""
DECLARATIONS = """
SELECT d.id AS declaration, i.name AS institution, d.not_the_institution, d.not_the_facility, d.no_common_control,
    d.declared_by, d.declared_on, d.evidence, p.username AS recorded_by, d.recorded_at
FROM lab.independence_declarations d JOIN lab.institutions i ON i.id = d.institution_id
JOIN people.accounts p ON p.id = d.recorded_by WHERE d.laboratory_id = :id ORDER BY d.id DESC
"""
ACCREDIT = """
INSERT INTO lab.laboratory_accreditations (laboratory_id, kind, number, scope, valid_from, valid_to, file_name, file_sha256, recorded_by)
VALUES (:id, :kind, :number, CAST(:scope AS jsonb), :valid_from, :valid_to, :file_name, :file_sha256, :by) RETURNING id
"""
END = """
INSERT INTO lab.accreditation_ends (laboratory_id, accreditation_id, how, ended_on, why, evidence, recorded_by)
VALUES (:id, :accreditation_id, :how, :ended_on, :why, :evidence, :by) RETURNING id
"""
DECLARE = """
INSERT INTO lab.independence_declarations (laboratory_id, institution_id, not_the_institution, not_the_facility,
    no_common_control, declared_by, declared_on, evidence, recorded_by)
VALUES (:id, :institution_id, :not_the_institution, :not_the_facility, :no_common_control, :declared_by, :declared_on,
    :evidence, :by) RETURNING id
"""
NAMED = "SELECT id FROM lab.laboratories WHERE name = :name"
BEGAN = "SELECT valid_from FROM lab.laboratory_accreditations WHERE id = :accreditation AND laboratory_id = :id"


async def insert(change: Change, *, name: str, address: str) -> int:
    """A new laboratory. Raises Conflict when the name is taken."""
    key: int = await change.value(INSERT, name=name, address=address, by=change.actor.account_id)
    return key


async def page(reading: Reading, *, day: object, limit: int) -> Sequence[Row[Any]]:
    """Laboratories by name, each with whether anything accredits it on the day."""
    return await reading.all(LIST, id=None, day=day, limit=limit)


async def one(reading: Reading, *, laboratory_id: int, day: object) -> Row[Any]:
    """One laboratory. Raises NotFound."""
    found = await reading.one(LIST, id=laboratory_id, day=day, limit=1)
    if found is None:
        raise NotFound(
            what=Text("There is no such laboratory."),
            why=Text("No laboratory has the number {number}.", number=laboratory_id),
            remedy=Text("Choose one of the list, or register it."),
        )
    return found


async def accreditations(reading: Reading, *, laboratory_id: int) -> Sequence[Row[Any]]:
    """Every paper that accredits the laboratory, the last first."""
    return await reading.all(ACCREDITATIONS, id=laboratory_id)


async def ends(reading: Reading, *, laboratory_id: int) -> Sequence[Row[Any]]:
    """Every accreditation that ended before its day, the last first."""
    return await reading.all(ENDS, id=laboratory_id)


async def declarations(reading: Reading, *, laboratory_id: int) -> Sequence[Row[Any]]:
    """What was declared of its independence, the last first."""
    return await reading.all(DECLARATIONS, id=laboratory_id)


async def accredit(change: Change, *, laboratory_id: int, values: Mapping[str, Any]) -> int:
    """A paper that accredits the laboratory. Its key."""
    scope = json.dumps(values["scope"], ensure_ascii=False)
    key: int = await change.value(ACCREDIT, id=laboratory_id, **{**values, "scope": scope}, by=change.actor.account_id)
    return key


async def end(change: Change, *, laboratory_id: int, values: Mapping[str, Any]) -> int:
    """An accreditation ended; what was tested without it comes to light. Its key."""
    key: int = await change.value(END, id=laboratory_id, **values, by=change.actor.account_id)
    return key


async def declare(change: Change, *, laboratory_id: int, values: Mapping[str, Any]) -> int:
    """What somebody declares of the laboratory's independence. Its key."""
    key: int = await change.value(DECLARE, id=laboratory_id, **values, by=change.actor.account_id)
    return key


async def id_of(reading: Reading, *, name: str) -> int | None:
    """The key of the laboratory of this name; None where there is none."""
    found: int | None = await reading.value(NAMED, name=name)
    return found


async def began_on(reading: Reading, *, laboratory_id: int, accreditation: int) -> Any:
    """The day from which the accreditation of this laboratory counts; None where there is no such one."""
    return await reading.value(BEGAN, id=laboratory_id, accreditation=accreditation)
