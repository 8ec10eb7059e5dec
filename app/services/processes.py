"""Process versions: defined by quality or production, never edited."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import processes
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.facts import PassageConvention, VectorType
from app.domain.genes import EDITS_ALWAYS
from app.domain.text import Text

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
    vector_type: VectorType | None = None
    gene_editing: bool | None = None


async def define_process(house: House, call: Call, *, process: ProcessVersion) -> ProcessVersion:
    """Define a process version. Raises Conflict when name and version are taken, BadInput for genes left open.

    One that changes genes says with what and whether it edits; one that changes none says neither.
    """
    subject = f"{process.name} {process.version}"
    async with house.door.change(call, Act.DEFINE_PROCESS, subject=subject) as change:
        _refuse_genes(process)
        vector = process.vector_type
        values = {
            **asdict(process),
            "passage_convention": process.passage_convention.value,
            "vector_type": None if vector is None else vector.value,
        }
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
            ProcessVersion(
                **{
                    **each._asdict(),
                    "passage_convention": PassageConvention(each.passage_convention),
                    "vector_type": None if each.vector_type is None else VectorType(each.vector_type),
                }
            )
            for each in found
        ]


def _refuse_genes(process: ProcessVersion) -> None:
    if not process.gene_modified and (process.vector_type is not None or process.gene_editing):
        raise BadInput(
            field="vector_type",
            what=Text("The process version was not defined."),
            why=Text("A process that changes no genes has no vector and edits nothing."),
            remedy=Text("Say that genes are changed, or leave the vector out."),
        )
    if process.gene_modified and process.vector_type is not None and process.gene_editing is None:
        raise BadInput(
            field="gene_editing",
            what=Text("The process version was not defined."),
            why=Text("It is not said whether the process edits the genome."),
            remedy=Text("Say whether it does."),
        )
    if process.vector_type in EDITS_ALWAYS and not process.gene_editing:
        raise BadInput(
            field="gene_editing",
            what=Text("The process version was not defined."),
            why=Text("Such a vector edits the genome."),
            remedy=Text("Say that the process edits, or choose another vector."),
        )
