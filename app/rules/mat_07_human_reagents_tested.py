"""MAT-07: a reagent of human origin is licensed, or its donor pool is certified and viruses are inactivated."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from app.domain import settings
from app.domain.acts import Role
from app.domain.counterexamples import Edit, all_of, every, setting
from app.domain.dossier import Dossier
from app.domain.facts import Certificate, Material, SubjectKind
from app.domain.materials import made_here, materials_unknown
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
from app.domain.text import Text

_G1: dict[str, Any] = {"gate": Gate.G1, "kind": SubjectKind.MATERIAL_LOT}
_AT = datetime(2026, 9, 10, 9, tzinfo=UTC)


def _human(*papers: tuple[str, int | None]) -> Edit:
    """Every material is of human origin, with these papers and how many donors each names."""
    certificates = tuple(Certificate(kind, f"C-{kind}", pool, "quinn", _AT) for kind, pool in papers)  # type: ignore[arg-type]
    return every("materials", human_derived=True, certificates=certificates)


@rule(
    "MAT-07",
    Text("A reagent of human origin is licensed, or its donors are tested"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Albumin, lysate, serum and the like of human origin carry the risks of their donors."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G1,),
    waiver=(Role.QUALITY_AUTHORITY,),
    breaks=(
        Break("of human origin without any paper", _human(), **_G1),
        Break("viruses inactivated, and of whom nobody knows", _human(("virus_inactivation", None)), **_G1),
        Break(
            "the donors tested, and no virus inactivated",
            _human(("donor_pool", 12)),
            **_G1,
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "a pool of more donors than is allowed",
            _human(("donor_pool", 900), ("virus_inactivation", None)),
            **_G1,
            outcome=Outcome.NEEDS_WAIVER,
        ),
        Break(
            "whether it is of human origin is unknown",
            every("materials", human_derived=None),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "its papers are unknown",
            every("materials", human_derived=True, certificates=None),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "how large a pool may be is not set",
            all_of(_human(("donor_pool", 12), ("virus_inactivation", None)), setting("mat07.pool_most", None)),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def human_reagents_tested(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Look for the licence first, then for the papers of the donor pool, each reviewed by the moment of approval."""
    for material in dossier.materials or ():
        if material.kind == "prepared":
            yield shows(material.lot, made_here(material))
        elif material.human_derived is None:
            yield lacks(
                material.lot,
                Text("It is not stated whether {name} is of human origin.", name=material.name),
                Text("Have the supplier state it, and the QA manager record it of the material."),
            )
        elif not material.human_derived:
            yield shows(material.lot, Text("{name} is of no human origin", name=material.name))
        elif material.certificates is None:
            yield lacks(
                material.lot,
                Text("The papers of {name} are not known.", name=material.name),
                Text("Report this to whoever keeps the system."),
            )
        else:
            yield from _papers(
                dossier, material, [each for each in material.certificates if each.recorded_at <= asked.at]
            )
    if not dossier.materials:
        yield materials_unknown(dossier)


def _papers(dossier: Dossier, material: Material, papers: list[Certificate]) -> Iterator[Statement]:
    by_kind = {each.kind: each for each in papers}
    licence, pool = by_kind.get("marketing_licence"), by_kind.get("donor_pool")
    if licence is not None:
        yield shows(
            material.lot, Text("{name} is licensed ({reference})", name=material.name, reference=licence.reference)
        )
    elif pool is None:
        yield fails(
            material.lot,
            Text(
                "{name} is of human origin, with neither a licence nor a certificate of its donors.", name=material.name
            ),
            Text("Obtain the licence, or the certificate of this lot's donor pool with its virus tests, and file it."),
        )
    else:
        yield from _pool(dossier, material, pool, by_kind.get("virus_inactivation"))


def _pool(
    dossier: Dossier, material: Material, pool: Certificate, inactivation: Certificate | None
) -> Iterator[Statement]:
    most = settings.number(dossier, "mat07.pool_most")
    if pool.pool_size is None or pool.pool_size > most:
        yield wants_waiver(
            material.lot,
            Text(
                "{name}: a pool of {count} donors, more than {most}.",
                name=material.name,
                count=pool.pool_size or "?",
                most=most,
            ),
            Text("Use a smaller pool or a licensed product, or ask the quality authority for a waiver."),
        )
    if inactivation is None:
        yield wants_waiver(
            material.lot,
            Text("{name}: the donors are certified, and no inactivation of viruses is.", name=material.name),
            Text("Use a licensed or inactivated product, or ask the quality authority for a waiver."),
        )
    else:
        yield shows(
            material.lot,
            Text(
                "{name}: pool of {count} donors ({pool}), viruses inactivated ({inactivation})",
                name=material.name,
                count=pool.pool_size or "?",
                pool=pool.reference,
                inactivation=inactivation.reference,
            ),
        )
