"""Deviations: opened by whoever sees one, with what hangs on each, assessed, and closed by a signature over it all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, Meaning, RecordKind, may, require
from app.domain.errors import BadInput, NotFound, Refusal
from app.domain.facts import Severity
from app.domain.happened import SEPARATOR
from app.domain.scans import KIND_NAMES
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.rules import BY_ID, RULES
from app.services import deviations, label_counts
from app.services.deviations import DeviationPage, DeviationView
from app.services.house import House
from app.services.names import printed_names
from app.web.fields import FormView, blank, once, read_entry, see
from app.web.pages.lots import DEVIATION_STATES, SEVERITIES
from app.web.refusals import PageRoute
from app.web.saying import grouped
from app.web.shell import render
from app.web.signing import STATEMENT, SignDialog, asks_to_sign, may_sign, signed, to_sign
from labels.codes import CodeError, CodeKind, CodeScheme, parse

router = APIRouter(prefix="/deviations", route_class=PageRoute)
PAGE = 50
SOUGHT_MOST = 120
SHOWN_WORDS = 400
LABELS_RULE = "REL-04"

SEVERITY_SAYS: Mapping[str, tuple[Text, Text]] = {
    "minor": (Text("minor"), Text("No effect on the cells or on the people is to be expected.")),
    "major": (Text("major"), Text("It may have touched the quality of the cells.")),
    "critical": (Text("critical"), Text("It touches the safety of a recipient, or the identity of cells.")),
}
SEVERITY_MARKS: Mapping[str, tuple[str, str]] = {
    "minor": ("na", "flag"),
    "major": ("wait", "alert-triangle"),
    "critical": ("stop", "stop-sign"),
}
IMPACT_NAMES: Mapping[str, Text] = {
    "none": Text("no impact"),
    "acceptable": Text("impact acceptable"),
    "unacceptable": Text("impact not acceptable"),
}
IMPACT_MARKS: Mapping[str, tuple[str, str]] = {
    "none": ("go", "check"),
    "acceptable": ("go", "check"),
    "unacceptable": ("stop", "x"),
}
FACT_NAMES: Mapping[str, Text] = {
    "what": Text("What was done"),
    "occurred_at": Text("When"),
    "ended_at": Text("Until"),
    "performed_by": Text("Who did it"),
    "verified_by": Text("Who verified it"),
    "item": Text("Item"),
    "lot": Text("Lot"),
    "workstation": Text("Workstation"),
    "parents": Text("Taken from"),
    "materials": Text("Materials"),
    "viable_seeded": Text("Viable cells seeded"),
    "viable_harvested": Text("Viable cells harvested"),
    "dead_harvested": Text("Dead cells harvested"),
    "flasks": Text("Flasks"),
    "vials": Text("Vials"),
    "volume_ml": Text("Volume in mL"),
    "viable_cells_per_vial": Text("Viable cells per vial"),
    "place": Text("Place"),
    "programme": Text("Programme"),
    "unresolved": Text("Kept in words"),
}
NAMES: dict[str, Any] = {
    "severities": SEVERITIES,
    "states": DEVIATION_STATES,
    "severity_marks": SEVERITY_MARKS,
    "impact_names": IMPACT_NAMES,
    "impact_marks": IMPACT_MARKS,
    "kind_names": KIND_NAMES,
}


@dataclass(frozen=True, slots=True)
class Told:
    """An account in words, and the facts that were given with it: a name and what was said."""

    words: str
    facts: tuple[tuple[Text, str], ...]


@router.get("")
async def list_deviations(
    request: Request,
    house: HouseDep,
    who: SignedInDep,
    q: str = "",
    state: str = "",
    severity: str = "",
    after: str | None = None,
) -> Response:
    """Deviations, newest first; a scanned label asks for those of what it names."""
    sought = q.strip()[:SOUGHT_MOST]
    try:
        found = await deviations.list_deviations(
            house,
            who.actor,
            state=state if state in DEVIATION_STATES else None,
            severity=Severity(severity) if severity in set(Severity) else None,
            after=after,
            limit=PAGE,
            **asked_of(sought),
        )
    except NotFound:
        found = []
    return await render(
        request,
        "deviations/list.html",
        who=who,
        found=found,
        names=await printed_names(house, who.actor, usernames=[each.opened_by for each in found]),
        q=sought,
        state=state if state in DEVIATION_STATES else "",
        severity=severity if severity in set(Severity) else "",
        next=found[-1].number if len(found) == PAGE else None,
        **NAMES,
    )


@router.get("/new")
async def new_deviation(request: Request, who: SignedInDep, item: str = "") -> Response:
    """What departed from the approved way, and on what."""
    require(who.actor, Act.OPEN_DEVIATION)
    return await _new_shown(request, who, await blank(request, item=item[:64] or None))


@router.post("/new")
async def open_deviation(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Open it."""
    entry = await read_entry(request)
    item, what, severity = entry.scanned("item"), entry.prose("what"), entry.choice("severity", Severity)
    rules = entry.several("rules", among=BY_ID) if entry.every("rules") else []
    try:
        made = await once(
            deviations.open_deviation(
                house, entry.call(who), item=item, what=what, severity=severity, rules=sorted(rules)
            )
        )
    except NotFound as refusal:
        return await _new_shown(request, who, entry.again(at_field("item", refusal)))
    except Refusal as refusal:
        return await _new_shown(request, who, entry.again(refusal))
    return see(f"/deviations/{made['number']}")


