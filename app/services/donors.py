"""Donors: registered under a pseudonym, their identity encrypted and apart, what is known of them recorded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db import colleagues, donors, equipment, identity, impacts, judging
from app.domain.acts import MAY, Act, Actor
from app.domain.donors import MarkerState, read_panel, same, state_of
from app.domain.errors import BadInput, Conflict
from app.domain.facts import Donor, Marker, MarkerOutcome, Relation
from app.domain.moments import require_order, require_past, require_past_day
from app.domain.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.db.door import Call, Change
    from app.services.house import House

SELF = "self"
BIRTH = "birth"
FOR_LEUKOCYTES = frozenset({"HTLV", "CMV", "EBV"})


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as the outside knows them: a code and a pseudonym."""

    code: str
    pseudonym: str


@dataclass(frozen=True, slots=True)
class MatchView:
    """Donor and recipient compared by identifiers (their names, never their values)."""

    recipient: str
    identifiers: tuple[str, ...]
    verified_by: str
    second_by: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A consent, and whether it was withdrawn."""

    form_version: str
    scopes: tuple[str, ...]
    signed_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class MarkerView:
    """One result of one infection marker."""

    analyte: str
    marker: str
    method: str
    kit_lot: str
    laboratory: str
    sampled_at: datetime
    reported_at: datetime | None
    outcome: MarkerOutcome


@dataclass(frozen=True, slots=True)
class GivenView:
    """What the person was given before a sample: blood and colloids within 48 h, crystalloids within 1 h, in mL."""

    weight_kg: Decimal | None
    blood_ml: Decimal
    colloid_ml: Decimal
    crystalloid_ml: Decimal


@dataclass(frozen=True, slots=True)
class SamplingView(GivenView):
    """The same, as stated for the sample of a moment."""

    sampled_at: datetime


@dataclass(frozen=True, slots=True)
class DonorView:
    """A donor without identity. Who was tested, whose genes, who receives: three facts, by pseudonym."""

    code: str
    pseudonym: str
    relation: Relation
    tested_person: str
    genetic_source: str
    recipient: str | None
    registered_at: datetime
    identity_matches: tuple[MatchView, ...]
    consents: tuple[ConsentView, ...]
    markers: tuple[MarkerView, ...]
    donations: tuple[str, ...]
    kind: str | None
    samplings: tuple[SamplingView, ...]


@dataclass(frozen=True, slots=True)
class PanelLine:
    """How one marker of the panel stands now. `last` is the newest result, None where there is none.

    `asked_by` is the rule that asks for the infection; "" where none does.
    """

    analyte: str
    marker: str
    state: MarkerState
    last: MarkerView | None
    results: int
    asked_by: str


@dataclass(frozen=True, slots=True)
class DonorPage:
    """A donor as the donor's page shows it: the record, and the panel in force filled with what is known."""

    donor: DonorView
    panel: tuple[PanelLine, ...]


@dataclass(frozen=True, slots=True)
class DonorLine:
    """A donor in a list."""

    code: str
    pseudonym: str
    relation: str
    registered_at: datetime
    donations: int


async def register_person(house: House, call: Call, *, person: Mapping[str, str]) -> PersonView:
    """Register somebody who gives no cells: a recipient, or the mother who is tested for her child.

    Raises Conflict when this very person is registered already.
    """
    async with house.door.change(call, Act.REGISTER_DONOR) as change:
        await _require_born(change, person)
        await _refuse_known(change, key=house.identity_key, person=person)
        made = await donors.new_person(change, letter="S")
        await identity.store(
            change, key=house.identity_key, person_id=made.id, pseudonym=made.pseudonym, identity=dict(person)
        )
        return change.answers(PersonView(made.code, made.pseudonym))


