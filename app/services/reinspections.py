"""What laboratories outside tested again for a study: their reports, and the matrix of samples and tests as it stands.

A report is kept as it is, whatever it says. One that was recorded wrongly is recorded anew by another person, in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db import items, judging, laboratories, reinspections, studies
from app.domain.acts import Act, Actor
from app.domain.dossier import digest, parse
from app.domain.errors import BadInput, NotFound, NotPermitted
from app.domain.facts import Reinspection
from app.domain.laboratories import ENDOTOXIN, TEST_NAMES
from app.domain.moments import require_order, require_past, require_past_day
from app.domain.reinspection import (
    BANK,
    ENDOTOXIN_UNITS,
    NOT_APPLICABLE,
    SAMPLE_NAMES,
    Cell,
    cells,
    says_of,
)
from app.domain.rulebook import Asked, Gate, Outcome, Weight
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call, Change
    from app.services.house import House

NOT_RECORDED = Text("Nothing was recorded.")
COLDEST_C, WARMEST_C = Decimal(-273), Decimal(100)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Retested:
    """What the report says of one test. `value` and `limit_value` in `unit`, where the limit is a number."""

    test: str
    method: str
    limit_text: str
    outcome: str
    tested_on: date
    found: str | None = None
    statement: str | None = None
    value: Decimal | None = None
    limit_value: Decimal | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report about a sample of one lot, with the sample's way. Temperatures in degrees Celsius.

    `replaces` is the record in whose place this one is put, and `why` says why.
    """

    laboratory: str
    sample_kind: str
    lot: str
    process: str
    process_version: int
    report_number: str
    signatory: str | None
    file_name: str | None
    file_sha256: str | None
    taken_at: datetime
    handed_over_by: str | None
    received_at: datetime
    received_by: str | None
    low_c: Decimal | None
    high_c: Decimal | None
    min_c: Decimal | None
    max_c: Decimal | None
    excursion: str | None
    reported_on: date
    tests: tuple[Retested, ...]
    replaces: int | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ReportKeptView:
    """A report that was kept."""

    number: str
    report: int


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell of the matrix: how it stands, the report that fills it, and what speaks for or against it."""

    test: str
    state: Outcome
    report: int | None
    report_number: str | None
    laboratory: str | None
    against: tuple[Text, ...]
    remedies: tuple[Text, ...]
    evidence: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class SampleView:
    """A sample with its four cells. `lot` is the bank lot, null where any lot of the study's process will do.

    `site` is the partner that makes it; null where this house does.
    """

    kind: str
    lot: str | None
    name: str | None
    cells: tuple[CellView, ...]
    site: str | None


@dataclass(frozen=True, slots=True)
class MatrixView:
    """The matrix of a study as it stands this moment, with every report on record, the last first."""

    number: str
    title: str
    at: datetime
    digest: str
    samples: tuple[SampleView, ...]
    reports: tuple[Reinspection, ...]


@dataclass(frozen=True, slots=True)
class ReportChoices:
    """What a report may name."""

    laboratories: tuple[str, ...]
    processes: tuple[tuple[str, int], ...]


async def record_reinspection(house: House, call: Call, *, number: str, report: Report) -> ReportKeptView:
    """Record a report. Raises NotFound, BadInput, NotPermitted for a correction of one's own record, Conflict."""
    async with house.door.change(call, Act.RECORD_REINSPECTION, subject=number) as change:
        study = await studies.find(change, number=number)
        _require_complete(report)
        await _require_possible_days(change, report)
        values = await _values(change, report, study_id=study.id)
        await _require_its_place(change, report, values)
        key = await reinspections.insert(change, values=values, tests=[asdict(each) for each in report.tests])
        return change.answers(ReportKeptView(number, key))


