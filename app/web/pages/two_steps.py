"""Release in two steps: plans of processes, and the page of a lot of which results are pending."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.door import Replay
from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import Refusal
from app.domain.lots import STATE_NAMES, LotState
from app.domain.text import Text
from app.domain.two_steps import TEST_NAMES, VIRUS
from app.requests import HouseDep, SignedInDep
from app.services import processes, release, two_steps
from app.services.house import House
from app.services.release import JudgementView
from app.services.two_steps import DAYS_MOST, LateTest, PlanContent, PlanView, TwoStepsView
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from app.web.signing import asks_to_sign, may_sign, signed, to_sign

router = APIRouter(route_class=PageRoute)
NAME = 120
VERSIONS_SHOWN = 200
SIGNING = "sign-"
DECIDED, GIVEN = Meaning.TWO_STEP_PLAN_DECIDED, Meaning.CONDITIONALLY_RELEASED
STATE_MARKS: dict[str, tuple[str, str, Text]] = {
    "proposed": ("wait", "hourglass", Text("waits for its signature")),
    "decided": ("go", "check", Text("decided")),
    "superseded": ("na", "minus", Text("superseded")),
}
NAMES: dict[str, Any] = {"test_names": TEST_NAMES, "state_names": STATE_NAMES, "virus": VIRUS, "days_most": DAYS_MOST}


# -- plans -------------------------------------------------------------------------------------------------------------


@router.get("/two-step-plans")
async def list_plans(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Every plan, the last proposed first."""
    return await render(
        request,
        "two_steps/plans.html",
        who=who,
        found=await two_steps.list_plans(house, who.actor),
        state_marks=STATE_MARKS,
        may_propose=may(who.actor, Act.PROPOSE_TWO_STEP_PLAN),
        **NAMES,
    )