async def register_donor(
    house: House,
    call: Call,
    *,
    relation: Relation,
    person: Mapping[str, str],
    tested_person: str | None,
    genetic_source: str | None,
    recipient: str | None,
    kind: str | None = None,
) -> DonorView:
    """Register a donor. The three facts name persons by code; without one it is the donor; `self` is the donor too.

    Raises NotFound for a code of nobody, BadInput for an autologous donor whose recipient is somebody else, Conflict
    when this very person is registered already.
    """
    async with house.door.change(call, Act.REGISTER_DONOR) as change:
        await _require_born(change, person)
        await _refuse_known(change, key=house.identity_key, person=person)
        made = await donors.new_person(change, letter="D")
        recipient_id = await _person_id(change, recipient, donor=made.id)
        if relation is Relation.AUTOLOGOUS and recipient_id not in {None, made.id}:
            raise BadInput(
                field="recipient",
                what=Text("No donor was registered."),
                why=Text("Autologous cells go back to their donor, and another recipient is named."),
                remedy=Text("Register the donor as allogeneic, or name the donor as the recipient."),
                rule="REL-05",
            )
        if kind == BIRTH and tested_person in {None, SELF}:
            raise BadInput(
                field="tested_person",
                what=Text("No donor was registered."),
                why=Text("The mother of an infant is tested, and nobody is named who is tested."),
                remedy=Text("Register the mother, and name her as the person tested."),
                rule="DON-09",
            )
        await identity.store(
            change, key=house.identity_key, person_id=made.id, pseudonym=made.pseudonym, identity=dict(person)
        )
        await donors.insert_donor(
            change,
            person_id=made.id,
            relation=relation.value,
            tested_person=await _person_id(change, tested_person, donor=made.id) or made.id,
            genetic_source=await _person_id(change, genetic_source, donor=made.id) or made.id,
            recipient=recipient_id,
            kind=kind,
        )
        return change.answers(_view(await donors.record(change, code=made.code)))


async def match_identity(
    house: House, call: Call, *, code: str, recipient: str, identifiers: Sequence[str], second_by: str
) -> DonorView:
    """Record that donor and recipient were compared by identifiers, by the actor and a second person.

    Raises BadInput when the second person is the first, or may not do this.
    """
    async with house.door.change(call, Act.MATCH_IDENTITY, subject=code) as change:
        donor = await donors.donor(change, code=code)
        second = await colleagues.named(change, username=second_by, field="second_by")
        if second.id == change.actor.account_id or second.roles.isdisjoint(MAY[Act.MATCH_IDENTITY]):
            raise BadInput(
                field="second_by",
                what=Text("Nothing was recorded."),
                why=Text("An identity is matched by two different people who may, each looking for themselves."),
                remedy=Text("Have a second person compare the identifiers, and name that person."),
                rule="REL-05",
            )
        recipient_id = await _person_id(change, recipient, donor=donor.id)
        if recipient_id is None:
            raise RuntimeError("a named recipient always has a key")
        await donors.insert_match(
            change, donor=donor.id, recipient=recipient_id, identifiers=identifiers, second_by=second.id
        )
        return change.answers(_view(await donors.record(change, code=code)))


async def record_consent(
    house: House, call: Call, *, code: str, form_version: str, scopes: Sequence[str], signed_at: datetime
) -> DonorView:
    """Record a consent. `scopes` are the uses that it covers."""
    async with house.door.change(call, Act.RECORD_CONSENT, subject=code) as change:
        require_past(signed_at, now=change.at, field="signed_at")
        donor = await donors.donor(change, code=code)
        await donors.insert_consent(
            change, donor=donor.id, form_version=form_version, scopes=scopes, signed_at=signed_at
        )
        return change.answers(_view(await donors.record(change, code=code)))


async def withdraw_consent(
    house: House, call: Call, *, code: str, form_version: str, withdrawn_at: datetime
) -> DonorView:
    """Record that a consent was withdrawn. Raises Conflict when no live consent of that form stands."""
    async with house.door.change(call, Act.WITHDRAW_CONSENT, subject=code) as change:
        require_past(withdrawn_at, now=change.at, field="withdrawn_at")
        donor = await donors.donor(change, code=code)
        if not await donors.withdraw_consent(change, donor=donor.id, form_version=form_version, at=withdrawn_at):
            raise Conflict(
                what=Text("Nothing was withdrawn."),
                why=Text("No live consent on form {form} was signed before then.", form=form_version),
                remedy=Text("Look at the donor's consents and name the form that was withdrawn."),
            )
        await impacts.judge_what_came_to_light(change)
        return change.answers(_view(await donors.record(change, code=code)))


async def record_markers(
    house: House, call: Call, *, code: str, markers: Sequence[MarkerView], given: GivenView | None = None
) -> DonorView:
    """Record results of infection markers. Only a pending result has no time of report.

    `given` is stated for the one sample that all these results are of. A late or changed report is kept like any other;
    one that is recorded already, a marker twice in one report and an infection unknown here are refused (BadInput).
    """
    async with house.door.change(call, Act.RECORD_MARKER, subject=code) as change:
        record = await donors.record(change, code=code)
        donor = record.donor
        known = await donors.known_analytes(change)
        for each in markers:
            _require_sound(each, now=change.at)
        _refuse_muddle(markers, known=known, kept=[_marker(row) for row in record.markers])
        if given is not None:
            await donors.state_sampling(change, donor=donor.id, sampled_at=_one_sample(markers), **asdict(given))
        await donors.insert_markers(
            change, donor=donor.id, markers=[{**asdict(each), "outcome": each.outcome.value} for each in markers]
        )
        await impacts.judge_what_came_to_light(change)
        return change.answers(_view(await donors.record(change, code=code)))


