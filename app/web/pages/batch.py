"""The batch record before quality: what blocks, everything that was done, and the signature of the review."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may
from app.domain.errors import Refusal
from app.domain.facts import Decision
from app.domain.lots import STATE_NAMES, LotState
from app.domain.rulebook import OUTCOME_NAMES
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import batch, reviews
from app.services.batch import BatchView
from app.services.house import House
from app.services.names import printed_names
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.naming import named_verdict, people_in, verdict_texts
from app.web.pages.bench import STEP_NAMES
from app.web.pages.lots import DEVIATION_STATES, RETAIN_NAMES, SEVERITIES
from app.web.pages.samples import FIT_MARKS, REVIEW_MARKS
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from app.web.signing import STATEMENT, SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/lots", route_class=PageRoute)
SIGNING = "sign-"
PHASES = {"before": Text("before the work"), "after": Text("after the work")}
IMPACTS = {"none": Text("no impact"), "acceptable": Text("acceptable"), "unacceptable": Text("not acceptable")}
BEING_MADE = frozenset({LotState.PLANNED, LotState.IN_PROCESS})
OPEN_TO_REVIEW = frozenset({LotState.QUARANTINE, LotState.AWAITING_RELEASE})


@router.get("/{code}/batch")
async def show_batch(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The batch record."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, Meaning.BATCH_REVIEWED) else None
    return await _shown(request, house, who, code, form)


@router.post("/{code}/batch/review")
async def review(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Sign that the record was reviewed, and accept or return it."""
    entry = await read_entry(request)
    decision, remarks = entry.choice(STATEMENT, Decision), entry.prose("remarks")
    try:
        ceremony = await signed(
            house, who, entry, meaning=Meaning.BATCH_REVIEWED, kind=RecordKind.BATCH, ref=code, statement=decision.value
        )
        call = entry.call(who, part="act")
        await once(reviews.review_batch(house, call, lot=code, decision=decision, remarks=remarks, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, code, entry.again(refusal, prefix=SIGNING))
    return see(f"/lots/{code}/batch")


async def _shown(request: Request, house: House, who: SignedIn, code: str, form: FormView | None) -> Response:
    record = await batch.read_batch(house, who.actor, code=code)
    may_review = may_sign(who, Meaning.BATCH_REVIEWED) and record.state in OPEN_TO_REVIEW
    dialog = await _dialog(house, who, record, form) if form is not None and may_review else None
    people = people_in(text for each in record.blocks for text in verdict_texts(each))
    names = await printed_names(house, who.actor, usernames=people)
    first = {each.rule for each in record.before_review}
    return await render(
        request,
        "batch/record.html",
        status=form.status if form else 200,
        who=who,
        record=record,
        blocks=[named_verdict(each, names) for each in record.blocks if each.rule in first],
        later=[named_verdict(each, names) for each in record.blocks if each.rule not in first],
        dialog=dialog,
        refusal=form.refusal if form and dialog is None else None,
        may_review=may_review,
        may_submit=may(who.actor, Act.SUBMIT_LOT) and record.state is LotState.QUARANTINE,
        being_made=record.state in BEING_MADE,
        meaning=Meaning.BATCH_REVIEWED,
        state_names=STATE_NAMES,
        outcome_names=OUTCOME_NAMES,
        step_names=STEP_NAMES,
        kind_names=KIND_NAMES,
        retain_names=RETAIN_NAMES,
        severities=SEVERITIES,
        deviation_states=DEVIATION_STATES,
        phases=PHASES,
        impacts=IMPACTS,
        fit_marks=FIT_MARKS,
        review_marks=REVIEW_MARKS,
    )


async def _dialog(house: House, who: SignedIn, record: BatchView, form: FormView) -> SignDialog:
    lines = [
        Text(
            "Batch record of {lot}, donor {donor}: {steps} steps, {results} results, {deviations} deviations.",
            lot=record.name,
            donor=record.donor or "–",
            steps=len(record.steps),
            results=len(record.results),
            deviations=len(record.deviations),
        )
    ]
    rules = tuple(dict.fromkeys(each.rule for each in record.before_review))
    if rules:
        lines.append(Text("These rules keep it from being released now: {rules}.", rules=rules))
    return await to_sign(
        house,
        who,
        meaning=Meaning.BATCH_REVIEWED,
        kind=RecordKind.BATCH,
        ref=record.code,
        action=f"/lots/{record.code}/batch/review",
        here=f"/lots/{record.code}/batch",
        title=Text("You review the batch record of {lot}", lot=record.name),
        submit=Text("Sign the review"),
        lines=tuple(lines),
        form=form,
        is_open=True,
        digest=record.package_digest,
    )