@router.get("/two-step-plans/new")
async def ask_plan(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """The form for a plan about a process version."""
    require(who.actor, Act.PROPOSE_TWO_STEP_PLAN)
    return await _proposing(request, house, who, await blank(request))


@router.post("/two-step-plans/new")
async def propose_plan(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Propose it."""
    require(who.actor, Act.PROPOSE_TWO_STEP_PLAN)
    entry = await read_entry(request)
    process, version = _version(entry)
    content = PlanContent(
        process=process,
        process_version=version,
        protocol=entry.text("protocol", most=NAME),
        protocol_version=entry.text("protocol_version", most=NAME),
        ethics_reference=entry.text("ethics_reference", most=NAME),
        ethics_approved_on=entry.day("ethics_approved_on"),
        consent_clause=entry.prose("consent_clause"),
        pending=tuple(_late(entry, test) for test in TEST_NAMES if _is_planned(entry, test)),
    )
    try:
        made = await once(two_steps.propose_plan(house, entry.call(who), content=content))
    except Refusal as refusal:
        return await _proposing(request, house, who, entry.again(refusal))
    return see(f"/two-step-plans/{made['number']}")


def _is_planned(entry: Entry, test: str) -> bool:
    """Whether anything is said of the test: then all of it must be."""
    fields = ("interim", "validation", "days", "if_positive")
    return any(entry.optional(f"{field}_{test}", most=8000) for field in fields)


def _late(entry: Entry, test: str) -> LateTest:
    return LateTest(
        test=test,
        interim=entry.text(f"interim_{test}", most=NAME),
        validation=entry.text(f"validation_{test}"),
        days=entry.whole(f"days_{test}", least=1, most=DAYS_MOST),
        if_positive=entry.prose(f"if_positive_{test}"),
    )


def _version(entry: Entry) -> tuple[str, int]:
    number, _, name = entry.text("process").partition(":")
    if number.isascii() and number.isdigit() and len(number) < 7 and name:
        return name, int(number)
    if "process" not in entry.problems:
        entry.problem("process", Text("It is none of the choices."), Text("Choose one of the list."))
    return "", 0


async def _proposing(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    made = await processes.list_processes(house, who.actor, after=None, limit=VERSIONS_SHOWN)
    return await render(
        request,
        "two_steps/new_plan.html",
        status=form.status,
        who=who,
        form=form,
        processes={
            f"{each.version}:{each.name}": Text(
                "{name} v{version} · {product}", name=each.name, version=each.version, product=each.product
            )
            for each in reversed(made)
        },
        **NAMES,
    )


@router.get("/two-step-plans/{number:int}")
async def show_plan(request: Request, house: HouseDep, who: SignedInDep, number: int) -> Response:
    """One plan, with the dialog of its signature."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, DECIDED) else None
    return await _plan(request, house, who, number, form)


@router.post("/two-step-plans/{number:int}/signature")
async def decide_plan(request: Request, house: HouseDep, who: SignedInDep, number: int) -> Response:
    """Decide it by signature."""
    entry = await read_entry(request)
    try:
        ceremony = await signed(house, who, entry, meaning=DECIDED, kind=RecordKind.TWO_STEP_PLAN, ref=str(number))
        await once(two_steps.decide_plan(house, entry.call(who, part="act"), number=number, ceremony=ceremony))
    except Refusal as refusal:
        return await _plan(request, house, who, number, entry.again(refusal, prefix=SIGNING))
    return see(f"/two-step-plans/{number}")


async def _plan(request: Request, house: House, who: SignedIn, number: int, form: FormView | None) -> Response:
    found = await two_steps.read_plan(house, who.actor, number=number)
    may_decide = may_sign(who, DECIDED) and found.state == "proposed"
    dialog = None
    if form is not None and may_decide:
        dialog = await to_sign(
            house,
            who,
            meaning=DECIDED,
            kind=RecordKind.TWO_STEP_PLAN,
            ref=str(number),
            action=f"/two-step-plans/{number}/signature",
            here=f"/two-step-plans/{number}",
            title=Text("You decide whether lots of this process version are given out before slow results"),
            lines=_lines(found),
            form=form,
            is_open=True,
        )
    return await render(
        request,
        "two_steps/plan.html",
        status=form.status if form else 200,
        who=who,
        found=found,
        state_marks=STATE_MARKS,
        may_decide=may_decide,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=DECIDED,
        **NAMES,
    )


def _lines(found: PlanView) -> tuple[Text, ...]:
    return (
        Text("{process} version {version}", process=found.process, version=found.process_version),
        *(
            Text(
                "{test}: may come up to {days} days later; {interim} stands in its place meanwhile",
                test=TEST_NAMES[each.test],
                days=each.days,
                interim=each.interim,
            )
            for each in found.pending
        ),
        *(() if found.pending else (Text("No result may come later: a plan that was signed before ends."),)),
    )


# -- a lot of which results are pending ----------------------------------------------------------------------------------


@router.get("/lots/{code}/pending")
async def show_pending(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """What is pending, what stands in its place, who knows of it, and what keeps the lot from being given out before."""
    return await _pending(request, house, who, code)


@router.post("/lots/{code}/pending/tests")
async def begin_test(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Record that a slow test is under way."""
    require(who.actor, Act.BEGIN_TEST)
    entry = await read_entry(request)
    sample, test, laboratory = (
        entry.scanned("sample"),
        entry.text("test", most=NAME),
        entry.text("laboratory", most=NAME),
    )
    started, due = entry.moment("started_at"), entry.moment("due_at", ahead=True)
    try:
        beginning = two_steps.begin_test(
            house,
            entry.call(who),
            sample=sample,
            test=test,
            laboratory=laboratory,
            started_at=started,
            due_at=due,
        )
        await once(beginning)
    except Refusal as refusal:
        return await _pending(request, house, who, code, beginning=entry.again(refusal, of="sample"))
    return see(f"/lots/{code}/pending")


@router.post("/lots/{code}/pending/acknowledgement")
async def acknowledge(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The treating physician acknowledges what is pending."""
    require(who.actor, Act.ACKNOWLEDGE_PENDING)
    entry = await read_entry(request)
    tests, remarks = entry.several("tests", among=TEST_NAMES), entry.prose("remarks")
    try:
        await once(two_steps.acknowledge(house, entry.call(who), lot=code, tests=tuple(tests), remarks=remarks))
    except Refusal as refusal:
        return await _pending(request, house, who, code, knowing=entry.again(refusal))
    return see(f"/lots/{code}/pending")


@router.post("/lots/{code}/pending/check")
async def check(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Judge and keep the judgement; where nothing closes, the dialog opens on exactly what was judged."""
    require(who.actor, Act.CHECK_RELEASE)
    entry = await read_entry(request)
    try:
        judgement = await release.check_conditional_release(house, entry.call(who), code=code)
    except Replay:
        judgement = await release.live_conditional_judgement(house, who.actor, code=code)
    form = await blank(request, prefix=SIGNING) if not judgement.blocks else None
    return await _pending(request, house, who, code, judgement=judgement, signing=form)


@router.post("/lots/{code}/pending/release")
async def give_out(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Sign: a fresh proof of identity on the digest that was shown, then the gate of the first release."""
    entry = await read_entry(request)
    digest = entry.secret("digest")
    try:
        ceremony: UUID = await signed(house, who, entry, meaning=GIVEN, kind=RecordKind.LOT, ref=code)
        giving = release.conditionally_release_lot(
            house, entry.call(who, part="act"), code=code, digest=digest, ceremony=ceremony
        )
        await once(giving)
    except Refusal as refusal:
        return await _pending(request, house, who, code, signing=entry.again(refusal, prefix=SIGNING))
    return see(f"/lots/{code}/pending")


async def _pending(
    request: Request,
    house: House,
    who: SignedIn,
    code: str,
    *,
    judgement: JudgementView | None = None,
    beginning: FormView | None = None,
    knowing: FormView | None = None,
    signing: FormView | None = None,
) -> Response:
    found = await two_steps.read_two_steps(house, who.actor, code=code)
    judgement = judgement or await release.live_conditional_judgement(house, who.actor, code=code)
    is_at_the_gate = found.state == LotState.AWAITING_RELEASE
    done = await release.conditional_release_of(house, who.actor, code=code) if not is_at_the_gate else None
    dialog = None
    if signing is not None and is_at_the_gate and may_sign(who, GIVEN):
        dialog = await to_sign(
            house,
            who,
            meaning=GIVEN,
            kind=RecordKind.LOT,
            ref=code,
            action=f"/lots/{code}/pending/release",
            here=f"/lots/{code}/pending",
            title=Text("You release this lot before every result is there"),
            submit=Text("Sign and release before these results"),
            lines=_words(found),
            form=signing,
            is_open=True,
        )
    refusal = next((each.refusal for each in (signing,) if each and not dialog), None)
    status = next((each.status for each in (beginning, knowing, signing) if each and each.refusal), 200)
    return await render(
        request,
        "two_steps/pending.html",
        status=status,
        who=who,
        found=found,
        state=LotState(found.state),
        judgement=judgement,
        closing=[each for each in judgement.verdicts if each.closes],
        is_at_the_gate=is_at_the_gate,
        done=done,
        refusal=refusal,
        dialog=dialog,
        checking=await blank(request, prefix="check-"),
        beginning=(beginning or await blank(request, prefix="begin-")) if may(who.actor, Act.BEGIN_TEST) else None,
        knowing=(knowing or await blank(request, prefix="know-"))
        if may(who.actor, Act.ACKNOWLEDGE_PENDING) and found.pending
        else None,
        tests={each.test: TEST_NAMES.get(each.test, Text("{test}", test=each.test)) for each in found.pending},
        lines={each.name: Text("{test}", test=each.name) for each in found.pending if each.test != VIRUS},
        samples={each.code: Text("{code} · {purpose}", code=each.code, purpose=each.purpose) for each in found.samples},
        may_sign=may_sign(who, GIVEN),
        **NAMES,
    )


def _words(found: TwoStepsView) -> tuple[Text, ...]:
    due = [each.due_at for each in found.pending if each.due_at is not None]
    return (
        Text(
            "{name} is released before these results: {tests}.",
            name=found.name,
            tests=tuple(each.name for each in found.pending),
        ),
        *(
            Text("Your second signature is due once the last of them is there, by {due}.", due=max(due))
            for _ in due[:1]
        ),
        Text("If one of them fails, the lot has failed, and all of its donation is held."),
    )
