"""Who answers for a level of the house, and which process versions it may run: proposed by one, signed by another."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

NUMBERS_END = 2**63
PROPOSE_AUTHORISATION = """
INSERT INTO lab.authorisations (process_id, owner, address, classification, valid_from, valid_to, proposed_by)
SELECT id, :owner, :address, :classification, :valid_from, :valid_to, :by FROM lab.process_versions
WHERE name = :name AND version = :version RETURNING id
"""
AUTHORISATIONS = """
SELECT a.id AS authorisation, v.name AS process, v.version, a.owner, a.address, a.classification, a.valid_from, a.valid_to,
    p.printed_name AS proposed_by, a.recorded_at AS proposed_at, s.printed_name AS signed_by, s.signed_at,
    CASE WHEN a.signature_id IS NULL THEN 'proposed' WHEN a.valid_to <= clock_timestamp() THEN 'expired'
         WHEN a.valid_from > clock_timestamp() THEN 'signed' ELSE 'in_force' END AS state
FROM lab.authorisations a JOIN lab.process_versions v ON v.id = a.process_id JOIN people.accounts p ON p.id = a.proposed_by
LEFT JOIN lab.signatures s ON s.id = a.signature_id
WHERE (CAST(:id AS bigint) IS NULL OR a.id = :id) ORDER BY a.id DESC LIMIT 200
"""
AUTHORISE = "SELECT gate.authorise_process(:id, :ceremony)"
PROPOSE_RESPONSIBILITY = """
INSERT INTO lab.responsibilities (level, account_id, duties, from_at, until_at, proposed_by)
SELECT :level, id, :duties, :from_at, :until_at, :by FROM people.accounts WHERE username = :username AND state = 'active'
RETURNING id
"""
RESPONSIBILITIES = """
SELECT r.id AS responsibility, r.level, w.username, w.printed_name AS person, r.duties, r.from_at,
    least(r.until_at, r.ended_at) AS until_at, p.printed_name AS proposed_by, r.recorded_at AS proposed_at, s.signed_at AS accepted_at,
    CASE WHEN least(r.until_at, r.ended_at) <= clock_timestamp() THEN 'ended' WHEN r.signature_id IS NULL THEN 'proposed'
         WHEN r.from_at > clock_timestamp() THEN 'accepted' ELSE 'answers' END AS state
FROM lab.responsibilities r JOIN people.accounts w ON w.id = r.account_id JOIN people.accounts p ON p.id = r.proposed_by
LEFT JOIN lab.signatures s ON s.id = r.signature_id
WHERE (CAST(:id AS bigint) IS NULL OR r.id = :id) ORDER BY r.id DESC LIMIT 200
"""
ACCEPT = "SELECT gate.accept_responsibility(:id, :ceremony)"
END = "UPDATE lab.responsibilities SET ended_at = clock_timestamp() WHERE id = :id AND ended_at IS NULL RETURNING id"


async def propose_authorisation(
    change: Change,
    *,
    name: str,
    version: int,
    owner: str,
    address: str,
    classification: str,
    valid_from: datetime,
    valid_to: datetime,
) -> int:
    """An authorisation that waits for its signature. Its number. Raises NotFound for a process that is not there."""
    number: int | None = await change.value(
        PROPOSE_AUTHORISATION,
        name=name,
        version=version,
        owner=owner,
        address=address,
        classification=classification,
        valid_from=valid_from,
        valid_to=valid_to,
        by=change.actor.account_id,
    )
    if number is None:
        raise NotFound(
            what=Text("Nothing was proposed."),
            why=Text("There is no process {name} version {version}.", name=name, version=version),
            remedy=Text("Choose one of the list of processes."),
        )
    return number


async def authorisations(reading: Reading) -> Sequence[Row[Any]]:
    """Every authorisation, the last proposed first."""
    return await reading.all(AUTHORISATIONS, id=None)


async def authorisation(reading: Reading, *, number: int) -> Row[Any]:
    """One authorisation. Raises NotFound."""
    return await _one(reading, AUTHORISATIONS, number)


async def authorise(change: Change, *, number: int, ceremony: UUID) -> int:
    """Sign it. The signature's number."""
    signature: int = await change.value(AUTHORISE, id=number, ceremony=ceremony)
    return signature


async def propose_responsibility(
    change: Change, *, level: str, username: str, duties: str, from_at: datetime, until_at: datetime | None
) -> int:
    """A responsibility that waits for its acceptance. Its number. Raises NotFound for a person without an account."""
    number: int | None = await change.value(
        PROPOSE_RESPONSIBILITY,
        level=level,
        username=username,
        duties=duties,
        from_at=from_at,
        until_at=until_at,
        by=change.actor.account_id,
    )
    if number is None:
        raise NotFound(
            what=Text("Nothing was proposed."),
            why=Text("There is no open account {username}.", username=username),
            remedy=Text("Look the name up in the list of accounts."),
        )
    return number


async def responsibilities(reading: Reading) -> Sequence[Row[Any]]:
    """Every responsibility, the last proposed first."""
    return await reading.all(RESPONSIBILITIES, id=None)


async def responsibility(reading: Reading, *, number: int) -> Row[Any]:
    """One responsibility. Raises NotFound."""
    return await _one(reading, RESPONSIBILITIES, number)


async def accept(change: Change, *, number: int, ceremony: UUID) -> int:
    """Accept it. The signature's number."""
    signature: int = await change.value(ACCEPT, id=number, ceremony=ceremony)
    return signature


async def end(change: Change, *, number: int) -> bool:
    """Note that it ended now. Whether it had not ended before."""
    return await change.value(END, id=number) is not None


async def _one(reading: Reading, statement: str, number: int) -> Row[Any]:
    row = await reading.one(statement, id=number) if 0 < number < NUMBERS_END else None
    if row is None:
        raise NotFound(
            what=Text("There is nothing under number {number}.", number=number),
            why=Text("Nothing of this number was proposed."),
            remedy=Text("Choose it from the list."),
        )
    return row
