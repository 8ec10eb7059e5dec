"""Gene modification: what vectors are and came of, tests for replication-competent virus, reports of off-target edits.

Nothing here is edited. What is stated of a vector later counts from then on; outcomes are added and the worst counts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db import genes, impacts
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput
from app.domain.facts import VectorType
from app.domain.lots import LotKind
from app.domain.moments import require_order, require_past
from app.domain.rows import require_once_each
from app.domain.text import Text
from app.domain.units import TITRES, known_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from app.db.door import Call, Change, Reading
    from app.services.house import House

NOT_RECORDED = Text("Nothing was recorded.")
OF_MATERIALS = frozenset({"vector_supernatant", "producer_cells"})


@dataclass(frozen=True, slots=True)
class Part:
    """A plasmid or producer bank of a vector: a material lot of ours by its code, or named with its lot."""

    role: str
    name: str | None = None
    part_lot: str | None = None
    material_lot: str | None = None
    selected_with: str | None = None


@dataclass(frozen=True, slots=True)
class VirusTested:
    """A test for replication-competent virus as it was sent off."""

    sample: str
    assay: str
    method: str
    laboratory: str
    cells_tested: Decimal | None
    cells_in_pool: Decimal | None
    supernatant_percent: Decimal | None
    sampled_at: datetime


@dataclass(frozen=True, slots=True)
class OffTarget:
    """What a report of off-target edits says. Percents are of reads at a site."""

    reference: str
    prediction: str
    assay: str
    assay_method: str
    sites_examined: int
    sites_above: int
    threshold_percent: Decimal
    highest_percent: Decimal
    aberrations: str
    aberrations_method: str
    reported_on: date
    file_sha256: str


@dataclass(frozen=True, slots=True)
class PartView:
    """What a vector came of. `material_lot` is the code where it is a material lot of ours."""

    role: str
    name: str
    part_lot: str
    material_lot: str | None
    selected_with: str | None


@dataclass(frozen=True, slots=True)
class VectorView:
    """What was stated of a vector at one time."""

    statement: int
    vector_type: VectorType
    titre: Decimal | None
    titre_unit: str | None
    parts: tuple[PartView, ...]
    stated_by: str
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """What a laboratory reported."""

    outcome: str
    reported_at: datetime
    reference: str
    by: str


@dataclass(frozen=True, slots=True)
class VirusTestView:
    """A test, its outcomes, and how it stands: pending, or the worst outcome."""

    test: int
    sample: str
    assay: str
    method: str
    laboratory: str
    cells_tested: Decimal | None
    cells_in_pool: Decimal | None
    supernatant_percent: Decimal | None
    sampled_at: datetime
    recorded_by: str
    recorded_at: datetime
    outcomes: tuple[OutcomeView, ...]
    state: str


@dataclass(frozen=True, slots=True)
class GenesView:
    """A lot as the tests of changed genes see it: of a vector what it is, the last statement first; of any its tests."""

    code: str
    name: str
    kind: LotKind
    material: str | None
    is_vector: bool
    process: str | None
    gene_modified: bool
    vector_type: VectorType | None
    statements: tuple[VectorView, ...]
    tests: tuple[VirusTestView, ...]


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report of off-target edits of a process version."""

    report: int
    reference: str
    prediction: str
    assay: str
    assay_method: str
    sites_examined: int
    sites_above: int
    threshold_percent: Decimal
    highest_percent: Decimal
    aberrations: str
    aberrations_method: str
    reported_on: date
    file_sha256: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ReportsView:
    """A process version, and its reports of off-target edits, the last first."""

    process: str
    version: int
    gene_modified: bool
    vector_type: VectorType | None
    gene_editing: bool | None
    reports: tuple[ReportView, ...]


async def state_vector(
    house: House,
    call: Call,
    *,
    code: str,
    vector_type: VectorType,
    titre: Decimal | None,
    titre_unit: str | None,
    parts: Sequence[Part],
) -> GenesView:
    """State what a vector lot is and came of. Raises NotFound, BadInput for a lot that is no vector or part of itself."""
    async with house.door.change(call, Act.STATE_VECTOR, subject=code) as change:
        lot = await genes.find_lot(change, code=code)
        if lot.material_kind != "vector":
            raise BadInput(
                field="vector_type",
                what=NOT_RECORDED,
                why=Text("{name} is no vector.", name=lot.name),
                remedy=Text("Define the material as a vector, and receive its lot as that."),
            )
        if (titre is None) != (titre_unit is None):
            raise BadInput(
                field="titre",
                what=NOT_RECORDED,
                why=Text("A titre has a number and a unit."),
                remedy=Text("Give both, or leave both out."),
            )
        if titre_unit is not None:
            titre_unit = known_unit(titre_unit, among=TITRES, field="titre_unit")
        require_once_each([(each, each.name or each.material_lot or each.role) for each in parts], field="parts")
        rows = [await _part(change, lot, each) for each in parts]
        await genes.state(
            change,
            lot_id=lot.id,
            vector_type=vector_type.value,
            titre=titre,
            titre_unit=titre_unit,
            parts=rows,
        )
        return change.answers(await _view(change, lot))


