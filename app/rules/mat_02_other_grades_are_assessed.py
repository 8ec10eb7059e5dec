"""MAT-02: a material that is not of medicinal grade has an approved risk assessment before it is used."""

from collections.abc import Iterator
from datetime import UTC, datetime

from app.domain import settings
from app.domain.assessments import about_material, carries, named
from app.domain.counterexamples import Edit, all_of, assessed_material, every, nth, setting, without
from app.domain.dossier import Dossier
from app.domain.facts import Material, SubjectKind
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
from app.domain.sources import GUIDELINE
from app.domain.text import Text

_SEARCH = ("pharmacopoeias and authorised drugs searched", "medicinal_search")
_WASHED = ("washed three times", "residual_removal")
_TESTED = ("each lot tested for growth", "incoming_test")
_WHOLE = (_SEARCH, _WASHED, _TESTED)


def _assessed(*measures: tuple[str, str], **changes: object) -> Edit:
    return all_of(nth("materials", 0, grade="gmp_ancillary"), assessed_material("MAT-02", *measures, **changes))


@rule(
    "MAT-02",
    Text("A material that is not of medicinal grade is assessed before it is used"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Raw materials that are not of medicinal grade are used after an assessment of their risk."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G1, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("research grade, and nothing was assessed", nth("materials", 0, grade="research"), also=("MAT-01",)),
        Break("no measure against what remains of it", _assessed(_SEARCH, _TESTED)),
        Break("no measure for its quality", _assessed(_SEARCH, _WASHED)),
        Break(
            "approved after it was used",
            _assessed(*_WHOLE, approved_at=datetime(2026, 10, 20, tzinfo=UTC)),
            also=("MAT-01",),
        ),
        Break(
            "it ran out before the use", _assessed(*_WHOLE, valid_to=datetime(2026, 9, 1, tzinfo=UTC)), also=("MAT-01",)
        ),
        Break("whoever proposed it approved it", _assessed(*_WHOLE, approved_by="quinn"), also=("MAT-01",)),
        Break("it is about another material", _assessed(*_WHOLE, scope="RPMI 1640"), also=("MAT-01",)),
        Break("it assesses another rule", _assessed(*_WHOLE, rule="MAT-04"), also=("MAT-01",)),
        Break("it is superseded", _assessed(*_WHOLE, superseded=True), also=("MAT-01",)),
        Break(
            "what was assessed is unknown",
            all_of(nth("materials", 0, grade="research"), without("assessments")),
            outcome=Outcome.INDETERMINATE,
            also=("DON-05", "MAT-01"),
        ),
        Break(
            "what an assessment must have is not set",
            all_of(_assessed(*_WHOLE), setting("mat02.measures", {})),
            outcome=Outcome.INDETERMINATE,
        ),
        Break(
            "approval of a research grade lot that nobody assessed",
            every("materials", grade="research"),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
            also=("MAT-01",),
        ),
        Break(
            "approval on an assessment that is not in force yet",
            _assessed(*_WHOLE, valid_from=datetime(2027, 1, 1, tzinfo=UTC)),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
            also=("MAT-01",),
        ),
    ),
)
def other_grades_are_assessed(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Judge the assessment that stood when the lot is to be approved, or when it was first used."""
    medicinal = settings.words(dossier, "mat01.medicinal_grades")
    for material in dossier.materials or ():
        if material.kind == "prepared":
            yield shows(material.lot, made_here(material))
        elif material.grade is None:
            yield lacks(
                material.lot,
                Text("The grade of {name} is not known.", name=material.name),
                Text("Read the grade from the supplier's documents and define the material by it."),
            )
        elif material.grade in medicinal:
            yield shows(material.lot, Text("{name} is of medicinal grade", name=material.name))
        elif dossier.assessments is None:
            yield lacks(
                material.lot,
                Text("It is not known what was assessed."),
                Text("Report this to whoever keeps the system."),
            )
        else:
            yield from _assessment(dossier, asked, material)
    if not dossier.materials:
        yield materials_unknown(dossier)


def _assessment(dossier: Dossier, asked: Asked, material: Material) -> Iterator[Statement]:
    at = asked.at if asked.gate is Gate.G1 else first_used_at(dossier, material) or asked.at
    assessment = about_material(dossier, "MAT-02", material.name, at)
    wanted = settings.word_lists(dossier, "mat02.measures")
    if assessment is None:
        yield _refused(
            dossier,
            asked,
            material,
            Text(
                "{name} is not of medicinal grade, and no approved assessment of it stood at {at}.",
                name=material.name,
                at=at,
            ),
        )
        return
    open_ends = [group for group, controls in wanted.items() if not carries(assessment, controls)]
    for group in open_ends:
        yield _refused(
            dossier,
            asked,
            material,
            Text(
                "{assessment} of {name} has no measure of this kind: {group}.",
                assessment=named(assessment),
                name=material.name,
                group=_GROUPS.get(group, Text("{group}", group=group)),
            ),
        )
    if not open_ends:
        yield shows(
            material.lot,
            Text(
                "{name} assessed by {assessment}, approved {approved}",
                name=material.name,
                assessment=named(assessment),
                approved=assessment.approved_at or at,
            ),
        )


def _refused(dossier: Dossier, asked: Asked, material: Material, problem: Text) -> Statement:
    if asked.gate is not Gate.G1:
        return too_late(dossier, "MAT-02", subject=material.lot, problem=problem)
    return fails(
        material.lot,
        problem,
        Text("Propose an assessment of the material with its measures, and have the quality authority approve it."),
    )


_GROUPS = {
    "residue": Text("what remains of it in the product"),
    "quality": Text("the quality of what arrives"),
}
