"""MAT-03: no penicillin or other beta-lactam antibiotic anywhere in the process."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from app.domain.beta_lactams import LIST_DATE
from app.domain.counterexamples import (
    VECTOR_LOT,
    Edit,
    all_of,
    every,
    gene_modified,
    nth,
    part,
    vector_lot,
    where,
    without,
)
from app.domain.dossier import Dossier
from app.domain.facts import Component, Material, SubjectKind, Vector, VectorPart, VectorType
from app.domain.materials import GROUP_NAMES, Look, look_at, look_at_composition, made_here
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
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_AMPICILLIN = (Component("氨苄西林钠", "69-52-3"),)


def _of_plasmid(selected_with: str | None) -> Vector:
    """A lentiviral vector whose plasmid was grown under this."""
    parts = (
        VectorPart("plasmid", "pTransfer", "PL-7", None, selected_with),
        VectorPart("producer_bank", "HEK293T WCB", "WCB-3", None, None),
    )
    return Vector(VectorType.LENTIVIRUS, Decimal("2e8"), "TU/mL", parts, datetime(2026, 9, 10, 9, tzinfo=UTC))


def _used_vector(**changes: object) -> Edit:
    """A gene modified lot whose vector is another."""
    return all_of(gene_modified, where("materials", "lot", VECTOR_LOT, **changes))


@rule(
    "MAT-03",
    Text("No penicillin or other beta-lactam antibiotic in the process"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Penicillins and other beta-lactam antibiotics are not used anywhere in the preparation."),
            Standing.STATED,
        ),
    ),
    gates=(Gate.G1, Gate.G4, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("ampicillin in the composition", nth("materials", 0, composition=_AMPICILLIN)),
        Break(
            "a beta-lactam by its CAS number alone",
            nth("materials", 0, composition=(Component("antibiotic A", "73384-59-5"),)),
        ),
        Break("pen/strep in the name", nth("materials", 0, text="DMEM, 1% P/S")),
        Break("双抗 in the alias", nth("materials", 0, text="完全培养基（含双抗）")),
        Break("a composition nobody knows", nth("materials", 0, composition=None), outcome=Outcome.INDETERMINATE),
        Break(
            "a composition known in part",
            nth("materials", 0, composition_complete=False),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a mixture whose maker keeps silent",
            nth("materials", 0, text="Primocin 500x", composition_complete=False),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "approval of a lot with ampicillin",
            every("materials", composition=_AMPICILLIN),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
        ),
        Break(
            "a planned step with ampicillin",
            every("materials", composition=_AMPICILLIN),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
        ),
        Break(
            "a planned material of which nothing is known",
            part("plan", materials=("M-unknown",)),
            gate=Gate.G4,
            kind=SubjectKind.STEP,
            outcome=Outcome.INDETERMINATE,
            also=("MAT-05", "MAT-06"),
        ),
        Break(
            "the materials are unknown",
            without("materials"),
            outcome=Outcome.INDETERMINATE,
            also=("MAT-01", "MAT-02", "MAT-05", "MAT-06", "MAT-09", "MAT-11", "MAT-12", "MAT-13"),
        ),
        Break(
            "a plasmid grown under ampicillin",
            vector_lot(selected_with="ampicillin, 100 µg/mL"),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
        ),
        Break("a vector grown under carbenicillin", _used_vector(selected_with="羧苄青霉素")),
        Break(
            "a vector, and nobody says what it was selected with",
            _used_vector(selected_with=None),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a plasmid that carries AmpR and hides its selection",
            _used_vector(text="pUC57, AmpR", selected_with=" "),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a vector of a plasmid grown under ampicillin",
            vector_lot(vectors=(_of_plasmid("氨苄青霉素 50 mg/L"),)),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
        ),
        Break(
            "a vector, and nobody says what its plasmid was grown in",
            vector_lot(vectors=(_of_plasmid(None),)),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "a vector selected with a mixture whose maker keeps silent",
            _used_vector(selected_with="Primocin"),
            outcome=Outcome.INDETERMINATE,
        ),
    ),
)
def no_beta_lactam(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Search each material's composition first and its names second; an unknown composition stays closed."""
    materials = {each.lot: each for each in dossier.materials or ()}
    lots = tuple(dict.fromkeys((*_lots_in(dossier, asked), *materials)))
    for lot in lots:
        if lot in materials:
            yield from _judge(materials[lot])
        else:
            yield _unknown(lot, Text("Nothing is known of this material lot."))
    if not lots and asked.gate is Gate.G4 and dossier.materials is not None:
        yield shows(dossier.subject, Text("the step is planned without any material"))
    elif not lots:
        yield _unknown(dossier.subject, Text("No material is recorded."))


