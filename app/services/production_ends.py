"""Cells at the end of production: what a laboratory found in cells that were grown to the limit of their process.

A report is kept as it is, whatever it says. One that was recorded wrongly is recorded anew by another person, in its place.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from app.db import equipment, items, production_ends
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, NotPermitted
from app.domain.production_ends import OUTCOME_NAMES, TEST_NAMES
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call, Change
    from app.services.house import House

NOT_RECORDED = Text("Nothing was recorded.")


@dataclass(frozen=True, slots=True)
class EndTested:
    """What the report says of one test."""

    test: str
    method: str
    outcome: str
    found: str


@dataclass(frozen=True, slots=True)
class EndReport:
    """A report about cells of a lot at `pdl_reached` doublings. `replaces`: the record in whose place it is put, and why."""

    pdl_reached: Decimal
    laboratory: str
    report_number: str
    reported_on: date
    file_name: str
    file_sha256: str
    tests: tuple[EndTested, ...]
    replaces: int | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class EndKept:
    """A report that was kept."""

    lot: str
    report: int


@dataclass(frozen=True, slots=True)
class EndView:
    """A report as it was recorded."""

    report: int
    pdl_reached: Decimal
    laboratory: str
    report_number: str
    reported_on: date
    file_name: str
    file_sha256: str
    tests: tuple[EndTested, ...]
    replaces: int | None
    why: str | None
    recorded_by: str
    recorded_at: datetime
    is_replaced: bool


@dataclass(frozen=True, slots=True)
class EndsView:
    """A lot's reports, the last recorded first, with the limit of its process in doublings."""

    lot: str
    process: str | None
    max_pdl: Decimal | None
    reports: tuple[EndView, ...]


async def record_production_end(house: House, call: Call, *, lot: str, report: EndReport) -> EndKept:
    """Record a report about cells at the end of production. Raises NotFound, BadInput, NotPermitted, Conflict."""
    async with house.door.change(call, Act.RECORD_PRODUCTION_END, subject=lot, reason=report.why or "") as change:
        item = await items.find(change, code=lot, kind="lot")
        found = await production_ends.lot(change, lot_id=item.id)
        if found.kind == "material" or found.process is None:
            raise _bad("lot", Text("{lot} is no lot of cells.", lot=lot), Text("Scan the lot that the cells were of."))
        if report.reported_on > await equipment.today(change):
            raise _bad(
                "reported_on",
                Text("{day} is yet to come.", day=report.reported_on),
                Text("Record it when it has been done."),
            )
        _require_tests(report)
        await _require_its_place(change, report, lot_id=item.id)
        values = {name: value for name, value in asdict(report).items() if name != "tests"}
        key = await production_ends.insert(
            change, values={**values, "lot_id": item.id}, tests=[asdict(each) for each in report.tests]
        )
        return change.answers(EndKept(item.code, key))


async def read_production_ends(house: House, actor: Actor, *, lot: str) -> EndsView:
    """A lot's reports. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        item = await items.find(reading, code=lot, kind="lot")
        found = await production_ends.lot(reading, lot_id=item.id)
        rows = await production_ends.of_lot(reading, lot_id=item.id)
    return EndsView(
        lot=item.code,
        process=found.process,
        max_pdl=found.max_pdl,
        reports=tuple(
            EndView(**{**row._asdict(), "tests": tuple(EndTested(**each) for each in row.tests)}) for row in rows
        ),
    )


def _require_tests(report: EndReport) -> None:
    named = [each.test for each in report.tests]
    if not named or len(set(named)) != len(named) or not set(named) <= TEST_NAMES.keys():
        raise _bad(
            "tests",
            Text("A report names tests that there are, each once."),
            Text("Write each test once: {tests}.", tests=tuple(TEST_NAMES.values())),
        )
    if any(each.outcome not in OUTCOME_NAMES for each in report.tests):
        raise _bad(
            "tests",
            Text("It is none of the choices."),
            Text("Choose one of: {names}.", names=tuple(OUTCOME_NAMES.values())),
        )


async def _require_its_place(change: Change, report: EndReport, *, lot_id: int) -> None:
    stand = await production_ends.standing(
        change,
        report=report.replaces,
        lot_id=lot_id,
        laboratory=report.laboratory,
        report_number=report.report_number,
    )
    if report.replaces is None:
        if stand:
            raise _bad(
                "report_number",
                Text("This report about this lot is on record already."),
                Text("If it is wrong there, another person records it anew in its place."),
            )
        if report.why is not None:
            raise _bad("why", Text("It takes the place of no record."), Text("Leave it empty."))
        return
    same = (lot_id, report.laboratory, report.report_number)
    before = next((each for each in stand if each.id == report.replaces), None)
    if before is None or (before.lot_id, before.laboratory, before.report_number) != same:
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


def _bad(field: str, why: Text, remedy: Text) -> BadInput:
    return BadInput(field=field, what=NOT_RECORDED, why=why, remedy=remedy)
