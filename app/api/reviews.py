"""Batch reviews over HTTP."""

from uuid import UUID

from fastapi import APIRouter

from app.api.plumbing import API, CallDep, HouseDep
from app.api.schemas import Body, Code, Prose
from app.domain.facts import Decision
from app.services import reviews
from app.services.reviews import BatchReviewView

router = APIRouter(prefix=f"{API}/lots", tags=["reviews"])


class BatchReview(Body):
    """What the review found, with the proof of identity."""

    decision: Decision
    remarks: Prose
    ceremony: UUID


@router.post("/{code}/batch-review", status_code=201)
async def review_batch(code: Code, body: BatchReview, house: HouseDep, call: CallDep) -> BatchReviewView:
    """Review the batch record of a finished lot."""
    return await reviews.review_batch(
        house, call, lot=code, decision=body.decision, remarks=body.remarks, ceremony=body.ceremony
    )
