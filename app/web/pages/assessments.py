"""Assessments: listed, proposed and renewed by form, approved by the quality authority's signature."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.assessments import (
    ABOUT_GENES,
    ABOUT_MATERIALS,
    ABOUT_SAMPLES,
    CONTROL_NAMES,
    FACILITY,
    GROUP_NAMES,
    LOT,
    MATERIAL,
    PROCESS,
    SCOPE_NAMES,
    SCOPES_OF,
)
from app.domain.errors import Refusal
from app.domain.genes import ABERRATION_NAMES, OFF_TARGET_ASSAY_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.rules import BY_ID
from app.services import assessments, genes
from app.services.assessments import AssessmentView, Content, MitigationView, Scope
from app.services.house import House
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import PageRoute
from app.web.shell import render
from app.web.signing import SignDialog, asks_to_sign, may_sign, signed, to_sign

router = APIRouter(prefix="/assessments", route_class=PageRoute)
PAGE = 50
NAME = 120
MEASURES = 8
"""Rows of measures on the form; a longer list is sent by a program."""
SIGNING = "sign-"
APPROVED = Meaning.ASSESSMENT_APPROVED

STATE_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "proposed": ("wait", "hourglass", Text("waits for approval")),
    "approved": ("wait", "clock", Text("approved, not yet in force")),
    "in_force": ("go", "check", Text("in force")),
    "superseded": ("na", "minus", Text("superseded")),
    "expired": ("stop", "x", Text("expired")),
}
RULES: Mapping[str, tuple[Text, Text]] = {
    "DON-05": (
        Text("Cross-contamination between donors"),
        Text("DON-05: how one donor's cells are kept from another's; needed before anything autologous is processed."),
    ),
    "DON-04": (
        Text("A patient with a positive or missing marker"),
        Text("DON-04: why this one donor's own cells may be processed all the same."),
    ),
    "MAT-02": (
        Text("A material that is not of medicinal grade"),
        Text("MAT-02: why it may be used, with the search for a medicinal one and what keeps it from the patient."),
    ),
    "MAT-04": (
        Text("A material of animal origin"),
        Text("MAT-04: why no other will do, and what is done about what remains of it."),
    ),
    "GM-02": (
        Text("Off-target edits of a process"),
        Text("GM-02: accepts the reports of a process version as they are recorded; they are signed with it."),
    ),
    "GM-04": (
        Text("Replication-competent virus"),
        Text("GM-04: how virus that replicates is kept from arising with the viral vector of a process version."),
    ),
    "DON-02": (
        Text("A donor with an active CMV or EBV infection"),
        Text("DON-02: why cells of this one donor may be given to this recipient all the same."),
    ),
    "DON-06": (
        Text("A blood sample taken outside the window"),
        Text("DON-06: why the sample of this one donor still speaks for the donation."),
    ),
    "DON-08": (
        Text("A patient whose history or examination excludes"),
        Text("DON-08: why this one donor's own cells may be processed all the same."),
    ),
    "TPR-06": (
        Text("A sample that left its temperatures on the way to a laboratory"),
        Text("TPR-06: why what was tested of this one lot speaks for it all the same, by its stability."),
    ),
}
AT = {"scope": "scope_kind"}
"""Where the form shows what the service says of a field."""


@router.get("")
async def list_assessments(
    request: Request, house: HouseDep, who: SignedInDep, rule: str | None = None, after: int | None = None
) -> Response:
    """Every version, the last proposed first."""
    chosen = rule if rule in SCOPES_OF else None
    found = await assessments.list_assessments(house, who.actor, rule=chosen, after=after, limit=PAGE)
    return await render(
        request,
        "assessments/list.html",
        who=who,
        found=found,
        rule=chosen,
        next=found[-1].assessment if len(found) == PAGE else None,
        may_propose=may(who.actor, Act.PROPOSE_ASSESSMENT),
        **_words(),
    )


@router.get("/new")
async def new_assessment(request: Request, house: HouseDep, who: SignedInDep, rule: str | None = None) -> Response:
    """First the question, then the form for it."""
    require(who.actor, Act.PROPOSE_ASSESSMENT)
    chosen = rule if rule in SCOPES_OF else None
    return await _new_shown(request, house, who, chosen, await blank(request, valid_from=datetime.now(UTC)))


@router.post("/new")
async def propose(request: Request, house: HouseDep, who: SignedInDep, rule: str = "") -> Response:
    """Propose it."""
    require(who.actor, Act.PROPOSE_ASSESSMENT)
    if rule not in SCOPES_OF:
        return see("/assessments/new")
    entry = await read_entry(request)
    scope, content = _scope(entry, rule), await _content(entry, house, who, rule)
    try:
        call = entry.call(who)
        made = await once(assessments.propose_assessment(house, call, rule=rule, scope=scope, content=content))
    except Refusal as refusal:
        return await _new_shown(request, house, who, rule, entry.again(refusal, at=AT))
    return see(f"/assessments/{made['number']}")


@router.get("/{number}")
async def show_assessment(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """The newest version in full, and those before it."""
    form = await blank(request, prefix=SIGNING) if asks_to_sign(request, APPROVED) else None
    return await _shown(request, house, who, number, form)


@router.get("/{number}/new")
async def new_version(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """The next version, beginning with what the last one says."""
    require(who.actor, Act.PROPOSE_ASSESSMENT)
    last = (await assessments.read_assessment(house, who.actor, number=number))[0]
    rows = {f"measure{i}": each.measure for i, each in enumerate(last.mitigations[:MEASURES])}
    rows |= {f"control{i}": each.control for i, each in enumerate(last.mitigations[:MEASURES])}
    said = {"title": last.title, "hazard": last.hazard, "conclusion": last.conclusion}
    form = await blank(request, valid_from=datetime.now(UTC), **said, **rows)
    return await _version_shown(request, house, who, last, form)


@router.post("/{number}/new")
async def propose_version(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Propose the next version."""
    require(who.actor, Act.PROPOSE_ASSESSMENT)
    entry = await read_entry(request)
    last = (await assessments.read_assessment(house, who.actor, number=number))[0]
    content = await _content(entry, house, who, last.rule)
    try:
        await once(assessments.new_version(house, entry.call(who), number=number, content=content))
    except Refusal as refusal:
        return await _version_shown(request, house, who, last, entry.again(refusal, at=AT))
    return see(f"/assessments/{number}")


