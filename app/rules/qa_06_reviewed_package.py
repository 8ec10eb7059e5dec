"""QA-06: what is signed is the very package that quality reviewed."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain.counterexamples import part, without
from app.domain.dossier import Dossier
from app.domain.facts import Decision
from app.domain.rulebook import (
    NEVER,
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
from app.domain.sources import GMP
from app.domain.text import Text


@rule(
    "QA-06",
    Text("The package released is the package reviewed"),
    cites=(
        Citation(
            GMP,
            "chapter 10",
            Text("The batch record is reviewed as a whole before release, and what was reviewed is what is released."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G5, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("no review", without("batch_review"), outcome=Outcome.INDETERMINATE, also=("REL-04",)),
        Break("the review sent it back", part("batch_review", decision=Decision.RETURNED), also=("REL-04",)),
        Break("something changed after the review", part("batch_review", package_digest="0" * 64)),
        Break("the package cannot be told", without("package_digest"), outcome=Outcome.INDETERMINATE),
        Break(
            "a review from the future",
            part("batch_review", at=datetime(2030, 1, 1, tzinfo=UTC)),
            outcome=Outcome.INDETERMINATE,
            also=("REL-04",),
        ),
    ),
)
def reviewed_package(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Compare the digest that the reviewer signed with the package as it stands."""
    review = dossier.batch_review
    if review is None or dossier.package_digest is None or review.at > asked.at:
        yield lacks(
            dossier.subject,
            Text("The batch record has not been reviewed."),
            Text("The QA manager reviews the whole batch record and signs."),
        )
    elif review.decision is not Decision.ACCEPTED:
        yield fails(
            dossier.subject,
            Text("{by} returned the batch record at {at}.", by=review.by, at=review.at),
            Text("Answer the reviewer's remarks; then the whole record is reviewed again."),
        )
    elif review.package_digest != dossier.package_digest:
        yield fails(
            dossier.subject,
            Text("The record has changed since {by} reviewed it at {at}.", by=review.by, at=review.at),
            Text("The QA manager reviews what has changed, and the whole record, again."),
        )
    else:
        yield shows(dossier.subject, Text("reviewed and accepted by {by} at {at}", by=review.by, at=review.at))
