"""MAT-08: single-use items that touch cells are certified sterile, low in endotoxin and fit for what they hold."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from app.domain.acts import Role
from app.domain.counterexamples import Edit, every
from app.domain.dossier import Dossier
from app.domain.facts import Certificate, Material, SubjectKind
from app.domain.materials import materials_unknown
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
from app.domain.sources import GMP, GUIDELINE
from app.domain.text import Text

NEEDED = {
    "sterility": Text("sterility"),
    "endotoxin": Text("endotoxin"),
}
_G1: dict[str, Any] = {"gate": Gate.G1, "kind": SubjectKind.MATERIAL_LOT}
_AT = datetime(2026, 9, 10, 9, tzinfo=UTC)
_TOO_LATE = datetime(2027, 9, 10, 9, tzinfo=UTC)


def _single_use(*kinds: str, at: datetime = _AT) -> Edit:
    papers = tuple(Certificate(kind, f"C-{kind}", None, "quinn", at) for kind in kinds)  # type: ignore[arg-type]
    return every("materials", kind="single_use", certificates=papers)


@rule(
    "MAT-08",
    Text("Single-use items that touch cells are certified"),
    cites=(
        Citation(
            GUIDELINE, "§3", Text("Single-use items are managed as materials by their risk."), Standing.RECONSTRUCTED
        ),
        Citation(GMP, "chapter 6", Text("What touches the product does it no harm."), Standing.UNVERIFIED),
    ),
    gates=(Gate.G1,),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("a flask without a certificate of sterility", _single_use("endotoxin", "compatibility"), **_G1),
        Break("a bag without a certificate of endotoxin", _single_use("sterility", "compatibility"), **_G1),
        Break(
            "whether its material suits the cells is unknown",
            _single_use("sterility", "endotoxin"),
            **_G1,
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "certificates that were filed after the approval",
            _single_use("sterility", "endotoxin", "compatibility", at=_TOO_LATE),
            **_G1,
        ),
        Break(
            "its papers are unknown",
            every("materials", kind="single_use", certificates=None),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def single_use_items_sterile(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Ask each single-use item for its papers, reviewed by the moment of approval."""
    items = [each for each in dossier.materials or () if each.kind == "single_use"]
    for material in items:
        if material.certificates is None:
            yield lacks(
                material.lot,
                Text("The papers of {name} are not known.", name=material.name),
                Text("Report this to whoever keeps the system."),
            )
        else:
            filed: dict[str, Certificate] = {
                each.kind: each for each in material.certificates if each.recorded_at <= asked.at
            }
            yield from _certified(material, filed)
    if not dossier.materials:
        yield materials_unknown(dossier)
    elif not items:
        yield does_not_apply(dossier.subject, Text("none of its materials is a single-use item"))


def _certified(material: Material, filed: dict[str, Certificate]) -> Iterator[Statement]:
    for kind, name in NEEDED.items():
        if kind in filed:
            yield shows(
                material.lot,
                Text(
                    "{what} certified for {name} ({reference})",
                    what=name,
                    name=material.name,
                    reference=filed[kind].reference,
                ),
            )
        else:
            yield fails(
                material.lot,
                Text("{name}: no certificate of {what} is filed.", name=material.name, what=name),
                Text("Obtain the certificate of this very lot and have it reviewed."),
            )
    if "compatibility" in filed:
        yield shows(
            material.lot,
            Text(
                "{name} suits what it holds ({reference})",
                name=material.name,
                reference=filed["compatibility"].reference,
            ),
        )
    else:
        yield wants_waiver(
            material.lot,
            Text("{name}: nothing shows that its material suits what it holds.", name=material.name),
            Text("Obtain the supplier's statement, or ask the quality authority for a waiver."),
        )
