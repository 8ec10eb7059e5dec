"""What a laboratory outside tests again before a study begins: the matrix of samples and tests, and what speaks for each cell.

A cell is filled by the report that has least against it. What each rule says of a cell is written here once, so that the
rules and the page of the matrix never say different things.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.domain.banking import long_expansion, not_short_or_low
from app.domain.custody import CUSTODY, custody_of
from app.domain.dossier import Dossier
from app.domain.facts import Comparability, Process, Reinspection, RetestedItem, Study
from app.domain.laboratories import ENDOTOXIN, TEST_NAMES, accredited, apart
from app.domain.rulebook import Asked, Statement, fails, lacks, shows
from app.domain.studies import known_at, today
from app.domain.text import Text

BANK, STARTING_HARVEST, FINAL_FORMULATION = "bank", "starting_harvest", "final_formulation"
PASSED, FAILED, INCONCLUSIVE, NOT_APPLICABLE = "passed", "failed", "inconclusive", "not_applicable"
MATRIX, QUALIFIED, FILED, CURRENT = "TPR-01", "TPR-02", "TPR-04", "TPR-05"

SAMPLE_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        BANK: Text("cell bank"),
        STARTING_HARVEST: Text("starting harvest, in place of a bank"),
        FINAL_FORMULATION: Text("final formulation"),
    }
)
RESULT_NAMES: Mapping[str, Text] = MappingProxyType(
    {
        PASSED: Text("passed"),
        FAILED: Text("failed"),
        INCONCLUSIVE: Text("inconclusive"),
        NOT_APPLICABLE: Text("not applicable, as the report states"),
    }
)
ENDOTOXIN_UNITS = ("EU/mL", "EU/kg", "EU/dose", "EU/10⁶ cells")
_SEND = Text("Send a sample to a qualified laboratory outside, and record its report; the study does not start before.")


@dataclass(frozen=True, slots=True)
class Column:
    """A sample that is tested again. `lot` is the bank lot; None where any lot of the study's process will do.

    `site` is the partner that makes it, empty for this house; None for a bank, or where it is not known who does.
    """

    kind: str
    lot: str | None = None
    name: str | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One test of one sample: the report that fills it, and current reports that speak against it."""

    column: Column
    test: str
    report: Reinspection | None
    result: RetestedItem | None
    against: tuple[Reinspection, ...]

    @property
    def subject(self) -> str:
        """What a finding about this cell is about: the lot sampled, else the bank, else the kind of sample."""
        return self.report.lot if self.report else self.column.lot or self.column.kind


def needs_bank(dossier: Dossier, study: Study, process: Process) -> tuple[Text, ...]:
    """Why the study's cells need a bank; empty where they may do without. Raises SettingUnusable."""
    others = () if study.cell_source == "autologous" else (Text("the cells are a donor's"),)
    changed = (Text("the genes of the cells are changed"),) if process.gene_modified else ()
    cloned = (Text("the cells are selected as a clone"),) if process.clone_selected else ()
    return (*others, *changed, *cloned, *not_short_or_low(process), *long_expansion(dossier, process))


def columns(dossier: Dossier, study: Study, process: Process) -> tuple[Column, ...]:
    """The samples that the matrix asks for: every bank lot, or the starting harvest; and the final formulation.

    What is made at several sites is asked for of each.
    """
    sites = study.made_at or (None,)
    finals = tuple(Column(FINAL_FORMULATION, site=each) for each in sites)
    if dossier.banks:
        return (*(Column(BANK, each.code, each.name) for each in dossier.banks), *finals)
    if dossier.banks is None or needs_bank(dossier, study, process):
        return (Column(BANK), *finals)
    return (*(Column(STARTING_HARVEST, site=each) for each in sites), *finals)


def cells(dossier: Dossier, asked: Asked) -> tuple[Cell, ...]:
    """The matrix as it stands at the moment asked; empty where there is no study. Raises SettingUnusable."""
    study, process = dossier.study, dossier.process
    if study is None or process is None:
        return ()
    return tuple(
        _cell(dossier, asked, study, column, test) for column in columns(dossier, study, process) for test in TEST_NAMES
    )


def standing_reports(study: Study, asked: Asked) -> tuple[Reinspection, ...]:
    """The reports that were on record by then and whose place no corrected record had taken."""
    return tuple(
        each
        for each in known_at(study.reinspections, asked.at)
        if each.replaced_at is None or each.replaced_at > asked.at
    )


