"""A lot that is out of specification and that a treating physician asks for. What is decided is kept; nothing is released by it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import equipment, lots, partner_lots, settings
from app.domain.acts import Act, Actor
from app.domain.errors import BadInput, Conflict, NotFound
from app.domain.lots import LotKind, LotState
from app.domain.text import Text

if TYPE_CHECKING:
    from app.db.door import Call
    from app.services.house import House

NOT_RECORDED = Text("Nothing was recorded.")
ALLOWED = "rel09.allowed"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Asking:
    """Why a physician asks for the lot, what was weighed, and what an ethics committee decided about it."""

    reasons: str
    risk_evaluation: str
    risk_file_name: str
    risk_file_sha256: str
    committee: str
    committee_decision: str
    committee_decided_on: date
    committee_reference: str


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request as it was recorded, and what was decided, if anything was."""

    request: int
    reasons: str
    risk_evaluation: str
    risk_file_name: str
    committee: str
    committee_decision: str
    committee_decided_on: date
    committee_reference: str
    requested_by: str
    recorded_at: datetime
    disposition: str | None
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class RequestsView:
    """Every request about a lot, the last first. `allowed` is whether this house supplies such a lot at all."""

    lot: str
    name: str
    state: LotState
    allowed: bool
    requests: tuple[RequestView, ...]


@dataclass(frozen=True, slots=True)
class RequestKeptView:
    """A request by its number. The lot is in the state in which it was."""

    lot: str
    request: int
    state: LotState


async def ask_for(house: House, call: Call, *, lot: str, asking: Asking) -> RequestKeptView:
    """Record a treating physician's request. Raises NotFound, BadInput for days that cannot be, Conflict for a bank."""
    async with house.door.change(call, Act.REQUEST_EXCEPTIONAL_SUPPLY, subject=lot) as change:
        found = await lots.find(change, code=lot)
        if found.kind is not LotKind.PREPARATION or found.state in {LotState.PLANNED, LotState.IN_PROCESS}:
            raise Conflict(
                what=NOT_RECORDED,
                why=Text("{lot} is no preparation that was made and tested.", lot=found.name),
                remedy=Text("Only a preparation that failed its specification is asked for in this way."),
            )
        if asking.committee_decided_on > await equipment.today(change):
            raise BadInput(
                field="committee_decided_on",
                what=NOT_RECORDED,
                why=Text("{day} is yet to come.", day=asking.committee_decided_on),
                remedy=Text("Record it when it has been done."),
            )
        if not _SHA256.fullmatch(asking.risk_file_sha256):
            raise BadInput(
                field="risk_file_sha256",
                what=NOT_RECORDED,
                why=Text("This is no SHA-256: 64 digits of 0 to 9 and a to f."),
                remedy=Text("Compute it from the very file."),
            )
        key = await partner_lots.request(change, lot_id=found.id, values=asdict(asking))
        return change.answers(RequestKeptView(found.code, key, found.state))


async def decide(house: House, call: Call, *, request: int, ceremony: UUID) -> RequestKeptView:
    """Sign what becomes of a request. The lot does not move. Raises NotFound, CeremonyRefused, Stale, Conflict."""
    async with house.door.change(call, Act.DECIDE_EXCEPTIONAL_SUPPLY, subject=f"request {request}") as change:
        change.ceremony = ceremony
        code = await partner_lots.lot_of_request(change, request_id=request)
        if code is None:
            raise NotFound(
                what=Text("There is no such request."),
                why=Text("No request for a lot out of specification has the number {number}.", number=request),
                remedy=Text("Choose one of the lot's page."),
            )
        await partner_lots.decide(change, request_id=request, ceremony=ceremony)
        found = await lots.find(change, code=code)
        return change.answers(RequestKeptView(code, request, found.state))


async def read_requests(house: House, actor: Actor, *, lot: str) -> RequestsView:
    """Every request about a lot. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        found = await lots.find(reading, code=lot)
        rows = await partner_lots.requests(reading, lot=found.id)
        allowed = (await settings.current(reading, ALLOWED)).get(ALLOWED, "no")
    return RequestsView(
        lot=found.code,
        name=found.name,
        state=found.state,
        allowed=allowed == "yes",
        requests=tuple(RequestView(**row._asdict()) for row in rows),
    )
