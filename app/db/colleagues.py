"""Who else took part: the person that a record names beside the one who writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.acts import ACT_NAMES, MAY, Act, Role
from app.domain.errors import BadInput
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Change, Reading

NAMED = """
SELECT id, username, printed_name, people.roles_of(id) AS roles FROM people.accounts
WHERE username = :username AND state = 'active'
"""

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


async def second_person(change: Change, *, username: str, act: Act) -> Colleague:
    """The person who verified what the actor performed: somebody else, who may. Raises BadInput."""
    verifier = await named(change, username=username, field="verified_by")
    if verifier.id == change.actor.account_id:
        raise BadInput(
            field="verified_by",
            what=Text("Nothing was recorded."),
            why=Text("Nobody verifies their own work."),
            remedy=Text("Have a second person verify it, and name that person."),
            rule="GMP-03",
        )
    if verifier.roles.isdisjoint(MAY[act]):
        raise BadInput(
            field="verified_by",
            what=Text("Nothing was recorded."),
            why=Text("{person} may not {act}.", person=verifier.printed_name, act=ACT_NAMES[act]),
            remedy=Text("Have somebody verify it who holds the role of verifier."),
        )
    return verifier
