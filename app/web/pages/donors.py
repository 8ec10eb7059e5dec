"""Donors: found by pseudonym or label, registered by relation, and what is known of each recorded form by form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.sessions import SignedIn
from app.domain.acts import Act, require
from app.domain.donors import IDENTIFIER_NAMES, MARKER_STATE_NAMES, OUTCOME_NAMES, SCOPE_NAMES, same
from app.domain.errors import Refusal
from app.domain.facts import MarkerOutcome, Relation
from app.domain.text import Text
from app.requests import HouseDep, SignedInDep
from app.services import donations, donors, histories
from app.services.donors import SELF, DonorView, GivenView, MarkerView
from app.services.house import House
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.refusals import CodeDep, PageRoute
from app.web.shell import render
from labels.codes import CodeError, CodeKind, CodeScheme, parse

router = APIRouter(prefix="/donors", route_class=PageRoute)
PAGE = 50
NAME = 120

RELATION_NAMES: Mapping[Relation, Text] = {
    Relation.AUTOLOGOUS: Text("autologous"),
    Relation.ALLOGENEIC: Text("allogeneic"),
}
DONATION_MARKS: Mapping[str, tuple[str, str, Text]] = {
    "quarantine": ("wait", "clock", Text("in quarantine")),
    "eligible": ("go", "check", Text("donor eligible")),
    "ineligible": ("stop", "x", Text("donor not eligible")),
}


EXAMINATIONS: Mapping[str, Text] = {"suitable": Text("suitable"), "not_suitable": Text("not suitable")}
WHY_ASKED: Mapping[str, Text] = {
    "DON-01": Text("asked of every donor"),
    "DON-02": Text("asked where the tissue is rich in leukocytes"),
    "": Text("beside the panel"),
}


class Case(StrEnum):
    """Whose cells come, and for whom: what decides which fields matter."""

    AUTOLOGOUS = "autologous"
    ALLOGENEIC = "allogeneic"
    BIRTH = "birth"


CASE_NAMES: Mapping[Case, tuple[Text, Text]] = {
    Case.AUTOLOGOUS: (Text("For the donor"), Text("Autologous: the cells go back to the person who gave them.")),
    Case.ALLOGENEIC: (Text("For somebody else"), Text("Allogeneic: the cells are meant for another person.")),
    Case.BIRTH: (
        Text("Birth tissue"),
        Text("Cord, placenta or amnion: the child's cells, and the mother is the person tested."),
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One marker of the panel on the form; `slug` makes its fields' names."""

    analyte: str
    marker: str
    slug: str


@router.get("")
async def list_donors(
    request: Request, house: HouseDep, who: SignedInDep, q: str = "", relation: str = "", after: str | None = None
) -> Response:
    """Donors, newest first. A scanned label leads straight to what it names."""
    sought = q.strip()[:200]
    if there := _led_to(sought):
        return see(there)
    chosen = Relation(relation) if relation in set(Relation) else None
    found = await donors.list_donors(
        house, who.actor, after=after, limit=PAGE, relation=chosen, sought=_as_pseudonym(sought)
    )
    return await render(
        request,
        "donors/list.html",
        who=who,
        found=found,
        q=sought,
        chosen=chosen,
        next=found[-1].code if len(found) == PAGE else None,
        relation_names=RELATION_NAMES,
    )


@router.get("/new")
async def new_donor(request: Request, who: SignedInDep, case: str = "") -> Response:
    """First whose cells they are, then the fields that matter for that."""
    require(who.actor, Act.REGISTER_DONOR)
    chosen = Case(case) if case in set(Case) else None
    return await _new_shown(request, who, await blank(request), case=chosen)


@router.post("/new")
async def register(request: Request, house: HouseDep, who: SignedInDep, case: str = "") -> Response:
    """Register a donor, and before the donor a mother who is not known yet."""
    chosen = Case(case) if case in set(Case) else Case.ALLOGENEIC
    entry = await read_entry(request)
    person = _identity(entry)
    mother: str | None = None
    is_new_mother = chosen is Case.BIRTH and not entry.code("mother")
    their = _identity(entry, "mother_") if is_new_mother else {}
    recipient = entry.code("recipient") if chosen is not Case.AUTOLOGOUS else SELF
    scanned = entry.code("mother") if chosen is Case.BIRTH else None
    try:
        # The form is whole before anything of it is done.
        call = entry.call(who, part="donor", holds_secrets=True)
        if is_new_mother:
            known = entry.call(who, part="mother", holds_secrets=True)
            mother = (await once(donors.register_person(house, known, person=their)))["code"]
        made = await once(
            donors.register_donor(
                house,
                call,
                relation=Relation.AUTOLOGOUS if chosen is Case.AUTOLOGOUS else Relation.ALLOGENEIC,
                person=person,
                tested_person=mother or scanned,
                genetic_source=None,
                recipient=recipient,
                kind=donors.BIRTH if chosen is Case.BIRTH else None,
            )
        )
    except Refusal as refusal:
        form = entry.again(refusal)
        if mother is not None:
            form.values["mother"] = [mother]
        return await _new_shown(request, who, form, case=chosen)
    return see(f"/donors/{made['code']}")