def says_of(dossier: Dossier, asked: Asked, cell: Cell) -> Mapping[str, tuple[Statement, ...]]:
    """What each rule says of a cell, by the rule's id. Of a cell without a report only the matrix speaks."""
    return {rule: tuple(say(dossier, asked, cell)) for rule, say in _SAYERS.items()}


# -- the matrix itself -------------------------------------------------------------------------------------------------


def says_matrix(dossier: Dossier, asked: Asked, cell: Cell) -> Iterator[Statement]:
    """Whether the test was done and passed, and no current report says otherwise."""
    what = _named(cell)
    for report in cell.against:
        yield fails(
            report.lot,
            Text(
                "{what}: report {number} says {outcome}.",
                what=what,
                number=report.report_number,
                outcome=RESULT_NAMES[FAILED],
            ),
            Text("The quality authority investigates; the study does not start with cells that failed."),
        )
    if cell.report is None or cell.result is None:
        yield lacks(cell.subject, Text("{what}: no report is on record.", what=what), _SEND)
    else:
        yield from _result(dossier, asked, cell, cell.report, cell.result)


def _result(
    dossier: Dossier, asked: Asked, cell: Cell, report: Reinspection, result: RetestedItem
) -> Iterator[Statement]:
    what, number = _named(cell), report.report_number
    if max(result.tested_on, report.reported_on) > today(dossier, asked):
        yield lacks(cell.subject, Text("{what}: report {number} is of a later day.", what=what, number=number), _SEND)
    elif result.outcome == NOT_APPLICABLE and not (result.statement or "").strip():
        yield lacks(
            cell.subject,
            Text("{what}: report {number} does not state why it was left out.", what=what, number=number),
            _SEND,
        )
    elif result.outcome == NOT_APPLICABLE and cell.test == ENDOTOXIN and cell.column.kind != FINAL_FORMULATION:
        yield shows(
            cell.subject,
            Text(
                "{what}: not applicable, report {number} states: {why}",
                what=what,
                number=number,
                why=result.statement or "",
            ),
        )
    elif result.outcome == NOT_APPLICABLE:
        yield fails(
            cell.subject,
            Text("{what}: report {number} leaves it out; only endotoxin of a bank may be.", what=what, number=number),
            _SEND,
        )
    elif result.outcome != PASSED:
        yield _not_passed(cell, what, number, result.outcome)
    elif cell.test == ENDOTOXIN and (result.value is None or result.limit_value is None):
        yield lacks(
            cell.subject,
            Text("{what}: report {number} is recorded without value and limit.", what=what, number=number),
            Text("Another person records the report as it stands, in the place of this record."),
        )
    elif _is_over(result):
        yield fails(
            cell.subject,
            Text(
                "{what}: {value} {unit} is more than the limit of {limit}, whatever report {number} concludes.",
                what=what,
                value=result.value if result.value is not None else "",
                unit=result.unit or "",
                limit=result.limit_text,
                number=number,
            ),
            Text("The quality authority investigates; the study does not start with cells that failed."),
        )
    else:
        yield shows(
            cell.subject,
            Text(
                "{what}: {found}, {method}, limit {limit}, report {number}",
                what=what,
                found=result.found or "",
                method=result.method,
                limit=result.limit_text,
                number=number,
            ),
        )


def _not_passed(cell: Cell, what: Text, number: str, outcome: str) -> Statement:
    problem = Text("{what}: report {number} says {outcome}.", what=what, number=number, outcome=RESULT_NAMES[outcome])
    if outcome == INCONCLUSIVE:
        return lacks(cell.subject, problem, _SEND)
    return fails(
        cell.subject,
        problem,
        Text("The quality authority investigates; the study does not start with cells that failed."),
    )


# -- the laboratory ----------------------------------------------------------------------------------------------------


def says_qualified(dossier: Dossier, asked: Asked, cell: Cell) -> Iterator[Statement]:
    """Whether the laboratory was accredited for this test on the day of testing, and stands apart."""
    study, report, result = dossier.study, cell.report, cell.result
    if study is None or report is None or result is None:
        return
    laboratory = next((each for each in study.laboratories if each.name == report.laboratory), None)
    if laboratory is None:
        yield lacks(
            report.laboratory,
            Text("{name}: the laboratory is not known.", name=report.laboratory),
            Text("Report this to whoever keeps the system."),
        )
        return
    if result.outcome != NOT_APPLICABLE:
        yield accredited(dossier, asked, laboratory, result)
    yield apart(dossier, asked, study, laboratory)


# -- the report, its sample, and the sample's way ----------------------------------------------------------------------


