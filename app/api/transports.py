"""Shippers and transports over HTTP."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from app.api.plumbing import API, ActorDep, CallDep, HouseDep
from app.api.schemas import Body, Code, Day, Line, Moment, Name, Prose
from app.services import transports
from app.services.transports import Qualified, ShipperView, TransportKeptView, TransportView, Way

router = APIRouter(prefix=API, tags=["lots"])

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Celsius = Annotated[Decimal, Field(ge=-273, le=100, max_digits=8, allow_inf_nan=False)]


class NewQualification(Body):
    """Between which temperatures a shipper keeps, and for how many hours."""

    shipper: Name
    low_c: Celsius
    high_c: Celsius
    hours_max: Annotated[Decimal, Field(gt=0, le=1000, max_digits=8, allow_inf_nan=False)]
    qualified_on: Day
    valid_to: Day
    file_name: Line
    file_sha256: Sha256


class NewTransport(Body):
    """How a lot was carried; temperatures as the logger measured them."""

    partner: Name
    shipper: Name
    from_place: Name
    to_place: Name
    dispatched_at: Moment
    handed_over_by: Name
    arrived_at: Moment
    received_by: Name
    min_c: Celsius | None = None
    max_c: Celsius | None = None
    file_name: Line | None = None
    file_sha256: Sha256 | None = None
    excursion: Prose | None = None


@router.get("/shippers")
async def list_shippers(house: HouseDep, actor: ActorDep) -> tuple[ShipperView, ...]:
    """Every qualification of a shipper."""
    return await transports.list_shippers(house, actor)


@router.post("/shippers", status_code=201)
async def qualify_shipper(body: NewQualification, house: HouseDep, call: CallDep) -> TransportKeptView:
    """Record how a shipper was qualified."""
    return await transports.qualify_shipper(house, call, qualified=Qualified(**body.model_dump()))


@router.get("/lots/{code}/transports")
async def read_transports(code: Code, house: HouseDep, actor: ActorDep) -> tuple[TransportView, ...]:
    """The ways of a lot, the last first."""
    return await transports.read_transports(house, actor, lot=code)


@router.post("/lots/{code}/transports", status_code=201)
async def record_transport(code: Code, body: NewTransport, house: HouseDep, call: CallDep) -> TransportKeptView:
    """Record how a lot was carried."""
    return await transports.record_transport(house, call, lot=code, way=Way(**body.model_dump()))
