"""Partners: listed, registered, assessed by form, decided by the quality authority's signature, bound by agreements."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import Refusal
from app.domain.partners import BEARER_NAMES, DUTY_NAMES, FINDING_NAMES, KIND_NAMES, SECTION_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import partners, studies
from app.services.house import House
from app.services.partners import Agreed, Assessed, AssessmentView, Finding, Section
from app.services.studies import Named
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/partners", route_class=PageRoute)
NumberDep = Annotated[int, Path(ge=1, lt=2**63)]
NAME = 120
FINDINGS = 5
"""Rows of findings on the form; a longer list is sent by a program."""
FINDING_DAYS = ("capa_due_on", "closed_on")
SIGNING = "sign-"
DECIDED = Meaning.PARTNER_DECIDED
ACCEPTED = {"yes": Text("accepted"), "no": Text("not accepted")}
WORDS: dict[str, Any] = {
    "kind_names": KIND_NAMES,
    "part_names": SECTION_NAMES,
    "duty_names": DUTY_NAMES,
    "bearer_names": BEARER_NAMES,
    "finding_names": FINDING_NAMES,
    "accepted": ACCEPTED,
}


@router.get("")
async def list_partners(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Every partner by name, and the form for a further one."""
    return await _list_shown(request, house, who, await blank(request))


