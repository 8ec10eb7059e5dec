"""CB-03: only autologous cells of a short process with low manipulation do without a cell bank."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain.banking import (
    decided_to_do_without,
    is_autologous_alone,
    is_gene_modified_for_oneself,
    not_short_or_low,
    stands,
    unknown_process,
    without_a_bank,
)
from app.domain.counterexamples import all_of, allogeneic, empty, every, inside, part, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Bank, Process, SubjectKind
from app.domain.lots import LotKind, LotState
from app.domain.rulebook import (
    NEVER,
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    does_not_apply,
    rule,
)
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_RECALLED = Bank("L0000000009", "BANK-26-0001", LotState.RECALLED)
_TESTED = Bank("L0000000009", "BANK-26-0001", LotState.QUARANTINE)
_FOR_OTHERS = all_of(allogeneic, empty("banks"))


@rule(
    "CB-03",
    Text("The cells come from a released bank, or need none: autologous, short, little manipulated"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Autologous preparations of a short process with low manipulation may do without a cell bank."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G4, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("cells for somebody else without a bank", _FOR_OTHERS, also=("CB-06",)),
        Break(
            "cells for somebody else without a bank, before a step", _FOR_OTHERS, gate=Gate.G4, kind=SubjectKind.STEP
        ),
        Break("decided by nobody", empty("bank_policies"), outcome=Outcome.INDETERMINATE),
        Break(
            "decided by who proposed it",
            every("bank_policies", proposed_by="rhea"),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "decided for another version of the process",
            every("bank_policies", process="BM-MSC 3"),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "decided only after processing began",
            every("bank_policies", approved_at=datetime(2026, 10, 5, 9, 0, 1, tzinfo=UTC)),
        ),
        Break(
            "decided that a bank is needed, before a step without one",
            every("bank_policies", needed=True, reasons="many doses of one donor"),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break("a long process without a bank", part("process", short_cycle=False)),
        Break("much manipulation without a bank", part("process", low_manipulation=False)),
        Break(
            "a long process from a bank that is recalled",
            all_of(
                part("process", short_cycle=False),
                inside("donors", "consents", scopes=("donation", "processing", "storage")),
                within("banks", lambda _: (_RECALLED,)),
            ),
            also=("CB-08",),
        ),
        Break(
            "one of two banks is still tested",
            all_of(
                part("process", short_cycle=False),
                inside("donors", "consents", scopes=("donation", "processing", "storage")),
                within("banks", lambda _: (Bank("L0000000008", "BANK-26-0000", LotState.RELEASED), _TESTED)),
            ),
            also=("CB-08",),
        ),
        Break(
            "a long process, and whether there is a bank is unknown",
            all_of(part("process", short_cycle=False), without("banks")),
            outcome=Outcome.INDETERMINATE,
            also=(
                "CB-08",
                "CB-09",
                "HGR-01",
            ),
        ),
        Break(
            "the process version of a lot is unknown",
            without("process"),
            outcome=Outcome.INDETERMINATE,
            also=("CB-01", "CB-01A", "CB-05", "CB-06", "DON-05", "GM-01", "GM-03", "GM-05", "GM-06", "ORG-05"),
        ),
    ),
)
def bank_unless_short_autologous(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge whether the lot may do without a bank, and if not whether every bank lot behind the cells is released."""
    if dossier.lot is not None and dossier.lot.kind is LotKind.BANK:
        yield does_not_apply(dossier.subject, Text("the lot is itself a bank"))
    elif dossier.process is None or not dossier.donors:
        yield unknown_process(dossier)
    elif dossier.banks:
        yield from (stands(each) for each in dossier.banks)
    elif is_gene_modified_for_oneself(dossier):
        yield does_not_apply(dossier.subject, Text("gene modified and for the donor alone: CB-01A asks about the bank"))
    elif reasons := _reasons(dossier, dossier.process):
        yield without_a_bank(dossier, reasons)
    else:
        yield decided_to_do_without(dossier, dossier.process, asked)


def _reasons(dossier: Dossier, process: Process) -> tuple[Text, ...]:
    others = () if is_autologous_alone(dossier) else (Text("the cells are not proved autologous"),)
    return (*others, *not_short_or_low(process))