def says_filed(_dossier: Dossier, _asked: Asked, cell: Cell) -> Iterator[Statement]:
    """Whether the signed report itself is on file."""
    report = cell.report
    if report is None:
        return
    if not report.file_name or not report.file_sha256:
        yield lacks(
            cell.subject,
            Text("Report {number}: the file is not on record.", number=report.report_number),
            Text(
                "Another person records the report with its file and the file's SHA-256, in the place of this record."
            ),
        )
    elif not (report.signatory or "").strip():
        yield lacks(
            cell.subject,
            Text("Report {number}: nobody is named who signed it.", number=report.report_number),
            Text("Ask the laboratory for the signed report, and have it recorded in the place of this one."),
        )
    else:
        yield shows(
            cell.subject,
            Text(
                "report {number} of {name}, signed by {by}: {file}",
                number=report.report_number,
                name=report.laboratory,
                by=report.signatory or "",
                file=report.file_name,
            ),
        )


def says_current(dossier: Dossier, asked: Asked, cell: Cell) -> Iterator[Statement]:
    """Whether the sample is of what the study will give: its bank lot, its process and specification version, its site.

    What is of another version, bank or site stands for it only by a document of comparability that was signed.
    """
    report = cell.report
    if report is None:
        return
    others = (*_other_than(dossier, cell.column, report), *_other_site(cell.column, report))
    document = comparable(dossier, asked, cell.column, report) if others else None
    if document is not None:
        yield shows(
            cell.subject,
            Text(
                "{what}: {lot}, {process}, stands for {wanted}: {file}; academic committee {reference} of {day}, accepted by "
                "{by} at {at}, until {until}",
                what=_named(cell),
                lot=report.lot,
                process=report.stated_process,
                wanted=document.process,
                file=document.file_name,
                reference=document.committee_reference,
                day=document.committee_decided_on,
                by=document.signed_by,
                at=document.signed_at,
                until=document.valid_to,
            ),
        )
        return
    for says in others:
        yield fails(cell.subject, says, _TEST_ANEW)
    unknown = tuple(_not_known(dossier, cell.column, report))
    for says in unknown:
        yield lacks(cell.subject, says, Text("Report this to whoever keeps the system."))
    if not others and not unknown:
        yield shows(
            cell.subject,
            Text("{what}: {lot}, {process}", what=_named(cell), lot=report.lot, process=report.stated_process),
        )


def _not_known(dossier: Dossier, column: Column, report: Reinspection) -> Iterator[Text]:
    number = report.report_number
    if column.kind == FINAL_FORMULATION and (dossier.banks is None or report.banks is None):
        yield Text(
            "Of which bank the lot of report {number} was made, or what the study gives, is not known.", number=number
        )
    if column.kind != BANK and None in {column.site, report.made_at}:
        yield Text(
            "Who made the lot of report {number}, or who makes what the study gives, is not known.", number=number
        )


_TEST_ANEW = Text(
    "Test again what the study will give, in its present version; or have its comparability decided by the academic "
    "committee and signed by the quality authority."
)


def comparable(dossier: Dossier, asked: Asked, column: Column, report: Reinspection) -> Comparability | None:
    """The signed document by which the report stands for what the study gives at that moment; None where there is none.

    A bank lot that was not tested is no matter of comparison, nor is a report that names another version than its own lot's.
    Nothing is comparable with what is not known: neither banks nor sites, the study's or the lot's.
    """
    if dossier.banks is None or report.banks is None or report.made_at is None or column.site is None:
        return None
    named = [
        each
        for each in _documents(dossier, asked, column, report)
        if report.made_at == column.site or column.site in (each.made_at or ())
    ]
    return max(named, key=lambda each: each.id, default=None)


def _documents(dossier: Dossier, asked: Asked, column: Column, report: Reinspection) -> tuple[Comparability, ...]:
    """Those to the study's versions and banks, whatever sites they name."""
    study = dossier.study
    if study is None or column.kind == BANK or report.process != report.stated_process:
        return ()
    process, specification, day = dossier.process, dossier.specification, today(dossier, asked)
    banks = {each.code for each in dossier.banks or ()}
    return tuple(
        each
        for each in study.comparabilities
        if each.report == report.id
        and each.signed_at <= asked.at
        and each.signed_by != each.proposed_by
        and each.committee_decided_on <= day <= each.valid_to
        and process is not None
        and each.process == f"{process.name} {process.version}"
        and specification is not None
        and each.specification == f"{specification.name} {specification.version}"
        and set(each.banks) == banks
    )


