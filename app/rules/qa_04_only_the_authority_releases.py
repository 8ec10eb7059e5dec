"""QA-04: only the appointed quality authority releases, in person and alone responsible."""

from collections.abc import Iterator
from dataclasses import replace

from app.domain.acts import ROLE_NAMES, Role
from app.domain.dossier import Dossier
from app.domain.people import signers_appointment
from app.domain.rulebook import NEVER, Asked, Break, Citation, Gate, Standing, Statement, fails, rule, shows, waits
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_NEVER_RELEASES = (Role.ADMINISTRATOR, Role.HEAD_OF_PRODUCTION, Role.DEVICE)


@rule(
    "QA-04",
    Text("Only the appointed quality authority releases"),
    cites=(
        Citation(
            GUIDELINE,
            "§2",
            Text("The quality authority alone releases and alone is responsible for it."),
            Standing.STATED,
        ),
        Citation(
            GUIDELINE,
            "§2",
            Text("REL-01: every lot is released by the quality authority, and by nobody else."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G5, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break(
            "a technician signs",
            signer=lambda signer: replace(signer, account="tess", roles=("technician",), appointment_id=None),
            also=("QA-02", "QA-03", "QA-05"),
        ),
        Break(
            "the role without an appointment",
            signer=lambda signer: replace(signer, appointment_id=None),
            also=("QA-02", "QA-03"),
        ),
        Break(
            "somebody under another's appointment",
            signer=lambda signer: replace(signer, account="otto"),
            also=("QA-02", "QA-03"),
        ),
        Break(
            "the authority is also administrator",
            signer=lambda signer: replace(signer, roles=(*signer.roles, "administrator")),
            also=("QA-05",),
        ),
        Break("an appointment without the role", signer=lambda signer: replace(signer, roles=())),
    ),
)
def only_the_authority_releases(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the signer's role and appointment now. There is no release on behalf of somebody."""
    if asked.signer is None:
        yield waits(dossier.subject, Text("who comes to sign"))
        return
    signer = asked.signer
    appointment = signers_appointment(dossier, signer, asked.at)
    excluded = tuple(ROLE_NAMES[role] for role in _NEVER_RELEASES if role in signer.roles)
    if excluded:
        yield fails(
            signer.account,
            Text("The signer is also: {roles}.", roles=excluded),
            Text("Somebody who holds no such role is appointed and signs."),
        )
    if appointment is None or Role.QUALITY_AUTHORITY not in signer.roles:
        yield fails(
            signer.account,
            Text("The signer is not the appointed quality authority."),
            Text("The appointed quality authority signs in and decides."),
        )
    elif not excluded:
        yield shows(signer.account, Text("quality authority under appointment {id}", id=appointment.id))
