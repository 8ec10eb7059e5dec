"""REL-05: from donor to container the chain of identity is unbroken."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain import settings
from app.domain.counterexamples import empty, every, inside, nth, part, without
from app.domain.donors import IDENTIFIER_NAMES, is_proved_autologous
from app.domain.dossier import Dossier
from app.domain.facts import Container, Donor, IdentityMatch, Lot, Relation
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
from app.domain.sources import CN_CELL_GMP, GUIDELINE
from app.domain.text import Text


@rule(
    "REL-05",
    Text("Every container leads to one donor, and autologous cells to their own recipient"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Without a cell bank the preparation is fully traceable from donor to recipient."),
            Standing.STATED,
        ),
        Citation(
            CN_CELL_GMP,
            "traceability",
            Text("Donor material, intermediates and product are identified and traceable throughout; no mix-up."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6, Gate.G10),
    waiver=NEVER,
    breaks=(
        Break("a vial that leads to two donors", nth("containers", 0, donors=("P-DONOR-1", "P-DONOR-2"))),
        Break("a vial of another donor", nth("containers", 0, donors=("P-DONOR-2",))),
        Break("a vial that leads nowhere", nth("containers", 0, donors=(), orphan=True)),
        Break("nothing was filled", empty("containers"), outcome=Outcome.INDETERMINATE),
        Break("the containers are unknown", without("containers"), outcome=Outcome.INDETERMINATE),
        Break("autologous cells for somebody else", part("lot", recipient="P-SOMEBODY")),
        Break("autologous cells for nobody", part("lot", recipient=None), outcome=Outcome.INDETERMINATE),
        Break("no identity match", every("donors", identity_matches=()), outcome=Outcome.INDETERMINATE),
        Break(
            "matched by one identifier said twice",
            inside("donors", "identity_matches", identifiers=("hospital_number", "hospital_number")),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "matched by one person only",
            inside("donors", "identity_matches", second_by=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "matched twice by the same person",
            inside("donors", "identity_matches", verified_by="tess", second_by="tess"),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "matched to another recipient",
            inside("donors", "identity_matches", recipient="P-SOMEBODY"),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "matched in the future",
            inside("donors", "identity_matches", at=datetime(2030, 1, 1, tzinfo=UTC)),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "allogeneic cells whose recipient is the donor",
            every("donors", relation=Relation.ALLOGENEIC),
            also=("CB-03", "DON-02", "DON-10"),
        ),
    ),
)
def chain_of_identity(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the lot's one donor, each container's origin, and who receives autologous cells."""
    if dossier.lot is None or not dossier.donors or not dossier.containers:
        yield lacks(
            dossier.subject,
            Text("The donor, the lot or its containers are not known."),
            Text("Trace every container back to its donation and donor, and record what is missing."),
        )
        return
    if len(dossier.donors) > 1:
        yield fails(
            dossier.subject,
            Text("The lot leads to {count} donors.", count=len(dossier.donors)),
            Text("Keep the lot apart; quality investigates how cells of several donors met."),
        )
        return
    donor = dossier.donors[0]
    yield from _containers(dossier.containers, donor)
    if donor.relation is Relation.AUTOLOGOUS:
        yield from _autologous(dossier, asked, dossier.lot, donor)
    else:
        yield _allogeneic(dossier.lot, donor)


def _containers(containers: tuple[Container, ...], donor: Donor) -> Iterator[Statement]:
    astray = tuple(each for each in containers if each.orphan or each.donors != (donor.pseudonym,))
    for container in astray:
        yield fails(
            container.code,
            Text("It leads to {donors}, not to donor {donor} alone.", donors=container.donors, donor=donor.pseudonym)
            if container.donors
            else Text("It leads to no donor."),
            Text("Keep it apart; quality investigates where it came from."),
        )
    if not astray:
        yield shows(donor.pseudonym, Text("{count} containers lead to this donor and no other", count=len(containers)))


def _autologous(dossier: Dossier, asked: Asked, lot: Lot, donor: Donor) -> Iterator[Statement]:
    if lot.recipient is None:
        yield lacks(
            lot.code,
            Text("Autologous cells have no recipient on record."),
            Text("Establish the recipient by identifiers, two people at the bedside."),
        )
    elif lot.recipient != donor.recipient or not is_proved_autologous(donor):
        yield fails(
            lot.code,
            Text("The recipient is not the donor: autologous cells are given back to nobody else."),
            Text("Keep the lot apart; quality investigates. It is never assigned to another recipient."),
        )
    else:
        yield _matched(dossier, asked, donor)


def _matched(dossier: Dossier, asked: Asked, donor: Donor) -> Statement:
    wanted = int(settings.number(dossier, "rel05.identifiers_min"))
    match = next((each for each in donor.identity_matches if _proves(each, donor, asked, wanted)), None)
    if match is None:
        return lacks(
            donor.pseudonym,
            Text("Donor and recipient have not been matched by {count} identifiers and two people.", count=wanted),
            Text("Two people compare the identifiers and record the match."),
        )
    return shows(
        donor.pseudonym,
        Text(
            "matched by {identifiers}; {first} and {second}, {at}",
            identifiers=tuple(IDENTIFIER_NAMES.get(each, each) for each in match.identifiers),
            first=match.verified_by,
            second=match.second_by or "",
            at=match.at,
        ),
    )


def _proves(match: IdentityMatch, donor: Donor, asked: Asked, wanted: int) -> bool:
    return (
        match.recipient == donor.recipient
        and len({identifier.strip().casefold() for identifier in match.identifiers if identifier.strip()}) >= wanted
        and match.second_by is not None
        and match.second_by != match.verified_by
        and match.at <= asked.at
    )


def _allogeneic(lot: Lot, donor: Donor) -> Statement:
    if donor.pseudonym in {lot.recipient, donor.recipient}:
        return fails(
            lot.code,
            Text("The donor is recorded as allogeneic and as the recipient."),
            Text(
                "Establish by independent evidence who donor and recipient are; until that is proved, nothing of this lot is released."
            ),
        )
    return shows(lot.code, Text("allogeneic; the recipient is matched when a container is issued"))
