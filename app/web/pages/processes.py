"""Processes and specifications: their versions, and the forms that define a new one. No version is ever edited."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, require
from app.domain.errors import Refusal
from app.domain.facts import LineKind, PassageConvention, VectorType
from app.domain.genes import VECTOR_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import processes, specifications
from app.services.house import House
from app.services.processes import ProcessVersion
from app.services.specifications import SpecificationLine, SpecificationVersion
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render

router = APIRouter(route_class=PageRoute)
PAGE = 50
NAME = 120
VERSION_MOST = 9999
DECIMALS_MOST = -3
LINES_MOST = 100
ROWS_LEAST = 6
ROWS_SPARE = 2

CONVENTION_NAMES: Mapping[PassageConvention, tuple[Text, Text]] = {
    PassageConvention.PRIMARY_IS_P0: (Text("The primary culture is P0"), Text("the first passage makes P1")),
    PassageConvention.PRIMARY_IS_P1: (Text("The primary culture is P1"), Text("the first passage makes P2")),
}
TRAITS: Mapping[str, Text] = {
    "gene_modified": Text("gene modified"),
    "long_term_expansion": Text("long expansion"),
    "clone_selected": Text("selected clones"),
    "short_cycle": Text("short cycle"),
    "low_manipulation": Text("low manipulation"),
}

VECTORS: Mapping[str, Text] = {each.value: name for each, name in VECTOR_NAMES.items()}
EDITS: Mapping[str, Text] = {"yes": Text("yes"), "no": Text("no")}


@router.get("/processes")
async def list_processes(
    request: Request, house: HouseDep, who: SignedInDep, after: str | None = None, after_version: int = VERSION_MOST
) -> Response:
    """Process versions by name."""
    found = await processes.list_processes(house, who.actor, after=_after(after, after_version), limit=PAGE)
    return await render(
        request,
        "processes/list.html",
        who=who,
        found=found,
        traits=TRAITS,
        vectors=VECTORS,
        edits=EDITS,
        convention_names=CONVENTION_NAMES,
        next=found[-1] if len(found) == PAGE else None,
    )


@router.get("/processes/new")
async def new_process(
    request: Request, house: HouseDep, who: SignedInDep, of: str | None = None, version: int = 0
) -> Response:
    """A process, or the next version of one as it stands."""
    require(who.actor, Act.DEFINE_PROCESS)
    before = None if of is None else await _process(house, who, of, version)
    values: dict[str, Any] = {"version": 1, "passage_convention": PassageConvention.PRIMARY_IS_P0.value}
    if before is not None:
        names = ("name", "product", "product_zh", "cell_source", "max_passage", "max_pdl", "shelf_life_days")
        values = {each: getattr(before, each) for each in names}
        values |= {"version": before.version + 1, "passage_convention": before.passage_convention.value}
        values["traits"] = [each for each in TRAITS if getattr(before, each)]
        values["vector_type"] = before.vector_type.value if before.vector_type else ""
        values["gene_editing"] = {True: "yes", False: "no", None: ""}[before.gene_editing]
    return await _process_shown(request, who, await blank(request, **values))


@router.post("/processes/new")
async def define_process(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Define the version."""
    entry = await read_entry(request)
    traits = entry.several("traits", among=TRAITS) if entry.every("traits") else []
    process = ProcessVersion(
        name=entry.text("name", most=NAME),
        version=entry.whole("version", least=1, most=VERSION_MOST),
        product=entry.text("product", most=NAME),
        product_zh=entry.text("product_zh", most=NAME),
        cell_source=entry.text("cell_source", most=NAME),
        passage_convention=entry.choice("passage_convention", PassageConvention),
        max_passage=entry.whole("max_passage", most=100),
        max_pdl=entry.amount("max_pdl", most=1000),
        shelf_life_days=entry.optional_whole("shelf_life_days", least=1, most=36500),
        gene_modified="gene_modified" in traits,
        long_term_expansion="long_term_expansion" in traits,
        clone_selected="clone_selected" in traits,
        short_cycle="short_cycle" in traits,
        low_manipulation="low_manipulation" in traits,
        vector_type=_vector(entry),
        gene_editing=_edits(entry),
    )
    if process.max_pdl <= 0 or int(process.max_pdl.as_tuple().exponent) < DECIMALS_MOST:
        entry.problem(
            "max_pdl", Text("It must be more than 0, with three decimals at most."), Text("Correct the number.")
        )
    try:
        await once(processes.define_process(house, entry.call(who), process=process))
    except Refusal as refusal:
        return await _process_shown(request, who, entry.again(refusal))
    return see("/processes")


@router.get("/specifications")
async def list_specifications(
    request: Request, house: HouseDep, who: SignedInDep, after: str | None = None, after_version: int = VERSION_MOST
) -> Response:
    """Specification versions by name, each with its tests."""
    found = await specifications.list_specifications(house, who.actor, after=_after(after, after_version), limit=PAGE)
    return await render(
        request,
        "processes/specifications.html",
        who=who,
        found=found,
        next=found[-1] if len(found) == PAGE else None,
    )


