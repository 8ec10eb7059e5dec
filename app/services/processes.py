"""Process versions: defined by quality or production, never edited."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import processes
from app.domain.acts import Act, Actor
from app.domain.facts import PassageConvention

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House


@dataclass(frozen=True, slots=True)
class ProcessVersion:
    """A version of a process. `max_passage` is counted by `passage_convention`; `max_pdl` in population doublings."""

    name: str
    version: int
    product: str
    product_zh: str
    cell_source: str
    passage_convention: PassageConvention
    max_passage: int
    max_pdl: Decimal
    shelf_life_days: int | None
    gene_modified: bool
    long_term_expansion: bool
    clone_selected: bool
    short_cycle: bool
    low_manipulation: bool


async def define_process(house: House, call: Call, *, process: ProcessVersion) -> ProcessVersion:
    """Define a process version. Raises Conflict when name and version are taken."""
    subject = f"{process.name} {process.version}"
    async with house.door.change(call, Act.DEFINE_PROCESS, subject=subject) as change:
        values = {**asdict(process), "passage_convention": process.passage_convention.value}
        await processes.insert(change, values=values)
        return change.answers(process)


async def list_processes(
    house: House, actor: Actor, *, after: tuple[str, int] | None, limit: int
) -> list[ProcessVersion]:
    """Process versions by name and version, after this one."""
    name, version = after or (None, 0)
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await processes.page(reading, name=name, version=version, limit=limit)
        return [
            ProcessVersion(**{**each._asdict(), "passage_convention": PassageConvention(each.passage_convention)})
            for each in found
        ]