def _lots_in(dossier: Dossier, asked: Asked) -> tuple[str, ...]:
    if asked.gate is Gate.G4:
        return dossier.plan.materials if dossier.plan else ()
    return tuple(each.material_lot for each in dossier.consumptions or ())


def _unknown(subject: str, problem: Text) -> Statement:
    return lacks(subject, problem, Text("Record every material that the process uses, with its composition."))


def _judge(material: Material) -> Iterator[Statement]:
    if material.kind == "vector":
        yield from _selection(material)
    composition = look_at_composition(material.composition or ())
    names = look_at(f"{material.name}; {material.text}")
    found = (*composition.matches, *names.matches)
    for match in composition.matches:
        yield _found(material, Text("composition"), match.words, match.group)
    for match in names.matches:
        yield _found(material, Text("name"), match.words, match.group)
    if not found and material.prepared is not None and material.prepared.parts:
        yield shows(material.lot, made_here(material))
    elif not found and (not material.composition or not material.composition_complete):
        yield lacks(
            material.lot,
            Text("The composition of {name} is not wholly known.", name=material.name),
            Text("Obtain the full composition in writing from the supplier, or use a material whose makeup is known."),
        )
        yield from _undisclosed(material, (composition, names))
    if not found and material.composition and material.composition_complete:
        yield shows(
            material.lot,
            Text(
                "{name}: none of {count} components is on the list of {date}",
                name=material.name,
                count=len(material.composition),
                date=LIST_DATE,
            ),
        )
    for remark in dict.fromkeys((*composition.remarks, *names.remarks)):
        yield shows(material.lot, Text("worth a look: {words}", words=remark))


def _found(material: Material, place: Text, words: str, group: str) -> Statement:
    return fails(
        material.lot,
        Text(
            "{name}: “{words}” in its {place} ({group}).",
            name=material.name,
            words=words,
            place=place,
            group=GROUP_NAMES.get(group, group),
        ),
        Text("Use a material without beta-lactams. This is never waived."),
    )


def _selection(material: Material) -> Iterator[Statement]:
    """A vector is judged by what its host was grown in, whatever resistance it carries."""
    told = (material.selected_with or "").strip()
    look = look_at(told)
    for match in look.matches:
        yield _found(material, Text("selection"), match.words, match.group)
    for each in material.vectors[-1].parts if material.vectors else ():
        yield from _selection_of(material, each)
    if not told or look.undisclosed:
        yield lacks(
            material.lot,
            Text("It is not known under which antibiotic {name} was grown.", name=material.name),
            Text(
                "Have the maker of the vector state the antibiotic of the fermentation, and the QA manager record it."
            ),
        )
    elif not look.matches:
        yield shows(material.lot, Text("{name} was grown under {selection}", name=material.name, selection=told))


def _selection_of(material: Material, part: VectorPart) -> Iterator[Statement]:
    """What a plasmid of the vector was grown in, where that is no material lot of its own, which is judged itself."""
    told = (part.selected_with or "").strip()
    look = look_at(f"{part.name}; {told}")
    for match in look.matches:
        yield _found(material, Text("selection of {name}", name=part.name), match.words, match.group)
    if part.role == "plasmid" and part.material_lot is None and (not told or look.undisclosed):
        yield lacks(
            material.lot,
            Text("It is not known under which antibiotic {name} was grown.", name=part.name),
            Text(
                "Have the maker of the vector state the antibiotic of the fermentation, and the QA manager record it."
            ),
        )


def _undisclosed(material: Material, looks: tuple[Look, ...]) -> Iterator[Statement]:
    for word in dict.fromkeys(word for look in looks for word in look.undisclosed):
        yield lacks(
            material.lot,
            Text("“{words}” is a mixture of antibiotics whose maker does not say what it holds.", words=word),
            Text("Obtain the full composition in writing from the supplier, or use a material whose makeup is known."),
        )
