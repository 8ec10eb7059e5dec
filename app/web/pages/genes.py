"""Changed genes: what a vector is and came of, tests for replication-competent virus, reports of off-target edits."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.errors import NotFound, Refusal
from app.domain.facts import VectorType
from app.domain.genes import (
    ABERRATION_NAMES,
    ASSAY_NAMES,
    OFF_TARGET_ASSAY_NAMES,
    OUTCOME_NAMES,
    ROLE_NAMES,
    SAMPLE_NAMES,
    VECTOR_NAMES,
)
from app.domain.text import Text
from app.domain.units import TITRES
from app.requests import HouseDep, SignedInDep
from app.services import genes
from app.services.genes import GenesView, OffTarget, Part, VirusTested
from app.services.house import House
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render

router = APIRouter(route_class=PageRoute)
NAME = 120
PARTS = 4
"""Rows of parts on the form; a longer list is sent by a program."""
PERCENT = 100
SITES_MOST = 1_000_000
VERSION_MOST = 9999
STATING, TESTING, REPORTING = "vector-", "test-", "outcome-"

STATE_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "pending": ("wait", "hourglass", Text("pending")),
    "negative": ("go", "check", Text("negative")),
    "inconclusive": ("stop", "question-mark", Text("inconclusive")),
    "positive": ("stop", "alert-triangle", Text("positive")),
}
VECTORS: Mapping[str, Text] = {each.value: name for each, name in VECTOR_NAMES.items()}
OF_VECTOR = {each: SAMPLE_NAMES[each] for each in ("vector_supernatant", "producer_cells")}
OF_CELLS = {each: SAMPLE_NAMES[each] for each in ("transduced_cells", "final_product")}


@router.get("/materials/{code}/vector")
async def show_vector(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """What the vector's lot is and came of, its tests, and the forms for more."""
    return await _shown(request, house, who, code)


