"""What the house is governed by: settings and their proposed changes, the rule pack chosen, authorities' replies."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.text import JSON, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

VERSIONS = """
SELECT s.name, s.version, s.value, s.unit, s.source, s.valid_from, p.why, a.username AS proposed_by,
    g.printed_name AS approved_by, g.signed_at AS approved_at, g.id AS signature,
    s.id = first_value(s.id) OVER (PARTITION BY s.name, s.valid_from <= clock_timestamp()
        ORDER BY s.valid_from DESC, s.version DESC) AND s.valid_from <= clock_timestamp() AS in_force
FROM lab.settings s LEFT JOIN lab.setting_proposals p ON p.id = s.proposal_id
    LEFT JOIN people.accounts a ON a.id = p.proposed_by LEFT JOIN lab.signatures g ON g.id = s.signature_id
WHERE CAST(:name AS text) IS NULL OR s.name = :name
ORDER BY s.name, s.version DESC
"""
OPEN_PROPOSALS = """
SELECT p.id AS proposal, p.name, p.value, p.unit, p.source, p.why, p.valid_from, a.username AS proposed_by,
    p.recorded_at AS proposed_at,
    (SELECT jsonb_build_object('version', s.version, 'value', s.value) FROM lab.settings s
     WHERE s.name = p.name AND s.valid_from <= greatest(p.valid_from, clock_timestamp())
     ORDER BY s.valid_from DESC, s.version DESC LIMIT 1) AS old
FROM lab.setting_proposals p JOIN people.accounts a ON a.id = p.proposed_by
WHERE NOT EXISTS (SELECT FROM lab.settings s WHERE s.proposal_id = p.id)
    AND (CAST(:name AS text) IS NULL OR p.name = :name) AND (CAST(:id AS bigint) IS NULL OR p.id = :id)
ORDER BY p.id DESC LIMIT 200
"""
PROPOSE = """
INSERT INTO lab.setting_proposals (name, value, unit, source, why, valid_from, proposed_by)
VALUES (:name, CAST(:value AS jsonb), :unit, :source, :why, :valid_from, :by) RETURNING id
"""
PROPOSED_NAME = "SELECT name FROM lab.setting_proposals WHERE id = :id"
APPROVE = "SELECT signature, setting_version, effective_from FROM gate.approve_setting(:id, :ceremony)"

PACK = """
SELECT coalesce((SELECT pack FROM lab.pack_choices ORDER BY id DESC LIMIT 1),
    (SELECT jurisdiction FROM lab.rulebooks ORDER BY id DESC LIMIT 1))
"""
PACK_CHOICES = """
SELECT c.pack, p.why, a.username AS proposed_by, g.printed_name AS chosen_by, g.signed_at AS chosen_at, g.id AS signature
FROM lab.pack_choices c JOIN lab.pack_proposals p ON p.id = c.proposal_id
    JOIN people.accounts a ON a.id = p.proposed_by JOIN lab.signatures g ON g.id = c.signature_id
ORDER BY c.id DESC LIMIT 200
"""
PACK_PROPOSALS = """
SELECT p.id AS proposal, p.pack, p.why, a.username AS proposed_by, p.recorded_at AS proposed_at
FROM lab.pack_proposals p JOIN people.accounts a ON a.id = p.proposed_by
WHERE NOT EXISTS (SELECT FROM lab.pack_choices c WHERE c.proposal_id = p.id)
    AND (CAST(:id AS bigint) IS NULL OR p.id = :id)
ORDER BY p.id DESC LIMIT 200
"""
PROPOSE_PACK = "INSERT INTO lab.pack_proposals (pack, why, proposed_by) VALUES (:pack, :why, :by) RETURNING id"
PROPOSED_PACK = "SELECT pack FROM lab.pack_proposals WHERE id = :id"
CHOOSE_PACK = "SELECT gate.approve_pack(:id, :ceremony)"

PROCESS_ID = "SELECT id FROM lab.process_versions WHERE name = :name AND version = :version"
PROCESSES = "SELECT name, version FROM lab.process_versions ORDER BY name, version DESC LIMIT 500"
FILE_REPLY = """
INSERT INTO lab.authority_replies (authority, reference, dated, rule, process_id, question, answer, ruling, file_name,
    file_sha256, file_place, recorded_by)
VALUES (:authority, :reference, :dated, :rule, :process_id, :question, :answer, :ruling, :file_name, :file_sha256,
    :file_place, :by) RETURNING id
"""
REPLIES = """
SELECT r.id AS reply, r.authority, r.reference, r.dated, r.rule, v.name AS process, v.version AS process_version,
    r.question, r.answer, r.ruling, r.file_name, r.file_sha256, r.file_place, a.username AS recorded_by, r.recorded_at