@router.get("/{number}")
async def show_deviation(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """A deviation with the holds that stand on it."""
    sign = await blank(request, prefix="sign-") if asks_to_sign(request, Meaning.DEVIATION_CLOSED) else None
    return await _shown(request, house, who, number, sign=sign)


@router.post("/{number}/assessment")
async def assess(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """State the assessment, which the closing signature then covers."""
    entry = await read_entry(request)
    assessment = entry.prose("assessment")
    try:
        await once(deviations.assess_deviation(house, entry.call(who), number=number, assessment=assessment))
    except Refusal as refusal:
        return await _shown(request, house, who, number, assessing=entry.again(refusal))
    return see(f"/deviations/{number}")


@router.post("/{number}/label-imbalance")
async def explain_labels(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """State what was done about a count of labels that does not come out."""
    entry = await read_entry(request)
    search, risk, evidence = entry.prose("search"), entry.prose("mix_up_risk"), entry.prose("independent_evidence")
    page = await deviations.show_deviation(house, who.actor, number=number)
    try:
        await once(
            label_counts.explain_imbalance(
                house,
                entry.call(who),
                code=page.lot_code or "",
                deviation=number,
                search=search,
                mix_up_risk=risk,
                independent_evidence=evidence,
            )
        )
    except Refusal as refusal:
        return await _shown(request, house, who, number, explaining=entry.again(refusal, prefix="labels-"))
    return see(f"/deviations/{number}")


@router.post("/{number}/closing")
async def close(request: Request, house: HouseDep, who: SignedInDep, number: str) -> Response:
    """Sign its impact, and with it everything that stands in it."""
    entry = await read_entry(request)
    impact = entry.one_of(STATEMENT, IMPACT_NAMES)
    try:
        ceremony = await signed(
            house,
            who,
            entry,
            meaning=Meaning.DEVIATION_CLOSED,
            kind=RecordKind.DEVIATION,
            ref=number,
            statement=impact,
        )
        await once(deviations.close_deviation(house, entry.call(who, part="act"), number=number, ceremony=ceremony))
    except Refusal as refusal:
        return await _shown(request, house, who, number, sign=entry.again(refusal, prefix="sign-"))
    return see(f"/deviations/{number}")


# -- shared with holds and audit ---------------------------------------------------------------------------------------


def asked_of(sought: str) -> dict[str, str | None]:
    """What a search asks for: of a lot's label everything of the lot, of another's the item, else the words."""
    try:
        code = parse(sought)
    except CodeError:
        code = None
    if code is None or code.scheme not in {CodeScheme.OWN, CodeScheme.DIN}:
        visible = "".join(each for each in sought if each.isprintable())
        return {"lot": None, "item": None, "sought": visible or None}
    is_lot = code.kind is CodeKind.LOT
    return {"lot": code.value if is_lot else None, "item": None if is_lot else code.value, "sought": None}


def at_field(field: str, refusal: NotFound) -> Refusal:
    """The refusal, said at the field that named what is not there."""
    return BadInput(field=field, what=refusal.what, why=refusal.why, remedy=refusal.remedy)


def account_in(what: str) -> Told:
    """The words of a deviation; of a record of what has already happened also its facts."""
    words, found, rest = what.rpartition(f"\n{SEPARATOR}\n")
    if not found:
        return Told(what, ())
    facts: list[tuple[Text, str]] = []
    for line in rest.split("\n"):
        name, colon, value = line.partition(": ")
        if not colon or name not in FACT_NAMES:
            return Told(what, ())
        try:
            facts.append((FACT_NAMES[name], _plain(json.loads(value))))
        except ValueError:
            return Told(what, ())
    return Told(words, tuple(facts))


def _plain(value: object) -> str:
    match value:
        case dict():
            return "; ".join(f"{name}: {_plain(each)}" for name, each in value.items() if each is not None)
        case list():
            return ", ".join(_plain(each) for each in value)
        case _:
            return str(value)


# -- within ------------------------------------------------------------------------------------------------------------


async def _new_shown(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "deviations/new.html",
        status=form.status,
        who=who,
        form=form,
        severity_says=SEVERITY_SAYS,
        rules={each.id: Text("{rule}: {title}", rule=each.id, title=each.title) for each in RULES},
    )


async def _shown(
    request: Request,
    house: House,
    who: SignedIn,
    number: str,
    *,
    sign: FormView | None = None,
    assessing: FormView | None = None,
    explaining: FormView | None = None,
) -> Response:
    page = await deviations.show_deviation(house, who.actor, number=number)
    deviation = page.deviation
    is_open = deviation.state == "open"
    may_close = may_sign(who, Meaning.DEVIATION_CLOSED)
    tried = next((each for each in (sign, assessing, explaining) if each is not None and each.refusal), None)
    may_assess = is_open and may(who.actor, Act.ASSESS_DEVIATION)
    may_explain = (
        is_open
        and LABELS_RULE in deviation.rules
        and page.lot_kind in {"preparation", "bank"}
        and may(who.actor, Act.EXPLAIN_LABEL_COUNT)
    )
    has_dialog = sign is not None and is_open and may_close and bool(deviation.assessment)
    shows_forms = has_dialog or (assessing is not None and may_assess) or (explaining is not None and may_explain)
    return await render(
        request,
        "deviations/deviation.html",
        status=tried.status if tried else 200,
        who=who,
        page=page,
        deviation=deviation,
        told=account_in(deviation.what),
        rules=[(each, BY_ID[each].title if each in BY_ID else None) for each in deviation.rules],
        refusal=tried.refusal if tried and not shows_forms else None,
        assessing=(assessing or await blank(request, assessment=deviation.assessment)) if may_assess else None,
        explaining=(explaining or await blank(request, prefix="labels-")) if may_explain else None,
        may_close=is_open and may_close,
        dialog=await _dialog(house, who, page, sign) if has_dialog and sign is not None else None,
        meaning=Meaning.DEVIATION_CLOSED,
        **NAMES,
    )


async def _dialog(house: House, who: SignedIn, page: DeviationPage, form: FormView) -> SignDialog:
    deviation: DeviationView = page.deviation
    lines = [
        Text(
            "Deviation {number} on {item}: {what}",
            number=deviation.number,
            item=deviation.lot or grouped(deviation.item),
            what=_begins(account_in(deviation.what).words),
        ),
        Text("Assessment: {words}", words=_begins(deviation.assessment or "")),
    ]
    if page.imbalances:
        lines.append(Text("What is stated of the count of labels is signed with it."))
    return await to_sign(
        house,
        who,
        meaning=Meaning.DEVIATION_CLOSED,
        kind=RecordKind.DEVIATION,
        ref=deviation.number,
        action=f"/deviations/{deviation.number}/closing",
        here=f"/deviations/{deviation.number}",
        title=Text("You close this deviation"),
        submit=Text("Sign and close"),
        lines=tuple(lines),
        form=form,
        is_open=True,
    )


def _begins(words: str) -> str:
    return words if len(words) <= SHOWN_WORDS else f"{words[:SHOWN_WORDS]}…"
