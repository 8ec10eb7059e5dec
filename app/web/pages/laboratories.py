"""Laboratories outside and what they tested again: papers by form, reports by form, and the matrix of a study."""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.door import Call
from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.errors import NotFound, Refusal
from app.domain.facts import Reinspection
from app.domain.laboratories import ACCREDITATION_NAMES, END_NAMES, ENDOTOXIN, TEST_NAMES
from app.domain.reinspection import ENDOTOXIN_UNITS, RESULT_NAMES, SAMPLE_NAMES
from app.domain.rulebook import OUTCOME_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import institutions, laboratories, reinspections
from app.services.house import House
from app.services.laboratories import Accredited, Covered, Declared, Ended
from app.services.reinspections import COLDEST_C, WARMEST_C, Report, Retested
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render

router = APIRouter(route_class=PageRoute)
NumberDep = Annotated[int, Path(ge=1, lt=2**63)]
NAME = 120
SCOPE = 6
"""Rows of the scope on the form; a longer list is sent by a program."""
PAPERS: Mapping[str, Text] = {
    "accreditation": Text("Record an accreditation"),
    "end": Text("Record that an accreditation ended"),
    "declaration": Text("Record a declaration of independence"),
}
UNITS = {each: Text("{unit}", unit=each) for each in ENDOTOXIN_UNITS}
WORDS: dict[str, Any] = {
    "accreditation_names": ACCREDITATION_NAMES,
    "end_names": END_NAMES,
    "test_names": TEST_NAMES,
    "sample_names": SAMPLE_NAMES,
    "result_names": RESULT_NAMES,
    "outcome_names": OUTCOME_NAMES,
    "units": UNITS,
    "papers": PAPERS,
}
Keep = Callable[[Call], Awaitable[object]]


