"""Who a pseudonym is: encrypted for each person under a key of their own, which is wrapped by one outside the database.

What the database holds of a name is ciphertext, and keyed digests by which an exact value can be found again.
"""

from __future__ import annotations

import json
import secrets
import unicodedata
from typing import TYPE_CHECKING

from app.db.secrets import KEY_BYTES, keyed_digest, opened, sealed
from app.domain.errors import NotFound
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.door import Change, Reading

KEY_VERSION = 1
LOOKED_UP = ("name", "hospital_number", "identity_number", "birth_date")
"""The fields by which a person can be found again, when they are given."""

STORE = (
    "INSERT INTO identity.people (person_id, key_version, wrapped_key, ciphertext)"
    " VALUES (:person, :version, :wrapped, :ciphertext)"
)
LOOK_UP = "INSERT INTO identity.lookups (person_id, field, blind_index) VALUES (:person, :field, :blind)"
FIND = "SELECT person_id FROM identity.lookups WHERE field = :field AND blind_index = :blind ORDER BY person_id"
REVEALED = "INSERT INTO identity.reveals (person_id, account_id, purpose) VALUES (:person, :account, :purpose)"
PSEUDONYM = "SELECT pseudonym FROM lab.persons WHERE id = :person"
READ = "SELECT key_version, wrapped_key, ciphertext FROM identity.people WHERE person_id = :person"


async def store(change: Change, *, key: bytes, person_id: int, pseudonym: str, identity: Mapping[str, str]) -> None:
    """Keep who this is, once. `key`: 32 bytes from STEMMA_IDENTITY_KEY. Raises Conflict when it is kept already."""
    data_key = secrets.token_bytes(KEY_BYTES)
    plain = json.dumps(dict(identity), ensure_ascii=False, sort_keys=True).encode()
    await change.run(
        STORE,
        person=person_id,
        version=KEY_VERSION,
        wrapped=sealed(key, data_key, bound_to=_binding("key", pseudonym, KEY_VERSION)),
        ciphertext=sealed(data_key, plain, bound_to=_binding("identity", pseudonym, KEY_VERSION)),
    )
    await change.run_many(
        LOOK_UP,
        [
            {"person": person_id, "field": field, "blind": blind_index(key, field=field, value=identity[field])}
            for field in LOOKED_UP
            if identity.get(field)
        ],
    )


async def find(reading: Reading, *, key: bytes, field: str, value: str) -> list[int]:
    """The persons whose field is exactly this, but for case, width and spaces."""
    rows = await reading.all(FIND, field=field, blind=blind_index(key, field=field, value=value))
    return [row.person_id for row in rows]


async def pseudonym_of(reading: Reading, *, person_id: int) -> str:
    """The pseudonym under which the identity is sealed."""
    pseudonym: str = await reading.value(PSEUDONYM, person=person_id)
    return pseudonym


async def keep_reveal(change: Change, *, person_id: int, purpose: str) -> None:
    """Who asked to see this identity, and why. It must be committed before anything is read."""
    await change.run(REVEALED, person=person_id, account=change.actor.account_id, purpose=purpose)


async def read(reading: Reading, *, key: bytes, person_id: int, pseudonym: str) -> dict[str, str]:
    """The identity in the clear; only after `keep_reveal` was committed. Raises NotFound, ValueError with another key."""
    row = await reading.one(READ, person=person_id)
    if row is None:
        raise NotFound(
            what=Text("Nothing is known of who {pseudonym} is.", pseudonym=pseudonym),
            why=Text("No identity was kept with this pseudonym."),
            remedy=Text("Look in the consent papers."),
        )
    data_key = opened(key, row.wrapped_key, bound_to=_binding("key", pseudonym, row.key_version))
    plain = opened(data_key, row.ciphertext, bound_to=_binding("identity", pseudonym, row.key_version))
    found: dict[str, str] = json.loads(plain)
    return found


def blind_index(key: bytes, *, field: str, value: str) -> bytes:
    """The same 32 bytes for the same value of a field, and no way back without the key."""
    plain = "".join(unicodedata.normalize("NFKC", value).casefold().split())
    return keyed_digest(key, purpose="identity-index", data=f"{field}\n{plain}".encode())


def _binding(what: str, pseudonym: str, version: int) -> str:
    return f"stemma.{what}.{version}:{pseudonym}"
