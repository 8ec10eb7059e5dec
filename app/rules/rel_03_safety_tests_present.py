"""REL-03: the safety tests stand in the specification, whatever else it asks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from app.domain import settings
from app.domain.banking import is_bank
from app.domain.counterexamples import Edit, all_of, bank_tested, behind, setting, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Bank, Line, Result, Specification
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
from app.domain.sources import GUIDELINE
from app.domain.testing import Fit, fit, is_accepted, is_set_aside, spoken, value
from app.domain.text import Text

ALWAYS: Mapping[str, Text] = {
    "sterility": Text("sterility"),
    "mycoplasma": Text("mycoplasma"),
    "endotoxin": Text("endotoxin"),
    "viability": Text("viability"),
    "identity": Text("identity"),
    "dose": Text("dose"),
}
_BY_BANK_OR_LOT = "adventitious_virus"
_VIRUS = Text("adventitious viruses")


def _lines(edit: Callable[[Line], Line | None]) -> Edit:
    def changed(specification: Specification) -> Specification:
        return replace(specification, lines=tuple(line for line in map(edit, specification.lines) if line))

    return within("specification", changed)


def _left_out(test: str) -> Edit:
    return _lines(lambda line: None if line.test == test else line)


def _optional(test: str) -> Edit:
    return _lines(lambda line: replace(line, required=False) if line.test == test else line)


def _not_safety(test: str) -> Edit:
    return _lines(lambda line: replace(line, safety=False) if line.test == test else line)


@rule(
    "REL-03",
    Text("The safety tests stand in the specification"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Sterility, mycoplasma, endotoxin and adventitious viruses are the key safety indicators."),
            Standing.STATED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("Viability, identity and dose complete the set that every lot shows."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=NEVER,
    breaks=(
        *(Break(f"no {test}", _left_out(test)) for test in ALWAYS),
        Break("no adventitious viruses", _left_out("adventitious virus")),
        Break("sterility only if one likes", _optional("sterility")),
        Break("mycoplasma not counted as safety", _not_safety("mycoplasma")),
        Break(
            "viruses by the bank, of which nothing is known",
            setting("rel03.adventitious_virus_by", "bank"),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "viruses by the bank, which was not tested for them",
            all_of(behind(lines=(), results=()), setting("rel03.adventitious_virus_by", "bank")),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("viruses by the bank, in which one was found", bank_tested(value_text="detected")),
        Break(
            "viruses by the bank, whose result nobody reviewed",
            bank_tested(review=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("no specification", without("specification"), outcome=Outcome.INDETERMINATE, also=("MAT-09", "REL-02")),
    ),
)
def safety_tests_present(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Look for each safety test among the lines, by any of its names; it must be required and marked as safety."""
    if dossier.specification is None:
        yield lacks(
            dossier.subject,
            Text("The lot has no specification."),
            Text("Quality names the version of the specification that this lot is judged by."),
        )
        return
    names = settings.word_lists(dossier, "rel03.safety_set")
    for test, said in ALWAYS.items():
        yield _present(dossier.specification, said, names.get(test, (test,)))
    if settings.word(dossier, "rel03.adventitious_virus_by") == "lot":
        yield _present(dossier.specification, _VIRUS, names.get(_BY_BANK_OR_LOT, ("adventitious virus",)))
    else:
        yield from _by_bank(dossier, dossier.specification, names.get(_BY_BANK_OR_LOT, ("adventitious virus",)))


def _by_bank(dossier: Dossier, specification: Specification, names: tuple[str, ...]) -> Iterator[Statement]:
    """A bank demands the test itself; of what was made of banks one bank was tested, and in none was a virus found."""
    if is_bank(dossier):
        yield _present(specification, _VIRUS, names)
        return
    wanted = {spoken(name) for name in names}
    said = [
        _of_bank(bank, line, result)
        for bank in dossier.banks or ()
        for line in bank.lines or ()
        if _binds(line) and spoken(line.test) in wanted
        for result in bank.results or ()
        if result.line_id == line.id and not is_set_aside(dossier, result)
    ]
    yield from said
    if not said:
        yield lacks(
            dossier.subject,
            Text("Adventitious viruses are to be tested by the bank, and no bank result is on record."),
            Text("Test the lot itself, or record the bank and its results."),
        )


def _of_bank(bank: Bank, line: Line, result: Result) -> Statement:
    found = fit(line, result)
    if found is Fit.OUTSIDE:
        return fails(
            bank.code,
            Text("Bank {name}: {test}: {value}.", name=bank.name, test=line.test, value=value(result)),
            Text("Nothing is made of this bank; reject the lot."),
        )
    if found is Fit.UNREADABLE or not is_accepted(result):
        return lacks(
            bank.code,
            Text("Bank {name}: the result for {test} was not accepted in review.", name=bank.name, test=line.test),
            Text("Have the bank's result reviewed, or the bank tested again."),
        )
    return shows(bank.code, Text("bank {name} tested for: {test}", name=bank.name, test=_VIRUS))


def _present(specification: Specification, said: Text, names: tuple[str, ...]) -> Statement:
    wanted = {spoken(name) for name in names}
    subject = f"{specification.name} {specification.version}"
    lines = tuple(line for line in specification.lines if spoken(line.test) in wanted)
    if any(_binds(line) for line in lines):
        return shows(subject, Text("tested for: {test}", test=said))
    return fails(
        subject,
        Text("The specification does not demand as a safety test: {test}.", test=said),
        Text("A new version of the specification demands it, and the lot is tested by that version."),
    )


def _binds(line: Line) -> bool:
    return line.required and line.safety