def _other_than(dossier: Dossier, column: Column, report: Reinspection) -> tuple[Text, ...]:
    process, specification, number = dossier.process, dossier.specification, report.report_number
    if column.kind == BANK:
        right = report.process == report.stated_process
        wrong = Text("Report {number} names another process version than the bank's own.", number=number)
        return () if right else (wrong,)
    found = []
    wanted = f"{process.name} {process.version}" if process else ""
    if report.process != wanted or report.stated_process != wanted:
        found.append(
            Text(
                "Report {number} is about {other}; the study's process is {wanted}.",
                number=number,
                other=report.stated_process if report.stated_process != wanted else report.process or "–",
                wanted=wanted,
            )
        )
    judged_by = f"{specification.name} {specification.version}" if specification else ""
    if column.kind == FINAL_FORMULATION and report.specification != judged_by:
        found.append(
            Text(
                "Report {number} is about a lot of {other}; the study's specification is {wanted}.",
                number=number,
                other=report.specification or "–",
                wanted=judged_by,
            )
        )
    named = {each.code for each in dossier.banks or ()}
    if column.kind == FINAL_FORMULATION and named and not (report.banks and named.issuperset(report.banks)):
        found.append(
            Text(
                "Report {number} is about a lot of another bank; the study's is {wanted}.",
                number=number,
                wanted=tuple(sorted(named)),
            )
        )
    if column.kind == FINAL_FORMULATION and dossier.banks == () and report.banks:
        found.append(
            Text("Report {number} is about a lot of a bank; the study names none.", number=report.report_number)
        )
    return tuple(found)


def _other_site(column: Column, report: Reinspection) -> tuple[Text, ...]:
    """Of a bank none: it is that very lot, wherever it was made."""
    if column.kind == BANK or None in {column.site, report.made_at} or report.made_at == column.site:
        return ()
    return (
        Text(
            "Report {number} is about a lot made by {other}; this is made by {wanted}.",
            number=report.report_number,
            other=report.made_at or _HERE,
            wanted=column.site or _HERE,
        ),
    )


_HERE = Text("this house")


def says_custody(dossier: Dossier, asked: Asked, cell: Cell) -> Iterator[Statement]:
    """Whether the sample's way to the laboratory is known and was within its temperatures."""
    if cell.report is not None:
        yield custody_of(dossier, asked, cell.report)


# -- within ------------------------------------------------------------------------------------------------------------

Sayer = Callable[[Dossier, Asked, Cell], Iterator[Statement]]
_SAYERS: Mapping[str, Sayer] = MappingProxyType(
    {
        MATRIX: says_matrix,
        QUALIFIED: says_qualified,
        FILED: says_filed,
        CURRENT: says_current,
        CUSTODY: says_custody,
    }
)


def _named(cell: Cell) -> Text:
    sample, test = SAMPLE_NAMES[cell.column.kind], TEST_NAMES[cell.test]
    if cell.column.site:
        return Text("{sample} made by {name}, {test}", sample=sample, name=cell.column.site, test=test)
    if cell.column.name is None:
        return Text("{sample}, {test}", sample=sample, test=test)
    return Text("{sample} {name}, {test}", sample=sample, name=cell.column.name, test=test)


def _cell(dossier: Dossier, asked: Asked, study: Study, column: Column, test: str) -> Cell:
    found = [
        (report, result)
        for report in standing_reports(study, asked)
        if report.sample_kind == column.kind and (column.kind != BANK or report.lot == column.lot)
        for result in report.tests
        if result.test == test
    ]
    if not found:
        return Cell(column, test, None, None, ())
    alone = [Cell(column, test, report, result, ()) for report, result in found]
    best = min(alone, key=lambda each: (_against(dossier, asked, each), *_latest_first(each)))
    against = tuple(
        report
        for report, result in found
        if report is not best.report
        and _speaks_against(result)
        and (not _other_than(dossier, column, report) or _documents(dossier, asked, column, report))
    )
    return Cell(column, test, best.report, best.result, against)


def _speaks_against(result: RetestedItem) -> bool:
    """Whether it failed, whatever it concludes. One that was inconclusive is cured by one that passed."""
    return result.outcome == FAILED or _is_over(result)


def _is_over(result: RetestedItem) -> bool:
    return result.value is not None and result.limit_value is not None and result.value > result.limit_value


def _against(dossier: Dossier, asked: Asked, cell: Cell) -> int:
    said = says_of(dossier, asked, cell).values()
    return sum(each.remedy is not None for statements in said for each in statements)


def _latest_first(cell: Cell) -> tuple[int, int]:
    day = cell.result.tested_on.toordinal() if cell.result else 0
    return -day, -cell.report.id if cell.report else 0
