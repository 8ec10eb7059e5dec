"""MAT-05: no animal serum from an area with animal epidemics."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from app.domain import settings
from app.domain.animal_serum import BSE, CATEGORY_NAMES, SPECIES_NAMES, standing_on
from app.domain.counterexamples import Edit, all_of, every, nth, setting, within, without
from app.domain.dossier import Dossier
from app.domain.facts import DiseaseStatus, Material, SubjectKind
from app.domain.materials import made_here
from app.domain.processing import too_late
from app.domain.rulebook import (
    NEVER,
    RELEASES,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import GUIDELINE, WOAH
from app.domain.text import Text

_STATED = datetime(2026, 1, 20, 9, tzinfo=UTC)
_AFTERWARDS = datetime(2026, 11, 2, 9, tzinfo=UTC)
_NEGLIGIBLE = DiseaseStatus(1, "AU", BSE, "negligible", date(2007, 1, 1), None, "WOAH resolution", _STATED)
_COLLECTED = date(2026, 3, 2)


def _serum(*statuses: DiseaseStatus, **changes: object) -> Edit:
    """The first material holds bovine serum from Australia, and these statuses are stated."""
    whole = {
        "animal_serum": True,
        "species": "bovine",
        "origin_countries": ("AU",),
        "processed_in": "AU",
        "collected_on": _COLLECTED,
    }
    return all_of(nth("materials", 0, **{**whole, **changes}), within("disease_status", lambda _: statuses))


_LACKING: dict[str, Edit] = {
    "whether it holds serum is unknown": nth("materials", 0, animal_serum=None),
    "the species is unknown": _serum(_NEGLIGIBLE, species=None),
    "a species that nobody knows": _serum(_NEGLIGIBLE, species="yeti"),
    "the countries of origin are unknown": _serum(_NEGLIGIBLE, origin_countries=None),
    "no country of origin is named": _serum(_NEGLIGIBLE, origin_countries=()),
    "the country of processing is unknown": _serum(_NEGLIGIBLE, processed_in=None),
    "the day of collection is unknown": _serum(_NEGLIGIBLE, collected_on=None),
}
_CLOSING: dict[str, Edit] = {
    "no status of the country was ever stated": _serum(),
    "the risk in the country is controlled": _serum(replace(_NEGLIGIBLE, category="controlled")),
    "the risk in the country is undetermined": _serum(replace(_NEGLIGIBLE, category="undetermined")),
    "one country of a pooled lot is not listed": _serum(_NEGLIGIBLE, origin_countries=("AU", "BR")),
    "processed in a country that is not listed": _serum(_NEGLIGIBLE, processed_in="BR"),
    "negligible only after the serum was collected": _serum(replace(_NEGLIGIBLE, valid_from=date(2026, 4, 1))),
    "negligible no longer when it was used": _serum(replace(_NEGLIGIBLE, valid_to=date(2026, 5, 1))),
    "a later statement made it worse before the use": _serum(
        _NEGLIGIBLE, DiseaseStatus(2, "AU", BSE, "undetermined", date(2026, 6, 1), None, "notice 12", _AFTERWARDS)
    ),
    "another disease has imports prohibited": _serum(
        _NEGLIGIBLE, DiseaseStatus(2, "AU", "FMD", "prohibited", date(2026, 9, 1), None, "notice 14", _AFTERWARDS)
    ),
    "another disease had imports prohibited when it was collected": _serum(
        _NEGLIGIBLE,
        DiseaseStatus(2, "AU", "FMD", "prohibited", date(2026, 2, 1), date(2026, 3, 31), "notice 9", _STATED),
    ),
    "serum of pigs from where imports are prohibited": _serum(
        DiseaseStatus(2, "AU", "ASF", "prohibited", date(2020, 1, 1), None, "notice 3", _STATED), species="porcine"
    ),
    "stated only after it was used": _serum(replace(_NEGLIGIBLE, recorded_at=_AFTERWARDS)),
    "what was undetermined was stated to be negligible after it was used": _serum(
        replace(_NEGLIGIBLE, category="undetermined"), replace(_NEGLIGIBLE, id=2, recorded_at=_AFTERWARDS)
    ),
    "a prohibition was lifted after it was used, from an earlier day on": _serum(
        DiseaseStatus(2, "AU", "ASF", "prohibited", date(2020, 1, 1), None, "notice 3", _STATED),
        DiseaseStatus(3, "AU", "ASF", "negligible", date(2020, 1, 1), None, "notice 4", _AFTERWARDS),
        species="porcine",
    ),
}


@rule(
    "MAT-05",
    Text("No animal serum from an epidemic area"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Animal serum from areas with animal epidemics is strictly prohibited."),
            Standing.STATED,
        ),
        Citation(
            WOAH,
            "chapter 11.4",
            Text("Countries stand at negligible, controlled or undetermined risk of BSE."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G1, Gate.G3, Gate.G4, Gate.G6),
    waiver=NEVER,
    breaks=(
        *(Break(name, edit, outcome=Outcome.INDETERMINATE) for name, edit in _LACKING.items()),
        *(Break(name, edit) for name, edit in _CLOSING.items()),
        Break(
            "the words of the ruminants are missing",
            all_of(_serum(_NEGLIGIBLE), setting("mat05.ruminants", [])),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the statuses are no part of the dossier",
            all_of(_serum(_NEGLIGIBLE), without("disease_status")),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "approval of serum from a country that is not listed",
            all_of(every("materials", animal_serum=True, species="bovine", collected_on=_COLLECTED)),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
            also=("MAT-04",),
        ),
        Break(
            "approval where nobody said whether it holds serum",
            every("materials", animal_serum=None),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a step planned with serum from a country that is not listed",
            _serum(),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
    ),
)
def no_serum_from_epidemic_areas(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge where serum comes from by how each country stood when it was collected, and when it was or is to be used.

    What opens must have been stated by that use; what closes counts whenever it was stated.
    """
    materials = {each.lot: each for each in dossier.materials or ()}
    lots = tuple(dict.fromkeys((*_lots_in(dossier, asked), *materials)))
    for lot in lots:
        if lot in materials:
            yield from _judge(dossier, asked, materials[lot])
        else:
            yield _unknown(lot, Text("Nothing is known of this material lot."))
    if not lots and asked.gate is Gate.G4 and dossier.materials is not None:
        yield shows(dossier.subject, Text("the step is planned without any material"))
    elif not lots:
        yield _unknown(dossier.subject, Text("No material is recorded."))


