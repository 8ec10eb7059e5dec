"""GM-03: what is left of the vector in the product was measured, and lies within the specification."""

from collections.abc import Iterator
from decimal import Decimal

from app.domain import settings
from app.domain.acts import Role
from app.domain.counterexamples import Edit, all_of, drop, gene_modified, part, where, within
from app.domain.dossier import Dossier
from app.domain.facts import Specification, VectorType
from app.domain.genes import is_edited, not_gene_modified
from app.domain.rulebook import (
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
    wants_waiver,
)
from app.domain.sources import GUIDELINE
from app.domain.testing import Fit, binding_lines, fit, is_accepted, limits, standing_results, value
from app.domain.text import Text

_INFECTIOUS = frozenset({"virus"})
"""Residues that may infect: of these a failing result is never waived."""


def _without_line(test: str) -> Edit:
    def edit(specification: Specification) -> Specification:
        lines = tuple(each for each in specification.lines if each.test != test)
        return Specification(specification.name, specification.version, specification.effective_from, lines)

    return all_of(gene_modified, within("specification", edit))


@rule(
    "GM-03",
    Text("What is left of the vector in the product is measured"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("The residue of vectors in gene modified preparations is quantified."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("the specification asks for no p24", _without_line("p24 residue")),
        Break(
            "p24 was not measured",
            all_of(gene_modified, drop("results", "test", "p24 residue")),
            outcome=Outcome.INDETERMINATE,
            also=("REL-02",),
        ),
        Break(
            "nobody accepted the result",
            all_of(gene_modified, where("results", "test", "p24 residue", review=None)),
            outcome=Outcome.INDETERMINATE,
            also=("REL-02",),
        ),
        Break(
            "too much p24 is left",
            all_of(gene_modified, where("results", "test", "p24 residue", value_number=Decimal(101))),
            outcome=Outcome.NEEDS_WAIVER,
            also=("REL-02",),
        ),
        Break(
            "edited besides, and the nuclease is not asked for",
            all_of(gene_modified, part("process", gene_editing=True)),
        ),
        Break(
            "the vector may infect and is not looked for",
            all_of(gene_modified, part("process", vector_type=VectorType.AAV)),
            also=("GM-01",),
        ),
        Break(
            "nobody said whether the nuclease is looked for",
            all_of(gene_modified, part("process", gene_editing=None)),
            outcome=Outcome.INDETERMINATE,
            also=("GM-01",),
        ),
    ),
)
def vector_residue_measured(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """For each residue that the vector leaves: a required line in the specification, and an accepted result within it."""
    process = dossier.process
    silent = not_gene_modified(dossier)
    if silent is not None or process is None or process.vector_type is None:
        if silent is not None:
            yield silent
        return
    by_vector = settings.word_lists(dossier, "gm03.residues")
    names = settings.word_lists(dossier, "gm03.tests")
    edited = is_edited(dossier)
    wanted = dict.fromkeys((*by_vector[process.vector_type], *(by_vector.get("editing", ()) if edited else ())))
    for residue in wanted:
        yield from _measured(dossier, residue, names.get(residue, (residue,)))
    if edited is None:
        yield lacks(
            dossier.subject,
            Text("It is not stated whether the process edits, and so neither is whether a nuclease is left."),
            Text("Define a version of the process that says so, and work by that version."),
        )


def _measured(dossier: Dossier, residue: str, names: tuple[str, ...]) -> Iterator[Statement]:
    lines = binding_lines(dossier, names)
    if not lines:
        yield fails(
            dossier.subject,
            Text("The specification does not ask for the residue: {test}.", test=names[0]),
            Text("A new version of the specification asks for it, and the lot is tested by that version."),
        )
        return
    for line in lines:
        results = standing_results(dossier, line)
        outside = [each for each in results if fit(line, each) is Fit.OUTSIDE]
        for each in outside:
            problem = Text("{test}: {value}, limit {limits}.", test=line.test, value=value(each), limits=limits(line))
            if residue in _INFECTIOUS:
                yield fails(line.test, problem, Text("What may infect is never waived: reject the lot."))
            else:
                yield wants_waiver(
                    line.test,
                    problem,
                    Text("Investigate the cause; the quality authority may weigh it for this patient and lot."),
                )
        accepted = [each for each in results if fit(line, each) is Fit.WITHIN and is_accepted(each)]
        if accepted:
            yield shows(
                line.test, Text("{value}, limit {limits}, reviewed", value=value(accepted[-1]), limits=limits(line))
            )
        elif not outside:
            yield lacks(
                line.test,
                Text("There is no accepted result for {test}.", test=line.test),
                Text("Have the lot tested; a result counts once it is reviewed."),
            )
