"""How people are called: the printed names behind user names, for whoever may read lots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import colleagues
from app.domain.acts import Act, Actor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.services.house import House


async def printed_names(house: House, actor: Actor, *, usernames: Iterable[str]) -> dict[str, str]:
    """Printed names by user name, also of people who have left; what nobody is called by is left out."""
    asked = sorted(set(usernames))
    if not asked:
        return {}
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return await colleagues.printed_names(reading, usernames=asked)
