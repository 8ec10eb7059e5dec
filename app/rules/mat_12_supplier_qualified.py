"""MAT-12: a material lot comes from a supplier who was qualified when it arrived and is not disqualified since."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from app.domain.counterexamples import Edit, every, inside, without
from app.domain.dossier import Dossier
from app.domain.facts import Material, SubjectKind, Supplier, SupplierAudit
from app.domain.materials import first_used_at, made_here, materials_unknown
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
    fails,
    lacks,
    rule,
    shows,
)
from app.domain.sources import GMP, GUIDELINE
from app.domain.text import Text

_G1: dict[str, Any] = {"gate": Gate.G1, "kind": SubjectKind.MATERIAL_LOT}
_AFTER_RECEIPT = datetime(2026, 9, 8, 9, tzinfo=UTC)


def _audits(**changes: Any) -> Edit:
    return inside("suppliers", "audits", **changes)


@rule(
    "MAT-12",
    Text("The supplier of a material is qualified"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Raw materials are managed by their risk, from their origin on."),
            Standing.RECONSTRUCTED,
        ),
        Citation(
            GMP,
            "chapter 10",
            Text("Suppliers are assessed by quality before anything of theirs is used, and the approval is renewed."),
            Standing.UNVERIFIED,
        ),
    ),
    gates=(Gate.G1, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("never audited", every("suppliers", audits=()), **_G1),
        Break("found not qualified", _audits(outcome="not_qualified"), **_G1),
        Break("the audit was signed after the lot arrived", _audits(signed_at=_AFTER_RECEIPT), **_G1),
        Break("qualified from a day after the lot arrived", _audits(valid_from=_AFTER_RECEIPT), **_G1),
        Break(
            "the qualification ran out before the lot arrived",
            _audits(valid_to=datetime(2026, 9, 1, tzinfo=UTC)),
            **_G1,
        ),
        Break(
            "the qualification ran out before the approval", _audits(valid_to=datetime(2026, 9, 20, tzinfo=UTC)), **_G1
        ),
        Break("whoever wrote the audit signed it", _audits(signed_by="rolf"), **_G1),
        Break("nobody knows whose it is", every("materials", supplier=None), **_G1, outcome=Outcome.INDETERMINATE),
        Break(
            "a supplier of whom nothing is known",
            every("materials", supplier="Elsewhere Ltd"),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break("when it arrived is unknown", every("materials", received_at=None), **_G1, outcome=Outcome.INDETERMINATE),
        Break("the suppliers are unknown", without("suppliers"), **_G1, outcome=Outcome.INDETERMINATE),
        Break("used, of a supplier whom nobody qualified", every("suppliers", audits=())),
        Break(
            "used, of a supplier disqualified before",
            _audits(outcome="not_qualified", signed_at=datetime(2026, 10, 1, tzinfo=UTC)),
        ),
        Break("used, and nobody knows whose it is", every("materials", supplier=None), outcome=Outcome.INDETERMINATE),
    ),
)
def supplier_qualified(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the audit that stood when the lot arrived, and the one that stands at its approval or stood at its use.

    That a qualification ran out between approval and use harms nothing that was approved; a disqualification does.
    """
    suppliers = {each.name: each for each in dossier.suppliers or ()}
    for material in dossier.materials or ():
        if material.kind == "prepared":
            yield shows(material.lot, made_here(material))
        elif material.supplier is None or material.supplier not in suppliers or material.received_at is None:
            yield lacks(
                material.lot,
                Text("{name}: its supplier, or when it arrived, is not known.", name=material.name),
                Text("Register the supplier, have it audited, and say that the lot is theirs."),
            )
        else:
            yield from _judge(dossier, asked, material, suppliers[material.supplier], material.received_at)
    if not dossier.materials:
        yield materials_unknown(dossier)


def _judge(
    dossier: Dossier, asked: Asked, material: Material, supplier: Supplier, received_at: datetime
) -> Iterator[Statement]:
    at_receipt = _last_signed(supplier, received_at)
    is_approval = asked.gate is Gate.G1
    if at_receipt is None or not _qualifies(at_receipt, received_at):
        problem = Text(
            "{supplier} was not qualified when {name} arrived at {at}.",
            supplier=supplier.name,
            name=material.name,
            at=received_at,
        )
        yield too_late(dossier, "MAT-12", subject=material.lot, problem=problem)
        return
    at = asked.at if is_approval else first_used_at(dossier, material) or asked.at
    now = _last_signed(supplier, at) or at_receipt
    stands = _qualifies(now, at) if is_approval else now.outcome != "not_qualified"
    if stands:
        yield shows(
            material.lot,
            Text(
                "{supplier} qualified until {until}, by {evidence}",
                supplier=supplier.name,
                until=now.valid_to,
                evidence=now.evidence,
            ),
        )
    else:
        yield fails(
            material.lot,
            Text("{supplier} was not qualified at {at}.", supplier=supplier.name, at=at),
            Text("Have the supplier audited anew, or use a lot of a qualified one."),
        )


def _last_signed(supplier: Supplier, at: datetime) -> SupplierAudit | None:
    """The audit that was signed last by then: a later decision takes the place of an earlier."""
    signed = [each for each in supplier.audits if each.signed_at <= at and each.signed_by != each.recorded_by]
    return max(signed, key=lambda each: each.signed_at, default=None)


def _qualifies(audit: SupplierAudit, at: datetime) -> bool:
    return audit.outcome != "not_qualified" and audit.valid_from <= at < audit.valid_to
