"""Studies and institutions: listed, registered by form, judged live before filing and before the start."""

import re
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.db.door import Call
from app.db.sessions import SignedIn
from app.domain.acts import Act, may, require
from app.domain.errors import NotFound, Refusal
from app.domain.people import TITLE_NAMES
from app.domain.production_ends import OUTCOME_NAMES as END_OUTCOME_NAMES
from app.domain.production_ends import TEST_NAMES
from app.domain.rulebook import GATE_NAMES, OUTCOME_NAMES
from app.domain.studies import (
    ADMINISTRATION_NAMES,
    CELL_CLASS_NAMES,
    CELL_SOURCE_NAMES,
    CHINA,
    COMMITTEE_NAMES,
    DECISION_NAMES,
    GRADE,
    GRADE_NAMES,
    HELD_NAMES,
    MANIPULATION_NAMES,
    PATH_NAMES,
    RISK_NAMES,
    STAGE_NAMES,
)
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import institutions, partners, production_ends, studies
from app.services.house import House
from app.services.institutions import Stated
from app.services.production_ends import EndReport, EndTested
from app.services.studies import Agreement, Choices, Content, Decision, FilingMade, FollowUp, Leader, Named, SiteView
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.pages.release import ORDER
from app.web.refusals import PageRoute
from app.web.shell import render

router = APIRouter(prefix="/studies", route_class=PageRoute)
NumberDep = Annotated[int, Path(ge=1, lt=2**63)]
PAGE = 50
NAME = 120
_SHA256 = re.compile(r"[0-9a-f]{64}")
LEAST_PDL, MOST_PDL = Decimal("0.01"), Decimal(999)
SITES = 4
"""Rows of sites on the form; a longer list is sent by a program."""
RECORDS: Mapping[str, tuple[Text, Act]] = {
    "leader": (Text("Name the study's leader"), Act.NAME_STUDY_LEADER),
    "decision": (Text("Record a committee's decision"), Act.RECORD_COMMITTEE_DECISION),
    "filing": (Text("Record the filing"), Act.RECORD_FILING),
    "agreement": (Text("Record an agreement with the sponsor"), Act.RECORD_SPONSOR_AGREEMENT),
    "bank": (Text("Name a bank lot"), Act.REGISTER_STUDY),
    "partner": (Text("Name a partner"), Act.REGISTER_STUDY),
    "follow_up": (Text("Record how long subjects are followed"), Act.RECORD_FOLLOW_UP),
    "production_end": (Text("Record cells at the end of production"), Act.RECORD_PRODUCTION_END),
}
SUBSTANCE: Mapping[str, tuple[Text, Text]] = {
    "yes": (Text("A change of substance"), Text("both committees approve the protocol anew, and it is filed anew")),
    "no": (Text("No change of substance"), Text("what was approved and filed goes on to hold")),
}
HELD: Mapping[str, Text] = {"yes": Text("it stands"), "no": Text("it stands no longer")}
WORDS: dict[str, Any] = {
    "path_names": PATH_NAMES,
    "stage_names": STAGE_NAMES,
    "risk_names": RISK_NAMES,
    "cell_class_names": CELL_CLASS_NAMES,
    "cell_source_names": CELL_SOURCE_NAMES,
    "manipulation_names": MANIPULATION_NAMES,
    "administration_names": ADMINISTRATION_NAMES,
    "committee_names": COMMITTEE_NAMES,
    "decision_names": DECISION_NAMES,
    "title_names": TITLE_NAMES,
    "grade_names": GRADE_NAMES,
    "held_names": HELD_NAMES,
    "gate_names": GATE_NAMES,
    "outcome_names": OUTCOME_NAMES,
    "end_test_names": TEST_NAMES,
    "end_outcome_names": END_OUTCOME_NAMES,
}