def _lots_in(dossier: Dossier, asked: Asked) -> tuple[str, ...]:
    if asked.gate is Gate.G4:
        return dossier.plan.materials if dossier.plan else ()
    return tuple(each.material_lot for each in dossier.consumptions or ())


def _unknown(subject: str, problem: Text) -> Statement:
    return lacks(
        subject, problem, Text("Record every material that the process uses, and whether it holds animal serum.")
    )


def _judge(dossier: Dossier, asked: Asked, material: Material) -> Iterator[Statement]:
    if material.prepared is not None and material.prepared.parts:
        yield shows(material.lot, made_here(material))
    elif material.animal_serum is None:
        yield lacks(
            material.lot,
            Text("Nobody has stated whether {name} holds animal serum.", name=material.name),
            Text("Ask the supplier in writing; define the material again with the answer."),
        )
    elif not material.animal_serum:
        yield shows(material.lot, Text("{name} holds no animal serum", name=material.name))
    else:
        missing = tuple(_missing(material))
        yield from missing or _from_where(dossier, asked, material)


def _missing(material: Material) -> Iterator[Statement]:
    if material.species not in SPECIES_NAMES:
        yield lacks(
            material.lot,
            Text("The species is not known from which the serum in {name} comes.", name=material.name),
            Text("Define the material again with its species."),
        )
    asked_for = (
        (Text("the countries of origin, every one of a pooled lot"), material.origin_countries),
        (Text("the country of processing"), material.processed_in),
        (Text("the day of collection or slaughter"), material.collected_on),
    )
    for what, known in asked_for:
        if not known:
            yield lacks(
                material.lot,
                Text(
                    "{name} holds animal serum, and its certificates leave open: {what}.", name=material.name, what=what
                ),
                Text("Obtain the certificate of origin of this very lot, and receive the lot with what it states."),
            )


def _from_where(dossier: Dossier, asked: Asked, material: Material) -> Iterator[Statement]:
    if dossier.disease_status is None:
        yield lacks(
            material.lot,
            Text("It is not known how any country stands for animal diseases."),
            Text("Report this to whoever keeps the system."),
        )
        return
    is_ruminant = material.species in settings.words(dossier, "mat05.ruminants")
    days = _days(dossier, asked, material)
    countries = tuple(dict.fromkeys((*(material.origin_countries or ()), material.processed_in or "")))
    for country in countries:
        if is_ruminant:
            for day, needed in days.items():
                yield _about_bse(dossier, material, country, day, needed)
        yield from _about_others(dossier, material, country, days, says_so=not is_ruminant)


