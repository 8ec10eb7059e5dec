"""CB-08: tiers follow on each other, and passage and doublings go on from the vial that was thawed."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from app.domain import settings
from app.domain.banking import asked_vials, is_bank, thaws
from app.domain.cell_banks import MASTER, WORKING
from app.domain.counterexamples import (
    MASTER_BANK,
    all_of,
    allogeneic,
    as_bank,
    behind,
    of_bank,
    part,
    setting,
    thawed,
    where,
    within,
    without,
)
from app.domain.dossier import Dossier
from app.domain.facts import BankVial, OwnBank, Step, StepKind, SubjectKind
from app.domain.processing import growing_steps
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

_VIAL = SubjectKind.BANK_VIAL
_UNKNOWN = Outcome.INDETERMINATE


@rule(
    "CB-08",
    Text("Bank tiers follow on each other, and the cells' age goes on from the vial"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("A working bank is made of a master bank; passage and doublings of every vial are on record."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G3, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("the tier of a bank is unknown", as_bank(part("bank", tier=None)), outcome=_UNKNOWN),
        Break("a working bank of no master bank", as_bank(part("bank", tier="working"))),
        Break("a bank of unknown parents", as_bank(part("bank", tier="working"), without("banks")), outcome=_UNKNOWN),
        Break("a vial whose passage is unknown", as_bank(of_bank("vials", passage=None)), outcome=_UNKNOWN),
        Break(
            "a vial whose doublings are unknown",
            of_bank("vials", cpdl=None),
            gate=Gate.G3,
            kind=_VIAL,
            outcome=_UNKNOWN,
        ),
        Break(
            "a master bank of another bank",
            as_bank(within("banks", lambda _: (replace(MASTER_BANK, vials=()),))),
        ),
        Break("the thaw is younger than its vial", thawed(cpdl=Decimal("0.5"))),
        Break("the passage does not follow the vial's", thawed(passage=1)),
        Break("the age of the vial is unknown", thawed(cpdl=None), outcome=_UNKNOWN),
        Break("nobody knows which vial was thawed", behind(vials=()), outcome=_UNKNOWN),
        Break("the vials of the bank are unknown", behind(vials=None), outcome=_UNKNOWN),
        Break(
            "a passage that makes the cells younger",
            all_of(allogeneic, where("steps", "passage", 3, cpdl=Decimal("3.2"))),
        ),
        Break(
            "from a bank, and nothing was thawed",
            all_of(allogeneic, where("steps", "kind", StepKind.THAW, kind=StepKind.ISOLATION)),
            outcome=_UNKNOWN,
            also=("CB-05",),
        ),
        Break(
            "the tolerance is not set",
            all_of(allogeneic, setting("cb08.tolerance_doublings", "some")),
            outcome=_UNKNOWN,
        ),
    ),
)
def age_goes_on_from_the_vial(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge a bank's tier and its vials' age, and whether the age of what was thawed goes on from its vial."""
    if is_bank(dossier):
        if dossier.bank is None:
            yield lacks(
                dossier.subject,
                Text("Nothing is known of this lot as a bank."),
                Text("Report this to whoever keeps the system."),
            )
            return
        yield _tier(dossier, dossier.bank)
        yield from _known_age(dossier, dossier.bank, asked)
    if dossier.banks:
        yield from _goes_on(dossier)
    elif dossier.lot is None or (dossier.banks is None and not is_bank(dossier)):
        yield lacks(
            dossier.subject,
            Text("It is not known whether the cells came from a bank."),
            Text("Report this to whoever keeps the system."),
        )
    elif not is_bank(dossier):
        yield does_not_apply(dossier.subject, Text("no bank, and of none"))


