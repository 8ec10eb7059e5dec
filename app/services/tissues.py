"""Tissues: whether one is rich in leukocytes, and whether it comes of a birth. Proposed by quality, decided by signature.

A new version of a name is decided anew; the earlier one stands until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import tissues
from app.domain.acts import Act, Actor
from app.domain.errors import Conflict
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House

ALL = 500
"""So many versions are listed; a house knows a few dozen tissues."""


@dataclass(frozen=True, slots=True)
class TissueProposedView:
    """A version that waits for its decision. `tissue` is what a signature names."""

    tissue: int
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class TissueDecidedView:
    """A version decided by signature."""

    tissue: int
    name: str
    version: int
    signature: int


@dataclass(frozen=True, slots=True)
class TissueView:
    """A version as it stands: proposed, decided or superseded."""

    tissue: int
    name: str
    version: int
    name_zh: str
    leukocyte_rich: bool
    birth_tissue: bool
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    state: str


async def propose_tissue(
    house: House, call: Call, *, name: str, name_zh: str, leukocyte_rich: bool, birth_tissue: bool, reason: str
) -> TissueProposedView:
    """Propose what a tissue is; the next version where its name is known. Raises Conflict when two do so at once."""
    async with house.door.change(call, Act.PROPOSE_TISSUE, subject=name) as change:
        known, version = await tissues.next_version(change, name=name)
        key = await tissues.propose(
            change,
            name=known,
            version=version,
            name_zh=name_zh,
            leukocyte_rich=leukocyte_rich,
            birth_tissue=birth_tissue,
            reason=reason,
        )
        return change.answers(TissueProposedView(key, known, version))


async def decide_tissue(house: House, call: Call, *, tissue: int, ceremony: UUID) -> TissueDecidedView:
    """Decide a version by signature. Nobody decides what they proposed themselves.

    Raises CeremonyRefused, Stale, NotFound, Conflict when it is decided already or a later version is.
    """
    async with house.door.change(call, Act.DECIDE_TISSUE, subject=f"tissue {tissue}") as change:
        change.ceremony = ceremony
        found = await tissues.one(change, tissue_id=tissue)
        if found.state == "superseded":
            raise Conflict(
                what=Text("Nothing was decided."),
                why=Text("A later version of {name} is decided already.", name=found.name),
                remedy=Text("Read the version that stands, or propose a new one."),
            )
        signature = await tissues.decide(change, tissue_id=tissue, ceremony=ceremony)
        return change.answers(TissueDecidedView(tissue, found.name, found.version, signature))


async def list_tissues(house: House, actor: Actor) -> list[TissueView]:
    """Every version by name, the newest of each first."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        return [TissueView(**row._asdict()) for row in await tissues.page(reading, limit=ALL)]


async def read_tissue(house: House, actor: Actor, *, tissue: int) -> TissueView:
    """One version. Raises NotFound."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        return TissueView(**(await tissues.one(reading, tissue_id=tissue))._asdict())
