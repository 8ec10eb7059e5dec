"""CB-04: of cells without a bank a retain of the starting material is kept, and of every reagent that counts as critical."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from app.domain import settings
from app.domain.acts import Role
from app.domain.banking import comes_from_a_bank, first_harvest, harvested_by, is_described, of_kind
from app.domain.counterexamples import Edit, all_of, drop, setting, where
from app.domain.dossier import Dossier
from app.domain.facts import Retain
from app.domain.processing import too_late
from app.domain.rulebook import (
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
    wants_waiver,
)
from app.domain.sources import GUIDELINE
from app.domain.testing import spoken
from app.domain.text import Text

_KIND = "starting_material"
_PLACED_LATE = datetime(2026, 10, 27, 12, tzinfo=UTC)
_MEDIUM = "DMEM low glucose"
_OF_MEDIUM = Retain("TA1", "reagent", quantity=Decimal(1), unit="mL", place="freezer 2, box 1")


def _critical(**kept: object) -> Edit:
    """The medium counts as critical, and this is what was kept of it: nothing, where nothing is said."""
    retains = (replace(_OF_MEDIUM, **kept),) if kept else ()  # type: ignore[arg-type]
    return all_of(
        setting("cb04.critical_materials", {_MEDIUM.upper(): Decimal("0.5")}),
        where("materials", "name", _MEDIUM, retains=retains),
    )


@rule(
    "CB-04",
    Text("A retain of the starting material is kept where there is no bank"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Without a cell bank samples of the raw material are retained."),
            Standing.STATED,
        ),
        Citation(
            GUIDELINE,
            "§3",
            Text("Donor material or first harvest is kept, in a quantity that an investigation can use."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G6,),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("no retain of the starting material", drop("retains", "kind", _KIND)),
        Break("a retain of nothing", where("retains", "kind", _KIND, quantity=Decimal(0))),
        Break(
            "too little to investigate with",
            where("retains", "kind", _KIND, quantity=Decimal("0.05")),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "nobody knows how much was kept",
            where("retains", "kind", _KIND, quantity=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nobody knows where it is",
            where("retains", "kind", _KIND, place=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nobody knows when it was taken",
            where("retains", "kind", _KIND, taken_at=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "in a unit for which no minimum is set",
            where("retains", "kind", _KIND, unit="drops"),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("taken long after the first harvest", where("retains", "kind", _KIND, taken_at=_PLACED_LATE)),
        Break("no retain of a critical reagent", _critical()),
        Break("a retain of none of a critical reagent", _critical(quantity=Decimal(0))),
        Break(
            "too little of a critical reagent",
            _critical(quantity=Decimal("0.1")),
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "nobody knows where the retain of a critical reagent is",
            _critical(place=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "recorded long after the first harvest, as taken before it",
            where("retains", "kind", _KIND, recorded_at=_PLACED_LATE),
        ),
        Break(
            "nobody knows when it was recorded",
            where("retains", "kind", _KIND, recorded_at=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break("the minimum is not set", setting("cb04.minimum", {}), outcome=Outcome.INDETERMINATE),
    ),
)
def starting_material_retained(dossier: Dossier, _asked: Asked) -> Iterator[Statement]:
    """Judge the retains of starting material: one that is described, large enough, taken and on record by the first harvest."""
    yield from _of_reagents(dossier)
    if comes_from_a_bank(dossier):
        yield does_not_apply(dossier.subject, Text("from a cell bank, which keeps its own retains"))
        return
    if dossier.retains is None:
        yield lacks(
            dossier.subject,
            Text("It is not known what was retained."),
            Text("Record every retain that was taken."),
        )
        return
    said = [_judge(dossier, each) for each in of_kind(dossier.retains, _KIND)]
    good = [each for each in said if each.remedy is None]
    yield from good or said or (_nothing(dossier),)


def _of_reagents(dossier: Dossier) -> Iterator[Statement]:
    critical = {spoken(name): least for name, least in settings.numbers(dossier, "cb04.critical_materials").items()}
    for used in dossier.materials or ():
        least = critical.get(spoken(used.name))
        if least is None:
            continue
        kept = [each for each in used.retains or () if is_described(each) and (each.quantity or 0) > 0]
        most = max(kept, key=lambda each: each.quantity or Decimal(0), default=None)
        if most is not None:
            said = Text(
                "{quantity} {unit} of {material} kept; at least {least} are asked for",
                quantity=most.quantity or 0,
                unit=most.unit or "",
                material=used.name,
                least=least,
            )
            enough = most.quantity is not None and most.quantity >= least
            yield (
                shows(used.lot, said)
                if enough
                else wants_waiver(
                    used.lot, said, Text("The quality authority decides whether this is enough, and why.")
                )
            )
        elif used.retains is None or any(not is_described(each) for each in used.retains):
            yield lacks(
                used.lot,
                Text("It is not known how much of {material} was retained, or where.", material=used.name),
                Text("Look at the retain and record what it is."),
            )
        else:
            yield fails(
                used.lot,
                Text("No retain of {material} was kept, which counts as critical here.", material=used.name),
                Text("Keep a retain of the same lot while a container of it is left."),
            )


def _nothing(dossier: Dossier) -> Statement:
    return fails(
        dossier.subject,
        Text("No retain of the starting material was kept."),
        Text(
            "Nothing replaces it afterwards; the lot may be rejected. Take it before the first harvest of the next lot."
        ),
    )


def _judge(dossier: Dossier, retain: Retain) -> Statement:
    if not is_described(retain) or retain.taken_at is None or retain.recorded_at is None:
        return lacks(
            retain.code,
            Text("How much was retained, where it is or when it was taken is not known."),
            Text("Look at the retain and record what it is."),
        )
    harvest = first_harvest(dossier)
    if harvest is None:
        return lacks(
            retain.code,
            Text("No first harvest is recorded that the retain should have preceded."),
            Text("Record every step by which these cells came to be."),
        )
    if retain.taken_at > harvested_by(harvest):
        return too_late(
            dossier,
            "CB-04",
            subject=retain.code,
            problem=Text(
                "It was taken at {taken}, after the first harvest at {harvest}: it is no starting material.",
                taken=retain.taken_at,
                harvest=harvested_by(harvest),
            ),
        )
    if retain.recorded_at > harvested_by(harvest):
        return too_late(
            dossier,
            "CB-04",
            subject=retain.code,
            problem=Text(
                "It was recorded at {recorded}, after the first harvest at {harvest}.",
                recorded=retain.recorded_at,
                harvest=harvested_by(harvest),
            ),
        )
    return _large_enough(dossier, retain)


def _large_enough(dossier: Dossier, retain: Retain) -> Statement:
    unit, quantity = (retain.unit or "").strip(), retain.quantity or Decimal(0)
    least = settings.numbers(dossier, "cb04.minimum").get(unit)
    if least is None:
        return lacks(
            retain.code,
            Text("No minimum is set for a retain measured in {unit}.", unit=unit),
            Text("Quality states in the setting cb04.minimum how much is enough."),
        )
    said = Text("{quantity} {unit}; at least {least} {unit} are asked for", quantity=quantity, unit=unit, least=least)
    if quantity < least:
        return wants_waiver(
            retain.code, said, Text("The quality authority decides whether this is enough, and why (pellet, DNA).")
        )
    return shows(retain.code, said)