FROM lab.authority_replies r JOIN lab.process_versions v ON v.id = r.process_id
    JOIN people.accounts a ON a.id = r.recorded_by
WHERE (CAST(:id AS bigint) IS NULL OR r.id = :id) AND (CAST(:after AS bigint) IS NULL OR r.id < :after)
ORDER BY r.id DESC LIMIT :limit
"""


async def versions(reading: Reading, *, name: str | None = None) -> Sequence[Row[Any]]:
    """Every version of one setting or of all, the newest of each first."""
    return await reading.all(VERSIONS, name=name)


async def proposals(reading: Reading, *, name: str | None = None, proposal: int | None = None) -> Sequence[Row[Any]]:
    """Changes that nobody has signed yet, the last proposed first, each with what holds until then."""
    return await reading.all(OPEN_PROPOSALS, name=name, id=proposal)


async def propose(
    change: Change, *, name: str, value: JSON, unit: str | None, source: str, why: str, valid_from: datetime
) -> int:
    """A change of a setting that waits for its signature. Its number."""
    key: int = await change.value(
        PROPOSE,
        name=name,
        value=json.dumps(value, ensure_ascii=False, allow_nan=False),
        unit=unit,
        source=source,
        why=why,
        valid_from=valid_from,
        by=change.actor.account_id,
    )
    return key


async def proposed_name(reading: Reading, *, proposal: int) -> str:
    """The setting that a proposal is about. Raises NotFound."""
    name: str | None = await reading.value(PROPOSED_NAME, id=proposal)
    if name is None:
        raise _no_proposal(proposal)
    return name


async def approve(change: Change, *, proposal: int, ceremony: UUID) -> Row[Any]:
    """Sign a change: `signature`, `setting_version`, `effective_from`. Raises CeremonyRefused, Stale, Conflict."""
    row = await change.one(APPROVE, id=proposal, ceremony=ceremony)
    if row is None:
        raise RuntimeError("approving always answers")
    return row


async def pack(reading: Reading) -> str | None:
    """The rule pack that judges this house; None where none was chosen."""
    found: str | None = await reading.value(PACK)
    return found


async def pack_choices(reading: Reading) -> Sequence[Row[Any]]:
    """Which packs were chosen by signature, the last first."""
    return await reading.all(PACK_CHOICES)


async def pack_proposals(reading: Reading, *, proposal: int | None = None) -> Sequence[Row[Any]]:
    """Packs proposed and not signed."""
    return await reading.all(PACK_PROPOSALS, id=proposal)


async def propose_pack(change: Change, *, pack: str, why: str) -> int:
    """A pack that waits for the quality authority. The proposal's number."""
    key: int = await change.value(PROPOSE_PACK, pack=pack, why=why, by=change.actor.account_id)
    return key


async def proposed_pack(reading: Reading, *, proposal: int) -> str:
    """The pack that a proposal names. Raises NotFound."""
    found: str | None = await reading.value(PROPOSED_PACK, id=proposal)
    if found is None:
        raise _no_proposal(proposal)
    return found


async def choose_pack(change: Change, *, proposal: int, ceremony: UUID) -> int:
    """Choose it. The signature's number. Raises CeremonyRefused, Stale, Conflict."""
    signature: int = await change.value(CHOOSE_PACK, id=proposal, ceremony=ceremony)
    return signature


async def processes(reading: Reading) -> Sequence[Row[Any]]:
    """Process versions by name, the newest of each first."""
    return await reading.all(PROCESSES)


async def process_id(reading: Reading, *, name: str, version: int) -> int:
    """The key of a process version. Raises NotFound."""
    found: int | None = await reading.value(PROCESS_ID, name=name, version=version)
    if found is None:
        raise NotFound(
            what=Text("The reply was not filed."),
            why=Text("There is no process {name} {version}.", name=name, version=version),
            remedy=Text("Choose a process version of the list of processes."),
        )
    return found


async def file_reply(change: Change, *, process_id: int, dated: date, **said: str) -> int:
    """Keep an authority's written reply. Its number."""
    key: int = await change.value(FILE_REPLY, process_id=process_id, dated=dated, by=change.actor.account_id, **said)
    return key


async def replies(
    reading: Reading, *, reply: int | None = None, after: int | None = None, limit: int = 50
) -> Sequence[Row[Any]]:
    """Replies, the last filed first."""
    return await reading.all(REPLIES, id=reply, after=after, limit=limit)


def _no_proposal(number: int) -> NotFound:
    return NotFound(
        what=Text("There is no proposal {number}.", number=number),
        why=Text("Nothing of this number was proposed."),
        remedy=Text("Choose one of the list."),
    )
