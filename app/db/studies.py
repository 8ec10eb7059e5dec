"""Studies: numbered, in versions; and what was recorded about each. Nothing of it is ever edited."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

INSERT = """
INSERT INTO lab.studies (number, recorded_by)
SELECT 'ST-' || to_char(clock_timestamp() AT TIME ZONE (SELECT time_zone FROM lab.deployment), 'YY')
    || '-' || lab.counted(nextval('lab.study_numbers')), :by
RETURNING id, number
"""
VERSION = """
INSERT INTO lab.study_versions (study_id, version, title, regulatory_path, ind_number, stage, risk_level, cell_class,
    cell_source, manipulation, administration, sites, institution_id, sponsor_id, process_id, specification_id,
    protocol_version, substantial, why, recorded_by)
SELECT :study_id, coalesce(max(version), 0) + 1, :title, :regulatory_path, :ind_number, :stage, :risk_level, :cell_class,
    :cell_source, :manipulation, :administration, CAST(:sites AS jsonb), :institution_id, :sponsor_id, :process_id,
    :specification_id, :protocol_version, :substantial, :why, :by
FROM lab.study_versions WHERE study_id = :study_id RETURNING version
"""
FIND = "SELECT id, number FROM lab.studies WHERE number = :number"
LAST = """
SELECT v.*, i.name AS institution, s.name AS sponsor, p.name AS process, p.version AS process_version,
    c.name AS specification, c.version AS specification_version
FROM lab.study_versions v JOIN lab.institutions i ON i.id = v.institution_id JOIN lab.institutions s ON s.id = v.sponsor_id
JOIN lab.process_versions p ON p.id = v.process_id JOIN lab.specifications c ON c.id = v.specification_id
WHERE v.study_id = :id ORDER BY v.version DESC LIMIT 1
"""
LIST = """
SELECT t.id, t.number, v.version, v.title, v.regulatory_path, v.stage, v.risk_level, v.protocol_version,
    i.name AS institution, s.name AS sponsor, p.name || ' ' || p.version AS process, t.recorded_at
FROM lab.studies t
JOIN LATERAL (SELECT * FROM lab.study_versions WHERE study_id = t.id ORDER BY version DESC LIMIT 1) AS v ON true
JOIN lab.institutions i ON i.id = v.institution_id JOIN lab.institutions s ON s.id = v.sponsor_id
JOIN lab.process_versions p ON p.id = v.process_id
WHERE CAST(:after AS bigint) IS NULL OR t.id < :after ORDER BY t.id DESC LIMIT :limit
"""
PROCESS = "SELECT id FROM lab.process_versions WHERE name = :name AND version = :version"
SPECIFICATION = "SELECT id FROM lab.specifications WHERE name = :name AND version = :version"
PROTOCOLS = "SELECT DISTINCT protocol_version FROM lab.study_versions WHERE study_id = :id ORDER BY 1"
CHOICES = """
SELECT 'institution' AS kind, name, NULL::integer AS version FROM lab.institutions
UNION ALL SELECT 'process', name, version FROM lab.process_versions
UNION ALL SELECT 'specification', name, version FROM lab.specifications ORDER BY 1, 2, 3 DESC LIMIT 1000
"""
LEADER = """
INSERT INTO lab.study_leaders (study_id, name, licence_number, licence_valid_to, title_level, title_certificate,
    title_valid_to, from_on, to_on, evidence, recorded_by)
VALUES (:study_id, :name, :licence_number, :licence_valid_to, :title_level, :title_certificate, :title_valid_to, :from_on,
    :to_on, :evidence, :by) RETURNING id
"""
DECISION = """
INSERT INTO lab.committee_decisions (study_id, committee, decision, protocol_version, decided_on, valid_to, reference,
    recorded_by)
VALUES (:study_id, :committee, :decision, :protocol_version, :decided_on, :valid_to, :reference, :by) RETURNING id
"""
FILING = """
INSERT INTO lab.study_filings (study_id, filing_number, authority, protocol_version, filed_on, reference, recorded_by)
VALUES (:study_id, :filing_number, :authority, :protocol_version, :filed_on, :reference, :by) RETURNING id
"""
AGREEMENT = """
INSERT INTO lab.sponsor_agreements (study_id, sponsor_id, protocol_jointly_set, signed_on, valid_to, reference,
    recorded_by)
VALUES (:study_id, :sponsor_id, :protocol_jointly_set, :signed_on, :valid_to, :reference, :by) RETURNING id
"""
BANK = "INSERT INTO lab.study_banks (study_id, lot_id, recorded_by) VALUES (:study_id, :lot_id, :by) RETURNING id"
FOLLOW_UP = """
INSERT INTO lab.follow_up_plans (study_id, protocol_version, years, reference, recorded_by)
VALUES (:study_id, :protocol_version, :years, :reference, :by) RETURNING id
"""
RECORDS: Mapping[str, str] = {
    "leader": LEADER,
    "decision": DECISION,
    "filing": FILING,
    "agreement": AGREEMENT,
    "bank": BANK,
    "follow_up": FOLLOW_UP,
}


async def insert(change: Change) -> Row[Any]:
    """A new study under the next number."""
    made = await change.one(INSERT, by=change.actor.account_id)
    if made is None:
        raise RuntimeError("an insert always answers")
    return made


async def keep_version(change: Change, *, study_id: int, values: Mapping[str, Any]) -> int:
    """The next version of a study. Its number. Raises Conflict when somebody else made it meanwhile."""
    sites = json.dumps(values["sites"], ensure_ascii=False)
    version: int = await change.value(
        VERSION, study_id=study_id, **{**values, "sites": sites}, by=change.actor.account_id
    )
    return version


async def find(reading: Reading, *, number: str) -> Row[Any]:
    """A study by its number. Raises NotFound."""
    found = await reading.one(FIND, number=number)
    if found is None:
        raise NotFound(
            what=Text("There is no study {number}.", number=number),
            why=Text("No study has this number."),
            remedy=Text("Choose one of the list of studies."),
        )
    return found


async def last_version(reading: Reading, *, study_id: int) -> Row[Any]:
    """A study as it stands."""
    (found,) = await reading.all(LAST, id=study_id)
    return found


async def page(reading: Reading, *, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Studies as they stand, the last registered first."""
    return await reading.all(LIST, after=after, limit=limit)


async def process_id(reading: Reading, *, name: str, version: int) -> int | None:
    """The key of a process version; None where there is none."""
    found: int | None = await reading.value(PROCESS, name=name, version=version)
    return found


async def specification_id(reading: Reading, *, name: str, version: int) -> int | None:
    """The key of a specification version; None where there is none."""
    found: int | None = await reading.value(SPECIFICATION, name=name, version=version)
    return found


async def protocols(reading: Reading, *, study_id: int) -> tuple[str, ...]:
    """The versions of the study's protocol that there are."""
    return tuple(row.protocol_version for row in await reading.all(PROTOCOLS, id=study_id))


async def choices(reading: Reading) -> Sequence[Row[Any]]:
    """What a study may name: institutions, process versions, specification versions."""
    return await reading.all(CHOICES)


async def keep(change: Change, kind: str, *, study_id: int, values: Mapping[str, Any]) -> int:
    """Something that was recorded about a study: leader, decision, filing, agreement or bank. Its key."""
    key: int = await change.value(RECORDS[kind], study_id=study_id, **values, by=change.actor.account_id)
    return key
