"""What every gate asks before any rule: a jurisdiction has been chosen, and nothing stands on hold."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.domain.counterexamples import every
from app.domain.dossier import Dossier
from app.domain.facts import Hold, SubjectKind
from app.domain.packs import COMPLETE, PACKS
from app.domain.rulebook import (
    GATE_NAMES,
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
from app.domain.sources import GMP, GUIDELINE, STEMMA
from app.domain.text import Text

WRITTEN: Mapping[Gate, SubjectKind] = {
    Gate.G1: SubjectKind.MATERIAL_LOT,
    Gate.G2: SubjectKind.DONATION,
    Gate.G3: SubjectKind.BANK_VIAL,
    Gate.G4: SubjectKind.STEP,
    Gate.G5: SubjectKind.LOT,
    Gate.G6: SubjectKind.LOT,
}
"""Gates for which every rule of the first life is in the book, and the kind of dossier that each judges.

The others stay closed until theirs are written.
"""


@rule(
    "BOOK",
    Text("The rules of this gate are written"),
    cites=(
        Citation(
            STEMMA,
            "missing is not passing",
            Text("A gate that is only partly ruled would open for want of a question, so it stays closed."),
            Standing.STATED,
        ),
    ),
    gates=Gate,
    waiver=NEVER,
    breaks=(
        Break("infusion is not ruled yet", gate=Gate.G10, also=("ORG-03", "ORG-04", "REL-10")),
        Break("a lot brought before the gate of donations", gate=Gate.G2),
    ),
)
def book(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Keep a gate closed whose rules are not all written."""
    judges = WRITTEN.get(asked.gate)
    if judges is None:
        yield fails(
            dossier.subject,
            Text("Not every rule of this gate is written yet: {gate}.", gate=GATE_NAMES[asked.gate]),
            Text("The gate stays closed until its rules are written."),
        )
    elif judges is not dossier.kind:
        yield fails(
            dossier.subject,
            Text("This gate judges another kind of subject: {gate}.", gate=GATE_NAMES[asked.gate]),
            Text("Report this to whoever keeps the system."),
        )
    else:
        yield shows(dossier.subject, Text("the rules of this gate are written: {gate}", gate=GATE_NAMES[asked.gate]))


@rule(
    "SCO-04",
    Text("A rule pack is chosen for the jurisdiction"),
    cites=(
        Citation(
            GUIDELINE,
            "§1",
            Text("The guideline governs studies inside China; elsewhere other rules hold, so one pack must be chosen."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=Gate,
    waiver=NEVER,
    breaks=(
        Break("nobody has chosen a pack", lambda dossier: replace(dossier, jurisdiction=None)),
        Break("a pack that this book does not hold", lambda dossier: replace(dossier, jurisdiction="XX-1")),
        Break(
            "a pack that is only a skeleton",
            lambda dossier: replace(dossier, jurisdiction="EU"),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "judged on the last day before the pack takes effect",
            gate=Gate.G12,
            at=lambda _: PACKS["CN-818"].effective_from - timedelta(seconds=1),
            outcome=Outcome.INDETERMINATE,
            also=("BOOK", "GM-09"),
        ),
    ),
)
def jurisdiction(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Deny by default: no pack that is whole and in force, no gate."""
    pack = PACKS.get(dossier.jurisdiction or "")
    if dossier.jurisdiction is None:
        yield fails(
            dossier.subject,
            Text("No rule pack has been chosen for this deployment."),
            Text("The QA manager proposes a rule pack and the quality authority signs it, before any work begins."),
        )
    elif pack is None:
        yield fails(
            dossier.subject,
            Text("This rule book holds no pack called {pack}.", pack=dossier.jurisdiction),
            Text("Choose one of: {packs}.", packs=COMPLETE),
        )
    elif not pack.complete:
        yield lacks(
            dossier.subject,
            Text("The rule pack {pack} is a skeleton: not all of its rules are written.", pack=pack.id),
            Text("It can be asked what it would say, and opens nothing. Choose one of: {packs}.", packs=COMPLETE),
        )
    elif asked.at < pack.effective_from:
        yield lacks(
            dossier.subject,
            Text(
                "The rule pack {pack} takes effect on {day}; what is judged before that day it does not judge.",
                pack=pack.id,
                day=pack.effective_from.date(),
            ),
            Text("Judge it on a day on which the rule pack is in force."),
        )
    else:
        yield shows(
            dossier.subject,
            Text("judged by the rule pack {pack}, in force since {day}", pack=pack.id, day=pack.effective_from.date()),
        )


_A_HOLD = Hold(9001, "L0000000001", "suspected mix-up", datetime(2026, 10, 1, 8, tzinfo=UTC))


@rule(
    "HOLD",
    Text("Nothing of this subject stands on hold"),
    cites=(
        Citation(
            GMP,
            "chapter 10",
            Text("What is under question is kept apart and not used until quality has decided about it."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G1, Gate.G2, Gate.G3, Gate.G4, Gate.G5, Gate.G6, Gate.G10),
    waiver=NEVER,
    breaks=(
        Break("the lot is held", lambda dossier: replace(dossier, holds=(_A_HOLD,))),
        Break("its donation is held", every("donations", holds=(_A_HOLD,))),
        Break("a material in it is held", every("materials", holds=(_A_HOLD,)), also=("MAT-06",)),
        Break(
            "whether the lot is held is unknown",
            lambda dossier: replace(dossier, holds=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "the donation about to be processed is held",
            every("donations", holds=(_A_HOLD,)),
            gate=Gate.G2,
            kind=SubjectKind.DONATION,
        ),
    ),
)
def open_holds(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """An open hold closes, wherever in the subject it stands; it is lifted by signature, never passed by."""
    held = (
        *(dossier.holds or ()),
        *(hold for donation in dossier.donations or () for hold in donation.holds),
        *(hold for material in dossier.materials or () for hold in material.holds),
    )
    for hold in held:
        yield fails(
            hold.on,
            Text("On hold since {since}: {reason}", since=hold.placed_at, reason=hold.reason),
            Text("The QA manager investigates the reason for the hold and decides."),
        )
    if dossier.kind is SubjectKind.LOT and dossier.holds is None:
        yield lacks(
            dossier.subject,
            Text("It is not known whether the lot is on hold."),
            Text("Report this to whoever keeps the system."),
        )
    if not held:
        yield shows(dossier.subject, Text("no open hold"))


STANDING_RULES = (jurisdiction, book, open_holds)