@router.get("/laboratories")
async def list_laboratories(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Every laboratory by name, and the form for a further one."""
    return await _list_shown(request, house, who, await blank(request))


@router.post("/laboratories")
async def register(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Register a laboratory."""
    require(who.actor, Act.REGISTER_LABORATORY)
    entry = await read_entry(request)
    name, address = entry.text("name", most=NAME), entry.text("address")
    try:
        made = await once(laboratories.register_laboratory(house, entry.call(who), name=name, address=address))
    except Refusal as refusal:
        return await _list_shown(request, house, who, entry.again(refusal))
    return see(f"/laboratories/{made['laboratory']}")


@router.get("/laboratories/{laboratory}")
async def show_laboratory(request: Request, house: HouseDep, who: SignedInDep, laboratory: NumberDep) -> Response:
    """One laboratory: what accredits it, what ended, and who says that it stands apart."""
    return await render(
        request,
        "laboratories/laboratory.html",
        who=who,
        found=await laboratories.read_laboratory(house, who.actor, laboratory=laboratory),
        may_state=may(who.actor, Act.STATE_LABORATORY),
        **WORDS,
    )


@router.get("/laboratories/{laboratory}/record/{what}")
async def new_paper(request: Request, house: HouseDep, who: SignedInDep, laboratory: NumberDep, what: str) -> Response:
    """The form for a paper about the laboratory."""
    _known(what)
    require(who.actor, Act.STATE_LABORATORY)
    return await _paper_shown(request, house, who, laboratory, what, await blank(request))


@router.post("/laboratories/{laboratory}/record/{what}")
async def keep_paper(request: Request, house: HouseDep, who: SignedInDep, laboratory: NumberDep, what: str) -> Response:
    """Record the paper."""
    _known(what)
    require(who.actor, Act.STATE_LABORATORY)
    entry = await read_entry(request)
    keep = KEEPERS[what](entry, house, laboratory)
    try:
        await once(keep(entry.call(who)))
    except Refusal as refusal:
        form = entry.again(refusal, at={"scope": "test0"})
        return await _paper_shown(request, house, who, laboratory, what, form)
    return see(f"/laboratories/{laboratory}")


# -- what was tested again ---------------------------------------------------------------------------------------------


@router.get("/studies/{number}/reinspection")
async def show_matrix(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """The matrix of a study as it stands this moment: each cell with its report and why."""
    return await render(
        request,
        "laboratories/matrix.html",
        who=who,
        found=await reinspections.read_matrix(house, who.actor, number=number),
        may_record=may(who.actor, Act.RECORD_REINSPECTION),
        **WORDS,
    )


@router.get("/studies/{number}/reinspection/new")
async def new_report(
    request: Request, house: HouseDep, who: SignedInDep, number: str, replaces: int | None = None
) -> Response:
    """The form for a report; one that takes the place of a record begins with what that says."""
    require(who.actor, Act.RECORD_REINSPECTION)
    found = await reinspections.read_matrix(house, who.actor, number=number)
    before = next((each for each in found.reports if each.id == replaces and each.replaced_at is None), None)
    return await _report_shown(request, house, who, number, await blank(request, **_typed(before)))


@router.post("/studies/{number}/reinspection/new")
async def keep_report(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Record the report."""
    require(who.actor, Act.RECORD_REINSPECTION)
    entry = await read_entry(request)
    choices = await reinspections.read_choices(house, who.actor)
    report = _report(entry, {f"{name} {version}": (name, version) for name, version in choices.processes})
    try:
        await once(reinspections.record_reinspection(house, entry.call(who), number=number, report=report))
    except Refusal as refusal:
        return await _report_shown(request, house, who, number, entry.again(refusal, at={"tests": "outcome_sterility"}))
    return see(f"/studies/{number}/reinspection")


# -- within ------------------------------------------------------------------------------------------------------------


def _known(what: str) -> None:
    if what not in PAPERS:
        raise NotFound(
            what=Text("There is no such form."),
            why=Text("Nothing of this kind is recorded about a laboratory."),
            remedy=Text("Go back to the laboratory and choose what to record."),
        )


def _digest(value: str) -> str:
    return value.lower().replace(" ", "")


def _accreditation(entry: Entry, house: House, laboratory: int) -> Keep:
    accredited = Accredited(
        kind=entry.one_of("kind", ACCREDITATION_NAMES),
        number=entry.text("number", most=NAME),
        scope=tuple(_scope(entry)),
        valid_from=entry.day("valid_from", ahead=True),
        valid_to=entry.optional_day("valid_to", ahead=True),
        file_name=entry.text("file_name"),
        file_sha256=_digest(entry.text("file_sha256", most=100)),
    )
    return lambda call: laboratories.accredit(house, call, laboratory=laboratory, accredited=accredited)


def _scope(entry: Entry) -> list[Covered]:
    found: list[Covered] = []
    for i in range(SCOPE):
        test, method = entry.optional(f"test{i}"), entry.optional(f"method{i}")
        if test and test not in TEST_NAMES:
            entry.problem(f"test{i}", Text("It is none of the choices."), Text("Choose one of the list."))
        elif test and method and Covered(test, method) in found:
            entry.problem(f"method{i}", Text("{name} stands here twice.", name=method), Text("Write it once."))
        elif test and method:
            found.append(Covered(test, method))
        elif test or method:
            field = f"method{i}" if test else f"test{i}"
            entry.problem(field, Text("A test of the scope has a name and a method."), Text("Write both."))
    return found


def _end(entry: Entry, house: House, laboratory: int) -> Keep:
    ended = Ended(
        accreditation=entry.whole("accreditation", least=1, most=2**62),
        how=entry.one_of("how", END_NAMES),
        ended_on=entry.day("ended_on"),
        why=entry.prose("why"),
        evidence=entry.text("evidence"),
    )
    return lambda call: laboratories.end_accreditation(house, call, laboratory=laboratory, ended=ended)


def _declaration(entry: Entry, house: House, laboratory: int) -> Keep:
    declared = Declared(
        institution=entry.text("institution", most=NAME),
        not_the_institution=entry.flag("not_the_institution"),
        not_the_facility=entry.flag("not_the_facility"),
        no_common_control=entry.flag("no_common_control"),
        declared_by=entry.text("declared_by", most=NAME),
        declared_on=entry.day("declared_on"),
        evidence=entry.text("evidence"),
    )
    return lambda call: laboratories.declare_independence(house, call, laboratory=laboratory, declared=declared)


KEEPERS: Mapping[str, Callable[[Entry, House, int], Keep]] = {
    "accreditation": _accreditation,
    "end": _end,
    "declaration": _declaration,
}


def _report(entry: Entry, processes: Mapping[str, tuple[str, int]]) -> Report:
    process, version = processes.get(entry.one_of("process", processes), ("", 0))
    digest = entry.optional("file_sha256", most=100)
    return Report(
        laboratory=entry.text("laboratory", most=NAME),
        sample_kind=entry.one_of("sample_kind", SAMPLE_NAMES),
        lot=entry.scanned("lot"),
        process=process,
        process_version=version,
        report_number=entry.text("report_number", most=NAME),
        signatory=entry.optional("signatory", most=NAME),
        file_name=entry.optional("file_name"),
        file_sha256=None if digest is None else _digest(digest),
        taken_at=entry.moment("taken_at"),
        handed_over_by=entry.optional("handed_over_by", most=NAME),
        received_at=entry.moment("received_at"),
        received_by=entry.optional("received_by", most=NAME),
        low_c=_celsius(entry, "low_c"),
        high_c=_celsius(entry, "high_c"),
        min_c=_celsius(entry, "min_c"),
        max_c=_celsius(entry, "max_c"),
        excursion=entry.optional("excursion", most=8000),
        reported_on=entry.day("reported_on"),
        tests=tuple(_tests(entry)),
        replaces=entry.optional_whole("replaces", least=1, most=2**62),
        why=entry.optional("why", most=8000),
    )


def _celsius(entry: Entry, name: str) -> Decimal | None:
    return entry.optional_amount(name, least=COLDEST_C, most=WARMEST_C)


def _tests(entry: Entry) -> list[Retested]:
    found = []
    for test in TEST_NAMES:
        outcome = entry.optional(f"outcome_{test}")
        if outcome is None:
            if any(entry.optional(f"{each}_{test}") for each in ("found", "statement", "value")):
                entry.problem(
                    f"outcome_{test}", Text("What the report concludes is not said."), Text("Choose its conclusion.")
                )
            continue
        if outcome not in RESULT_NAMES:
            entry.problem(f"outcome_{test}", Text("It is none of the choices."), Text("Choose one of the list."))
        value = entry.optional_amount(f"value_{test}") if test == ENDOTOXIN else None
        limit = entry.optional_amount(f"limit_value_{test}") if test == ENDOTOXIN else None
        found.append(
            Retested(
                test=test,
                method=entry.text(f"method_{test}"),
                limit_text=entry.text(f"limit_text_{test}"),
                outcome=outcome,
                tested_on=entry.day(f"tested_on_{test}"),
                found=entry.optional(f"found_{test}"),
                statement=entry.optional(f"statement_{test}", most=8000),
                value=value,
                limit_value=limit,
                unit=entry.optional(f"unit_{test}") if value is not None or limit is not None else None,
            )
        )
    return found


def _typed(before: Reinspection | None) -> dict[str, Any]:
    """What a form in the place of a record begins with."""
    if before is None:
        return {}
    same = (
        *("laboratory", "sample_kind", "lot", "report_number", "signatory", "file_name", "file_sha256", "taken_at"),
        *("handed_over_by", "received_at", "received_by", "low_c", "high_c", "min_c", "max_c", "excursion"),
    )
    values: dict[str, Any] = {each: getattr(before, each) for each in (*same, "reported_on")}
    values |= {"process": before.stated_process, "replaces": before.id}
    said = ("method", "limit_text", "outcome", "found", "statement", "tested_on", "value", "limit_value", "unit")
    return values | {f"{each}_{one.test}": getattr(one, each) for one in before.tests for each in said}


async def _list_shown(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "laboratories/list.html",
        status=form.status,
        who=who,
        found=await laboratories.list_laboratories(house, who.actor),
        form=form if may(who.actor, Act.REGISTER_LABORATORY) else None,
        **WORDS,
    )


async def _paper_shown(
    request: Request, house: House, who: SignedIn, laboratory: int, what: str, form: FormView
) -> Response:
    known = await institutions.list_institutions(house, who.actor) if what == "declaration" else ()
    found = await laboratories.read_laboratory(house, who.actor, laboratory=laboratory)
    return await render(
        request,
        "laboratories/record.html",
        status=form.status,
        who=who,
        form=form,
        what=what,
        title=PAPERS[what],
        found=found,
        accreditations={
            str(each.accreditation): Text(
                "{kind} {number}, {day}", kind=ACCREDITATION_NAMES[each.kind], number=each.number, day=each.valid_from
            )
            for each in found.accreditations
        },
        institutions={each.name: Text("{name}", name=each.name) for each in known},
        rows=range(SCOPE),
        **WORDS,
    )


async def _report_shown(request: Request, house: House, who: SignedIn, number: str, form: FormView) -> Response:
    found = await reinspections.read_matrix(house, who.actor, number=number)
    choices = await reinspections.read_choices(house, who.actor)
    return await render(
        request,
        "laboratories/report.html",
        status=form.status,
        who=who,
        form=form,
        found=found,
        laboratories={each: Text("{name}", name=each) for each in choices.laboratories},
        processes={
            f"{name} {version}": Text("{name}", name=f"{name} {version}") for name, version in choices.processes
        },
        **WORDS,
    )
