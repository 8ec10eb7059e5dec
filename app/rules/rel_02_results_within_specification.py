"""REL-02: every required line of the specification has a valid, reviewed result within its limits."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from app.domain.acts import Role
from app.domain.counterexamples import Edit, add, all_of, drop, inside, part, two_steps, where, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Decision, Line, LineKind, Result, Specification
from app.domain.rulebook import (
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
    wants_waiver,
)
from app.domain.sources import CN_STEM_CELL_QUALITY, GMP
from app.domain.testing import Fit, fit, is_accepted, is_set_aside, limits, value
from app.domain.text import Text
from app.domain.two_steps import may_wait

_EARLIER = Result(
    id=9901,
    line_id=1,
    test="sterility",
    sample="T0000000009",
    value_number=None,
    value_text="growth",
    unit=None,
    method_version="STE-1/3",
    instrument=None,
    analyst="quill",
    measured_at=datetime(2026, 10, 20, tzinfo=UTC),
    invalidated=False,
    review=None,
)
_NOT_SAFETY = Line(
    id=99,
    test="clonogenicity",
    method="CFU-F",
    kind=LineKind.QUANTITATIVE,
    low=Decimal(10),
    high=None,
    unit="%",
    expected=None,
    safety=False,
    required=True,
)


def _with_line(specification: Specification) -> Specification:
    return Specification(
        specification.name,
        specification.version,
        specification.effective_from,
        (*specification.lines, _NOT_SAFETY),
    )


def _read_of_another_sample(dossier: Dossier) -> Dossier:
    """The line that waits has a result after all, of another sample than the one on which the slow test was begun."""
    results = dossier.results or ()
    read = replace(results[-1], id=9903, line_id=1, test="sterility", sample="T0000000002")
    return replace(dossier, results=(*results, read))


def _clonogenicity(value_number: str) -> Edit:
    """Add a line that is not about safety, and a reviewed result for it, like the others but in value."""

    def result(results: tuple[Result, ...]) -> tuple[Result, ...]:
        first = results[0]
        return (
            *results,
            Result(
                id=9902,
                line_id=99,
                test="clonogenicity",
                sample=first.sample,
                value_number=Decimal(value_number),
                value_text=None,
                unit="%",
                method_version="CFU-1/1",
                instrument=None,
                analyst=first.analyst,
                measured_at=first.measured_at,
                invalidated=False,
                review=first.review,
            ),
        )

    return all_of(within("specification", _with_line), within("results", result))


@rule(
    "REL-02",
    Text("Every required result is reviewed and within its limits"),
    cites=(
        Citation(
            CN_STEM_CELL_QUALITY,
            "release testing",
            Text("A preparation is released only when it meets its quality specification."),
            Standing.UNVERIFIED,
        ),
        Citation(
            GMP,
            "chapter 10",
            Text(
                "A result outside its limits stands until an investigation shows that the test, not the lot, was wrong."
            ),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("sterility shows growth", where("results", "test", "sterility", value_text="growth")),
        Break("a failing result before a passing one", add("results", _EARLIER)),
        Break("viability below its limit", where("results", "test", "viability", value_number=Decimal("69.9"))),
        Break("endotoxin above its limit", where("results", "test", "endotoxin", value_number=Decimal("0.51"))),
        Break("no mycoplasma result", drop("results", "test", "mycoplasma"), outcome=Outcome.INDETERMINATE),
        Break("a result nobody reviewed", where("results", "test", "dose", review=None), outcome=Outcome.INDETERMINATE),
        Break(
            "a result returned in review",
            inside("results", "review", decision=Decision.RETURNED),
            outcome=Outcome.INDETERMINATE,
            also=("MAT-09",),
        ),
        Break(
            "the analyst reviewed it",
            inside("results", "review", by="quill"),
            outcome=Outcome.INDETERMINATE,
            also=("MAT-09",),
        ),
        Break("another unit", where("results", "test", "endotoxin", unit="EU/L"), outcome=Outcome.INDETERMINATE),
        Break(
            "set aside without an investigation",
            where("results", "test", "sterility", value_text="growth", invalidated=True),
        ),
        Break(
            "a specification made after the measurement",
            part("specification", effective_from=datetime(2026, 11, 15, tzinfo=UTC)),
        ),
        Break("a line that is not about safety fails", _clonogenicity("3"), outcome=Outcome.NEEDS_WAIVER),
        Break("the results are unknown", without("results"), outcome=Outcome.INDETERMINATE, also=("MAT-09", "QA-05")),
        Break(
            "pending by the plan, and asked for at the release itself",
            two_steps,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "another sample was read than the one that is waited for",
            all_of(two_steps, _read_of_another_sample),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "another result than the plan names is missing",
            all_of(two_steps, drop("results", "test", "mycoplasma")),
            gate=Gate.G5,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("no specification", without("specification"), outcome=Outcome.INDETERMINATE, also=("MAT-09", "REL-03")),
    ),
)
def results_within_specification(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each line by all its results: no later pass buries a failure that still stands."""
    specification = dossier.specification
    if specification is None or not specification.lines:
        yield lacks(
            dossier.subject,
            Text("The lot has no specification."),
            Text("Quality names the version of the specification that this lot is judged by."),
        )
        return
    for line in specification.lines:
        results = tuple(each for each in dossier.results or () if each.line_id == line.id)
        yield from _line(dossier, asked, specification, line, results)


