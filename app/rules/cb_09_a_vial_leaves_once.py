"""CB-09: a vial of a bank lies in one known place, leaves it once, for one lot, and is thawed once."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain import settings
from app.domain.banking import asked_vials, is_bank, thaws
from app.domain.counterexamples import as_bank, of_bank, setting, thawed, without
from app.domain.dossier import Dossier
from app.domain.facts import BankVial, Step, SubjectKind, Withdrawal
from app.domain.processing import too_late
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
_EARLIER = datetime(2026, 11, 1, 8, tzinfo=UTC)
_BEFORE = Withdrawal("L0000000033", _EARLIER, _EARLIER)
_LATE = datetime(2026, 10, 5, 9, 30, tzinfo=UTC)


@rule(
    "CB-09",
    Text("A vial of a bank lies in one place, leaves it once, and is thawed once"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("The vials of a bank are kept by number, place and state, and every withdrawal is on record."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G3, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break(
            "nobody knows where the vials of a bank lie",
            as_bank(of_bank("vials", stays=())),
            outcome=_UNKNOWN,
            also=("CB-10",),
        ),
        Break("the vial left before", of_bank("vials", withdrawals=(_BEFORE,)), gate=Gate.G3, kind=_VIAL),
        Break("the vial was thawed before", of_bank("vials", thawed_in=(12,)), gate=Gate.G3, kind=_VIAL),
        Break("the vial is used up", of_bank("vials", state="consumed"), gate=Gate.G3, kind=_VIAL),
        Break("no vial is named", without("vial"), gate=Gate.G3, kind=_VIAL, outcome=_UNKNOWN),
        Break(
            "how often a vial is thawed is not set",
            setting("cb09.thaws_most", "once"),
            gate=Gate.G3,
            kind=_VIAL,
            outcome=_UNKNOWN,
        ),
        Break("thawed without a withdrawal", thawed(withdrawals=())),
        Break("withdrawn for another lot", thawed(withdrawals=(_BEFORE,))),
        Break("thawed in two steps", thawed(thawed_in=(1, 77))),
        Break(
            "the withdrawal was recorded only after the thaw began",
            thawed(withdrawals=(Withdrawal("L0000000001", datetime(2026, 10, 5, 8, tzinfo=UTC), _LATE),)),
        ),
    ),
)
def a_vial_leaves_once(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the vial about to leave (G3), all vials of a bank, or those that were thawed for the lot (G6)."""
    most = int(settings.number(dossier, "cb09.thaws_most"))
    if asked.gate is Gate.G3 or is_bank(dossier):
        yield from _there(dossier, asked, most)
    for step, vials in thaws(dossier):
        for vial in vials:
            yield _left_for_it(dossier, step, vial, most)
    if dossier.lot is None or (
        not is_bank(dossier) and (dossier.banks is None or (dossier.banks and not dossier.steps))
    ):
        yield lacks(
            dossier.subject,
            Text("It is not known whether the cells came from a bank, or which vial was thawed."),
            Text("Report this to whoever keeps the system."),
        )
    elif not is_bank(dossier) and asked.gate is not Gate.G3 and not any(vials for _, vials in thaws(dossier)):
        yield does_not_apply(dossier.subject, Text("no vial of a bank was thawed for this lot"))


def _there(dossier: Dossier, asked: Asked, most: int) -> Iterator[Statement]:
    vials = () if dossier.bank is None else dossier.bank.vials
    if asked.gate is Gate.G3:
        vials = tuple(each for each in vials if each.code == dossier.vial)
    elif dossier.bank is not None:
        vials = asked_vials(dossier.bank, None)
    if not vials:
        yield lacks(
            dossier.subject,
            Text("It is not known which vial of the bank is asked about."),
            Text("Scan the label of the vial."),
        )
    for vial in vials:
        yield _in_its_place(vial, most)


def _in_its_place(vial: BankVial, most: int) -> Statement:
    if vial.withdrawals or len(vial.thawed_in) >= most:
        return fails(
            vial.code,
            Text("The vial left its bank before."),
            Text("Take another vial. What was thawed is never frozen again."),
        )
    if vial.state != "stored":
        return fails(
            vial.code,
            Text("The vial does not lie in the bank any more."),
            Text("Take another vial, and have quality look for this one."),
        )
    if not vial.stays:
        return lacks(
            vial.code,
            Text("It is not known where the vial lies."),
            Text("Scan the place in which it lies, and record that it was put there."),
        )
    last = max(vial.stays, key=lambda each: each.stored_at)
    return shows(vial.code, Text("lies in {place} since {at}", place=last.place, at=last.stored_at))


def _left_for_it(dossier: Dossier, step: Step, vial: BankVial, most: int) -> Statement:
    if len(vial.thawed_in) > most:
        return fails(
            vial.code,
            Text("The vial was thawed {count} times.", count=len(vial.thawed_in)),
            Text("Quality investigates what was thawed in each step; keep the lots apart."),
        )
    own = next((each for each in vial.withdrawals if dossier.lot and each.lot == dossier.lot.code), None)
    if own is None:
        return fails(
            vial.code,
            Text("The vial was thawed, and no withdrawal for this lot is on record."),
            Text("Quality investigates how the vial left its bank; nothing replaces the record."),
        )
    if own.recorded_at > step.started_at:
        return too_late(
            dossier,
            "CB-09",
            subject=vial.code,
            problem=Text(
                "Its withdrawal was recorded at {recorded}, after the thaw began at {began}.",
                recorded=own.recorded_at,
                began=step.started_at,
            ),
        )
    return shows(vial.code, Text("withdrawn for this lot at {at}", at=own.withdrawn_at))
