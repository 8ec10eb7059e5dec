"""CB-07: a bank lot is tested for everything that a bank is tested for, and nothing leaves it before it is released."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from app.domain import settings
from app.domain.acts import Role
from app.domain.banking import is_bank, no_bank
from app.domain.counterexamples import Edit, as_bank, drop, part, setting, where, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Line, Specification, SubjectKind
from app.domain.lots import STATE_NAMES, LotState
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
from app.domain.testing import Fit, fit, is_accepted, limits, spoken, value
from app.domain.text import Text

_VIAL = SubjectKind.BANK_VIAL


def _no_line(test: str) -> Edit:
    return within(
        "specification",
        lambda found: replace(found, lines=tuple(line for line in found.lines if line.test != test)),
    )


def _only_if_one_likes(test: str) -> Edit:
    return within(
        "specification",
        lambda found: replace(found, lines=tuple(replace(line, required=line.test != test) for line in found.lines)),
    )


@rule(
    "CB-07",
    Text("A cell bank is tested for all that banks are tested for, and released"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("A cell bank is established, tested and released before it is used."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G3, Gate.G6),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("no STR in the specification", as_bank(_no_line("STR"))),
        Break(
            "adventitious viruses only if one likes",
            as_bank(_only_if_one_likes("adventitious virus")),
            also=("REL-03",),
        ),
        Break("no karyotype in the specification", as_bank(_no_line("karyotype")), outcome=Outcome.NEEDS_WAIVER),
        Break(
            "STR shows two donors",
            as_bank(where("results", "test", "STR", value_text="two donors")),
            also=("REL-02",),
        ),
        Break(
            "the karyotype is not normal",
            as_bank(where("results", "test", "karyotype", value_text="trisomy 8")),
            outcome=Outcome.NEEDS_WAIVER,
            also=("REL-02",),
        ),
        Break(
            "the phenotype was not tested",
            as_bank(drop("results", "test", "phenotype")),
            outcome=Outcome.INDETERMINATE,
            also=("REL-02",),
        ),
        Break(
            "nobody reviewed the mycoplasma result",
            as_bank(where("results", "test", "mycoplasma", review=None)),
            outcome=Outcome.INDETERMINATE,
            also=("REL-02",),
        ),
        Break(
            "a bank without a specification",
            as_bank(without("specification")),
            outcome=Outcome.INDETERMINATE,
            also=("MAT-09", "REL-02", "REL-03"),
        ),
        Break(
            "what a bank is tested for is not set", as_bank(setting("cb07.tests", {})), outcome=Outcome.INDETERMINATE
        ),
        Break(
            "a vial of a bank that waits for its release",
            part("lot", state=LotState.AWAITING_RELEASE),
            gate=Gate.G3,
            kind=_VIAL,
        ),
        Break("a vial of a bank that was recalled", part("lot", state=LotState.RECALLED), gate=Gate.G3, kind=_VIAL),
        Break(
            "a vial of a bank whose endotoxin failed since",
            where("results", "test", "endotoxin", value_number=Decimal(9)),
            gate=Gate.G3,
            kind=_VIAL,
        ),
        Break(
            "a vial of a bank whose results are unknown",
            without("results"),
            gate=Gate.G3,
            kind=_VIAL,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def bank_tested_and_released(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Look for each test of a bank among its lines and results; before a vial leaves, the bank is released besides."""
    if not is_bank(dossier) or dossier.lot is None:
        yield no_bank(dossier)
        return
    if asked.gate is Gate.G3:
        yield _released(dossier.lot.code, dossier.lot.name, dossier.lot.state)
    if dossier.specification is None:
        yield lacks(
            dossier.subject,
            Text("The bank has no specification."),
            Text("Quality names the version of the specification that this bank is judged by."),
        )
        return
    never = set(settings.words(dossier, "cb07.never_waived"))
    for test, names in settings.word_lists(dossier, "cb07.tests").items():
        yield from _tested(dossier, dossier.specification, test, names, may_be_waived=test not in never)


def _released(code: str, name: str, state: LotState) -> Statement:
    if state is LotState.RELEASED:
        return shows(code, Text("bank {name} is released", name=name))
    return fails(
        code,
        Text("The bank {name} is not released: {state}", name=name, state=STATE_NAMES[state]),
        Text("Use vials of a released bank only."),
    )


def _tested(
    dossier: Dossier, specification: Specification, test: str, names: tuple[str, ...], *, may_be_waived: bool
) -> Iterator[Statement]:
    wanted = {spoken(name) for name in names}
    lines = tuple(line for line in specification.lines if line.required and spoken(line.test) in wanted)
    subject = f"{specification.name} {specification.version}"
    if not lines:
        yield _against(
            subject,
            Text("The specification of the bank does not demand: {test}.", test=names[0]),
            Text("A new version of the specification demands it, and the bank is tested by that version."),
            may_be_waived=may_be_waived,
        )
    for line in lines:
        yield _result(dossier, line, may_be_waived=may_be_waived)


def _result(dossier: Dossier, line: Line, *, may_be_waived: bool) -> Statement:
    standing = tuple(each for each in dossier.results or () if each.line_id == line.id and not each.invalidated)
    for result in standing:
        if fit(line, result) is Fit.OUTSIDE:
            return _against(
                line.test,
                Text("{test}: {value}, limit {limits}.", test=line.test, value=value(result), limits=limits(line)),
                Text("Investigate the cause; of a bank that fails a test of safety or identity nothing is used."),
                may_be_waived=may_be_waived,
            )
    good = next((each for each in standing if fit(line, each) is Fit.WITHIN and is_accepted(each)), None)
    if good is None:
        return lacks(
            line.test,
            Text("There is no reviewed result of the bank for {test}.", test=line.test),
            Text("Have the bank tested; a result counts once it is reviewed."),
        )
    return shows(line.test, Text("{value}, limit {limits}, reviewed", value=value(good), limits=limits(line)))


def _against(subject: str, problem: Text, remedy: Text, *, may_be_waived: bool) -> Statement:
    return wants_waiver(subject, problem, remedy) if may_be_waived else fails(subject, problem, remedy)
