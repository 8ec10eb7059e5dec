"""The batch record on one page, for whoever reviews it: what blocks first, then everything that was done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.db import batch, judging, lots, qc
from app.db.qc import Found
from app.domain.acts import Act
from app.domain.lots import LotState
from app.domain.rulebook import Gate, Outcome, Verdict

if TYPE_CHECKING:
    from app.domain.acts import Actor
    from app.services.house import House

RESULTS_SHOWN = 400
REVIEW_RULE = "QA-06"


@dataclass(frozen=True, slots=True)
class ReviewedView:
    """The last review. `is_current`: the record is still what was reviewed."""

    decision: str
    remarks: str
    by: str
    at: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class CountView:
    """The labels of the lot as they were counted last."""

    printed: int
    used: int
    destroyed: int
    returned: int
    at: datetime

    @property
    def balances(self) -> bool:
        """Whether every label that was printed is accounted for."""
        return self.printed == self.used + self.destroyed + self.returned


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch record. `blocks` are the rules that keep the lot from being released at this moment.

    `package_digest` is of everything that a review covers, as it stands.
    """

    code: str
    name: str
    state: LotState
    version: int
    at: datetime
    donor: str | None
    recipient: str | None
    donation: str | None
    product: str | None
    product_zh: str | None
    process: str | None
    process_version: int | None
    specification: str | None
    specification_version: int | None
    max_passage: int | None
    max_pdl: Decimal | None
    frozen_at: datetime | None
    expires_at: datetime | None
    package_digest: str | None
    blocks: tuple[Verdict, ...]
    steps: tuple[dict[str, Any], ...]
    used: tuple[dict[str, Any], ...]
    clearances: tuple[dict[str, Any], ...]
    taken: tuple[dict[str, Any], ...]
    deviations: tuple[dict[str, Any], ...]
    results: tuple[Found, ...]
    count: CountView | None
    reviewed: ReviewedView | None
    owed: int
    owed_by: str | None

    @property
    def before_review(self) -> tuple[Verdict, ...]:
        """What blocks and neither the review nor the release itself will settle.

        Another rule that says nothing but what the review's own rule says is settled with it.
        """
        review = next((each for each in self.blocks if each.rule == REVIEW_RULE), None)
        settled = {finding.problem for finding in review.findings} if review else set()
        return tuple(
            each
            for each in self.blocks
            if each.rule != REVIEW_RULE
            and each.outcome is not Outcome.WAITS_FOR_SIGNER
            and not (each.findings and all(finding.problem in settled for finding in each.findings))
        )


async def read_batch(house: House, actor: Actor, *, code: str) -> BatchView:
    """The whole record of a lot as it stands, judged this moment. Raises NotFound."""
    async with house.door.read(actor, Act.READ_LOT) as reading:
        lot = await lots.find(reading, code=code)
        at = await judging.now(reading)
        bytes_, judgement = await judging.judged(reading, kind="lot", subject_id=lot.id, gate=Gate.G6, at=at)
        sections = await batch.sections(reading, lot_id=lot.id)
        found = await qc.results(reading, lot_id=lot.id, limit=RESULTS_SHOWN)
        stands = await batch.now(reading, lot_id=lot.id)
    reviewable = json.loads(bytes_).get("package_digest")
    return BatchView(
        code=lot.code,
        name=lot.name,
        state=lot.state,
        version=lot.version,
        at=at,
        donor=lot.donor,
        recipient=lot.recipient,
        donation=lot.donation,
        product=lot.product,
        product_zh=lot.product_zh,
        process=lot.process,
        process_version=lot.process_version,
        specification=lot.specification,
        specification_version=lot.specification_version,
        max_passage=lot.max_passage,
        max_pdl=lot.max_pdl,
        frozen_at=lot.frozen_at,
        expires_at=lot.expires_at,
        package_digest=reviewable,
        blocks=tuple(judgement.blocks),
        results=found[::-1],
        count=None
        if stands.printed is None
        else CountView(stands.printed, stands.used, stands.destroyed, stands.returned, stands.counted_at),
        reviewed=None
        if stands.decision is None
        else ReviewedView(
            stands.decision, stands.remarks, stands.by_name, stands.reviewed_at, stands.package_digest == reviewable
        ),
        owed=stands.owed,
        owed_by=stands.owed_by,
        **sections,
    )
