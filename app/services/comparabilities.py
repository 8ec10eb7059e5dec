"""Why what was tested again outside stands for what a study gives now, though a version or a bank is another.

Quality proposes the document with the academic committee's decision, and the quality authority signs it; it counts from
then on, for the versions, banks and sites of production that it names and no others.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from app.db import comparabilities, equipment, studies
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.text import Text

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.door import Call, Change
    from app.services.house import House

NOT_RECORDED = Text("Nothing was recorded.")


@dataclass(frozen=True, slots=True)
class Compared:
    """What is proposed of a report, by its number on record; to which versions is what the study is at that moment."""

    report: int
    differences: str
    reasons: str
    committee_reference: str
    committee_decided_on: date
    file_name: str
    file_sha256: str
    valid_to: date


@dataclass(frozen=True, slots=True)
class ComparabilityKept:
    """A document that was proposed or accepted."""

    comparability: int
    signature: int | None = None


@dataclass(frozen=True, slots=True)
class ComparabilityView:
    """A document of comparability: from the report's process to these versions, banks and sites, and who accepted it.

    `made_at` names the partners that make it, an empty name this house; null where the document is older than that.
    """

    comparability: int
    study: str
    report: int
    report_number: str
    report_process: str
    process: str
    specification: str
    banks: tuple[str, ...]
    differences: str
    reasons: str
    committee_reference: str
    committee_decided_on: date
    file_name: str
    file_sha256: str
    valid_to: date
    proposed_by: str
    proposed_at: datetime
    accepted_by: str | None
    accepted_at: datetime | None
    made_at: tuple[str, ...] | None


async def propose_comparability(house: House, call: Call, *, number: str, compared: Compared) -> ComparabilityKept:
    """Propose that a report stands for what the study gives now. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.PROPOSE_COMPARABILITY, subject=number) as change:
        study = await studies.find(change, number=number)
        found = await comparabilities.report(change, study_id=study.id, report=compared.report)
        if found is None or found.is_replaced:
            raise BadInput(
                field="report",
                what=NOT_RECORDED,
                why=Text("The study has no such report, or a corrected record took its place."),
                remedy=Text("Begin from the report on the study's page."),
            )
        await _require_possible_days(change, compared)
        key = await comparabilities.propose(change, study_id=study.id, values=asdict(compared))
        return change.answers(ComparabilityKept(key))


async def accept_comparability(house: House, call: Call, *, comparability: int, ceremony: UUID) -> ComparabilityKept:
    """Sign it. Nobody accepts what they proposed. Raises CeremonyRefused, Stale, NotFound, Conflict."""
    subject = f"comparability {comparability}"
    async with house.door.change(call, Act.ACCEPT_COMPARABILITY, subject=subject) as change:
        change.ceremony = ceremony
        await comparabilities.one(change, number=comparability)
        signature = await comparabilities.accept(change, number=comparability, ceremony=ceremony)
        return change.answers(ComparabilityKept(comparability, signature))


async def list_comparabilities(house: House, actor: Actor, *, number: str) -> tuple[ComparabilityView, ...]:
    """A study's documents, the last proposed first. Raises NotFound."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        study = await studies.find(reading, number=number)
        rows = await comparabilities.of_study(reading, study_id=study.id)
    return tuple(_view(row) for row in rows)


async def read_comparability(house: House, actor: Actor, *, comparability: int) -> ComparabilityView:
    """One document. Raises NotFound."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        row = await comparabilities.one(reading, number=comparability)
    return _view(row)


def _view(row: Row[Any]) -> ComparabilityView:
    made_at = None if row.made_at is None else tuple(row.made_at)
    return ComparabilityView(**{**row._asdict(), "banks": tuple(row.banks), "made_at": made_at})


async def _require_possible_days(change: Change, compared: Compared) -> None:
    today = await equipment.today(change)
    if compared.committee_decided_on > today:
        raise BadInput(
            field="committee_decided_on",
            what=NOT_RECORDED,
            why=Text("{day} is yet to come.", day=compared.committee_decided_on),
            remedy=Text("Record it when it has been done."),
        )
    if compared.valid_to <= max(compared.committee_decided_on, today):
        raise BadInput(
            field="valid_to",
            what=NOT_RECORDED,
            why=Text("It would end before it begins."),
            remedy=Text("Give an end that is after its beginning."),
        )
