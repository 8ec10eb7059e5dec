"""A lot that is out of specification and asked for by its physician: the requests, the form, and the authority's decision."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import Refusal
from app.domain.lots import LotState
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import exceptional
from app.services.exceptional import Asking, RequestsView, RequestView
from app.services.house import House
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.signing import STATEMENT, SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(route_class=PageRoute)
CodeDep = Annotated[str, Path(max_length=64)]
DECIDED = Meaning.EXCEPTIONAL_SUPPLY_DECIDED
KIND = RecordKind.EXCEPTIONAL_REQUEST
SIGNING = "sign-"
NAME = 120
COMMITTEE = {"approved": Text("approved"), "refused": Text("refused")}
DISPOSITIONS = {"oos_exceptional_supply": Text("supplied as an exception, not released"), "refused": Text("refused")}
NOT_YET = frozenset({LotState.PLANNED, LotState.IN_PROCESS})


@router.get("/lots/{code}/exception")
async def show_requests(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Every request about the lot, and the form for a further one."""
    signing = await blank(request, prefix=SIGNING) if asks_to_sign(request, DECIDED) else None
    return await _shown(request, house, who, code, form=await blank(request), signing=signing)


@router.post("/lots/{code}/exception")
async def ask_for(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Record a treating physician's request."""
    require(who.actor, Act.REQUEST_EXCEPTIONAL_SUPPLY)
    entry = await read_entry(request)
    asking = Asking(
        reasons=entry.prose("reasons"),
        risk_evaluation=entry.prose("risk_evaluation"),
        risk_file_name=entry.text("risk_file_name"),
        risk_file_sha256=entry.text("risk_file_sha256", most=100).lower().replace(" ", ""),
        committee=entry.text("committee", most=NAME),
        committee_decision=entry.one_of("committee_decision", COMMITTEE),
        committee_decided_on=entry.day("committee_decided_on"),
        committee_reference=entry.text("committee_reference", most=NAME),
    )
    try:
        await once(exceptional.ask_for(house, entry.call(who), lot=code, asking=asking))
    except Refusal as refusal:
        return await _shown(request, house, who, code, form=entry.again(refusal), signing=None)
    return see(f"/lots/{code}/exception")


@router.post("/lots/{code}/exception/decision")
async def decide(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Sign what becomes of the last request that waits."""
    entry = await read_entry(request)
    waiting = _waiting(await exceptional.read_requests(house, who.actor, lot=code))
    key = waiting.request if waiting else 0
    statement = entry.one_of(STATEMENT, DISPOSITIONS)
    try:
        ceremony = await signed(house, who, entry, meaning=DECIDED, kind=KIND, ref=str(key), statement=statement)
        await once(exceptional.decide(house, entry.call(who, part="act"), request=key, ceremony=ceremony))
    except Refusal as refusal:
        signing = entry.again(refusal, prefix=SIGNING)
        return await _shown(request, house, who, code, form=await blank(request), signing=signing)
    return see(f"/lots/{code}/exception")


# -- within ------------------------------------------------------------------------------------------------------------


def _waiting(found: RequestsView) -> RequestView | None:
    return next((each for each in found.requests if each.disposition is None), None)


async def _shown(
    request: Request, house: House, who: SignedIn, code: str, *, form: FormView, signing: FormView | None
) -> Response:
    found = await exceptional.read_requests(house, who.actor, lot=code)
    waiting = _waiting(found)
    may_decide = waiting is not None and may_sign(who, DECIDED)
    dialog = await _dialog(house, who, found, waiting, signing) if signing and may_decide and waiting else None
    return await render(
        request,
        "exceptional/lot.html",
        status=signing.status if signing else form.status,
        who=who,
        found=found,
        form=form if may(who.actor, Act.REQUEST_EXCEPTIONAL_SUPPLY) and found.state not in NOT_YET else None,
        refusal=signing.refusal if signing and not dialog else None,
        committee=COMMITTEE,
        dispositions=DISPOSITIONS,
        may_decide=may_decide,
        dialog=dialog,
        meaning=DECIDED,
    )


async def _dialog(house: House, who: SignedIn, found: RequestsView, waiting: RequestView, form: FormView) -> SignDialog:
    return await to_sign(
        house,
        who,
        meaning=DECIDED,
        kind=KIND,
        ref=str(waiting.request),
        action=f"/lots/{found.lot}/exception/decision",
        here=f"/lots/{found.lot}/exception",
        title=Text("You decide about this request"),
        lines=(
            Text(
                "{name}, asked for by {by}: {reasons}",
                name=found.name,
                by=waiting.requested_by,
                reasons=waiting.reasons,
            ),
            Text("The lot stays as it is: this is no release."),
        ),
        statements=tuple(DISPOSITIONS) if found.allowed else ("refused",),
        form=form,
        is_open=True,
    )