def _line(
    dossier: Dossier, asked: Asked, specification: Specification, line: Line, results: tuple[Result, ...]
) -> Iterator[Statement]:
    standing = tuple(each for each in results if not is_set_aside(dossier, each))
    outside = tuple(each for each in standing if fit(line, each) is Fit.OUTSIDE)
    for result in outside:
        yield _out_of_limits(line, result)
    if outside or (not standing and not line.required):
        return
    latest = max(standing, key=lambda each: (each.measured_at, each.id), default=None)
    if latest is not None and asked.gate is not Gate.G5 and _is_waited_for(dossier, line, results):
        yield lacks(line.test, Text("Pending are: {tests}.", tests=(line.test,)), Text("Wait for its result."))
    if latest is None:
        pending = may_wait(dossier, line) if asked.gate is Gate.G5 else None
        if pending is not None:
            yield shows(line.test, pending)
            return
        yield lacks(
            line.test,
            Text("There is no valid result for {test}.", test=line.test),
            Text("Have the lot tested; a result counts once it is reviewed."),
        )
        return
    yield from _unfinished(line, standing, latest)
    if latest.measured_at < specification.effective_from or specification.effective_from > asked.at:
        yield fails(
            line.test,
            Text(
                "The specification came into force at {from_at}, after the measurement at {at}.",
                from_at=specification.effective_from,
                at=latest.measured_at,
            ),
            Text("A lot is judged by the specification that stood when it was tested; quality clears this up."),
        )
    if fit(line, latest) is Fit.WITHIN and is_accepted(latest):
        yield shows(
            line.test,
            Text("{value}, limit {limits}, reviewed", value=value(latest), limits=limits(line)),
        )


def _is_waited_for(dossier: Dossier, line: Line, results: tuple[Result, ...]) -> bool:
    """Whether a test of the line was begun on a sample of which nothing was read since: another sample answers for none."""
    begun = dossier.two_steps.under_way if dossier.two_steps else ()
    return any(
        each.line_id == line.id
        and not any(one.sample == each.sample and one.measured_at >= each.started_at for one in results)
        for each in begun
    )


def _unfinished(line: Line, standing: tuple[Result, ...], latest: Result) -> Iterator[Statement]:
    for result in standing:
        if fit(line, result) is Fit.UNREADABLE:
            yield lacks(
                line.test,
                Text("{value} cannot be compared with the limit {limits}.", value=value(result), limits=limits(line)),
                Text("Report the result in the specification's unit and form."),
            )
        elif result.review is None or (result is latest and not is_accepted(result)):
            yield lacks(
                line.test,
                Text("The result {value} has not been accepted by a second person.", value=value(result)),
                Text("A QC reviewer other than the analyst reviews it."),
            )


def _out_of_limits(line: Line, result: Result) -> Statement:
    problem = Text("{test}: {value}, limit {limits}.", test=line.test, value=value(result), limits=limits(line))
    if line.safety:
        return fails(
            line.test, problem, Text("Investigate the cause. A failing safety test is never waived: reject the lot.")
        )
    return wants_waiver(
        line.test,
        problem,
        Text("Investigate the cause; the quality authority may weigh it for this patient and lot."),
    )