@router.post("/materials/{code}/vector")
async def state_vector(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """State what it is and came of."""
    require(who.actor, Act.STATE_VECTOR)
    entry = await read_entry(request)
    vector = entry.one_of("vector_type", VECTORS)
    titre = entry.optional_amount("titre")
    unit = entry.one_of("titre_unit", TITRES) if entry.optional("titre_unit") else None
    parts = {row: part for row in range(PARTS) if (part := _part(entry, row)) is not None}
    if titre is not None and titre <= 0:
        entry.problem("titre", Text("It must be more than 0."), Text("Correct the number."))
    try:
        await once(
            genes.state_vector(
                house,
                entry.call(who),
                code=code,
                vector_type=VectorType(vector),
                titre=titre,
                titre_unit=unit,
                parts=list(parts.values()),
            )
        )
    except Refusal as refusal:
        at = {f"parts.{i}": f"name-{row}" for i, row in enumerate(parts)} | {"parts": "name-0"}
        again = entry.again(refusal, at=at, prefix=STATING)
        return await _shown(request, house, who, code, stating=again)
    return see(f"/materials/{code}/vector")


@router.get("/lots/{code}/genes")
async def show_cells(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The tests of a lot of cells, and the forms for more."""
    return await _shown(request, house, who, code)


@router.post("/lots/{code}/virus-tests")
async def record_virus_test(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Record a test that was sent off, of a vector or of cells."""
    require(who.actor, Act.RECORD_VIRUS_TEST)
    entry = await read_entry(request)
    test = VirusTested(
        sample=entry.one_of("sample", SAMPLE_NAMES),
        assay=entry.one_of("assay", ASSAY_NAMES),
        method=entry.text("method", most=NAME),
        laboratory=entry.text("laboratory", most=NAME),
        cells_tested=entry.optional_amount("cells_tested"),
        cells_in_pool=entry.optional_amount("cells_in_pool"),
        supernatant_percent=entry.optional_amount("supernatant_percent", most=PERCENT),
        sampled_at=entry.moment("sampled_at"),
    )
    for field in ("cells_tested", "cells_in_pool", "supernatant_percent"):
        if getattr(test, field) == 0:
            entry.problem(field, Text("It must be more than 0."), Text("Correct the number."))
    try:
        await once(genes.record_virus_test(house, entry.call(who), code=code, test=test))
    except Refusal as refusal:
        return await _shown(request, house, who, code, testing=entry.again(refusal, prefix=TESTING))
    return await _back(house, who, code)


@router.post("/lots/{code}/virus-outcomes")
async def report_virus_test(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Record what the laboratory reported."""
    require(who.actor, Act.REPORT_VIRUS_TEST)
    entry = await read_entry(request)
    test, outcome = entry.whole("test", least=1), entry.one_of("outcome", OUTCOME_NAMES)
    reported_at, reference = entry.moment("reported_at"), entry.text("reference")
    try:
        # Only a test that this page shows: the number alone could be another lot's.
        known = {each.test for each in (await genes.read_genes(house, who.actor, code=code)).tests}
        if test not in known:
            entry.problem("test", Text("It is none of the choices."), Text("Choose one of the list."))
        call = entry.call(who)
        await once(
            genes.report_virus_test(
                house, call, test=test, outcome=outcome, reported_at=reported_at, reference=reference
            )
        )
    except Refusal as refusal:
        return await _shown(request, house, who, code, reporting=entry.again(refusal, prefix=REPORTING))
    return await _back(house, who, code)


@router.get("/processes/off-target")
async def show_reports(
    request: Request, house: HouseDep, who: SignedInDep, process: str = "", version: int = 0
) -> Response:
    """Reports of off-target edits of a process version, and the form for one."""
    return await _reports(request, house, who, process, version, await blank(request))


@router.post("/processes/off-target")
async def record_report(
    request: Request, house: HouseDep, who: SignedInDep, process: str = "", version: int = 0
) -> Response:
    """Record a report."""
    require(who.actor, Act.RECORD_OFF_TARGET)
    entry = await read_entry(request)
    report = OffTarget(
        reference=entry.text("reference"),
        prediction=entry.text("prediction"),
        assay=entry.one_of("assay", OFF_TARGET_ASSAY_NAMES),
        assay_method=entry.text("assay_method"),
        sites_examined=entry.whole("sites_examined", most=SITES_MOST),
        sites_above=entry.whole("sites_above", most=SITES_MOST),
        threshold_percent=entry.amount("threshold_percent", least=Decimal("0.000001"), most=PERCENT),
        highest_percent=entry.amount("highest_percent", most=PERCENT),
        aberrations=entry.one_of("aberrations", ABERRATION_NAMES),
        aberrations_method=entry.text("aberrations_method"),
        reported_on=entry.day("reported_on"),
        file_sha256=_digest(entry),
    )
    name, number = _named(process, version)
    try:
        await once(genes.record_off_target(house, entry.call(who), process=name, version=number, report=report))
    except Refusal as refusal:
        return await _reports(request, house, who, process, version, entry.again(refusal))
    return see(str(request.url.include_query_params(process=name, version=number).replace(scheme="", netloc="")))


# -- within ------------------------------------------------------------------------------------------------------------


def _digest(entry: Entry) -> str:
    digest = entry.text("file_sha256", most=64).lower()
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        entry.problem(
            "file_sha256",
            Text("It is no SHA-256: 64 characters, digits and the letters a to f."),
            Text("Copy the digest of the report's file."),
        )
    return digest


def _named(process: str, version: int) -> tuple[str, int]:
    clean = "".join(each for each in process[:NAME] if each.isprintable())
    return clean, min(max(version, 0), VERSION_MOST)


def _part(entry: Entry, row: int) -> Part | None:
    """One part of the form; None for a row that was left empty."""
    name, lot = entry.optional(f"name-{row}", most=NAME), entry.optional(f"part_lot-{row}", most=NAME)
    code, told = entry.code(f"material_lot-{row}"), entry.optional(f"selected_with-{row}", most=NAME)
    if not (name or lot or code or told):
        return None
    role = entry.one_of(f"role-{row}", ROLE_NAMES)
    if code is None and name is None:
        entry.problem(f"name-{row}", Text("A part is named without its lot."), Text("Scan its lot, or write its name."))
    if code is None and lot is None:
        entry.problem(f"part_lot-{row}", Text("A part is named without its lot."), Text("Write its maker's lot."))
    return Part(role, name, lot, code, told)


async def _back(house: House, who: SignedIn, code: str) -> Response:
    found = await genes.read_genes(house, who.actor, code=code)
    return see(f"/materials/{code}/vector" if found.material is not None else f"/lots/{code}/genes")


async def _shown(
    request: Request,
    house: House,
    who: SignedIn,
    code: str,
    *,
    stating: FormView | None = None,
    testing: FormView | None = None,
    reporting: FormView | None = None,
) -> Response:
    found = await genes.read_genes(house, who.actor, code=code)
    if found.material is not None and not found.is_vector:
        raise NotFound(
            what=Text("There is nothing about genes of {name}.", name=found.name),
            why=Text("{name} is no vector.", name=found.name),
            remedy=Text("Open the lot of a vector, or the lot of the cells."),
        )
    now = datetime.now(UTC)
    sent = next((each for each in (stating, testing, reporting) if each is not None), None)
    forms: dict[str, FormView | None] = {
        "stating": stating or await blank(request, prefix=STATING, **_filled(found)),
        "testing": testing or await blank(request, prefix=TESTING, sampled_at=now),
        "reporting": reporting or await blank(request, prefix=REPORTING, reported_at=now),
    }
    allowed = {
        "stating": found.is_vector and may(who.actor, Act.STATE_VECTOR),
        "testing": may(who.actor, Act.RECORD_VIRUS_TEST),
        "reporting": bool(found.tests) and may(who.actor, Act.REPORT_VIRUS_TEST),
    }
    names = {
        each.test: Text("{number}: {sample}", number=each.test, sample=SAMPLE_NAMES[each.sample])
        for each in found.tests
    }
    return await render(
        request,
        "genes/lot.html",
        status=sent.status if sent else 200,
        who=who,
        found=found,
        names=names,
        rows=range(PARTS),
        vectors=VECTORS,
        titre_units={each: each for each in TITRES},
        roles=ROLE_NAMES,
        samples=OF_VECTOR if found.is_vector else OF_CELLS,
        sample_names=SAMPLE_NAMES,
        assays=ASSAY_NAMES,
        outcomes=OUTCOME_NAMES,
        state_marks=STATE_MARKS,
        stating=forms["stating"] if allowed["stating"] else None,
        testing=forms["testing"] if allowed["testing"] else None,
        reporting=forms["reporting"] if allowed["reporting"] else None,
    )


def _filled(found: GenesView) -> dict[str, Any]:
    """The form begins with what was stated last, so that a correction changes only what is wrong."""
    if not found.statements:
        return {}
    last = found.statements[0]
    values: dict[str, Any] = {"vector_type": last.vector_type.value, "titre_unit": last.titre_unit}
    values["titre"] = None if last.titre is None else f"{last.titre:f}"
    for row, part in enumerate(last.parts[:PARTS]):
        values |= {
            f"{each}-{row}": getattr(part, each)
            for each in ("role", "name", "part_lot", "material_lot", "selected_with")
        }
    return {name: value for name, value in values.items() if value is not None}


async def _reports(
    request: Request, house: House, who: SignedIn, process: str, version: int, form: FormView
) -> Response:
    name, number = _named(process, version)
    found = await genes.read_reports(house, who.actor, process=name, version=number)
    return await render(
        request,
        "genes/off_target.html",
        status=form.status,
        who=who,
        found=found,
        form=form if found.gene_modified and may(who.actor, Act.RECORD_OFF_TARGET) else None,
        vectors=VECTORS,
        assays=OFF_TARGET_ASSAY_NAMES,
        aberrations=ABERRATION_NAMES,
    )
