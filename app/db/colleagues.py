"""Who else took part: the person that a record names beside the one who writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.acts import Role
from app.domain.errors import BadInput
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Reading

NAMED = """
SELECT id, username, printed_name, people.roles_of(id) AS roles FROM people.accounts
WHERE username = :username AND state = 'active'
"""

NAMES = "SELECT username, printed_name FROM people.accounts WHERE username = ANY (CAST(:usernames AS text[]))"
ANYBODY = "SELECT id FROM people.accounts WHERE username = :username"


@dataclass(frozen=True, slots=True)
class Colleague:
    """An account that a record names."""

    id: int
    username: str
    printed_name: str
    roles: frozenset[Role]


async def named(reading: Reading, *, username: str, field: str) -> Colleague:
    """The active account of this name. Raises BadInput, naming the field that held it."""
    row = await reading.one(NAMED, username=username)
    if row is None:
        raise BadInput(
            field=field,
            what=Text("Nothing was done."),
            why=Text("Nobody called {username} works here.", username=username),
            remedy=Text("Write the person's user name as they sign in with it."),
        )
    return Colleague(row.id, row.username, row.printed_name, frozenset(Role(role) for role in row.roles))


async def id_of(reading: Reading, *, username: str) -> int | None:
    """The account of this name, also of somebody who has left. None where there never was one."""
    found: int | None = await reading.value(ANYBODY, username=username)
    return found


async def printed_names(reading: Reading, *, usernames: list[str]) -> dict[str, str]:
    """Printed names by user name, also of people who have left."""
    return {row.username: row.printed_name for row in await reading.all(NAMES, usernames=usernames)}
