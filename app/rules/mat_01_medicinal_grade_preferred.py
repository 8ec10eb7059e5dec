"""MAT-01: medicinal grade is preferred; for any other the search for it is documented."""

from collections.abc import Iterator

from app.domain import settings
from app.domain.assessments import about_material, carries, named
from app.domain.counterexamples import Edit, all_of, assessed_material, every, nth, setting
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

_MEASURES = (("washed three times", "residual_removal"), ("each lot tested for growth", "incoming_test"))


def _of_grade(grade: str, *measures: tuple[str, str]) -> Edit:
    """The first material has another grade, assessed with these measures beside what MAT-02 asks."""
    return all_of(nth("materials", 0, grade=grade), assessed_material("MAT-02", *_MEASURES, *measures))


@rule(
    "MAT-01",
    Text("Medicinal grade is preferred, and for another the search is documented"),
    cites=(
        Citation(
            GUIDELINE,
            "§3",
            Text("Raw materials of medicinal grade are used first; others need a reason."),
            Standing.RECONSTRUCTED,
        ),
    ),
    gates=(Gate.G1, Gate.G6),
    waiver=NEVER,
    breaks=(
        Break("assessed, and nobody looked for a medicinal one", _of_grade("gmp_ancillary")),
        Break("a search without a word about it", _of_grade("research", (" ", "medicinal_search"))),
        Break(
            "which grades are medicinal is not set",
            setting("mat01.medicinal_grades", []),
            outcome=Outcome.INDETERMINATE,
            also=("MAT-02",),
        ),
        Break(
            "approval of a lot that was assessed without a search",
            _of_grade("gmp_ancillary"),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
        ),
        Break(
            "approval of a lot whose grade nobody knows",
            every("materials", grade=None),
            gate=Gate.G1,
            kind=SubjectKind.MATERIAL_LOT,
            outcome=Outcome.INDETERMINATE,
            also=("MAT-02",),
        ),
    ),
)
def medicinal_grade_preferred(dossier: Dossier, asked: Asked) -> Iterator[Statement]:
    """Look for the search in the assessment of the material (MAT-02), as it stood when the lot was used or is approved."""
    medicinal = settings.words(dossier, "mat01.medicinal_grades")
    search = settings.words(dossier, "mat01.search")
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
            yield shows(
                material.lot, Text("{name} is of medicinal grade ({grade})", name=material.name, grade=material.grade)
            )
        else:
            yield _searched(dossier, asked, material, search)
    if not dossier.materials:
        yield materials_unknown(dossier)


def _searched(dossier: Dossier, asked: Asked, material: Material, search: tuple[str, ...]) -> Statement:
    at = asked.at if asked.gate is Gate.G1 else first_used_at(dossier, material) or asked.at
    assessment = about_material(dossier, "MAT-02", material.name, at)
    if assessment is not None and carries(assessment, search):
        return shows(
            material.lot,
            Text(
                "{name}: one of medicinal grade was looked for ({assessment})",
                name=material.name,
                assessment=named(assessment),
            ),
        )
    problem = Text(
        "{name} is of another grade ({grade}), and no documented search for a medicinal one stands in its assessment.",
        name=material.name,
        grade=material.grade or "",
    )
    if asked.gate is not Gate.G1:
        return too_late(dossier, "MAT-01", subject=material.lot, problem=problem)
    return fails(
        material.lot,
        problem,
        Text("Look for one of medicinal grade, write down where and what was found, and have the assessment approved."),
    )
