"""CB-11: a bank holds cells of one donor; a pool was designed as one, and the quality authority said so."""

from collections.abc import Iterator
from dataclasses import replace

from app.domain.acts import Role
from app.domain.banking import is_bank, no_bank
from app.domain.counterexamples import as_bank, empty, every, without
from app.domain.dossier import Dossier
from app.domain.facts import SubjectKind
from app.domain.rulebook import (
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    lacks,
    rule,
    shows,
    wants_waiver,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_VIAL = SubjectKind.BANK_VIAL


def _pooled(dossier: Dossier) -> Dossier:
    (first, *_) = dossier.donors or ()
    return replace(dossier, donors=(first, replace(first, pseudonym="P-DONOR-2")))


@rule(
    "CB-11",
    Text("A cell bank holds cells of one donor"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("A bank is made of the cells of a single donor; donors are not pooled unless that is designed."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G3, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break(
            "a bank of two donors",
            as_bank(_pooled),
            outcome=Outcome.NEEDS_WAIVER,
            also=(
                "DON-01",
                "DON-02",
                "DON-10",
                "GMP-03",
                "REL-05",
            ),
        ),
        Break(
            "a vial of a bank of two donors",
            _pooled,
            gate=Gate.G3,
            kind=_VIAL,
            outcome=Outcome.NEEDS_WAIVER,
            also=(
                "DON-01",
                "DON-02",
                "DON-10",
            ),
        ),
        Break(
            "a container of another donor",
            every("containers", donors=("P-DONOR-1", "P-DONOR-2")),
            gate=Gate.G3,
            kind=_VIAL,
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "nobody knows whose cells are banked",
            empty("donors"),
            gate=Gate.G3,
            kind=_VIAL,
            outcome=Outcome.INDETERMINATE,
            also=(
                "DON-01",
                "DON-02",
                "DON-07",
                "DON-10",
            ),
        ),
        Break(
            "the containers of a bank are unknown",
            without("containers"),
            gate=Gate.G3,
            kind=_VIAL,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def one_donor_in_a_bank(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Count the donors behind the bank and behind each of its containers."""
    if not is_bank(dossier):
        yield no_bank(dossier)
        return
    if not dossier.donors or dossier.containers is None:
        yield lacks(
            dossier.subject,
            Text("It is not known whose cells the bank holds."),
            Text("Trace every container back to its donation and donor, and record what is missing."),
        )
        return
    donors = {each.pseudonym for each in dossier.donors} | {
        donor for container in dossier.containers for donor in container.donors
    }
    if len(donors) > 1:
        yield wants_waiver(
            dossier.subject,
            Text("The bank holds cells of {count} donors.", count=len(donors)),
            Text("A pool is designed beforehand; with the ethics committee's view the quality authority decides."),
        )
    else:
        yield shows(dossier.subject, Text("cells of one donor: {donor}", donor=next(iter(donors))))