async def read_donor(house: House, actor: Actor, *, code: str) -> DonorView:
    """A donor by code, without identity. Raises NotFound."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        return _view(await donors.record(reading, code=code))


async def show_donor(house: House, actor: Actor, *, code: str) -> DonorPage:
    """A donor by code with the panel of markers, what is missing included. Raises NotFound."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        record = await donors.record(reading, code=code)
        panel = await donors.whole_panel(reading, donor_id=record.donor.id, relation=record.donor.relation)
        return DonorPage(donor=_view(record), panel=tuple(_panel(record, panel, at=await judging.now(reading))))


async def marker_panel(house: House, actor: Actor, *, code: str) -> Mapping[str, tuple[str, ...]]:
    """The panel of infection markers that is asked of a donor, by analyte. Raises NotFound."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        donor = await donors.donor(reading, code=code)
        return await donors.whole_panel(reading, donor_id=donor.id, relation=donor.relation)


async def known_analytes(house: House, actor: Actor) -> tuple[str, ...]:
    """The infections of which a result may be recorded."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        return await donors.known_analytes(reading)


async def list_donors(
    house: House,
    actor: Actor,
    *,
    after: str | None,
    limit: int,
    relation: Relation | None = None,
    sought: str | None = None,
) -> list[DonorLine]:
    """Donors, newest first; of one relation, or of all. `sought`: how a pseudonym begins, or a whole code."""
    async with house.door.read(actor, Act.READ_DONOR) as reading:
        found = await donors.page(
            reading, after=after, limit=limit, relation=relation.value if relation else None, sought=sought
        )
        return [DonorLine(each.code, each.pseudonym, each.relation, each.recorded_at, each.donations) for each in found]


async def _refuse_known(change: Change, *, key: bytes, person: Mapping[str, str]) -> None:
    """One person has one pseudonym: two would tear apart what is known of them."""
    same_name = await identity.find(change, key=key, field="name", value=person["name"])
    same_number = await identity.find(change, key=key, field="hospital_number", value=person["hospital_number"])
    known = sorted(set(same_name) & set(same_number))
    if known:
        found = await donors.person_by_id(change, person_id=known[0])
        raise Conflict(
            what=Text("Nobody was registered."),
            why=Text(
                "This name with this hospital number is registered already: {pseudonym}.", pseudonym=found.pseudonym
            ),
            remedy=Text("Use the code {code} of that person.", code=found.code),
            detail={"code": found.code, "pseudonym": found.pseudonym},
        )


async def _require_born(change: Change, person: Mapping[str, str]) -> None:
    born = person.get("birth_date")
    if born is not None:
        require_past_day(date.fromisoformat(born), today=await equipment.today(change), field="birth_date")


async def _person_id(change: Change, code: str | None, *, donor: int) -> int | None:
    if code is None:
        return None
    return donor if code == SELF else (await donors.person(change, code=code)).id


def _require_sound(marker: MarkerView, *, now: datetime) -> None:
    require_past(marker.sampled_at, now=now, field="sampled_at")
    require_past(marker.reported_at, now=now, field="reported_at")
    require_order(earlier=marker.sampled_at, later=marker.reported_at, field="reported_at")
    if (marker.reported_at is None) is not (marker.outcome is MarkerOutcome.PENDING):
        raise BadInput(
            field="reported_at",
            what=Text("Nothing was recorded."),
            why=Text(
                "{marker}: a result that is not pending has a time of report, and only that.", marker=marker.marker
            ),
            remedy=Text("State when the laboratory reported it, or record it as pending without that time."),
        )