@router.get("/specifications/new")
async def new_specification(
    request: Request, house: HouseDep, who: SignedInDep, of: str | None = None, version: int = 0
) -> Response:
    """A specification, or the next version of one as it stands."""
    require(who.actor, Act.DEFINE_SPECIFICATION)
    before = None if of is None else await _specification(house, who, of, version)
    form = await blank(request, version=1, effective_from=datetime.now(UTC))
    lines: tuple[SpecificationLine, ...] = ()
    if before is not None:
        lines = before.lines
        form = await blank(
            request, name=before.name, version=before.version + 1, effective_from=datetime.now(UTC), **_filled(lines)
        )
    return await _specification_shown(request, who, form, rows=len(lines))


@router.post("/specifications/new")
async def define_specification(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Define the version."""
    entry = await read_entry(request)
    rows = sorted(
        int(name.removeprefix("test-")) for name in entry.names() if name.startswith("test-") and name[5:].isdecimal()
    )[:LINES_MOST]
    lines = {row: line for row in rows if (line := _line(entry, row)) is not None}
    specification = SpecificationVersion(
        name=entry.text("name", most=NAME),
        version=entry.whole("version", least=1, most=VERSION_MOST),
        effective_from=entry.moment("effective_from", ahead=True),
        lines=tuple(lines.values()),
    )
    if not specification.lines:
        entry.problem("test-0", Text("No test is named."), Text("Name at least one test with its limit."))
    try:
        await once(specifications.define_specification(house, entry.call(who), specification=specification))
    except Refusal as refusal:
        at = {f"lines.{i}": f"test-{row}" for i, row in enumerate(lines)} | {"lines": "test-0"}
        at |= {f"lines.{i}.high": f"high-{row}" for i, row in enumerate(lines)}
        form = entry.again(refusal, at=at)
        return await _specification_shown(request, who, form, rows=len(rows))
    return see("/specifications")


# -- within ------------------------------------------------------------------------------------------------------------


def _vector(entry: Entry) -> VectorType | None:
    return (
        VectorType(entry.one_of("vector_type", VECTORS) or VectorType.LENTIVIRUS)
        if _sent(entry, "vector_type")
        else None
    )


def _edits(entry: Entry) -> bool | None:
    return entry.one_of("gene_editing", EDITS) == "yes" if _sent(entry, "gene_editing") else None


def _sent(entry: Entry, name: str) -> bool:
    return any(each.strip() for each in entry.every(name))


def _after(name: str | None, version: int) -> tuple[str, int] | None:
    if not name:
        return None
    clean = "".join(each for each in name[:NAME] if each.isprintable())
    return clean, min(max(version, 0), VERSION_MOST)


async def _process(house: House, who: SignedIn, name: str, version: int) -> ProcessVersion | None:
    found = await processes.list_processes(house, who.actor, after=_after(name, version - 1), limit=1)
    return found[0] if found and (found[0].name, found[0].version) == (name, version) else None


async def _specification(house: House, who: SignedIn, name: str, version: int) -> SpecificationVersion | None:
    found = await specifications.list_specifications(house, who.actor, after=_after(name, version - 1), limit=1)
    return found[0] if found and (found[0].name, found[0].version) == (name, version) else None


def _filled(lines: tuple[SpecificationLine, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for row, line in enumerate(lines):
        values |= {
            f"{each}-{row}": getattr(line, each) for each in ("test", "method", "unit", "low", "high", "expected")
        }
        values |= {f"{each}-{row}": getattr(line, each) for each in ("safety", "required")}
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in values.items()}


def _line(entry: Entry, row: int) -> SpecificationLine | None:
    """One test of the form; None for a row that was left empty. An expected result makes it a qualitative one."""
    test = entry.optional(f"test-{row}", most=NAME)
    if test is None:
        if any(entry.optional(f"{each}-{row}") for each in ("method", "unit", "low", "high", "expected")):
            entry.problem(f"test-{row}", Text("No test is named."), Text("Name at least one test with its limit."))
        return None
    line = SpecificationLine(
        test=test,
        method=entry.text(f"method-{row}", most=NAME),
        kind=LineKind.QUANTITATIVE,
        low=entry.optional_amount(f"low-{row}", least=Decimal("-1e18")),
        high=entry.optional_amount(f"high-{row}", least=Decimal("-1e18")),
        unit=entry.optional(f"unit-{row}", most=NAME),
        expected=entry.optional(f"expected-{row}", most=NAME),
        safety=entry.flag(f"safety-{row}"),
        required=entry.flag(f"required-{row}"),
    )
    if line.expected is None:
        return line
    if line.low is not None or line.high is not None:
        entry.problem(
            f"expected-{row}",
            Text("The test has limits and an expected result."),
            Text("Give it limits with a unit, or an expected result, and leave the other empty."),
        )
    return replace(line, kind=LineKind.QUALITATIVE, unit=None)


async def _process_shown(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "processes/new.html",
        status=form.status,
        who=who,
        form=form,
        convention_names=CONVENTION_NAMES,
        traits=TRAITS,
        vectors=VECTORS,
        edits=EDITS,
    )


async def _specification_shown(request: Request, who: SignedIn, form: FormView, *, rows: int) -> Response:
    return await render(
        request,
        "processes/specification.html",
        status=form.status,
        who=who,
        form=form,
        rows=min(max(rows + ROWS_SPARE, ROWS_LEAST), LINES_MOST),
    )
