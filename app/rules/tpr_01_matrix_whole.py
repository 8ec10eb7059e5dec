"""TPR-01: bank and final formulation were tested again outside for sterility, mycoplasma, endotoxin and viruses; all passed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from app.domain.counterexamples import all_of, part, retested, study_part, study_records, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Bank, Study, SubjectKind
from app.domain.laboratories import ENDOTOXIN, MYCOPLASMA, STERILITY
from app.domain.lots import LotState
from app.domain.reinspection import (
    BANK,
    FINAL_FORMULATION,
    NOT_APPLICABLE,
    STARTING_HARVEST,
    cells,
    needs_bank,
    says_matrix,
)
from app.domain.rulebook import (
    NEVER,
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
)
from app.domain.sources import GUIDELINE
from app.domain.studies import no_study
from app.domain.text import Text

_G7: dict[str, Any] = {"gate": Gate.G7, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_G8: dict[str, Any] = {"gate": Gate.G8, "kind": SubjectKind.STUDY, "also": ("BOOK",)}
_LEFT_OUT: dict[str, Any] = {"outcome": NOT_APPLICABLE, "statement": "cells do not interfere", "found": None}
_FIRST = Bank("L0000000009", "BANK-26-0001", LotState.RELEASED)


def _drop(sample: str, test: str) -> Any:
    def edit(study: Study) -> Study:
        return replace(
            study,
            reinspections=tuple(
                replace(each, tests=tuple(one for one in each.tests if one.test != test))
                if each.sample_kind == sample
                else each
                for each in study.reinspections
            ),
        )

    return within("study", edit)


def _bank(bank: Bank) -> Any:
    """The study's cells come from this bank, and so did its final formulation."""
    made_of = study_records("reinspections", only=("sample_kind", FINAL_FORMULATION), banks=(bank.code,))
    return all_of(within("banks", lambda _: (bank,)), made_of)


@rule(
    "TPR-01",
    Text("Bank and final formulation were tested again outside, and all of it passed"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "Before the study is initiated, key safety indicators of cell bank and final formulation are re-evaluated."
            ),
            Standing.STATED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("TPR-03: the tests are sterility, mycoplasma, endotoxin and exogenous viruses."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G7, Gate.G8),
    waiver=NEVER,
    breaks=(
        Break(
            "the final formulation was not tested for mycoplasma",
            _drop(FINAL_FORMULATION, MYCOPLASMA),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the starting harvest was not tested for endotoxin, at filing",
            _drop(STARTING_HARVEST, ENDOTOXIN),
            **_G7,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the final formulation is not sterile",
            retested(sample=FINAL_FORMULATION, only=("test", STERILITY), outcome="failed"),
            **_G8,
        ),
        Break(
            "a test again is inconclusive",
            retested(sample=STARTING_HARVEST, only=("test", STERILITY), outcome="inconclusive"),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "endotoxin of the final formulation was left out, whatever the report states",
            retested(sample=FINAL_FORMULATION, only=("test", ENDOTOXIN), **_LEFT_OUT),
            **_G8,
        ),
        Break(
            "mycoplasma of the starting material was left out, whatever the report states",
            retested(sample=STARTING_HARVEST, only=("test", MYCOPLASMA), **_LEFT_OUT),
            **_G8,
        ),
        Break(
            "endotoxin above the limit, and the report calls it passed",
            retested(only=("test", ENDOTOXIN), value=Decimal("0.6")),
            **_G8,
        ),
        Break(
            "endotoxin without a value",
            retested(sample=FINAL_FORMULATION, only=("test", ENDOTOXIN), value=None),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("tested on a later day", retested(tested_on=date(2026, 11, 21)), **_G8, outcome=Outcome.INDETERMINATE),
        Break(
            "a report that was recorded after the moment judged",
            study_records(
                "reinspections", only=("sample_kind", FINAL_FORMULATION), recorded_at=datetime(2026, 11, 21, tzinfo=UTC)
            ),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a report in whose place a corrected record stands",
            study_records(
                "reinspections", only=("sample_kind", FINAL_FORMULATION), replaced_at=datetime(2026, 7, 1, tzinfo=UTC)
            ),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a bank that was never tested again",
            _bank(_FIRST),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "cells of a donor, and the starting harvest alone was tested",
            study_part(cell_source="allogeneic"),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a process that needs a bank, and the starting harvest alone was tested",
            part("process", long_term_expansion=True),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "whether there is a bank is unknown",
            without("banks"),
            **{**_G8, "also": ("BOOK", "TPR-05")},
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "an endotoxin test of a bank that was left out although the report states nothing",
            all_of(
                _bank(_FIRST),
                study_records(
                    "reinspections", only=("sample_kind", STARTING_HARVEST), sample_kind=BANK, lot="L0000000009"
                ),
                retested(sample=BANK, only=("test", ENDOTOXIN), outcome=NOT_APPLICABLE, statement=None, found=None),
            ),
            **_G8,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def matrix_whole(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge each cell: two samples or more, each by four tests."""
    study, process = dossier.study, dossier.process
    if study is None or process is None:
        yield no_study(dossier)
        return
    if dossier.banks is None:
        yield lacks(
            study.number,
            Text("It is not known whether the study's cells come from a bank."),
            Text("Report this to whoever keeps the system."),
        )
    elif not dossier.banks:
        reasons = needs_bank(dossier, study, process)
        if reasons:
            yield lacks(
                study.number,
                Text("The study names no bank lot, and its cells need one: {reasons}.", reasons=reasons),
                Text("Name the bank lot from which the study's preparations come, and have it tested again."),
            )
        else:
            yield shows(study.number, Text("no bank is needed; the starting harvest was tested in its place"))
    for cell in cells(dossier, asked):
        yield from says_matrix(dossier, asked, cell)
