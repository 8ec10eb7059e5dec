"""Where donations are kept, and the tests of birth tissue, over HTTP."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Line, Moment, Name
from app.services import donation_care
from app.services.donation_care import DonationCareView

router = APIRouter(prefix=f"{API}/donations", tags=["donations"])

Alleles = Annotated[tuple[Name, ...], Field(min_length=1, max_length=4)]


class NewPlace(Body):
    """Where it was put, and whether it bears the sign for biohazard."""

    place: Code
    biohazard_labelled: bool
    stored_at: Moment


class NewBirthTest(Body):
    """A genotype by locus, or the mother's part in percent."""

    method: Name
    laboratory: Line
    sampled_at: Moment
    reported_at: Moment
    profile: Annotated[dict[Name, Alleles], Field(min_length=1, max_length=60)] | None = None
    maternal_percent: Annotated[Decimal, Field(ge=0, le=100, max_digits=8)] | None = None


@router.get("/{code}/care")
async def read_care(code: Code, house: HouseDep, actor: ActorDep) -> DonationCareView:
    """What the tissue was decided to be, where the donation is kept, the tests of birth tissue."""
    return await donation_care.read_care(house, actor, code=code)


@router.post("/{code}/storage", status_code=201)
async def store_donation(code: Code, body: NewPlace, house: HouseDep, call: CallDep) -> DonationCareView:
    """Record where a donation was put."""
    return await donation_care.store_donation(house, call, code=code, **body.model_dump())


@router.post("/{code}/birth-tests", status_code=201)
async def record_birth_test(code: Code, body: NewBirthTest, house: HouseDep, call: CallDep) -> DonationCareView:
    """Record a test of birth tissue."""
    return await donation_care.record_birth_test(house, call, code=code, **body.model_dump())
