"""Seeing who a pseudonym is: the asking is on record before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.db import identity, items
from app.domain.acts import Act

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class RevealView:
    """Who a pseudonym is. A repeated request gets no identity: each look has its own purpose and its own record."""

    code: str
    pseudonym: str
    purpose: str
    identity: Mapping[str, str] | None = None


async def reveal_identity(house: House, call: Call, *, code: str, purpose: str) -> RevealView:
    """Show an identity for a stated purpose. Raises NotFound when nothing is kept of it; the asking stays on record."""
    async with house.door.change(call, Act.REVEAL_IDENTITY, subject=code, reason=purpose) as change:
        item = await items.find(change, code=code, kind="person")
        pseudonym = await identity.pseudonym_of(change, person_id=item.id)
        await identity.keep_reveal(change, person_id=item.id, purpose=purpose)
        asked = change.answers(RevealView(code=item.code, pseudonym=pseudonym, purpose=purpose))
    async with house.door.read(call.actor, Act.REVEAL_IDENTITY) as reading:
        found = await identity.read(reading, key=house.identity_key, person_id=item.id, pseudonym=pseudonym)
    return replace(asked, identity=found)
