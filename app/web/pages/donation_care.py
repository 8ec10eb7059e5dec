"""What is recorded of a donation after it came: where it is kept, and the tests of birth tissue."""

from collections.abc import Mapping
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, require
from app.domain.donors import BIRTH_TESTS
from app.domain.errors import Refusal
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import donation_care
from app.services.house import House
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render

router = APIRouter(prefix="/donations", route_class=PageRoute)
NAME = 120
ALLELES = 4
GENOTYPE = "infant_genotype"
SIGNS: Mapping[str, Text] = {"on": Text("bears the sign for biohazard"), "off": Text("bears no such sign")}


@router.get("/{code}/storage/new")
async def new_place(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Where it was put."""
    require(who.actor, Act.STORE_DONATION)
    return await _shown(request, house, who, code, "storage", await blank(request, stored_at=datetime.now(UTC)))


@router.post("/{code}/storage/new")
async def store(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Keep where it was put."""
    require(who.actor, Act.STORE_DONATION)
    entry = await read_entry(request)
    place, sign, stored_at = entry.scanned("place"), entry.one_of("sign", SIGNS), entry.moment("stored_at")
    try:
        await once(
            donation_care.store_donation(
                house, entry.call(who), code=code, place=place, biohazard_labelled=sign == "on", stored_at=stored_at
            )
        )
    except Refusal as refusal:
        return await _shown(request, house, who, code, "storage", entry.again(refusal))
    return see(f"/donations/{code}")


@router.get("/{code}/birth-tests/new")
async def new_test(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, what: str = "") -> Response:
    """First which of the two tests, then its fields."""
    require(who.actor, Act.RECORD_BIRTH_TEST)
    return await _test_shown(request, house, who, code, await blank(request), what)


@router.post("/{code}/birth-tests/new")
async def record_test(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, what: str = "") -> Response:
    """Keep what the laboratory reported."""
    require(who.actor, Act.RECORD_BIRTH_TEST)
    if what not in BIRTH_TESTS:
        return see(f"/donations/{code}/birth-tests/new")
    entry = await read_entry(request)
    method, laboratory = entry.text("method", most=NAME), entry.text("laboratory")
    sampled_at, reported_at = entry.moment("sampled_at"), entry.moment("reported_at")
    profile = _profile(entry) if what == GENOTYPE else None
    percent = entry.amount("maternal_percent", most=100) if what != GENOTYPE else None
    try:
        await once(
            donation_care.record_birth_test(
                house,
                entry.call(who),
                code=code,
                method=method,
                laboratory=laboratory,
                sampled_at=sampled_at,
                reported_at=reported_at,
                profile=profile,
                maternal_percent=percent,
            )
        )
    except Refusal as refusal:
        return await _test_shown(request, house, who, code, entry.again(refusal), what)
    return see(f"/donations/{code}")


def _profile(entry: Entry) -> dict[str, list[str]]:
    """A locus each line, then its alleles: TH01 6 9.3."""
    read: dict[str, list[str]] = {}
    for line in entry.lines("profile"):
        locus, *alleles = line.split()
        if not alleles or len(alleles) > ALLELES or locus in read or max(map(len, (locus, *alleles))) > NAME:
            entry.problem(
                "profile",
                Text("This line cannot be read: {line}", line=line[:200]),
                Text("Write a locus and its alleles on each line, such as TH01 6 9.3; no locus twice."),
            )
        else:
            read[locus] = alleles
    if not read:
        entry.problem("profile", Text("There is no locus."), Text("Write at least one."))
    return read


async def _shown(request: Request, house: House, who: SignedIn, code: str, name: str, form: FormView) -> Response:
    care = await donation_care.read_care(house, who.actor, code=code)
    return await render(
        request, f"donations/{name}.html", status=form.status, who=who, form=form, care=care, signs=SIGNS
    )


async def _test_shown(request: Request, house: House, who: SignedIn, code: str, form: FormView, what: str) -> Response:
    care = await donation_care.read_care(house, who.actor, code=code)
    return await render(
        request,
        "donations/birth_test.html",
        status=form.status,
        who=who,
        form=form,
        care=care,
        what=what if what in BIRTH_TESTS else None,
        tests=BIRTH_TESTS,
    )
