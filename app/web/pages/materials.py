"""Materials: their lots found by scan or name, the catalogue, and how countries stand for animal diseases."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from babel import Locale
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.db.catalogue import MaterialView
from app.db.sessions import SignedIn
from app.domain.acts import Act, require
from app.domain.animal_serum import CATEGORY_NAMES, DISEASE_NAMES, SPECIES_NAMES
from app.domain.countries import COUNTRIES
from app.domain.errors import Refusal
from app.domain.facts import Component
from app.domain.lots import STATE_NAMES, LotState
from app.domain.text import Text
from app.locale import language_of
from app.requests import HouseDep, SignedInDep
from app.services import animal_diseases, catalogue, materials
from app.web.fields import Entry, FormView, blank, once, read_entry, see
from app.web.forms import FieldProblem, Form
from app.web.refusals import PageRoute
from app.web.shell import render, the_facility
from labels.codes import CodeError, CodeKind, CodeScheme, parse

router = APIRouter(prefix="/materials", route_class=PageRoute)
PAGE = 50
NAME = 120
SOON_DAYS = 30
OPENED_LIFE_MOST_HOURS = 87_600
COMPONENTS_MOST = 200
SOON = "expiring"

FILTERS = (LotState.QUARANTINE, LotState.APPROVED, LotState.REJECTED, LotState.RECALLED)
GRADE_NAMES: Mapping[str, tuple[Text, Text]] = {
    "approved_drug": (Text("Approved drug"), Text("with a marketing authorisation")),
    "pharmacopoeial_excipient": (Text("Pharmacopoeial excipient"), Text("to the monograph of a pharmacopoeia")),
    "gmp_ancillary": (Text("GMP ancillary material"), Text("made for cell therapy, under GMP")),
    "clinical_device": (Text("Medical device"), Text("cleared for clinical use")),
    "research": (Text("Research grade"), Text("for research use only")),
}
_CAS = re.compile(r"(.*?)[\s,;:(（]+(?:CAS[\s:]*)?([0-9]{2,7}-[0-9]{2}-[0-9])[)）]?", re.ASCII)


class Known(StrEnum):
    """How much of the composition is known."""

    ALL = "all"
    PART = "part"
    NOTHING = "nothing"


class Serum(StrEnum):
    """Whether the material holds animal serum."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


KNOWN_NAMES: Mapping[Known, tuple[Text, Text]] = {
    Known.ALL: (Text("Known in full"), Text("The list names every component.")),
    Known.PART: (Text("Known in part"), Text("The supplier keeps something to itself: its lots cannot be approved.")),
    Known.NOTHING: (Text("Not known"), Text("Its lots cannot be approved.")),
}
SERUM_NAMES: Mapping[Serum, tuple[Text, Text]] = {
    Serum.NO: (Text("No"), Text("Neither serum nor anything made of it.")),
    Serum.YES: (Text("Yes"), Text("Each lot needs its countries of origin.")),
    Serum.UNKNOWN: (Text("Not known"), Text("Its lots cannot be approved.")),
}
KIND_NAMES: Mapping[str, tuple[Text, Text]] = {
    "reagent": (Text("Reagent"), Text("Media, salts, enzymes, serum and what else is used up.")),
    "single_use": (
        Text("Single-use item"),
        Text("Flasks, bags and tips that touch cells: each lot needs certificates."),
    ),
    "vector": (Text("Vector or plasmid"), Text("It needs to be said under which antibiotic it was grown.")),
}
ORIGIN_NAMES: Mapping[Serum, tuple[Text, Text]] = {
    Serum.NO: (Text("No"), Text("Neither it nor anything in it.")),
    Serum.YES: (Text("Yes"), Text("Its lots ask for more papers.")),
    Serum.UNKNOWN: (Text("Not known"), Text("Its lots cannot be approved.")),
}
IS_SO = {Serum.YES: True, Serum.NO: False}
HOLDS_SERUM = {True: Serum.YES, False: Serum.NO, None: Serum.UNKNOWN}


@router.get("")
async def list_lots(
    request: Request, house: HouseDep, who: SignedInDep, q: str = "", state: str = "", after: str | None = None
) -> Response:
    """Material lots, newest first, of one state or expiring soon. A scanned label leads straight to what it names."""
    sought = "".join(each for each in q.strip()[:200] if each.isprintable())
    if there := _led_to(q.strip()[:256]):
        return see(there)
    today = datetime.now((await the_facility(request)).zone).date()
    chosen = LotState(state) if state in set(LotState) else None
    soon = today + timedelta(days=SOON_DAYS)
    found = await materials.list_material_lots(
        house,
        who.actor,
        state=chosen,
        after=after,
        limit=PAGE,
        sought=sought or None,
        expiring_by=soon if state == SOON else None,
    )
    return await render(
        request,
        "materials/list.html",
        who=who,
        found=found,
        q=sought,
        chosen=SOON if state == SOON else chosen,
        filters={**{each.value: STATE_NAMES[each] for each in FILTERS}, SOON: Text("expires within 30 days")},
        today=today,
        soon=soon,
        next=found[-1].code if len(found) == PAGE else None,
        state_names=STATE_NAMES,
    )


