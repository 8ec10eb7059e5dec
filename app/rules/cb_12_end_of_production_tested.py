"""CB-12: cells grown to the limit of the process were tested for tumours, karyotype and viruses."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain import settings
from app.domain.counterexamples import Edit, all_of, part, study_part, study_records, within
from app.domain.dossier import Dossier
from app.domain.facts import EndTest, Process, ProductionEnd, Study, SubjectKind
from app.domain.production_ends import CONFIRMATORY, START, TEST_NAMES, TESTS
from app.domain.rulebook import (
    NEVER,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import GUIDELINE
from app.domain.studies import known_at, no_study, today
from app.domain.text import Text

_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_G9: dict[str, Any] = {**_G8, "gate": Gate.G9}
_UNKNOWN = Outcome.INDETERMINATE
_TEST = Text(
    "Grow cells of this process version on to its limit, have them tested, and record the laboratory's report; the study does "
    "not go on before."
)
_IN_VIVO, _VIRUS = "tumorigenicity_in_vivo", "adventitious_virus"


def _tests(only: str, **changes: Any) -> Edit:
    """A test of the cells at the end of production is another; left out where nothing is said of it."""

    def changed(each: EndTest) -> EndTest | None:
        if each.test != only:
            return each
        return replace(each, **changes) if changes else None

    def edit(study: Study) -> Study:
        ends = tuple(
            replace(end, tests=tuple(one for one in map(changed, end.tests) if one is not None))
            for end in study.production_ends
        )
        return replace(study, production_ends=ends)

    return within("study", edit)


def _another_failed(study: Study) -> Study:
    (first, *_) = study.production_ends
    failed = replace(first.tests[0], outcome="failed", found="colonies")
    return replace(study, production_ends=(*study.production_ends, replace(first, id=99, tests=(failed,))))


@rule(
    "CB-12",
    Text("Cells at the end of production were tested at the limit of the process"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Cells at or beyond the limit of doublings are tested for tumorigenicity, karyotype and viruses."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            GUIDELINE,
            "§4",
            Text("Tumorigenicity is examined in vitro before the study, and reported in vivo by the confirmatory stage."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G8, Gate.G9),
    waiver=NEVER,
    breaks=(
        Break("no cells at the end of production were tested", study_part(production_ends=()), **_G8, outcome=_UNKNOWN),
        Break("none were tested by the confirmatory stage", study_part(production_ends=()), **_G9),
        Break("none were tested, and the study starts at the confirmatory stage",
              study_part(production_ends=(), stage="confirmatory"), **_G8),
        Break("the cells made tumours", _tests("tumorigenicity_in_vitro", outcome="failed"), **_G8),
        Break("the chromosomes changed", _tests("karyotype", outcome="failed"), **_G9),
        Break("the virus test is inconclusive", _tests(_VIRUS, outcome="inconclusive"), **_G8, outcome=_UNKNOWN),
        Break("viruses were not looked for", _tests(_VIRUS), **_G8, outcome=_UNKNOWN),
        Break("nothing in vivo by the confirmatory stage", _tests(_IN_VIVO), **_G9),
        Break("nothing in vivo, and the study is confirmatory",
              all_of(study_part(stage="confirmatory"), _tests(_IN_VIVO)), **_G8),
        Break("another report found growth, and one that passed does not cure it", within("study", _another_failed), **_G8),
        Break("the cells had not reached the limit", study_records("production_ends", pdl_reached=Decimal("19.9")), **_G8,
              outcome=_UNKNOWN),
        Break("they had not reached it by the confirmatory stage",
              study_records("production_ends", pdl_reached=Decimal("19.9")), **_G9),
        Break("the cells were of another process version", study_records("production_ends", process="BM-MSC 3"), **_G8,
              outcome=_UNKNOWN),
        Break("the report was recorded after the moment judged",
              study_records("production_ends", recorded_at=datetime(2026, 11, 21, tzinfo=UTC)), **_G8, outcome=_UNKNOWN),
        Break("a corrected record took the report's place, and is not there",
              study_records("production_ends", replaced_at=datetime(2026, 7, 1, tzinfo=UTC)), **_G8, outcome=_UNKNOWN),
        Break("the process goes further than what was tested", part("process", max_pdl=Decimal(60)),
              **{**_G8, "also": ("BOOK", "TPR-01")}, outcome=_UNKNOWN),
    ),
)  # fmt: skip
def end_of_production_tested(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each test by the reports about cells that reached the limit; one that failed closes, whatever it reached.

    What is missing closes as unknown while a study explores, and fails from the confirmatory stage on; in vivo is asked
    from then on.
    """
    study, process = dossier.study, dossier.process
    if study is None or process is None:
        yield no_study(dossier)
        return
    name, day = f"{process.name} {process.version}", today(dossier, asked)
    reports = tuple(
        each
        for each in known_at(study.production_ends, asked.at)
        if each.process == name
        and each.reported_on <= day
        and (each.replaced_at is None or each.replaced_at > asked.at)
    )
    lists = settings.word_lists(dossier, TESTS)
    confirms = asked.gate is Gate.G9 or study.stage == "confirmatory"
    wanted = (*lists[START], *(lists[CONFIRMATORY] if confirms else ()))
    for test in dict.fromkeys((*wanted, *TEST_NAMES)):
        found = [(report, one) for report in reports for one in report.tests if one.test == test]
        failed = [(report, one) for report, one in found if one.outcome == "failed"]
        yield from (_failed(test, report, one) for report, one in failed)
        if test in wanted and not failed:
            yield _stands(study, process, test, found, confirms=confirms)
    if not confirms:
        yield from (_due(study, test) for test in lists[CONFIRMATORY])


def _failed(test: str, report: ProductionEnd, one: EndTest) -> Statement:
    return fails(
        report.lot,
        Text(
            "{test}: report {number} says it failed: {found}.",
            test=TEST_NAMES[test],
            number=report.report_number,
            found=one.found,
        ),
        Text("The quality authority investigates; cells of such a process are given to nobody."),
    )


def _stands(
    study: Study, process: Process, test: str, found: list[tuple[ProductionEnd, EndTest]], *, confirms: bool
) -> Statement:
    what = TEST_NAMES.get(test, Text("{test}", test=test))
    passed = [report for report, one in found if one.outcome == "passed"]
    full = [report for report in passed if report.pdl_reached >= process.max_pdl]
    if full:
        return shows(
            full[-1].lot,
            Text(
                "{test}: passed at {reached} doublings, limit {limit}; {laboratory}, report {number}",
                test=what,
                reached=full[-1].pdl_reached,
                limit=process.max_pdl,
                laboratory=full[-1].laboratory,
                number=full[-1].report_number,
            ),
        )
    say = fails if confirms else lacks
    if passed:
        reached = max(each.pdl_reached for each in passed)
        problem = Text(
            "{test}: the cells had reached {reached} doublings, and the process goes on to {limit}.",
            test=what,
            reached=reached,
            limit=process.max_pdl,
        )
    elif found:
        problem = Text("{test}: report {number} is inconclusive.", test=what, number=found[-1][0].report_number)
    else:
        problem = Text("{test}: no report about cells at the end of production is on record.", test=what)
    return say(study.number, problem, _TEST)


def _due(study: Study, test: str) -> Statement:
    what = TEST_NAMES.get(test, Text("{test}", test=test))
    return shows(study.number, Text("{test}: due before the confirmatory stage", test=what))