def _tier(dossier: Dossier, bank: OwnBank) -> Statement:
    if bank.tier is None:
        return lacks(
            dossier.subject,
            Text("It is not known of which tier the bank is."),
            Text("Report this to whoever keeps the system."),
        )
    if dossier.banks is None:
        return lacks(
            dossier.subject,
            Text("It is not known of which bank this one was made."),
            Text("Report this to whoever keeps the system."),
        )
    of_master = any(each.tier == MASTER for each in dossier.banks)
    if bank.tier == WORKING and not of_master:
        return fails(
            dossier.subject,
            Text("A working cell bank is made of a vial of a master cell bank, and none stands behind this one."),
            Text("Make the working bank of a released master bank."),
        )
    if bank.tier == MASTER and dossier.banks:
        return fails(
            dossier.subject,
            Text("A master cell bank is made of a donation, and another bank stands behind this one."),
            Text("Keep it apart; quality investigates where its cells came from."),
        )
    return shows(
        dossier.subject,
        Text("a master bank, made of a donation") if bank.tier == MASTER else Text("a working bank of a master bank"),
    )


def _known_age(dossier: Dossier, bank: OwnBank, asked: Asked) -> Iterator[Statement]:
    vials = asked_vials(bank, dossier.vial if asked.gate is Gate.G3 else None)
    unknown = tuple(each.code for each in vials if each.passage is None or each.cpdl is None)
    if not vials:
        yield lacks(
            dossier.subject,
            Text("No vial of the bank is known to lie there."),
            Text("Establish which vials there are, and where each lies."),
        )
    elif unknown:
        yield lacks(
            dossier.subject,
            Text("Passage or doublings are not known of: {vials}.", vials=unknown),
            Text("Record the counts of every passage, so that the cells' age is known."),
        )
    else:
        yield shows(dossier.subject, Text("passage and doublings are known of {count} vials", count=len(vials)))


def _goes_on(dossier: Dossier) -> Iterator[Statement]:
    found = thaws(dossier)
    if not found:
        yield lacks(
            dossier.subject,
            Text("The cells came from a bank, and no thaw of a vial is recorded."),
            Text("Establish how the cells came out of the bank, and record it as already happened."),
        )
        return
    tolerance = settings.number(dossier, "cb08.tolerance_doublings")
    for step, vials in found:
        yield _thawed(step, vials, tolerance)
    yield from _grown(dossier, tolerance)


def _thawed(step: Step, vials: tuple[BankVial, ...], tolerance: Decimal) -> Statement:
    passages = [each.passage for each in vials]
    levels = [each.cpdl for each in vials]
    if not vials or None in passages or None in levels or step.passage is None or step.cpdl is None:
        return lacks(
            f"STEP-{step.id}",
            Text("Which vial was thawed, or its passage and doublings, is not known."),
            Text("Establish which vial it was, and record it as already happened."),
        )
    passage = max(each for each in passages if each is not None) + 1
    cpdl = max(each for each in levels if each is not None)
    if step.passage != passage or abs(step.cpdl - cpdl) > tolerance:
        return fails(
            f"STEP-{step.id}",
            Text(
                "After the thaw P{passage} with {cpdl} doublings; by the vial it is P{wanted} with {level}.",
                passage=step.passage,
                cpdl=step.cpdl,
                wanted=passage,
                level=cpdl,
            ),
            Text("Quality investigates which vial was thawed and how old its cells were."),
        )
    return shows(
        f"STEP-{step.id}",
        Text("P{passage} with {cpdl} doublings, as of the vial", passage=step.passage, cpdl=step.cpdl),
    )


def _grown(dossier: Dossier, tolerance: Decimal) -> Iterator[Statement]:
    reached: list[Decimal] = []
    for step in growing_steps(dossier):
        if step.kind is StepKind.PASSAGE and step.cpdl is not None and step.pd is not None:
            began = step.cpdl - max(step.pd, Decimal(0))
            if not any(abs(began - each) <= tolerance for each in reached):
                yield fails(
                    f"STEP-{step.id}",
                    Text(
                        "{cpdl} doublings after {pd} in this step do not go on from any step before.",
                        cpdl=step.cpdl,
                        pd=step.pd,
                    ),
                    Text("Quality investigates which cells were passaged and what was counted."),
                )
        reached += [] if step.cpdl is None else [step.cpdl]