def _refuse_muddle(markers: Sequence[MarkerView], *, known: Sequence[str], kept: Sequence[MarkerView]) -> None:
    seen: set[tuple[str, str, datetime]] = set()
    for row, each in enumerate(markers):
        if not any(same(each.analyte, name) for name in known):
            raise BadInput(
                field=f"markers.{row}.analyte",
                what=Text("Nothing was recorded."),
                why=Text("{analyte} is no infection that is known here.", analyte=each.analyte),
                remedy=Text("Choose one of: {analytes}.", analytes=tuple(known)),
            )
        key = (each.analyte.strip().casefold(), each.marker.strip().casefold(), each.sampled_at)
        if key in seen:
            raise BadInput(
                field=f"markers.{row}.marker",
                what=Text("Nothing was recorded."),
                why=Text("{marker} stands twice in this report, of one sample.", marker=each.marker),
                remedy=Text("Record each result once; a second report of the laboratory is recorded on its own."),
            )
        seen.add(key)
        if any(_is_same_report(each, earlier) for earlier in kept):
            raise BadInput(
                field=f"markers.{row}.marker",
                what=Text("Nothing was recorded."),
                why=Text("This result of {marker} is recorded already.", marker=each.marker),
                remedy=Text("Leave it out; what the laboratory reported anew has another time of report."),
            )


def _is_same_report(one: MarkerView, other: MarkerView) -> bool:
    return (
        same(one.analyte, other.analyte)
        and same(one.marker, other.marker)
        and (one.sampled_at, one.reported_at, one.outcome) == (other.sampled_at, other.reported_at, other.outcome)
        and (one.method, one.laboratory) == (other.method, other.laboratory)
    )


def _one_sample(markers: Sequence[MarkerView]) -> datetime:
    first, *others = {each.sampled_at for each in markers}
    if others:
        raise BadInput(
            field="sampled_at",
            what=Text("Nothing was recorded."),
            why=Text("What was given before is stated for one sample, and these results are of several."),
            remedy=Text("Record the results of each sample on their own."),
        )
    return first


def _view(record: donors.Record) -> DonorView:
    donor = record.donor
    return DonorView(
        code=donor.code,
        pseudonym=donor.pseudonym,
        relation=Relation(donor.relation),
        tested_person=donor.tested_person,
        genetic_source=donor.genetic_source,
        recipient=donor.recipient,
        registered_at=donor.recorded_at,
        identity_matches=tuple(
            MatchView(each.recipient, tuple(each.identifiers), each.verified_by, each.second_by, each.at)
            for each in record.matches
        ),
        consents=tuple(
            ConsentView(each.form_version, tuple(each.scopes), each.signed_at, each.withdrawn_at)
            for each in record.consents
        ),
        markers=tuple(_marker(each) for each in record.markers),
        donations=tuple(each.code for each in record.donations),
        kind=donor.kind,
        samplings=tuple(
            SamplingView(each.weight_kg, each.blood_ml, each.colloid_ml, each.crystalloid_ml, each.sampled_at)
            for each in record.samplings
        ),
    )


def _panel(record: donors.Record, panel: Mapping[str, tuple[str, ...]], *, at: datetime) -> Iterator[PanelLine]:
    """Each marker of the panel and each done beside it. One with results whose analyte the panel lacks stands last."""
    results = tuple(
        Marker(id=each.id, recorded_at=each.recorded_at, **asdict(_marker(each))) for each in record.markers
    )
    known = {each.strip().casefold() for each in panel}
    beside: dict[str, tuple[str, ...]] = {
        each.analyte: () for each in results if each.analyte.strip().casefold() not in known
    }
    for reading in read_panel(_donor(record, results), {**panel, **beside}, at):
        own = [each for each in results if same(each.analyte, reading.analyte) and same(each.marker, reading.marker)]
        last = max(own, key=lambda each: (each.sampled_at, each.id), default=None)
        yield PanelLine(
            analyte=reading.analyte,
            marker=reading.marker,
            state=state_of(reading),
            last=None if last is None else _marker(last),
            results=len(own),
            asked_by="" if reading.analyte in beside else "DON-02" if reading.analyte in FOR_LEUKOCYTES else "DON-01",
        )


def _donor(record: donors.Record, results: tuple[Marker, ...]) -> Donor:
    return Donor(
        pseudonym=record.donor.pseudonym,
        relation=Relation(record.donor.relation),
        tested_person=record.donor.tested_person,
        genetic_source=record.donor.genetic_source,
        recipient=record.donor.recipient,
        identity_matches=(),
        consents=(),
        markers=results,
    )


def _marker(row: Any) -> MarkerView:
    return MarkerView(
        analyte=row.analyte,
        marker=row.marker,
        method=row.method,
        kit_lot=row.kit_lot,
        laboratory=row.laboratory,
        sampled_at=row.sampled_at,
        reported_at=row.reported_at,
        outcome=MarkerOutcome(row.outcome),
    )