async def read_matrix(house: House, actor: Actor, *, number: str) -> MatrixView:
    """The matrix of a study as it stands this moment. Raises NotFound."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        found = await studies.find(reading, number=number)
        at = await judging.now(reading)
        written = await judging.dossier_of(reading, kind="study", subject_id=found.id)
    dossier = parse(written)
    if dossier.study is None:
        raise RuntimeError("a study's dossier has the study")
    asked = Asked(gate=Gate.G8, at=at, signer=None)
    samples: dict[tuple[str, str | None, str | None], SampleView] = {}
    for cell in cells(dossier, asked):
        of = cell.column
        key = of.kind, of.lot, of.site
        before = samples.get(key, SampleView(of.kind, of.lot, of.name, (), of.site or None))
        shown = CellView(**_cell(cell, tuple(one for each in says_of(dossier, asked, cell).values() for one in each)))
        samples[key] = replace(before, cells=(*before.cells, shown))
    return MatrixView(
        number=found.number,
        title=dossier.study.title,
        at=at,
        digest=digest(written),
        samples=tuple(samples.values()),
        reports=tuple(reversed(dossier.study.reinspections)),
    )


async def read_choices(house: House, actor: Actor) -> ReportChoices:
    """What a report may name."""
    async with house.door.read(actor, Act.READ_STUDY) as reading:
        rows = await reinspections.choices(reading)
    return ReportChoices(
        laboratories=tuple(row.name for row in rows if row.kind == "laboratory"),
        processes=tuple((row.name, row.version) for row in rows if row.kind == "process"),
    )


# -- within ------------------------------------------------------------------------------------------------------------


def _cell(cell: Cell, said: tuple[Any, ...]) -> Mapping[str, Any]:
    weights = {each.weight for each in said}
    state = Outcome.PASS
    if Weight.FAILS in weights:
        state = Outcome.FAIL
    elif Weight.LACKS in weights or not said:
        state = Outcome.INDETERMINATE
    return {
        "test": cell.test,
        "state": state,
        "report": cell.report and cell.report.id,
        "report_number": cell.report and cell.report.report_number,
        "laboratory": cell.report and cell.report.laboratory,
        "against": tuple(each.says for each in said if each.remedy is not None),
        "remedies": tuple(dict.fromkeys(each.remedy for each in said if each.remedy is not None)),
        "evidence": tuple(each.says for each in said if each.remedy is None),
    }


def _bad(field: str, why: Text, remedy: Text) -> BadInput:
    return BadInput(field=field, what=NOT_RECORDED, why=why, remedy=remedy)


def _require_complete(report: Report) -> None:
    if (report.file_name is None) != (report.file_sha256 is None):
        field = "file_name" if report.file_name is None else "file_sha256"
        raise _bad(
            field, Text("A file has a name and a digest."), Text("Give both; or neither, while the file is not there.")
        )
    if report.file_sha256 is not None and not _SHA256.fullmatch(report.file_sha256):
        raise _bad(
            "file_sha256",
            Text("This is no SHA-256: 64 digits of 0 to 9 and a to f."),
            Text("Compute it from the very file."),
        )
    for low, high, field in ((report.low_c, report.high_c, "high_c"), (report.min_c, report.max_c, "max_c")):
        if low is not None and high is not None and high < low:
            raise _bad(field, Text("It is below the lower one."), Text("Give the lower temperature first."))
    for field in ("low_c", "high_c", "min_c", "max_c"):
        value = getattr(report, field)
        if value is not None and not COLDEST_C <= value <= WARMEST_C:
            raise _bad(field, Text("No sample has this temperature."), Text("Write it in degrees Celsius."))
    tests = [each.test for each in report.tests]
    if not tests or len(set(tests)) != len(tests):
        raise _bad(
            "tests",
            Text("The report names no test, or one twice."),
            Text("Write each test once: {tests}.", tests=tuple(TEST_NAMES.values())),
        )
    for each in report.tests:
        _require_said(each)


def _require_said(test: Retested) -> None:
    name = TEST_NAMES[test.test]
    left_out = test.outcome == NOT_APPLICABLE
    if left_out and not test.statement:
        raise _bad(
            f"statement_{test.test}",
            Text("Not applicable is it only by a written statement in the report."),
            Text("Copy what the report states: {test}.", test=name),
        )
    if left_out and (test.found or test.value is not None):
        raise _bad(
            f"outcome_{test.test}",
            Text("What was not tested has no result."),
            Text("Choose what the report concludes, or leave the result empty."),
        )
    if not left_out and (test.statement or not test.found):
        raise _bad(
            f"statement_{test.test}" if test.statement else f"found_{test.test}",
            Text("A test that was done has a result and no statement why it was left out."),
            Text("Write what was found: {test}.", test=name),
        )
    if test.test == ENDOTOXIN and not left_out and (test.value is None or test.limit_value is None):
        raise _bad(
            "value_endotoxin" if test.value is None else "limit_value_endotoxin",
            Text("Endotoxin is a number, and so is its limit."),
            Text("Write both in the unit that the report uses."),
        )
    numbers = test.value is not None or test.limit_value is not None
    if numbers != (test.unit is not None) or (test.unit is not None and test.unit not in ENDOTOXIN_UNITS):
        raise _bad(
            f"unit_{test.test}",
            Text("A number stands in a unit that is known."),
            Text("Choose one of: {units}.", units=ENDOTOXIN_UNITS),
        )


async def _require_possible_days(change: Change, report: Report) -> None:
    require_past(report.received_at, now=change.at, field="received_at")
    require_past(report.taken_at, now=change.at, field="taken_at")
    require_order(earlier=report.taken_at, later=report.received_at, field="received_at")
    days = await reinspections.days_of(change, received_at=report.received_at)
    if report.reported_on > days.today:
        raise _bad(
            "reported_on",
            Text("{day} is yet to come.", day=report.reported_on),
            Text("Record it when it has been done."),
        )
    for each in report.tests:
        require_past_day(each.tested_on, today=days.today, field=f"tested_on_{each.test}")
        if each.tested_on < days.received:
            raise _bad(
                f"tested_on_{each.test}",
                Text("It was tested before the laboratory had the sample."),
                Text("Write the days as the report has them."),
            )
        if report.reported_on < each.tested_on:
            raise _bad(
                "reported_on",
                Text("It was reported before it was tested."),
                Text("Write the days as the report has them."),
            )


async def _values(change: Change, report: Report, *, study_id: int) -> dict[str, Any]:
    laboratory = await laboratories.id_of(change, name=report.laboratory)
    if laboratory is None:
        raise _bad(
            "laboratory",
            Text("No laboratory called {name} is registered.", name=report.laboratory),
            Text("Register the laboratory first, or choose one of the list."),
        )
    process = await studies.process_id(change, name=report.process, version=report.process_version)
    if process is None:
        raise NotFound(
            what=NOT_RECORDED,
            why=Text("There is no {name}.", name=f"{report.process} {report.process_version}"),
            remedy=Text("Choose a process by name and version as it is defined."),
        )
    item = await items.find(change, code=report.lot, kind="lot")
    kind = (await items.describe(change, item_id=item.id)).item.lot_kind
    if (kind == "bank") != (report.sample_kind == BANK) or kind == "material":
        raise _bad(
            "lot",
            Text("{lot} cannot give this sample: {sample}.", lot=report.lot, sample=SAMPLE_NAMES[report.sample_kind]),
            Text("Scan the label of the lot that the sample was taken of."),
        )
    values = asdict(report)
    for each in ("laboratory", "lot", "process", "process_version", "tests"):
        values.pop(each)
    return {
        **values,
        "replaces_id": values.pop("replaces"),
        "study_id": study_id,
        "laboratory_id": laboratory,
        "lot_id": item.id,
        "process_id": process,
    }


async def _require_its_place(change: Change, report: Report, values: Mapping[str, Any]) -> None:
    of = {each: values[each] for each in ("study_id", "laboratory_id", "lot_id", "report_number")}
    if report.replaces is None:
        if await reinspections.same(change, **of) is not None:
            raise _bad(
                "report_number",
                Text("This report about this lot is on record already."),
                Text("If it is wrong there, another person records it anew in its place."),
            )
        if report.why is not None:
            raise _bad("why", Text("It takes the place of no record."), Text("Leave it empty."))
        return
    before = await reinspections.one(change, report=report.replaces)
    if before is None or before.is_replaced or any(getattr(before, each) != value for each, value in of.items()):
        raise _bad(
            "report_number",
            Text("A correction is of the same report, laboratory and lot, and of the record that stands."),
            Text("Begin from the record on the study's page."),
        )
    if not report.why:
        raise _bad("why", Text("It is not said why."), Text("Say what was recorded wrongly."))
    if before.recorded_by == change.actor.account_id:
        raise NotPermitted(
            what=NOT_RECORDED,
            why=Text("Nobody corrects a report of their own writing."),
            remedy=Text("Ask a second person to record it from the report itself."),
        )
