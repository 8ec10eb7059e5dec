"""REL-07: the lot has not reached its expiry."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from app.domain.counterexamples import part, without
from app.domain.dossier import Dossier
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
from app.domain.sources import CN_STEM_CELL_QUALITY
from app.domain.text import Text


@rule(
    "REL-07",
    Text("The lot has not reached its expiry"),
    cites=(
        Citation(
            CN_STEM_CELL_QUALITY,
            "stability",
            Text("A preparation is used within the time that its stability study supports."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G5, Gate.G6, Gate.G10),
    waiver=NEVER,
    breaks=(
        Break("expired", part("lot", expires_at=datetime(2026, 11, 1, tzinfo=UTC))),
        Break("released years later", at=lambda at: at + timedelta(days=1000), also=()),
        Break("no expiry on record", part("lot", expires_at=None), outcome=Outcome.INDETERMINATE),
        Break(
            "the lot itself is unknown",
            without("lot"),
            outcome=Outcome.INDETERMINATE,
            also=(
                "CB-07",
                "CB-08",
                "CB-09",
                "CB-10",
                "CB-11",
                "HGR-01",
                "REL-05",
            ),
        ),
    ),
)
def within_shelf_life(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Compare the lot's expiry with the moment of release; the moment itself is already too late."""
    expires_at = dossier.lot.expires_at if dossier.lot else None
    if expires_at is None:
        yield lacks(
            dossier.subject,
            Text("It is not known when the lot expires."),
            Text("Record the freezing or the end of the process, from which the shelf life counts."),
        )
    elif expires_at <= asked.at:
        yield fails(
            dossier.subject,
            Text("The lot expired at {at}.", at=expires_at),
            Text("Reject the lot. An expiry is never waived."),
        )
    else:
        yield shows(dossier.subject, Text("expires {at}", at=expires_at))