@router.get("/catalogue")
async def list_materials(
    request: Request, house: HouseDep, who: SignedInDep, q: str = "", after: str | None = None
) -> Response:
    """Materials by name."""
    sought = "".join(each for each in q.strip()[:200] if each.isprintable())
    begin = None if after is None else "".join(each for each in after[:NAME] if each.isprintable())
    found = await catalogue.list_materials(house, who.actor, after=begin, limit=PAGE, sought=sought or None)
    return await render(
        request,
        "materials/catalogue.html",
        who=who,
        found=found,
        q=sought,
        next=found[-1].name if len(found) == PAGE else None,
        grade_names=GRADE_NAMES,
        serum_names=SERUM_NAMES,
        holds_serum=HOLDS_SERUM,
        species_names=SPECIES_NAMES,
    )


@router.get("/catalogue/new")
async def new_material(request: Request, who: SignedInDep) -> Response:
    """A material that nobody defined yet."""
    require(who.actor, Act.DEFINE_MATERIAL)
    return await _new_shown(request, who, await blank(request))


@router.post("/catalogue/new")
async def define_material(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """Define it."""
    entry = await read_entry(request)
    name, grade = entry.text("name", most=NAME), entry.one_of("grade", GRADE_NAMES)
    known, serum = entry.choice("known", Known), entry.choice("animal_serum", Serum)
    description = entry.optional("description", most=2000)
    components = _components(entry)
    if known is not Known.NOTHING and not components:
        entry.problem("components", Text("No component is named."), Text("Name what is known, a component each line."))
    # What the page no longer asks because of an answer above is not taken from it.
    species = entry.one_of("species", SPECIES_NAMES) if serum is Serum.YES and entry.optional("species") else None
    keeps = entry.optional_amount("opened_life_hours", least=Decimal("0.01"), most=OPENED_LIFE_MOST_HOURS)
    kind, origin = entry.one_of("kind", KIND_NAMES), _origin(entry)
    if kind != "vector":
        origin["selected_with"] = None
    try:
        await once(
            catalogue.define_material(
                house,
                entry.call(who),
                name=name,
                description=description or "",
                grade=grade,
                composition=None if known is Known.NOTHING else components,
                composition_complete=known is Known.ALL,
                animal_serum={Serum.YES: True, Serum.NO: False}.get(serum),
                species=species,
                opened_life_hours=keeps,
                kind=kind,
                **origin,
            )
        )
    except Refusal as refusal:
        return await _new_shown(request, who, entry.again(refusal, at={"composition": "components"}))
    return see("/materials/catalogue")


@router.get("/catalogue/origin")
async def ask_origin(request: Request, house: HouseDep, who: SignedInDep, material: str = "") -> Response:
    """Of what origin a material is, beginning with what was stated last."""
    require(who.actor, Act.STATE_MATERIAL)
    found = await catalogue.read_material(house, who.actor, name=_line(material))
    form = await blank(
        request,
        animal_derived=HOLDS_SERUM[found.animal_derived].value,
        human_derived=HOLDS_SERUM[found.human_derived].value,
        selected_with=found.selected_with,
    )
    return await _origin_shown(request, who, form, found)


@router.post("/catalogue/origin")
async def state_origin(request: Request, house: HouseDep, who: SignedInDep, material: str = "") -> Response:
    """State it; what was stated before stays."""
    require(who.actor, Act.STATE_MATERIAL)
    entry = await read_entry(request)
    found = await catalogue.read_material(house, who.actor, name=_line(material))
    origin = _origin(entry)
    if found.kind != "vector":
        origin["selected_with"] = None
    try:
        await once(catalogue.state_material(house, entry.call(who), name=found.name, **origin))
    except Refusal as refusal:
        return await _origin_shown(request, who, entry.again(refusal), found)
    return see("/materials/catalogue")


@router.get("/animal-diseases")
async def list_disease_status(
    request: Request, house: HouseDep, who: SignedInDep, country: str = "", after: int | None = None
) -> Response:
    """What was stated of countries, newest first."""
    chosen = country if country in COUNTRIES else None
    found = await animal_diseases.list_disease_status(
        house, who.actor, country=chosen, after=after if after and 0 < after < 2**63 else None, limit=PAGE
    )
    return await render(
        request,
        "materials/diseases.html",
        who=who,
        found=found,
        chosen=chosen,
        next=found[-1].status if len(found) == PAGE else None,
        countries=country_names(request),
        disease_names=DISEASE_NAMES,
        category_names=CATEGORY_NAMES,
        marks_of=CATEGORY_MARKS,
    )


@router.get("/animal-diseases/new")
async def new_disease_status(request: Request, who: SignedInDep, country: str = "") -> Response:
    """How a country stands."""
    require(who.actor, Act.STATE_DISEASE_STATUS)
    form = await blank(request, country=country if country in COUNTRIES else None, disease="BSE")
    return await _status_shown(request, who, form)


@router.post("/animal-diseases/new")
async def state_disease_status(request: Request, house: HouseDep, who: SignedInDep) -> Response:
    """State it."""
    entry = await read_entry(request)
    country, disease = entry.one_of("country", tuple(COUNTRIES)), entry.text("disease", most=NAME)
    category, source = entry.one_of("category", CATEGORY_NAMES), entry.text("source")
    begins, ends = entry.day("valid_from", ahead=True), entry.optional_day("valid_to", ahead=True)
    try:
        await once(
            animal_diseases.state_disease_status(
                house,
                entry.call(who),
                country=country,
                disease=disease,
                category=category,
                valid_from=begins,
                valid_to=ends,
                source=source,
            )
        )
    except Refusal as refusal:
        return await _status_shown(request, who, entry.again(refusal))
    return see(f"/materials/animal-diseases?country={country}")


CATEGORY_MARKS: Mapping[str, tuple[str, str]] = {
    "negligible": ("go", "check"),
    "controlled": ("stop", "alert-triangle"),
    "undetermined": ("stop", "question-mark"),
    "prohibited": ("stop", "ban"),
}


def country_names(request: Request) -> dict[str, str]:
    """Every country by its two letters, in the reader's language and in its order."""
    names = Locale.parse(language_of(request)).territories
    return dict(sorted(((each, f"{names.get(each, each)} ({each})") for each in COUNTRIES), key=lambda pair: pair[1]))


# -- within ------------------------------------------------------------------------------------------------------------


def _led_to(sought: str) -> str | None:
    """Where a scanned label leads, if it is one of ours; a supplier's code is looked up by the items' page."""
    try:
        code = parse(sought)
    except CodeError:
        return None
    if code.scheme is CodeScheme.OWN:
        return f"/materials/{code.value}" if code.kind is CodeKind.LOT else f"/items/{code.value}"
    return None


def _line(typed: str) -> str:
    return "".join(each for each in typed[:NAME] if each.isprintable())


def _origin(entry: Entry) -> dict[str, Any]:
    return {
        "animal_derived": IS_SO.get(entry.choice("animal_derived", Serum)),
        "human_derived": IS_SO.get(entry.choice("human_derived", Serum)),
        "selected_with": entry.optional("selected_with", most=NAME),
    }


async def _origin_shown(request: Request, who: SignedIn, form: FormView, material: MaterialView) -> Response:
    return await render(
        request,
        "materials/origin.html",
        status=form.status,
        who=who,
        form=form,
        material=material,
        origin_names=ORIGIN_NAMES,
    )


async def _new_shown(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "materials/new.html",
        status=form.status,
        who=who,
        form=form,
        grade_names=GRADE_NAMES,
        known_names=KNOWN_NAMES,
        serum_names=SERUM_NAMES,
        species_names=SPECIES_NAMES,
        kind_names=KIND_NAMES,
        origin_names=ORIGIN_NAMES,
    )


async def _status_shown(request: Request, who: SignedIn, form: FormView) -> Response:
    return await render(
        request,
        "materials/disease.html",
        status=form.status,
        who=who,
        form=form,
        countries=country_names(request),
        disease_names=DISEASE_NAMES,
        category_names=CATEGORY_NAMES,
    )


def _components(entry: Entry) -> list[Component]:
    """A component each line, its CAS number at the line's end."""
    found: list[Component] = []
    for line in entry.lines("components"):
        read = _CAS.fullmatch(line)
        name, cas = (read[1], read[2]) if read else (line, None)
        try:
            found.append(Component(Form([("components", name)]).text("components", most=NAME), cas))
        except FieldProblem as problem:
            entry.problem("components", problem.problem, problem.remedy)
    if len(found) > COMPONENTS_MOST:
        entry.problem(
            "components", Text("It holds more than {most} entries.", most=COMPONENTS_MOST), Text("Shorten the list.")
        )
    return found
