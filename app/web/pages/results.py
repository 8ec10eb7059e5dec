"""Results of a lot before a reviewer: each beside its limits, all signed at once; set aside only under an investigation."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import NotFound, Refusal
from app.domain.facts import Decision
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import qc, results
from app.services.house import House
from app.services.qc import TestsView
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.pages.samples import MARKS
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from app.web.signing import STATEMENT, SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/results", route_class=PageRoute)
SIGNING = "sign-"


@router.get("/{code}")
async def show_results(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """All results of a lot, those that wait for a review first."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, Meaning.RESULTS_REVIEWED) else None
    return await _shown(request, house, who, code, form)


@router.post("/{code}/review")
async def review(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Accept or return everything that waits, under one signature over exactly what was shown."""
    entry = await read_entry(request)
    decision, remarks = entry.choice(STATEMENT, Decision), entry.prose("remarks")
    try:
        ceremony = await signed(
            house,
            who,
            entry,
            meaning=Meaning.RESULTS_REVIEWED,
            kind=RecordKind.RESULTS,
            ref=code,
            statement=decision.value,
        )
        call = entry.call(who, part="act")
        await once(results.review_results(house, call, lot=code, decision=decision, remarks=remarks, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, code, entry.again(refusal, prefix=SIGNING))
    return see(f"/results/{code}")


@router.get("/{code}/{result}/set-aside")
async def ask_set_aside(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, result: int) -> Response:
    """Ask under which investigation a result is set aside."""
    require(who.actor, Act.INVALIDATE_RESULT)
    return await _setting_aside(request, house, who, code, result, await blank(request))


@router.post("/{code}/{result}/set-aside")
async def set_aside(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, result: int) -> Response:
    """Set a result aside: an investigation has shown that the test was wrong, not the lot."""
    entry = await read_entry(request)
    deviation, reason = entry.text("deviation", most=64), entry.prose("reason")
    try:
        call = entry.call(who)
        await once(results.invalidate_result(house, call, result=result, deviation=deviation, reason=reason))
    except Refusal as refusal:
        form = entry.again(refusal, of="deviation")
        return await _setting_aside(request, house, who, code, result, form)
    return see(f"/results/{code}")


async def _shown(request: Request, house: House, who: SignedIn, code: str, form: FormView | None) -> Response:
    tests = await qc.read_tests(house, who.actor, lot=code)
    may_review = may_sign(who, Meaning.RESULTS_REVIEWED)
    dialog = await _dialog(house, who, tests, form) if form is not None and may_review and tests.waiting else None
    return await render(
        request,
        "results/lot.html",
        status=form.status if form else 200,
        who=who,
        tests=tests,
        dialog=dialog,
        refusal=form.refusal if form and dialog is None else None,
        may_review=may_review,
        may_set_aside=may(who.actor, Act.INVALIDATE_RESULT),
        meaning=Meaning.RESULTS_REVIEWED,
        **MARKS,
    )


async def _dialog(house: House, who: SignedIn, tests: TestsView, form: FormView) -> SignDialog:
    waiting = tests.waiting
    outside = sum(each.fit != "within" for each in waiting)
    lines = [
        Text(
            "{count} results of {lot} wait for your review: {tests}.",
            count=len(waiting),
            lot=tests.name,
            tests=tuple(each.test for each in waiting),
        )
    ]
    if outside:
        lines.append(Text("{count} of them do not lie within their limits.", count=outside))
    return await to_sign(
        house,
        who,
        meaning=Meaning.RESULTS_REVIEWED,
        kind=RecordKind.RESULTS,
        ref=tests.lot,
        action=f"/results/{tests.lot}/review",
        here=f"/results/{tests.lot}",
        title=Text("You review {count} results", count=len(waiting)),
        submit=Text("Sign the review"),
        lines=tuple(lines),
        form=form,
        is_open=True,
    )


async def _setting_aside(
    request: Request, house: House, who: SignedIn, code: str, result: int, form: FormView
) -> Response:
    found = await qc.read_investigations(house, who.actor, lot=code, result=result)
    if found.result is None:
        raise NotFound(
            what=Text("There is no result {number}.", number=result),
            why=Text("No result of this number was recorded for this lot."),
            remedy=Text("Open the lot and choose the result there."),
        )
    return await render(
        request,
        "results/set_aside.html",
        status=form.status,
        who=who,
        form=form,
        tests=found.tests,
        each=found.result,
        closed={number: f"{number}: {what[:120]}" for number, what in found.closed},
        **MARKS,
    )
