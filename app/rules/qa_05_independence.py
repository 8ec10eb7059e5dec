"""QA-05: whoever releases had no hand in the lot and does not head production."""

from collections.abc import Iterator
from dataclasses import replace

from app.domain.acts import ROLE_NAMES, Role
from app.domain.counterexamples import inside, nth, part, without
from app.domain.dossier import Dossier
from app.domain.people import hands_in
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
    waits,
)
from app.domain.sources import GMP
from app.domain.text import Text

_DEPENDENT = (Role.HEAD_OF_PRODUCTION, Role.ADMINISTRATOR)


@rule(
    "QA-05",
    Text("Whoever releases had no hand in the lot"),
    cites=(
        Citation(
            GMP,
            "chapter 3",
            Text("Release is independent of production and of testing."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G5, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("the signer performed a step", nth("steps", 0, performed_by="rhea"), also=("QA-07",)),
        Break("the signer verified a step", nth("steps", 0, verified_by="rhea")),
        Break("the signer cleared the line", nth("steps", 0, clearance_performed_by="rhea")),
        Break("the signer verified the clearance", nth("steps", 0, clearance_verified_by="rhea")),
        Break("the signer tested a sample", nth("results", 0, analyst="rhea")),
        Break("the signer recorded something of it", lambda dossier: replace(dossier, recorders=("rhea",))),
        Break("the signer reviewed a result", inside("results", "review", by="rhea")),
        Break("the signer reviewed the batch record", part("batch_review", by="rhea")),
        Break(
            "the signer heads production",
            signer=lambda signer: replace(signer, roles=(*signer.roles, "head_of_production")),
            also=("QA-04",),
        ),
        Break(
            "nobody knows who did the steps",
            without("steps"),
            outcome=Outcome.INDETERMINATE,
            also=("CB-04", "CB-05", "CB-06", "GMP-03", "GMP-04", "GMP-05", "MAT-10", "ORG-05", "QA-07"),
        ),
    ),
)
def independence(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Compare the signer with everybody who performed, verified, tested or reviewed."""
    if asked.signer is None:
        yield waits(dossier.subject, Text("whether whoever comes to sign had a hand in this lot"))
        return
    signer = asked.signer
    roles = tuple(ROLE_NAMES[role] for role in _DEPENDENT if role in signer.roles)
    did = hands_in(dossier, signer.account)
    if roles:
        yield fails(
            signer.account,
            Text("The signer is also: {roles}.", roles=roles),
            Text("Another appointed quality authority decides about this lot."),
        )
    if did:
        yield fails(
            signer.account,
            Text("In this lot the signer {did}.", did=did),
            Text("Another appointed quality authority decides about this lot."),
        )
    if dossier.steps is None or dossier.results is None or dossier.recorders is None:
        yield lacks(
            dossier.subject,
            Text("It is not known who worked on this lot."),
            Text("Report this to whoever keeps the system."),
        )
    elif not roles and not did:
        yield shows(signer.account, Text("performed, verified, tested and reviewed nothing of this lot"))
