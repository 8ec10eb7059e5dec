"""Donors over HTTP: by code and pseudonym. Identity goes in and does not come out here."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep, SecretCallDep
from app.api.schemas import Amount, Body, Code, Day, Line, Moment, Name
from app.domain.facts import MarkerOutcome, Relation
from app.services import donors
from app.services.donors import DonorLine, DonorView, GivenView, MarkerView, PersonView

router = APIRouter(prefix=API, tags=["donors"])


Identifier = Literal["hospital_number", "birth_date", "name", "national_id", "wristband"]


class Identity(Body):
    """Who somebody is. Encrypted for this person alone, and shown only against a stated purpose."""

    name: Name
    hospital_number: Name
    birth_date: Day
    national_id: Name | None = None
    phone: Name | None = None

    def plain(self) -> dict[str, str]:
        """The fields that were given, as text."""
        return {name: str(value) for name, value in self if value is not None}


class NewPerson(Body):
    """A recipient, or a person tested for the donor."""

    identity: Identity


class NewDonor(Body):
    """A donor. Without a code, the person tested and the genetic source are the donor."""

    relation: Relation
    identity: Identity
    tested_person: Code | None = None
    genetic_source: Code | None = None
    recipient: Literal["self"] | Code | None = None
    kind: Literal["birth"] | None = None


class NewMatch(Body):
    """Identifiers by which donor and recipient were compared: their names, not their values."""

    recipient: Literal["self"] | Code
    identifiers: Annotated[frozenset[Identifier], Field(min_length=1)]
    second_by: Name


class NewConsent(Body):
    """A consent as it was signed."""

    form_version: Name
    scopes: Annotated[frozenset[Name], Field(min_length=1, max_length=30)]
    signed_at: Moment


class Withdrawal(Body):
    """Which consent was withdrawn, and when."""

    form_version: Name
    withdrawn_at: Moment


class NewMarker(Body):
    """A result of one infection marker."""

    analyte: Name
    marker: Name
    method: Name
    kit_lot: Name
    laboratory: Line
    sampled_at: Moment
    reported_at: Moment | None = None
    outcome: MarkerOutcome


class Given(Body):
    """What the person was given before the sample: blood and colloids within 48 h, crystalloids within 1 h."""

    weight_kg: Annotated[Decimal, Field(gt=0, le=500, max_digits=8)] | None = None
    blood_ml: Amount
    colloid_ml: Amount
    crystalloid_ml: Amount


class NewMarkers(Body):
    """Results of one or many markers; with what was given before, where all are of one sample."""

    markers: Annotated[list[NewMarker], Field(min_length=1, max_length=50)]
    given: Given | None = None


@router.post("/persons", status_code=201)
async def register_person(body: NewPerson, house: HouseDep, call: SecretCallDep) -> PersonView:
    """Register a person who gives no cells."""
    return await donors.register_person(house, call, person=body.identity.plain())


@router.post("/donors", status_code=201)
async def register_donor(body: NewDonor, house: HouseDep, call: SecretCallDep) -> DonorView:
    """Register a donor under a fresh pseudonym."""
    return await donors.register_donor(
        house,
        call,
        relation=body.relation,
        person=body.identity.plain(),
        tested_person=body.tested_person,
        genetic_source=body.genetic_source,
        recipient=body.recipient,
        kind=body.kind,
    )


@router.get("/donors")
async def list_donors(
    house: HouseDep, actor: ActorDep, after: Code | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[DonorLine]:
    """Donors, newest first, after the donor of this code."""
    return await donors.list_donors(house, actor, after=after, limit=limit)


@router.get("/donors/{code}")
async def read_donor(code: Code, house: HouseDep, actor: ActorDep) -> DonorView:
    """A donor: relation, the three facts, matches, consents, markers."""
    return await donors.read_donor(house, actor, code=code)


@router.post("/donors/{code}/identity-matches", status_code=201)
async def match_identity(code: Code, body: NewMatch, house: HouseDep, call: CallDep) -> DonorView:
    """Record that two people compared donor and recipient by identifiers."""
    return await donors.match_identity(
        house,
        call,
        code=code,
        recipient=body.recipient,
        identifiers=sorted(body.identifiers),
        second_by=body.second_by,
    )


@router.post("/donors/{code}/consents", status_code=201)
async def record_consent(code: Code, body: NewConsent, house: HouseDep, call: CallDep) -> DonorView:
    """Record a consent."""
    return await donors.record_consent(
        house,
        call,
        code=code,
        form_version=body.form_version,
        scopes=sorted(body.scopes),
        signed_at=body.signed_at,
    )


@router.post("/donors/{code}/consents/withdrawal")
async def withdraw_consent(code: Code, body: Withdrawal, house: HouseDep, call: CallDep) -> DonorView:
    """Record that a consent was withdrawn."""
    return await donors.withdraw_consent(
        house, call, code=code, form_version=body.form_version, withdrawn_at=body.withdrawn_at
    )


@router.post("/donors/{code}/markers", status_code=201)
async def record_markers(code: Code, body: NewMarkers, house: HouseDep, call: CallDep) -> DonorView:
    """Record results of infection markers."""
    given = None if body.given is None else GivenView(**body.given.model_dump())
    return await donors.record_markers(
        house, call, code=code, markers=[MarkerView(**each.model_dump()) for each in body.markers], given=given
    )