@router.post("/{number}/approval")
async def approve(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Approve the newest version by signature."""
    entry = await read_entry(request)
    last = (await assessments.read_assessment(house, who.actor, number=number))[0]
    ref = str(last.assessment)
    try:
        ceremony = await signed(house, who, entry, meaning=APPROVED, kind=RecordKind.ASSESSMENT, ref=ref)
        call = entry.call(who, part="act")
        await once(assessments.approve_assessment(house, call, assessment=last.assessment, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, number, entry.again(refusal, prefix=SIGNING))
    return see(f"/assessments/{number}")


# -- within ------------------------------------------------------------------------------------------------------------


def _scope(entry: Entry, rule: str) -> Scope:
    kind = entry.one_of("scope_kind", SCOPES_OF[rule])
    name = entry.optional("scope_name", most=NAME)
    version = entry.optional_whole("scope_version", least=1, most=100_000)
    if kind == FACILITY:
        return Scope(kind)
    if name is None:
        entry.problem("scope_name", Text("It is not said what it is about."), Text("Scan or type its name."))
    if kind == PROCESS and version is None:
        entry.problem("scope_version", Text("A process is named by its version."), Text("Write the version's number."))
    return Scope(kind, name, version if kind == PROCESS else None)


async def _content(entry: Entry, house: House, who: SignedIn, rule: str) -> Content:
    controls = await _controls(house, who, rule)
    measures: list[MitigationView] = []
    for i in range(MEASURES):
        measure, control = entry.optional(f"measure{i}"), entry.optional(f"control{i}")
        if measure and control and control not in controls:
            entry.problem(f"control{i}", Text("It is none of the choices."), Text("Choose one of the list."))
        elif measure and control and MitigationView(measure, control) in measures:
            entry.problem(f"measure{i}", Text("{name} stands here twice.", name=measure), Text("Write it once."))
        elif measure and control:
            measures.append(MitigationView(measure, control))
        elif measure:
            entry.problem(f"control{i}", Text("Nothing carries out this measure."), Text("Choose what carries it out."))
        elif control:
            entry.problem(f"measure{i}", Text("It is not said what is done."), Text("Describe the measure."))
    if not measures:
        entry.problem("measure0", Text("There is no measure."), Text("Describe at least one."))
    return Content(
        title=entry.text("title"),
        hazard=entry.prose("hazard"),
        mitigations=tuple(measures),
        conclusion=entry.prose("conclusion"),
        valid_from=entry.optional_moment("valid_from", ahead=True),
        valid_to=entry.moment("valid_to", ahead=True),
    )


async def _controls(house: House, who: SignedIn, rule: str) -> dict[str, Text]:
    if rule in ABOUT_GENES:
        return {each: CONTROL_NAMES[each] for each in ABOUT_GENES[rule]}
    if SCOPES_OF[rule] == (MATERIAL,):
        return {each: CONTROL_NAMES[each] for each in ABOUT_MATERIALS}
    if SCOPES_OF[rule] == (LOT,):
        return {each: CONTROL_NAMES[each] for each in ABOUT_SAMPLES}
    known = [each for group in (await assessments.known_controls(house, who.actor)).values() for each in group]
    # Only what the rule about cross-contamination asks for is tied to the controls of the house alone.
    more = [] if rule == "DON-05" else ["medical_review"]
    return {each: CONTROL_NAMES.get(each, Text("{control}", control=each)) for each in (*known, *more)}


def _words() -> dict[str, Any]:
    return {
        "rules": RULES,
        "rule_choices": {rule: Text("{rule}", rule=rule) for rule in RULES},
        "scope_names": SCOPE_NAMES,
        "control_names": CONTROL_NAMES,
        "group_names_of_measures": GROUP_NAMES,
        "state_marks": STATE_MARKS,
        "titles": {rule: BY_ID[rule].title for rule in SCOPES_OF},
    }


async def _new_shown(request: Request, house: House, who: SignedIn, rule: str | None, form: FormView) -> Response:
    return await render(
        request,
        "assessments/new.html",
        status=form.status,
        who=who,
        form=form,
        rule=rule,
        last=None,
        scopes={kind: SCOPE_NAMES[kind] for kind in SCOPES_OF.get(rule or "", ())},
        controls=await _controls(house, who, rule) if rule else {},
        measures=range(MEASURES),
        **_words(),
    )


async def _version_shown(
    request: Request, house: House, who: SignedIn, last: AssessmentView, form: FormView
) -> Response:
    return await render(
        request,
        "assessments/new.html",
        status=form.status,
        who=who,
        form=form,
        rule=last.rule,
        last=last,
        scopes={},
        controls=await _controls(house, who, last.rule),
        measures=range(MEASURES),
        **_words(),
    )


async def _shown(request: Request, house: House, who: SignedIn, number: str, form: FormView | None) -> Response:
    versions = await assessments.read_assessment(house, who.actor, number=number)
    newest = versions[0]
    may_approve = may_sign(who, APPROVED) and newest.state == "proposed"
    dialog = await _dialog(house, who, newest, form) if form is not None and may_approve else None
    return await render(
        request,
        "assessments/assessment.html",
        status=form.status if form else 200,
        who=who,
        newest=newest,
        versions=versions,
        may_approve=may_approve,
        may_propose=may(who.actor, Act.PROPOSE_ASSESSMENT),
        refusal=form.refusal if form and not dialog else None,
        dialog=dialog,
        meaning=APPROVED,
        beside=await genes.beside_assessment(house, who.actor, number=number) if newest.rule == "GM-02" else None,
        assays=OFF_TARGET_ASSAY_NAMES,
        aberrations=ABERRATION_NAMES,
        **_words(),
    )


async def _dialog(house: House, who: SignedIn, newest: AssessmentView, form: FormView) -> SignDialog:
    return await to_sign(
        house,
        who,
        meaning=APPROVED,
        kind=RecordKind.ASSESSMENT,
        ref=str(newest.assessment),
        action=f"/assessments/{newest.number}/approval",
        here=f"/assessments/{newest.number}",
        title=Text("You approve this assessment"),
        lines=(
            Text(
                "{number} version {version}: {title}", number=newest.number, version=newest.version, title=newest.title
            ),
            Text(
                "Proposed by {by}, {count} measures. {conclusion}",
                by=newest.proposed_by,
                count=len(newest.mitigations),
                conclusion=newest.conclusion,
            ),
        ),
        form=form,
        is_open=True,
    )
