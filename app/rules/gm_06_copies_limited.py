"""GM-06: a transduced cell holds no more copies of the vector than it may."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from app.domain import settings
from app.domain.acts import Role
from app.domain.counterexamples import Edit, all_of, drop, gene_modified, part, setting, where, within
from app.domain.dossier import Dossier
from app.domain.facts import Result, Specification
from app.domain.genes import INTEGRATING, VECTOR_NAMES, not_gene_modified
from app.domain.rulebook import (
    Asked,
    Break,
    Citation,
    Gate,
    Outcome,
    Standing,
    Statement,
    does_not_apply,
    lacks,
    rule,
    shows,
    wants_waiver,
)
from app.domain.sources import CN_CELL_GMP
from app.domain.testing import Fit, binding_lines, fit, is_accepted, standing_results
from app.domain.text import Text

_VCN = "vector copy number in transduced cells"
_ALL_CELLS = "vector copy number"


def _counted_in_all(*, transduced_percent: str | None) -> Edit:
    """Copies were counted in all cells; a further line says what share was transduced, where it is known."""

    def lines(specification: Specification) -> Specification:
        renamed = tuple(replace(each, test=_ALL_CELLS) if each.test == _VCN else each for each in specification.lines)
        line = next(each for each in renamed if each.test == _ALL_CELLS)
        share = replace(line, id=93, test="transduction", low=Decimal(5), high=None, unit="%")
        return replace(specification, lines=(*renamed, *(() if transduced_percent is None else (share,))))

    def results(found: tuple[Result, ...]) -> tuple[Result, ...]:
        renamed = tuple(replace(each, test=_ALL_CELLS) if each.test == _VCN else each for each in found)
        if transduced_percent is None:
            return renamed
        count = next(each for each in renamed if each.test == _ALL_CELLS)
        share = replace(
            count, id=93, line_id=93, test="transduction", value_number=Decimal(transduced_percent), unit="%"
        )
        return (*renamed, share)

    return all_of(gene_modified, within("specification", lines), within("results", results))


@rule(
    "GM-06",
    Text("A transduced cell holds no more copies of the vector than it may"),
    cites=(
        Citation(
            CN_CELL_GMP,
            "release testing",
            Text("How many copies of an integrating vector a cell holds is limited; five is a usual figure."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break(
            "six copies in a transduced cell",
            all_of(gene_modified, where("results", "test", _VCN, value_number=Decimal(6))),
            outcome=Outcome.NEEDS_WAIVER,
            also=("GM-03", "REL-02"),
        ),
        Break(
            "the limit was lowered",
            all_of(gene_modified, setting("gm06.copies_per_cell_most", 1)),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "copies were not counted",
            all_of(gene_modified, drop("results", "test", _VCN)),
            outcome=Outcome.INDETERMINATE,
            also=("GM-03", "REL-02"),
        ),
        Break(
            "nobody accepted the count",
            all_of(gene_modified, where("results", "test", _VCN, review=None)),
            outcome=Outcome.INDETERMINATE,
            also=("GM-03", "REL-02"),
        ),
        Break(
            "few copies in all cells, for few were transduced",
            _counted_in_all(transduced_percent="20"),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "counted in all cells, and nobody knows how many were transduced",
            _counted_in_all(transduced_percent=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a share of nothing",
            _counted_in_all(transduced_percent="0"),
            outcome=Outcome.INDETERMINATE,
            also=("REL-02",),
        ),
        Break(
            "nobody said which vector",
            all_of(gene_modified, part("process", vector_type=None)),
            outcome=Outcome.INDETERMINATE,
            also=("GM-01", "GM-03", "GM-05"),
        ),
    ),
)
def copies_limited(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Take the highest count that stands; one made over all cells is divided by the lowest share that was transduced."""
    silent = not_gene_modified(dossier)
    process = dossier.process
    if silent is not None:
        yield silent
        return
    if process is not None and process.vector_type is not None and process.vector_type not in INTEGRATING:
        yield does_not_apply(
            dossier.subject, Text("the vector does not integrate: {vector}", vector=VECTOR_NAMES[process.vector_type])
        )
        return
    names = settings.word_lists(dossier, "gm06.tests")
    most = settings.number(dossier, "gm06.copies_per_cell_most")
    counted = _values(dossier, names["transduced"])
    over_all = _values(dossier, names["all"])
    shares = _values(dossier, names["transduction"])
    if over_all and not counted and (not shares or min(shares) <= 0):
        yield lacks(
            dossier.subject,
            Text("Copies were counted in all cells, and it is not known how many of them were transduced."),
            Text("Have the share of transduced cells measured and reviewed, or the copies counted in these alone."),
        )
        return
    copies = [*counted, *(each * 100 / min(shares) for each in over_all if shares and min(shares) > 0)]
    if not copies:
        yield lacks(
            dossier.subject,
            Text("There is no accepted count of the copies in a transduced cell."),
            Text("Have the lot tested; a result counts once it is reviewed."),
        )
        return
    highest = round(max(copies), 3)
    if highest > most:
        yield wants_waiver(
            dossier.subject,
            Text("A transduced cell holds {copies} copies, at most {most} are allowed.", copies=highest, most=most),
            Text("Investigate; with the ethics committee the quality authority may weigh it for this patient and lot."),
        )
    else:
        yield shows(
            dossier.subject, Text("{copies} copies in a transduced cell, at most {most}", copies=highest, most=most)
        )


def _values(dossier: Dossier, names: tuple[str, ...]) -> list[Decimal]:
    """Every value that stands and can be read, of the test by any of its names; none while one is not accepted."""
    found = [(line, each) for line in binding_lines(dossier, names) for each in standing_results(dossier, line)]
    if any(not is_accepted(each) or fit(line, each) is Fit.UNREADABLE for line, each in found):
        return []
    return [each.value_number for _, each in found if each.value_number is not None]
