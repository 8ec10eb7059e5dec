"""Cell banks: whether a lot may do without one, what an unbanked lot keeps back of its beginning, and banks themselves."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from app.domain.donors import is_proved_autologous
from app.domain.dossier import Dossier
from app.domain.facts import Bank, BankPolicy, BankVial, OwnBank, Process, Retain, Step, StepKind
from app.domain.lots import STATE_NAMES, LotKind, LotState
from app.domain.processing import first_passage, growing_steps, processing_began_at, too_late
from app.domain.rulebook import Asked, Statement, does_not_apply, fails, lacks, shows
from app.domain.settings import number
from app.domain.text import Text


def comes_from_a_bank(dossier: Dossier) -> bool:
    """Whether a bank lot is known in the lineage. Unknown counts as none: then the stricter rules are asked."""
    return bool(dossier.banks)


A_DAY = Decimal(86_400)
ENDS_CULTURE = frozenset({StepKind.FILL, StepKind.CRYOPRESERVATION})


def is_gene_modified_for_oneself(dossier: Dossier) -> bool:
    """Whether these are a patient's own cells, gene modified: of them the guideline leaves open what a bank would be."""
    return dossier.process is not None and dossier.process.gene_modified and is_autologous_alone(dossier)


def long_expansion(dossier: Dossier, process: Process) -> tuple[Text, ...]:
    """Why the process counts as long expansion, whatever its own flag says. Raises SettingUnusable."""
    passages = number(dossier, "cb02.passages_over")
    doublings = number(dossier, "cb02.doublings_over")
    days = number(dossier, "cb02.days_over")
    planned = process.max_passage - first_passage(process.passage_convention)
    lasted = culture_days(dossier)
    reasons = {
        Text("the cells are expanded for long"): process.long_term_expansion,
        Text("the process goes on to {count} passages, more than {limit}", count=planned, limit=passages): planned
        > passages,
        Text("the process goes on to {count} doublings, more than {limit}", count=process.max_pdl, limit=doublings): (
            process.max_pdl > doublings
        ),
        Text("the culture lasted {count} days, more than {limit}", count=round(lasted, 1), limit=days): lasted > days,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def culture_days(dossier: Dossier) -> Decimal:
    """Days from the first growing step to the first that ends the culture, else to the last known or planned."""
    grown = [step.started_at for step in growing_steps(dossier)]
    if not grown:
        return Decimal(0)
    ended = [step.started_at for step in dossier.steps or () if step.kind in ENDS_CULTURE]
    planned = [] if dossier.plan is None else [dossier.plan.at]
    last = min(ended) if ended else max((*grown, *planned))
    return max(Decimal((last - grown[0]).total_seconds()) / A_DAY, Decimal(0))


def not_short_or_low(process: Process) -> tuple[Text, ...]:
    """What keeps the process from being one of those that may do without a bank; empty where nothing does."""
    reasons = {
        Text("the process is not short"): not process.short_cycle,
        Text("the manipulation is not low"): not process.low_manipulation,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def stands(bank: Bank) -> Statement:
    """Whether a bank lot behind the cells is released."""
    if bank.state is LotState.RELEASED:
        return shows(bank.code, Text("from bank {name}, released", name=bank.name))
    return fails(
        bank.code,
        Text("The bank {name} is not released: {state}", name=bank.name, state=STATE_NAMES[bank.state]),
        Text("Use cells of a released bank only; what was made of another is kept apart."),
    )


def unknown_process(dossier: Dossier) -> Statement:
    """State that it cannot be told whether a bank is needed."""
    return lacks(
        dossier.subject,
        Text("The process version or the donor is not known, and so neither is whether a bank is needed."),
        Text("Name the process version that the lot follows, and its donor."),
    )


def without_a_bank(dossier: Dossier, reasons: tuple[Text, ...]) -> Statement:
    """State that a bank is needed and that none is known."""
    if dossier.banks is None:
        return lacks(
            dossier.subject,
            Text("A cell bank is needed ({reasons}), and it is not known whether there is one.", reasons=reasons),
            Text("Report this to whoever keeps the system."),
        )
    return fails(
        dossier.subject,
        Text("A cell bank is needed ({reasons}), and none stands behind these cells.", reasons=reasons),
        Text("Make a bank, have it tested and released, and make the lot from it."),
    )


def is_autologous_alone(dossier: Dossier) -> bool:
    """Whether every donor is known to be the recipient, and there is one."""
    return bool(dossier.donors) and all(is_proved_autologous(donor) for donor in dossier.donors or ())


def first_harvest(dossier: Dossier) -> Step | None:
    """The step that first harvests what the isolation began: the first passage, or the fill where there is none."""
    began = [step for step in growing_steps(dossier) if step.kind is StepKind.PASSAGE]
    fills = sorted(
        (step for step in dossier.steps or () if step.kind is StepKind.FILL),
        key=lambda step: (step.started_at, step.id),
    )
    return next(iter((*began, *fills)), None)


def harvested_by(step: Step) -> datetime:
    """The moment up to which this harvest can be sampled: its end, or its beginning where the end is unknown."""
    return step.ended_at or step.started_at


def is_described(retain: Retain) -> bool:
    """Whether it is known how much was kept, and where."""
    return retain.quantity is not None and bool((retain.unit or "").strip()) and bool((retain.place or "").strip())


def of_kind(retains: Iterable[Retain] | None, kind: str) -> tuple[Retain, ...]:
    """The retains of a kind of which something was kept, or may have been: a quantity of nothing is no retain."""
    return tuple(
        each for each in retains or () if each.kind == kind and (each.quantity is None or each.quantity > Decimal(0))
    )


# -- a bank lot itself, and the vial that is about to leave it ----------------------------------------------------------


def is_bank(dossier: Dossier) -> bool:
    """Whether the lot is itself a bank."""
    return dossier.lot is not None and dossier.lot.kind is LotKind.BANK


def no_bank(dossier: Dossier) -> Statement:
    """State that a rule about bank lots says nothing of this lot, or that nothing is known of the bank that it is."""
    if dossier.lot is None:
        return lacks(
            dossier.subject,
            Text("It is not known whether the lot is a cell bank."),
            Text("Report this to whoever keeps the system."),
        )
    if is_bank(dossier):
        return lacks(
            dossier.subject,
            Text("Nothing is known of this lot as a bank."),
            Text("Report this to whoever keeps the system."),
        )
    return does_not_apply(dossier.subject, Text("the lot is no cell bank"))


def asked_vials(bank: OwnBank, vial: str | None) -> tuple[BankVial, ...]:
    """The one vial that is about to leave, or all that are there."""
    if vial is not None:
        return tuple(each for each in bank.vials if each.code == vial)
    return tuple(each for each in bank.vials if each.state == "stored")


def thaws(dossier: Dossier) -> tuple[tuple[Step, tuple[BankVial, ...]], ...]:
    """Every thaw of the lot, with the vials of banks that went into it."""
    vials = tuple(vial for bank in dossier.banks or () for vial in bank.vials or ())
    return tuple(
        (step, tuple(vial for vial in vials if step.id in vial.thawed_in))
        for step in dossier.steps or ()
        if step.kind is StepKind.THAW
    )


def decided_to_do_without(dossier: Dossier, process: Process, asked: Asked) -> Statement:
    """Whether the quality authority had decided, before processing began, that this process needs no bank.

    The guideline's own conditions are judged besides: a decision makes no process short, and opens none by itself.
    """
    name = f"{process.name} {process.version}"
    began = processing_began_at(dossier) or (dossier.plan.at if dossier.plan else asked.at)
    signed = [each for each in dossier.bank_policies or () if each.process == name and _is_signed(each)]
    stood = [each for each in signed if each.approved_at is not None and each.approved_at <= began]
    if stood:
        decision = max(stood, key=lambda each: each.version)
        if decision.needed:
            return without_a_bank(dossier, (Text("so the quality authority decided: {why}", why=decision.reasons),))
        return does_not_apply(
            dossier.subject,
            Text(
                "no bank needed: autologous, short process, low manipulation; decided by {by} at {at}: {why}",
                by=decision.approved_by or "",
                at=decision.approved_at or began,
                why=decision.reasons,
            ),
        )
    if signed:
        return too_late(
            dossier,
            "CB-03",
            subject=dossier.subject,
            problem=Text("That no bank is needed was decided only after processing began at {began}.", began=began),
        )
    return lacks(
        dossier.subject,
        Text("The quality authority has not decided whether {process} needs a cell bank.", process=name),
        Text("Quality proposes the decision with its reasons, and the quality authority signs it before work begins."),
    )


def _is_signed(policy: BankPolicy) -> bool:
    return policy.approved_by is not None and policy.approved_by != policy.proposed_by
