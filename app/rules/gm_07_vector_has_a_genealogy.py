"""GM-07: a vector is a material of its own, with what it came of, before it is approved and before it is used."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain.counterexamples import VECTOR_LOT as LOT
from app.domain.counterexamples import Edit, all_of, gene_modified, vector_lot, where, within, without
from app.domain.dossier import Dossier
from app.domain.facts import Material, SubjectKind, Vector, VectorPart
from app.domain.genes import CAME_OF, HAS_NO_TITRE, ROLE_NAMES, VECTOR_NAMES, needed_by, stated, vectors
from app.domain.lots import LotState
from app.domain.materials import materials_unknown
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

RULE = "GM-07"
_G1: dict[str, Any] = {"gate": Gate.G1, "kind": SubjectKind.MATERIAL_LOT}
_G4: dict[str, Any] = {"gate": Gate.G4, "kind": SubjectKind.STEP}
_LATER = datetime(2026, 11, 21, tzinfo=UTC)
_RECORD = Text("Read it from the maker's record and have quality state it before the vector is used.")


def _told(**changes: Any) -> Edit:
    """What is stated of vectors is another."""

    def edit(materials: tuple[Material, ...]) -> tuple[Material, ...]:
        return tuple(
            replace(each, vectors=tuple(replace(one, **changes) for one in each.vectors or ())) for each in materials
        )

    return within("materials", edit)


_PLASMID = VectorPart("plasmid", "pTransfer", "PL-7", None, "kanamycin")


@rule(
    RULE,
    Text("A vector is an approved material with a genealogy of its own"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text(
                "Vectors are raw materials: their plasmids and the bank of their producer cells are known and controlled."
            ),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G1, Gate.G4),
    waiver=NEVER,
    breaks=(
        Break(
            "nothing is stated of a vector",
            vector_lot(vectors=()),
            **_G1,
            outcome=Outcome.INDETERMINATE,
            also=("GM-05",),
        ),
        Break(
            "no producer bank is named",
            all_of(vector_lot(), _told(parts=(_PLASMID,))),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "nobody knows what it came of", all_of(vector_lot(), _told(parts=())), **_G1, outcome=Outcome.INDETERMINATE
        ),
        Break(
            "a plasmid without its lot",
            all_of(
                vector_lot(),
                _told(
                    parts=(replace(_PLASMID, part_lot=" "), VectorPart("producer_bank", "HEK293T", "WCB-3", None, None))
                ),
            ),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "no titre",
            all_of(vector_lot(), _told(titre=None, titre_unit=None)),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a titre of nothing",
            all_of(vector_lot(), _told(titre=Decimal(0))),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a plasmid of a lot of which nothing is known here",
            all_of(
                vector_lot(),
                _told(
                    parts=(
                        replace(_PLASMID, material_lot="M0000000998"),
                        VectorPart("producer_bank", "HEK293T", "WCB-3", None, None),
                    )
                ),
            ),
            **_G1,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a planned vector of which nothing is stated",
            all_of(gene_modified, where("materials", "lot", LOT, vectors=())),
            **_G4,
            outcome=Outcome.INDETERMINATE,
            also=("GM-01",),
        ),
        Break(
            "a planned vector without a genealogy",
            all_of(gene_modified, _told(parts=())),
            **_G4,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "what the planned vector is was stated after the moment judged",
            all_of(gene_modified, _told(recorded_at=_LATER)),
            **_G4,
            also=("GM-01",),
        ),
        Break(
            "a planned vector that is not approved",
            all_of(gene_modified, where("materials", "lot", LOT, state=LotState.QUARANTINE)),
            **_G4,
            also=("MAT-06",),
        ),
        Break(
            "nothing is known of any material",
            without("materials"),
            **_G1,
            outcome=Outcome.INDETERMINATE,
            also=(
                "MAT-01",
                "MAT-02",
                "MAT-03",
                "MAT-04",
                "MAT-05",
                "MAT-06",
                "MAT-07",
                "MAT-08",
                "MAT-12",
                "MAT-13",
            ),
        ),
    ),
)
def vector_has_a_genealogy(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the vector about to be approved, or each that the step is about to use."""
    if dossier.materials is None:
        yield materials_unknown(dossier)
        return
    found = vectors(dossier, asked)
    if not found:
        yield does_not_apply(
            dossier.subject,
            Text("the lot is no vector") if asked.gate is Gate.G1 else Text("no vector is planned for the step"),
        )
    for material in found:
        yield from _judge(dossier, material, asked)


def _judge(dossier: Dossier, material: Material, asked: Asked) -> Iterator[Statement]:
    if asked.gate is Gate.G4 and material.state is not LotState.APPROVED:
        yield fails(
            material.lot,
            Text("The vector {name} is not approved for use.", name=material.name),
            Text("Use an approved lot of the vector."),
        )
    found = stated(dossier, RULE, material, by=needed_by(dossier, material, asked))
    if isinstance(found, Statement):
        yield found
        return
    vector = found[-1]
    if vector.vector_type not in HAS_NO_TITRE and (vector.titre is None or vector.titre <= 0):
        yield lacks(
            material.lot, Text("The titre or concentration of {name} is not stated.", name=material.name), _RECORD
        )
    yield from _came_of(dossier, material, vector)


def _came_of(dossier: Dossier, material: Material, vector: Vector) -> Iterator[Statement]:
    known = {each.lot for each in dossier.materials or ()}
    for role in CAME_OF[vector.vector_type]:
        parts = [each for each in vector.parts if each.role == role]
        if not parts:
            yield lacks(
                material.lot,
                Text("Of {name} it is not stated what it came of: {role}.", name=material.name, role=ROLE_NAMES[role]),
                _RECORD,
            )
    for part in vector.parts:
        if not part.name.strip() or not part.part_lot.strip():
            yield lacks(material.lot, Text("A part of {name} is named without its lot.", name=material.name), _RECORD)
        elif part.material_lot is not None and part.material_lot not in known:
            yield lacks(
                part.material_lot,
                Text("Nothing is known of this material lot."),
                Text("Receive the lot, record it, and have it approved before use."),
            )
        else:
            yield shows(
                material.lot,
                Text(
                    "{vector} of {role} {name}, lot {lot}",
                    vector=VECTOR_NAMES[vector.vector_type],
                    role=ROLE_NAMES[part.role],
                    name=part.name,
                    lot=part.part_lot,
                ),
            )
    if not vector.parts and not CAME_OF[vector.vector_type]:
        yield shows(material.lot, Text("{vector}, which is synthesised", vector=VECTOR_NAMES[vector.vector_type]))
