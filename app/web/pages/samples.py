"""Samples for QC: which wait for which tests, and what was measured, entered against the limits of the specification."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.errors import BadInput, Refusal
from app.domain.facts import LineKind
from app.domain.lots import STATE_NAMES
from app.domain.measured import least_of
from app.domain.testing import Fit
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import qc, results
from app.services.house import House
from app.services.qc import LineView, SampleView, Which
from app.services.results import Measurement
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from labels.codes import CodeKind

router = APIRouter(prefix="/samples", route_class=PageRoute)
PAGE = 50
NAME = 120
TAKEN_FROM = frozenset({CodeKind.VIAL, CodeKind.FLASK, CodeKind.BAG})

WHICH_NAMES = {Which.WAITING: Text("tests are missing"), Which.MINE: Text("measured by me"), Which.ALL: Text("all")}
FIT_MARKS = {
    Fit.WITHIN: ("go", "check", Text("within limits")),
    Fit.OUTSIDE: ("stop", "x", Text("outside limits")),
    Fit.UNREADABLE: ("stop", "question-mark", Text("does not fit the limits' kind or unit")),
}
REVIEW_MARKS = {
    None: ("wait", "clock", Text("not reviewed")),
    "accepted": ("go", "user-check", Text("accepted")),
    "returned": ("wait", "arrow-back-up", Text("returned")),
}
MARKS: dict[str, Any] = {"fit_marks": FIT_MARKS, "review_marks": REVIEW_MARKS, "state_names": STATE_NAMES}


@router.get("")
async def list_samples(
    request: Request, house: HouseDep, who: SignedInDep, which: str = "", after: int | None = None
) -> Response:
    """Samples and what waits for a reviewer."""
    return await _listed(request, house, who, which=which, after=after, form=await blank(request))


@router.post("/scan")
async def scan(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """A scan leads on: a sample to its results, a vial, flask or bag to the taking of a sample."""
    entry = await read_entry(request)
    code = entry.scanned("code")
    try:
        entry.call(who)
        found = await qc.scanned(house, who.actor, code=code)
        if found.code[0] == CodeKind.SAMPLE_TUBE.value:
            return see(f"/samples/{found.code}")
        if found.lot is None or CodeKind(found.code[0]) not in TAKEN_FROM:
            raise BadInput(
                field="code",
                what=Text("No sample was found."),
                why=Text("This label is of neither a sample nor anything that one is taken of."),
                remedy=Text("Scan a sample, or the flask, vial or bag that it is taken from."),
            )
    except Refusal as refusal:
        return await _listed(request, house, who, which="", after=None, form=entry.again(refusal))
    return see(f"/lots/{found.lot}/sample?from={found.code}")


@router.get("/{code}")
async def show_sample(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """A sample, a form for what is still to be measured, and what was found."""
    sample = await qc.read_sample(house, who.actor, code=code)
    known: dict[str, Any] = {"measured_at": datetime.now(UTC)}
    for line in sample.tests.missing:
        known |= {f"version-{line.line}": line.version_last, f"instrument-{line.line}": line.instrument_last}
    return await _shown(request, who, sample, await blank(request, **known))


@router.post("/{code}")
async def record(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Keep what was measured at one time; lines that were left empty stay missing."""
    require(who.actor, Act.RECORD_RESULT)
    entry = await read_entry(request)
    sample = await qc.read_sample(house, who.actor, code=code)
    found = {line.line: each for line in sample.tests.missing if (each := _measured(entry, line)) is not None}
    measured = tuple(found.values())
    measured_at = entry.moment("measured_at")
    if not measured and not entry.problems:
        entry.problem("measured_at", Text("No result is entered."), Text("Enter at least one result."))
    try:
        paper = entry.optional("paper", most=NAME)
        call = entry.call(who)
        await once(
            results.record_results(house, call, sample=code, measured=measured, measured_at=measured_at, paper=paper)
        )
    except Refusal as refusal:
        at = {f"measured.{row}.value": f"value-{line}" for row, line in enumerate(found)}
        return await _shown(request, who, sample, entry.again(refusal, at=at))
    return see(f"/samples/{code}")


def _measured(entry: Entry, line: LineView) -> Measurement | None:
    value: Decimal | str | None
    if line.kind is LineKind.QUALITATIVE:
        chosen, own = entry.optional(f"value-{line.line}"), entry.optional(f"words-{line.line}")
        value = own or chosen
    else:
        least = least_of(line.unit)
        value = entry.optional_amount(f"value-{line.line}", least=Decimal("-1e18") if least is None else least)
    version, instrument = f"version-{line.line}", entry.optional(f"instrument-{line.line}", most=NAME)
    if value is None and f"value-{line.line}" not in entry.problems:
        entry.optional(version, most=NAME)
        return None
    return Measurement(
        test=line.test,
        value=value if value is not None else "",
        unit=line.unit,
        method_version=entry.text(version, most=NAME),
        instrument=instrument,
    )


async def _listed(
    request: Request, house: House, who: SignedIn, *, which: str, after: int | None, form: FormView
) -> Response:
    chosen = Which(which) if which in set(Which) else Which.WAITING
    found = await qc.read_qc(house, who.actor, which=chosen, after=after, limit=PAGE)
    return await render(
        request,
        "samples/list.html",
        status=form.status,
        who=who,
        form=form,
        found=found,
        chosen=chosen.value,
        which_names={each.value: name for each, name in WHICH_NAMES.items()},
        next=found.samples[-1].number if len(found.samples) == PAGE else None,
        may_review=may(who.actor, Act.REVIEW_RESULT),
        **MARKS,
    )


async def _shown(request: Request, who: SignedIn, sample: SampleView, form: FormView) -> Response:
    return await render(
        request,
        "samples/sample.html",
        status=form.status,
        who=who,
        form=form,
        sample=sample,
        tests=sample.tests,
        may_record=may(who.actor, Act.RECORD_RESULT),
        qualitative=LineKind.QUALITATIVE,
        **MARKS,
    )