async def record_virus_test(house: House, call: Call, *, code: str, test: VirusTested) -> GenesView:
    """Record a test for replication-competent virus; it is pending. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.RECORD_VIRUS_TEST, subject=code) as change:
        lot = await genes.find_lot(change, code=code)
        require_past(test.sampled_at, now=change.at, field="sampled_at")
        _refuse_sample(lot, test)
        _refuse_amount(test)
        await genes.keep_test(change, lot_id=lot.id, values=asdict(test))
        return change.answers(await _view(change, lot))


async def report_virus_test(
    house: House, call: Call, *, test: int, outcome: str, reported_at: datetime, reference: str
) -> GenesView:
    """Record what the laboratory reported. What is not negative holds the lot, and all that it went into. Raises NotFound, BadInput."""
    async with house.door.change(call, Act.REPORT_VIRUS_TEST, subject=f"virus test {test}", reason=outcome) as change:
        found = await genes.test(change, number=test)
        require_past(reported_at, now=change.at, field="reported_at")
        require_order(earlier=found.sampled_at, later=reported_at, field="reported_at")
        await genes.keep_outcome(
            change, lot_id=found.lot_id, test=test, outcome=outcome, reported_at=reported_at, reference=reference
        )
        await impacts.judge_what_came_to_light(change)
        return change.answers(await _view(change, await genes.find_lot(change, code=found.code)))


async def record_off_target(house: House, call: Call, *, process: str, version: int, report: OffTarget) -> ReportsView:
    """Record a report of off-target edits; an assessment of GM-02 accepts it. Raises NotFound, BadInput."""
    subject = f"{process} {version}"
    async with house.door.change(call, Act.RECORD_OFF_TARGET, subject=subject, reason=report.reference) as change:
        found = await genes.process(change, name=process, version=version)
        if not found.gene_modified:
            raise BadInput(
                field="version",
                what=NOT_RECORDED,
                why=Text("{process} changes no genes.", process=subject),
                remedy=Text("Choose the process version whose edits were examined."),
            )
        await _refuse_report(change, report)
        await genes.keep_report(change, process_id=found.id, values=asdict(report))
        return change.answers(await _reports(change, found))


async def read_genes(house: House, actor: Actor, *, code: str) -> GenesView:
    """What is stated of a lot's vector, and the tests of it. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return await _view(reading, await genes.find_lot(reading, code=code))


async def read_reports(house: House, actor: Actor, *, process: str, version: int) -> ReportsView:
    """Reports of off-target edits of a process version. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        return await _reports(reading, await genes.process(reading, name=process, version=version))


async def beside_assessment(house: House, actor: Actor, *, number: str) -> ReportsView | None:
    """The reports that an assessment of GM-02 accepts, as they stand; None for any other assessment."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await genes.beside(reading, number=number)
        if found is None:
            return None
        return await _reports(reading, await genes.process(reading, name=found.name, version=found.version))


# -- within ------------------------------------------------------------------------------------------------------------


async def _part(change: Change, lot: Row[Any], part: Part) -> dict[str, Any]:
    name, part_lot, part_id = part.name, part.part_lot, None
    if part.material_lot is not None:
        found = await genes.find_lot(change, code=part.material_lot)
        if found.kind != LotKind.MATERIAL.value:
            raise BadInput(
                field="parts",
                what=NOT_RECORDED,
                why=Text("{name} is no material lot.", name=found.name),
                remedy=Text("Scan the lot of the plasmid or of the producer bank."),
            )
        if await genes.is_behind(change, lot_id=lot.id, part_id=found.id):
            raise BadInput(
                field="parts",
                what=NOT_RECORDED,
                why=Text("{name} would have come of itself.", name=lot.name),
                remedy=Text("Scan the lot of the plasmid or of the producer bank."),
            )
        name, part_lot, part_id = name or found.material, part_lot or found.supplier_lot, found.id
    if not name or not part_lot:
        raise BadInput(
            field="parts",
            what=NOT_RECORDED,
            why=Text("A part is named without its lot."),
            remedy=Text("Scan the part's own lot, or write its name and its maker's lot."),
        )
    return {
        "role": part.role,
        "part_lot_id": part_id,
        "name": name,
        "part_lot": part_lot,
        "selected_with": part.selected_with,
    }