@router.post("")
async def register(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Register a partner."""
    require(who.actor, Act.REGISTER_PARTNER)
    entry = await read_entry(request)
    name, kind = entry.text("name", most=NAME), entry.one_of("kind", KIND_NAMES)
    address = entry.text("address")
    try:
        made = await once(partners.register_partner(house, entry.call(who), name=name, kind=kind, address=address))
    except Refusal as refusal:
        return await _list_shown(request, house, who, entry.again(refusal))
    return see(f"/partners/{made['partner']}")


@router.get("/{partner}")
async def show_partner(request: Request, house: HouseDep, who: SignedInDep, partner: NumberDep) -> Response:
    """One partner with every assessment and agreement."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, DECIDED) else None
    return await _shown(request, house, who, partner, form)


@router.get("/{partner}/assessment")
async def new_assessment(request: Request, house: HouseDep, who: SignedInDep, partner: NumberDep) -> Response:
    """The form for an assessment."""
    require(who.actor, Act.ASSESS_PARTNER)
    return await _assessment_shown(request, house, who, partner, await blank(request))


@router.post("/{partner}/assessment")
async def assess(request: Request, house: HouseDep, who: SignedInDep, partner: NumberDep) -> Response:
    """Record an assessment; it waits for the quality authority."""
    require(who.actor, Act.ASSESS_PARTNER)
    entry = await read_entry(request)
    rows, findings = _findings(entry)
    assessed = Assessed(
        assessed_on=entry.day("assessed_on"),
        sections=tuple(
            Section(each, entry.whole(f"score_{each}", most=100), entry.one_of(f"accepted_{each}", ACCEPTED) == "yes")
            for each in SECTION_NAMES
        ),
        findings=tuple(findings),
        evidence=entry.text("evidence"),
    )
    try:
        await once(partners.assess_partner(house, entry.call(who), partner=partner, assessed=assessed))
    except Refusal as refusal:
        at = {f"findings.{i}.{each}": f"{each}{row}" for i, row in enumerate(rows) for each in FINDING_DAYS}
        at |= {f"findings.{i}": f"what{row}" for i, row in enumerate(rows)} | {"sections": "score_qualification"}
        form = entry.again(refusal, at=at)
        return await _assessment_shown(request, house, who, partner, form)
    return see(f"/partners/{partner}")


@router.post("/{partner}/decision")
async def decide(request: Request, house: HouseDep, who: SignedInDep, partner: NumberDep) -> Response:
    """Sign the partner's last assessment."""
    entry = await read_entry(request)
    waiting = _waiting((await partners.read_partner(house, who.actor, partner=partner)).assessments)
    key = waiting.assessment if waiting else 0
    try:
        kind = RecordKind.PARTNER_ASSESSMENT
        ceremony = await signed(house, who, entry, meaning=DECIDED, kind=kind, ref=str(key))
        call = entry.call(who, part="act")
        await once(partners.decide_partner(house, call, assessment=key, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, partner, entry.again(refusal, prefix=SIGNING))
    return see(f"/partners/{partner}")


@router.get("/{partner}/agreement")
async def new_agreement(request: Request, house: HouseDep, who: SignedInDep, partner: NumberDep) -> Response:
    """The form for a quality agreement."""
    require(who.actor, Act.RECORD_QUALITY_AGREEMENT)
    return await _agreement_shown(request, house, who, partner, await blank(request))


@router.post("/{partner}/agreement")
async def agree(request: Request, house: HouseDep, who: SignedInDep, partner: NumberDep) -> Response:
    """Record a quality agreement."""
    require(who.actor, Act.RECORD_QUALITY_AGREEMENT)
    entry = await read_entry(request)
    found = await partners.read_partner(house, who.actor, partner=partner)
    processes = await _processes(house, who)
    process = processes.get(entry.one_of("process", processes), Named("", 0))
    agreed = Agreed(
        process=process.name,
        process_version=process.version,
        duties={each: entry.one_of(f"duty{i}", BEARER_NAMES) for i, each in enumerate(found.duties)},
        signed_on=entry.day("signed_on"),
        valid_to=entry.optional_day("valid_to", ahead=True),
        reference=entry.text("reference"),
    )
    try:
        await once(partners.record_agreement(house, entry.call(who), partner=partner, agreed=agreed))
    except Refusal as refusal:
        return await _agreement_shown(request, house, who, partner, entry.again(refusal))
    return see(f"/partners/{partner}")


# -- within ------------------------------------------------------------------------------------------------------------


def _findings(entry: Entry) -> tuple[list[int], list[Finding]]:
    """The findings that are filled in, and in which row of the form each stands."""
    rows, found = [], []
    for i in range(FINDINGS):
        what, severity = entry.optional(f"what{i}"), entry.optional(f"severity{i}")
        due, closed = entry.optional_day(f"capa_due_on{i}", ahead=True), entry.optional_day(f"closed_on{i}")
        if what and severity in FINDING_NAMES:
            rows.append(i)
            found.append(Finding(severity or "", what, due, closed))
        elif what or severity or due or closed:
            field = f"severity{i}" if what else f"what{i}"
            entry.problem(field, Text("The finding is not complete."), Text("Say what was found and how grave it is."))
    return rows, found


def _waiting(assessments: tuple[AssessmentView, ...]) -> AssessmentView | None:
    """The assessment recorded last, where it waits for its signature."""
    return assessments[0] if assessments and assessments[0].signed_at is None else None


async def _processes(house: House, who: SignedIn) -> dict[str, Named]:
    choices = await studies.read_choices(house, who.actor)
    return {f"{each.name} {each.version}": each for each in choices.processes}


async def _list_shown(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "partners/list.html",
        status=form.status,
        who=who,
        found=await partners.list_partners(house, who.actor),
        form=form if may(who.actor, Act.REGISTER_PARTNER) else None,
        **WORDS,
    )


async def _assessment_shown(request: Request, house: House, who: SignedIn, partner: int, form: FormView) -> Response:
    found = await partners.read_partner(house, who.actor, partner=partner)
    return await render(
        request,
        "partners/assessment.html",
        status=form.status,
        who=who,
        found=found,
        form=form,
        rows=range(FINDINGS),
        **WORDS,
    )


async def _agreement_shown(request: Request, house: House, who: SignedIn, partner: int, form: FormView) -> Response:
    found = await partners.read_partner(house, who.actor, partner=partner)
    return await render(
        request,
        "partners/agreement.html",
        status=form.status,
        who=who,
        found=found,
        form=form,
        processes={each: Text("{name}", name=each) for each in await _processes(house, who)},
        **WORDS,
    )


async def _shown(request: Request, house: House, who: SignedIn, partner: int, form: FormView | None) -> Response:
    found = await partners.read_partner(house, who.actor, partner=partner)
    waiting = _waiting(found.assessments)
    may_decide = waiting is not None and may_sign(who, DECIDED)
    dialog = await _dialog(house, who, partner, found.name, waiting, form) if form and may_decide and waiting else None
    return await render(
        request,
        "partners/partner.html",
        status=form.status if form else 200,
        who=who,
        found=found,
        may_assess=may(who.actor, Act.ASSESS_PARTNER),
        may_agree=may(who.actor, Act.RECORD_QUALITY_AGREEMENT),
        may_decide=may_decide,
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=DECIDED,
        **WORDS,
    )


async def _dialog(
    house: House, who: SignedIn, partner: int, name: str, waiting: AssessmentView, form: FormView
) -> SignDialog:
    return await to_sign(
        house,
        who,
        meaning=DECIDED,
        kind=RecordKind.PARTNER_ASSESSMENT,
        ref=str(waiting.assessment),
        action=f"/partners/{partner}/decision",
        here=f"/partners/{partner}",
        title=Text("You decide about this partner"),
        lines=(
            Text(
                "{name}, assessed on {day}, by {evidence}",
                name=name,
                day=waiting.assessed_on,
                evidence=waiting.evidence,
            ),
            Text("{count} findings. Recorded by {by}.", count=len(waiting.findings), by=waiting.recorded_by),
        ),
        form=form,
        is_open=True,
    )