@router.get("")
async def list_studies(request: Request, house: HouseDep, who: SignedInDep, after: int | None = None) -> Response:
    """Studies, the last registered first."""
    found = await studies.list_studies(house, who.actor, after=after, limit=PAGE)
    return await render(
        request,
        "studies/list.html",
        who=who,
        found=found,
        next=found[-1].study if len(found) == PAGE else None,
        may_register=may(who.actor, Act.REGISTER_STUDY),
        **WORDS,
    )


@router.get("/new")
async def new_study(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """The form for a study."""
    require(who.actor, Act.REGISTER_STUDY)
    return await _form_shown(request, house, who, None, await blank(request, country0=CHINA))


@router.post("/new")
async def register(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Register it."""
    require(who.actor, Act.REGISTER_STUDY)
    entry = await read_entry(request)
    content = _content(entry, await studies.read_choices(house, who.actor), substantial=True)
    try:
        made = await once(studies.register_study(house, entry.call(who), content=content))
    except Refusal as refusal:
        return await _form_shown(request, house, who, None, entry.again(refusal, at=AT))
    return see(f"/studies/{made['number']}")


# -- institutions ------------------------------------------------------------------------------------------------------


@router.get("/institutions")
async def list_institutions(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Hospitals and sponsors by name, and the form for a further one."""
    return await _institutions_shown(request, house, who, await blank(request, country=CHINA))


@router.post("/institutions")
async def register_institution(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Register an institution."""
    require(who.actor, Act.REGISTER_INSTITUTION)
    entry = await read_entry(request)
    name, country = entry.text("name", most=NAME), entry.text("country", most=2)
    registration = entry.optional("registration", most=NAME)
    try:
        call = entry.call(who)
        made = await once(
            institutions.register_institution(
                house, call, name=name, country=country.upper(), registration=registration
            )
        )
    except Refusal as refusal:
        return await _institutions_shown(request, house, who, entry.again(refusal))
    return see(f"/studies/institutions/{made['institution']}")


@router.get("/institutions/{institution}")
async def show_institution(request: Request, house: HouseDep, who: SignedInDep, institution: NumberDep) -> Response:
    """One institution: what is stated of it, and the form for a further statement."""
    return await _institution_shown(request, house, who, institution, await blank(request))


@router.post("/institutions/{institution}/statements")
async def state_institution(request: Request, house: HouseDep, who: SignedInDep, institution: NumberDep) -> Response:
    """State what it holds."""
    require(who.actor, Act.STATE_INSTITUTION)
    entry = await read_entry(request)
    kind = entry.one_of("kind", HELD_NAMES)
    says = entry.one_of("grade", GRADE_NAMES) if kind == GRADE else entry.text("says", most=NAME)
    stated = Stated(
        kind=kind,
        held=entry.one_of("held", HELD) == "yes",
        says=says,
        evidence=entry.text("evidence"),
        valid_from=entry.day("valid_from", ahead=True),
        valid_to=entry.optional_day("valid_to", ahead=True),
    )
    try:
        await once(institutions.state_institution(house, entry.call(who), institution=institution, stated=stated))
    except Refusal as refusal:
        return await _institution_shown(request, house, who, institution, entry.again(refusal))
    return see(f"/studies/institutions/{institution}")


# -- one study ---------------------------------------------------------------------------------------------------------


@router.get("/{number}")
async def show_study(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """A study with everything recorded about it, judged this moment."""
    found = await studies.read_study(house, who.actor, number=number)
    return await render(
        request,
        "studies/study.html",
        who=who,
        found=found,
        study=found.study,
        gates=[
            (each, sorted(each.verdicts, key=lambda one: (ORDER.index(one.outcome), one.rule))) for each in found.gates
        ],
        may_change=may(who.actor, Act.REGISTER_STUDY),
        records={what: says for what, (says, act) in RECORDS.items() if may(who.actor, act)},
        **WORDS,
    )


@router.get("/{number}/new")
async def new_version(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """The next version, beginning with what the study is now."""
    require(who.actor, Act.REGISTER_STUDY)
    content = await studies.read_content(house, who.actor, number=number)
    fields = ("title", "regulatory_path", "ind_number", "stage", "risk_level", "cell_class", "cell_source")
    values = {each: getattr(content, each) for each in (*fields, "manipulation", "administration")}
    values |= {"institution": content.institution, "sponsor": content.sponsor}
    values |= {"process": _key(content.process), "specification": _key(content.specification)}
    values |= {f"site{i}": each.name for i, each in enumerate(content.sites[:SITES])}
    values |= {f"country{i}": each.country for i, each in enumerate(content.sites[:SITES])}
    form = await blank(request, protocol_version=content.protocol_version, **values)
    return await _form_shown(request, house, who, number, form)


@router.post("/{number}/new")
async def keep_version(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Record that the study is another now."""
    require(who.actor, Act.REGISTER_STUDY)
    entry = await read_entry(request)
    substantial = entry.one_of("substantial", SUBSTANCE) != "no"
    content = _content(entry, await studies.read_choices(house, who.actor), substantial=substantial)
    try:
        await once(studies.new_version(house, entry.call(who), number=number, content=content))
    except Refusal as refusal:
        return await _form_shown(request, house, who, number, entry.again(refusal, at=AT))
    return see(f"/studies/{number}")


@router.get("/{number}/record/{what}")
async def new_record(request: Request, house: HouseDep, who: SignedInDep, number: str, what: str) -> Response:
    """The form for a paper about the study."""
    require(who.actor, _record(what)[1])
    return await _record_shown(request, house, who, number, what, await blank(request))


@router.post("/{number}/record/{what}")
async def keep_record(request: Request, house: HouseDep, who: SignedInDep, number: str, what: str) -> Response:
    """Record the paper."""
    require(who.actor, _record(what)[1])
    entry = await read_entry(request)
    keep = KEEPERS[what](entry, house, number)
    try:
        await once(keep(entry.call(who)))
    except Refusal as refusal:
        return await _record_shown(
            request, house, who, number, what, entry.again(refusal, at={"tests": "outcome_karyotype"})
        )
    return see(f"/studies/{number}")


# -- within ------------------------------------------------------------------------------------------------------------

AT = {"sites": "country0", "substantial": "why"} | {f"sites.{row}": f"site{row}" for row in range(SITES)}
"""Where the form shows what the service says of a field."""
Keep = Callable[[Call], Awaitable[object]]


def _key(named: Named) -> str:
    return f"{named.name} {named.version}"


def _content(entry: Entry, choices: Choices, *, substantial: bool) -> Content:
    processes = {_key(each): each for each in choices.processes}
    specifications = {_key(each): each for each in choices.specifications}
    nothing = Named("", 0)
    return Content(
        title=entry.text("title"),
        regulatory_path=entry.one_of("regulatory_path", PATH_NAMES),
        ind_number=entry.optional("ind_number", most=NAME),
        stage=entry.one_of("stage", STAGE_NAMES),
        risk_level=entry.one_of("risk_level", RISK_NAMES),
        cell_class=entry.one_of("cell_class", CELL_CLASS_NAMES),
        cell_source=entry.one_of("cell_source", CELL_SOURCE_NAMES),
        manipulation=entry.one_of("manipulation", MANIPULATION_NAMES),
        administration=entry.one_of("administration", ADMINISTRATION_NAMES),
        sites=tuple(_sites(entry)),
        institution=entry.one_of("institution", choices.institutions),
        sponsor=entry.one_of("sponsor", choices.institutions),
        process=processes.get(entry.one_of("process", processes), nothing),
        specification=specifications.get(entry.one_of("specification", specifications), nothing),
        protocol_version=entry.text("protocol_version", most=NAME),
        substantial=substantial,
        why=entry.prose("why"),
    )


def _sites(entry: Entry) -> list[SiteView]:
    found = []
    for i in range(SITES):
        name, country = entry.optional(f"site{i}", most=NAME), entry.optional(f"country{i}", most=2)
        if name and country:
            found.append(SiteView(name, country.upper()))
        elif name:
            entry.problem(
                f"country{i}", Text("It is not said in which country it lies."), Text("Write its two letters.")
            )
    return found


def _leader(entry: Entry, house: House, number: str) -> Keep:
    leader = Leader(
        name=entry.text("name", most=NAME),
        licence_number=entry.text("licence_number", most=NAME),
        licence_valid_to=entry.optional_day("licence_valid_to", ahead=True),
        title_level=entry.one_of("title_level", TITLE_NAMES),
        title_certificate=entry.text("title_certificate", most=NAME),
        title_valid_to=entry.optional_day("title_valid_to", ahead=True),
        from_on=entry.day("from_on", ahead=True),
        to_on=entry.optional_day("to_on", ahead=True),
        evidence=entry.text("evidence"),
    )
    return lambda call: studies.name_leader(house, call, number=number, leader=leader)


def _decision(entry: Entry, house: House, number: str) -> Keep:
    decision = Decision(
        committee=entry.one_of("committee", COMMITTEE_NAMES),
        decision=entry.one_of("decision", DECISION_NAMES),
        protocol_version=entry.text("protocol_version", most=NAME),
        decided_on=entry.day("decided_on"),
        valid_to=entry.optional_day("valid_to", ahead=True),
        reference=entry.text("reference"),
    )
    return lambda call: studies.record_decision(house, call, number=number, decision=decision)


def _filing(entry: Entry, house: House, number: str) -> Keep:
    filing = FilingMade(
        filing_number=entry.text("filing_number", most=NAME),
        authority=entry.text("authority"),
        protocol_version=entry.text("protocol_version", most=NAME),
        filed_on=entry.day("filed_on"),
        reference=entry.text("reference"),
    )
    return lambda call: studies.record_filing(house, call, number=number, filing=filing)


def _agreement(entry: Entry, house: House, number: str) -> Keep:
    agreement = Agreement(
        sponsor=entry.text("sponsor", most=NAME),
        protocol_jointly_set=entry.flag("protocol_jointly_set"),
        signed_on=entry.day("signed_on"),
        valid_to=entry.optional_day("valid_to", ahead=True),
        reference=entry.text("reference"),
    )
    return lambda call: studies.record_agreement(house, call, number=number, agreement=agreement)


def _bank(entry: Entry, house: House, number: str) -> Keep:
    lot = entry.scanned("lot")
    return lambda call: studies.name_bank(house, call, number=number, lot=lot)


def _partner(entry: Entry, house: House, number: str) -> Keep:
    partner = entry.text("partner", most=NAME)
    return lambda call: partners.name_partner(house, call, number=number, partner=partner)


def _follow_up(entry: Entry, house: House, number: str) -> Keep:
    plan = FollowUp(
        protocol_version=entry.text("protocol_version", most=NAME),
        years=entry.amount("years", least=Decimal("0.1"), most=Decimal(100)),
        reference=entry.text("reference"),
    )
    return lambda call: studies.record_follow_up(house, call, number=number, plan=plan)


def _production_end(entry: Entry, house: House, number: str) -> Keep:
    lot = entry.scanned("lot")
    report = EndReport(
        pdl_reached=entry.amount("pdl_reached", least=LEAST_PDL, most=MOST_PDL),
        laboratory=entry.text("laboratory", most=NAME),
        report_number=entry.text("report_number", most=NAME),
        reported_on=entry.day("reported_on"),
        file_name=entry.text("file_name"),
        file_sha256=entry.text("file_sha256", most=100).lower().replace(" ", ""),
        tests=tuple(_end_tests(entry)),
        replaces=entry.optional_whole("replaces", least=1, most=2**62),
        why=entry.optional("why", most=8000),
    )
    if not _SHA256.fullmatch(report.file_sha256) and "file_sha256" not in entry.problems:
        entry.problem(
            "file_sha256",
            Text("This is no SHA-256: 64 digits of 0 to 9 and a to f."),
            Text("Compute it from the very file."),
        )
    if not report.tests and not entry.problems:
        entry.problem(
            "outcome_karyotype",
            Text("The report names no test."),
            Text("Choose what it concludes of each test that it names."),
        )
    return lambda call: production_ends.record_production_end(house, call, lot=lot, report=report)


def _end_tests(entry: Entry) -> list[EndTested]:
    found = []
    for test in TEST_NAMES:
        outcome = entry.optional(f"outcome_{test}")
        if outcome is None:
            if entry.optional(f"method_{test}") or entry.optional(f"found_{test}"):
                entry.problem(
                    f"outcome_{test}", Text("What the report concludes is not said."), Text("Choose its conclusion.")
                )
            continue
        if outcome not in END_OUTCOME_NAMES:
            entry.problem(f"outcome_{test}", Text("It is none of the choices."), Text("Choose one of the list."))
        found.append(EndTested(test, entry.text(f"method_{test}"), outcome, entry.text(f"found_{test}")))
    return found


KEEPERS: Mapping[str, Callable[[Entry, House, str], Keep]] = {
    "leader": _leader,
    "decision": _decision,
    "filing": _filing,
    "agreement": _agreement,
    "bank": _bank,
    "partner": _partner,
    "follow_up": _follow_up,
    "production_end": _production_end,
}


def _record(what: str) -> tuple[Text, Act]:
    if what not in RECORDS:
        raise NotFound(
            what=Text("There is no such form."),
            why=Text("Nothing of this kind is recorded about a study."),
            remedy=Text("Go back to the study and choose what to record."),
        )
    return RECORDS[what]


async def _form_shown(request: Request, house: House, who: SignedIn, number: str | None, form: FormView) -> Response:
    choices = await studies.read_choices(house, who.actor)
    return await render(
        request,
        "studies/new.html",
        status=form.status,
        who=who,
        form=form,
        number=number,
        institutions={each: Text("{name}", name=each) for each in choices.institutions},
        processes={_key(each): Text("{name}", name=_key(each)) for each in choices.processes},
        specifications={_key(each): Text("{name}", name=_key(each)) for each in choices.specifications},
        rows=range(SITES),
        substance=SUBSTANCE,
        **WORDS,
    )


async def _record_shown(
    request: Request, house: House, who: SignedIn, number: str, what: str, form: FormView
) -> Response:
    found = await studies.read_study(house, who.actor, number=number)
    protocols = dict.fromkeys(each.protocol_version for each in reversed(found.study.versions))
    return await render(
        request,
        "studies/record.html",
        status=form.status,
        who=who,
        form=form,
        study=found.study,
        what=what,
        title=RECORDS[what][0],
        protocols={each: Text("{name}", name=each) for each in protocols},
        ends={
            str(each.id): Text("{number}, {laboratory}", number=each.report_number, laboratory=each.laboratory)
            for each in found.study.production_ends
            if each.replaced_at is None
        },
        partners={each.name: Text("{name}", name=each.name) for each in await partners.list_partners(house, who.actor)}
        if what == "partner"
        else {},
        **WORDS,
    )


async def _institutions_shown(request: Request, house: House, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "studies/institutions.html",
        status=form.status,
        who=who,
        found=await institutions.list_institutions(house, who.actor),
        form=form if may(who.actor, Act.REGISTER_INSTITUTION) else None,
        **WORDS,
    )


async def _institution_shown(
    request: Request, house: House, who: SignedIn, institution: int, form: FormView
) -> Response:
    return await render(
        request,
        "studies/institution.html",
        status=form.status,
        who=who,
        found=await institutions.read_institution(house, who.actor, institution=institution),
        form=form if may(who.actor, Act.STATE_INSTITUTION) else None,
        held=HELD,
        **WORDS,
    )