def _refuse_sample(lot: Row[Any], test: VirusTested) -> None:
    is_material = lot.kind == LotKind.MATERIAL.value
    if is_material and lot.material_kind != "vector":
        raise BadInput(
            field="sample",
            what=NOT_RECORDED,
            why=Text("{name} is no vector.", name=lot.name),
            remedy=Text("Choose the vector's lot, or the lot of the cells."),
        )
    if is_material != (test.sample in OF_MATERIALS):
        raise BadInput(
            field="sample",
            what=NOT_RECORDED,
            why=Text("This is not a sample of {name}.", name=lot.name),
            remedy=Text("Of a vector the supernatant or its producer cells are tested, of a lot of cells the cells."),
        )


def _refuse_amount(test: VirusTested) -> None:
    is_supernatant = test.sample == "vector_supernatant"
    if is_supernatant != (test.supernatant_percent is not None) or is_supernatant != (test.cells_tested is None):
        raise BadInput(
            field="supernatant_percent" if is_supernatant else "cells_tested",
            what=NOT_RECORDED,
            why=Text("It is not said how much was tested.")
            if test.supernatant_percent is None and test.cells_tested is None
            else Text("How much was tested is said in percent of a supernatant, and in cells of anything else."),
            remedy=Text("Give the percent of the supernatant, or the number of cells, as the laboratory received it."),
        )
    if test.cells_in_pool is not None and (test.cells_tested is None or test.cells_tested > test.cells_in_pool):
        raise BadInput(
            field="cells_in_pool",
            what=NOT_RECORDED,
            why=Text("No more can be tested than there was."),
            remedy=Text("Correct the numbers of cells."),
        )


async def _refuse_report(change: Change, report: OffTarget) -> None:
    if report.reported_on > await genes.today(change):
        raise BadInput(
            field="reported_on",
            what=NOT_RECORDED,
            why=Text("{day} is yet to come.", day=report.reported_on),
            remedy=Text("Record it when it has been done."),
        )
    if report.sites_above > report.sites_examined:
        raise BadInput(
            field="sites_above",
            what=NOT_RECORDED,
            why=Text("No more sites can be edited than were examined."),
            remedy=Text("Correct the numbers of sites."),
        )
    if (report.highest_percent > report.threshold_percent) != (report.sites_above > 0):
        raise BadInput(
            field="highest_percent",
            what=NOT_RECORDED,
            why=Text("The highest share, the threshold and the number of sites above it do not agree."),
            remedy=Text("A site counts where its share is above the threshold: correct what is wrong."),
        )


async def _view(reading: Reading, lot: Row[Any]) -> GenesView:
    is_vector = lot.material_kind == "vector"
    return GenesView(
        code=lot.code,
        name=lot.name,
        kind=LotKind(lot.kind),
        material=lot.material,
        is_vector=is_vector,
        process=lot.process,
        gene_modified=bool(lot.gene_modified),
        vector_type=None if lot.vector_type is None else VectorType(lot.vector_type),
        statements=tuple(_stated(row) for row in await genes.statements(reading, lot_id=lot.id)) if is_vector else (),
        tests=tuple(_tested(row) for row in await genes.tests(reading, lot_id=lot.id)),
    )


def _stated(row: Row[Any]) -> VectorView:
    parts = tuple(PartView(**each) for each in row.parts)
    return VectorView(**{**row._asdict(), "vector_type": VectorType(row.vector_type), "parts": parts})


def _tested(row: Row[Any]) -> VirusTestView:
    outcomes = tuple(
        OutcomeView(each["outcome"], datetime.fromisoformat(each["reported_at"]), each["reference"], each["by"])
        for each in row.outcomes
    )
    told = {each.outcome for each in outcomes}
    state = next((each for each in ("positive", "inconclusive", "negative") if each in told), "pending")
    return VirusTestView(**{**row._asdict(), "outcomes": outcomes, "state": state})


async def _reports(reading: Reading, process: Row[Any]) -> ReportsView:
    return ReportsView(
        process=process.name,
        version=process.version,
        gene_modified=process.gene_modified,
        vector_type=None if process.vector_type is None else VectorType(process.vector_type),
        gene_editing=process.gene_editing,
        reports=tuple(ReportView(**row._asdict()) for row in await genes.reports(reading, process_id=process.id)),
    )
