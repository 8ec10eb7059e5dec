"""Qualifications: what somebody was trained for, since when, until when, shown by what."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Change, Reading

ACCOUNT = (
    "SELECT id, username, printed_name, state = 'active' AS active FROM people.accounts WHERE username = :username"
)
KEEP = """
INSERT INTO people.qualifications (account_id, topic, valid_from, valid_to, evidence, recorded_by)
VALUES (:account, :topic, :valid_from, :valid_to, :evidence, :by) RETURNING id
"""
OF_ACCOUNT = """
SELECT q.id AS qualification, q.topic, q.valid_from, q.valid_to, q.evidence, r.username AS recorded_by, q.recorded_at,
    q.valid_from <= clock_timestamp() AND q.valid_to > clock_timestamp() AS holds
FROM people.qualifications q JOIN people.accounts r ON r.id = q.recorded_by
WHERE q.account_id = :account ORDER BY q.id DESC LIMIT :limit
"""


async def account(reading: Reading, *, username: str) -> Row[Any]:
    """Id, names and whether the account is open. Raises NotFound."""
    row = await reading.one(ACCOUNT, username=username)
    if row is None:
        raise NotFound(
            what=Text("Nothing was done."),
            why=Text("There is no account {username}.", username=username),
            remedy=Text("Look the name up in the list of accounts."),
        )
    return row


async def keep(
    change: Change, *, account_id: int, topic: str, valid_from: datetime, valid_to: datetime, evidence: str
) -> int:
    """A qualification recorded by the actor. Its number."""
    number: int = await change.value(
        KEEP,
        account=account_id,
        topic=topic,
        valid_from=valid_from,
        valid_to=valid_to,
        evidence=evidence,
        by=change.actor.account_id,
    )
    return number


async def of_account(reading: Reading, *, account_id: int, limit: int) -> Sequence[Row[Any]]:
    """What the person was qualified for, newest first; `holds` says whether it is in force now."""
    return await reading.all(OF_ACCOUNT, account=account_id, limit=limit)
