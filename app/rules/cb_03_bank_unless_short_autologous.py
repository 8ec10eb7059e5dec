"""CB-03: only autologous cells of a short process with low manipulation do without a cell bank."""

from collections.abc import Iterator

from app.domain.banking import is_autologous_alone, needs_a_bank_for
from app.domain.counterexamples import all_of, allogeneic, empty, inside, part, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Bank, SubjectKind
from app.domain.lots import STATE_NAMES, LotKind, LotState
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
    fails,
    lacks,
    rule,
    shows,
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
        Citation(
            GUIDELINE,
            "§3",
            Text("A cell bank is mandatory for long expansion, gene modification and clonal selection."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G4, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("cells for somebody else without a bank", _FOR_OTHERS),
        Break(
            "cells for somebody else without a bank, before a step", _FOR_OTHERS, gate=Gate.G4, kind=SubjectKind.STEP
        ),
        Break("a long process without a bank", part("process", short_cycle=False)),
        Break("much manipulation without a bank", part("process", low_manipulation=False)),
        Break("long expansion without a bank", part("process", long_term_expansion=True)),
        Break(
            "selected clones without a bank, before a step",
            part("process", clone_selected=True),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break(
            "selected clones from a bank that is recalled",
            all_of(
                part("process", clone_selected=True),
                inside("donors", "consents", scopes=("donation", "processing", "storage")),
                within("banks", lambda _: (_RECALLED,)),
            ),
        ),
        Break(
            "one of two banks is still tested",
            all_of(
                part("process", short_cycle=False),
                inside("donors", "consents", scopes=("donation", "processing", "storage")),
                within("banks", lambda _: (Bank("L0000000008", "BANK-26-0000", LotState.RELEASED), _TESTED)),
            ),
        ),
        Break(
            "long expansion, and whether there is a bank is unknown",
            all_of(part("process", long_term_expansion=True), without("banks")),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the process version of a lot is unknown",
            without("process"),
            outcome=Outcome.INDETERMINATE,
            also=("CB-05", "CB-06", "DON-05"),
        ),
    ),
)
def bank_unless_short_autologous(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Judge whether a bank is needed, and if so whether every bank lot behind the cells is released."""
    if dossier.lot is not None and dossier.lot.kind is LotKind.BANK:
        yield does_not_apply(dossier.subject, Text("the lot is itself a bank"))
    elif dossier.process is None or not dossier.donors:
        yield lacks(
            dossier.subject,
            Text("The process version or the donor is not known, and so neither is whether a bank is needed."),
            Text("Name the process version that the lot follows, and its donor."),
        )
    elif dossier.banks:
        yield from (_stands(each) for each in dossier.banks)
    elif (reasons := _reasons(dossier)) and dossier.banks is None:
        yield lacks(
            dossier.subject,
            Text("A cell bank is needed ({reasons}), and it is not known whether there is one.", reasons=reasons),
            Text("Report this to whoever keeps the system."),
        )
    elif reasons:
        yield fails(
            dossier.subject,
            Text("A cell bank is needed ({reasons}), and none stands behind these cells.", reasons=reasons),
            Text("Make a bank, have it tested and released, and make the lot from it."),
        )
    else:
        yield does_not_apply(
            dossier.subject,
            Text("no bank needed: autologous, short process, low manipulation, nothing that asks for one"),
        )


def _reasons(dossier: Dossier) -> tuple[Text, ...]:
    others = () if is_autologous_alone(dossier) else (Text("the cells are not proved autologous"),)
    return (*others, *needs_a_bank_for(dossier.process)) if dossier.process else others


def _stands(bank: Bank) -> Statement:
    if bank.state is LotState.RELEASED:
        return shows(bank.code, Text("from bank {name}, released", name=bank.name))
    return fails(
        bank.code,
        Text("The bank {name} is not released: {state}", name=bank.name, state=STATE_NAMES[bank.state]),
        Text("Use cells of a released bank only; what was made of another is kept apart."),
    )
