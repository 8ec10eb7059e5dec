"""CB-01: long expansion, gene modification and selection of clones need a cell bank, and nobody waives it.

CB-02 is its second citation: the figures beyond which an expansion is long are settings, and a process that goes beyond
one of them counts as long whatever its own flag says.
"""

from collections.abc import Iterator
from decimal import Decimal

from app.domain.banking import (
    is_gene_modified_for_oneself,
    long_expansion,
    stands,
    unknown_process,
    without_a_bank,
)
from app.domain.counterexamples import all_of, allogeneic, empty, gene_modified, inside, part, setting, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Bank, PassageConvention, Process, SubjectKind
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
_WITH_STORAGE = inside("donors", "consents", scopes=("donation", "processing", "storage"))


@rule(
    "CB-01",
    Text("Long expansion, gene modification and selected clones come from a released cell bank"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("A cell bank is mandatory for long expansion, gene modification and clonal selection."),
            Standing.STATED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "What expansion is long the guideline does not say; the figures are settings, suggested here (CB-02)."
            ),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G4, Gate.G6, Gate.G7),
    waiver=NEVER,
    breaks=(
        Break("long expansion without a bank", part("process", long_term_expansion=True)),
        Break(
            "selected clones without a bank, before a step",
            part("process", clone_selected=True),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break(
            "gene modified cells for somebody else, without a bank",
            all_of(
                allogeneic,
                gene_modified,
                inside("donors", "consents", scopes=("donation", "processing", "allogeneic use", "gene modification")),
                empty("banks"),
            ),
            also=(
                "CB-03",
                "CB-06",
            ),
        ),
        Break("more passages than the setting, though it is not said to be long", part("process", max_passage=6)),
        Break(
            "one passage fewer where the primary culture is the first",
            part("process", max_passage=7, passage_convention=PassageConvention.PRIMARY_IS_P1),
            also=("CB-05",),
        ),
        Break(
            "more doublings than the setting, though it is not said to be long",
            part("process", max_pdl=Decimal("20.1")),
        ),
        Break("the culture lasted longer than the setting", setting("cb02.days_over", 20)),
        Break(
            "the step about to begin would make the culture last too long",
            setting("cb02.days_over", 20),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break("what is long is not set", setting("cb02.doublings_over", "many"), outcome=Outcome.INDETERMINATE),
        Break(
            "selected clones from a bank that is recalled",
            all_of(part("process", clone_selected=True), _WITH_STORAGE, within("banks", lambda _: (_RECALLED,))),
            also=(
                "CB-03",
                "CB-08",
            ),
        ),
        Break(
            "long expansion, and whether there is a bank is unknown",
            all_of(part("process", long_term_expansion=True), without("banks")),
            outcome=Outcome.INDETERMINATE,
            also=(
                "CB-08",
                "CB-09",
                "HGR-01",
            ),
        ),
        Break(
            "gene modified, and the donors are unknown",
            all_of(gene_modified, without("donors")),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            outcome=Outcome.INDETERMINATE,
            also=("CB-01A", "CB-03", "DON-05", "DON-14"),
        ),
    ),
)
def bank_mandatory(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Judge whether anything makes a bank mandatory, and if so whether every bank lot behind the cells is released."""
    process = dossier.process
    if dossier.lot is not None and dossier.lot.kind is LotKind.BANK:
        yield does_not_apply(dossier.subject, Text("the lot is itself a bank"))
    elif process is None or (process.gene_modified and not dossier.donors):
        yield unknown_process(dossier)
    elif not (reasons := _reasons(dossier, process)):
        yield does_not_apply(
            dossier.subject,
            Text("gene modified and for the donor alone: CB-01A asks about the bank")
            if process.gene_modified
            else Text("nothing makes a bank mandatory: no long expansion, no gene modification, no selected clones"),
        )
    elif dossier.banks:
        yield from (stands(each) for each in dossier.banks)
    else:
        yield without_a_bank(dossier, reasons)


def _reasons(dossier: Dossier, process: Process) -> tuple[Text, ...]:
    for_others = process.gene_modified and not is_gene_modified_for_oneself(dossier)
    return (
        *long_expansion(dossier, process),
        *((Text("the cells are gene modified"),) if for_others else ()),
        *((Text("clones are selected"),) if process.clone_selected else ()),
    )