def _days(dossier: Dossier, asked: Asked, material: Material) -> Mapping[date, datetime]:
    """The days that count: of collection, and of each use; of the use to come where it is about to be used.

    With each the moment by which it was to be known how the country stood on it: of the first use that asks for it.
    """
    within = _made_of(dossier, material.lot)
    uses = [each.used_at for each in dossier.consumptions or () if each.material_lot in within]
    uses += [
        each.prepared.prepared_at
        for each in dossier.materials or ()
        if each.prepared is not None and any(part.material_lot in within for part in each.prepared.parts)
    ]
    if asked.gate not in RELEASES or not uses:
        uses.append(asked.at)
    days = {} if material.collected_on is None else {material.collected_on: min(uses)}
    for at in sorted(uses):
        days.setdefault(_local_day(dossier, at), at)
    return days


def _made_of(dossier: Dossier, lot: str) -> set[str]:
    """The lot itself, and every reagent that it went into, by whatever reagents between."""
    within = {lot}
    prepared = [(each.lot, each.prepared.parts) for each in dossier.materials or () if each.prepared is not None]
    for _ in prepared:
        within |= {made for made, parts in prepared if any(part.material_lot in within for part in parts)}
    return within


def _local_day(dossier: Dossier, at: datetime) -> date:
    return (at + timedelta(hours=float(settings.number(dossier, "facility.utc_offset_hours")))).date()


def _stated_by(dossier: Dossier, moment: datetime) -> tuple[DiseaseStatus, ...]:
    return tuple(each for each in dossier.disease_status or () if each.recorded_at <= moment)


def _about_bse(dossier: Dossier, material: Material, country: str, day: date, needed: datetime) -> Statement:
    found = standing_on(dossier.disease_status or (), country=country, disease=BSE, day=day)
    if found is None:
        return fails(
            material.lot,
            Text(
                "{name}: no BSE status of {country} on {day} is stated.", name=material.name, country=country, day=day
            ),
            Text("Use serum-free material, or have the QA manager state the country's status with its source."),
        )
    if found.category != "negligible":
        return fails(
            material.lot,
            Text(
                "{name}: BSE in {country} on {day}: {category} ({source}).",
                name=material.name,
                country=country,
                day=day,
                category=CATEGORY_NAMES[found.category],
                source=found.source,
            ),
            Text("Use serum from a country with negligible risk on every day that counts, or serum-free material."),
        )
    then = standing_on(_stated_by(dossier, needed), country=country, disease=BSE, day=day)
    if then is None or then.category != found.category:
        return too_late(
            dossier,
            "MAT-05",
            subject=material.lot,
            problem=Text(
                "{name}: that BSE in {country} on {day} is a negligible risk was stated only after the use at {used}.",
                name=material.name,
                country=country,
                day=day,
                used=needed,
            ),
        )
    return shows(
        material.lot,
        Text(
            "{name}: BSE in {country} on {day}: {category}, by {source} from {since}",
            name=material.name,
            country=country,
            day=day,
            category=CATEGORY_NAMES[found.category],
            source=found.source,
            since=found.valid_from,
        ),
    )


def _about_others(
    dossier: Dossier, material: Material, country: str, days: Mapping[date, datetime], *, says_so: bool
) -> Iterator[Statement]:
    """Any disease for which imports from the country were prohibited. A country that no list names is not prohibited."""
    stated = dossier.disease_status or ()
    is_clear = True
    for disease in sorted({each.disease for each in stated if each.country == country and each.disease != BSE}):
        for day, needed in days.items():
            then = standing_on(_stated_by(dossier, needed), country=country, disease=disease, day=day)
            found = standing_on(stated, country=country, disease=disease, day=day)
            if found is not None and found.category == "prohibited":
                is_clear = False
                yield fails(
                    material.lot,
                    Text(
                        "{name}: on {day} imports from {country} were prohibited for {disease} ({source}).",
                        name=material.name,
                        day=day,
                        country=country,
                        disease=disease,
                        source=found.source,
                    ),
                    Text("Use serum from another country, or serum-free material. This is never waived."),
                )
            elif then is not None and then.category == "prohibited":
                is_clear = False
                yield too_late(
                    dossier,
                    "MAT-05",
                    subject=material.lot,
                    problem=Text(
                        "{name}: that imports from {country} were not prohibited for {disease} on {day} was stated only "
                        "after the use at {used}.",
                        name=material.name,
                        country=country,
                        disease=disease,
                        day=day,
                        used=needed,
                    ),
                )
    if is_clear and says_so:
        yield shows(
            material.lot,
            Text("{name}: no prohibition of imports from {country} is stated", name=material.name, country=country),
        )
