"""Verifications by a second person over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import StringConstraints

from app.api.badges import Pin
from app.api.plumbing import API, ActorDep, CallDep, HouseDep, SecretCallDep
from app.api.saying import said
from app.api.schemas import Body, Code, Number
from app.db.verifications import Verified
from app.requests import source_of
from app.services import verifications
from app.services.house import House
from app.services.verifications import SCANNED_LENGTH_MAX, VerificationView

router = APIRouter(prefix=API, tags=["steps"])

Scanned = Annotated[str, StringConstraints(min_length=1, max_length=SCANNED_LENGTH_MAX)]


class Verification(Body):
    """The verifier's badge and PIN, and what they scanned of the thing itself, as it was read."""

    badge: Scanned
    pin: Pin
    scanned: Scanned


@router.post("/steps/{step}/verification", status_code=201)
async def verify_step(
    step: Number, body: Verification, request: Request, house: HouseDep, call: SecretCallDep
) -> VerificationView:
    """A second person verifies a step."""
    return await _verify(house, call, request, body, what=Verified.STEP, number=step)


@router.post("/clearances/{clearance}/verification", status_code=201)
async def verify_clearance(
    clearance: Number, body: Verification, request: Request, house: HouseDep, call: SecretCallDep
) -> VerificationView:
    """A second person verifies a line clearance."""
    return await _verify(house, call, request, body, what=Verified.CLEARANCE, number=clearance)


async def _verify(
    house: House, call: CallDep, request: Request, body: Verification, *, what: Verified, number: int
) -> VerificationView:
    return await verifications.verify(
        house,
        call,
        what=what,
        number=number,
        badge=body.badge,
        pin=body.pin.get_secret_value(),
        scanned=body.scanned,
        source=source_of(request),
    )


@router.get("/lots/{code}/unverified")
async def list_unverified(code: Code, request: Request, house: HouseDep, actor: ActorDep) -> list[dict[str, object]]:
    """What of this lot waits for a second person, the oldest first."""
    return [said(request, each) for each in await verifications.waiting(house, actor, lot=code)]