@router.get("/recipients/new")
async def new_recipient(request: Request, who: SignedInDep) -> Response:
    """Somebody who gives no cells."""
    require(who.actor, Act.REGISTER_DONOR)
    return await render(request, "donors/recipient.html", who=who, form=await blank(request), made=None)


@router.post("/recipients/new")
async def register_recipient(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Register a recipient, and say the pseudonym."""
    entry = await read_entry(request)
    person = _identity(entry)
    try:
        made = await once(donors.register_person(house, entry.call(who, holds_secrets=True), person=person))
    except Refusal as refusal:
        form = entry.again(refusal)
        return await render(request, "donors/recipient.html", status=form.status, who=who, form=form, made=None)
    return await render(request, "donors/recipient.html", status=201, who=who, form=None, made=made)


@router.get("/{code}")
async def show_donor(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """A donor: the three facts, consents, matches, the panel with what is missing, donations."""
    page = await donors.show_donor(house, who.actor, code=code)
    return await render(
        request,
        "donors/donor.html",
        who=who,
        donor=page.donor,
        panel=page.panel,
        donations=await donations.list_donations(house, who.actor, after=None, limit=PAGE, donor=code),
        donation_marks=DONATION_MARKS,
        relation_names=RELATION_NAMES,
        state_names=MARKER_STATE_NAMES,
        outcome_names=OUTCOME_NAMES,
        identifier_names=IDENTIFIER_NAMES,
        scope_names=SCOPE_NAMES,
        histories=await histories.read_histories(house, who.actor, code=code),
        examinations=EXAMINATIONS,
        why_asked=WHY_ASKED,
    )


@router.get("/{code}/consents/new")
async def new_consent(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """A consent as it was signed."""
    require(who.actor, Act.RECORD_CONSENT)
    return await _form_shown(request, house, who, code, "consent", await blank(request))


@router.post("/{code}/consents/new")
async def record_consent(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Keep a consent."""
    entry = await read_entry(request)
    version, signed_at = entry.text("form_version", most=NAME), entry.moment("signed_at")
    scopes = entry.several("scopes", among=SCOPE_NAMES)
    others = [line for line in entry.lines("other_scopes") if line not in scopes]
    if any(len(line) > NAME for line in others):
        entry.problem("other_scopes", Text("A use is longer than {most} characters.", most=NAME), Text("Shorten it."))
    try:
        call = entry.call(who)
        await once(
            donors.record_consent(
                house, call, code=code, form_version=version, scopes=sorted([*scopes, *others]), signed_at=signed_at
            )
        )
    except Refusal as refusal:
        return await _form_shown(request, house, who, code, "consent", entry.again(refusal))
    return see(f"/donors/{code}")


@router.get("/{code}/consents/withdrawal")
async def new_withdrawal(
    request: Request, house: HouseDep, who: SignedInDep, code: CodeDep, form_version: str = ""
) -> Response:
    """Which consent is withdrawn, and when."""
    require(who.actor, Act.WITHDRAW_CONSENT)
    form = await blank(request, form_version=form_version[:NAME], withdrawn_at=datetime.now(UTC))
    return await _form_shown(request, house, who, code, "withdrawal", form)


@router.post("/{code}/consents/withdrawal")
async def withdraw_consent(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Keep that a consent was withdrawn."""
    entry = await read_entry(request)
    version, at = entry.text("form_version", most=NAME), entry.moment("withdrawn_at")
    try:
        call = entry.call(who)
        await once(donors.withdraw_consent(house, call, code=code, form_version=version, withdrawn_at=at))
    except Refusal as refusal:
        return await _form_shown(request, house, who, code, "withdrawal", entry.again(refusal, of="form_version"))
    return see(f"/donors/{code}")


@router.get("/{code}/identity-matches/new")
async def new_match(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Donor and recipient compared by two people."""
    require(who.actor, Act.MATCH_IDENTITY)
    return await _form_shown(request, house, who, code, "match", await blank(request))


@router.post("/{code}/identity-matches/new")
async def match_identity(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Keep the comparison."""
    entry = await read_entry(request)
    recipient = SELF if entry.flag("is_self") else entry.scanned("recipient")
    identifiers = sorted(entry.several("identifiers", among=IDENTIFIER_NAMES))
    second = entry.text("second_by", most=NAME)
    try:
        call = entry.call(who)
        await once(
            donors.match_identity(
                house, call, code=code, recipient=recipient, identifiers=identifiers, second_by=second
            )
        )
    except Refusal as refusal:
        return await _form_shown(request, house, who, code, "match", entry.again(refusal))
    return see(f"/donors/{code}")


@router.get("/{code}/markers/new")
async def new_markers(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """The whole panel on one form."""
    require(who.actor, Act.RECORD_MARKER)
    return await _markers_shown(request, house, who, code, await blank(request), await _rows(house, who, code))


@router.post("/{code}/markers/new")
async def record_markers(request: Request, house: HouseDep, who: SignedInDep, code: CodeDep) -> Response:
    """Keep what the laboratory reported; a marker without an answer is not recorded."""
    entry = await read_entry(request)
    rows = await _rows(house, who, code)
    known = await donors.known_analytes(house, who.actor) if entry.optional("other_analyte") else ()
    markers, given = _read_markers(entry, rows, known=known), _given(entry)
    try:
        sent = list(markers.values())
        await once(donors.record_markers(house, entry.call(who), code=code, markers=sent, given=given))
    except Refusal as refusal:
        at = {f"markers.{i}": f"outcome-{slug}" for i, slug in enumerate(markers)}
        at |= {
            f"markers.{i}.{each}": OTHER[each] for i, slug in enumerate(markers) if slug == "other" for each in OTHER
        }
        return await _markers_shown(request, house, who, code, entry.again(refusal, at=at), rows)
    return see(f"/donors/{code}")


# -- within ------------------------------------------------------------------------------------------------------------


def _led_to(sought: str) -> str | None:
    """Where a scanned label leads, if it is one of a person or a donation."""
    try:
        code = parse(sought)
    except CodeError:
        return None
    if code.scheme is CodeScheme.DIN:
        return f"/donations/={code.value}00"  # as its label says it: a bare number would be taken for a typed one
    if code.kind is CodeKind.DONATION:
        return f"/donations/{code.value}"
    if code.scheme is CodeScheme.OWN:
        return f"/donors/{code.value}" if code.kind is CodeKind.PERSON else f"/items/{code.value}"
    return None


def _as_pseudonym(sought: str) -> str | None:
    """What a pseudonym may begin with; None for no search. What cannot stand in one is left out."""
    return "".join(each for each in sought.upper() if each.isprintable()) or None


def _identity(entry: Entry, prefix: str = "") -> dict[str, str]:
    given = {
        "name": entry.text(f"{prefix}name", most=NAME),
        "hospital_number": entry.text(f"{prefix}hospital_number", most=NAME),
        "birth_date": entry.day(f"{prefix}birth_date").isoformat(),
        "national_id": entry.optional(f"{prefix}national_id", most=NAME),
        "phone": entry.optional(f"{prefix}phone", most=NAME),
    }
    return {name: value for name, value in given.items() if value is not None}


async def _new_shown(request: Request, who: SignedIn, form: FormView, *, case: Case | None) -> Response:
    return await render(
        request, "donors/new.html", status=form.status, who=who, form=form, case=case, case_names=CASE_NAMES
    )


async def _form_shown(
    request: Request, house: House, who: SignedIn, code: str, name: str, form: FormView, **more: Any
) -> Response:
    donor = await donors.read_donor(house, who.actor, code=code)
    return await render(
        request,
        f"donors/{name}.html",
        status=form.status,
        who=who,
        form=form,
        donor=donor,
        is_self=_is_self(donor),
        live={each.form_version: each.form_version for each in donor.consents if each.withdrawn_at is None},
        relation_names=RELATION_NAMES,
        scope_names=SCOPE_NAMES,
        identifier_names=IDENTIFIER_NAMES,
        **more,
    )


def _is_self(donor: DonorView) -> bool:
    return donor.relation is Relation.AUTOLOGOUS and donor.recipient in {None, donor.pseudonym}


async def _markers_shown(
    request: Request, house: House, who: SignedIn, code: str, form: FormView, rows: list[Row]
) -> Response:
    return await _form_shown(
        request,
        house,
        who,
        code,
        "markers",
        form,
        rows=rows,
        outcomes=("", *MarkerOutcome),
        analytes={each: each for each in await donors.known_analytes(house, who.actor)},
        outcome_words=OUTCOME_WORDS,
    )


VOLUMES = ("blood_ml", "colloid_ml", "crystalloid_ml")
OTHER = {"analyte": "other_analyte", "marker": "other_marker"}
"""Where the form shows what the service says of a field: the panel's own markers are known and stand there once."""
OUTCOME_WORDS: Mapping[str, Text] = {
    "": Text("not in this report"),
    **{outcome.value: name for outcome, name in OUTCOME_NAMES.items()},
}


async def _rows(house: House, who: SignedIn, code: str) -> list[Row]:
    panel = await donors.marker_panel(house, who.actor, code=code)
    return [Row(analyte, marker, _slug(analyte, marker)) for analyte, names in panel.items() for marker in names]


def _slug(analyte: str, marker: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{analyte} {marker}".lower()).strip("-")


def _read_markers(entry: Entry, rows: list[Row], *, known: tuple[str, ...]) -> dict[str, MarkerView]:
    """What was reported of each marker of the panel, and of one beside it, by the slug of its row."""
    method, kit_lot = entry.text("method", most=NAME), entry.text("kit_lot", most=NAME)
    laboratory, sampled_at = entry.text("laboratory"), entry.moment("sampled_at")
    reported_at = entry.optional_moment("reported_at")
    asked = [*rows]
    if analyte := entry.optional("other_analyte", most=NAME):
        if not any(same(analyte, name) for name in known):
            strange = Text("{analyte} is no infection that is known here.", analyte=analyte)
            entry.problem("other_analyte", strange, Text("Choose one of: {analytes}.", analytes=known))
        asked.append(Row(analyte, entry.text("other_marker", most=NAME), "other"))
        entry.one_of("outcome-other", tuple(MarkerOutcome))
    shown = {f"outcome-{row.slug}" for row in asked} | {"outcome-other"}
    if any(name.startswith("outcome-") and name not in shown for name in entry.names()):
        entry.problem("method", Text("The panel has changed since this form was opened."), Text("Open the form again."))
    reported = {
        row.slug: MarkerView(
            analyte=row.analyte,
            marker=row.marker,
            method=entry.optional(f"method-{row.slug}", most=NAME) or method,
            kit_lot=entry.optional(f"kit-{row.slug}", most=NAME) or kit_lot,
            laboratory=laboratory,
            sampled_at=sampled_at,
            reported_at=None if outcome is MarkerOutcome.PENDING else reported_at,
            outcome=outcome,
        )
        for row in asked
        if (outcome := _outcome(entry, row)) is not None
    }
    if not reported:
        first = f"outcome-{rows[0].slug}" if rows else "method"
        entry.problem(first, Text("No marker has an answer."), Text("Say what the laboratory reported."))
    elif reported_at is None and any(each.outcome is not MarkerOutcome.PENDING for each in reported.values()):
        entry.problem(
            "reported_at",
            Text("A result that is not pending has a time of report."),
            Text("State when the laboratory reported it."),
        )
    return reported


def _given(entry: Entry) -> GivenView | None:
    """What was given before the sample, where anything is said of it: then all of it but the weight."""
    volumes = {name: entry.optional_amount(name, most=100_000) for name in VOLUMES}
    weight = entry.optional_amount("weight_kg", most=500)
    if weight is None and all(each is None for each in volumes.values()):
        return None
    for name, each in volumes.items():
        if each is None:
            entry.problem(name, Text("It is not said how much."), Text("Write 0 where nothing was given."))
    if weight is not None and weight <= 0:
        entry.problem("weight_kg", Text("Nobody weighs nothing."), Text("Write the weight, or leave it empty."))
    return GivenView(weight_kg=weight, **{name: each or Decimal(0) for name, each in volumes.items()})


def _outcome(entry: Entry, row: Row) -> MarkerOutcome | None:
    if not entry.optional(f"outcome-{row.slug}"):
        return None
    return entry.choice(f"outcome-{row.slug}", MarkerOutcome)
